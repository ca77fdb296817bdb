"""Odoo's rows of Inventory, as far as we read them; see `schemas.py`."""

from decimal import Decimal
from typing import ClassVar, Final

from adapters.odoo.schemas import Many2one, Row, Text


class Warehouse(Row, frozen=True, kw_only=True):
    """`code` is its short name; `delivery_steps` how many transfers a delivery takes."""

    model: ClassVar[str] = "stock.warehouse"

    code: str
    delivery_steps: str
    lot_stock_id: Many2one
    out_type_id: Many2one


class Location(Row, frozen=True, kw_only=True):
    """A place goods are at or move to."""

    model: ClassVar[str] = "stock.location"

    usage: str


class OperationType(Row, frozen=True, kw_only=True):
    """What kind of transfer it is, and of which warehouse."""

    model: ClassVar[str] = "stock.picking.type"

    warehouse_id: Many2one


class Transfer(Row, frozen=True, kw_only=True):
    """A transfer. State: draft, waiting, confirmed, assigned, done, cancel; assigned does not mean fully reserved."""

    model: ClassVar[str] = "stock.picking"

    name: str
    state: str
    origin: Text
    picking_type_id: Many2one
    backorder_id: Many2one
    return_id: Many2one
    carrier_id: Many2one
    carrier_tracking_ref: Text
    carrier_tracking_url: Text
    create_date: str
    date_done: Text
    write_date: str


class Move(Row, frozen=True, kw_only=True):
    """A product within a transfer. `product_uom_qty` is what is asked for, `quantity` what is reserved or, once it is
    done, what left. State: draft, waiting, confirmed, partially_available, assigned, done, cancel."""

    model: ClassVar[str] = "stock.move"

    picking_id: Many2one
    product_id: Many2one
    origin: Text
    state: str
    product_uom_qty: Decimal
    quantity: Decimal
    picked: bool
    write_date: str


class MoveLine(Row, frozen=True, kw_only=True):
    """What went from one place to another, of one lot. `origin` is that of its move."""

    model: ClassVar[str] = "stock.move.line"

    date: str
    move_id: Many2one
    product_id: Many2one
    lot_id: Many2one
    quantity_product_uom: Decimal
    """In the product's own unit."""
    location_id: Many2one
    location_dest_id: Many2one
    origin: Text
    reference: Text
    write_date: str


class Quant(Row, frozen=True, kw_only=True):
    """Units of a product, of one lot, at one place; what is reserved of them is among them."""

    model: ClassVar[str] = "stock.quant"

    product_id: Many2one
    lot_id: Many2one
    quantity: Decimal


class Region(Row, frozen=True, kw_only=True):
    """A state or province."""

    model: ClassVar[str] = "res.country.state"


ROWS: Final[tuple[type[Row], ...]] = (Warehouse, Location, OperationType, Transfer, Move, MoveLine, Quant, Region)

WRITTEN: Final[dict[str, tuple[str, ...]]] = {
    "stock.picking": (
        "picking_type_id",
        "location_id",
        "location_dest_id",
        "partner_id",
        "origin",
        "note",
        "carrier_id",
        "move_ids",
    ),
    "stock.move": (
        "product_id",
        "product_uom_qty",
        "location_id",
        "location_dest_id",
        "origin",
        "date",
        "sale_line_id",
    ),
    "stock.quant": ("location_id", "owner_id"),
    "stock.move.line": ("state",),
    "res.partner": ("name", "company_name", "type", "phone", "email", "street", "street2", "city", "zip", "state_id"),
    "res.country.state": ("code", "country_id"),
}
"""Fields that we write or search by besides, per model."""


def needed() -> dict[str, frozenset[str]]:
    """Every field of Inventory that the adapter depends on, per model."""
    fields: dict[str, set[str]] = {}
    for row in ROWS:
        fields.setdefault(row.model, set()).update(row.__struct_fields__)
    for model, names in WRITTEN.items():
        fields.setdefault(model, set()).update(names)
    return {model: frozenset(names) for model, names in fields.items()}
