"""Odoo 19's rows, as far as we read them. A struct's fields are what is asked for: one list for the question and the
answer. Every type may be `false`, which is Odoo's null."""

from decimal import Decimal
from typing import ClassVar, Final

import msgspec

Text = str | bool
Many2one = tuple[int, str] | bool
"""[id, display name], or false."""


def display(value: Many2one) -> str | None:
    """Display name of a many2one."""
    return value[1] if isinstance(value, tuple) else None


def record_id(value: Many2one) -> int | None:
    """Id of a many2one."""
    return value[0] if isinstance(value, tuple) else None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `model`."""

    model: ClassVar[str]

    id: int


class SaleOrder(Row, frozen=True, kw_only=True):
    """State: draft, sent, sale, cancel."""

    model: ClassVar[str] = "sale.order"

    name: str
    state: str
    currency_id: Many2one
    amount_total: Decimal


class SaleOrderLine(Row, frozen=True, kw_only=True):
    """A line of a sale order; shipping and tax are lines too."""

    model: ClassVar[str] = "sale.order.line"

    order_id: Many2one
    state: Text
    order_partner_id: Many2one
    currency_id: Many2one
    product_id: Many2one
    product_uom_qty: Decimal
    qty_invoiced: Decimal
    invoice_lines: tuple[int, ...]
    """Lines of invoices, whoever made them."""


class Picking(Row, frozen=True, kw_only=True):
    """A transfer. State: draft, waiting, confirmed, assigned, done, cancel; assigned does not mean fully reserved."""

    model: ClassVar[str] = "stock.picking"

    name: str
    state: str
    carrier_tracking_ref: Text


class StockMove(Row, frozen=True, kw_only=True):
    """A product within a transfer. `product_uom_qty` is what was asked for."""

    model: ClassVar[str] = "stock.move"

    picking_id: Many2one
    product_id: Many2one
    product_uom_qty: Decimal


class AccountMove(Row, frozen=True, kw_only=True):
    """An invoice or credit note. State: draft, posted, cancel; a draft has no name."""

    model: ClassVar[str] = "account.move"

    name: Text
    ref: Text
    move_type: str
    state: str
    partner_id: Many2one
    currency_id: Many2one
    amount_total: Decimal


class Product(Row, frozen=True, kw_only=True):
    """A product variant; `default_code` is the SKU and need not be unique."""

    model: ClassVar[str] = "product.product"

    default_code: Text


class Partner(Row, frozen=True, kw_only=True):
    """A contact, of which we want to know no more."""

    model: ClassVar[str] = "res.partner"


class Country(Row, frozen=True, kw_only=True):
    """A country."""

    model: ClassVar[str] = "res.country"


class Currency(Row, frozen=True, kw_only=True):
    """A currency that is in use."""

    model: ClassVar[str] = "res.currency"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error body. Its `debug` is a server traceback, and is not even read."""

    name: str
    message: str = ""


class UserContext(msgspec.Struct, frozen=True, kw_only=True):
    """Who the API key belongs to."""

    uid: int


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of /web/version."""

    version: str
    version_info: tuple[int | str, ...]


class RpcVersion(
    msgspec.Struct, frozen=True, kw_only=True, rename={"version": "server_version", "info": "server_version_info"}
):
    """Answer of `common.version`."""

    version: str
    info: tuple[int | str, ...]


WRITTEN: Final[dict[str, tuple[str, ...]]] = {
    "sale.order": (
        "partner_id",
        "client_order_ref",
        "origin",
        "date_order",
        "order_line",
        "company_id",
        "warehouse_id",
        "pricelist_id",
    ),
    "sale.order.line": ("product_id", "name", "product_uom_qty", "price_unit", "tax_ids"),
    "stock.picking": ("carrier_tracking_ref", "move_ids"),
    "stock.move": ("quantity", "picked"),
    "account.move": (
        "move_type",
        "partner_id",
        "ref",
        "invoice_origin",
        "invoice_date",
        "currency_id",
        "reversed_entry_id",
        "company_id",
        "journal_id",
        "invoice_line_ids",
        "date",
        "line_ids",
    ),
    "account.move.line": (
        "product_id",
        "name",
        "quantity",
        "price_unit",
        "tax_ids",
        "sale_line_ids",
        "account_id",
        "partner_id",
        "currency_id",
        "amount_currency",
    ),
    "product.product": ("default_code", "name", "type", "is_storable", "invoice_policy", "taxes_id"),
    "res.partner": ("name", "email", "ref", "street", "street2", "city", "zip", "country_id"),
}
"""Fields that we write, per model."""

SEARCHED: Final[dict[str, tuple[str, ...]]] = {
    "sale.order": ("client_order_ref", "company_id"),
    "stock.picking": ("sale_id", "picking_type_id"),
    "stock.move": ("state",),
    "account.move": ("company_id",),
    "res.partner": ("email_normalized",),
}
"""Fields that we search by without reading or writing them, per model."""


def needed() -> dict[str, frozenset[str]]:
    """Every field that the adapter depends on, per model: what the connection test asks the database for."""
    fields: dict[str, set[str]] = {}
    for row in (SaleOrder, SaleOrderLine, Picking, StockMove, AccountMove, Product, Partner):
        fields.setdefault(row.model, set()).update(row.__struct_fields__)
    for named in (WRITTEN, SEARCHED):
        for model, names in named.items():
            fields.setdefault(model, set()).update(names)
    return {model: frozenset(names) for model, names in fields.items()}
