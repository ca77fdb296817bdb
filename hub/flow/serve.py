"""Who waits for goods is served by the transaction that receives them: by priority, then by promise.

Nobody who orders meanwhile can take what they wait for: the shelves change and are promised in one commit.
"""

from collections.abc import Iterable
from typing import Final

from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.take_order import advance
from hub.flow.urgency import most_urgent
from hub.flow.waiting import PREORDER

MOST: Final = 500
"""Orders that are served by one transaction; who stands further back is woken by it and served by the next ones."""


async def line_up(unit: Unit, merchant: str, items: Iterable[int]) -> list[Order]:
    """Lock those who wait for items, then every shelf that serving them may touch, in everybody's order.

    To be called before anything changes: orders are locked before stock.
    """
    wanted = set(items)
    ids = await unit.in_line(merchant, sorted(_causes(wanted)), MOST) if wanted else []
    if not ids:
        return []
    orders = list((await unit.by_id(ids)).values())
    await unit.free(wanted | {item for order in orders for item in _lacking(order)}, lock=True)
    return sorted(orders, key=most_urgent)


async def serve(unit: Unit, line: Iterable[Order], items: Iterable[int], batch: Batch) -> int:
    """Decide and promise anew for those of the line who wait for these items; returns how many they are."""
    causes = _causes(items)
    mine = [order for order in line if any(wait.cause in causes for wait in order.waits.values())]
    if mine:
        await advance(unit, mine, batch._replace(lock_stock=True))
    return len(mine)


async def open_sales(unit: Unit, batch: Batch) -> int:
    """Serve those who ordered before an item's day, which has come; returns how many they are."""
    served = 0
    opened = await unit.opened(batch.now)
    for merchant in sorted({merchant for merchant, _ in opened}):
        items = [item for owner, item in opened if owner == merchant]
        line = await line_up(unit, merchant, items)
        await serve(unit, line, items, batch)
        served += sum(all(wait.queue != PREORDER for wait in order.waits.values()) for order in line)
    return served


def _causes(items: Iterable[int]) -> set[str]:
    return {f"item:{item}" for item in items}


def _lacking(order: Order) -> set[int]:
    """Items of which a node is still to be found for some units."""
    states = (SliceState.UNALLOCATED, SliceState.BACKORDERED)
    found = {order.demands[part.demand].item for part in order.slices.values() if part.state in states}
    return {item for item in found if item is not None}
