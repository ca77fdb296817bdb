"""Turn changed orders into rows: pure, and the one place where slices become stock counters and ledger entries."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from hub.domain.demand import Demand, Slice
from hub.domain.order import ManagedBy
from hub.domain.states import GONE, HOLDING, SliceState
from hub.domain.stock import StockReason
from hub.flow.aggregate import Order
from hub.flow.peers import settle_peers
from hub.flow.urgency import urgency
from hub.flow.writes import LedgerRow, Load, Writes

Claims = dict[tuple[int, int], int]
"""Units by (item, node); for loose claims by (item, 0 unpinned | 1 backordered)."""

Departed = dict[tuple[int, int, StockReason], int]
"""Units that left by (item, node, why)."""

_encode = msgspec.json.Encoder().encode


class InvariantBroken(Exception):
    """A handler made something that cannot be: a bug, stopped before it is written."""


def settle(orders: Iterable[Order], now: datetime) -> Writes:
    """All rows that the changes of `orders` call for. Raises `InvariantBroken`, naming the order."""
    writes = Writes()
    touched = list(orders)
    pinned: Claims = {}
    loose: Claims = {}
    supply: Claims = {}
    for order in touched:
        _check_sums(order)
        _head(order, writes)
        _parts(order, writes)
        _partners(order, writes)
        _notes(order, writes)
        settle_peers(order, writes, now)
        _stock(order, writes, pinned, loose, now)
        _supply(order, supply)
    writes.pinned = [(item, node, units) for (item, node), units in sorted(pinned.items()) if units]
    loosened: dict[int, list[int]] = {}
    for (item, kind), units in loose.items():
        loosened.setdefault(item, [0, 0])[kind] += units
    writes.loose = [(item, units[0], units[1]) for item, units in sorted(loosened.items()) if any(units)]
    writes.supply = [(row, item, units) for (row, item), units in sorted(supply.items()) if units]
    writes.loads = _loads(touched)
    # What left without having been reserved, as over a till, changes what may be sold all the same.
    writes.dirty = sorted(
        {row[0] for row in writes.pinned}
        | {row[0] for row in writes.loose}
        | {row.item for row in writes.ledger}
        | {row[0] for row in writes.emptied}
    )
    return writes


def _check_sums(order: Order) -> None:
    sums = dict.fromkeys(order.demands, 0)
    for part in order.slices.values():
        sums[part.demand] += part.quantity
    for no, total in sums.items():
        wanted = order.demands[no].quantity
        if total != wanted:
            raise InvariantBroken(f"order {order.id}: slices of demand {no} sum to {total}, not {wanted}")


def _head(order: Order, writes: Writes) -> None:
    before = order.before
    if order.fresh:
        writes.orders.append(
            (
                order.id,
                order.merchant,
                order.account,
                order.connection,
                order.external_id,
                order.number,
                order.state.value,
                order.currency,
                order.placed_at,
                order.version,
                order.revision,
                order.acting,
                order.test,
            )
        )
    elif (order.state, order.version, order.revision, order.acting) != (
        before.state,
        before.version,
        before.revision,
        before.acting,
    ):
        writes.orders_changed.append(
            (order.id, order.state.value, order.version, order.revision, order.acting, order.number)
        )
    if order.revised is not None:
        content, message, at = order.revised
        writes.revisions.append((order.id, order.revision, content.version, message, at, _encode(content).decode()))
    for key, contact in order.contacts.items():
        writes.contacts.append((order.id, key, order.revision, _encode(contact).decode()))
    for payment in order.payments:
        writes.payments.append(
            (
                order.account,
                payment.external_id,
                order.id,
                payment.parent,
                payment.kind.value,
                payment.method,
                payment.amount,
                payment.currency,
                payment.status,
                payment.at,
                payment.expires_at,
                payment.implied,
            )
        )


def _parts(order: Order, writes: Writes) -> None:
    before, key = order.before, order.id
    for no, demand in order.demands.items():
        if before.demands.get(no) is not demand:
            writes.demands.append(
                (
                    key,
                    no,
                    demand.line,
                    demand.group,
                    demand.sku,
                    demand.item,
                    demand.quantity,
                    demand.per_unit,
                    demand.kit_version,
                    demand.managed_by.value,
                    demand.tracked,
                    demand.ships,
                )
            )
    for no, part in order.slices.items():
        old = before.slices.get(no)
        if old is part:
            continue
        row = (
            key,
            no,
            part.demand,
            part.quantity,
            part.state.value,
            part.node,
            part.fulfilment,
            part.reason,
            part.promised_at,
            part.supply,
        )
        (writes.slices if old is None else writes.slices_changed).append(row)
    for no, hold in order.holds.items():
        if before.holds.get(no) is not hold:
            writes.holds.append(
                (
                    key,
                    no,
                    hold.scope,
                    hold.kind,
                    hold.owner,
                    hold.reason,
                    hold.lift_rule,
                    hold.placed_at,
                    hold.lifted_at,
                    ",".join(hold.stops),
                    hold.lift_at,
                    hold.lift_role,
                    hold.lifted_by,
                    hold.policy,
                )
            )
    for (demand_no, node), until in order.exclusions.items():
        if before.exclusions.get((demand_no, node)) != until:
            writes.exclusions.append((key, demand_no, node, until))
    for demand_no, wait in order.waits.items():
        if before.waits.get(demand_no) != wait:
            place = urgency(order, order.demands[demand_no])
            writes.waits.append((key, demand_no, order.merchant, wait.queue, wait.cause, place.rank, place.promise))
    writes.waits_over.extend((key, no) for no in before.waits if no not in order.waits)


def _partners(order: Order, writes: Writes) -> None:
    before, key = order.before, order.id
    for no, fulfilment in order.fulfilments.items():
        if before.fulfilments.get(no) is not fulfilment:
            writes.fulfilments.append(
                (
                    key,
                    no,
                    fulfilment.group,
                    fulfilment.node,
                    fulfilment.connection,
                    fulfilment.handoff.value,
                    fulfilment.partner_reference,
                    fulfilment.created_at,
                    fulfilment.ship_by,
                    fulfilment.destination,
                    fulfilment.accept_by,
                    fulfilment.collect_by,
                    None if fulfilment.purchase is None else _encode(fulfilment.purchase).decode(),
                    None if fulfilment.node_hold is None else _encode(fulfilment.node_hold).decode(),
                )
            )
    for offer in {one.no: one for one in order.offered}.values():
        writes.offers.append((key, offer.no, offer.group, offer.node, offer.state.value, offer.until))
    for no, request in order.cancels.items():
        if before.cancels.get(no) is not request:
            writes.cancels.append(
                (
                    key,
                    no,
                    request.fulfilment,
                    _encode(request.lines).decode(),
                    request.asked_by,
                    request.reason,
                    request.state.value,
                    request.asked_at,
                )
            )
    for no, shipment in order.shipments.items():
        if no not in before.shipments:
            writes.shipments.append(
                (
                    key,
                    no,
                    shipment.fulfilment,
                    shipment.external_id,
                    shipment.shipped_at,
                    _encode(shipment).decode(),
                )
            )
    for place, parcel in order.parcels.items():
        if before.parcels.get(place) != parcel:
            writes.parcels.append(
                (key, parcel.shipment, parcel.no, parcel.tracking, parcel.carrier, parcel.status, parcel.at)
            )
    writes.moved.extend((key, *place, units) for place, units in order.moved.items())
    for plan in order.effects:
        document = _encode(plan.effect).decode()
        kind = type(plan.effect).__name__
        writes.effects.append((order.merchant, plan.connection, plan.subject, plan.key, kind, key, document))


def _notes(order: Order, writes: Writes) -> None:
    for row in order.decisions_made:
        writes.decisions.append((order.id, *row))
    writes.effects_over.extend(order.taken_back)
    for moment in order.moments:
        writes.moments.append((order.id, *moment))
    for trouble in order.troubles:
        writes.troubles.append((order.merchant, order.id, trouble))
    writes.mended.extend((order.merchant, order.id, kind, cause) for kind, cause in order.mended)


def _loads(orders: Iterable[Order]) -> list[Load]:
    """Fulfilment orders per node and its own local day, for nodes of limited capacity."""
    loads: dict[tuple[int, date], Load] = {}
    for order in orders:
        for node, at, zone, capacity, seen in order.loads:
            day = at.astimezone(ZoneInfo(zone)).date()
            load = loads.get((node, day), Load(node, day, 0, capacity, seen))
            known = [count for count in (load.seen, seen) if count is not None]
            loads[node, day] = load._replace(more=load.more + 1, seen=min(known, default=None))
    return [loads[key] for key in sorted(loads)]


def _stock(order: Order, writes: Writes, pinned: Claims, loose: Claims, now: datetime) -> None:
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


def _supply(order: Order, supply: Claims) -> None:
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
