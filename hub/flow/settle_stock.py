"""The one place where slices become stock counters and ledger entries: pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub.domain.demand import Demand, Slice
from hub.domain.order import ManagedBy
from hub.domain.states import GONE, HOLDING, SliceState
from hub.domain.stock import StockReason
from hub.flow.aggregate import Order
from hub.flow.urgency import urgency
from hub.flow.writes import LedgerRow, Load, Writes

Claims = dict[tuple[int, int], int]
"""Units by (item, node); for loose claims by (item, 0 unpinned | 1 backordered)."""

Departed = dict[tuple[int, int, StockReason], int]
"""Units that left by (item, node, why)."""


class InvariantBroken(Exception):
    """A handler made something that cannot be: a bug, stopped before it is written."""


def loads_of(orders: Iterable[Order]) -> list[Load]:
    """Fulfilment orders per node and its own local day, for nodes of limited capacity."""
    loads: dict[tuple[int, date], Load] = {}
    for order in orders:
        for node, at, zone, capacity, seen in order.loads:
            day = at.astimezone(ZoneInfo(zone)).date()
            load = loads.get((node, day), Load(node, day, 0, capacity, seen))
            known = [count for count in (load.seen, seen) if count is not None]
            loads[node, day] = load._replace(more=load.more + 1, seen=min(known, default=None))
    return [loads[key] for key in sorted(loads)]


def settle_stock(order: Order, writes: Writes, pinned: Claims, loose: Claims, now: datetime) -> None:
    """Add what an order's changes take and give back to the claims, and what left or moved to the ledger's rows."""
    before = order.before
    if before.acting:
        _claim(order.id, before.slices.values(), before.demands, pinned, loose, -1)
    if not order.acting:
        return
    _claim(order.id, order.slices.values(), order.demands, pinned, loose, 1)
    _unreleased(order, writes)
    gone: Departed = {}
    _leave(before.slices.values(), before.demands, gone, -1)
    _leave(order.slices.values(), order.demands, gone, 1)
    for (item, node, reason), units in sorted(gone.items()):
        said = reason if units > 0 else StockReason.CORRECTION
        for part, true_at in _times(order, (item, node, reason), units, now):
            writes.ledger.append(LedgerRow(order.merchant, node, item, -part, said.value, "hub", order.id, true_at))
    for one in order.carried:
        writes.ledger.append(
            LedgerRow(order.merchant, one.node, one.item, one.units, one.reason, "hub", order.id, one.at,
                      condition=one.condition)
        )  # fmt: skip
    for item, node, units, at in order.unasked:
        said = StockReason.DISPATCH
        writes.ledger.append(LedgerRow(order.merchant, node, item, -units, said.value, "hub", order.id, at))
    for item, node, units, everything in order.shelf:
        if everything:
            writes.emptied.append((item, node, order.merchant, order.id))
        else:
            writes.ledger.append(
                LedgerRow(order.merchant, node, item, -units, StockReason.SHORT.value, "hub", order.id, now)
            )


def _times(
    order: Order, key: tuple[int, int, StockReason], units: int, now: datetime
) -> Iterator[tuple[int, datetime]]:
    """When units left, by shipment; what no shipment tells of, or is taken back, is so since now."""
    for one in order.left:
        part = min(units, one.units)
        if (one.item, one.node, one.reason) == key and part > 0:
            yield part, one.at
            units -= part
    if units:
        yield units, now


def _claim(
    order: str, slices: Iterable[Slice], demands: dict[int, Demand], pinned: Claims, loose: Claims, sign: int
) -> None:
    for part in slices:
        demand = demands[part.demand]
        if demand.item is None or not demand.tracked or demand.managed_by is not ManagedBy.HUB:
            continue
        state = part.state
        if state in HOLDING:
            if part.node is None:
                raise InvariantBroken(f"order {order}: slice {part.no} is {state.value} without a node")
            key = (demand.item, part.node)
            pinned[key] = pinned.get(key, 0) + sign * part.quantity
        elif state is SliceState.UNALLOCATED or state is SliceState.BACKORDERED:
            key = (demand.item, int(state is SliceState.BACKORDERED))
            loose[key] = loose.get(key, 0) + sign * part.quantity


def settle_supply(order: Order, supply: Claims) -> None:
    """What is promised of expected supply: (supply, item) -> units."""
    before = order.before
    for acting, slices, demands, sign in (
        (before.acting, before.slices, before.demands, -1),
        (order.acting, order.slices, order.demands, 1),
    ):
        for part in slices.values() if acting else ():
            if part.supply is not None and (item := demands[part.demand].item) is not None:
                key = (part.supply, item)
                supply[key] = supply.get(key, 0) + sign * part.quantity


def _unreleased(order: Order, writes: Writes) -> None:
    """Keep note of what is reserved and rests untold: of what is released at once there is nothing to note."""
    before, now = order.before.slices.values(), order.slices.values()
    had = {(order.before.demands[part.demand].item, part.node) for part in before if part.state is SliceState.RESERVED}
    has = {
        (demand.item, part.node): demand
        for part in now
        if part.state is SliceState.RESERVED and (demand := order.demands[part.demand]).tracked
    }
    for (item, node), demand in has.items():
        if (item, node) not in had and item is not None and node is not None:
            place = urgency(order, demand)
            writes.unreleased.append((item, node, order.id, place.rank, place.promise))
    for item, node in had - has.keys():
        if item is not None and node is not None:
            writes.unreleased_over.append((item, node, order.id))


def _leave(slices: Iterable[Slice], demands: dict[int, Demand], gone: Departed, sign: int) -> None:
    for part in slices:
        if part.state in GONE and part.node is not None:
            demand = demands[part.demand]
            if demand.item is not None and demand.tracked:
                carried = part.reason == StockReason.CARRIED_OUT
                key = (demand.item, part.node, StockReason.CARRIED_OUT if carried else StockReason.DISPATCH)
                gone[key] = gone.get(key, 0) + sign * part.quantity
