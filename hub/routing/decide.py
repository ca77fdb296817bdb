"""The decision for one group: survey the nodes, solve, say why. Pure: the same input gives the same bytes."""

from collections.abc import Sequence

from hub.routing.model import Assignment, Decision, Group, Plan, Policy, Snapshot
from hub.routing.pieces import Placement
from hub.routing.prepare import Prepared, RoutingInputError, Way, prepare
from hub.routing.reasons import reasons
from hub.routing.solve import cost_of, nothing, solve
from hub.routing.survey import Survey, survey


def decide(group: Group, snapshot: Snapshot, policy: Policy, prepared: Prepared | None = None) -> Decision:
    """Decide which node sends what.

    The plan places as many units as fences, stock and policy allow, at the least cost; `Decision.proven` and
    `Decision.gap` say how sure that is. Never assigns more of an item than a node has for all lines together.
    `prepared` saves the work that is the same for every group of a batch; it must come from the same nodes and policy.

    Raises `RoutingInputError` for input that contradicts itself: an empty quantity, a demand with two lines, stock
    figures that do not match the lines, a snapshot of other nodes than were prepared. Raises `ConditionFailed` where a
    condition of the policy has no answer for this order: it waits until that is mended.
    """
    if prepared is None:
        prepared = prepare(snapshot.nodes, policy)
    elif prepared.policy is not policy and prepared.policy != policy:
        raise RoutingInputError(f"order {group.order}: prepared for policy {prepared.policy.version}, not this one")
    if prepared.chain is None:
        return _decided(Way(group, snapshot, prepared, policy))
    best: Decision | None = None
    for way in prepared.chain.ways(group, snapshot):
        found = _decided(way)
        if best is None or _missing(found) < _missing(best):
            best = found
        if not best.plan.unfilled:
            break
    assert best is not None
    return best


def _missing(decision: Decision) -> int:
    return sum(units for _, units in decision.plan.unfilled)


def _decided(way: Way) -> Decision:
    prepared, policy = way.prepared, way.policy
    seen = survey(way.group, way.snapshot, prepared)
    found = solve(seen)
    if found.units_left and (not policy.allow_partial or seen.group.keep_together):
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
        prices=tuple((seen.group.lines[seen.rows[row].lines[0]].demand, price) for row, price in found.prices),
        rules=way.rules,
        attempt=way.attempt,
        remainder=policy.remainder,
        cancel_after_days=policy.cancel_after_days,
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
