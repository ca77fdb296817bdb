"""What waited is tried again, woken by stock, items, nodes, policies, or the sweep: resolve, then route."""

import msgspec

from hub.domain.demand import Demand
from hub.domain.states import OrderState
from hub.flow.aggregate import Order
from hub.flow.amend import fit
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.serve import open_sales
from hub.flow.stock_ports import ItemFacts
from hub.flow.take_order import advance, find_item
from hub.flow.urgency import most_urgent
from hub.flow.waiting import UNRESOLVED, stop_waiting

LIMIT = 100


async def resume(unit: Unit, batch: Batch, limit: int = LIMIT) -> int:
    """Try again what is due in the named queues, in one transaction; returns how many orders that was."""
    opened = await open_sales(unit, batch)
    if opened:
        return opened
    due = await unit.waiting(limit, batch.directory.epoch)
    orders = await unit.by_id(batch.among(due))
    for order in orders.values():
        await _resolve(unit, order, batch)
    # The most urgent takes first of what there is.
    await advance(unit, sorted(orders.values(), key=most_urgent), batch)
    await unit.put_off({order.id: due[order.id] for order in orders.values() if order.waits})
    return len(orders)


async def _resolve(unit: Unit, order: Order, batch: Batch) -> None:
    unknown = [no for no, wait in order.waits.items() if wait.queue == UNRESOLVED]
    if not unknown or order.content is None or order.state is OrderState.CANCELLED:
        return
    lines = {line.external_id: line for line in order.content.lines}
    wanted = [lines[order.demands[no].line] for no in unknown if order.demands[no].line in lines]
    items = await unit.items(
        order.merchant,
        order.account,
        {line.sku for line in wanted if line.sku},
        {line.variant for line in wanted if line.variant},
    )
    for no in unknown:
        line = lines.get(order.demands[no].line)
        item = find_item(line, items) if line else None
        if line is not None and item is not None:
            _name(order, no, item, batch)
    fit(order, order.content, batch)


def _name(order: Order, no: int, item: ItemFacts, batch: Batch) -> None:
    """Give an unresolved demand its item; a kit's components become demands of their own."""
    demand = order.demands[no]
    parts = item.components or ((item.id, 1),)
    first, *others = parts
    sold = demand.quantity
    order.demands[no] = _resolved(demand, no, first, item)
    missing = sold * first[1] - demand.quantity
    if missing > 0:
        order.add_slice(no, missing)
    for part in others:
        other = max(order.demands) + 1
        order.demands[other] = _resolved(demand, other, part, item)
        order.add_slice(other, sold * part[1])
    stop_waiting(order, no, batch)
    order.note(batch.now, "resolved", f"line {demand.line} is item {item.sku}")


def _resolved(demand: Demand, no: int, part: tuple[int, int], item: ItemFacts) -> Demand:
    component, per_unit = part
    return msgspec.structs.replace(
        demand,
        no=no,
        item=component,
        per_unit=per_unit,
        quantity=demand.quantity * per_unit,
        tracked=item.stock_mode == "tracked" or bool(item.components),
        ships=item.ships,
    )
