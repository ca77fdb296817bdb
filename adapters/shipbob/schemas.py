"""The parts of ShipBob's objects that we read (OpenAPI 2026-01). Fields we do not name may come and go."""

from datetime import datetime
from decimal import Decimal

import msgspec

from hub.sdk.translate import Malformed, utc


class OrderProduct(msgspec.Struct, frozen=True, kw_only=True):
    """What was ordered."""

    quantity: int
    id: int | None = None
    reference_id: str | None = None
    sku: str | None = None
    external_line_id: int | None = None


class InventoryItem(msgspec.Struct, frozen=True, kw_only=True):
    """A thing on the shelf that stands for a product; one row per lot."""

    quantity: int
    id: int | None = None


class ShipmentProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product inside a shipment. Its units are those of its inventory items."""

    id: int | None = None
    reference_id: str | None = None
    sku: str | None = None
    inventory_items: list[InventoryItem] | None = None


class StatusDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Finer than the status: "Picked", "OutOfStock", "Delivered"."""

    name: str | None = None


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """Who carries it."""

    carrier: str | None = None
    carrier_service: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class Measurements(msgspec.Struct, frozen=True, kw_only=True):
    """Of the parcel."""

    total_weight_oz: Decimal | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel or pallet in the making; an order may have several."""

    id: int
    status: str
    created_date: datetime
    last_update_at: datetime | None = None
    last_tracking_update_at: datetime | None = None
    actual_fulfillment_date: datetime | None = None
    delivery_date: datetime | None = None
    status_details: list[StatusDetail] | None = None
    products: list[ShipmentProduct] | None = None
    tracking: Tracking | None = None
    measurements: Measurements | None = None
    invoice_amount: Decimal | None = None
    invoice_currency_code: str | None = None

    @property
    def details(self) -> tuple[str, ...]:
        """Names of the status details."""
        return tuple(detail.name for detail in self.status_details or () if detail.name)

    @property
    def changed_at(self) -> datetime:
        """When it last changed, as far as ShipBob says."""
        return utc(self.last_update_at or self.created_date)


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A remark of ours that ShipBob keeps and gives back."""

    name: str
    value: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order and its shipments."""

    id: int
    status: str
    created_date: datetime
    reference_id: str | None = None
    products: list[OrderProduct] | None = None
    shipments: list[Shipment] | None = None
    tags: list[Tag] | None = None

    @property
    def changed_at(self) -> datetime:
        """When it or a shipment of it last changed."""
        return max((shipment.changed_at for shipment in self.shipments or ()), default=utc(self.created_date))


class CancelledShipment(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the wish to cancel one shipment."""

    is_success: bool = False
    reason: str | None = None


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to order:cancel."""

    status: str
    canceled_shipment_results: list[CancelledShipment] | None = None


class LocationLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Stock of one thing in one fulfilment centre."""

    location_id: int
    on_hand_quantity: int


class InventoryLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Stock of one thing."""

    inventory_id: int
    sku: str | None = None
    locations: list[LocationLevel] | None = None


class RawPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page whose items are kept byte for byte."""

    items: list[msgspec.Raw] | None = None
    next: str | None = None


class StockPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stored page of levels, and when it was asked for."""

    as_of: datetime
    items: list[InventoryLevel]


class StoppedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of our line that a shipment will not bring."""

    line: str
    quantity: int


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment that came to a stop, reduced to what does not change any more. Written by us, see `units.stopped`."""

    fulfilment: str
    shipment: int
    status: str
    at: datetime
    lines: list[StoppedLine]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A sales channel that the token may use."""

    id: int
    name: str | None = None
    scopes: list[str] | None = None


class Channels(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to GET /channel."""

    items: list[Channel] | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """What every delivery has in common: it carries an order, or a shipment that names its order."""

    id: int | None = None
    order_id: int | None = None


order_decoder = msgspec.json.Decoder(Order)
orders_decoder = msgspec.json.Decoder(list[Order])
raw_rows_decoder = msgspec.json.Decoder(list[msgspec.Raw])
raw_page_decoder = msgspec.json.Decoder(RawPage)
stock_decoder = msgspec.json.Decoder(StockPage)
stopped_decoder = msgspec.json.Decoder(Stopped)
cancelled_decoder = msgspec.json.Decoder(Cancelled)
channels_decoder = msgspec.json.Decoder(Channels)
webhook_decoder = msgspec.json.Decoder(Webhook)
errors_decoder = msgspec.json.Decoder(dict[str, list[str]])


def malformed(what: str, error: msgspec.MsgspecError) -> Malformed:
    """Our error for a body that does not fit. The decoder's text names the path and the types, never the value."""
    text, _, path = str(error).partition(" - at ")
    return Malformed(what, path.strip("`") or "$", text)
