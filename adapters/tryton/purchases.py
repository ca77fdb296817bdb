"""Open purchase orders: what is still to come, to which warehouse, and when.

Of a purchase order in process Tryton keeps a move per line for what is still to come, in the product's own unit, and
makes one for the rest of what came in part. One that is confirmed has its moves once Tryton processes it, at once
unless it is configured to wait.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

import msgspec

from adapters.tryton.client import Domain, Tryton
from adapters.tryton.schemas import Coded, Day, Row
from adapters.tryton.settings import Settings
from hub.domain.facts import SupplyLine
from hub.sdk.capabilities import Context, Page
from hub.sdk.supply_reads import supply_pages, whole_units

AT_ONCE: Final = 1000
TO_COME: Final = ("draft", "assigned")
UNDATED: Final = date.min
"""Of a move without a date: it is expected, and as overdue supply never promised."""
NO_WAREHOUSE: Final = "no warehouse"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A linked location."""

    id: int
    code: str | None = None
    name: str | None = None
    type: str | None = None


class PurchaseOrder(Row, frozen=True, kw_only=True):
    """A purchase order. State: draft, quotation, confirmed, processing, done, cancelled."""

    model: ClassVar[str] = "purchase.purchase"
    links: ClassVar[tuple[str, ...]] = ("warehouse.code", "warehouse.name")

    number: str | None
    moves: tuple[int, ...]
    warehouse: Place | None = msgspec.field(name="warehouse.", default=None)


class Incoming(Row, frozen=True, kw_only=True):
    """What one brings; `internal_quantity` is in the product's own unit. Of a return the other way round."""

    model: ClassVar[str] = "stock.move"
    links: ClassVar[tuple[str, ...]] = ("product.code", "from_location.type")

    internal_quantity: Decimal
    state: str
    planned_date: Day | None
    product: Coded | None = msgspec.field(name="product.", default=None)
    came: Place | None = msgspec.field(name="from_location.", default=None)


async def pull_supply(context: Context[Settings], cursor: str | None, /) -> AsyncIterator[Page]:
    """All purchase orders in process, told where they changed."""
    tryton = Tryton(context)
    owners: dict[int, PurchaseOrder] = {}
    async for order in _orders(tryton):
        owners |= dict.fromkeys(order.moves, order)
    told: dict[str, list[SupplyLine]] = defaultdict(list)
    ids = sorted(owners)
    for start in range(0, len(ids), AT_ONCE):
        for move in await tryton.read_rows(Incoming, ids[start : start + AT_ONCE]):
            line = _line(owners[move.id], move)
            if line is not None:
                told[owners[move.id].number or f"draft {owners[move.id].id}"].append(line)
    for page in supply_pages(told, cursor, context.now()):
        yield page


async def _orders(tryton: Tryton) -> AsyncIterator[PurchaseOrder]:
    after = 0
    while True:
        terms: Domain = [
            ["state", "=", "processing"],
            ["company", "=", tryton.settings.company_id],
            ["id", ">", after],
        ]
        found = await tryton.rows(PurchaseOrder, terms, limit=AT_ONCE)
        for one in found:
            yield one
        if len(found) < AT_ONCE:
            return
        after = found[-1].id


def _line(order: PurchaseOrder, move: Incoming) -> SupplyLine | None:
    """None of what came or was cancelled, of a return, and of less than a unit."""
    units = whole_units(move.internal_quantity)
    if move.state not in TO_COME or units < 1 or move.came is None or move.came.type != "supplier":
        return None
    place = order.warehouse or Place(id=0)
    product = move.product or Coded(id=0)
    return SupplyLine(
        location=place.code or place.name or NO_WAREHOUSE,
        sku=product.code or f"product {product.id} without a code",
        quantity=units,
        due=move.planned_date.day_of_it if move.planned_date else UNDATED,
    )
