"""What can be sold. The ledger, reservations and slices use the item id; a SKU is an alias that may be renamed."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

import msgspec

from hub.domain.money import SCALE


class StockMode(StrEnum):
    """Whether the hub counts it."""

    TRACKED = "tracked"
    UNLIMITED = "unlimited"
    NONE = "none"


class LotPolicy(StrEnum):
    """Which lot leaves first."""

    NONE = "none"
    FIFO = "fifo"
    FEFO = "fefo"


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a kit: `quantity` base units of `sku` per kit."""

    sku: str
    quantity: int


class Dimensions(msgspec.Struct, frozen=True, kw_only=True):
    """Outer size in millimetres."""

    length_mm: int
    width_mm: int
    height_mm: int


class Customs(msgspec.Struct, frozen=True, kw_only=True):
    """What a border asks."""

    hs_code: str | None = None
    origin_country: str | None = None
    description: str | None = None
    value: dict[str, Decimal] = {}
    """What a base unit is declared at by currency where nothing was paid for it, as a gift or a replacement."""


class Particulars(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger may tell of an item; the fields are the item's own."""

    title: str | None = None
    barcodes: tuple[str, ...] = ()
    base_unit: str = "each"
    conversions: dict[str, int] = {}
    weight_g: int | None = None
    dimensions: Dimensions | None = None
    customs: Customs | None = None
    unit_cost: dict[str, Decimal] = {}
    price: dict[str, Decimal] = {}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to sell or ship, of one merchant."""

    id: int
    merchant: str
    sku: str
    barcodes: tuple[str, ...] = ()
    base_unit: str = "each"
    conversions: dict[str, int] = {}
    """Base units per other unit: {"case": 12}."""
    weight_g: int | None = None
    dimensions: Dimensions | None = None
    classes: tuple[str, ...] = ()
    """hazmat, age_restricted, cold, ...: what a node must be capable of."""
    customs: Customs | None = None
    unit_cost: dict[str, Decimal] = {}
    """What a base unit costs the merchant, by currency; unknown in others. Informative: routing rules may ask what a
    sale earns, nothing is booked by it."""
    price: dict[str, Decimal] = {}
    """The list price of a base unit, by currency. Informative: what is paid is what the order says."""
    ships: bool = True
    stock_mode: StockMode = StockMode.TRACKED
    lot_policy: LotPolicy = LotPolicy.NONE
    components: tuple[Component, ...] = ()
    kit_version: int = 1


def margin(value: int, units: int, unit_cost: Mapping[str, Decimal], currency: str) -> int | None:
    """What so many units earn that bring `value`, in minor units of `currency`, their cost rounded up.

    None where their cost in that currency is not known.
    """
    cost, scale = unit_cost.get(currency), SCALE.get(currency)
    if cost is None or scale is None:
        return None
    return value - int((cost * units * scale).to_integral_value(ROUND_CEILING))
