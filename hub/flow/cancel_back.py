"""Step 10, of what was cancelled here: the channel learns of it, and its older word does not bring it back."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from hub.domain.demand import Demand, Slice
from hub.domain.effects import CancelAtChannel, CancelLinesAtChannel
from hub.domain.order import OrderContent
from hub.domain.states import AT_REST, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.credit import billed
from hub.flow.directory import Link
from hub.flow.refund import money_subject
from hub.sdk.capabilities import CancelledLine, ChannelLineCancel

CANCELLED_HERE = "cancelled_here"


def keep_cancelled(old: OrderContent | None, new: OrderContent) -> OrderContent:
    """A channel's newer content, in which what the hub cancelled stays cancelled. Pure.

    A line's quantity is compared with what the channel said last. Less than that is the channel taking off what was
    cancelled here, by itself or by a person's hand; more is a real increase, and wanted.
    """
    if old is None or not (old.cut or old.cancelled_here) or new.cancelled_at is not None:
        return new
    wanted = {line.external_id: line.quantity for line in old.lines}
    lines, cut = [], {}
    for line in new.lines:
        units = old.cut.get(line.external_id, 0)
        said = wanted.get(line.external_id, 0) + units
        left = max(0, units - max(0, said - line.quantity))
        if left:
            cut[line.external_id] = left
            line = msgspec.structs.replace(line, quantity=line.quantity - left, ordered=billed(line))
        lines.append(line)
    return msgspec.structs.replace(
        new,
        lines=tuple(lines),
        cut=cut,
        cancelled_here=old.cancelled_here,
        cancelled_at=old.cancelled_at if old.cancelled_here else None,
        cancel_reason=(old.cancel_reason if cut or old.cancelled_here else None) or new.cancel_reason,
    )


def heard(order: Order, old: OrderContent | None) -> None:
    """The channel's newest word agrees with what was cancelled here: nobody has to tell it any more."""
    content = order.content
    if old is None or content is None or not (old.cut or old.cancelled_here):
        return
    if not content.cut and not content.cancelled_here:
        order.mend(CANCELLED_HERE)


def tell_cancelled(order: Order, batch: Batch) -> None:
    """Have the channel told of units that are cancelled now, or a person where it cannot be told.

    Not before their node has let go of them: of goods that leave in spite of it the channel hears as shipped.
    """
    content = order.content
    if content is None or not order.acting or not _news(order, content):
        return
    link = batch.directory.links.get(batch.directory.successor(order.connection))
    if link is None or not _elsewhere(link):
        return
    name, reason = link.connection.id, content.cancel_reason or "cancelled"
    if content.cancelled_here and _all_cancelled(order):
        if link.wants("cancel_order"):
            order.plan(name, order.id, CancelAtChannel(order=order.id, reason=reason))
        else:
            _by_hand(order, "The whole order was cancelled here")
        return
    lines = _to_take_off(order, content)
    if not lines:
        return
    if link.wants("cancel_lines"):
        # After the refunds and before the next: both take units off the order there.
        effect = CancelLinesAtChannel(order=order.id, reason=reason, units=_freed(order, content))
        order.plan(name, money_subject(order), effect, _ordinal(order))
    else:
        about = ", ".join(f"{line.quantity} of line {line.line} ({line.remaining} remain)" for line in lines)
        _by_hand(order, f"Units were cancelled here: {about}")


def line_cancel(
    order: Order, effect: CancelLinesAtChannel, *, key: str, look_first: bool, references: Mapping[str, str]
) -> ChannelLineCancel:
    """What the channel is asked to take off, as it stands now."""
    return ChannelLineCancel(
        key=key,
        look_first=look_first,
        references=references,
        order_external_id=order.external_id,
        lines=() if order.content is None else _to_take_off(order, order.content),
        reason=effect.reason,
    )


def _news(order: Order, content: OrderContent) -> bool:
    """Whether this transaction freed units that were cancelled here, or ended an order.

    Units are also freed by an increase: the node keeps them, and the channel has that many less to take off.
    """
    if not content.cut and not content.cancelled_here:
        return False
    before = order.before
    if content.cancelled_here and _all_cancelled(order):
        ended = before.content is not None and before.content.cancelled_here
        return not ended or any(part.state is not SliceState.CANCELLED for part in before.slices.values())
    return bool(_freed(order, content))


def _freed(order: Order, content: OrderContent) -> dict[str, int]:
    """Sold units by line that were cancelled here and that this transaction freed."""
    before = order.before
    had = {} if before.content is None else _free(before.content, before.demands, before.slices)
    now = _free(content, order.demands, order.slices)
    return {line: units - had.get(line, 0) for line, units in now.items() if units > had.get(line, 0)}


def _ordinal(order: Order) -> int:
    """Tells one word to the channel from the next: either grows with whatever is news."""
    cancelled = sum(part.quantity for part in order.slices.values() if part.state is SliceState.CANCELLED)
    return order.revision + cancelled


def _all_cancelled(order: Order) -> bool:
    return all(part.state is SliceState.CANCELLED for part in order.slices.values())


def _elsewhere(link: Link) -> bool:
    """Whether the channel keeps orders of its own: what is entered here has no other place."""
    return bool(link.adapter.topics or link.adapter.pulls)


def _to_take_off(order: Order, content: OrderContent) -> tuple[CancelledLine, ...]:
    """Units of lines that the channel still has and that nobody holds or ships any more."""
    free = _free(content, order.demands, order.slices)
    said = {line.external_id: line.quantity + content.cut.get(line.external_id, 0) for line in content.lines}
    return tuple(CancelledLine(line=line, quantity=units, remaining=said[line] - units) for line, units in free.items())


def _free(content: OrderContent, demands: Mapping[int, Demand], slices: Mapping[int, Slice]) -> dict[str, int]:
    """Sold units by line that were cancelled here, less those that a node holds or that have left."""
    whole = content.cancelled_here
    if whole and any(part.state not in AT_REST for part in slices.values()):
        return {}
    live: Counter[int] = Counter()
    for part in slices.values():
        if part.state is not SliceState.CANCELLED:
            live[part.demand] += part.quantity
    wanted = {line.external_id: 0 if whole else line.quantity for line in content.lines}
    over: dict[str, int] = {}
    for no, demand in demands.items():
        excess = live[no] - wanted.get(demand.line, 0) * demand.per_unit
        over[demand.line] = max(over.get(demand.line, 0), -(-excess // demand.per_unit))
    found = {}
    for line in content.lines:
        cancelled = content.cut.get(line.external_id, 0) + (line.quantity if whole else 0)
        if cancelled > over.get(line.external_id, 0):
            found[line.external_id] = cancelled - over.get(line.external_id, 0)
    return found


def _by_hand(order: Order, what: str) -> None:
    order.troubles.append(
        order.trouble(
            kind=CANCELLED_HERE,
            cause=f"{order.connection}: order {order.external_id}",
            next_step=f"{what}, and the channel cannot be told. Cancel the same there by hand; this closes by itself "
            "once the channel says so too.",
        )
    )
