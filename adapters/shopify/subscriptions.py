"""Webhook subscriptions are looked through every night: Shopify deletes one whose deliveries failed for four hours."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

import msgspec

from adapters.shopify import documents_hooks as documents
from adapters.shopify import orders
from adapters.shopify.answers import UserError
from adapters.shopify.client import Shop, call
from adapters.shopify.operation import Operation
from hub.sdk.capabilities import Page
from hub.sdk.outcomes import Interrupted, NeedsPerson

NIGHTLY_SECONDS: Final = 86_400

TOPICS: Final = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "orders/risk_assessment_changed",
    "refunds/create",
    "returns/request",
    "returns/approve",
    "returns/decline",
    "returns/cancel",
    "returns/close",
    "returns/reopen",
    "returns/update",
    "returns/process",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/hold_released",
    "app/uninstalled",
)
"""What the hub always wants to hear. Privacy topics cannot be subscribed to: the app's configuration names them."""

STOCK_TOPIC: Final = "inventory_levels/update"
"""Wanted where Shopify counts a location's stock; elsewhere it would bring the echoes of our own writes."""


class Subscription(orders.Shape, frozen=True):
    """One of this app's at this shop."""

    id: str
    topic: str
    uri: str
    format: str
    include_fields: tuple[str, ...] = ()
    filter: str | None = None

    @property
    def whole(self) -> bool:
        """Whether it sends every event, with everything that is in it, as JSON."""
        return self.format == "JSON" and not self.include_fields and not self.filter


class SubscriptionPage(orders.Shape, frozen=True):
    """Answer of `documents.SUBSCRIPTIONS`."""

    nodes: tuple[Subscription, ...]
    page_info: orders.PageInfo


class Subscribed(orders.Shape, frozen=True):
    """Answer of a create or an update."""

    user_errors: tuple[UserError, ...] = ()


class Missing(msgspec.Struct, frozen=True):
    """A topic that does not reach us as it should; `mend` is the subscription to correct, None to make a new one."""

    topic: str
    mend: str | None


def missing(found: Iterable[Subscription], wanted: Iterable[str], address: str, path: str) -> list[Missing]:
    """What is to be made or mended so that every wanted topic comes, whole, to `address`. Pure.

    One that ends in the connection's own path is ours, though its host may be one that the hub had before.
    """
    ours: dict[str, list[Subscription]] = {}
    for one in found:
        if one.uri == address or one.uri.endswith(path):
            ours.setdefault(one.topic, []).append(one)
    wrong = []
    for topic in wanted:
        there = ours.get(enum(topic), [])
        if not any(one.uri == address and one.whole for one in there):
            at_home = [one for one in there if one.uri == address]
            wrong.append(Missing(topic, (at_home or there)[0].id if there else None))
    return wrong


def enum(topic: str) -> str:
    """ "orders/create" as GraphQL names it."""
    return topic.replace("/", "_").upper()


async def keep_subscriptions(context: Shop, cursor: str | None, /) -> AsyncIterator[Page]:
    """List what is subscribed, and make or mend what is missing. Brings nothing.

    Raises `Interrupted` (NeedsPerson) naming the topics that the shop does not let us have; the others are there.
    Without an address of the hub that the shop can reach it looks and leaves everything as it is.
    """
    found = await _all(context)
    refused: dict[str, list[str]] = {}
    if context.webhooks is not None:
        wanted = (*TOPICS, STOCK_TOPIC) if context.settings.stock_locations else TOPICS
        for one in missing(found, wanted, context.webhooks, f"/webhooks/{context.connection.id}"):
            why = await _mend(context, one, context.webhooks)
            if why is not None:
                refused.setdefault(why, []).append(one.topic)
    if refused:
        told = "; ".join(f"{', '.join(topics)}: {why}" for why, topics in refused.items())
        step = "test the connection: it names missing scopes; the hub's public_url has to begin with https"
        raise Interrupted(NeedsPerson(reason=f"webhooks are not subscribed: {told}", next_step=step))
    yield Page(items=(), cursor=context.now().isoformat())


async def _all(context: Shop) -> list[Subscription]:
    found: list[Subscription] = []
    after = None
    while True:
        answer = await call(
            context, documents.SUBSCRIPTIONS, {"after": after}, "webhookSubscriptions", SubscriptionPage
        )
        if answer is None:
            return found
        found.extend(answer.nodes)
        after = answer.page_info.end_cursor
        if not answer.page_info.has_next_page:
            return found


async def _mend(context: Shop, one: Missing, address: str) -> str | None:
    """Why the shop would not; None when it did."""
    wanted = {"uri": address, "format": "JSON", "includeFields": [], "filter": ""}
    operation: Operation
    if one.mend is None:
        operation, root = documents.SUBSCRIBE, "webhookSubscriptionCreate"
        variables = {"topic": enum(one.topic), "subscription": wanted}
    else:
        operation, root = documents.RESUBSCRIBE, "webhookSubscriptionUpdate"
        variables = {"id": one.mend, "subscription": wanted}
    try:
        answer = await call(context, operation, variables, root, Subscribed)
    except Interrupted as interrupted:
        if isinstance(interrupted.outcome, NeedsPerson):
            return interrupted.outcome.reason
        raise
    errors = answer.user_errors if answer else ()
    return "; ".join(error.message for error in errors) or (None if answer else "no answer")
