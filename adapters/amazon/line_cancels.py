"""Taking lines off an order that has others left: the feed that cancels an order names the lines that fail.

Amazon cancels a line whole or not at all: an acknowledgement has a code and a reason per line, and no quantity. What is
part of a line, or of a line of which something has left, is for a person.
"""

from collections.abc import Sequence

from adapters.amazon.cancels import ACKNOWLEDGE, failure, look, read_state
from adapters.amazon.client import Seller, get_order
from adapters.amazon.schemas import Line, Order
from adapters.amazon.xml_feeds import run
from hub.sdk.capabilities import CancelledLine, ChannelLineCancel
from hub.sdk.outcomes import Done, NeedsPerson, Outcome


async def cancel_lines(context: Seller, request: ChannelLineCancel, /) -> Outcome:
    """Acknowledge lines as failed, and read the result. The order is always read first: lines that are cancelled
    already are left, and a job of the last try may still be running."""
    order = await get_order(context, request.order_external_id, Order)
    before = read_state(order)
    if before is not None:
        return before
    whole, parts = sort_lines(order, request.lines)
    done: Outcome = Done(found=True)
    if whole:
        subject = f"order {order.order_id}: lines"
        seen = await look(context, subject, request.key) if request.look_first else None
        if seen is not None and not isinstance(seen, Done):
            return seen
        document = failure(context.settings.seller_id, order.order_id, whole, request.reason)
        done = seen or await run(context, ACKNOWLEDGE, document, subject, request.key)
    if parts and isinstance(done, Done):
        units = ", ".join(f"{one.quantity} of line {one.line} ({one.remaining} remain)" for one in parts)
        return NeedsPerson(
            reason=f"order {order.order_id}: Amazon cancels whole lines only, and these are parts: {units}",
            next_step="refund the units, or agree with the buyer on the whole line; then resolve",
        )
    return done


def sort_lines(order: Order, asked: Sequence[CancelledLine]) -> tuple[list[Line], list[CancelledLine]]:
    """Lines to cancel whole, and what cannot be cancelled; neither holds what is cancelled already. Pure."""
    known = {line.order_item_id: line for line in order.order_items}
    whole: list[Line] = []
    parts: list[CancelledLine] = []
    for one in asked:
        line = known.get(one.line)
        if line is None or (line.cancellation is not None and line.cancellation.cancellation_execution is not None):
            continue
        if not line.fulfilled and one.remaining == 0 and line.quantity_ordered <= one.quantity:
            whole.append(line)
        elif line.quantity_ordered > one.remaining:
            parts.append(one)
    return whole, parts
