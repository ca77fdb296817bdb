"""Turn changed orders into rows: pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from hub.flow.aggregate import Order
from hub.flow.peers import settle_peers
from hub.flow.settle_stock import Claims, InvariantBroken, loads_of, settle_stock, settle_supply
from hub.flow.urgency import urgency
from hub.flow.writes import Writes

_encode = msgspec.json.Encoder().encode


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
        _payments(order, writes)
        _demands(order, writes)
        _slices(order, writes)
        _holds(order, writes)
        _waits(order, writes)
        _fulfilments(order, writes)
        _departures(order, writes)
        _effects(order, writes)
        _notes(order, writes)
        settle_peers(order, writes, now)
        settle_stock(order, writes, pinned, loose, now)
        settle_supply(order, supply)
    writes.pinned = [(item, node, units) for (item, node), units in sorted(pinned.items()) if units]
    loosened: dict[int, list[int]] = {}
    for (item, kind), units in loose.items():
        loosened.setdefault(item, [0, 0])[kind] += units
    writes.loose = [(item, units[0], units[1]) for item, units in sorted(loosened.items()) if any(units)]
    writes.supply = [(row, item, units) for (row, item), units in sorted(supply.items()) if units]
    writes.loads = loads_of(touched)
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


def _payments(order: Order, writes: Writes) -> None:
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


def _demands(order: Order, writes: Writes) -> None:
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


def _slices(order: Order, writes: Writes) -> None:
    before, key = order.before, order.id
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


def _holds(order: Order, writes: Writes) -> None:
    before, key = order.before, order.id
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


def _waits(order: Order, writes: Writes) -> None:
    before, key = order.before, order.id
    for (demand_no, node), until in order.exclusions.items():
        if before.exclusions.get((demand_no, node)) != until:
            writes.exclusions.append((key, demand_no, node, until))
    for demand_no, wait in order.waits.items():
        if before.waits.get(demand_no) != wait:
            place = urgency(order, order.demands[demand_no])
            writes.waits.append((key, demand_no, order.merchant, wait.queue, wait.cause, place.rank, place.promise))
    writes.waits_over.extend((key, no) for no in before.waits if no not in order.waits)


def _fulfilments(order: Order, writes: Writes) -> None:
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


def _departures(order: Order, writes: Writes) -> None:
    before, key = order.before, order.id
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


def _effects(order: Order, writes: Writes) -> None:
    for plan in order.effects:
        document = _encode(plan.effect).decode()
        kind = type(plan.effect).__name__
        writes.effects.append((order.merchant, plan.connection, plan.subject, plan.key, kind, order.id, document))


def _notes(order: Order, writes: Writes) -> None:
    for row in order.decisions_made:
        writes.decisions.append((order.id, *row))
    writes.effects_over.extend(order.taken_back)
    for moment in order.moments:
        writes.moments.append((order.id, *moment))
    for trouble in order.troubles:
        writes.troubles.append((order.merchant, order.id, trouble))
    writes.mended.extend((order.merchant, order.id, kind, cause) for kind, cause in order.mended)
