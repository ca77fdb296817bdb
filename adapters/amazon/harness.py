"""What the conformance suite needs to know of Amazon."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.amazon.adapter import ADAPTER
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.simulator_books import Order, Refund
from adapters.amazon.simulator_documents import order_change, order_document
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    CancelledLine,
    ChannelCancel,
    ChannelLineCancel,
    Command,
    ConfirmedLine,
    PaymentRefund,
    ShipmentConfirmation,
)
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.webhook import Delivery

PULLED: Final = 120
"""More than a page."""
NOON: Final = datetime(2026, 1, 16, 12, tzinfo=UTC)


def simulator() -> AmazonSimulator:
    """A seller with two listings."""
    seller = AmazonSimulator(
        client_secret="amzn1.oa2-cs.v1.conformance",
        refresh_token="Atzr|conformance-refresh",
        aws_secret_access_key="conformance/aws+secret",
    )
    seller.sell("MUG-RED", quantity=9)
    seller.sell("TEE-M", quantity=1)
    return seller


def settings(seller: AmazonSimulator) -> Settings:
    """A connection to that seller."""
    return Settings(
        seller_id=seller.seller_id,
        marketplace_ids=seller.marketplaces,
        client_id=seller.client_id,
        client_secret=seller.client_secret,
        refresh_token=seller.refresh_token,
        queue_url=f"{seller.base_url or 'http://127.0.0.1:9'}/000000000000/orders",
        aws_access_key_id=seller.aws[0],
        aws_secret_access_key=seller.aws[1],
        push_key="push-conformance-key",
        base_url=seller.base_url,
    )


def two_lines(seller: AmazonSimulator) -> Order:
    """An order of two mugs and a shirt."""
    return seller.place([("MUG-RED", 2, Decimal("12.99")), ("TEE-M", 1, Decimal("19.99"))])


def prepare(seller: AmazonSimulator, capability: str, request: Any) -> Command:
    """Put the order that the command is about into the books."""
    match request:
        case ShipmentConfirmation():
            order = two_lines(seller)
            names = dict(zip(("11", "12"), (line.id for line in order.lines), strict=True))
            lines = tuple(ConfirmedLine(line=names[one.line], quantity=one.quantity) for one in request.lines)
            parcels = tuple(
                msgspec.structs.replace(
                    parcel,
                    lines=tuple(msgspec.structs.replace(one, line=names[one.line]) for one in parcel.lines),
                )
                for parcel in request.parcels
            )
            return msgspec.structs.replace(request, order_external_id=order.id, lines=lines, parcels=parcels)
        case ChannelCancel():
            return msgspec.structs.replace(request, order_external_id=two_lines(seller).id)
        case ChannelLineCancel():
            order = two_lines(seller)
            shirt = CancelledLine(line=order.lines[1].id, quantity=1, remaining=0)
            return msgspec.structs.replace(request, order_external_id=order.id, lines=(shirt,))
        case PaymentRefund():
            order = two_lines(seller)
            order.status = "SHIPPED"
            return msgspec.structs.replace(request, order_external_id=order.id, lines=())
        case AvailabilityUpdate():
            levels = tuple(msgspec.structs.replace(level, location="DEFAULT") for level in request.levels)
            return msgspec.structs.replace(request, levels=levels)
    raise ValueError(f"Amazon has no {capability}")


def effects(seller: AmazonSimulator, capability: str, request: Any) -> int:
    """Packages confirmed, or 1 when the state is as it was asked."""
    match request:
        case ShipmentConfirmation():
            return len(seller.books.orders[request.order_external_id].packages)
        case ChannelCancel():
            seller.work.advance(seller.now())
            return int(seller.books.orders[request.order_external_id].status == "CANCELLED")
        case ChannelLineCancel():
            seller.work.advance(seller.now())
            return seller.books.acknowledged[request.order_external_id]
        case PaymentRefund():
            seller.work.advance(seller.now())
            return len(seller.books.refunds.get(request.order_external_id, ()))
        case AvailabilityUpdate():
            return int(all(seller.books.listings[one.sku].quantity == one.quantity for one in request.levels))
    raise ValueError(f"Amazon has no {capability}")


def sign(connection: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A push of an EventBridge API destination."""
    return Delivery(
        method="POST",
        url="https://hub.example.com/webhooks/c1",
        headers={"content-type": "application/json", "x-api-key": connection.push_key or ""},
        query={},
        body=body,
        received_at=at,
    )


def samples() -> tuple[Sample, ...]:
    """An order, and a notification of one."""
    seller = simulator()
    seller.now = lambda: NOON
    order = two_lines(seller)
    change = msgspec.json.encode(order_change(order, seller.seller_id, "notification-of-the-harness"))
    return (
        json_sample(
            "order",
            {"order": order_document(order)},
            identity="order.orderId",
            status="order.fulfillment.fulfillmentStatus",
            event="order",
            signed=False,
        ),
        Sample(topic="ORDER_CHANGE", body=change, event="notification-of-the-harness"),
    )


def fill_orders(seller: AmazonSimulator) -> int:
    """Orders for the scan."""
    for _ in range(PULLED):
        two_lines(seller)
    return PULLED


def fill_queue(seller: AmazonSimulator) -> int:
    """None: a queue that was read is empty, and the suite reads it twice. `tests/test_queue.py` asks what it brings."""
    seller.books.queue.clear()
    return 0


def give_back(seller: AmazonSimulator, order: Order, amount: str, at: datetime | None = None) -> Refund:
    """The seller refunds by hand, in Seller Central."""
    made = Refund(
        id=f"by-hand-{seller.books.number()}", amount=Decimal(amount), currency=order.currency, at=at or seller.now()
    )
    seller.books.refunds.setdefault(order.id, []).append(made)
    return made


def fill_refunds(seller: AmazonSimulator) -> int:
    """Two orders, of one of which money went back twice."""
    first, second = two_lines(seller), two_lines(seller)
    for order in (first, second):
        order.status = "SHIPPED"
    for order in (first, first, second):
        give_back(seller, order, "5.00")
    return 2


def changed(seller: AmazonSimulator) -> tuple[str, bytes]:
    """An order that a notification is about."""
    order = two_lines(seller)
    return f"order:{order.id}", msgspec.json.encode(order_change(order, seller.seller_id, "n-1"))


HARNESS: Final = Harness[AmazonSimulator, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
    idempotent=frozenset({"publish_availability"}),
    sign=sign,
    samples=samples(),
    unsigned_body="Amazon signs no notification: whoever forwards it sends our key",
    fill={"orders": fill_orders, "notifications": fill_queue, "refunds": fill_refunds},
    fetched={"ORDER_CHANGE": changed},
)
