"""What is irregular in an Amazon order, as pure functions that `mappings/amazon/order.toml` calls by name.

They are given raw values of Orders 2026-01-01, of any shape: what they cannot work with raises, and the mapping makes a
problem of it that names field, path and value. Money is reckoned in exact decimals and converted once, by the mapping.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.amazon.account import newest, refund_rows
from hub.domain.order import NOT_HELD

Row = Mapping[str, Any]

UNPRICED: Final = frozenset({"PENDING", "PENDING_AVAILABILITY"})
"""Nothing to ship yet: no payment, no address, no price, and the order may vanish. Its units count all the same."""
LONGEST_AMOUNT: Final = 28
ZERO: Final = Decimal(0)


def amount(money: object) -> Decimal:
    """`{"amount": "1.50", "currencyCode": ...}` as an exact number; nothing is zero. Raises ValueError otherwise."""
    if money is None:
        return ZERO
    value = money.get("amount") if isinstance(money, Mapping) else money
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > LONGEST_AMOUNT:
        raise ValueError(f"{value!r} is not an amount")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not an amount")
    return number


# --- money ------------------------------------------------------------------------------------------------------------


def breakdowns(order: Sequence[Row] | None, items: Sequence[Row] | None) -> tuple[Row, ...]:
    """The order's own breakdowns, which aggregate those of its items; where it has none, those of all items."""
    if order:
        return tuple(order)
    rows: list[Row] = []
    for item in items or ():
        rows.extend(((item.get("proceeds") or {}).get("breakdowns")) or ())
    return tuple(rows)


def part(rows: Sequence[Row], *kinds: str) -> Decimal:
    """Sum of the breakdowns of some kinds."""
    return sum((amount(row.get("subtotal")) for row in rows if row.get("type") in kinds), ZERO)


def goods(rows: Sequence[Row]) -> Decimal:
    """Price of the goods, whole lines."""
    return part(rows, "ITEM")


def order_goods(rows: Sequence[Row]) -> Decimal | None:
    """The same for the order; None, for the sum of its lines, where nothing is broken down."""
    return goods(rows) if rows else None


def shipping(rows: Sequence[Row]) -> Decimal:
    """What is paid for shipping."""
    return part(rows, "SHIPPING")


def fees(rows: Sequence[Row]) -> Decimal:
    """Gift wrap, cash on delivery, anything other: also of kinds that are not documented yet, so that sums close."""
    return sum((amount(row.get("subtotal")) for row in rows if row.get("type") not in _KNOWN), ZERO)


_KNOWN: Final = frozenset({"ITEM", "SHIPPING", "TAX", "DISCOUNT", "DELIVERY_TIP"})


def discount(rows: Sequence[Row]) -> Decimal:
    """Discounts of goods, shipping and all else, positive whichever sign the wire uses."""
    return sum((abs(amount(row.get("subtotal"))) for row in rows if row.get("type") == "DISCOUNT"), ZERO)


def tax(rows: Sequence[Row]) -> Decimal:
    """Tax on everything."""
    return part(rows, "TAX")


def tip(rows: Sequence[Row]) -> Decimal:
    """A tip, once it is final: until then it may change, and the difference to the vendor's total holds posting."""
    final = (row for row in rows if row.get("type") == "DELIVERY_TIP" and row.get("status") != "PENDING")
    return sum((amount(row.get("subtotal")) for row in final), ZERO)


def tax_included(rows: Sequence[Row], total: object) -> bool:
    """Whether the prices contain the tax: the order does not say, but its total closes with it or without."""
    taxed = tax(rows)
    if not taxed or total is None:
        return False
    tips = part(rows, "DELIVERY_TIP")
    for tipped in (tip(rows), tips):
        net = goods(rows) + shipping(rows) + fees(rows) - discount(rows) + tipped
        if amount(total) == net + taxed:
            return False
        if amount(total) == net:
            return True
    return False


def line_goods(
    rows: Sequence[Row] | None, total: object, status: object, associated: Sequence[Row] | None
) -> Decimal | None:
    """Price of a line; None, which is a problem, when an order that has to be paid states none.

    What is pending has no price yet, and what replaces an earlier order has none at all.
    """
    if rows:
        return goods(rows)
    if total is not None:
        return amount(total)
    return ZERO if status in UNPRICED or associated else None


def line_discount(rows: Sequence[Row] | None) -> Decimal:
    """Discount on the goods of a line; on its shipping counts with the order only."""
    return abs(_of_goods(rows, "DISCOUNT"))


def line_tax(rows: Sequence[Row] | None) -> Decimal:
    """Tax on the goods of a line."""
    return _of_goods(rows, "TAX")


def _of_goods(rows: Sequence[Row] | None, kind: str) -> Decimal:
    """The part of a breakdown that concerns goods, where it is detailed; else all of it."""
    found = ZERO
    for row in rows or ():
        if row.get("type") != kind:
            continue
        details = row.get("detailedBreakdowns")
        if not details:
            found += amount(row.get("subtotal"))
            continue
        found += sum((amount(one.get("value")) for one in details if one.get("subtype") == "ITEM"), ZERO)
    return found


# --- the way of the goods ---------------------------------------------------------------------------------------------


def line_quantity(ordered: object, done: object, request: Row | None, execution: Row | None) -> int | None:
    """Units that are still wanted of a line.

    A buyer's wish to cancel leaves only what has gone: the pick is to stop at once, whoever answers the wish. A line
    that was cancelled leaves what went before.
    """
    if ordered is None:
        return None
    if execution or wished(request):
        return min(_units(ordered), _units(done or 0))
    return _units(ordered)


def wished(request: Row | None) -> bool:
    """Whether the buyer asked to cancel."""
    return bool(request) and (request or {}).get("requester") == "BUYER"


def cancel_asked(items: Sequence[Row] | None) -> bool:
    """Whether the buyer asked to cancel all that has not gone, and nobody has answered."""
    waiting = False
    for item in items or ():
        cancellation = item.get("cancellation") or {}
        if cancellation.get("cancellationExecution"):
            continue
        done = _units((item.get("fulfillment") or {}).get("quantityFulfilled") or 0)
        if not wished(cancellation.get("cancellationRequest")):
            if _units(item.get("quantityOrdered") or 0) > done:
                return False
            continue
        waiting = True
    return waiting


def cancelled_at(status: object, changed_at: object) -> object:
    """When the order was cancelled: Amazon states no time but that of the last change."""
    return changed_at if status == "CANCELLED" else None


def cancelled_by(items: Sequence[Row] | None) -> str | None:
    """Who cancelled: the word of the first line that says so."""
    for item in items or ():
        execution = (item.get("cancellation") or {}).get("cancellationExecution") or {}
        if execution.get("cancelledBy"):
            return str(execution["cancelledBy"])
    return None


def held(status: object) -> str:
    """What is pending is never released, also where somebody gave it an address or it is collected in a store."""
    return "payment is not authorised yet" if status in UNPRICED else NOT_HELD


def way(programs: Sequence[object] | None) -> str:
    """How the order reaches the customer, as a word for the table of methods."""
    return "IN_STORE_PICK_UP" if "IN_STORE_PICK_UP" in (programs or ()) else "SHIP"


def not_before(programs: Sequence[object] | None, window: Row | None) -> object:
    """A pre-order does not leave before its window; any other order may leave early."""
    return (window or {}).get("earliestDateTime") if "PREORDER" in (programs or ()) else None


def deliverable(address: Row | None, status: object) -> Row | None:
    """The address, once there is something to deliver: without one nothing is released, and pending is never."""
    return None if status in UNPRICED else address


def street(first: object, fields: Row | None) -> object:
    """The first street line; Brazil's extended fields where it is empty."""
    if first or not fields:
        return first
    return ", ".join(str(fields[name]) for name in ("streetName", "streetNumber") if fields.get(name)) or None


def tags(programs: Sequence[object] | None, associated: Sequence[Row] | None, items: Sequence[Row] | None) -> list[str]:
    """Programs and whatever else decides how an order is handled, as words for policies."""
    found = [f"program:{str(name).lower()}" for name in programs or ()]
    found += [
        f"{str(row.get('associationType', 'associated')).lower()}:{row.get('orderId')}" for row in associated or ()
    ]
    for item in items or ():
        found += _item_tags(item)
    return list(dict.fromkeys(found))


def _item_tags(item: Row) -> list[str]:
    found = [f"program:{str(name).lower()}" for name in item.get("programs") or ()]
    cancellation = item.get("cancellation") or {}
    if wished(cancellation.get("cancellationRequest")) and not cancellation.get("cancellationExecution"):
        found.append("buyer_cancel_requested")
    collections = (item.get("tax") or {}).get("taxCollections") or ()
    if any(str(row.get("model", "")).replace("_", "").lower() == "marketplacefacilitator" for row in collections):
        found.append("tax_remitted_by_marketplace")
    if ((item.get("measurement") or {}).get("unit") or "COUNT") != "COUNT":
        found.append("measured_goods")
    if ((item.get("product") or {}).get("customization") or {}).get("customizedUrl"):
        found.append("customised")
    packing = (item.get("fulfillment") or {}).get("packing") or {}
    if packing.get("giftOption"):
        found.append("gift")
    if packing.get("serialNumberRequirement"):
        found.append("serial_numbers_required")
    return found


def customer_group(programs: Sequence[object] | None) -> str | None:
    """Business buyers are a group of their own."""
    return "business" if "AMAZON_BUSINESS" in (programs or ()) else None


def payments(
    order: object, executions: Sequence[Row] | None, status: object, at: object, transactions: Sequence[Row] | None
) -> tuple[Row, ...]:
    """What was paid or promised, and what went back. Amazon authorises with the order and takes the money when the
    goods left; refunds stand beside the order only where they were read."""
    taken = status in ("SHIPPED", "PARTIALLY_SHIPPED")
    kind = "taken" if taken else "promised"
    rows = []
    for number, execution in enumerate(executions or (), 1):
        money = execution.get("paymentAmount") or {}
        identity = f"{order}:{number}:{execution.get('paymentMethod')}:{kind}"
        row = {"id": identity, "kind": kind, "method": execution.get("paymentMethod"), "at": at}
        rows.append({**row, "amount": money.get("amount"), "currency": money.get("currencyCode")})
    if status in UNPRICED or status == "CANCELLED":
        rows = []
    return (*rows, *refund_rows(order, transactions))


def _units(quantity: object) -> int:
    whole = int(quantity) if isinstance(quantity, Decimal) and quantity == int(quantity) else quantity
    if isinstance(whole, bool) or not isinstance(whole, int):
        raise ValueError(f"{quantity!r} is not a number of units")
    return whole


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        breakdowns,
        cancel_asked,
        cancelled_at,
        cancelled_by,
        customer_group,
        deliverable,
        discount,
        fees,
        held,
        line_discount,
        line_goods,
        line_quantity,
        line_tax,
        not_before,
        order_goods,
        payments,
        shipping,
        street,
        tags,
        tax,
        tax_included,
        newest,
        tip,
        way,
    )
}
"""What the mapping file may call."""
