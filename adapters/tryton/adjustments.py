"""Book stock adjustments: what is gone goes to the warehouse's lost-and-found location, what was found comes from it.

Internal shipments and not inventories: an inventory sets a quantity, and would undo whatever moved in Tryton meanwhile;
and a bare move has no field for our name of it. A document is two shipments at most, for a shipment has one direction:
"<key>/out" and "<key>/in" as reference. Each is looked for first, always, and gone on with from what is found.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

from adapters.tryton.client import Tryton
from adapters.tryton.schemas import Product, Row
from adapters.tryton.settings import Settings, account
from adapters.tryton.translate import Values, day
from hub.sdk.booking import NO_ITEM, NO_LOCATION, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome, blocked
from hub.sdk.posting import AdjustedLine, StockAdjustment
from hub.sdk.stock_booking import booked, by_direction, living

BUTTONS: Final = {"draft": "wait", "waiting": "assign_force", "assigned": "do"}
"""Which button leads on from a state. Forced: what is gone is gone, whatever Tryton counted."""

Ways = Mapping[str, Sequence[AdjustedLine]]
"""Lines by the reference of their shipment."""


class Adjustment(Row, frozen=True, kw_only=True):
    """An internal shipment. State: request, draft, waiting, assigned, packed, shipped, done, cancelled."""

    model: ClassVar[str] = "stock.shipment.internal"

    number: str | None
    reference: str | None
    state: str
    moves: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its number, which a draft may lack."""
        return self.number or f"draft {self.id}"

    @property
    def mark(self) -> str:
        """Our name of it."""
        return str(self.reference)

    @property
    def cancelled(self) -> bool:
        """Nothing moves by it."""
        return self.state == "cancelled"


class AdjustmentMove(Row, frozen=True, kw_only=True):
    """A line of one."""

    model: ClassVar[str] = "stock.move"

    product: int
    quantity: Decimal


class Shelves(Row, frozen=True, kw_only=True):
    """Where a warehouse keeps goods, and where it books what it lost and found."""

    model: ClassVar[str] = "stock.location"

    storage_location: int | None
    lost_found_location: int | None


class Places(NamedTuple):
    """Ids of the two ends of a shipment."""

    storage: int
    lost: int


async def post_stock(context: Context[Settings], request: StockAdjustment) -> Outcome:
    """Book one document, dated with its day. Done names its shipments."""
    return await within_period(_post(Tryton(context), request), account(context.settings), request.dated)


async def _post(tryton: Tryton, request: StockAdjustment) -> Outcome:
    ways = by_direction(request)
    places = await _places(tryton, request)
    products = await _products(tryton, request)
    shipments = await _shipments(tryton, ways)
    if all(mark in shipments and shipments[mark].state == "done" for mark in ways):
        return booked(shipments, found=True)
    missing = [mark for mark in ways if mark not in shipments]
    if missing:
        # One call, one transaction: both, or none.
        made = [_values(tryton, mark, ways[mark], products, places, day(request.dated)) for mark in missing]
        await tryton.call(list[int], f"model.{Adjustment.model}.create", made, write=True)
        shipments = await _shipments(tryton, ways)
    if len(shipments) < len(ways):
        raise blocked(f"{request.key} was made in Tryton and is not shown", "check the user's access in Tryton")
    for mark in ways:
        shipments[mark] = await _finish(tryton, ways[mark], shipments[mark], products)
    return booked(shipments, found=False)


async def _places(tryton: Tryton, request: StockAdjustment) -> Places:
    code = tryton.settings.adjustment_warehouses.get(request.node)
    step = "name its warehouse's code in adjustment_warehouses, then retry"
    if code is not None:
        step = f"give warehouse {code} a storage and a lost-and-found location in Tryton, then retry"
        found = await tryton.rows(Shelves, [["type", "=", "warehouse"], ["code", "=", code]], limit=2)
        if len(found) == 1:
            storage, lost = found[0].storage_location, found[0].lost_found_location
            if storage is not None and lost is not None:
                return Places(storage, lost)
        else:
            step = f"Tryton has {len(found) or 'no'} warehouses with the code {code}: correct it, then retry"
    reason = f"{account(tryton.settings)}: stock adjustments of node {request.node}"
    raise Interrupted(NeedsPerson(kind=NO_LOCATION, reason=reason, next_step=step))


async def _products(tryton: Tryton, request: StockAdjustment) -> dict[str, Product]:
    wanted = sorted({line.sku for line in request.lines})
    found: dict[str, Product] = {}
    for product in await tryton.rows(Product, [["code", "in", wanted]], limit=10 * len(wanted) + 1):
        if product.code is not None and found.setdefault(product.code, product) is not product:
            raise blocked(f"SKU {product.code} is the code of several products in Tryton", "rename all but one there")
    missing = ", ".join(sku for sku in wanted if sku not in found)
    if missing:
        reason = f"{account(tryton.settings)}: {missing}"
        step = "create the product in Tryton with this code, then retry"
        raise Interrupted(NeedsPerson(kind=NO_ITEM, reason=reason, next_step=step))
    return found


async def _shipments(tryton: Tryton, ways: Ways) -> dict[str, Adjustment]:
    """Those that live, by reference."""
    terms: list[object] = [["reference", "in", sorted(ways)], ["company", "=", tryton.settings.company_id]]
    found = await tryton.rows(Adjustment, terms, limit=20)
    return living(found, "Tryton", "the reference of the cancelled shipment")


async def _finish(
    tryton: Tryton, lines: Sequence[AdjustedLine], shipment: Adjustment, products: Mapping[str, Product]
) -> Adjustment:
    """Take one to done, with exactly the units that were told."""
    if shipment.state != "done":
        moves = await tryton.read_rows(AdjustmentMove, shipment.moves)
        wanted = sorted((products[line.sku].id, Decimal(abs(line.quantity))) for line in lines)
        if sorted((move.product, move.quantity) for move in moves) != wanted:
            step = f"delete {shipment.name} there, then retry"
            raise blocked(f"{shipment.name} ({shipment.reference}) was changed in Tryton", step)
    while shipment.state != "done":
        before = shipment.state
        if before in BUTTONS:
            await tryton.act(Adjustment.model, BUTTONS[before], shipment.id)
            shipment = (await tryton.read_rows(Adjustment, [shipment.id]))[0]
        if shipment.state == before:
            raise blocked(f"{shipment.name} ({shipment.reference}) stays {before}", "finish it in Tryton, then retry")
    return shipment


def _values(
    tryton: Tryton,
    mark: str,
    lines: Sequence[AdjustedLine],
    products: Mapping[str, Product],
    places: Places,
    on: Values,
) -> Values:
    came, went = (places.storage, places.lost) if lines[0].quantity < 0 else (places.lost, places.storage)
    ends: Values = {"company": tryton.settings.company_id, "from_location": came, "to_location": went}
    moves = [
        {
            **ends,
            "product": products[line.sku].id,
            "unit": products[line.sku].default_uom,
            "quantity": float(abs(line.quantity)),
        }
        for line in lines
    ]
    # Both days: Tryton would take today for the one that is missing, and wants them in order.
    return {
        **ends,
        "reference": mark,
        "effective_start_date": on,
        "effective_date": on,
        "moves": [["create", moves]],
    }
