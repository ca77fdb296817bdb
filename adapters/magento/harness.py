"""What the conformance suite needs to know of Magento."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.magento import simulator_bodies as bodies
from adapters.magento.adapter import ADAPTER
from adapters.magento.settings import Settings
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder
from hub.domain.money import minor
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    ChannelCancel,
    Command,
    ConfirmedLine,
    PaymentCapture,
    PaymentRefund,
    ShipmentConfirmation,
)
from hub.sdk.testkit.harness import Harness, Sample, json_sample

PULLED: Final = 53
"""More than a page."""
NOON: Final = datetime(2026, 1, 16, 12, tzinfo=UTC)
SOURCE: Final = "default"


def simulator() -> MagentoSimulator:
    """A store with two products in one source."""
    store = MagentoSimulator(
        consumer_key="ck-conformance",
        consumer_secret="cs-conformance-9d21f7",
        access_token="at-conformance-5b83ce",
        access_token_secret="ats-conformance-70aa4d",
        store_url="https://dune.example/",
    )
    store.sell("MUG-RED", name="Mug, red", price=Decimal("12.99"), quantity=40)
    store.sell("TEE-M", name="T-shirt, M", price=Decimal("19.99"), quantity=20)
    return store


def settings(store: MagentoSimulator) -> Settings:
    """A connection to that store."""
    return Settings(
        store_url=store.store_url,
        consumer_key=store.consumer_key,
        consumer_secret=store.consumer_secret,
        access_token=store.access_token,
        access_token_secret=store.access_token_secret,
        requests_per_second=50.0,
        base_url=store.base_url,
    )


def prepare(store: MagentoSimulator, capability: str, request: Any) -> Command:
    """Put the order, or the source, that the command is about into the books."""
    match request:
        case ShipmentConfirmation():
            order = two_lines(store)
            lines = tuple(
                ConfirmedLine(line=str(item.id), quantity=confirmed.quantity)
                for item, confirmed in zip(order.items, request.lines, strict=True)
            )
            return msgspec.structs.replace(request, order_external_id=str(order.id), lines=lines, location=SOURCE)
        case ChannelCancel():
            return msgspec.structs.replace(request, order_external_id=str(two_lines(store).id))
        case PaymentCapture():
            order = two_lines(store)
            total = minor(order.grand_total, request.currency)
            payment = f"order:{order.id}:authorised"
            return msgspec.structs.replace(request, order_external_id=str(order.id), amount=total, payment=payment)
        case PaymentRefund():
            order = two_lines(store)
            store.invoice(order, {}, capture=True, note=None)
            lines = tuple(
                ConfirmedLine(line=str(item.id), quantity=given.quantity)
                for item, given in zip(order.items, request.lines, strict=False)
            )
            return msgspec.structs.replace(request, order_external_id=str(order.id), lines=lines)
        case AvailabilityUpdate():
            levels = tuple(msgspec.structs.replace(level, location=SOURCE) for level in request.levels)
            return msgspec.structs.replace(request, levels=levels)
    raise ValueError(f"Magento has no {capability}")


def effects(store: MagentoSimulator, capability: str, request: Any) -> int:
    """Shipments, invoices or credit memos made, or 1 when the state is as it was asked."""
    match request:
        case ShipmentConfirmation():
            return len(store.orders[int(request.order_external_id)].shipments)
        case ChannelCancel():
            return int(store.orders[int(request.order_external_id)].state == "canceled")
        case PaymentCapture():
            return len(store.orders[int(request.order_external_id)].invoices)
        case PaymentRefund():
            return len(store.orders[int(request.order_external_id)].memos)
        case AvailabilityUpdate():
            held = (store.source_items[level.sku, level.location] == level.quantity for level in request.levels)
            return int(all(held))
    raise ValueError(f"Magento has no {capability}")


def two_lines(store: MagentoSimulator) -> StoreOrder:
    """An order of two mugs and a shirt, paid by card and not captured yet."""
    return store.place_order([("MUG-RED", 2), ("TEE-M", 1)], payment_method="cardgateway")


def samples() -> tuple[Sample, ...]:
    """An order that a credit memo changed, written by the simulator."""
    store = simulator()
    store.now = lambda: NOON
    order = store.place_order([("MUG-RED", 2), ("TEE-M", 1)], tax_rate=Decimal("0.08"), paid=True)
    store.refund(order, {order.items[1].id: 1}, shipping=Decimal(0))
    document: dict[str, Any] = {
        **bodies.order_body(order),
        "invoices": [bodies.document_body(order, one, memo=False) for one in order.invoices],
        "creditmemos": [bodies.document_body(order, one, memo=True) for one in order.memos],
    }
    # Encoded with amounts as text, which the store writes in some places and the reader takes everywhere.
    return (json_sample("order", document, identity="entity_id", status="state", signed=False),)


def fill_orders(store: MagentoSimulator) -> int:
    """Orders for the pulls."""
    for _ in range(PULLED):
        two_lines(store)
    return PULLED


HARNESS: Final = Harness[MagentoSimulator, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
    idempotent=frozenset({"publish_availability"}),
    samples=samples(),
    fill={"orders": fill_orders, "open_orders": fill_orders},
)
