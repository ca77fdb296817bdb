"""Keep a routing decision with its order: whole, so that it can be explained and replayed."""

from datetime import datetime

from hub.flow.aggregate import DecisionRow, Order
from hub.routing.model import Decision, Group, Snapshot
from hub.routing.record import encode, encode_input


def keep_decision(order: Order, group: Group, snapshot: Snapshot, decision: Decision, at: datetime) -> None:
    """The order's next decision: what was asked, what was seen, and what came of it."""
    order.decisions_made.append(
        DecisionRow(
            no=order.decisions + len(order.decisions_made) + 1,
            group=group.group,
            at=at,
            policy=decision.policy,
            engine=decision.engine,
            cost=decision.plan.cost,
            gap=decision.gap,
            proven=decision.proven,
            input=encode_input(group, snapshot, decision.policy),
            document=encode(decision),
        )
    )
