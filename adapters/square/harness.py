"""What the conformance suite needs to know of Square."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.square.adapter import ADAPTER
from adapters.square.counts import EVENT
from adapters.square.settings import Settings
from adapters.square.simulator import SquareSimulator
from adapters.square.simulator_books import Document, event_headers, thin
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    CancelledLine,
    ChannelCancel,
    ChannelLineCancel,
    Command,
    ConfirmedLine,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    RefundFrom,
    ShipmentConfirmation,
)
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.webhook import Delivery

PULLED: Final = 53
"""More than a page."""
NOON: Final = datetime(2026, 1, 16, 12, tzinfo=UTC)
URL: Final = "https://hub.example.com/webhooks/square"
LOCATION: Final = "L1"
STORE: Final = "L2"
"""Its shelves are counted by Square."""


def simulator() -> SquareSimulator:
    """A seller with two items in one store."""
    seller = SquareSimulator(
        application_id="sq0idp-conformance",
        application_secret="sq0csp-conformance-4f1e90",
        refresh_token="EQAA-conformance-b7720c",
        merchant_id="MDUNE0000001",
        locations=(LOCATION, STORE),
    )
    seller.sell("MUG-RED", name="Mug, red", price=1299, quantity=40)
    seller.sell("TEE-M", name="T-shirt, M", price=1999, quantity=20)
    return seller


def settings(seller: SquareSimulator) -> Settings:
    """A connection to that seller."""
    return Settings(
        merchant_id=seller.merchant_id,
        signature_key="sig-conformance-93ab17",
        application_id=seller.application_id,
        application_secret=seller.application_secret,
        refresh_token=seller.refresh_token,
        notification_url=URL,
        stock_locations=(STORE,),
        page_size=20,
        requests_per_second=50.0,
        base_url=seller.base_url,
    )


def two_lines(seller: SquareSimulator, **how: Any) -> Document:
    """An order of two mugs and a shirt, to be shipped."""
    return seller.place_order([("MUG-RED", 2), ("TEE-M", 1)], **how)


def two_ways(seller: SquareSimulator) -> Document:
    """An order of two mugs and a shirt, each line in a fulfilment of its own."""
    order = two_lines(seller)
    (first,) = order["fulfillments"]
    entries = [{"uid": f"E-{one['uid']}", "line_item_uid": one["uid"], "quantity": one["quantity"]}
               for one in order["line_items"]]  # fmt: skip
    order["fulfillments"] = [
        {**first, "uid": f"{first['uid']}-{no}", "line_item_application": "ENTRY_LIST", "entries": [entry]}
        for no, entry in enumerate(entries)
    ]
    return order


def prepare(seller: SquareSimulator, capability: str, request: Any) -> Command:
    """Put what the command is about into the books."""
    match request:
        case ShipmentConfirmation():
            order = two_lines(seller)
            lines = tuple(
                ConfirmedLine(line=line["uid"], quantity=confirmed.quantity)
                for line, confirmed in zip(order["line_items"], request.lines, strict=True)
            )
            return msgspec.structs.replace(request, order_external_id=order["id"], lines=lines, location=LOCATION)
        case ChannelCancel():
            return msgspec.structs.replace(request, order_external_id=two_lines(seller, paid=False)["id"])
        case ChannelLineCancel():
            order = two_ways(seller)
            shirt = CancelledLine(line=order["line_items"][1]["uid"], quantity=1, remaining=0)
            return msgspec.structs.replace(request, order_external_id=order["id"], lines=(shirt,))
        case PaymentCapture():
            order = two_lines(seller, captured=False)
            amount = order["total_money"]["amount"]
            named = {"order_external_id": order["id"], "payment": order["tenders"][0]["id"], "amount": amount}
            return msgspec.structs.replace(request, **named)
        case PaymentVoid():
            order = two_lines(seller, captured=False)
            return msgspec.structs.replace(
                request, order_external_id=order["id"], payment=order["tenders"][0]["id"]
            )  # fmt: skip
        case PaymentRefund():
            order = two_lines(seller)
            paid = RefundFrom(payment=order["tenders"][0]["id"], method="card", left=order["total_money"]["amount"])
            return msgspec.structs.replace(request, order_external_id=order["id"], payments=(paid,))
        case AvailabilityUpdate():
            levels = tuple(msgspec.structs.replace(level, location=LOCATION) for level in request.levels)
            return msgspec.structs.replace(request, levels=levels)
    raise ValueError(f"Square has no {capability}")


def effects(seller: SquareSimulator, capability: str, request: Any) -> int:
    """Refunds made, or 1 when the state is as it was asked."""
    match request:
        case ShipmentConfirmation():
            return sum(one["state"] == "COMPLETED" for one in seller.orders[request.order_external_id]["fulfillments"])
        case ChannelCancel():
            return int(seller.orders[request.order_external_id]["state"] == "CANCELED")
        case ChannelLineCancel():
            return sum(one["state"] == "CANCELED" for one in seller.orders[request.order_external_id]["fulfillments"])
        case PaymentCapture():
            return int(seller.payments[str(request.payment)]["status"] == "COMPLETED")
        case PaymentVoid():
            return int(seller.payments[str(request.payment)]["status"] == "CANCELED")
        case PaymentRefund():
            return len(seller.refunds)
        case AvailabilityUpdate():
            items = {one.sku: one.id for one in seller.variations.values()}
            held = (seller.counts[items[level.sku], level.location] == level.quantity for level in request.levels)
            return int(all(held))
    raise ValueError(f"Square has no {capability}")


def sign(connection: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A delivery, signed over the notification URL and the body."""
    url = connection.notification_url or URL
    headers = event_headers(url, connection.signature_key, body)
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


def samples() -> tuple[Sample, ...]:
    """An order as it is stored, and an event of every topic that is followed; written by the simulator."""
    seller = simulator()
    seller.now = lambda: NOON
    order = two_lines(seller, tax_percent=8)
    back = seller.return_goods(order, {order["line_items"][1]["uid"]: 1})
    payment = seller.payments[order["tenders"][0]["id"]]
    refund = next(iter(seller.refunds.values()))
    skus = {one.id: one.sku for one in seller.variations.values()}
    stored = {**order, "payments": [payment], "payment_refunds": [refund], "return_orders": [back], "skus": skus}
    events: dict[str, Document] = {
        **{f"order.{what}": thin(order, what) for what in ("created", "updated", "fulfillment.updated")},
        **{f"payment.{what}": {"payment": payment} for what in ("created", "updated")},
        **{f"refund.{what}": {"refund": refund} for what in ("created", "updated")},
        EVENT: {"inventory_counts": [seller.counted((next(iter(seller.variations)), STORE))]},
    }
    told = [
        Sample(topic=topic, body=seller.event(topic, order["id"], inner, event_id=f"event-{topic}"), event=topic)
        for topic, inner in events.items()
    ]
    counted = [{"location": STORE, "sku": "MUG-RED", "quantity": "7", "calculated_at": "2026-01-16T11:59:03.1Z"}]
    return (
        json_sample("order", stored, identity="id", status="state", signed=False),
        json_sample("counts", counted, identity="0.sku", event="counts", signed=False),
        *told,
    )


def fill_orders(seller: SquareSimulator) -> int:
    """Orders for the pull, one of them with goods returned by another, which stands for no order of its own."""
    for _ in range(PULLED - 1):
        two_lines(seller)
    sale = seller.ring_up([("MUG-RED", 1)])
    seller.return_goods(sale, {sale["line_items"][0]["uid"]: 1})
    return PULLED


def ordered(seller: SquareSimulator) -> tuple[str, bytes]:
    """An order event."""
    order = two_lines(seller)
    return f"order:{order['id']}", seller.event("order.created", order["id"], thin(order, "created"))


def paid(seller: SquareSimulator) -> tuple[str, bytes]:
    """A payment of a till's sale."""
    order = seller.ring_up([("MUG-RED", 1)])
    payment = seller.payments[order["tenders"][0]["id"]]
    return f"order:{order['id']}", seller.event("payment.updated", payment["id"], {"payment": payment})


def fill_stock(seller: SquareSimulator) -> int:
    """The store's two counts, in one message."""
    return 1


def counted(seller: SquareSimulator) -> tuple[str, bytes]:
    """A count of the store."""
    place = (next(iter(seller.variations)), STORE)
    seller.count(place, 7)
    return f"counts:{place[0]}", seller.event(EVENT, "CNT1", {"inventory_counts": [seller.counted(place)]})


def given_back(seller: SquareSimulator) -> tuple[str, bytes]:
    """A refund, whose order is that of the return."""
    order = seller.ring_up([("MUG-RED", 2)])
    seller.return_goods(order, {order["line_items"][0]["uid"]: 1})
    refund = next(iter(seller.refunds.values()))
    return f"payment:{refund['payment_id']}", seller.event("refund.created", refund["id"], {"refund": refund})


HARNESS: Final = Harness[SquareSimulator, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
    idempotent=frozenset({"publish_availability"}),
    sign=sign,
    samples=samples(),
    fill={"orders": fill_orders, "stock": fill_stock},
    fetched={
        "order.created": ordered,
        "order.updated": ordered,
        "order.fulfillment.updated": ordered,
        "payment.created": paid,
        "payment.updated": paid,
        EVENT: counted,
        "refund.created": given_back,
        "refund.updated": given_back,
    },
)
