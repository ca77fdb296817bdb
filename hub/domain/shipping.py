"""What carriers say. Facts are appended and merged, never replaced."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class TrackingStatus(StrEnum):
    """The carriers' words, normalised. An unknown word stays raw and raises an exception."""

    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURN_TO_SENDER = "return_to_sender"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


TRACKING_RANK = {
    TrackingStatus.UNKNOWN: 0,
    TrackingStatus.PRE_TRANSIT: 1,
    TrackingStatus.IN_TRANSIT: 2,
    TrackingStatus.OUT_FOR_DELIVERY: 3,
    TrackingStatus.AVAILABLE_FOR_PICKUP: 3,
    TrackingStatus.FAILED: 4,
    TrackingStatus.CANCELLED: 4,
    TrackingStatus.RETURN_TO_SENDER: 5,
    TrackingStatus.DELIVERED: 6,
}
"""A later event of a lower rank does not take the status back: events arrive late and out of order."""


class ParcelLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line in a parcel, a lot each where the node names them."""

    line: str
    quantity: int
    lot: str | None = None


class Parcel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One box. `tracking` is unique per carrier; "Pickup" and the like are not tracking numbers."""

    tracking: str | None = None
    carrier: str | None = None
    service: str | None = None
    url: str | None = None
    weight_g: int | None = None
    lines: tuple[ParcelLine, ...] = ()
    cost: Decimal | None = None
    cost_currency: str | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """Goods that left a node together, under the sender's own id."""

    order: str
    no: int
    fulfilment: int
    external_id: str
    shipped_at: datetime
    parcels: tuple[Parcel, ...]


def units_of(shipments: Iterable[Shipment]) -> Counter[int]:
    """Units by number of their demand that are in shipments."""
    units: Counter[int] = Counter()
    for shipment in shipments:
        for parcel in shipment.parcels:
            for part in parcel.lines:
                units[int(part.line)] += part.quantity
    return units


class ScanEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One carrier event, raw words kept beside the normalised one."""

    at: datetime
    status: TrackingStatus
    raw: str
    place: str | None = None


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """An offer of a carrier."""

    id: str
    carrier: str
    service: str
    amount: int
    currency: str
    delivery_days: int | None = None


class BoxLabel(msgspec.Struct, frozen=True, kw_only=True):
    """The label of a further box of a shipment."""

    tracking: str
    url: str | None = None


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A bought label. The bytes are fetched from `url` (maybe a `data:` URL that holds them) or kept by the carrier."""

    external_id: str
    tracking: str
    carrier: str
    service: str
    url: str | None = None
    media_type: str = "application/pdf"
    amount: int = 0
    """Minor units, for all boxes."""
    currency: str = "USD"
    more: tuple[BoxLabel, ...] = ()
    """Further boxes of the same shipment, under the same id and media type."""
