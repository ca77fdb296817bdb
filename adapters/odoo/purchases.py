"""Open purchase orders: what is still to come, to which warehouse, and when."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from adapters.odoo.client import Domain, Odoo, R
from adapters.odoo.facts import moment
from adapters.odoo.pulls import skus_of
from adapters.odoo.schemas import Many2one, Row, Text, record_id
from adapters.odoo.settings import Settings
from adapters.odoo.translate import company_terms
from adapters.odoo.warehouse_rows import OperationType
from hub.domain.facts import SupplyLine
from hub.sdk.capabilities import Context, Page
from hub.sdk.supply_reads import supply_pages, whole_units
from hub.sdk.translate import Malformed

AT_ONCE: Final = 1000
TYPES: Final = 1000
OPEN: Final[Domain] = (
    ["state", "in", ["purchase", "done"]],
    ["receipt_status", "in", ["pending", "partial"]],
)
"""Confirmed and, until 18, locked ones of which something is to be received yet."""
UNDATED: Final = date.min
"""Of a line without a date: it is expected, and as overdue supply never promised."""
NO_WAREHOUSE: Final = "no warehouse"


class PurchaseOrder(Row, frozen=True, kw_only=True):
    """A purchase order. State: draft, sent, to approve, purchase, done, cancel."""

    model: ClassVar[str] = "purchase.order"

    name: str
    picking_type_id: Many2one
    date_planned: Text


class PurchaseLine(Row, frozen=True, kw_only=True):
    """A line of one: `product_qty` and `qty_received` in the line's unit, `product_uom_qty` in the product's own."""

    model: ClassVar[str] = "purchase.order.line"

    order_id: Many2one
    product_id: Many2one
    product_qty: Decimal
    product_uom_qty: Decimal
    qty_received: Decimal
    date_planned: Text


class Warehouse(Row, frozen=True, kw_only=True):
    """A warehouse by its short name."""

    model: ClassVar[str] = "stock.warehouse"

    code: str


async def pull_supply(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """All purchase orders that are open, told where they changed; of the connection's warehouses where it names any."""
    odoo = Odoo(context)
    orders = await _all(odoo, PurchaseOrder, [*OPEN, *company_terms(odoo.settings)])
    codes = await _codes(odoo) if orders else {}
    named = odoo.settings.warehouses
    mine = {one.id: one for one in orders if not named or _place(one, codes) in named}
    lines: list[PurchaseLine] = []
    ids = sorted(mine)
    for start in range(0, len(ids), AT_ONCE):
        lines += await _all(odoo, PurchaseLine, [["order_id", "in", ids[start : start + AT_ONCE]]])
    skus = await skus_of(odoo, [line.product_id for line in lines])
    told: dict[str, list[SupplyLine]] = defaultdict(list)
    for line in lines:
        order = mine[record_id(line.order_id) or 0]
        units = left(line)
        if units > 0:
            told[order.name].append(
                SupplyLine(
                    location=_place(order, codes),
                    sku=skus[record_id(line.product_id) or 0],
                    quantity=units,
                    due=_day(line.date_planned, order.date_planned),
                )
            )
    for page in supply_pages(told, cursor, context.now()):
        yield page


def left(line: PurchaseLine) -> int:
    """Whole units of the product that a line still brings; sections and notes bring none."""
    if not line.product_qty or record_id(line.product_id) is None:
        return 0
    return whole_units((line.product_qty - line.qty_received) * line.product_uom_qty / line.product_qty)


async def _codes(odoo: Odoo) -> Mapping[int, str]:
    """Short name of the warehouse per operation type."""
    codes = {one.id: one.code for one in await odoo.every(Warehouse, [], limit=TYPES, archived=True)}
    types = await odoo.every(OperationType, [], limit=TYPES, archived=True)
    return {one.id: codes.get(record_id(one.warehouse_id) or 0, NO_WAREHOUSE) for one in types}


def _place(order: PurchaseOrder, codes: Mapping[int, str]) -> str:
    return codes.get(record_id(order.picking_type_id) or 0, NO_WAREHOUSE)


def _day(*planned: Text) -> date:
    """The first day that is stated, in UTC. What is no date promises nothing, as none does."""
    try:
        return next((moment(text).date() for text in planned if isinstance(text, str)), UNDATED)
    except Malformed:
        return UNDATED


async def _all(odoo: Odoo, kind: type[R], terms: Sequence[list[object] | str]) -> list[R]:
    found: list[R] = []
    while True:
        after: Domain = [["id", ">", found[-1].id]] if found else []
        page = await odoo.rows(kind, [*terms, *after], limit=AT_ONCE)
        found += page
        if len(page) < AT_ONCE:
            return found
