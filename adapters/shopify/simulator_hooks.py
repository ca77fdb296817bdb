"""Webhook subscriptions of a simulated shop."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.shopify.simulator_answers import Node, connection, gid, user_errors

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]
PAGE: Final = 100


class ShopSubscription(msgspec.Struct):
    """A subscription of the app."""

    id: int
    topic: str
    """As GraphQL names it."""
    uri: str
    format: str = "JSON"
    include_fields: list[str] = []
    filter: str = ""

    def node(self) -> Node:
        """As the API shows it."""
        plain: Node = msgspec.to_builtins(self)
        fields = plain.pop("include_fields")
        return {**plain, "id": gid("WebhookSubscription", self.id), "includeFields": fields}


class _Wanted(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    uri: str
    format: str = "JSON"
    include_fields: list[str] = []
    filter: str = ""


def listed(shop: "ShopifySimulator", variables: Variables) -> Node:
    nodes = [one.node() for one in shop.subscriptions.values()]
    return {"webhookSubscriptions": connection(nodes, PAGE, variables.get("after"))}


def create(shop: "ShopifySimulator", variables: Variables) -> Node:
    wanted = msgspec.convert(variables["subscription"], _Wanted)
    why = _why_not(shop, variables["topic"], wanted, None)
    if why is not None:
        return _answer("webhookSubscriptionCreate", None, why)
    made = ShopSubscription(id=shop.next_id(), topic=variables["topic"], **msgspec.structs.asdict(wanted))
    shop.subscriptions[made.id] = made
    return _answer("webhookSubscriptionCreate", made, None)


def update(shop: "ShopifySimulator", variables: Variables) -> Node:
    number = int(str(variables["id"]).rpartition("/")[2])
    old = shop.subscriptions.get(number)
    if old is None:
        return _answer("webhookSubscriptionUpdate", None, "Webhook subscription does not exist")
    wanted = msgspec.convert(variables["subscription"], _Wanted)
    why = _why_not(shop, old.topic, wanted, number)
    if why is not None:
        return _answer("webhookSubscriptionUpdate", None, why)
    shop.subscriptions[number] = msgspec.structs.replace(old, **msgspec.structs.asdict(wanted))
    return _answer("webhookSubscriptionUpdate", shop.subscriptions[number], None)


def _why_not(shop: "ShopifySimulator", topic: str, wanted: _Wanted, but: int | None) -> str | None:
    scope = next((scope for start, scope in shop.topic_scopes.items() if topic.startswith(start)), None)
    if scope is not None and scope not in shop.scopes:
        return "You cannot create a webhook subscription with the specified topic"
    if wanted.uri.startswith("http://") and not wanted.uri.startswith("http://127.0.0.1"):
        return "Address protocol http:// is not supported"
    if any((one.topic, one.uri) == (topic, wanted.uri) and one.id != but for one in shop.subscriptions.values()):
        return "Address for this topic has already been taken"
    return None


def _answer(root: str, made: ShopSubscription | None, why: str | None) -> Node:
    shown = None if made is None else {"id": gid("WebhookSubscription", made.id)}
    errors = user_errors([(("webhookSubscription",), why, None)], coded=False) if why else []
    return {root: {"webhookSubscription": shown, "userErrors": errors}}


HOOK_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockSubscriptions": listed,
    "CrossdockSubscribe": create,
    "CrossdockResubscribe": update,
}
