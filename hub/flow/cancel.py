"""What people ask of an order: cancel all or some of it, decide it anew."""

from collections.abc import Mapping
from typing import Final

import msgspec

from hub.domain.demand import Slice
from hub.domain.effects import CancelAtChannel
from hub.domain.order import OrderContent, OrderLine
from hub.domain.states import GONE, WITH_NODE, SliceState
from hub.flow.aggregate import Order
from hub.flow.amend import advanced, fit, window_closed
from hub.flow.batch import Batch
from hub.flow.change_window import Party, Wish
from hub.flow.credit import billed
from hub.flow.refusal import CannotDo
from hub.flow.transfer import only_moves

SEND_BACK: Final = "What has left comes back as a return (POST /api/v1/returns)"
MOVE_BACK: Final = "What has left arrives: receive it, or report it lost, and move it back (POST /api/v1/transfers)"


def ask_cancel(
    order: Order, lines: Mapping[str, int] | None, *, reason: str, who: str, by: Party = "person", batch: Batch
) -> None:
    """Cancel for somebody who asks: within the windows of the merchant, and only what is still in the house.

    Raises `CannotDo`, with nothing done, naming what has left and what to do about it.
    """
    if order.content is None:
        raise CannotDo(f"order {order.id} has no content")
    if not order.acting:
        raise CannotDo(f"order {order.number} is only recorded here: cancel it at its channel")
    if lines:
        _less(order.content, lines)
    parts = _concerned(order, order.content, lines)
    wish = Wish.QUANTITY if lines else Wish.CANCEL
    closed = window_closed(order, wish, by, parts, batch)
    if closed is not None:
        raise CannotDo(f"{closed}. Offer a return once it has arrived (POST /api/v1/returns)")
    cancel(order, lines, reason=reason, who=who, batch=batch)


def _concerned(order: Order, content: OrderContent, lines: Mapping[str, int] | None) -> list[Slice]:
    """The units that would be cancelled, least advanced first. Raises `CannotDo` when they have left."""
    wanted = lines or {line.external_id: line.quantity for line in content.lines}
    found = []
    for no, demand in order.demands.items():
        units = wanted.get(demand.line, 0) * demand.per_unit
        mine = [part for part in order.slices.values() if part.demand == no and _here(order, part)]
        here = sum(part.quantity for part in mine)
        gone = sum(p.quantity for p in order.slices.values() if p.demand == no and p.state in _gone(order))
        if units > here and gone:
            left = {} if lines else _left(order, content)
            others = f"; cancel what is here by naming lines {left}" if left else ""
            raise CannotDo(
                f"line {demand.line}: {gone} units have left and {here} are here, {units} cannot be cancelled{others}. "
                + (MOVE_BACK if only_moves(order) else SEND_BACK)
            )
        for part in sorted(mine, key=lambda one: (advanced(one.state), -one.no)):
            if units > 0:
                found.append(part)
                units -= part.quantity
    return found


def _gone(order: Order) -> frozenset[SliceState]:
    """What cannot be cancelled. A customer's goods on the way to a store stay there; a transfer's are on their way."""
    return GONE | {SliceState.IN_TRANSIT} if only_moves(order) else GONE


def _here(order: Order, part: Slice) -> bool:
    return part.state is not SliceState.CANCELLED and part.state not in _gone(order)


def _left(order: Order, content: OrderContent) -> dict[str, int]:
    """Sold units of each line that could still be cancelled."""
    here: dict[str, int] = {}
    for no, demand in order.demands.items():
        live = sum(p.quantity for p in order.slices.values() if p.demand == no and _here(order, p))
        here[demand.line] = min(here.get(demand.line, live // demand.per_unit), live // demand.per_unit)
    return {line.external_id: here[line.external_id] for line in content.lines if here.get(line.external_id, 0) > 0}


def cancel(order: Order, lines: Mapping[str, int] | None, *, reason: str, who: str, batch: Batch) -> None:
    """Cancel all, or quantities of lines (line external id -> units to cancel), as a revision made here.

    The channel is told once the units are free (`cancel_back`). Raises `CannotDo` for unknown lines and for more units
    than a line still has.
    """
    content = order.content
    if content is None:
        raise CannotDo(f"order {order.id} has no content")
    if not lines or _nothing_left(order, content, lines):
        changed = msgspec.structs.replace(
            content, cancelled_at=batch.now, cancel_reason=reason, cancelled_here=content.cancelled_at is None
        )
    else:
        cut = {**content.cut, **{line: content.cut.get(line, 0) + units for line, units in lines.items()}}
        changed = msgspec.structs.replace(content, lines=tuple(_less(content, lines)), cancel_reason=reason, cut=cut)
    order.content = changed
    order.revision += 1
    order.revised = (changed, None, batch.now)
    order.note(batch.now, "cancel_requested", f"by {who}: {reason}")
    fit(order, changed, batch)


def _nothing_left(order: Order, content: OrderContent, lines: Mapping[str, int]) -> bool:
    """Whether these lines are all that is left of an order of which nothing has gone: then it is cancelled whole."""
    left = {line.external_id: line.quantity for line in _less(content, lines)}
    return not any(left.values()) and not any(part.state in GONE for part in order.slices.values())


def answer_wish(order: Order, batch: Batch) -> None:
    """Grant a customer's wish to cancel, at the channel that passed it on, once every unit is cancelled here.

    Goods that left in spite of it are confirmed as shipped, which is the other answer.
    """
    content = order.content
    if content is None or not content.cancel_asked or content.cancelled_at is not None or not order.acting:
        return
    link = batch.directory.speaker(order.account)
    nothing_left = order.slices and all(part.state is SliceState.CANCELLED for part in order.slices.values())
    if nothing_left and link is not None and link.live("cancel_order"):
        order.plan(link.connection.id, order.id, CancelAtChannel(order=order.id, reason="buyer asked"))


def _less(content: OrderContent, lines: Mapping[str, int]) -> list[OrderLine]:
    known = {line.external_id: line for line in content.lines}
    for name, units in lines.items():
        if name not in known:
            raise CannotDo(f"line {name} is not in this order")
        if not 0 < units <= known[name].quantity:
            raise CannotDo(f"line {name} has {known[name].quantity} units, {units} cannot be cancelled")
    # Amounts stay those of the sale, and so do the units that they are for.
    return [
        msgspec.structs.replace(line, quantity=line.quantity - lines[line.external_id], ordered=billed(line))
        if line.external_id in lines
        else line
        for line in content.lines
    ]


def reroute(order: Order, *, who: str, batch: Batch) -> None:
    """Take reserved units back and ask nodes for theirs, so that they are decided anew."""
    for part in list(order.slices.values()):
        if part.state is SliceState.RESERVED:
            order.take_back(part.no, "displaced")
        elif part.state in WITH_NODE and part.fulfilment is not None and part.fulfilment not in order.recalled:
            order.recalled.append(part.fulfilment)
    order.note(batch.now, "reroute_requested", f"by {who}")
