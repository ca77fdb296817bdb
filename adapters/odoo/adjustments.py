"""Book stock adjustments: what is gone goes to Odoo's adjustment location, what was found comes from there.

Transfers and not counts: a count sets a quantity, and would undo whatever moved in Odoo meanwhile. A document is two
transfers at most, for a transfer has one direction: "<key>/out" and "<key>/in" as source document. Each is looked for
first, always, and gone on with from what is found.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

from adapters.odoo.client import Odoo
from adapters.odoo.records import find_products
from adapters.odoo.schemas import Many2one, Row, Text, record_id
from adapters.odoo.settings import Settings, account
from adapters.odoo.translate import CREATE, Domain, Values
from hub.sdk.booking import NO_ITEM, NO_LOCATION, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome, blocked
from hub.sdk.posting import AdjustedLine, StockAdjustment
from hub.sdk.stock_booking import booked, by_direction, living

UPDATE: Final = 1
"""Odoo's command for a record of a list that is there already."""

MOST_MOVES: Final = 2000

Ways = Mapping[str, Sequence[AdjustedLine]]
"""Lines by the source document of their transfer."""


class Transfer(Row, frozen=True, kw_only=True):
    """A transfer of adjustments."""

    model: ClassVar[str] = "stock.picking"

    name: str
    state: str
    origin: Text

    @property
    def mark(self) -> str:
        """Our name of it."""
        return str(self.origin)

    @property
    def cancelled(self) -> bool:
        """Nothing moves by it."""
        return self.state == "cancel"


class Move(Row, frozen=True, kw_only=True):
    """A line of it."""

    model: ClassVar[str] = "stock.move"

    picking_id: Many2one
    product_id: Many2one
    product_uom_qty: Decimal


class Places(NamedTuple):
    """Odoo's ids that a transfer is made of."""

    type: int
    stock: int
    lost: int


async def post_stock(context: Context[Settings], request: StockAdjustment) -> Outcome:
    """Book one document. Done names its transfers. Odoo dates them when they are validated."""
    return await within_period(_post(Odoo(context), request), account(context.settings), request.dated)


async def _post(odoo: Odoo, request: StockAdjustment) -> Outcome:
    places = _places(odoo.settings, request)
    products = await _products(odoo, request)
    ways = by_direction(request)
    transfers = await _transfers(odoo, ways)
    if all(origin in transfers and transfers[origin].state == "done" for origin in ways):
        return booked(transfers, found=True)
    missing = [origin for origin in ways if origin not in transfers]
    if missing:
        # One call, one transaction: both, or none.
        made = [_values(origin, ways[origin], products, places) for origin in missing]
        await odoo.create("stock.picking", made)
        transfers = await _transfers(odoo, ways)
    if len(transfers) < len(ways):
        raise blocked(f"{request.key} was made in Odoo and is not shown", "check the rights of the API key's user")
    await _finish(odoo, ways, transfers, products)
    # A wizard's question is answered with 200 as well, so the state is read again.
    transfers = await _transfers(odoo, ways)
    for origin, transfer in transfers.items():
        if transfer.state != "done":
            raise blocked(f"Odoo did not validate {transfer.name} ({origin})", "validate it in Odoo, then retry")
    return booked(transfers, found=False)


def _places(settings: Settings, request: StockAdjustment) -> Places:
    kind, lost = settings.adjustment_type_id, settings.adjustment_location_id
    stock = settings.stock_location_ids.get(request.node)
    if kind is None or lost is None or stock is None:
        step = "set adjustment_type_id, adjustment_location_id and the node in stock_location_ids, then retry"
        reason = f"{account(settings)}: stock adjustments of node {request.node}"
        raise Interrupted(NeedsPerson(kind=NO_LOCATION, reason=reason, next_step=step))
    return Places(kind, stock, lost)


async def _products(odoo: Odoo, request: StockAdjustment) -> dict[str, int]:
    skus = {line.sku for line in request.lines}
    products = await find_products(odoo, skus)
    missing = ", ".join(sorted(skus - products.keys()))
    if missing:
        reason = f"{account(odoo.settings)}: {missing}"
        step = "create the product in Odoo with this internal reference, then retry"
        raise Interrupted(NeedsPerson(kind=NO_ITEM, reason=reason, next_step=step))
    return products


async def _finish(odoo: Odoo, ways: Ways, transfers: Mapping[str, Transfer], products: Mapping[str, int]) -> None:
    """Validate what is not done yet, with exactly the units that were told."""
    waiting = {origin: one for origin, one in transfers.items() if one.state != "done"}
    terms: Domain = [["picking_id", "in", [one.id for one in waiting.values()]], ["state", "!=", "cancel"]]
    found = await odoo.every(Move, terms, limit=MOST_MOVES)
    for origin, transfer in waiting.items():
        moves = [move for move in found if record_id(move.picking_id) == transfer.id]
        wanted = sorted((products[line.sku], Decimal(abs(line.quantity))) for line in ways[origin])
        if sorted((record_id(move.product_id) or 0, move.product_uom_qty) for move in moves) != wanted:
            raise blocked(f"{transfer.name} ({origin}) was changed in Odoo", f"delete {transfer.name} there, retry")
        if transfer.state == "draft":
            await odoo.act("stock.picking", "action_confirm", transfer.id)
        # What is gone is gone, whatever Odoo could reserve of it.
        taken = [[UPDATE, move.id, {"quantity": move.product_uom_qty, "picked": True}] for move in moves]
        await odoo.write("stock.picking", transfer.id, {"move_ids": taken})
        await odoo.act("stock.picking", "button_validate", transfer.id, skip_backorder=True, skip_sms=True)


async def _transfers(odoo: Odoo, ways: Ways) -> dict[str, Transfer]:
    """Those that live, by source document."""
    found = await odoo.rows(Transfer, [["origin", "in", sorted(ways)]], limit=20)
    return living(found, "Odoo", "the source document of the cancelled transfer")


def _values(origin: str, lines: Sequence[AdjustedLine], products: dict[str, int], places: Places) -> Values:
    gone = lines[0].quantity < 0
    ends = (places.stock, places.lost) if gone else (places.lost, places.stock)
    came, went = ends
    moves = [
        [CREATE, 0, {"product_id": products[line.sku], "product_uom_qty": abs(line.quantity), "location_id": came,
                     "location_dest_id": went}]
        for line in lines
    ]  # fmt: skip
    note = "; ".join(f"{line.sku} {line.quantity:+d} {line.reason}" for line in lines)
    return {
        "origin": origin,
        "picking_type_id": places.type,
        "location_id": came,
        "location_dest_id": went,
        "note": note,
        "move_ids": moves,
    }
