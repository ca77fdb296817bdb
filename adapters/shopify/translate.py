"""What is irregular in a Shopify order, as pure functions that `mappings/shopify/order.toml` calls by name.

They are given raw values of the REST resource, of any shape: one they cannot work with raises TypeError, ValueError,
LookupError, AttributeError or ArithmeticError, which the mapping turns into a problem that names the field, the path
and the value. Money is reckoned in exact decimals here and converted to minor units once, by the mapping.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hub.domain.order import NOT_HELD

Row = Mapping[str, Any]

NO_UNITS: Final[Mapping[str, int]] = {}
NO_LINES: Final[frozenset[str]] = frozenset()
AT_THE_TILL: Final = timedelta(minutes=5)
"""A till sale is fulfilled in the request that creates it; what is fulfilled later was not carried out."""
LONGEST_AMOUNT: Final = 28


def amount(value: object) -> Decimal:
    """A wire amount as an exact number; nothing is zero. Raises ValueError for what is no amount."""
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > LONGEST_AMOUNT:
        raise ValueError(f"{value!r} is not an amount")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not an amount")
    return number


def differs(one: object, other: object) -> bool:
    """Whether both are there and not the same."""
    return bool(one) and bool(other) and one != other


def amounts_differ(one: object, other: object) -> bool:
    """The same for amounts: "120.0" and "120.00" are one."""
    return differs(one, other) and amount(one) != amount(other)


# --- money of the sale ------------------------------------------------------------------------------------------------


def line_total(price: object, quantity: int | None) -> Decimal | None:
    """Price per unit times ordered quantity. The wire states no line total; None where it states no price."""
    if price is None or price == "":
        return None
    return amount(price) * (quantity or 0)


def gross(prices: Sequence[object], quantities: Sequence[object], tips: Sequence[object]) -> Decimal:
    """The same over all lines that are goods."""
    total = Decimal(0)
    for price, quantity, tip_of in zip(prices, quantities, tips, strict=True):
        if not tip_of:
            total += amount(price) * amount(quantity)
    return total


def tip(received: object, tips: Sequence[object], prices: Sequence[object]) -> Decimal:
    """What was received as tips; where the order does not say, the lines that are tips."""
    stated = amount(received)
    if stated or not any(tips):
        return stated
    return sum((amount(price) for price, tip_of in zip(prices, tips, strict=True) if tip_of), Decimal(0))


def with_rounding(total: object, rounding: object) -> Decimal | None:
    """The stated total after cash rounding, which Shopify books on the payment."""
    return None if total is None or total == "" else amount(total) + amount(rounding)


def duties_on_top(duties: object, included: object) -> Decimal:
    """Duties that the price does not already contain."""
    return Decimal(0) if included is True else amount(duties)


# --- what changed since -----------------------------------------------------------------------------------------------


def shipping_left(
    prices: Sequence[object], removed: Sequence[object], adjustments: Sequence[Sequence[Row] | None]
) -> Decimal:
    """Shipping that still stands: lines not removed, less what was refunded of it."""
    standing = sum((amount(price) for price, gone in zip(prices, removed, strict=True) if not gone), Decimal(0))
    back = sum(
        (_adjusted(row, "amount") for rows in adjustments for row in rows or () if _is_shipping(row)), Decimal(0)
    )
    return standing + back


def paid_back(refunds: Sequence[Row] | None) -> tuple[Row, ...]:
    """The refunds by which money went back: with a successful transaction."""
    return tuple(refund for refund in refunds or () if any(_went_back(row) for row in refund.get("transactions") or ()))


def presented(refunds: Sequence[Row] | None) -> tuple[Row, ...]:
    """The refunds with every amount as the customer saw it in the place of the shop's; what has no pair is left out."""
    return tuple({**refund, **_there(refund)} for refund in refunds or ())


def adjusted_there(refunds: Sequence[Row] | None) -> tuple[Sequence[Row] | None, ...]:
    """What each refund adjusted, as the customer saw it."""
    return tuple(refund.get("order_adjustments") for refund in presented(refunds))


def _there(row: Row) -> Row:
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("_set") and isinstance(value, Mapping):
            there = value.get("presentment_money")
            shown |= {name: {**value, "shop_money": there}, name.removesuffix("_set"): (there or {}).get("amount")}
        elif isinstance(value, Sequence) and not isinstance(value, str):
            shown[name] = [{**one, **_there(one)} if isinstance(one, Mapping) else one for one in value]
    return shown


def refunded_lines(refunds: Sequence[Row]) -> Decimal:
    """Subtotals of refunded lines."""
    return sum((amount(line.get("subtotal")) for line in _rows(refunds, "refund_line_items")), Decimal(0))


def refunded_tax(refunds: Sequence[Row]) -> Decimal:
    """Tax of refunded lines and of refunded shipping."""
    lines = sum((amount(line.get("total_tax")) for line in _rows(refunds, "refund_line_items")), Decimal(0))
    shipping = (_adjusted(row, "tax_amount") for row in _rows(refunds, "order_adjustments") if _is_shipping(row))
    return lines - sum(shipping, Decimal(0))


def refunded_shipping(refunds: Sequence[Row]) -> Decimal:
    """Refunded shipping, positive; the wire has it as a negative adjustment."""
    rows = (row for row in _rows(refunds, "order_adjustments") if _is_shipping(row))
    return -sum((_adjusted(row, "amount") for row in rows), Decimal(0))


def refund_discrepancy(refunds: Sequence[Row], cash_rounding: object) -> Decimal:
    """What was refunded beyond (negative: short of) the lines: all other adjustments with their tax, and rounding."""
    rows = [row for row in _rows(refunds, "order_adjustments") if not _is_shipping(row)]
    others = sum((_adjusted(row, "amount") + _adjusted(row, "tax_amount") for row in rows), Decimal(0))
    return amount(cash_rounding) - others


def refunded_total(refunds: Sequence[Row], currency: object) -> Decimal | None:
    """Money that went back: successful refund transactions, in shop currency; None where they name another only."""
    total = Decimal(0)
    for row in _rows(refunds, "transactions"):
        if not _went_back(row):
            continue
        if row.get("amount_set"):
            total += _shop_amount(row["amount_set"])
        elif row.get("currency", currency) == currency:
            total += amount(row.get("amount"))
        else:
            return None
    return total


def refunded_duties(refunds: Sequence[Row]) -> Decimal:
    """Duties given back."""
    return sum((_shop_amount(refund.get("total_duties_set")) for refund in refunds), Decimal(0))


def refunded_fees(refunds: Sequence[Row]) -> Decimal:
    """Additional fees given back."""
    return sum((_shop_amount(refund.get("total_additional_fees_set")) for refund in refunds), Decimal(0))


def _shop_amount(pair: Row | None) -> Decimal:
    return amount(((pair or {}).get("shop_money") or {}).get("amount"))


def _went_back(transaction: Row) -> bool:
    return transaction.get("status") == "success" and transaction.get("kind") == "refund"


def _rows(refunds: Sequence[Row], name: str) -> list[Row]:
    return [row for refund in refunds or () for row in refund.get(name) or ()]


def _is_shipping(adjustment: Row) -> bool:
    return adjustment.get("kind") == "shipping_refund"


def _adjusted(adjustment: Row, name: str) -> Decimal:
    return amount(adjustment.get(name))


# --- the way of the goods ---------------------------------------------------------------------------------------------


def active_shipping_line(lines: Sequence[Row] | None) -> Row | None:
    """The first shipping line that no edit removed."""
    for line in lines or ():
        if not line.get("is_removed"):
            return line
    return None


def pickup_location(method: str | None, shipping_line: Row | None, location: object) -> str | None:
    """Where the customer collects: the order's location, else the name of the pick-up rate, which is the location's."""
    if method != "pick_up":
        return None
    return str(location) if location is not None else (shipping_line or {}).get("title")


def ships(requires_shipping: object, gift_card: object) -> bool:
    """Whether goods move. A gift card never ships; silence means yes."""
    return requires_shipping is not False and gift_card is not True


def line_group(line: object, requires_shipping: object, gift_card: object, carried: frozenset[str]) -> str:
    """Which delivery group a line goes with."""
    if not ships(requires_shipping, gift_card):
        return "digital"
    return "carried_out" if carried and str(line) in carried else "main"


def line_manager(line: object, carried: frozenset[str]) -> str:
    """What was carried out of a shop is done; all else is the hub's."""
    return "done" if carried and str(line) in carried else "hub"


def fulfilled_units(fulfilments: Sequence[Row] | None) -> Mapping[str, int]:
    """Units per line in fulfilments that succeeded, by whomever."""
    if not fulfilments:
        return NO_UNITS
    units: dict[str, int] = {}
    for fulfilment in fulfilments:
        if fulfilment.get("status") == "success":
            for line in fulfilment.get("line_items") or ():
                key = str(line["id"])
                units[key] = units.get(key, 0) + _units(line.get("quantity"))
    return units


def refunded_units(refunds: Sequence[Row] | None) -> Mapping[str, int]:
    """Units per line that money went back for after they had left: units taken off before are cancelled, not these."""
    units: dict[str, int] = {}
    for line in _rows(refunds or (), "refund_line_items"):
        if line.get("restock_type") in AFTER_LEAVING:
            key = str(line["line_item_id"])
            units[key] = units.get(key, 0) + _units(line.get("quantity"))
    return units or NO_UNITS


AFTER_LEAVING: Final = frozenset({"return", "no_restock"})
"""`no_restock` is also said of units that never left; those are off the order before anybody asks for these."""


def units_of(line: object, units: Mapping[str, int] | None) -> int:
    """Units of one line."""
    return (units or NO_UNITS).get(str(line), 0) if units else 0


def carried_out(
    source: object, location: object, created_at: object, status: object, fulfilments: Sequence[Row] | None
) -> frozenset[str]:
    """Ids of the lines of a till sale that left with the customer: fulfilled where and when they were sold.

    What a till sells to be sent or collected is fulfilled later, and is the hub's.
    """
    if source != "pos" or location is None:
        return NO_LINES
    sold_at = datetime.fromisoformat(str(created_at))
    carried = set()
    for fulfilment in fulfilments or ():
        done_at = fulfilment.get("created_at")
        if fulfilment.get("status") == "success" and _at_once(sold_at, done_at):
            carried |= {str(line["id"]) for line in fulfilment.get("line_items") or ()}
    return frozenset(carried)


def _at_once(sold_at: datetime, done_at: object) -> bool:
    return done_at is None or datetime.fromisoformat(str(done_at)) - sold_at <= AT_THE_TILL


def _units(quantity: object) -> int:
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        raise ValueError(f"{quantity!r} is not a number of units")
    return quantity


def held_by(reasons: Sequence[object] | None) -> str | None:
    """Why the shop wants nothing to leave, in its own words; None where the message does not say."""
    return None if reasons is None else ", ".join(str(reason) for reason in reasons) or NOT_HELD


# --- people and payments ----------------------------------------------------------------------------------------------


def full_name(first: object, last: object) -> str | None:
    """First and last name, whichever are there."""
    return " ".join(part for part in (first, last) if isinstance(part, str) and part) or None


def moved(transactions: Sequence[Row] | None, refunds: Sequence[Row] | None, currency: object) -> tuple[Row, ...]:
    """Transactions that say what they came to in the shop's currency, of the order and of its refunds."""
    rows = (*(transactions or ()), *_rows(refunds or (), "transactions"))
    return tuple(row for row in rows if row.get("amount_set") or (row.get("currency") or currency) == currency)


def gateway_payment(
    order: object,
    transactions: Sequence[object] | None,
    gateways: Sequence[str] | None,
    status: object,
    total: object,
    currency: object,
    at: object,
) -> tuple[Row, ...]:
    """The payment that an order without transactions implies: webhooks name the gateways and the state, not the sums.

    Only where one gateway took or authorised the whole: of several, or of a part, nobody can tell who took how much.
    """
    kind = _IMPLIED_KINDS.get(status) if isinstance(status, str) else None
    names = [name for name in gateways or () if name]
    if transactions or kind is None or len(names) != 1 or not amount(total):
        return ()
    identity = f"{order}:{names[0]}:{kind}"
    implied = {"id": identity, "kind": kind, "gateway": names[0], "amount": total, "currency": currency}
    return ({**implied, "status": "success", "processed_at": at, "implied": True},)


_IMPLIED_KINDS: Final = {
    "authorized": "authorization",
    "paid": "sale",
    "partially_refunded": "sale",
    "refunded": "sale",
}

FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        active_shipping_line,
        adjusted_there,
        amounts_differ,
        carried_out,
        differs,
        duties_on_top,
        fulfilled_units,
        full_name,
        gateway_payment,
        gross,
        held_by,
        line_group,
        line_manager,
        line_total,
        moved,
        paid_back,
        pickup_location,
        presented,
        refund_discrepancy,
        refunded_duties,
        refunded_fees,
        refunded_lines,
        refunded_shipping,
        refunded_tax,
        refunded_total,
        refunded_units,
        shipping_left,
        ships,
        tip,
        units_of,
        with_rounding,
    )
}
"""What the mapping file may call."""
