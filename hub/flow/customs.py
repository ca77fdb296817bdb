"""What a customs border asks of goods: their declaration, made of the items' data and what was paid."""

from collections.abc import Mapping
from decimal import ROUND_CEILING
from typing import Final

from hub.domain.contact import Contact
from hub.domain.money import MINOR_UNITS, SCALE
from hub.flow.aggregate import Order
from hub.flow.cartons import Goods
from hub.flow.credit import billed
from hub.sdk.capabilities import Declaration, DeclaredGoods

_UNION = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE MC"
UNIONS: Final = (frozenset(_UNION.split()), frozenset({"US", "PR"}), frozenset({"CH", "LI"}))
"""Countries without a customs border between them: the union of the European Union (with Monaco), the United States
with Puerto Rico, Switzerland with Liechtenstein. Special territories inside them are not told by the country alone."""


class Undeclared(ValueError):
    """A border asks for what nobody said of an item."""

    def __init__(self, sku: str, lacking: list[str], where: str) -> None:
        super().__init__(f"{sku}: {', '.join(lacking)} unknown, and the parcel goes {where}")
        self.sku, self.lacking, self.where = sku, lacking, where


def crosses_border(ship_from: Contact, ship_to: Contact) -> bool:
    """Whether goods are declared on the way. An unknown country crosses nothing: a carrier refuses such an address."""
    here, there = ship_from.country, ship_to.country
    if here is None or there is None or here == there:
        return False
    return not any(here in union and there in union for union in UNIONS)


def declare(
    order: Order, units: Mapping[int, int], goods: Mapping[int, Goods], ship_from: Contact, ship_to: Contact
) -> Declaration | None:
    """The declaration of units by demand; None where no border is crossed, or nothing is sent.

    A line's value is what was paid for its units; what cost nothing has the item's own customs value, else its list
    price. Raises `Undeclared` for the first item without a description, origin, tariff number or value.
    """
    if not units or not crosses_border(ship_from, ship_to):
        return None
    where = f"from {ship_from.country} to {ship_to.country}"
    found = [
        _declared(order, demand, quantity, goods.get(order.demands[demand].item or 0), where)
        for demand, quantity in sorted(units.items())
    ]
    return Declaration(currency=order.currency, goods=tuple(found), invoice=order.number or None)


def _declared(order: Order, no: int, units: int, goods: Goods | None, where: str) -> DeclaredGoods:
    demand = order.demands[no]
    sku = goods.sku if goods else demand.sku or f"line {demand.line}"
    customs = goods.customs if goods else None
    description = (customs.description if customs else None) or (goods.title if goods else None)
    value = _paid(order, no, units) or _worth(order, units, goods)
    lacking = [
        name
        for name, known in (
            ("description", description),
            ("origin_country", customs and customs.origin_country),
            ("hs_code", customs and customs.hs_code),
            ("value", value),
        )
        if not known
    ]
    if lacking or customs is None or description is None or value is None:
        raise Undeclared(sku, lacking, where)
    return DeclaredGoods(
        description=description,
        quantity=units,
        value=value,
        hs_code=customs.hs_code,
        origin_country=customs.origin_country,
    )


def _paid(order: Order, no: int, units: int) -> int | None:
    """What was paid for units of a demand, in minor units; None where that is nothing or unknown."""
    demand = order.demands[no]
    lines = order.content.lines if order.content else ()
    line = next((one for one in lines if one.external_id == demand.line), None)
    if line is None or billed(line) <= 0 or order.currency not in MINOR_UNITS:
        return None
    # A kit's price is shared among its components by their number, rounded down; a customs value is never nothing.
    parts = sum(other.per_unit for other in order.demands.values() if other.line == demand.line)
    sold = line.subtotal - line.discount
    return max(1, sold * units // (billed(line) * parts)) if sold > 0 else None


def _worth(order: Order, units: int, goods: Goods | None) -> int | None:
    """The item's own customs value, else its list price, in minor units, rounded up; None where it has neither in the
    order's currency."""
    stated = goods.customs.value.get(order.currency) if goods and goods.customs else None
    each = goods.price.get(order.currency) if goods and stated is None else stated
    if each is None:
        return None
    scale = SCALE.get(order.currency)
    return None if scale is None else int((each * units * scale).to_integral_value(ROUND_CEILING)) or None
