"""What can be sold. The ledger, reservations and slices use the item id; a SKU is an alias that may be renamed."""

from enum import StrEnum

import msgspec


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
    ships: bool = True
    stock_mode: StockMode = StockMode.TRACKED
    lot_policy: LotPolicy = LotPolicy.NONE
    components: tuple[Component, ...] = ()
    kit_version: int = 1
