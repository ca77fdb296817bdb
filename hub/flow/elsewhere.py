"""What somebody else sent: the channel says that more of a line went out than left us. It is taken over, and not sent.

A merchant ships by hand, a till hands out what was to be collected, a channel sends from its own warehouse. Nobody says
from which shelf. Where units were kept for the order, they are taken off there: too few for sale until the next count
is better than units that are sold twice.
"""

from typing import Final

from hub.domain.order import OrderContent
from hub.domain.shipping import units_of
from hub.domain.states import GONE, HOLDING, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.waiting import stop_if_placed

ELSEWHERE: Final = "elsewhere"
"""Reason of units that left without us."""

WITHDRAWN: Final = "shipment_withdrawn"
"""Exception of units that nobody sends: the channel said that they were sent, and then that they were not."""

_LOOSE: Final = (SliceState.UNALLOCATED, SliceState.BACKORDERED, SliceState.RESERVED, SliceState.EXPIRED)
_WORKED: Final = (SliceState.RELEASED, SliceState.ACCEPTED, SliceState.PICKED, SliceState.PACKED)


def take_over(order: Order, content: OrderContent, batch: Batch) -> dict[int, int]:
    """Let go what the channel says was sent by others, least advanced first; units by demand that a partner still has.

    Those are to be asked back: what comes back of them is taken over then.
    """
    _watch_withdrawn(order, content)
    left: dict[int, int] = {}
    for no, units in _sent_by_others(order, content).items():
        rest = _let_go(order, no, units)
        if rest < units:
            order.note(batch.now, "sent_elsewhere", f"line {order.demands[no].line}: {units - rest} units")
            stop_if_placed(order, no, batch)
        if rest:
            left[no] = rest
    return left


def _sent_by_others(order: Order, content: OrderContent) -> dict[int, int]:
    """Units by demand beyond those that left us. What the channel counts has our own confirmations in it."""
    told = {line.external_id: line.fulfilled_elsewhere for line in content.lines if line.fulfilled_elsewhere}
    if not told:
        return {}
    ours = units_of(order.shipments.values())
    found = {}
    for no, demand in order.demands.items():
        gone = sum(part.quantity for part in order.slices.values() if part.demand == no and part.state in GONE)
        more = told.get(demand.line, 0) * demand.per_unit - max(gone, ours[no])
        if more > 0:
            found[no] = more
    return found


def _watch_withdrawn(order: Order, content: OrderContent) -> None:
    """Tell of units that the channel said were sent by others, and now says were not: nobody sends them."""
    taken: dict[int, int] = {}
    for part in order.slices.values():
        if part.reason == ELSEWHERE:
            taken[part.demand] = taken.get(part.demand, 0) + part.quantity
    if not taken:
        return
    told = {line.external_id: line.fulfilled_elsewhere for line in content.lines}
    for no, units in taken.items():
        demand = order.demands[no]
        if demand.line not in told:
            continue
        cause = f"{order.connection}: order {order.external_id}, line {demand.line}"
        less = units - told[demand.line] * demand.per_unit
        if less <= 0:
            order.mend(WITHDRAWN, cause)
            continue
        order.troubles.append(
            order.trouble(
                kind=WITHDRAWN,
                cause=cause,
                next_step=f"The channel had said that somebody else sent {less} units of it, and takes that back. They "
                "are not sent from here: have them sent there, which closes this, or enter them as a new order.",
            )
        )


def _let_go(order: Order, demand: int, units: int) -> int:
    """Move units to where they are, as far as nobody has to be asked; returns how many are left."""
    for state in (*_LOOSE, *_WORKED, SliceState.READY):
        for part in sorted(order.slices.values(), key=lambda one: -one.no):
            if units <= 0:
                return 0
            if part.demand != demand or part.state is not state or _asked(order, part.fulfilment, state):
                continue
            some = min(units, part.quantity)
            node = part.node if state in HOLDING else None
            no = part.no
            if state in _LOOSE and state is not SliceState.UNALLOCATED:
                no = order.advance(no, SliceState.UNALLOCATED, some, node=None, fulfilment=None)
            ended = SliceState.COLLECTED if state is SliceState.READY else SliceState.SHIPPED
            order.advance(no, ended, some, node=node, reason=ELSEWHERE)
            units -= some
    return units


def _asked(order: Order, fulfilment: int | None, state: SliceState) -> bool:
    """Whether a partner was asked for these units and has to be asked back."""
    return state in _WORKED and fulfilment is not None and order.fulfilments[fulfilment].connection is not None
