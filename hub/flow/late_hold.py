"""A hold that comes when nodes have the goods: what was not sent is taken back, the rest its rule or people decide."""

from collections.abc import Iterable
from typing import Final

from hub.domain.demand import Slice
from hub.domain.states import WITH_NODE, Handoff
from hub.flow.aggregate import Order
from hub.flow.amend import was_asked
from hub.flow.hold_rules import HoldRule
from hub.flow.redirect import LEFT
from hub.flow.trouble import Trouble

HELD_TOO_LATE: Final = "held_too_late"

CHANGED: Final = frozenset({"hold_lifted", "recalled"})
"""Words of the timeline after which nobody may have to choose any more."""


def ask_back(order: Order, rule: HoldRule, scope: str) -> None:
    """Mark for recall what the rule wants back, or what no node was told of yet; tell a person of the rest.

    What is being asked back already is left alone. Nodes are asked when the order is taken on; they may refuse.
    """
    if "release" not in rule.stops or rule.late == "let_go":
        return
    left = 0
    for part in _concerned(order, scope):
        no = part.fulfilment
        if part.state not in WITH_NODE or no is None or no in order.recalled:
            continue
        if _untold(order, no) or (rule.late == "recall" and not was_asked(order, no)):
            order.recalled.append(no)
            order.recall_reasons[no] = f"held: {rule.kind}"
        elif rule.late == "ask":
            left += part.quantity
    gone = sum(part.quantity for part in _concerned(order, scope) if part.state in LEFT)
    if left or gone:
        order.troubles.append(_trouble(order, rule, scope, left, gone))


def close_answered(orders: Iterable[Order]) -> None:
    """Close what a person was asked where the hold was lifted, or the units came back."""
    for order in orders:
        if not order.holds or not any(moment.kind in CHANGED for moment in order.moments):
            continue
        keys = {(hold.kind, hold.scope) for hold in order.holds.values() if hold.policy and "release" in hold.stops}
        standing = {(hold.kind, hold.scope) for hold in order.holds.values() if hold.active}
        for kind, scope in sorted(keys):
            if (kind, scope) not in standing or not _concerned(order, scope):
                order.mend(HELD_TOO_LATE, _cause(order, kind, scope))


def _concerned(order: Order, scope: str) -> list[Slice]:
    """Units of a hold's scope that a node has, or a carrier."""
    by, _, name = scope.partition(":")
    return [
        part
        for part in order.slices.values()
        if part.state in WITH_NODE | LEFT and (by != "group" or order.demands[part.demand].group == name)
    ]


def _untold(order: Order, no: int) -> bool:
    fulfilment = order.fulfilments[no]
    return fulfilment.connection is not None and fulfilment.handoff is Handoff.UNSENT


def _cause(order: Order, kind: str, scope: str) -> str:
    where = "" if scope == "order" else f" of {scope}"
    return f"{order.connection}: order {order.external_id}, {kind}{where}"


def _trouble(order: Order, rule: HoldRule, scope: str, left: int, gone: int) -> Trouble:
    path = f"/api/v1/orders/{order.id}"
    steps = []
    if left:
        steps.append(
            f"{left} units are with a node. Choose: recall them (POST {path}/reroute; what the node lets go of stays "
            f'held) or let them go (POST {path}/lift with {{"kind": "{rule.kind}"}}).'
        )
    if gone:
        steps.append(
            f"{gone} units have left. Choose: have the carrier bring the parcel back, agree a return (POST "
            f'/api/v1/returns), or let it be (POST {path}/lift with {{"kind": "{rule.kind}"}}).'
        )
    return order.trouble(
        kind=HELD_TOO_LATE,
        cause=_cause(order, rule.kind, scope),
        next_step=f"Held after its release: {rule.reason}. {' '.join(steps)}",
    )
