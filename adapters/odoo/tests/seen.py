"""Rows as the recorded exchanges asked for them: with fewer fields than the adapter does, or others."""

from typing import ClassVar

from adapters.odoo.schemas import Many2one, Row, Text


class WarehouseSeen(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "stock.warehouse"
    code: str
    lot_stock_id: Many2one
    delivery_steps: str


class TransferSeen(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "stock.picking"
    name: str
    state: str
    origin: Text
    date_done: Text
    carrier_tracking_ref: Text


class ReturnSeen(TransferSeen, frozen=True, kw_only=True):
    return_id: Many2one
    backorder_id: Many2one


class QuantSeen(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "stock.quant"
    product_id: Many2one
    quantity: float
    reserved_quantity: float
    write_date: str


class PurchaseSeen(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "purchase.order"
    name: str
    state: str
    picking_ids: tuple[int, ...]


class LineSeen(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "account.move.line"
    display_type: str
    price_subtotal: float


class MethodSeen(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "delivery.carrier"
    name: str


class Nameless(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "no.such.model"


class Misnamed(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "sale.order"
    name: str
    no_such_field: str


class Anybody(Row, frozen=True, kw_only=True):
    model: ClassVar[str] = "res.partner"
