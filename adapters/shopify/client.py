"""Sending, and the reads: one order, all that changed, the connection test."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from adapters.shopify import documents, orders
from adapters.shopify.answers import read
from adapters.shopify.operation import Operation, dated
from adapters.shopify.orders import rest_id
from adapters.shopify.purchasers import PURCHASERS, Purchaser, rest_purchaser
from adapters.shopify.rest_shape import rest_body
from adapters.shopify.scopes import VISIBLE_DAYS, scope_checks
from adapters.shopify.settings import Settings, account
from hub.sdk.capabilities import Check, Context, Page, Probe, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.wire import Request

T = TypeVar("T")
Shop = Context[Settings]

OVERLAP_SECONDS: Final = 300
"""A pull looks back over its own watermark: search lags behind the orders."""

DAY: Final = timedelta(days=1)
AT_ONCE: Final = 50


async def call(
    context: Shop, operation: Operation, variables: Mapping[str, object], root: str, kind: type[T]
) -> T | None:
    """Send one document and read its root field; raises `Interrupted` for whatever is not an answer."""
    query, given = dated(operation, variables, context.settings.api_version)
    document = {"query": query, "operationName": operation.name, "variables": given}
    request = Request(
        method="POST",
        path="/graphql.json",
        operation=operation.name,
        body=msgspec.json.encode(document),
        write=operation.write,
        cost=operation.cost,
    )
    return read(await context.client.send(request), operation, root, kind, context.now())


# --- orders ----------------------------------------------------------------------------------------------------------


async def fetch_order(context: Shop, topic: str, object: str) -> Pulled:
    """Read the order that a thin delivery is about, in the shape of a webhook's body."""
    number = object.removeprefix("order:")
    order = await call(context, documents.ORDER, {"id": gid("Order", number)}, "order", orders.Order)
    if order is None:
        reason = f"{topic}: order {number} cannot be read: deleted, or older than {VISIBLE_DAYS} days"
        raise Interrupted(NeedsPerson(reason=reason, next_step="grant read_all_orders if it should be visible"))
    (found,) = await bring(context, [order])
    return found


async def pull_orders(context: Shop, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order changed since the cursor, oldest change first.

    Without a cursor it begins at the connection's `live_from`, else as far back as orders are visible. A scan that
    was broken off goes on at its next page: were it to look back over the overlap each time, a shop whose points
    buy less than an overlap's orders would never get on.
    """
    place = Scan.begin(context) if cursor is None else msgspec.json.decode(cursor, type=Scan).resumed()
    while True:
        variables = {"query": f"updated_at:>='{_iso(place.since)}'", "after": place.after}
        page = await call(context, documents.ORDERS, variables, "orders", orders.OrderPage)
        if page is None:
            raise Interrupted(NeedsPerson(reason="orders: the shop lists none", next_step="grant read_orders"))
        items = await bring(context, page.nodes)
        seen = max([place.seen, *(datetime.fromisoformat(order.updated_at) for order in page.nodes)])
        more = page.page_info.has_next_page
        place = Scan(since=place.since, seen=seen, after=page.page_info.end_cursor if more else None)
        yield Page(items=tuple(items), cursor=msgspec.json.encode(place).decode(), last=not more)
        if not more:
            return


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor of `pull_orders`: where a scan began, the last change it saw, and its next page while it goes on."""

    since: datetime
    seen: datetime
    after: str | None = None

    @classmethod
    def begin(cls, context: Shop) -> "Scan":
        """The first scan."""
        start = context.connection.live_from or context.now() - VISIBLE_DAYS * DAY
        return cls(since=start, seen=start)

    def resumed(self) -> "Scan":
        """Its next page, or after its end a new scan from the last change seen, less the overlap."""
        if self.after is not None:
            return self
        return Scan(since=self.seen - timedelta(seconds=OVERLAP_SECONDS), seen=self.seen)


async def bring(context: Shop, found: Sequence[orders.Order]) -> list[Pulled]:
    """Orders as they are stored, each read to its end, with the companies that buy where these are to be asked for."""
    buyers: dict[str, Mapping[str, object]] = {}
    for start in range(0, len(found), AT_ONCE) if context.settings.companies else ():
        asked = {"ids": [order.id for order in found[start : start + AT_ONCE]]}
        told = await call(context, PURCHASERS, asked, "nodes", tuple[Purchaser | None, ...])
        buyers |= {one.id: rest_purchaser(one) for one in told or () if one is not None}
    return [pulled(await whole(context, order), buyers.get(order.id, {})) for order in found]


async def whole(context: Shop, order: orders.Order) -> orders.Order:
    """The order with every nested list read to its end: those are the usual source of lost lines."""
    lines = order.line_items
    while lines.page_info.has_next_page:
        more = await _more(context, documents.ORDER_LINES, order.id, lines.page_info, "order", orders.OrderLines)
        lines = orders.Paged(nodes=lines.nodes + more.line_items.nodes, page_info=more.line_items.page_info)
    refunds = [await _whole_refund(context, refund) for refund in order.refunds]
    fulfillments = [await _whole_fulfillment(context, one) for one in order.fulfillments]
    return msgspec.structs.replace(order, line_items=lines, refunds=tuple(refunds), fulfillments=tuple(fulfillments))


async def _whole_refund(context: Shop, refund: orders.Refund) -> orders.Refund:
    lines = refund.refund_line_items
    while lines.page_info.has_next_page:
        more = await _more(context, documents.REFUND_LINES, refund.id, lines.page_info, "refund", orders.RefundLines)
        lines = orders.Paged(
            nodes=lines.nodes + more.refund_line_items.nodes, page_info=more.refund_line_items.page_info
        )
    return msgspec.structs.replace(refund, refund_line_items=lines)


async def _whole_fulfillment(context: Shop, one: orders.Fulfillment) -> orders.Fulfillment:
    lines = await whole_fulfilled(context, one.id, one.fulfillment_line_items)
    return msgspec.structs.replace(one, fulfillment_line_items=lines)


async def whole_fulfilled(
    context: Shop, fulfillment: str, lines: orders.Paged[orders.FulfilledLine]
) -> orders.Paged[orders.FulfilledLine]:
    """All lines of a fulfilment."""
    while lines.page_info.has_next_page:
        operation = documents.FULFILLED_LINES
        more = await _more(context, operation, fulfillment, lines.page_info, "fulfillment", orders.FulfilledLines)
        found = more.fulfillment_line_items
        lines = orders.Paged(nodes=lines.nodes + found.nodes, page_info=found.page_info)
    return lines


async def _more(context: Shop, operation: Operation, id: str, page: orders.PageInfo, root: str, kind: type[T]) -> T:
    """The next page of a nested list; the object cannot have vanished between two pages, but it may."""
    found = await call(context, operation, {"id": id, "after": page.end_cursor}, root, kind)
    if found is None:
        reason = f"{operation.name}: {id} vanished while its lines were read"
        raise Interrupted(NeedsPerson(reason=reason, next_step="look whether it was deleted, then retry"))
    return found


def pulled(order: orders.Order, buyer: Mapping[str, object]) -> Pulled:
    """One version of an order. `updatedAt` has whole seconds, so a digest tells two changes in one second apart."""
    body = rest_body(order, buyer)
    number = rest_id(order.id)
    return Pulled(
        key=f"order:{number}:{order.updated_at}:{sha256(body).hexdigest()[:8]}",
        topic="orders/updated",
        object=f"order:{number}",
        body=body,
    )


# --- the connection test ---------------------------------------------------------------------------------------------


class ShopInfo(orders.Shape, frozen=True):
    """What the shop says about itself."""

    name: str
    myshopify_domain: str
    currency_code: str
    taxes_included: bool


class Scope(orders.Shape, frozen=True):
    """A permission."""

    handle: str


class Installation(orders.Shape, frozen=True):
    """This app in this shop."""

    access_scopes: tuple[Scope, ...]


class Location(orders.Shape, frozen=True):
    """A place that the shop knows."""

    id: str
    name: str
    is_active: bool
    is_fulfillment_service: bool


async def probe(context: Shop, /) -> Probe:
    """Who the shop is, what the app may do there, and which locations there are."""
    shop = await call(context, documents.SHOP, {}, "shop", ShopInfo)
    installed = await call(context, documents.SCOPES, {}, "currentAppInstallation", Installation)
    handles = frozenset(scope.handle for scope in installed.access_scopes) if installed else frozenset[str]()
    there: tuple[Location, ...] = ()
    if "read_locations" in handles:
        found = await call(context, documents.LOCATIONS, {}, "locations", orders.Nodes[Location])
        there = tuple(one for one in found.nodes if one.is_active) if found else ()
    kept = frozenset(one.is_fulfillment_service for one in there)
    checks = scope_checks(handles, companies=context.settings.companies, services=kept)
    if "read_locations" in handles:
        named = ", ".join(f"{rest_id(one.id)} {one.name}" for one in there)
        checks.append(Check(name="locations", ok=bool(there), detail=named or "no active location"))
    said = shop.myshopify_domain.lower() if shop else "unknown"
    expected = account(context.settings)
    same = said == expected
    detail = said if same else f"the access token belongs to {said}, the connection names {expected}"
    return Probe(account=said, checks=(Check(name="shop", ok=same, detail=detail), *checks))


def gid(kind: str, id: str | int) -> str:
    """A global id from a REST id; one that is global already stays."""
    return str(id) if str(id).startswith("gid://") else f"gid://shopify/{kind}/{id}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
