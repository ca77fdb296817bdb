"""Square's shapes, as far as the adapter decides by them. What goes through to the hub stays raw."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Money(msgspec.Struct, frozen=True):
    """Minor units of a currency; `amount` is null where there is none."""

    amount: int | None = None
    currency: str | None = None


class Fault(msgspec.Struct, frozen=True):
    """An entry of `errors`."""

    code: str = "UNKNOWN"
    category: str | None = None
    detail: str | None = None
    field: str | None = None


class Line(msgspec.Struct, frozen=True):
    """A line item."""

    quantity: str = "0"
    uid: str | None = None
    catalog_object_id: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """Units of a line in a fulfilment."""

    line_item_uid: str
    quantity: str


class Fulfilment(msgspec.Struct, frozen=True):
    """How some or all lines reach the customer."""

    uid: str | None = None
    type: str | None = None
    state: str | None = None
    line_item_application: str | None = None
    entries: tuple[Entry, ...] | None = None
    metadata: Mapping[str, str] | None = None


class Tender(msgspec.Struct, frozen=True):
    """Money tendered at the till; `id` is the payment's id where there is no `payment_id`."""

    id: str | None = None
    payment_id: str | None = None
    amount_money: Money | None = None


class OrderReturn(msgspec.Struct, frozen=True):
    """Goods returned in this order; without a source the seller did not look the sale up."""

    source_order_id: str | None = None


class Order(msgspec.Struct, frozen=True):
    """An order. Made at a till it has no `version`, and cannot be updated."""

    id: str
    location_id: str | None = None
    state: str | None = None
    version: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    line_items: tuple[Line, ...] | None = None
    fulfillments: tuple[Fulfilment, ...] | None = None
    returns: tuple[OrderReturn, ...] | None = None
    tenders: tuple[Tender, ...] | None = None

    @property
    def payments(self) -> tuple[str, ...]:
        """Ids of the payments."""
        found = (tender.payment_id or tender.id for tender in self.tenders or ())
        return tuple(one for one in found if one)

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sales whose goods are returned in this order."""
        return tuple(one.source_order_id for one in self.returns or () if one.source_order_id)


class Payment(msgspec.Struct, frozen=True):
    """A payment."""

    id: str
    status: str | None = None
    order_id: str | None = None
    total_money: Money | None = None
    amount_money: Money | None = None
    approved_money: Money | None = None
    refunded_money: Money | None = None
    refund_ids: tuple[str, ...] | None = None
    source_type: str | None = None
    updated_at: str | None = None


class Refund(msgspec.Struct, frozen=True):
    """Money going back."""

    id: str
    amount_money: Money
    status: str | None = None
    order_id: str | None = None
    payment_id: str | None = None
    reason: str | None = None
    created_at: str | None = None


class Ours(msgspec.Struct, frozen=True):
    """What a catalogue object of type ITEM_VARIATION says."""

    sku: str | None = None
    item_id: str | None = None


class CatalogObject(msgspec.Struct, frozen=True):
    """An object of the catalogue."""

    id: str
    type: str | None = None
    is_deleted: bool = False
    item_variation_data: Ours | None = None


class Catalog(msgspec.Struct, frozen=True):
    """Answer of a batch retrieve or a search; empty answers leave the list out."""

    objects: tuple[CatalogObject, ...] = ()
    cursor: str | None = None


class Search(msgspec.Struct, frozen=True):
    """Answer of SearchOrders and BatchRetrieveOrders."""

    orders: list[msgspec.Raw] = []
    cursor: str | None = None


class OneOrder(msgspec.Struct, frozen=True):
    """Answer of RetrieveOrder and UpdateOrder."""

    order: msgspec.Raw


class UpdatedOrder(msgspec.Struct, frozen=True):
    """Answer of UpdateOrder, read."""

    order: Order


class OnePayment(msgspec.Struct, frozen=True):
    """Answer of GetPayment."""

    payment: msgspec.Raw


class PaymentAnswer(msgspec.Struct, frozen=True):
    """The same, read."""

    payment: Payment


class OneRefund(msgspec.Struct, frozen=True):
    """Answer of GetPaymentRefund."""

    refund: msgspec.Raw


class RefundAnswer(msgspec.Struct, frozen=True):
    """Answer of RefundPayment."""

    refund: Refund


class Refunds(msgspec.Struct, frozen=True):
    """Answer of ListPaymentRefunds."""

    refunds: list[msgspec.Raw] = []
    cursor: str | None = None


class Location(msgspec.Struct, frozen=True):
    """A place of the seller."""

    id: str
    name: str | None = None
    status: str | None = None


class Locations(msgspec.Struct, frozen=True):
    """Answer of ListLocations."""

    locations: tuple[Location, ...] = ()


class Merchant(msgspec.Struct, frozen=True):
    """The seller."""

    id: str
    business_name: str | None = None
    currency: str | None = None


class MerchantAnswer(msgspec.Struct, frozen=True):
    """Answer of RetrieveMerchant."""

    merchant: Merchant


class Count(msgspec.Struct, frozen=True):
    """What Square holds of an item at a location in one state."""

    catalog_object_id: str
    location_id: str | None = None
    state: str | None = None
    quantity: str | None = None
    calculated_at: str | None = None
    """When Square took in the last change that is in it."""


class Counts(msgspec.Struct, frozen=True):
    """Answer of BatchCreateInventoryChanges, and of BatchRetrieveInventoryCounts."""

    counts: tuple[Count, ...] = ()
    cursor: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    """Any answer: only whether it holds errors."""

    errors: tuple[Fault, ...] | None = None


Row = Mapping[str, Any]
