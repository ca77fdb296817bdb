"""What no node has yet: it waits for expected supply or for its day, with a promise that is kept up to date and told.

A slice that is backordered names the supply it waits for. How much of each supply is promised is derived from the
slices when they are written, guarded there, and never more than is expected. What users see is in docs/backorders.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hub.domain.demand import Demand, Slice
from hub.domain.order import ManagedBy
from hub.domain.states import OrderState, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.flow.stock_ports import AllowedDay, ItemFacts
from hub.flow.urgency import Urgency, urgency
from hub.flow.waiting import (
    BACKORDERED,
    PREORDER,
    SHORTAGE,
    begin_waiting,
    for_release,
    for_stock,
    for_supply,
    stop_waiting,
    swap_wait,
)
from hub.stock.supply import Claim, Expected, Share, share_out

Pending = list[tuple[Order, str, list[Demand]]]
"""Order, group, demands."""


class _Scene(NamedTuple):
    items: Mapping[int, ItemFacts]
    rows: Mapping[int, Expected]
    days: Sequence[AllowedDay]


def released(pending: Pending, items: Mapping[int, ItemFacts], now: datetime) -> Pending:
    """What may be decided: what is not released yet waits for its day, and a group that is kept together with it."""
    found = []
    for order, key, demands in pending:
        ready = [d for d in demands if d.item is not None and not _unreleased(items[d.item], now)]
        if ready and (len(ready) == len(demands) or not _together(order, key)):
            found.append((order, key, ready))
    return found


def _unreleased(item: ItemFacts, now: datetime) -> bool:
    return item.available_from is not None and now.date() < item.available_from


def _together(order: Order, key: str) -> bool:
    return any(group.key == key and group.keep_together for group in (order.content.groups if order.content else ()))


async def promise(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Promise backordered units what is expected, and correct promises that hold no more. Told where it changes."""
    short = [order for order in orders if order.acting and order.state is not OrderState.CANCELLED and _open(order)]
    wanted = {demand.item for order in short for demand in _demands(order)}
    if not wanted:
        return
    items = await unit.items_by_id({item for item in wanted if item is not None})
    for order in short:
        _preorder(order, items, batch)
    claims = _claims(short, batch)
    if claims:
        waited_for = {claim.item for _, claim in claims}
        rows = _as_promised_now(await unit.supply(waited_for, lock=batch.lock_stock), short)
        days = await unit.allowed_days(waited_for, batch.now.date())
        scene = _Scene(items, {row.id: row for row in rows}, days)
        shares = share_out([claim for _, claim in claims], rows, batch.now.date())
        for order, claim in claims:
            _place(order, claim.key[1], shares[claim.key], scene, batch)
    for order in short:
        _wait(order, items, batch)


def _open(order: Order) -> bool:
    return any(part.state in (SliceState.UNALLOCATED, SliceState.BACKORDERED) for part in order.slices.values())


def _demands(order: Order) -> list[Demand]:
    """Demands with units that have no node, as far as the hub is to find one."""
    states = (SliceState.UNALLOCATED, SliceState.BACKORDERED)
    open_demands = {part.demand for part in order.slices.values() if part.state in states}
    found = [order.demands[no] for no in sorted(open_demands)]
    return [d for d in found if d.item is not None and d.managed_by is ManagedBy.HUB and d.ships]


def _preorder(order: Order, items: Mapping[int, ItemFacts], batch: Batch) -> None:
    for demand in _demands(order):
        assert demand.item is not None
        if not _unreleased(items[demand.item], batch.now):
            continue
        for part in list(order.slices.values()):
            if part.demand == demand.no and part.state is SliceState.UNALLOCATED:
                order.advance(part.no, SliceState.BACKORDERED)
                order.note(batch.now, "backordered", f"{part.quantity} units of demand {demand.no}: not released yet")


def _claims(orders: Sequence[Order], batch: Batch) -> list[tuple[Order, Claim]]:
    """Backordered slices, the most urgent first."""
    found: list[tuple[Urgency, int, Order, Claim]] = []
    for order in orders:
        nodes = batch.directory.serving(order.account)
        open_nodes = frozenset(no for no in nodes if no in batch.directory.nodes and batch.directory.nodes[no].enabled)
        for demand in _demands(order):
            place = urgency(order, demand)
            for part in order.slices.values():
                if part.demand == demand.no and part.state is SliceState.BACKORDERED and demand.item is not None:
                    nodes = open_nodes if demand.tracked else frozenset()
                    claim = Claim((order.id, part.no), demand.item, part.quantity, part.supply, nodes)
                    found.append((place, part.no, order, claim))
    found.sort(key=lambda one: one[:2])
    return [(order, claim) for _, _, order, claim in found]


def _as_promised_now(rows: Iterable[Expected], orders: Iterable[Order]) -> list[Expected]:
    """What is promised, with what this batch has changed of it already."""
    change: dict[int, int] = {}
    for order in orders:
        for slices, sign in ((order.before.slices, -1), (order.slices, 1)):
            for part in slices.values():
                if part.supply is not None:
                    change[part.supply] = change.get(part.supply, 0) + sign * part.quantity
    return [row._replace(promised=row.promised + change.get(row.id, 0)) for row in rows]


def _place(order: Order, no: int, shares: Sequence[Share], scene: _Scene, batch: Batch) -> None:
    part = order.slices[no]
    item = order.demands[part.demand].item
    assert item is not None
    for share in sorted(shares, key=lambda one: one.supply is None or one.supply.id != part.supply):
        by = _day(order, scene.items[item], share.supply, scene.days, batch)
        units = share.units
        supply = share.supply.id if share.supply else None
        left = order.slices[no]
        if (left.quantity, left.supply, left.promised_at) != (units, supply, by):
            order.promise(no, supply, by, units)
        _tell(order, part, share, by, scene, batch)


def _day(
    order: Order, item: ItemFacts, supply: Expected | None, days: Sequence[AllowedDay], batch: Batch
) -> datetime | None:
    """When it leaves: the day supply is due, the day an allowance ships, not before the item is released."""
    unreleased = _unreleased(item, batch.now)
    if supply is not None:
        zone = batch.directory.nodes[supply.node].timezone
        on = max(supply.due, item.available_from) if unreleased and item.available_from else supply.due
        return _end_of(on, zone)
    kind = "preorder" if unreleased else "backorder"
    mine = [d for d in days if d.item == item.id and d.kind == kind and d.account in (0, order.account)]
    if mine:
        # A channel's own allowance goes before everybody's.
        return _end_of(max(mine, key=lambda day: day.account != 0).on, "UTC")
    return _end_of(item.available_from, "UTC") if unreleased and item.available_from else None


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(zone)).astimezone(UTC)


def _tell(order: Order, part: Slice, share: Share, by: datetime | None, scene: _Scene, batch: Batch) -> None:
    before = part.promised_at
    if by == before:
        return
    units = f"{share.units} units of demand {part.demand}"
    source = f"supply {share.supply.reference}" if share.supply else "its own day" if by else "nothing is expected"
    if before is None:
        order.note(batch.now, "promised", f"{units}: {_said(by)}, {source}")
        return
    cause = _cause(part, share, scene, batch.now.date())
    order.note(batch.now, "promise_moved", f"{units}: {_said(before)} to {_said(by)}, {source}; {cause}")


def _cause(part: Slice, share: Share, scene: _Scene, today: date) -> str:
    """Why a promise moved."""
    old = scene.rows.get(part.supply) if part.supply is not None else None
    if part.supply is None:
        return "it has not come by then" if share.supply is None else "supply is expected now"
    if old is None:
        return "what it waited for is not expected any more"
    if old.due < today:
        return f"supply {old.reference} is overdue"
    if share.supply is not None and share.supply.id == old.id:
        return f"supply {old.reference} is due on {old.due.isoformat()} now"
    return f"supply {old.reference} does not cover it any more"


def _said(by: datetime | None) -> str:
    return by.isoformat() if by is not None else "no day known"


def _wait(order: Order, items: Mapping[int, ItemFacts], batch: Batch) -> None:
    """Who is promised something needs nobody's help; who is not is short of it."""
    for demand in _demands(order):
        assert demand.item is not None
        wait = order.waits.get(demand.no)
        parts = [p for p in order.slices.values() if p.demand == demand.no]
        coming = [p for p in parts if p.state in (SliceState.UNALLOCATED, SliceState.BACKORDERED)]
        promised = all(p.state is SliceState.BACKORDERED and p.promised_at is not None for p in coming)
        if _unreleased(items[demand.item], batch.now):
            swap_wait(order, demand.no, for_release(demand.item), batch)
        elif promised and wait is not None and wait.queue in (SHORTAGE, PREORDER):
            swap_wait(order, demand.no, for_supply(demand.item), batch)
        elif not promised and wait is not None and wait.queue in (BACKORDERED, PREORDER):
            units = sum(p.quantity for p in coming)
            stop_waiting(order, demand.no, batch)
            note = f"{units} units of demand {demand.no}: nothing that is expected covers them"
            step = "Order more, or correct what is expected (PUT /api/v1/supply). It is promised and served at once."
            begin_waiting(order, demand.no, for_stock(demand.item), note, step, batch)
