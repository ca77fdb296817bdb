"""Taking units off an order that has others left: the fulfilments that hold nothing else are cancelled.

The lines of a paid order cannot be changed: Square answers "LineItems cannot be modified for finalized tenders"
(developer.squareup.com/forums, topic 9477). What it lets go of is a fulfilment, whole. Units that share theirs with
others are for a person, who refunds them.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from adapters.square.cancels import cancel_request
from adapters.square.documents import Seller
from adapters.square.goods import DEAD
from adapters.square.schemas import Fulfilment, Order
from adapters.square.shipments import MARK, Units, remaining
from adapters.square.updates import ROUNDS, read_order, update
from hub.sdk.capabilities import CancelledLine, ChannelCancel, ChannelLineCancel
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, RetryLater


async def cancel_lines(context: Seller, request: ChannelLineCancel, /) -> Outcome:
    """Cancel the fulfilments of which nothing is wanted any more. The order is always read first: what is cancelled
    there already is left."""
    found = True
    for _ in range(ROUNDS):
        order = await read_order(context, request.order_external_id)
        whole, parts = sort_ways(order, request.lines)
        if not whole:
            return _by_hand(order, parts) if parts else Done(reference=order.id, found=found)
        if order.state != "OPEN" or order.version is None:
            return _by_hand(order, request.lines)
        found = False
        wish = ChannelCancel(key=request.key, order_external_id=request.order_external_id, reason=request.reason)
        left = msgspec.structs.replace(order, fulfillments=tuple(whole))
        await update(context, order, cancel_request(left, wish), request.key, f"order {order.id}: lines")
    return RetryLater(reason=f"order {request.order_external_id} keeps changing at Square")


def sort_ways(order: Order, asked: Sequence[CancelledLine]) -> tuple[list[Fulfilment], list[CancelledLine]]:
    """Open fulfilments to cancel whole, and what shares one with units that stay wanted. Pure.

    A line is named as it was read: `uid` in the first fulfilment that holds it, `uid/fulfilment` in another.
    """
    ways = [one for one in order.fulfillments or () if one.uid and one.state not in DEAD and one.state != "COMPLETED"]
    held = {one.uid: +remaining(order, one) for one in ways}
    taken: dict[str | None, Units] = {}
    about: dict[str | None, list[CancelledLine]] = {}
    for one in asked:
        uid, _, way = one.line.partition("/")
        home = next((place for place in held if held[place][uid] and way in ("", place)), None)
        if home is not None and held[home][uid] > one.remaining:
            taken.setdefault(home, Counter())[uid] += one.quantity
            about.setdefault(home, []).append(one)
    whole = [one for one in ways if one.uid in taken and held[one.uid] <= taken[one.uid] and not _begun(one)]
    going = {one.uid for one in whole}
    return whole, [one for home, lines in about.items() if home not in going for one in lines]


def _begun(one: Fulfilment) -> bool:
    """Whether part of it has left: it ends completed, never cancelled."""
    return any(name.startswith(MARK) for name in one.metadata or {})


def _by_hand(order: Order, parts: Sequence[CancelledLine]) -> Outcome:
    units = ", ".join(f"{one.quantity} of line {one.line} ({one.remaining} remain)" for one in parts)
    return NeedsPerson(
        reason=f"order {order.id}: Square cancels whole fulfilments only, and these share theirs: {units}",
        next_step="refund the units, here or in the Square Dashboard, then resolve",
    )
