"""What a supplier is asked to send, at which price, and what it said to that. Informative: nothing is booked by it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

import msgspec

from hub.domain.money import SCALE


class UnitCost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one unit of a line costs us: by our line reference, or by SKU where the supplier keeps no reference."""

    unit_cost: Decimal
    line: str | None = None
    sku: str | None = None


class Purchase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The purchase order that a supplier got of a fulfilment order, and its acknowledgement. Prices are by demand."""

    number: str | None = None
    """The supplier's papers carry it; never repeated for one supplier. None while only the supplier has spoken."""
    currency: str | None = None
    """Of the agreed prices."""
    agreed: dict[str, Decimal] = {}
    """What a unit was to cost when it was ordered, or what was approved since; a demand that is not here: unknown."""
    tolerance_percent: Decimal = Decimal(0)
    """So much dearer is taken without asking."""
    transit_days: int = 0
    """From the supplier's door to the customer's."""
    acknowledged_at: datetime | None = None
    ships_on: datetime | None = None
    """When the supplier lets it leave, at the latest."""
    promised_at: datetime | None = None
    """What the customer was promised instead of the earlier date because of that; None while that one is kept."""
    stated: dict[str, Decimal] = {}
    """What the supplier says that a unit costs."""
    stated_currency: str | None = None
    cost: int | None = None
    """Minor units of `stated_currency` for what it took on, rounded up; None while one of its prices is unknown."""
    value: int | None = None
    """What the same units are sold for, in minor units of the order's currency, after discounts."""


def total_cost(units: Mapping[str, int], prices: Mapping[str, Decimal], currency: str | None) -> int | None:
    """Minor units for so many units of each demand, rounded up; None where a price or the currency is unknown."""
    scale = SCALE.get(currency or "")
    if scale is None or not units or any(demand not in prices for demand in units):
        return None
    exact = sum((prices[demand] * count for demand, count in units.items()), Decimal(0))
    return int((exact * scale).to_integral_value(ROUND_CEILING))


def dearer(purchase: Purchase) -> list[str]:
    """Demands that cost more than was agreed, beyond the tolerance, or in another currency than was agreed."""
    if not purchase.agreed:
        return []
    if purchase.stated_currency != purchase.currency:
        return sorted(purchase.stated, key=int)
    most = 1 + purchase.tolerance_percent / 100
    return sorted(
        (no for no, cost in purchase.stated.items() if no in purchase.agreed and cost > purchase.agreed[no] * most),
        key=int,
    )
