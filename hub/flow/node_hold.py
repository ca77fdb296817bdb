"""A node that holds a fulfilment order itself: people are told, and it is over when the node goes on or has no units.

Nothing moves by it: the units stay where they are, and the customer is told nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hub.domain.facts import FulfilmentHeld
from hub.domain.fulfilment import NodeHold
from hub.domain.states import WITH_NODE
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.trouble import Trouble

HELD: Final = "held_by_node"


def stand_still(order: Order, no: int, fact: FulfilmentHeld, batch: Batch) -> None:
    """Keep what the node says of its hold, unless a later word is known; a node that has no units holds none."""
    asked = order.fulfilments[no]
    now = NodeHold(at=min(fact.at, batch.now), reasons=tuple(dict.fromkeys(fact.reasons)))
    known = asked.node_hold or NodeHold(at=now.at)
    if now.at < known.at or not _with_node(order, no):
        return
    if now != asked.node_hold:
        order.fulfilments[no] = msgspec.structs.replace(asked, node_hold=now)
    if set(now.reasons) == set(known.reasons):
        return
    if known.reasons:
        order.mend(HELD, _cause(order, no, known.reasons, batch))
    if now.reasons:
        order.troubles.append(_trouble(order, no, now.reasons, batch))
        order.note(batch.now, "node_held", f"{asked.id}: {', '.join(now.reasons)}")
    else:
        order.note(batch.now, "node_hold_lifted", asked.id)


def close_over(orders: Iterable[Order], batch: Batch) -> None:
    """End the holds of nodes that have no units of it any more: shipped, refused, cancelled or asked back."""
    for order in orders:
        for no, asked in list(order.fulfilments.items()):
            if asked.node_hold is None or _with_node(order, no):
                continue
            if asked.node_hold.reasons:
                order.mend(HELD, _cause(order, no, asked.node_hold.reasons, batch))
            order.fulfilments[no] = msgspec.structs.replace(asked, node_hold=None)


def _with_node(order: Order, no: int) -> bool:
    return any(part.state in WITH_NODE for part in order.of_fulfilment(no))


def _cause(order: Order, no: int, reasons: Sequence[str], batch: Batch) -> str:
    asked = order.fulfilments[no]
    place = batch.directory.nodes.get(asked.node)
    why = ", ".join(sorted(set(reasons)))
    return f"{asked.connection or 'hub'}: {asked.id} at {place.code if place else 'a node'}, {why}"


def _trouble(order: Order, no: int, reasons: Sequence[str], batch: Batch) -> Trouble:
    asked = order.fulfilments[no]
    return Trouble(
        kind=HELD,
        cause=_cause(order, no, reasons, batch),
        next_step="The node holds it and sends nothing. Choose: mend what it names and lift the hold there; have it "
        f"sent from elsewhere (POST /api/v1/fulfilment-orders/{asked.id}/take-back: the node is asked to let go); or "
        f"cancel it (POST /api/v1/orders/{order.id}/cancel). This closes when the node goes on or has let go.",
        connection=asked.connection,
        external_id=order.external_id,
        waiter=("order", order.id),
    )
