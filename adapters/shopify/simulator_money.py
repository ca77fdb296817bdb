"""Money of a simulated shop: authorisations, captures, voids and refunds, with the refusals of the real one."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.shopify.simulator_answers import Node, gid, ref, user_errors
from adapters.shopify.simulator_answers import moved as node
from adapters.shopify.simulator_books import ZERO, ShopMoved, ShopOrder, ShopRefund, placed, transactions, utc

if TYPE_CHECKING:
    from adapters.shopify.simulator import ShopifySimulator

Variables = Mapping[str, Any]

GATEWAY: Final = "shopify_payments"


class _Input(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Base of inputs: a field that the schema does not have is refused."""


class _CaptureInput(_Input):
    id: str
    parent_transaction_id: str
    amount: str
    currency: str | None = None
    final_capture: bool = False


class _Move(_Input):
    order_id: str
    parent_id: str
    kind: str
    gateway: str
    amount: str


class _Line(_Input):
    line_item_id: str
    quantity: int
    restock_type: str = "NO_RESTOCK"
    location_id: str | None = None


class _Shipping(_Input):
    amount: str


class _RefundInput(_Input):
    order_id: str
    note: str | None = None
    notify: bool = False
    transactions: list[_Move] = []
    refund_line_items: list[_Line] = []
    shipping: _Shipping | None = None


def number(global_id: object) -> int:
    """The number of a global id."""
    tail = str(global_id).rpartition("/")[2]
    return int(tail) if tail.isdigit() else 0


def read_money(shop: "ShopifySimulator", variables: Variables) -> Node:
    """`documents_money.TRANSACTIONS`."""
    order = shop.orders.get(number(variables["id"]))
    if order is None:
        return {"order": None}
    rows = transactions(order)
    return {
        "order": {
            "id": gid("Order", order.id),
            "name": order.name,
            "cancelledAt": None if order.cancelled_at is None else utc(order.cancelled_at),
            "presentmentCurrencyCode": order.currency,
            "transactions": [node(order, one) for one in rows],
            "refunds": [_refund(order, one, rows) for one in order.refunds],
        }
    }


def _refund(order: ShopOrder, refund: ShopRefund, rows: list[ShopMoved]) -> Node:
    nodes = [node(order, one) for one in rows if one.id == refund.transaction]
    return {"id": gid("Refund", refund.id), "note": refund.note, "transactions": {"nodes": nodes}}


def capture(shop: "ShopifySimulator", variables: Variables) -> Node:
    """orderCapture. It takes money every time it is called."""
    given = msgspec.convert(variables["input"], _CaptureInput)
    order, amount = shop.orders.get(number(given.id)), Decimal(given.amount)
    problem = _cannot_capture(order, given, amount)
    if order is None or problem is not None:
        errors = user_errors([(("input",), problem or "Order does not exist", None)], coded=False)
        return {"orderCapture": {"transaction": None, "userErrors": errors}}
    now = shop.now().replace(microsecond=0)
    made = ShopMoved(id=shop.next_id(), kind="CAPTURE", amount=amount, created_at=now, parent=order.id + 21)
    order.moved.append(made)
    order.financial = "paid" if order.captured >= placed(order).total else "partially_paid"
    shop.touched(order)
    return {"orderCapture": {"transaction": node(order, made), "userErrors": []}}


def _cannot_capture(order: ShopOrder | None, given: _CaptureInput, amount: Decimal) -> str | None:
    if order is None:
        return "Order does not exist"
    if not order.authorised or number(given.parent_transaction_id) != order.id + 21:
        return "Transaction is not capturable"
    if any(one.kind == "VOID" for one in order.moved):
        return "Transaction was voided"
    if order.captured + amount > placed(order).total:
        return "Amount exceeds the authorized amount"
    return None


def void(shop: "ShopifySimulator", variables: Variables) -> Node:
    """transactionVoid."""
    id = number(variables["id"])
    order = next((one for one in shop.orders.values() if one.id + 21 == id), None)
    if order is None or not order.authorised or order.moved:
        code = "AUTH_NOT_VOIDABLE" if order else "TRANSACTION_NOT_FOUND"
        errors = user_errors([(("parentTransactionId",), "Transaction must be voidable.", code)])
        return {"transactionVoid": {"transaction": None, "userErrors": errors}}
    now = shop.now().replace(microsecond=0)
    made = ShopMoved(id=shop.next_id(), kind="VOID", amount=placed(order).total, created_at=now, parent=id)
    order.moved.append(made)
    order.financial = "voided"
    shop.touched(order)
    return {"transactionVoid": {"transaction": node(order, made), "userErrors": []}}


def refund(shop: "ShopifySimulator", variables: Variables) -> Node:
    """refundCreate of 2026-04: the same key and input again is answered again, and does nothing."""
    given = msgspec.convert(variables["input"], _RefundInput)
    # Before 2026-04 there are no keys: each call is another refund.
    key, fingerprint = str(variables.get("key") or shop.uuid()), msgspec.json.encode(variables["input"])
    if key in shop.idempotent:
        before, answer = shop.idempotent[key]
        if before == fingerprint:
            return answer
        errors = user_errors([((), "The idempotency key was used with other parameters.", None)], coded=False)
        return {"refundCreate": {"refund": None, "userErrors": errors}}
    order = shop.orders.get(number(given.order_id))
    problem = _cannot_refund(order, given)
    if order is None or problem is not None:
        errors = user_errors([(("input",), problem or "Order does not exist", None)], coded=False)
        return {"refundCreate": {"refund": None, "userErrors": errors}}
    made = shop.give_back(
        order,
        {number(line.line_item_id): line.quantity for line in given.refund_line_items},
        restock=given.refund_line_items[0].restock_type.lower() if given.refund_line_items else "no_restock",
        money=sum((Decimal(one.amount) for one in given.transactions), ZERO),
        note=given.note,
        parent=number(given.transactions[0].parent_id) if given.transactions else None,
    )
    answer = {"refundCreate": {"refund": _refund(order, made, transactions(order)), "userErrors": []}}
    shop.idempotent[key] = (fingerprint, answer)
    return answer


def _cannot_refund(order: ShopOrder | None, given: _RefundInput) -> str | None:
    if order is None:
        return "Order does not exist"
    wanted = sum((Decimal(one.amount) for one in given.transactions), ZERO)
    taken = order.captured if order.authorised else placed(order).total
    if wanted > taken - sum((one.moved(order) for one in order.refunds), ZERO):
        return "Refund amount exceeds the amount that can be refunded"
    for line in given.refund_line_items:
        found = order.by_line.get(number(line.line_item_id))
        back = sum(one.lines.get(number(line.line_item_id), 0) for one in order.refunds)
        if found is None or line.quantity > found.quantity - back:
            return "Quantity cannot refund more items than were purchased"
        if line.restock_type == "CANCEL" and line.quantity > found.current - found.fulfilled:
            return "Quantity cannot be removed: not enough unfulfilled items"
        if line.restock_type in ("CANCEL", "RETURN") and line.location_id is None:
            return "Location is required to restock items"
    return None


def on_order(shop: "ShopifySimulator", variables: Variables) -> Node:
    """`documents_money.ON_ORDER`."""
    order = shop.orders.get(number(variables["id"]))
    if order is None:
        return {"order": None}
    return {
        "order": {
            "id": gid("Order", order.id),
            "name": order.name,
            "cancelledAt": None if order.cancelled_at is None else utc(order.cancelled_at),
            "refunds": [{"id": gid("Refund", one.id), "note": one.note} for one in order.refunds],
            "fulfillmentOrders": {
                "nodes": [
                    {
                        "assignedLocation": {"location": ref("Location", one.location)},
                        "lineItems": {
                            "nodes": [
                                {"remainingQuantity": line.remaining, "lineItem": ref("LineItem", line.line.id)}
                                for line in one.lines[:20]
                            ]
                        },
                    }
                    for one in order.fulfilment_orders[:10]
                ]
            },
        }
    }


def units_left(shop: "ShopifySimulator", variables: Variables) -> Node:
    """`documents_money.UNITS_LEFT`."""
    lines = {line.id: line for order in shop.orders.values() for line in order.lines}
    found = [lines.get(number(id)) for id in variables["ids"]]
    return {
        "nodes": [
            None
            if line is None
            else {
                "id": gid("LineItem", line.id),
                "currentQuantity": line.current,
                "unfulfilledQuantity": line.current - line.fulfilled,
            }
            for line in found
        ]
    }


MONEY_HANDLERS: Final[dict[str, Callable[["ShopifySimulator", Variables], Node]]] = {
    "CrossdockTransactions": read_money,
    "CrossdockCapture": capture,
    "CrossdockVoid": void,
    "CrossdockRefund": refund,
    "CrossdockOnOrder": on_order,
    "CrossdockUnitsLeft": units_left,
}
