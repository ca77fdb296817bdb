"""What the clock does to stores' work: nobody accepted in time, nobody collected in time, nobody claimed in time."""

from typing import Final

import msgspec

from hub.domain.states import CancelState, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.claim import end_offers
from hub.flow.pick_up import expire
from hub.flow.ports import Unit
from hub.flow.purchase import unanswered
from hub.flow.take_order import advance

LIMIT: Final = 50
"""Orders of one transaction."""

UNANSWERED: Final = "not accepted in time"


async def meet_deadlines(unit: Unit, batch: Batch, limit: int = LIMIT) -> int:
    """See to a batch of orders with something overdue, in one transaction; returns how many. Raises `LostRace`."""
    orders = await unit.by_id(batch.among(await unit.overdue(batch.now, limit)))
    if not orders:
        return 0
    await unit.peers(orders.values())
    await unit.offers(orders.values())
    for order in orders.values():
        for no in list(order.fulfilments):
            time_out(order, no, batch)
            expire(order, no, batch)
        end_offers(order, batch)
    await advance(unit, orders.values(), batch)
    return len(orders)


def time_out(order: Order, no: int, batch: Batch) -> None:
    """Take back what a node left unanswered, and leave it out of the next decisions. Nothing before its time.

    Who has a system of its own is asked to let go first: it may have begun without saying so.
    """
    fulfilment = order.fulfilments[no]
    if fulfilment.accept_by is None or fulfilment.accept_by > batch.now:
        return
    order.fulfilments[no] = msgspec.structs.replace(fulfilment, accept_by=None)
    waiting = [part for part in order.of_fulfilment(no) if part.state is SliceState.RELEASED]
    asked = any(one.fulfilment == no and one.state is CancelState.ASKED for one in order.cancels.values())
    if not waiting or asked:
        return
    if not unanswered(order, no, batch):
        return
    until = batch.directory.pick_up_policy(order.merchant).excluded_until(batch.now)
    for part in waiting:
        order.exclusions[part.demand, fulfilment.node] = until
    order.note(batch.now, "accept_timed_out", f"{fulfilment.id} at {batch.directory.nodes[fulfilment.node].code}")
    order.recalled.append(no)
    order.recall_reasons[no] = UNANSWERED
