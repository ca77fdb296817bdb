"""Books of a simulated shop: what is in them, and the arithmetic of an order. No HTTP here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import MINOR_UNITS

SHOP_ZONE: Final = timezone(timedelta(hours=-5))
"""Webhooks carry the shop's local time, GraphQL carries UTC."""

ZERO: Final = Decimal(0)


class ShopVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant for sale. Three ids of its own: none of them is another."""

    sku: str
    title: str
    price: Decimal
    variant: int
    item: int
    """Id of its inventory item."""
    product: int
    grams: int = 250
    ships: bool = True
    gift_card: bool = False


class ShopLocation(msgspec.Struct, frozen=True, kw_only=True):
    """A place with stock."""

    id: int
    name: str
    active: bool = True
    service: bool = False
    """Whether a fulfilment service, not the merchant, keeps it."""


class ShopLine(msgspec.Struct, kw_only=True):
    """A line: as bought, as it is now, and what of it left."""

    id: int
    variant: ShopVariant
    quantity: int
    current: int
    fulfilled: int = 0
    price: Decimal
    discount: Decimal = ZERO
    """Its share of the order's discount."""
    tax: Decimal = ZERO

    @property
    def open(self) -> int:
        """Units that are still to leave."""
        return self.current - self.fulfilled


class ShopOpenLine(msgspec.Struct, kw_only=True):
    """A line of a fulfilment order."""

    id: int
    line: ShopLine
    total: int
    remaining: int


class ShopFulfilmentOrder(msgspec.Struct, kw_only=True):
    """What the shop asks of one location."""

    id: int
    order: int
    location: int
    status: str = "OPEN"
    lines: list[ShopOpenLine]
    holds: list[str] = []
    """Reasons, as GraphQL names them; it is ON_HOLD while there are any."""


class ShopFulfilment(msgspec.Struct, kw_only=True):
    """What was told to have left."""

    id: int
    order: int
    name: str
    location: int
    lines: dict[int, int]
    """Quantity by line id."""
    numbers: tuple[str, ...]
    urls: tuple[str, ...]
    company: str | None
    notified: bool
    created_at: datetime
    status: str = "SUCCESS"


class ShopMoved(msgspec.Struct, kw_only=True):
    """A transaction."""

    id: int
    kind: str
    amount: Decimal
    created_at: datetime
    parent: int | None
    status: str = "SUCCESS"
    gateway: str = "shopify_payments"


class ShopRefund(msgspec.Struct, kw_only=True):
    """Units given back, and their money."""

    id: int
    transaction: int
    lines: dict[int, int]
    amounts: dict[int, Decimal]
    taxes: dict[int, Decimal]
    location: int
    created_at: datetime
    restock: str = "cancel"
    """cancel for units that had not left, return or no_restock for those that had."""
    money: Decimal | None = None
    """What went back, where it is not what the lines come to."""
    note: str | None = None
    parent: int | None = None

    def moved(self, order: "ShopOrder") -> Decimal:
        """Money that went back."""
        if self.money is not None:
            return self.money
        return sum(self.amounts.values(), ZERO if order.taxes_included else sum(self.taxes.values(), ZERO))


class ShopOrder(msgspec.Struct, kw_only=True):
    """An order. Its bodies are built when they are sent, so that ten thousand fit into memory."""

    id: int
    number: int
    lines: list[ShopLine]
    ship_to: Contact | None
    email: str | None
    currency: str
    shipping: Decimal
    shipping_title: str
    discount_code: str | None
    tax_rate: Decimal
    taxes_included: bool
    source: str
    test: bool
    financial: str
    note: str | None
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    retail_location: int | None = None
    fulfilment_orders: list[ShopFulfilmentOrder] = []
    refunds: list[ShopRefund] = []
    authorised: bool = False
    """Placed with an authorisation only: somebody has to capture."""
    moved: list[ShopMoved] = []
    """Captures and voids."""
    risk: str | None = None
    """high, medium or low, once somebody has assessed it."""
    company: int | None = None
    """The company that buys."""
    terms_days: int | None = None
    gift_card: Decimal = ZERO
    """Part of the total that a gift card paid."""
    """Payment terms "Net N"."""
    po_number: str | None = None
    tax_exempt: bool = False
    locale: str | None = "en-US"
    by_line: dict[int, ShopLine] = {}

    @property
    def name(self) -> str:
        """What the merchant calls it."""
        return f"#{self.number}"

    @property
    def captured(self) -> Decimal:
        """Money taken of an authorisation."""
        return sum((one.amount for one in self.moved if one.kind == "CAPTURE"), ZERO)

    @property
    def fulfilment_status(self) -> str | None:
        """REST's word: null, partial, fulfilled."""
        fulfilled = sum(line.fulfilled for line in self.lines)
        if not fulfilled:
            return None
        return "partial" if any(line.open > 0 for line in self.lines) else "fulfilled"


class ShopJob(msgspec.Struct, kw_only=True):
    """Work that the shop does later: at the poll that empties `polls`."""

    polls: int
    work: Callable[[], None]


class Totals(msgspec.Struct, frozen=True):
    """Money of an order, as placed or as it is now."""

    lines: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal

    @property
    def subtotal(self) -> Decimal:
        """After discounts, before shipping."""
        return self.lines - self.discount


def placed(order: ShopOrder) -> Totals:
    """The sale as placed: original quantities."""
    return _totals(order, [(line, line.quantity) for line in order.lines], order.shipping)


def current(order: ShopOrder) -> Totals:
    """After edits and refunds."""
    if order.cancelled_at is not None:
        return Totals(ZERO, ZERO, ZERO, ZERO)
    return _totals(order, [(line, line.current) for line in order.lines], order.shipping)


def _totals(order: ShopOrder, lines: Sequence[tuple[ShopLine, int]], shipping: Decimal) -> Totals:
    goods = sum((line.price * quantity for line, quantity in lines), ZERO)
    discount = sum((share(line.discount, quantity, line, order.currency) for line, quantity in lines), ZERO)
    tax = sum((share(line.tax, quantity, line, order.currency) for line, quantity in lines), ZERO)
    return Totals(goods, discount, tax, goods - discount + shipping + (ZERO if order.taxes_included else tax))


def share(amount: Decimal, quantity: int, line: ShopLine, currency: str) -> Decimal:
    """Part of a line's amount that falls to some of its units."""
    if quantity == line.quantity or not line.quantity:
        return amount
    return rounded(amount * quantity / line.quantity, currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the currency's own places."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), ROUND_HALF_UP)


def spread_discount(lines: Sequence[ShopLine], discount: Decimal, currency: str) -> None:
    """Share an order's discount over its lines by value; the last one takes what rounding leaves."""
    goods = sum((line.price * line.quantity for line in lines), ZERO)
    left = min(discount, goods)
    for line in lines[:-1]:
        line.discount = rounded(discount * line.price * line.quantity / goods, currency) if goods else ZERO
        left -= line.discount
    if lines:
        lines[-1].discount = left


def add_tax(line: ShopLine, rate: Decimal, included: bool, currency: str) -> None:
    """The tax of a line, on its price or inside it."""
    net = line.price * line.quantity - line.discount
    line.tax = rounded(net * rate / (1 + rate) if included else net * rate, currency)


def local(at: datetime) -> str:
    """A time as webhooks write it."""
    return at.astimezone(SHOP_ZONE).isoformat()


def utc(at: datetime) -> str:
    """A time as GraphQL writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def line_amounts(order: ShopOrder, units: Mapping[int, int]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Subtotals and taxes of units by line."""
    amounts, taxes = {}, {}
    for id, quantity in units.items():
        line = order.by_line[id]
        amounts[id] = line.price * quantity - share(line.discount, quantity, line, order.currency)
        taxes[id] = share(line.tax, quantity, line, order.currency)
    return amounts, taxes


def transactions(order: ShopOrder) -> list[ShopMoved]:
    """Every transaction of an order: its first one, what came of it, and its refunds."""
    kind = "AUTHORIZATION" if order.authorised else "SALE"
    rest = placed(order).total - order.gift_card
    first = ShopMoved(id=order.id + 21, kind=kind, amount=rest, created_at=order.created_at, parent=None)
    rows = [] if order.financial == "pending" else [first]
    if order.gift_card:
        by_card = msgspec.structs.replace(first, id=order.id + 22, kind="SALE", amount=order.gift_card)
        rows.insert(0, msgspec.structs.replace(by_card, gateway="gift_card"))
    taken = order.id + 21
    rows += order.moved
    if order.authorised:
        taken = next((one.id for one in order.moved if one.kind == "CAPTURE"), taken)
    for refund in order.refunds:
        moved = refund.moved(order)
        if not moved:
            continue
        rows.append(
            ShopMoved(
                id=refund.transaction,
                kind="REFUND",
                amount=moved,
                created_at=refund.created_at,
                parent=refund.parent or taken,
            )
        )
    return rows


def gateways(order: ShopOrder) -> list[str]:
    """Names of the ways in which an order was paid."""
    return ["gift_card", "shopify_payments"] if order.gift_card else ["shopify_payments"]
