"""Make what we intend fit what the customer wants now: least advanced slices first, nodes are asked, never told."""

from collections.abc import Iterable, Sequence

import msgspec

from hub.domain.demand import Slice
from hub.domain.effects import CancelFulfilment
from hub.domain.fulfilment import CancelRequest, fulfilment_id
from hub.domain.ids import effect_key
from hub.domain.order import ManagedBy, OrderContent
from hub.domain.states import CANCEL_MOVES, GONE, WITH_NODE, CancelState, Handoff, SliceState, move
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.change_window import Asked, Party, Wish, why_not
from hub.flow.elsewhere import ELSEWHERE, take_over
from hub.flow.ports import Unit
from hub.flow.trouble import Trouble
from hub.flow.waiting import stop_if_placed

SENT_ELSEWHERE = "sent by somebody else"
"""Why a node is asked to stop, where the channel says that its units went out already."""

# Least advanced first: what nobody has touched goes before what a node works on.
_CUT_NOW = (SliceState.UNALLOCATED, SliceState.BACKORDERED, SliceState.RESERVED, SliceState.EXPIRED)


def wanted_units(order: Order, content: OrderContent) -> dict[int, int]:
    """Units still wanted per demand, by the newest revision."""
    lines = {line.external_id: line for line in content.lines}
    wanted = {}
    for no, demand in order.demands.items():
        line = lines.get(demand.line)
        units = 0 if line is None or content.cancelled_at is not None else line.quantity * demand.per_unit
        wanted[no] = units
    return wanted


def fit(order: Order, content: OrderContent, batch: Batch) -> None:
    """Cancel what is too much and untouched; mark for recall what a node has; raise what has left already.

    What the channel says was sent by others is taken over first, and asked back from a partner that has it too.
    """
    for no, units in take_over(order, content, batch).items():
        _recall(order, no, units, content, batch, SENT_ELSEWHERE)
    for no, wanted in wanted_units(order, content).items():
        demand = order.demands[no]
        excess = order.live(no) - wanted
        if excess <= 0:
            continue
        excess = _cut(order, no, excess, batch)
        if excess <= 0 or demand.managed_by is not ManagedBy.HUB:
            continue
        excess = _recall(order, no, excess, content, batch) - _refunded(order, no, content) - _under_way(order, no)
        if excess > 0 and not _elsewhere_only(order, no, content):
            _too_late(order, demand.line, excess, batch)


def _refunded(order: Order, demand: int, content: OrderContent) -> int:
    """Units that left and were then refunded by the channel: not wanted any more, and nothing is to be done."""
    line = next((one for one in content.lines if one.external_id == order.demands[demand].line), None)
    back = 0 if line is None else line.refunded * order.demands[demand].per_unit
    return max(0, back - order.returned(demand))


def _under_way(order: Order, demand: int) -> int:
    """Units between two nodes of ours: what is not wanted any more stays on the shelf where it arrives."""
    parts = (part for part in order.slices.values() if part.demand == demand)
    return sum(part.quantity for part in parts if part.state is SliceState.IN_TRANSIT)


def _cut(order: Order, demand: int, excess: int, batch: Batch) -> int:
    for state in _CUT_NOW:
        for part in sorted(order.slices.values(), key=lambda s: -s.no):
            if excess > 0 and part.demand == demand and part.state is state:
                units = min(excess, part.quantity)
                order.advance(part.no, SliceState.CANCELLED, units, node=None)
                excess -= units
    stop_if_placed(order, demand, batch)
    return excess


def _recall(
    order: Order, demand: int, excess: int, content: OrderContent, batch: Batch, because: str | None = None
) -> int:
    """Mark fulfilment orders that hold too much; least advanced first, the newest of equals.

    A channel's cancel is a fact: past its window nobody is asked, and a person is told what there is to choose from.
    For what somebody else has sent there is no window.
    """
    late: dict[str, int] = {}
    parts = [p for p in order.slices.values() if p.demand == demand and p.state in WITH_NODE and p.fulfilment]
    for part in sorted(parts, key=lambda p: (advanced(p.state), -p.no)):
        if excess <= 0:
            break
        assert part.fulfilment is not None
        units, excess = min(excess, part.quantity), excess - part.quantity
        if was_asked(order, part.fulfilment):
            continue
        closed = None if because else _past_window(order, part, content, batch)
        if closed is None:
            order.recalled.append(part.fulfilment)
            if because:
                order.recall_reasons[part.fulfilment] = because
        else:
            late[closed] = late.get(closed, 0) + units
    for why, units in late.items():
        _left_to_person(order, order.demands[demand].line, units, why, batch)
    return excess


def _past_window(order: Order, part: Slice, content: OrderContent, batch: Batch) -> str | None:
    """Why a node is not asked for units that the channel does not want any more; None where it is.

    What was cancelled here has been through its own window.
    """
    if content.cancelled_here or order.demands[part.demand].line in content.cut:
        return None
    wish = Wish.CANCEL if content.cancelled_at is not None else Wish.QUANTITY
    return window_closed(order, wish, "channel", [part], batch)


def window_closed(order: Order, wish: Wish, by: Party, parts: Iterable[Slice], batch: Batch) -> str | None:
    """Why a party may not change these units any more; None while it may."""
    states = [part.state for part in parts]
    if not states:
        return None
    furthest = max(states, key=advanced)
    asked = Asked(wish, by, channel_names(order, batch), furthest, order.placed_at)
    return why_not(batch.directory.change_policy(order.merchant), asked, batch.now)


def channel_names(order: Order, batch: Batch) -> frozenset[str]:
    """How rules may name the channel of an order: connection, account, source."""
    source = order.content.source if order.content else None
    names = (order.connection, batch.directory.accounts[order.account].name, source)
    return frozenset(name for name in names if name)


def advanced(state: SliceState) -> int:
    """How far a unit is: the higher, the dearer to take back."""
    return list(SliceState).index(state)


def was_asked(order: Order, fulfilment: int) -> bool:
    """Whether a fulfilment order is being asked back, or its node would not let go of it."""
    return fulfilment in order.recalled or any(
        request.fulfilment == fulfilment and request.state in (CancelState.ASKED, CancelState.REFUSED)
        for request in order.cancels.values()
    )


def _elsewhere_only(order: Order, demand: int, content: OrderContent) -> bool:
    """Whether the excess was fulfilled and then taken out of the order by the channel itself, as after a return."""
    gone = [p for p in order.slices.values() if p.demand == demand and p.state in GONE]
    return any(part.node is None or part.reason == ELSEWHERE for part in gone) and content.cancelled_at is None


def _left_to_person(order: Order, line: str, units: int, why: str, batch: Batch) -> None:
    order.troubles.append(
        order.trouble(
            kind="change_too_late",
            cause=f"{order.connection}: order {order.external_id}, cancel of line {line}",
            next_step=f"The channel cancelled {units} units that are with the node: {why}. Choose: let them go and "
            "offer a return once they have arrived (POST /api/v1/returns); or have the node asked all the same (POST "
            f"/api/v1/orders/{order.id}/reroute): what it lets go of is cancelled.",
        )
    )
    order.note(batch.now, "change_too_late", f"cancel of line {line}: {units} units")


def _too_late(order: Order, line: str, units: int, batch: Batch) -> None:
    order.troubles.append(
        order.trouble(
            kind="cancel_after_ship",
            cause=f"{order.connection}: order {order.external_id}, line {line}",
            next_step=f"{units} units were cancelled after they had left. Agree a return with the customer "
            "(POST /api/v1/returns), or refund without goods.",
        )
    )
    order.note(batch.now, "cancel_too_late", f"line {line}: {units} units had left")


async def ask_nodes(unit: Unit, orders: Sequence[Order], batch: Batch) -> None:
    """Recall marked fulfilment orders: at once if nobody was told yet, else by a cancel request."""
    marked = [(order, no) for order in orders for no in order.recalled]
    if not marked:
        return
    keys = {}
    for order, no in marked:
        fulfilment = order.fulfilments[no]
        if fulfilment.connection is not None and fulfilment.handoff is Handoff.UNSENT:
            keys[order.id, no] = (fulfilment.connection, effect_key(fulfilment.id, "submit", 1))
    voided = await unit.void(list(keys.values())) if keys else {}
    for order, no in marked:
        fulfilment = order.fulfilments[no]
        picked = any(part.state in (SliceState.PACKED, SliceState.READY) for part in order.of_fulfilment(no))
        key = keys.get((order.id, no))
        told = fulfilment.connection is not None and key not in voided
        if key in voided:
            order.taken_back.append(voided[key])
        if told:
            stop(order, no, _reason(order, no), batch)
            continue
        request = _request(order, no, _reason(order, no), batch)
        if picked:
            end_request(order, request.no, CancelState.REFUSED)
            order.note(batch.now, "cancel_refused", f"{fulfilment.id} is packed")
            not_let_go(order, no, "it is packed")
        else:
            end_request(order, request.no, CancelState.VOID if fulfilment.connection else CancelState.CONFIRMED)
            recall(order, no, batch)
    for order in orders:
        order.recalled.clear()


def stop(order: Order, no: int, reason: str, batch: Batch) -> None:
    """Ask a partner to stop working on a fulfilment order; nothing for a node that is worked through the hub."""
    fulfilment = order.fulfilments[no]
    if fulfilment.connection is None:
        return
    request = _request(order, no, reason, batch)
    effect = CancelFulfilment(order=order.id, fulfilment=no, request=request.no)
    order.plan(batch.directory.successor(fulfilment.connection), fulfilment.id, effect, request.no)
    order.note(batch.now, "cancel_asked", f"{fulfilment.id}: {reason}")


def _reason(order: Order, no: int) -> str:
    return order.recall_reasons.get(no) or (order.content.cancel_reason if order.content else None) or "amended"


def not_let_go(order: Order, no: int, why: str) -> None:
    """Tell that a node would not stop, and what there is to choose from now."""
    fulfilment = order.fulfilments[no]
    reasons = [request.reason for request in order.cancels.values() if request.fulfilment == no]
    what = reasons[-1] if reasons else ""
    choice = "Choose: offer a return once they have arrived (POST /api/v1/returns), or refund without goods."
    if fulfilment.connection is None:
        choice += f" Unpacked before they leave (POST /api/v1/fulfilment-orders/{fulfilment.id}/unpack), they stay."
    if what == SENT_ELSEWHERE:
        choice = "The channel says that somebody else sent them already: find that parcel, and have one of two back."
    if what.endswith(" changed"):
        choice = (
            f"They leave as they were first asked for, although {what}. Choose: ask the carrier to redirect the "
            "parcel, or agree with the customer to return it."
        )
    order.troubles.append(
        Trouble(
            kind="cancel_refused",
            cause=f"{fulfilment.connection or 'hub'}: {fulfilment.id}",
            next_step=f"The node would not stop ({why}). The goods are expected to leave. {choice}",
            connection=fulfilment.connection,
            external_id=order.external_id,
            waiter=("order", order.id),
        )
    )


def _request(order: Order, fulfilment: int, reason: str, batch: Batch) -> CancelRequest:
    no = max(order.cancels, default=0) + 1
    request = CancelRequest(
        order=order.id,
        no=no,
        fulfilment=fulfilment,
        lines={},
        asked_by="channel",
        reason=reason,
        asked_at=batch.now,
    )
    order.cancels[no] = request
    return request


def end_request(order: Order, no: int, state: CancelState) -> None:
    """End a cancel request; an end it has already is kept."""
    request = order.cancels[no]
    if request.state is not state:
        order.cancels[no] = msgspec.structs.replace(request, state=move(CANCEL_MOVES, request.state, state))


def recall(order: Order, fulfilment: int, batch: Batch) -> None:
    """A node lets go: its units come back, what is not wanted is cancelled, the rest waits for a new decision."""
    for part in order.of_fulfilment(fulfilment):
        if part.state in WITH_NODE and part.state is not SliceState.READY:
            order.take_back(part.no, "recalled")
    order.note(batch.now, "recalled", fulfilment_id(order.id, fulfilment))
    if order.content is not None:
        fit(order, order.content, batch)
