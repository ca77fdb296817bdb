"""Requests as the hub makes them, for the tests of this adapter."""

from datetime import UTC, datetime
from typing import Any

from adapters.magento.simulator_books import StoreOrder
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    ChannelCancel,
    ConfirmedLine,
    Level,
    ShipmentConfirmation,
)

SHIPPED = datetime(2026, 1, 16, 15, tzinfo=UTC)


def confirmation(order: StoreOrder, units: dict[int, int], **more: Any) -> ShipmentConfirmation:
    """Units by item id left, in one parcel."""
    given: dict[str, Any] = {
        "key": "O1-confirm-1",
        "order_external_id": str(order.id),
        "lines": tuple(ConfirmedLine(line=str(item), quantity=count) for item, count in units.items()),
        "parcels": (Parcel(tracking="1Z999", carrier="ups", service="ground"),),
        "location": "default",
        "shipped_at": SHIPPED,
    }
    return ShipmentConfirmation(**(given | more))


def cancel(order: StoreOrder) -> ChannelCancel:
    return ChannelCancel(key="O1-cancel-1", order_external_id=str(order.id), reason="customer asked")


def update(*levels: Level) -> AvailabilityUpdate:
    return AvailabilityUpdate(key="avail-1", levels=levels)


def level(sku: str, quantity: int, previous: int | None = 1, source: str = "default") -> Level:
    return Level(sku=sku, location=source, quantity=quantity, previous=previous)
