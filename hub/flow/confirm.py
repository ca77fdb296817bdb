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
    FulfilmentHeld,
    FulfilmentRefused,
    GoodsArrived,
    GoodsCollected,
    GoodsLost,
    GoodsShipped,
    NodeFact,
    PurchaseOrdered,
    ReadyForPickUp,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.fulfilment import CancelRequest, split_fulfilment_id
from hub.domain.shipping import TrackingStatus
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
from hub.flow.aggregate import Order
from hub.flow.amend import end_request, fit, not_let_go, recall, stop
from hub.flow.batch import Batch
from hub.flow.departure import depart
from hub.flow.meant import line_meant, means, units_meant
from hub.flow.node_hold import stand_still
from hub.flow.once import keep_moved, still_to_do
from hub.flow.pick_up import hand_over, wait_for_customer
from hub.flow.postage import buy_label
from hub.flow.purchase import acknowledge, heard, purchased
from hub.flow.transfer import advise, arrive, lose, send
from hub.flow.trouble import Trouble


class UnknownFulfilment(Exception):
    """A fact about a fulfilment order that we never made."""


def apply(order: Order, fact: NodeFact, batch: Batch, message: int | None = None) -> None:
    """Apply one fact. Raises `UnknownFulfilment`. What contradicts the books is recorded and raised, never refused.

    Of a fact that its message did already, nothing is done again."""
    _, no = split_fulfilment_id(fact.fulfilment)
    if no not in order.fulfilments:
        raise UnknownFulfilment(fact.fulfilment)
    left = fact if message is None else still_to_do(order, no, fact, message)
    if left is None:
        return
    before = order.of_fulfilment(no)
    _APPLY[type(left)](order, no, left, batch)
    if message is not None:
        keep_moved(order, no, left, message, before)
    answered(order, no)
    heard(order, no, batch)
    if type(fact) in _KINDS:
        order.note(batch.now, _KINDS[type(fact)], fact.fulfilment, message)


def answered(order: Order, no: int) -> None:
    """The node said what it does: nobody waits for its answer any more."""
    fulfilment = order.fulfilments[no]
    unanswered = any(part.state is SliceState.RELEASED for part in order.of_fulfilment(no))
    if fulfilment.accept_by is not None and not unanswered:
        order.fulfilments[no] = msgspec.structs.replace(fulfilment, accept_by=None)


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
    acknowledge(order, no, fact, batch)


def _forward(order: Order, no: int, lines: Sequence[FactLine], state: SliceState) -> None:
    """Advance what may still go to `state`; slices that are further already stay: facts arrive late."""
    for part, units in units_meant(order, no, lines, lambda s: state in SLICE_MOVES[s.state]):
        order.advance(part.no, state, units)


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
    until = batch.directory.pick_up_policy(order.merchant).excluded_until(batch.now)
    for part, units in units_meant(order, no, lines, lambda s: s.state in origins):
        assert part.node is not None
        order.take_back(part.no, correction, units)
        order.exclusions[part.demand, part.node] = until
        demand = order.demands[part.demand]
        if stock is not StockMeaning.NOTHING and demand.item is not None and demand.tracked:
            order.shelf.append((demand.item, part.node, units, stock is StockMeaning.ALL))
    if order.content is not None:
        # Some of it may have been cancelled meanwhile: that goes to nobody else.
        fit(order, order.content, batch)


def _open_requests(order: Order, no: int) -> list[CancelRequest]:
    return [r for r in order.cancels.values() if r.fulfilment == no and r.state is CancelState.ASKED]


def _refused_requests(order: Order, no: int) -> list[CancelRequest]:
    return [r for r in order.cancels.values() if r.fulfilment == no and r.state is CancelState.REFUSED]


def _shipped(order: Order, no: int, fact: GoodsShipped, batch: Batch) -> None:
    """Goods left: consumes the reservation, tells the channel and the books. Counts once per sender's shipment id."""
    identity = f"{no}:{fact.shipment}"
    if any(shipment.external_id == identity for shipment in order.shipments.values()):
        return
    _hand(order, no, Handoff.ACCEPTED)
    lines = [line_meant(part) for parcel in fact.parcels for part in parcel.lines]
    going = units_meant(order, no, lines, lambda s: SliceState.SHIPPED in SLICE_MOVES[s.state])
    if not going and not lines:
        return
    _unasked(order, no, fact, lines, going, min(fact.at, batch.now))
    target = order.fulfilments[no].destination
    sold: dict[int, int] = {}
    sent_on: dict[int, int] = {}
    for part, units in going:
        if target is not None:
            send(order, part, units, target, min(fact.at, batch.now))
            sent_on[part.demand] = sent_on.get(part.demand, 0) + units
            continue
        order.advance(part.no, SliceState.SHIPPED, units)
        sold[part.demand] = sold.get(part.demand, 0) + units
    overtake(order, no)
    depart(order, no, identity, fact.parcels, sold, fact.at, batch)
    advise(order, no, sent_on, batch)


def _unasked(
    order: Order,
    no: int,
    fact: GoodsShipped,
    lines: Sequence[FactLine],
    going: Sequence[tuple[Slice, int]],
    at: datetime,
) -> None:
    """Units that left without being open here: gone from the shelf all the same, and told."""
    opened: dict[int, int] = {}
    for part, units in going:
        opened[part.demand] = opened.get(part.demand, 0) + units
    total = 0
    for line in lines:
        over = line.quantity
        meant = [demand for demand in order.demands if means(order, demand, line)]
        for demand in meant:
            taken = min(over, opened.get(demand, 0))
            opened[demand] = opened.get(demand, 0) - taken
            over -= taken
        total += over
        item = order.demands[meant[0]].item if meant else order.skus.get(line.sku or "")
        if over and item is not None and (not meant or order.demands[meant[0]].tracked):
            order.unasked.append((item, order.fulfilments[no].node, over, at))
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


def overtake(order: Order, no: int) -> None:
    """End what was asked back and left all the same."""
    if any(part.state in WITH_NODE for part in order.of_fulfilment(no)):
        return
    for request in list(order.cancels.values()):
        if request.fulfilment == no and request.state in (CancelState.ASKED, CancelState.REFUSED):
            end_request(order, request.no, CancelState.OVERTAKEN)


def _ready(order: Order, no: int, fact: ReadyForPickUp, batch: Batch) -> None:
    if order.fulfilments[no].destination is None:
        _forward(order, no, (), SliceState.READY)
        wait_for_customer(order, no, batch)


def _collected(order: Order, no: int, fact: GoodsCollected, batch: Batch) -> None:
    hand_over(order, no, fact, batch)
    overtake(order, no)


def _arrived(order: Order, no: int, fact: GoodsArrived, batch: Batch) -> None:
    arrive(order, no, fact, batch)


def _lost(order: Order, no: int, fact: GoodsLost, batch: Batch) -> None:
    lose(order, no, fact, batch)


def _cancel_confirmed(order: Order, no: int, fact: CancelConfirmed, batch: Batch) -> None:
    # A node may let go after all of what it would not stop before.
    open_requests = _open_requests(order, no) or _refused_requests(order, no)
    for request in open_requests:
        end_request(order, request.no, CancelState.CONFIRMED)
    if open_requests:
        fulfilment = order.fulfilments[no]
        order.mend("cancel_refused", f"{fulfilment.connection or 'hub'}: {fulfilment.id}")
        recall(order, no, batch)
    elif any(part.state in WITH_NODE for part in order.of_fulfilment(no)):
        # Nobody asked: the node dropped it on its own, which is a refusal.
        _refused(order, no, FulfilmentRefused(at=fact.at, fulfilment=fact.fulfilment, reason="cancelled there"), batch)


def _cancel_refused(order: Order, no: int, fact: CancelRefused, batch: Batch) -> None:
    for request in _open_requests(order, no):
        end_request(order, request.no, CancelState.REFUSED)
    not_let_go(order, no, fact.reason)


_APPLY: dict[type, Callable[..., None]] = {
    FulfilmentAccepted: _accepted,
    PurchaseOrdered: purchased,
    FulfilmentRefused: _refused,
    FulfilmentHeld: stand_still,
    UnitsPicked: _picked,
    UnitsPacked: _packed,
    UnitsShort: _short,
    GoodsShipped: _shipped,
    ReadyForPickUp: _ready,
    GoodsCollected: _collected,
    GoodsArrived: _arrived,
    GoodsLost: _lost,
    CancelConfirmed: _cancel_confirmed,
    CancelRefused: _cancel_refused,
}

_KINDS: dict[type, str] = {
    FulfilmentAccepted: "accepted",
    PurchaseOrdered: "purchase_ordered",
    FulfilmentRefused: "refused",
    UnitsPicked: "picked",
    UnitsPacked: "packed",
    UnitsShort: "short",
    GoodsShipped: "shipped",
    ReadyForPickUp: "ready",
    GoodsCollected: "collected",
    GoodsArrived: "arrived",
    GoodsLost: "lost",
    CancelConfirmed: "cancel_confirmed",
    CancelRefused: "cancel_refused",
}
"""The timeline's words. A fact without one is told again and again: it writes a line of its own when it says news."""


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
