"""The lines of an order: each line, or each part of it that goes its own way, once. Pure.

Every row is a line as the mapping reads it. What is in no fulfilment was carried out of the store.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from adapters.square.schemas import Row
from hub.domain.money import major
from hub.domain.returns import share

GROUPS: Final = ("main", "second", "third", "fourth")
"""Delivery groups by place of the fulfilment. The mapping describes these; a fifth would be an unmapped group."""
TILL: Final = "carried_out"

OPEN, COMPLETED, DRAFT, CANCELED = "OPEN", "COMPLETED", "DRAFT", "CANCELED"
DEAD: Final = frozenset({"CANCELED", "FAILED"})
"""States in which a fulfilment brings nothing to anybody."""
NO_GOODS: Final = frozenset({"CUSTOM_AMOUNT", "GIFT_CARD"})
"""Item types of which there is nothing on a shelf."""

Rows = Sequence[Row] | None


def units(value: object) -> int | Decimal:
    """A quantity, text on the wire. Raises ValueError or ArithmeticError for what is none."""
    if not isinstance(value, str) or len(value) > 12:
        raise ValueError(f"{value!r} is not a quantity")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a quantity")
    return int(number) if number == int(number) else number


def cents(money: object, currency: str) -> int:
    """Minor units of a money in `currency`; nothing is zero. Raises ValueError for another currency or no integer."""
    if money is None:
        return 0
    if not isinstance(money, Mapping):
        raise TypeError(f"{type(money).__name__} is not a money")
    amount = money.get("amount")
    if amount is None:
        return 0
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise ValueError(f"{amount!r} is not an amount in minor units")
    if money.get("currency") != currency:
        raise ValueError(f"{amount} {money.get('currency')} in an order in {currency}")
    return amount


def goods(
    lines: Rows,
    ways: Rows,
    returns: Rows,
    skus: Mapping[str, str] | None,
    state: object,
    currency: object,
    order: object,
) -> tuple[Row, ...]:
    """Rows of the mapping's lines. A line that goes several ways becomes several rows, its money shared out."""
    if not isinstance(currency, str):
        raise ValueError("the order names no currency")
    back = returned_units(returns, order)
    rows: list[Row] = []
    for line in lines or ():
        rows.extend(_rows_of(line, ways or (), back, skus or {}, state, currency))
    return tuple(rows)


def returned_units(returns: Rows, order: object) -> dict[str, int]:
    """Units by line of this order that other orders return."""
    found: dict[str, int] = {}
    for other in returns or ():
        for one in other.get("returns") or ():
            if one.get("source_order_id") != order:
                continue
            for line in one.get("return_line_items") or ():
                uid = line.get("source_line_item_uid")
                number = units(line.get("quantity"))
                if isinstance(uid, str) and isinstance(number, int):
                    found[uid] = found.get(uid, 0) + number
    return found


def _rows_of(
    line: Row, ways: Sequence[Row], back: Mapping[str, int], skus: Mapping[str, str], state: object, currency: str
) -> list[Row]:
    uid, whole = line.get("uid"), units(line.get("quantity"))
    shared = {
        "sku": skus.get(str(line.get("catalog_object_id"))),
        "variant": line.get("catalog_object_id"),
        "title": title(line),
        "ships": _tangible(line),
        "gift_card": line.get("item_type") == "GIFT_CARD",
        "price": major(cents(line.get("base_price_money"), currency), currency),
    }
    money = line_money(line, currency)
    left = back.get(uid, 0) if isinstance(uid, str) else 0
    if not isinstance(whole, int) or not shared["ships"]:
        return [_row(uid, shared, money, currency, None, whole, left, ways, state)]
    parts, rows, start = _parts(line, whole, ways), list[Row](), 0
    for way, number in parts:
        amounts = {name: share(sum_, start, number, whole) if whole else sum_ for name, sum_ in money.items()}
        name = uid if way == parts[0][0] else f"{uid}/{_name(way, ways)}"
        rows.append(_row(name, shared, amounts, currency, way, number, min(left, number), ways, state))
        start, left = start + number, max(0, left - number)
    return rows


def _row(
    name: object,
    shared: Row,
    amounts: Mapping[str, int],
    currency: str,
    way: int | None,
    number: int | Decimal,
    back: int,
    ways: Sequence[Row],
    state: object,
) -> Row:
    wanted, gone = _wanted(number, way, ways, state)
    tangible = shared["ships"]
    return {
        **shared,
        "id": name,
        "ordered": number,
        "wanted": wanted if gone or not isinstance(wanted, int) else max(0, wanted - back),
        "gone": number if gone else 0,
        "back": back if gone else 0,
        "group": "digital" if not tangible else TILL if way is None else _group(way),
        "manager": "done" if tangible and way is None else "hub",
        **{name: major(value, currency) for name, value in amounts.items()},
    }


def _tangible(line: Row) -> bool:
    return line.get("item_type", "ITEM") not in NO_GOODS


def _parts(line: Row, whole: int, ways: Sequence[Row]) -> list[tuple[int | None, int]]:
    """Which units go which way: by the fulfilments that live first; what none names was carried out."""
    parts: list[tuple[int | None, int]] = []
    left = whole
    for place in sorted(range(len(ways)), key=lambda at: ways[at].get("state") in DEAD):
        mine = min(left, _named(line, ways[place], whole))
        if mine > 0:
            parts.append((place, mine))
            left -= mine
    if left > 0 or not parts:
        parts.append((None, left))
    return parts


def _named(line: Row, way: Row, whole: int) -> int:
    if way.get("line_item_application") != "ENTRY_LIST":
        return whole
    numbers = [
        units(one.get("quantity")) for one in way.get("entries") or () if one.get("line_item_uid") == line.get("uid")
    ]
    return sum(number for number in numbers if isinstance(number, int))


def _wanted(number: int | Decimal, way: int | None, ways: Sequence[Row], state: object) -> tuple[int | Decimal, bool]:
    """Units still wanted, and whether they are with the customer.

    An open order without a fulfilment is a ticket at the till: nothing of it is sold yet. In an order with
    fulfilments, what none of them names went over the counter when it was placed.
    """
    if state in (CANCELED, DRAFT):
        return 0 if way is None or state == DRAFT else number, False
    if way is None:
        sold = state == COMPLETED or bool(ways)
        return (number, True) if sold else (0, False)
    if ways[way].get("state") in DEAD:
        return 0, False
    return number, ways[way].get("state") == COMPLETED


def _group(way: int) -> str:
    return GROUPS[way] if way < len(GROUPS) else f"fulfilment_{way + 1}"


def _name(way: int | None, ways: Sequence[Row]) -> str:
    return "till" if way is None else str(ways[way].get("uid") or way)


def title(line: Row) -> str | None:
    """The item's name and the variation's, where it has one of its own."""
    name, variation = line.get("name"), line.get("variation_name")
    if not name or not variation or variation in ("Regular", name):
        return name or variation or ("Custom amount" if line.get("item_type") == "CUSTOM_AMOUNT" else None)
    return f"{name}, {variation}"


def line_money(line: Row, currency: str) -> dict[str, int]:
    """Subtotal, discount and tax of a line, without tax in the subtotal.

    Square's rule: line total = gross sales - discount + tax + its part of apportioned service charges. Whether gross
    sales hold an inclusive tax depends on the seller's country: the stated total tells.
    """
    tax, discount = cents(line.get("total_tax_money"), currency), cents(line.get("total_discount_money"), currency)
    gross = gross_sales(line, currency)
    subtotal = gross
    if line.get("total_money") is not None:
        total = cents(line["total_money"], currency)
        charged = cents(line.get("total_service_charge_money"), currency)
        bare = gross - discount + tax
        inclusive = total in (bare - tax, bare - tax + charged) and total not in (bare, bare + charged)
        subtotal = gross - tax if inclusive else gross
    return {"subtotal": subtotal, "discount": discount, "tax": tax}


def gross_sales(line: Row, currency: str) -> int:
    """What the line came to before discount: the first of Square's figures that is there."""
    for name in ("gross_sales_money", "variation_total_price_money"):
        if line.get(name) is not None:
            return cents(line[name], currency)
    if line.get("total_money") is not None:
        tax, discount = (cents(line.get(name), currency) for name in ("total_tax_money", "total_discount_money"))
        return cents(line["total_money"], currency) - tax + discount
    price = cents(line.get("base_price_money"), currency) * Decimal(units(line.get("quantity")))
    if price != int(price):
        raise ValueError("the line states no sum, and price times quantity is no whole number of minor units")
    return int(price)
