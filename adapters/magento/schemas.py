"""What is read of the store's answers. Numbers with a fraction become Decimal, straight from the text."""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
ZERO = Decimal(0)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all: unknown keys are ignored."""


class Listed(Shape, Generic[T], frozen=True):
    """A page of a list. `items` is null at some lists when there is none."""

    items: tuple[T, ...] | None
    total_count: int


class Comment(Shape, frozen=True):
    """A note of the staff."""

    comment: str | None = None


class HeadItem(Shape, frozen=True):
    """Of an order line, as far as a pull needs it."""

    product_id: int | None = None
    product_type: str | None = None


class Head(Shape, frozen=True):
    """Of an order, as far as a pull needs it."""

    entity_id: int
    updated_at: str
    base_total_invoiced: Decimal | None = None
    base_total_refunded: Decimal | None = None
    items: tuple[HeadItem, ...] | None = None


class Item(Shape, frozen=True):
    """An order line with its quantities."""

    item_id: int
    sku: str
    product_id: int | None = None
    product_type: str | None = None
    parent_item_id: int | None = None
    is_virtual: int | None = None
    qty_ordered: Decimal = ZERO
    qty_canceled: Decimal | None = None
    qty_invoiced: Decimal | None = None
    qty_refunded: Decimal | None = None
    qty_shipped: Decimal | None = None
    base_row_total: Decimal | None = None
    base_tax_amount: Decimal | None = None
    base_discount_amount: Decimal | None = None
    base_discount_tax_compensation_amount: Decimal | None = None

    def share(self, units: int) -> Decimal:
        """What so many units came to, tax and discount reckoned in; not rounded."""
        whole = (self.base_row_total or ZERO) + (self.base_tax_amount or ZERO) - (self.base_discount_amount or ZERO)
        whole += self.base_discount_tax_compensation_amount or ZERO
        return whole * units / self.qty_ordered if self.qty_ordered else ZERO

    @property
    def to_ship(self) -> Decimal:
        """Units that may still be shipped, by the store's own rule (`Order\\Item::getSimpleQtyToShip`)."""
        taken = max(self.qty_shipped or ZERO, self.qty_refunded or ZERO)
        return max(ZERO, self.qty_ordered - taken - (self.qty_canceled or ZERO))


class Paid(Shape, frozen=True):
    """How an order is paid."""

    method: str | None = None


class Order(Shape, frozen=True):
    """An order, as far as writes need it."""

    entity_id: int
    increment_id: str
    state: str
    items: tuple[Item, ...]
    base_currency_code: str | None = None
    base_grand_total: Decimal | None = None
    base_shipping_amount: Decimal | None = None
    base_shipping_tax_amount: Decimal | None = None
    base_shipping_discount_amount: Decimal | None = None
    payment: Paid | None = None

    @property
    def shipping_incl_tax(self) -> Decimal:
        """What shipping came to."""
        cost = (self.base_shipping_amount or ZERO) + (self.base_shipping_tax_amount or ZERO)
        return cost - (self.base_shipping_discount_amount or ZERO)

    @property
    def method(self) -> str:
        """Raw name of the way of paying."""
        return (self.payment and self.payment.method) or "unknown"


class Track(Shape, frozen=True):
    """A tracking number."""

    track_number: str | None = None


class ShippedItem(Shape, frozen=True):
    """Units of an order line in a shipment."""

    order_item_id: int
    qty: Decimal


class Shipment(Shape, frozen=True):
    """What left together."""

    entity_id: int
    order_id: int
    items: tuple[ShippedItem, ...] = ()
    tracks: tuple[Track, ...] = ()
    comments: tuple[Comment, ...] = ()


class Invoice(Shape, frozen=True):
    """An invoice: state 1 open, 2 paid, 3 cancelled."""

    entity_id: int
    order_id: int
    state: int | None = None
    base_grand_total: Decimal | None = None
    comments: tuple[Comment, ...] = ()


class CreditMemo(Shape, frozen=True):
    """A credit memo: state 1 open, 2 refunded, 3 cancelled."""

    entity_id: int
    order_id: int
    invoice_id: int | None = None
    state: int | None = None
    base_grand_total: Decimal | None = None
    comments: tuple[Comment, ...] = ()


class Owned(Shape, frozen=True):
    """Which order a document belongs to."""

    order_id: int


class Attribute(Shape, frozen=True):
    """An attribute of a product; values are text, also of numbers."""

    attribute_code: str
    value: object = None


class Product(Shape, frozen=True):
    """A product, as far as writes need it."""

    id: int
    sku: str
    type_id: str | None = None
    custom_attributes: tuple[Attribute, ...] = ()


class StoreConfig(Shape, frozen=True):
    """A store view."""

    code: str
    base_url: str
    base_currency_code: str | None = None


class SourceItem(Shape, frozen=True):
    """What lies of a SKU at a source."""

    sku: str
    source_code: str
    quantity: Decimal
    status: int | None = None


class Source(Shape, frozen=True):
    """A place that stock is kept at."""

    source_code: str
    name: str | None = None
    enabled: bool = True
