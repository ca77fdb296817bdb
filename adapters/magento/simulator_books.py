"""What the simulated store keeps: products, sources, orders and their documents. Plain values, no rules."""

from datetime import datetime
from decimal import Decimal

import msgspec

from hub.domain.contact import Contact

ZERO = Decimal(0)


class StoreProduct(msgspec.Struct, frozen=True, kw_only=True):
    """Something for sale. `price` as the catalogue states it: with or without tax, as the order says."""

    id: int
    sku: str
    name: str
    price: Decimal = ZERO
    kind: str = "simple"
    parts: tuple[tuple[str, int], ...] = ()
    """Of a bundle: (SKU, units of it in one bundle)."""
    child: str | None = None
    """Of a configurable: the SKU that the customer chose."""
    fixed_price: bool = False
    """Of a bundle: it has a price of its own, its parts have none."""
    together: bool = True
    """Of a bundle: its parts leave in one shipment."""

    @property
    def virtual(self) -> bool:
        """Whether nothing moves."""
        return self.kind in ("virtual", "downloadable")


class StoreSource(msgspec.Struct, frozen=True, kw_only=True):
    """A place that stock is kept at."""

    code: str
    name: str
    enabled: bool = True


class StoreItem(msgspec.Struct, kw_only=True):
    """A line of an order. Amounts are in base currency and without tax, for the whole line."""

    id: int
    product: StoreProduct
    sku: str
    ordered: int
    parent: int | None = None
    price: Decimal = ZERO
    row_total: Decimal = ZERO
    row_total_incl_tax: Decimal = ZERO
    discount: Decimal = ZERO
    """On the price as the catalogue states it."""
    hidden_tax: Decimal = ZERO
    """Tax inside the discount."""
    tax: Decimal = ZERO
    tax_percent: Decimal = ZERO
    cancelled: int = 0
    invoiced: int = 0
    refunded: int = 0
    shipped: int = 0
    repeats_price: bool = False
    """A configurable's child that repeats its parent's price, as some versions write it."""

    @property
    def to_ship(self) -> int:
        """Units that may still leave."""
        return max(0, self.ordered - max(self.shipped, self.refunded) - self.cancelled)

    @property
    def to_invoice(self) -> int:
        """Units that may still be invoiced."""
        return max(0, self.ordered - self.invoiced - self.cancelled)

    @property
    def to_cancel(self) -> int:
        """Units that a cancel takes."""
        return min(self.to_invoice, self.to_ship)


class StoreTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A tracking number."""

    id: int
    number: str
    title: str
    carrier: str


class StoreShipment(msgspec.Struct, frozen=True, kw_only=True):
    """What left together."""

    id: int
    order: int
    units: dict[int, int]
    tracks: tuple[StoreTrack, ...]
    source: str
    notes: tuple[str, ...]
    notified: bool
    created_at: datetime


class StoreDocument(msgspec.Struct, kw_only=True):
    """An invoice or a credit memo. Amounts in base currency; `discount` and its hidden tax as on the order."""

    id: int
    order: int
    units: dict[int, int]
    subtotal: Decimal
    tax: Decimal
    discount: Decimal
    hidden_tax: Decimal
    shipping: Decimal
    shipping_tax: Decimal
    created_at: datetime
    adjustment: Decimal = ZERO
    gift_card: Decimal = ZERO
    """What a gift card paid of it; not in its total."""
    invoice: int | None = None
    state: int = 2
    notes: tuple[str, ...] = ()
    captured: bool = False

    @property
    def total(self) -> Decimal:
        """Its grand total."""
        parts = self.subtotal + self.tax + self.shipping + self.hidden_tax - self.discount
        return parts + self.adjustment - self.gift_card


class StoreOrder(msgspec.Struct, kw_only=True):
    """An order."""

    id: int
    number: str
    items: list[StoreItem]
    ship_to: Contact | None
    email: str
    base_currency: str
    currency: str
    rate: Decimal
    """Order currency for one of base currency."""
    shipping: Decimal
    shipping_tax: Decimal
    shipping_method: str
    payment_method: str
    created_at: datetime
    updated_at: datetime
    state: str = "processing"
    status: str = "processing"
    authorised: Decimal = ZERO
    gift_card: Decimal = ZERO
    pickup: str | None = None
    store: int = 1
    hold_before: str | None = None
    successor: str | None = None
    shipping_cancelled: bool = False
    invoices: list[StoreDocument] = msgspec.field(default_factory=list)
    memos: list[StoreDocument] = msgspec.field(default_factory=list)
    shipments: list[StoreShipment] = msgspec.field(default_factory=list)
    history: list[tuple[datetime, str]] = msgspec.field(default_factory=list)
    also_to: tuple[tuple[Contact, tuple[int, ...]], ...] = ()
    """Further addresses, with the items that go there."""

    @property
    def by_id(self) -> dict[int, StoreItem]:
        """Items by id."""
        return {item.id: item for item in self.items}

    def children(self, item: StoreItem) -> list[StoreItem]:
        """The parts of a configurable or bundle."""
        return [one for one in self.items if one.parent == item.id]

    @property
    def subtotal(self) -> Decimal:
        """Goods, without tax."""
        return sum((item.row_total for item in self.items if not item.repeats_price), ZERO)

    @property
    def subtotal_incl_tax(self) -> Decimal:
        """Goods, with tax."""
        return sum((item.row_total_incl_tax for item in self.items if not item.repeats_price), ZERO)

    @property
    def discount(self) -> Decimal:
        """Positive."""
        return sum((item.discount for item in self.items), ZERO)

    @property
    def hidden_tax(self) -> Decimal:
        """Tax inside the discount."""
        return sum((item.hidden_tax for item in self.items), ZERO)

    @property
    def tax(self) -> Decimal:
        """Tax of goods and shipping."""
        return sum((item.tax for item in self.items), self.shipping_tax)

    @property
    def grand_total(self) -> Decimal:
        """What is to be paid, gift cards taken off."""
        return self.subtotal + self.shipping + self.tax - self.discount + self.hidden_tax - self.gift_card

    @property
    def paid(self) -> Decimal:
        """What invoices took."""
        return sum((one.total for one in self.invoices if one.state == 2), ZERO)

    @property
    def refunded(self) -> Decimal:
        """What credit memos gave back."""
        return sum((one.total for one in self.memos if one.state == 2), ZERO)
