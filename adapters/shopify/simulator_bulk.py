"""Bulk exports of a simulated shop: asked for, run, kept in a storage that knows ranges."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from adapters.shopify.documents_bulk import history
from adapters.shopify.simulator_answers import Node, gid, order_lines, user_errors, whole_order
from adapters.shopify.simulator_books import ShopOrder, utc

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]
MOST_AT_ONCE: Final = 5
RECENT: Final = 10
_SINCE: Final = re.compile(r"created_at:>='(\d{4}-\d{2}-\d{2})'")
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)")


class ShopExport(msgspec.Struct):
    """An export; it has run when it was looked at so many times."""

    id: int
    query: str
    since: date
    created_at: datetime
    looks: int
    status: str = "CREATED"
    error_code: str | None = None
    body: bytes = b""


def run(shop: "ShopifySimulator", variables: Variables) -> Node:
    query = variables["query"]
    since = _SINCE.search(query)
    if since is None or query != history(date.fromisoformat(since[1])):
        return _ran(None, [(("query",), "Invalid bulk query: this one is not known to the simulator.", "INVALID")])
    running = [one for one in shop.exports.values() if one.status in ("CREATED", "RUNNING")]
    if len(running) >= MOST_AT_ONCE:
        told = f"already in progress: {', '.join(gid('BulkOperation', one.id) for one in running)}."
        return _ran(None, [((), f"A bulk query operation for this app and shop is {told}", "OPERATION_IN_PROGRESS")])
    made = ShopExport(
        id=shop.next_id(),
        query=query,
        since=date.fromisoformat(since[1]),
        created_at=shop.now(),
        looks=shop.job_polls,
    )
    shop.exports[made.id] = made
    return _ran(made, [])


def _ran(made: ShopExport | None, errors: list[tuple[tuple[str, ...], str, str | None]]) -> Node:
    shown = None if made is None else {"id": gid("BulkOperation", made.id)}
    return {"bulkOperationRunQuery": {"bulkOperation": shown, "userErrors": user_errors(errors)}}


def recent(shop: "ShopifySimulator", variables: Variables) -> Node:
    newest = list(shop.exports.values())[: -RECENT - 1 : -1]
    nodes = [
        {
            "id": gid("BulkOperation", one.id),
            "status": one.status,
            "query": one.query,
            "createdAt": utc(one.created_at),
        }
        for one in newest
    ]
    return {"bulkOperations": {"nodes": nodes}}


def look(shop: "ShopifySimulator", variables: Variables) -> Node:
    made = shop.exports.get(int(str(variables["id"]).rpartition("/")[2]))
    if made is None:
        return {"bulkOperation": None}
    if made.status in ("CREATED", "RUNNING"):
        made.looks -= 1
        made.status = "RUNNING"
        if made.looks < 0:
            made.status, made.body = "COMPLETED", b"".join(_lines(shop, made.since))
    ended = made.status == "COMPLETED" and made.body
    node = {
        "id": gid("BulkOperation", made.id),
        "status": made.status,
        "errorCode": made.error_code,
        "url": f"{shop.base_url}/exports/{made.id}.jsonl" if ended else None,
        "fileSize": str(len(made.body)) if ended else None,
    }
    return {"bulkOperation": node}


def _lines(shop: "ShopifySimulator", since: date) -> Iterator[bytes]:
    begin = datetime(since.year, since.month, since.day, tzinfo=UTC)
    for order in shop.orders.values():
        if order.created_at >= begin:
            yield from (msgspec.json.encode(node) + b"\n" for node in _order(shop, order))


def _order(shop: "ShopifySimulator", order: ShopOrder) -> Iterator[Node]:
    """The order without its lists, then what is in them; of refunds and fulfilments no lines."""
    whole = whole_order(order, shop.fulfilments[order.id])
    del whole["lineItems"]
    shipping, applications = whole.pop("shippingLines"), whole.pop("discountApplications")
    refunds, fulfilments = whole.pop("refunds"), whole.pop("fulfillments")
    asked = whole.pop("fulfillmentOrders")
    gone = [{name: value for name, value in one.items() if name != "fulfillmentLineItems"} for one in fulfilments]
    yield {**whole, "givenBack": [{"id": one["id"]} for one in refunds], "gone": gone}
    parent = {"__parentId": whole["id"]}
    yield from ({"__typename": "ShippingLine", **one, **parent} for one in shipping["nodes"])
    yield from (one | parent for one in applications["nodes"])
    yield from ({"__typename": "FulfillmentOrder", **one, **parent} for one in asked["nodes"])
    yield from ({"__typename": "LineItem", **one, **parent} for one in order_lines(order))


def storage(shop: "ShopifySimulator") -> ControllerRouterHandler:
    """Where exports are kept. Whoever sends it credentials breaks a rule."""

    @get("/exports/{name:str}")
    async def serve(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        if "x-shopify-access-token" in request.headers:
            shop.violations.append("the access token was sent to the storage")
        body = shop.exports[int(name.removesuffix(".jsonl"))].body
        wanted = _RANGE.fullmatch(request.headers.get("range", ""))
        if wanted is None:
            return Response(body, media_type="application/jsonl")
        start, end = int(wanted[1]), int(wanted[2]) + 1
        return Response(body[start:end], status_code=206 if start < len(body) else 416, media_type="application/jsonl")

    return serve


BULK_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockRunBulk": run,
    "CrossdockRecentBulk": recent,
    "CrossdockBulk": look,
}
