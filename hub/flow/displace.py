"""Law 8: a shelf holds less than was promised of it. The least urgent units that no node was told of give way at once.

They go back to unallocated with the reason on them and are decided anew, elsewhere if there is any, or wait their turn.
Units that a node works on stay: it confirms or refuses them one by one. What they lack is told.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.take_order import advance
from hub.flow.trouble import Trouble
from hub.flow.urgency import Urgency, urgency

SHELVES: Final = 50
"""Shelves seen to in one transaction."""

ORDERS: Final = 200
"""Orders that give way at one shelf in one transaction; the shelf is marked anew when that was not enough."""

Shelf = tuple[int, int]
"""(item, node)."""


class Yield(NamedTuple):
    """Units that give way."""

    order: str
    slice: int
    units: int


def choose(orders: Mapping[str, Order], shelf: Shelf, missing: int) -> list[Yield]:
    """Which unreleased units of a shelf give way: the least urgent first, no more than are missing. Pure."""
    item, node = shelf
    places: list[tuple[Urgency, int, str, int]] = []
    for order in orders.values():
        for part in order.slices.values():
            demand = order.demands[part.demand]
            if part.state is SliceState.RESERVED and part.node == node and demand.item == item and demand.tracked:
                places.append((urgency(order, demand), part.no, order.id, part.quantity))
    chosen = []
    for _, no, order_id, quantity in sorted(places, reverse=True):
        if missing <= 0:
            break
        units = min(missing, quantity)
        chosen.append(Yield(order_id, no, units))
        missing -= units
    return chosen


async def displace(unit: Unit, batch: Batch) -> int:
    """See to marked shelves in one transaction; returns how many there were. Raises `LostRace`.

    Orders are locked before stock, so the shelves are looked at again under their locks: a count that came meanwhile
    may have ended the deficit.
    """
    shelves = await unit.deficits(SHELVES)
    if not shelves:
        return 0
    orders = await unit.by_id(await unit.yielding(shelves, ORDERS))
    missing = await unit.missing(shelves)
    freed = await unit.displace_carts(missing)
    missing = {shelf: units - freed.get(shelf, 0) for shelf, units in missing.items()}
    left: dict[Shelf, int] = {}
    again: list[Shelf] = []
    for shelf, units in sorted(missing.items()):
        chosen = choose(orders, shelf, units)
        for one in chosen:
            _give_way(orders[one.order], one, shelf, batch)
        rest = units - sum(one.units for one in chosen)
        if rest and len({one.order for one in chosen}) >= ORDERS:
            again.append(shelf)
        elif rest:
            left[shelf] = rest
    await advance(unit, orders.values(), batch)
    await unit.mark_deficits(again)
    await _tell(unit, left, batch)
    return len(shelves)


def _give_way(order: Order, one: Yield, shelf: Shelf, batch: Batch) -> None:
    order.take_back(one.slice, "displaced", one.units)
    code = batch.directory.nodes[shelf[1]].code
    order.note(batch.now, "displaced", f"{one.units} units at {code}: less is there than was promised")


async def _tell(unit: Unit, left: Mapping[Shelf, int], batch: Batch) -> None:
    """What nobody could give way for: goods that nodes were asked for and that are not there."""
    if not left:
        return
    items = await unit.items_by_id({item for item, _ in left})
    owners = await unit.merchants({item for item, _ in left})
    troubles: list[tuple[str, str | None, Trouble]] = []
    for (item, node), units in left.items():
        code = batch.directory.nodes[node].code
        step = (
            f"{units} units that {code} was asked for are not on its shelf. It will refuse or report them short; count "
            "the shelf if they are there after all. A count that covers them closes this."
        )
        cause = f"{code}: {items[item].sku}"
        troubles.append((owners[item], None, Trouble("deficit", cause, step, waiter=("shelf", f"{item}:{node}"))))
    await unit.raise_troubles(troubles, batch.now)
