"""The Admin API of a simulated shop: one function per operation that the client uses, on the shop's books."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.shopify import simulator_answers as answers
from adapters.shopify.simulator_answers import FURTHER_LINES, Node, connection, gid, ref, user_errors
from adapters.shopify.simulator_books import ShopFulfilmentOrder, ShopJob, ShopOpenLine, ShopOrder, utc

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]
Errors = list[tuple[tuple[str, ...], str, str | None]]
"""Field, message and code."""

POINTS_PER_ORDER: Final = 33
MOST_ENTRIES: Final = 250

_UPDATED_SINCE: Final = re.compile(r"^updated_at:>='([^']+)'$")
_IDS: Final = re.compile(r"id:\d+( OR id:\d+)*")
_SKU_TERM: Final = re.compile(r'sku:"((?:[^"\\]|\\.)*)"')


class Invalid(Exception):
    """A variable that the schema does not allow."""


class _Input(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Base of inputs: a field that the schema does not have is refused."""


class _LineInput(_Input):
    id: str
    quantity: int


class _OrderInput(_Input):
    fulfillment_order_id: str
    fulfillment_order_line_items: list[_LineInput] | None = None


class _TrackingInput(_Input):
    number: str | None = None
    url: str | None = None
    company: str | None = None
    numbers: list[str] | None = None
    urls: list[str] | None = None


class _FulfillmentInput(_Input):
    line_items_by_fulfillment_order: list[_OrderInput]
    tracking_info: _TrackingInput | None = None
    notify_customer: bool = False


def steps(nodes: int) -> int:
    """What a list of so many nodes multiplies their cost by; fitted to recorded costs of 1 to 250 nodes."""
    return max(1, math.floor(2 * math.log(nodes))) if nodes else 0


def number(global_id: object) -> int:
    """The number of a global id; 0, which nothing has, for anything else."""
    tail = str(global_id).rpartition("/")[2]
    return int(tail) if tail.isdigit() else 0


# --- reads -----------------------------------------------------------------------------------------------------------


def order(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.orders.get(number(variables["id"]))
    return {"order": None if found is None else answers.whole_order(found, shop.fulfilments[found.id])}


def orders(shop: "ShopifySimulator", variables: Variables) -> Node:
    """Changed orders, oldest change first. A term it does not know is ignored, with a warning: everything matches."""
    term = _UPDATED_SINCE.match(variables["query"]) if "updated_at" in shop.search_fields else None
    since = datetime.fromisoformat(term[1]) if term else None
    ids = _IDS.fullmatch(variables["query"])
    if term is None and ids is None:
        shop.ignored_terms.append(variables["query"])
    named = {number(f"/{term[3:]}") for term in ids[0].split(" OR ")} if ids else shop.orders.keys()
    after = tuple(msgspec.json.decode(variables["after"])) if variables.get("after") else ("", 0)
    changed = (one for one in shop.orders.values() if since is None or one.updated_at >= since)
    found = sorted((utc(one.updated_at), one.id) for one in changed if one.id in named)
    rest = [place for place in found if place > after]
    page = rest[:50]
    nodes = [answers.whole_order(shop.orders[id], shop.fulfilments[id]) for _, id in page]
    cursor = msgspec.json.encode(page[-1]).decode() if page else None
    shop.charged = 2 + POINTS_PER_ORDER * steps(len(page))
    return {"orders": {"nodes": nodes, "pageInfo": {"hasNextPage": len(rest) > 50, "endCursor": cursor}}}


def order_lines(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.orders.get(number(variables["id"]))
    if found is None:
        return {"order": None}
    return {"order": {"lineItems": connection(answers.order_lines(found), FURTHER_LINES, variables.get("after"))}}


def refund_lines(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.refunds.get(number(variables["id"]))
    if found is None:
        return {"refund": None}
    lines = connection(answers.refund_lines(*found), FURTHER_LINES, variables.get("after"))
    return {"refund": {"refundLineItems": lines}}


def fulfilled_lines(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.fulfilments_by_id.get(number(variables["id"]))
    if found is None:
        return {"fulfillment": None}
    lines = connection(answers.fulfilled_lines(found), FURTHER_LINES, variables.get("after"))
    return {"fulfillment": {"fulfillmentLineItems": lines}}


def fulfillment_orders(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.orders.get(number(variables["id"]))
    if found is None:
        return {"order": None}
    visible = any(scope.endswith("_fulfillment_orders") for scope in shop.scopes)
    return {"order": answers.work(found, shop.fulfilments[found.id], visible, variables.get("after"))}


def open_lines(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.fulfilment_orders.get(number(variables["id"]))
    if found is None:
        return {"fulfillmentOrder": None}
    lines = connection(answers.open_lines(found), FURTHER_LINES, variables.get("after"))
    return {"fulfillmentOrder": {"lineItems": lines}}


def variants(shop: "ShopifySimulator", variables: Variables) -> Node:
    """By SKU. Search is by token, so "ABC" finds "ABC-1" as well, as the real one does."""
    terms = [term.replace('\\"', '"').replace("\\\\", "\\") for term in _SKU_TERM.findall(variables["query"])]
    nodes: dict[int, Node] = {}
    for term in terms:
        for variant in shop.found_by_token(term):
            nodes[variant.variant] = {"sku": variant.sku, "inventoryItem": ref("InventoryItem", variant.item)}
    page = {"hasNextPage": len(nodes) > MOST_ENTRIES}
    return {"productVariants": {"nodes": list(nodes.values())[:MOST_ENTRIES], "pageInfo": page}}


def levels(shop: "ShopifySimulator", variables: Variables) -> Node:
    location = number(variables["location"])
    nodes: list[Node | None] = []
    for id in variables["ids"]:
        item = number(id)
        available = shop.inventory.get((item, location))
        level = None if available is None else {"quantities": [{"name": "available", "quantity": available}]}
        nodes.append({"id": id, "inventoryLevel": level} if item in shop.items else None)
    return {"nodes": nodes}


def cancelled(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.orders.get(number(variables["id"]))
    if found is None:
        return {"order": None}
    at = None if found.cancelled_at is None else utc(found.cancelled_at)
    return {"order": {"id": gid("Order", found.id), "name": found.name, "cancelledAt": at}}


def job(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = shop.jobs.get(variables["id"])
    if found is None:
        return {"job": None}
    found.polls -= 1
    if found.polls == 0:
        found.work()
    return {"job": {"id": variables["id"], "done": found.polls <= 0}}


def shop_info(shop: "ShopifySimulator", variables: Variables) -> Node:
    info = {"name": shop.title, "myshopifyDomain": shop.shop, "currencyCode": shop.currency, "taxesIncluded": False}
    return {"shop": info}


def scopes(shop: "ShopifySimulator", variables: Variables) -> Node:
    return {"currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in sorted(shop.scopes)]}}


def locations(shop: "ShopifySimulator", variables: Variables) -> Node:
    nodes = [
        {
            "id": gid("Location", one.id),
            "name": one.name,
            "isActive": one.active,
            "isFulfillmentService": one.service,
        }
        for one in shop.locations.values()
    ]
    return {"locations": {"nodes": nodes[:100], "pageInfo": {"hasNextPage": len(nodes) > 100}}}


# --- writes ----------------------------------------------------------------------------------------------------------


def move(shop: "ShopifySimulator", variables: Variables) -> Node:
    """Assign lines elsewhere: all of them move the fulfilment order, some of them make a new one."""
    found = shop.fulfilment_orders.get(number(variables["id"]))
    there = number(variables["newLocationId"])
    wanted = msgspec.convert(variables.get("lines") or [], list[_LineInput])
    problem = _cannot_move(shop, found, there)
    if found is None or problem is not None:
        errors = user_errors([((), problem or "Fulfillment order does not exist.", None)])
        return {"fulfillmentOrderMove": {"movedFulfillmentOrder": None, "userErrors": errors}}
    moved = shop.move(found, there, {number(line.id): line.quantity for line in wanted})
    return {"fulfillmentOrderMove": {"movedFulfillmentOrder": ref("FulfillmentOrder", moved.id), "userErrors": []}}


def _cannot_move(shop: "ShopifySimulator", found: ShopFulfilmentOrder | None, there: int) -> str | None:
    if found is None or found.status not in ("OPEN", "IN_PROGRESS"):
        return "Cannot change location of a fulfillment order that is not open."
    if there not in shop.locations or not shop.locations[there].active:
        return "The destination location does not exist or is not active."
    if any((line.line.variant.item, there) not in shop.inventory for line in found.lines if line.remaining):
        return "The destination location doesn't stock the requested inventory item."
    return None


def fulfill(shop: "ShopifySimulator", variables: Variables) -> Node:
    """fulfillmentCreate, with the messages of the real one in the order in which it checks."""
    given = msgspec.convert(variables["fulfillment"], _FulfillmentInput)
    places: list[tuple[ShopOpenLine, int]] = []
    error = _cannot_fulfill(shop, given, places)
    if error is not None:
        refused = {"fulfillment": None, "userErrors": user_errors([(*error, None)], coded=False)}
        return {"fulfillmentCreate": refused}
    tracking = given.tracking_info or _TrackingInput()
    numbers = tracking.numbers or ([tracking.number] if tracking.number else [])
    urls = tracking.urls or ([tracking.url] if tracking.url else [])
    first = shop.fulfilment_orders[number(given.line_items_by_fulfillment_order[0].fulfillment_order_id)]
    made = shop.fulfil(
        first, places, numbers=numbers, urls=urls, company=tracking.company, notified=given.notify_customer
    )
    fulfillment = {"id": gid("Fulfillment", made.id), "status": made.status}
    return {"fulfillmentCreate": {"fulfillment": fulfillment, "userErrors": []}}


def _cannot_fulfill(
    shop: "ShopifySimulator", given: _FulfillmentInput, places: list[tuple[ShopOpenLine, int]]
) -> tuple[list[str], str] | None:
    """Field and message of the first problem; fills `places` on the way."""
    groups = given.line_items_by_fulfillment_order
    found = [shop.fulfilment_orders.get(number(group.fulfillment_order_id)) for group in groups]
    known = [one for one in found if one is not None]
    if not groups or len(known) < len(groups):
        return ["fulfillment"], "Fulfillment order does not exist."
    ids = sorted({one.order for one in known})
    if len(ids) > 1:
        told = f"All fulfillment orders must belong to the same order. Multiple orders with ids {ids} were found."
        return ["fulfillment"], told
    ids = sorted({one.location for one in known})
    if len(ids) > 1:
        told = "All fulfillment orders must be assigned to a single location."
        return ["fulfillment"], f"{told} Multiple locations with ids {ids} were found."
    for one in known:
        if one.status not in ("OPEN", "IN_PROGRESS"):
            return ["fulfillment"], f"Fulfillment order {one.id} has an unfulfillable status= {one.status.lower()}."
    for place, (group, one) in enumerate(zip(groups, known, strict=True)):
        lines = {line.id: line for line in one.lines}
        wanted = group.fulfillment_order_line_items
        asked = {line.id: line.remaining for line in one.lines} if wanted is None else Counter[int]()
        for nth, line in enumerate(wanted or []):
            if line.quantity <= 0:
                field = ["fulfillment", "lineItemsByFulfillmentOrder", str(place), "fulfillmentOrderLineItems"]
                return [*field, str(nth), "quantity"], "Quantity must be greater than 0"
            asked[number(line.id)] += line.quantity
        for id, quantity in asked.items():
            if id not in lines:
                return ["fulfillment"], "Fulfillment order line item does not exist."
            if quantity > lines[id].remaining:
                return ["fulfillment"], "Invalid fulfillment order line item quantity requested."
            places.append((lines[id], quantity))
    return None


def cancel(shop: "ShopifySimulator", variables: Variables) -> Node:
    """orderCancel: answers with a job, which with `job_polls` 0 is already done in the books."""
    found = shop.orders.get(number(variables["orderId"]))
    refusal = _cannot_cancel(shop, found)
    if found is None or refusal is not None:
        errors = user_errors([(("orderId",), *(refusal or ("Order does not exist", "NOT_FOUND")))])
        return {"orderCancel": {"job": None, "orderCancelUserErrors": errors}}
    id, reason, restock = f"gid://shopify/Job/{shop.uuid()}", str(variables["reason"]).lower(), variables["restock"]
    pay_back = variables.get("refund") is not None
    work = partial(shop.cancel_order, found.id, reason=reason, restock=restock, pay_back=pay_back)
    shop.jobs[id] = ShopJob(polls=shop.job_polls, work=work)
    if not shop.job_polls:
        work()
    return {"orderCancel": {"job": {"id": id, "done": False}, "orderCancelUserErrors": []}}


def _cannot_cancel(shop: "ShopifySimulator", found: ShopOrder | None) -> tuple[str, str] | None:
    if found is None:
        return "Order does not exist", "NOT_FOUND"
    if found.cancelled_at is not None:
        return "Cannot cancel an order that has already been canceled", "INVALID"
    if shop.fulfilments[found.id]:
        return "Cannot cancel an order that has outstanding fulfillments", "INVALID"
    return None


HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockOrder": order,
    "CrossdockOrders": orders,
    "CrossdockOrderLines": order_lines,
    "CrossdockRefundLines": refund_lines,
    "CrossdockFulfilledLines": fulfilled_lines,
    "CrossdockFulfillmentOrders": fulfillment_orders,
    "CrossdockOpenLines": open_lines,
    "CrossdockMove": move,
    "CrossdockFulfill": fulfill,
    "CrossdockVariants": variants,
    "CrossdockLevels": levels,
    "CrossdockCancel": cancel,
    "CrossdockCancelled": cancelled,
    "CrossdockJob": job,
    "CrossdockShop": shop_info,
    "CrossdockScopes": scopes,
    "CrossdockLocations": locations,
}
