"""Step 9: what nodes and carriers say happened, applied to slices. Each fact counts once, in any order."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from hub.domain.demand import Slice
from hub.domain.facts import (
    CancelConfirmed,
    CancelRefused,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsCollected,
    GoodsShipped,
    NodeFact,
    ReadyForPickUp,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.fulfilment import CancelRequest, split_fulfilment_id
from hub.domain.shipping import Parcel, ParcelLine, Shipment, TrackingStatus
from hub.domain.states import (
    HANDOFF_MOVES,
    SLICE_CORRECTIONS,
    SLICE_MOVES,
    WITH_NODE,
    CancelState,
    Handoff,
    SliceState,
    move,
)
from hub.flow.aggregate import Order, Parcelled, Trouble
from hub.flow.amend import end_request, fit, recall, stop
from hub.flow.batch import Batch
from hub.flow.fulfil import buy_label
from hub.flow.post_to_erp import post_order
from hub.flow.route import EXCLUDED_FOR
from hub.flow.write_back import confirm_to_channel, follow_parcels


class UnknownFulfilment(Exception):
    """A fact about a fulfilment order that we never made."""


def apply(order: Order, fact: NodeFact, batch: Batch, message: int | None = None) -> None:
    """Apply one fact. Raises `UnknownFulfilment`. What contradicts the books is recorded and raised, never refused."""
    _, no = split_fulfilment_id(fact.fulfilment)
    if no not in order.fulfilments:
        raise UnknownFulfilment(fact.fulfilment)
    _APPLY[type(fact)](order, no, fact, batch)
    order.note(batch.now, _KINDS[type(fact)], fact.fulfilment, message)


def _hand(order: Order, no: int, handoff: Handoff, reference: str | None = None) -> None:
    fulfilment = order.fulfilments[no]
    changes: dict[str, object] = {}
    if handoff is not fulfilment.handoff and handoff in HANDOFF_MOVES[fulfilment.handoff]:
        changes["handoff"] = move(HANDOFF_MOVES, fulfilment.handoff, handoff)
    if reference is not None and reference != fulfilment.partner_reference:
        changes["partner_reference"] = reference
    if changes:
        order.fulfilments[no] = msgspec.structs.replace(fulfilment, **changes)


def sent(order: Order, no: int, handoff: Handoff, reference: str | None) -> None:
    """The hand-off axis after a delivery: sent, uncertain or refused."""
    _hand(order, no, handoff, reference)


def _accepted(order: Order, no: int, fact: FulfilmentAccepted, batch: Batch) -> None:
    _hand(order, no, Handoff.ACCEPTED, fact.partner_reference)
    _forward(order, no, (), SliceState.ACCEPTED)


def _forward(order: Order, no: int, lines: Sequence[FactLine], state: SliceState) -> None:
    """Advance what may still go to `state`; slices that are further already stay: facts arrive late."""
    for part, units in _pick(order, no, lines, lambda s: state in SLICE_MOVES[s.state]):
        order.advance(part.no, state, units)


def _pick(order: Order, no: int, lines: Sequence[FactLine], fits: Callable[[Slice], bool]) -> list[tuple[Slice, int]]:
    """Slices of a fulfilment order that lines mean, with units; no lines means all of them."""
    parts = [part for part in order.of_fulfilment(no) if fits(part)]
    if not lines:
        return [(part, part.quantity) for part in parts]
    taken: dict[int, int] = {}
    for line in lines:
        left = line.quantity
        for part in parts:
            if left > 0 and _means(order, part.demand, line):
                units = min(left, part.quantity - taken.get(part.no, 0))
                if units > 0:
                    taken[part.no] = taken.get(part.no, 0) + units
                    left -= units
    return [(part, taken[part.no]) for part in parts if part.no in taken]


def _means(order: Order, demand: int, line: FactLine) -> bool:
    """Whether a line is about a demand: by our reference, else by the SKU, the channel's or the item's own."""
    if line.line is not None:
        return line.line == str(demand)
    wanted = order.demands[demand]
    return line.sku is not None and (line.sku == wanted.sku or order.skus.get(line.sku, 0) == wanted.item)


def _refused(order: Order, no: int, fact: FulfilmentRefused, batch: Batch) -> None:
    _hand(order, no, Handoff.REFUSED)
    for request in _open_requests(order, no):
        end_request(order, request.no, CancelState.CONFIRMED)
    _back(order, no, (), "refused", fact.stock, batch)


def _short(order: Order, no: int, fact: UnitsShort, batch: Batch) -> None:
    _back(order, no, fact.lines, "short", fact.stock, batch)
    left = order.of_fulfilment(no)
    if not left and not any(shipment.fulfilment == no for shipment in order.shipments.values()):
        # Some partners keep what is short and ship it when stock arrives: by then it goes from elsewhere.
        stop(order, no, "short", batch)


def _back(order: Order, no: int, lines: Sequence[FactLine], correction: str, stock: StockMeaning, batch: Batch) -> None:
    """Take units back, leave the node out of their next decision, and believe what it said about its shelf."""
    origins, _ = SLICE_CORRECTIONS[correction]
    for part, units in _pick(order, no, lines, lambda s: s.state in origins):
        assert part.node is not None
        order.take_back(part.no, correction, units)
        order.exclusions[part.demand, part.node] = batch.now + EXCLUDED_FOR
        demand = order.demands[part.demand]
        if stock is not StockMeaning.NOTHING and demand.item is not None and demand.tracked:
            order.shelf.append((demand.item, part.node, units, stock is StockMeaning.ALL))
    if order.content is not None:
        # Some of it may have been cancelled meanwhile: that goes to nobody else.
        fit(order, order.content, batch)


def _open_requests(order: Order, no: int) -> list[CancelRequest]:
    return [r for r in order.cancels.values() if r.fulfilment == no and r.state is CancelState.ASKED]


def _shipped(order: Order, no: int, fact: GoodsShipped, batch: Batch) -> None:
    """Goods left: consumes the reservation, tells the channel and the books. Counts once per sender's shipment id."""
    identity = f"{no}:{fact.shipment}"
    if any(shipment.external_id == identity for shipment in order.shipments.values()):
        return
    _hand(order, no, Handoff.ACCEPTED)
    lines = [_line(part) for parcel in fact.parcels for part in parcel.lines]
    going = _pick(order, no, lines, lambda s: SliceState.SHIPPED in SLICE_MOVES[s.state])
    if not going and not lines:
        return
    _unasked(order, no, fact, lines, going)
    units_by_demand: dict[int, int] = {}
    for part, units in going:
        order.advance(part.no, SliceState.SHIPPED, units)
        units_by_demand[part.demand] = units_by_demand.get(part.demand, 0) + units
    if not any(part.state in WITH_NODE for part in order.of_fulfilment(no)):
        for request in list(order.cancels.values()):
            if request.fulfilment == no and request.state in (CancelState.ASKED, CancelState.REFUSED):
                end_request(order, request.no, CancelState.OVERTAKEN)
    order.left_at = min(fact.at, batch.now)
    number = max(order.shipments, default=0) + 1
    parcels = _parcels(order, fact.parcels, units_by_demand)
    order.shipments[number] = Shipment(
        order=order.id, no=number, fulfilment=no, external_id=identity, shipped_at=fact.at, parcels=parcels
    )
    for index, parcel in enumerate(parcels, 1):
        order.parcels[number, index] = Parcelled(
            number, index, parcel.tracking, parcel.carrier, TrackingStatus.PRE_TRANSIT.value, fact.at
        )
    confirm_to_channel(order, number, batch)
    follow_parcels(order, number, batch)
    post_order(order, batch)


def _line(part: ParcelLine) -> FactLine:
    if part.line.startswith("sku:"):
        return FactLine(sku=part.line.removeprefix("sku:"), quantity=part.quantity)
    return FactLine(line=part.line, quantity=part.quantity)


def _parcels(order: Order, parcels: Sequence[Parcel], units: dict[int, int]) -> tuple[Parcel, ...]:
    """Parcels with their lines in our references; goods that no parcel names go into the first."""
    left = dict(units)
    made = []
    for parcel in parcels or (Parcel(),):
        lines = []
        for part in parcel.lines:
            for no in list(left):
                taken = min(left[no], part.quantity) if _means(order, no, _line(part)) else 0
                if taken:
                    lines.append(ParcelLine(line=str(no), quantity=taken))
                    left[no] -= taken
        made.append(msgspec.structs.replace(parcel, lines=tuple(lines)))
    rest = tuple(ParcelLine(line=str(no), quantity=quantity) for no, quantity in left.items() if quantity)
    made[0] = msgspec.structs.replace(made[0], lines=made[0].lines + rest)
    return tuple(made)


def _unasked(
    order: Order, no: int, fact: GoodsShipped, lines: Sequence[FactLine], going: Sequence[tuple[Slice, int]]
) -> None:
    """Units that left without being open here: gone from the shelf all the same, and told."""
    opened: dict[int, int] = {}
    for part, units in going:
        opened[part.demand] = opened.get(part.demand, 0) + units
    total = 0
    for line in lines:
        over = line.quantity
        meant = [demand for demand in order.demands if _means(order, demand, line)]
        for demand in meant:
            taken = min(over, opened.get(demand, 0))
            opened[demand] = opened.get(demand, 0) - taken
            over -= taken
        total += over
        item = order.demands[meant[0]].item if meant else order.skus.get(line.sku or "")
        if over and item is not None and (not meant or order.demands[meant[0]].tracked):
            order.unasked.append((item, order.fulfilments[no].node, over))
    if total:
        _over_shipped(order, no, fact, total)


def _over_shipped(order: Order, no: int, fact: GoodsShipped, units: int) -> None:
    fulfilment = order.fulfilments[no]
    order.troubles.append(
        Trouble(
            kind="shipped_unasked",
            cause=f"{fulfilment.connection or 'hub'}: {fulfilment.id}, shipment {fact.shipment}",
            next_step=f"The node shipped {units} units more than were open in this fulfilment order. Count the shelf, "
            "then agree with the customer or ask the goods back.",
            connection=fulfilment.connection,
            external_id=order.external_id,
            waiter=("order", order.id),
        )
    )


def _packed(order: Order, no: int, fact: UnitsPacked, batch: Batch) -> None:
    _forward(order, no, fact.lines, SliceState.PACKED)
    buy_label(order, no, batch)


def _picked(order: Order, no: int, fact: UnitsPicked, batch: Batch) -> None:
    _forward(order, no, fact.lines, SliceState.PICKED)


def _ready(order: Order, no: int, fact: ReadyForPickUp, batch: Batch) -> None:
    _forward(order, no, (), SliceState.READY)


def _collected(order: Order, no: int, fact: GoodsCollected, batch: Batch) -> None:
    _forward(order, no, (), SliceState.COLLECTED)


def _cancel_confirmed(order: Order, no: int, fact: CancelConfirmed, batch: Batch) -> None:
    open_requests = _open_requests(order, no)
    for request in open_requests:
        end_request(order, request.no, CancelState.CONFIRMED)
    if open_requests:
        recall(order, no, batch)
    elif any(part.state in WITH_NODE for part in order.of_fulfilment(no)):
        # Nobody asked: the node dropped it on its own, which is a refusal.
        _refused(order, no, FulfilmentRefused(at=fact.at, fulfilment=fact.fulfilment, reason="cancelled there"), batch)


def _cancel_refused(order: Order, no: int, fact: CancelRefused, batch: Batch) -> None:
    for request in _open_requests(order, no):
        end_request(order, request.no, CancelState.REFUSED)
    fulfilment = order.fulfilments[no]
    order.troubles.append(
        Trouble(
            kind="cancel_refused",
            cause=f"{fulfilment.connection or 'hub'}: {fulfilment.id}",
            next_step=f"The node would not stop ({fact.reason}). The goods are expected to leave; offer a return.",
            connection=fulfilment.connection,
            external_id=order.external_id,
            waiter=("order", order.id),
        )
    )


_APPLY: dict[type, Callable[..., None]] = {
    FulfilmentAccepted: _accepted,
    FulfilmentRefused: _refused,
    UnitsPicked: _picked,
    UnitsPacked: _packed,
    UnitsShort: _short,
    GoodsShipped: _shipped,
    ReadyForPickUp: _ready,
    GoodsCollected: _collected,
    CancelConfirmed: _cancel_confirmed,
    CancelRefused: _cancel_refused,
}

_KINDS: dict[type, str] = {
    FulfilmentAccepted: "accepted",
    FulfilmentRefused: "refused",
    UnitsPicked: "picked",
    UnitsPacked: "packed",
    UnitsShort: "short",
    GoodsShipped: "shipped",
    ReadyForPickUp: "ready",
    GoodsCollected: "collected",
    CancelConfirmed: "cancel_confirmed",
    CancelRefused: "cancel_refused",
}


def deliver(order: Order, tracking: str, status: TrackingStatus, at: datetime, rank: dict[TrackingStatus, int]) -> None:
    """Apply a carrier's word to the order's parcels; a late event of a lower rank changes nothing."""
    for place, parcel in list(order.parcels.items()):
        if parcel.tracking != tracking or rank[status] < rank[TrackingStatus(parcel.status)]:
            continue
        if parcel.status == TrackingStatus.RETURN_TO_SENDER.value:
            # Delivered then means: to the sender. It comes in as a return.
            continue
        order.parcels[place] = parcel._replace(status=status.value, at=at)
        if status is TrackingStatus.DELIVERED:
            _deliver_parcel(order, place)


def _deliver_parcel(order: Order, place: tuple[int, int]) -> None:
    shipment = order.shipments[place[0]]
    for line in shipment.parcels[place[1] - 1].lines:
        left = line.quantity
        for part in order.of_fulfilment(shipment.fulfilment):
            if left > 0 and part.demand == int(line.line) and part.state is SliceState.SHIPPED:
                units = min(left, part.quantity)
                order.advance(part.no, SliceState.DELIVERED, units)
                left -= units
