"""What a decision leaves over: it waits in a named place, is backordered, or is cancelled when its time is up."""

from datetime import timedelta
from typing import Final

from hub.domain.order import Method
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.cancel import cancel
from hub.flow.waiting import begin_waiting, for_a_way, for_an_answer, for_pick_up, for_stock
from hub.routing.conditions import ConditionFailed
from hub.routing.model import Decision, Group, Reason, Snapshot
from hub.routing.prepare import RoutingInputError
from hub.routing.rules import Remainder

OUT_OF_STOCK: Final = "out_of_stock"
BACKORDER_EXPIRED: Final = "backorder_expired"
"""Why the hub itself cancels for want of goods: at once, or when its days are over. Key figures read these words."""

OPEN: Final = (SliceState.UNALLOCATED, SliceState.BACKORDERED)
"""Where units are that routing still has to place."""

TRIED_AGAIN: Final = "Orders are tried again as soon as stock arrives, a node is enabled or a policy is activated."

_ASK: Final = (
    "The place where the customer collects will not have it ready, or is not known here. Ask the customer, then name "
    "another place, the same again, or shipping: POST /api/v1/orders/{order}/pick-up; or cancel."
)

_BARRED: Final = frozenset({Reason.OUTSIDE_FENCE, Reason.NO_CAPACITY, Reason.NOT_CAPABLE, Reason.SPLIT_LIMIT})
"""Why a node that has the goods does not send them, where it is not the node that says so."""


def leave(order: Order, decision: Decision, group: Group, snapshot: Snapshot, batch: Batch) -> None:
    """Do with what no node serves as the policy says."""
    unfilled = dict(decision.plan.unfilled)
    if unfilled and _time_is_up(order, unfilled, decision, batch):
        _cancel(order, unfilled, decision, batch)
        return
    if decision.remainder is Remainder.BACKORDER:
        _backorder(order, unfilled, batch)
    barred = _barred(decision, group, snapshot)
    for position, line in enumerate(group.lines):
        units = unfilled.get(line.demand)
        if units is None:
            continue
        if group.method is Method.PICK_UP and group.pickup_node in (None, *line.refused_by):
            note = f"{units} units of demand {line.demand}: refused where the customer collects"
            begin_waiting(order, line.demand, for_pick_up(line.item), note, _ASK.format(order=order.id), batch)
        elif position in barred:
            note = f"{units} units of demand {line.demand}: no node that has them may send them"
            step = f"Goods are there, but {barred[position]}. Change the policy or the nodes. {TRIED_AGAIN}"
            begin_waiting(order, line.demand, for_a_way(line.item), note, step, batch)
        else:
            note = f"{units} units of demand {line.demand}: no node has them"
            begin_waiting(
                order, line.demand, for_stock(line.item), note, f"No node can serve it now. {TRIED_AGAIN}", batch
            )


def _time_is_up(order: Order, unfilled: dict[int, int], decision: Decision, batch: Batch) -> bool:
    """Whether units have waited as long as the policy lets them, from when the order was placed or its last promise."""
    days = decision.cancel_after_days
    if decision.remainder is Remainder.QUEUE or (decision.remainder is Remainder.BACKORDER and days is None):
        return False
    coming = [p for p in order.slices.values() if p.demand in unfilled and p.state is SliceState.BACKORDERED]
    promises = [part.promised_at for part in coming if part.promised_at is not None]
    return max([order.placed_at, *promises]) <= batch.now - timedelta(days=days or 0)


def _barred(decision: Decision, group: Group, snapshot: Snapshot) -> dict[int, str]:
    """Per line of which nodes hold units that the plan leaves there: what keeps them from sending."""
    told = dict(decision.reasons)
    used = {(a.demand, a.node) for a in decision.plan.assignments}
    found = {}
    for position, line in enumerate(group.lines):
        words = [
            f"{node.code} is told {told[node.id].value.replace('_', ' ')}"
            for node in snapshot.nodes
            if node.available[position] > 0 and told[node.id] in _BARRED and (line.demand, node.id) not in used
        ]
        if words:
            found[position] = ", ".join(words)
    return found


def _backorder(order: Order, unfilled: dict[int, int], batch: Batch) -> None:
    for part in list(order.slices.values()):
        if part.demand in unfilled and part.state is SliceState.UNALLOCATED:
            order.advance(part.no, SliceState.BACKORDERED)
            order.note(batch.now, "backordered", f"{part.quantity} units of demand {part.demand}")


def _cancel(order: Order, unfilled: dict[int, int], decision: Decision, batch: Batch) -> None:
    """Cancel sold units of which something cannot be served; a part of a kit takes the kit with it."""
    lines: dict[str, int] = {}
    for no, units in unfilled.items():
        demand = order.demands[no]
        lines[demand.line] = max(lines.get(demand.line, 0), -(-units // demand.per_unit))
    wanted = {line.external_id: line.quantity for line in order.content.lines} if order.content else {}
    lines = {line: min(units, wanted.get(line, 0)) for line, units in lines.items() if wanted.get(line, 0) > 0}
    everything = all(lines.get(line, 0) >= units for line, units in wanted.items() if units > 0)
    reason = BACKORDER_EXPIRED if decision.cancel_after_days else OUT_OF_STOCK
    if lines:
        cancel(order, None if everything else lines, reason=reason, who=f"policy {decision.policy}", batch=batch)


def no_answer(
    order: Order, demands: list[int], error: ConditionFailed | RoutingInputError, policy: str, batch: Batch
) -> None:
    """Let what could not be decided wait: a condition without an answer, or an input that contradicts itself."""
    if isinstance(error, ConditionFailed):
        cause = f"policy {policy}, {error.where}"
        step = (
            f"{error}. Mend the condition in a new version of the policy and activate it, or give the order or the "
            "node what the condition reads. Orders are tried again at once."
        )
    else:
        cause = f"policy {policy}, input"
        step = f"{error}. Orders are tried again when the policy, a node or an item changes."
    for demand in demands:
        begin_waiting(order, demand, for_an_answer(cause), f"demand {demand}: {error}", step, batch)
