"""The decision for one group: survey the nodes, solve, say why. Pure: the same input gives the same bytes."""

from collections.abc import Sequence

from hub.routing.model import Assignment, Decision, Group, Plan, Policy, Snapshot
from hub.routing.pieces import Placement
from hub.routing.prepare import Prepared, RoutingInputError, prepare
from hub.routing.reasons import reasons
from hub.routing.solve import cost_of, nothing, solve
from hub.routing.survey import Survey, survey


def decide(group: Group, snapshot: Snapshot, policy: Policy, prepared: Prepared | None = None) -> Decision:
    """Decide which node sends what.

    The plan places as many units as fences, stock and policy allow, at the least cost; `Decision.proven` and
    `Decision.gap` say how sure that is. Never assigns more of an item than a node has for all lines together.
    `prepared` saves the work that is the same for every group of a batch; it must come from the same nodes and policy.

    Raises `RoutingInputError` for input that contradicts itself: an empty quantity, a demand with two lines, stock
    figures that do not match the lines, a snapshot of other nodes than were prepared.
    """
    if prepared is None:
        prepared = prepare(snapshot.nodes, policy)
    elif prepared.policy is not policy and prepared.policy != policy:
        raise RoutingInputError(f"order {group.order}: prepared for policy {prepared.policy.version}, not this one")
    seen = survey(group, snapshot, prepared)
    found = solve(seen)
    if found.units_left and (not policy.allow_partial or group.keep_together):
        found = nothing(seen, proven=found.units_bound > 0)
    plan = _plan(seen, found.placements, found.cost)
    other = None if found.other is None else _plan(seen, found.other, cost_of(seen, found.other))
    return Decision(
        plan=plan,
        runner_up=other,
        reasons=reasons(seen, prepared, found.placements),
        bound=found.bound,
        proven=found.proven,
        policy=policy.version,
        runner_up_is=found.other_is,
        solver=found.solver,
    )


def _plan(seen: Survey, placements: Sequence[Placement], cost: int) -> Plan:
    lines, sites = seen.group.lines, seen.sites
    left = [line.quantity for line in lines]
    rows = []
    for position, candidate, units in placements:
        left[position] -= units
        rows.append((lines[position].demand, candidate, units))
    rows.sort()
    return Plan(
        assignments=tuple(
            Assignment(demand=demand, node=sites[candidate].id, quantity=units) for demand, candidate, units in rows
        ),
        unfilled=tuple(sorted((line.demand, units) for line, units in zip(lines, left, strict=True) if units)),
        cost=cost,
    )
