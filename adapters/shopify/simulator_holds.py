"""What stops an order at a simulated shop: the merchant, or another app, puts its fulfilment orders on hold."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.shopify.simulator_answers import Node, gid, whole_order
from adapters.shopify.simulator_books import ShopFulfilmentOrder, ShopOrder

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]
PLACED: Final = "fulfillment_orders/placed_on_hold"
RELEASED: Final = "fulfillment_orders/hold_released"


def hold(shop: "ShopifySimulator", order: int, reason: str) -> None:
    """Somebody wants nothing of an order to leave. The order itself does not change, nor when it was updated."""
    for one in shop.orders[order].fulfilment_orders:
        if one.status in ("OPEN", "SCHEDULED", "ON_HOLD"):
            one.status = "ON_HOLD"
            one.holds = [*one.holds, reason]
    shop.tell(shop.orders[order], PLACED)


def release(shop: "ShopifySimulator", order: int) -> None:
    """And changes their mind."""
    for one in shop.orders[order].fulfilment_orders:
        if one.status == "ON_HOLD":
            one.status, one.holds = "OPEN", []
    shop.tell(shop.orders[order], RELEASED)


def work_body(order: ShopOrder) -> bytes:
    """Body of fulfillment_orders/*: it does not name its order."""
    one = order.fulfilment_orders[0]
    named = {"id": gid("FulfillmentOrder", one.id), "status": one.status.lower()}
    return msgspec.json.encode({"fulfillment_order": named})


def order_of_work(shop: "ShopifySimulator", variables: Variables) -> Node:
    found = _of(shop, str(variables["id"]))
    if found is None:
        return {"fulfillmentOrder": None}
    return {"fulfillmentOrder": {"order": whole_order(shop.orders[found.order], shop.fulfilments[found.order])}}


def _of(shop: "ShopifySimulator", id: str) -> ShopFulfilmentOrder | None:
    works = (one for order in shop.orders.values() for one in order.fulfilment_orders)
    return next((one for one in works if gid("FulfillmentOrder", one.id) == id), None)


HOLD_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockOrderOfWork": order_of_work,
}
