"""Checks a decision against its input, on its own: it shares no code with what makes decisions but values and terms.

It finds out that the plan is allowed, that its cost is what it says, that no plan is cheaper than its bound
(`proof.py`), and that what it says of itself does not contradict itself. What things cost it works out a second time,
from the policy's own words (`recount.py`); only a term that is not known there is asked. Inputs of a policy with rules
it is given as `prepare.way_of` makes them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from hub.domain.order import Method
from hub.routing.model import Decision, Group, GroupLine, NodeState, Plan, Policy, Reason, RunnerUp, Snapshot
from hub.routing.proof import Proof, Scales, prove
from hub.routing.recount import BORDERLINE_KM, Recount, counts, kilometres
from hub.routing.terms import TERMS
from hub.routing.terms.term import Term, Trip, standing

Bars = dict[int, str | None]
"""By node: what keeps it out of the whole group."""


def check(
    group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, terms: Sequence[Term] = TERMS
) -> list[str]:
    """Faults of a decision, each a sentence; empty when it holds."""
    return examine(group, snapshot, policy, decision, terms)[0]


def examine(
    group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, terms: Sequence[Term] = TERMS
) -> tuple[list[str], Proof]:
    """The same, and how its bound was seen to hold."""
    bars = {node.id: _group_bar(group, node, policy) for node in snapshot.nodes}
    seen = Snapshot(at=snapshot.at, nodes=tuple(node for node in snapshot.nodes if bars[node.id] is None))
    count = standing(terms, policy)
    own = terms is TERMS and counts(policy, [term.name for term in count])
    cost = Recount(group, snapshot.at, policy, seen.nodes) if own else _asked(group, seen, policy, count)
    faults = []
    for name, plan in (("plan", decision.plan), ("runner-up", decision.runner_up)):
        if plan is None:
            continue
        strange = _strange(group, snapshot, plan)
        if strange:
            faults.append(f"{name}: {strange} names something that is not there")
            continue
        faults += _plan_faults(group, snapshot, policy, plan, name, bars)
        low, high = cost_range(group, seen, policy, plan) if own else (_cost(group, seen, policy, plan, cost),) * 2
        if not low <= plan.cost <= high:
            faults.append(f"{name}: cost {plan.cost} is not the sum of its parts, {low}")
    faults += _reason_faults(group, snapshot, decision, bars)
    faults += _claim_faults(policy, decision)
    if faults:
        return faults, Proof.BROKEN
    allowed = [[_line_bar(line, node) is None for line in group.lines] for node in seen.nodes]
    proof = prove(group, seen, policy, decision, cost, allowed)
    if proof is Proof.BROKEN:
        faults.append(f"the bound {decision.bound} does not hold, or more could be placed")
    return faults, proof


class _Asked(NamedTuple):
    """Costs as the terms themselves tell them: for those that nobody else knows."""

    fixed: list[int]
    unit: list[list[int]]
    load: Callable[[int, Sequence[int]], int] | None

    def parcel(self, k: int, units: Sequence[int], /) -> int:
        """A parcel from a node with so many units per line."""
        cost = self.fixed[k] + sum(count * price for count, price in zip(units, self.unit[k], strict=True))
        return cost if self.load is None else cost + self.load(k, units)


def _asked(group: Group, seen: Snapshot, policy: Policy, terms: Sequence[Term]) -> _Asked:
    carried = group.method in (Method.SHIP, Method.DELIVER)
    kms = [round(_km(group, node, policy)) if carried else 0 for node in seen.nodes]
    trip = Trip(group, policy, seen.at, seen.nodes, kms, carried)
    count = len(seen.nodes)
    fixed = [0] * count
    unit = [[0] * len(group.lines) for _ in range(count)]
    for term in terms:
        if term.per_parcel is not None:
            fixed = [cost + more for cost, more in zip(fixed, term.per_parcel(trip), strict=True)]
        for place, line in enumerate(group.lines):
            same = 0 if term.per_unit is None else term.per_unit(trip, line)
            at = [0] * count if term.per_unit_at is None else term.per_unit_at(trip, line)
            for node in range(count):
                unit[node][place] += same + at[node]
    loads = [term.per_load for term in terms if term.per_load is not None]
    return _Asked(fixed, unit, (lambda k, units: sum(load(trip, k, units) for load in loads)) if loads else None)


def _cost(group: Group, seen: Snapshot, policy: Policy, plan: Plan, cost: Scales) -> int:
    place = {line.demand: n for n, line in enumerate(group.lines)}
    total = policy.unfilled_cost * len(plan.unfilled)
    for k, node in enumerate(seen.nodes):
        units = [0] * len(group.lines)
        for a in plan.assignments:
            if a.node == node.id:
                units[place[a.demand]] += a.quantity
        if any(units):
            total += cost.parcel(k, units)
    return total


def _strange(group: Group, snapshot: Snapshot, plan: Plan) -> str | None:
    demands, nodes = {line.demand for line in group.lines}, {node.id for node in snapshot.nodes}
    for a in plan.assignments:
        if a.demand not in demands or a.node not in nodes or a.quantity < 1:
            return f"{a.quantity} of demand {a.demand} from node {a.node}"
    return None


def _plan_faults(group: Group, snapshot: Snapshot, policy: Policy, plan: Plan, name: str, bars: Bars) -> Iterator[str]:
    lines = {line.demand: line for line in group.lines}
    nodes = {node.id: node for node in snapshot.nodes}
    yield from _quantity_faults(group, plan, name)
    yield from _stock_faults(group, nodes, plan, name)
    for a in plan.assignments:
        fault = bars[a.node] or _line_bar(lines[a.demand], nodes[a.node])
        if fault is not None:
            yield f"{name}: node {nodes[a.node].code} sends demand {a.demand} though {fault}"
    yield from _split_faults(group, snapshot, policy, plan, name, bars)
    yield from _part_faults(group, policy, plan, name)


def _quantity_faults(group: Group, plan: Plan, name: str) -> Iterator[str]:
    placed: Counter[int] = Counter()
    for a in plan.assignments:
        placed[a.demand] += a.quantity
    if len({(a.demand, a.node) for a in plan.assignments}) != len(plan.assignments):
        yield f"{name}: a demand is assigned to one node twice"
    unfilled = dict(plan.unfilled)
    if len(unfilled) != len(plan.unfilled) or any(units < 1 for units in unfilled.values()):
        yield f"{name}: unfilled names a demand twice or with no units"
    for line in group.lines:
        total = placed[line.demand] + unfilled.get(line.demand, 0)
        if total != line.quantity:
            yield f"{name}: demand {line.demand} asks for {line.quantity}, the plan accounts for {total}"


def _stock_faults(group: Group, nodes: dict[int, NodeState], plan: Plan, name: str) -> Iterator[str]:
    position = {line.demand: place for place, line in enumerate(group.lines)}
    drawn: Counter[tuple[int, int]] = Counter()
    stock: dict[tuple[int, int], int] = {}
    for a in plan.assignments:
        place = position[a.demand]
        key = (a.node, group.lines[place].item)
        drawn[key] += a.quantity
        stock[key] = min(stock.get(key, a.quantity + nodes[a.node].available[place]), nodes[a.node].available[place])
    for (node, item), units in drawn.items():
        if units > stock[node, item]:
            yield f"{name}: node {nodes[node].code} gives {units} of item {item} and has {stock[node, item]}"


def _part_faults(group: Group, policy: Policy, plan: Plan, name: str) -> Iterator[str]:
    """Where a group is parted, every part is worth something, what is left over included."""
    parts: defaultdict[int | None, list[tuple[int, int]]] = defaultdict(list)
    for a in plan.assignments:
        parts[a.node].append((a.demand, a.quantity))
    if plan.unfilled:
        parts[None] = list(plan.unfilled)
    lines = {line.demand: line for line in group.lines}
    for node, sent in parts.items() if len(parts) > 1 else ():
        value = sum(lines[demand].value * units // lines[demand].quantity for demand, units in sent)
        margin = sum((lines[demand].margin or 0) * units // lines[demand].quantity for demand, units in sent)
        if value < policy.min_part_value or margin < policy.min_part_margin:
            where = "what is left over" if node is None else f"the parcel from node {node}"
            yield f"{name}: {where} is worth {value} and earns {margin}, less than a part must"


def _line_bar(line: GroupLine, node: NodeState) -> str | None:
    if any(need not in node.capabilities for need in (line.classes if line.needs is None else line.needs)):
        return "it lacks a class's capability"
    if node.id in line.refused_by:
        return "it refused this demand"
    return "a rule keeps it out" if node.id in line.barred else None


def _group_bar(group: Group, node: NodeState, policy: Policy) -> str | None:
    carried = group.method in (Method.SHIP, Method.DELIVER)
    needs = {Method.SHIP: "ship", Method.PICK_UP: "pick_up", Method.DELIVER: "deliver"}.get(group.method)
    named = [code for name in policy.use_groups for code in policy.node_groups[name]]
    never = [code for name in policy.skip_groups for code in policy.node_groups[name]]
    country = None if group.place is None else group.place.country
    faults = {
        "it is disabled": not node.enabled,
        "it does not serve the channel": not node.serves,
        "the customer collects elsewhere": group.method in (Method.PICK_UP, Method.CARRIED_OUT)
        and node.id != group.pickup_node,
        "the policy fences it off": (bool(policy.use_groups) and node.code not in named) or node.code in never,
        "a rule keeps it out": node.fenced_by is not None,
        "it is in another country": carried
        and policy.stay_in_country
        and (node.country is None or node.country != country),
        "it is too far": carried
        and policy.max_distance_km is not None
        and round(_km(group, node, policy) - BORDERLINE_KM) > policy.max_distance_km,
        f"it cannot {needs}": needs is not None and needs not in node.capabilities,
        "its day is full": node.capacity_left is not None and node.capacity_left <= 0 and not policy.ignore_capacity,
    }
    return next((fault for fault, is_so in faults.items() if is_so), None)


def _split_faults(group: Group, snapshot: Snapshot, policy: Policy, plan: Plan, name: str, bars: Bars) -> Iterator[str]:
    senders = {a.node for a in plan.assignments}
    if policy.max_splits is not None and len(senders) > policy.max_splits + 1:
        yield f"{name}: {len(senders)} parcels, but the policy allows {policy.max_splits} splits"
    if plan.assignments and plan.unfilled and not policy.allow_partial:
        yield f"{name}: a part goes though the policy sends all or nothing"
    if group.keep_together and plan.assignments and (len(senders) > 1 or plan.unfilled):
        yield f"{name}: a group to be kept together is parted"
    per_mark: defaultdict[str, set[int]] = defaultdict(set)
    for line in group.lines:
        froms = {a.node for a in plan.assignments if a.demand == line.demand}
        over = line.demand in dict(plan.unfilled)
        if line.together is not None:
            per_mark[line.together] |= (froms or {0}) | ({0} if over else set())
        if len(froms) > 1 or (froms and over):
            yield from _spread_faults(group, snapshot, policy, line, name, bars)
    for mark, froms in per_mark.items():
        if len(froms) > 1:
            yield f"{name}: lines marked {mark!r} do not go together"


def _spread_faults(
    group: Group, snapshot: Snapshot, policy: Policy, line: GroupLine, name: str, bars: Bars
) -> Iterator[str]:
    """A line is spread only where the policy allows it and, as far as one line alone can tell, no node has it whole."""
    if not policy.split_line:
        yield f"{name}: demand {line.demand} is spread, which the policy forbids"
    alone = sum(other.item == line.item for other in group.lines) == 1 and policy.max_splits is None
    place = group.lines.index(line)
    for node in snapshot.nodes:
        if alone and node.available[place] >= line.quantity and (bars[node.id] or _line_bar(line, node)) is None:
            yield f"{name}: demand {line.demand} is spread though node {node.code} has all of it"


def cost_range(group: Group, snapshot: Snapshot, policy: Policy, plan: Plan) -> tuple[int, int]:
    """Least and most that a plan may cost: the two differ only where a distance lies on the edge of a kilometre."""
    near, far = (Recount(group, snapshot.at, policy, snapshot.nodes, lean) for lean in (-BORDERLINE_KM, BORDERLINE_KM))
    costs = [_cost(group, snapshot, policy, plan, scales) for scales in (near, far)]
    return min(costs), max(costs)


def _km(group: Group, node: NodeState, policy: Policy) -> float:
    km = kilometres(group.place, node, policy)
    return policy.unknown_distance_km if km is None else km


def _reason_faults(group: Group, snapshot: Snapshot, decision: Decision, bars: Bars) -> Iterator[str]:
    told = dict(decision.reasons)
    if sorted(told) != sorted(node.id for node in snapshot.nodes) or len(told) != len(decision.reasons):
        yield "reasons: not exactly one per node"
        return
    senders = {a.node for a in decision.plan.assignments}
    for node in snapshot.nodes:
        reason = told[node.id]
        if (reason is Reason.CHOSEN) != (node.id in senders):
            yield f"reasons: node {node.code} is told to be {reason}, which the plan does not say"
        usable = bars[node.id] is None and any(_line_bar(line, node) is None for line in group.lines)
        if reason in (Reason.COSTLIER, Reason.PARTIAL_STOCK, Reason.SPLIT_LIMIT) and not usable:
            yield f"reasons: node {node.code} is told to be {reason}, but it is fenced off"
        shut = Reason.NOT_SERVED if node.enabled and not node.serves else None if node.enabled else Reason.DISABLED
        if shut is not (reason if reason in (Reason.DISABLED, Reason.NOT_SERVED) else None):
            yield f"reasons: node {node.code} is told to be {reason}, which its own state does not say"


def _claim_faults(policy: Policy, decision: Decision) -> Iterator[str]:
    plan, other = decision.plan, decision.runner_up
    if decision.policy != policy.version:
        yield f"decided under policy {decision.policy}, checked under {policy.version}"
    if decision.bound > plan.cost:
        yield f"the bound {decision.bound} is above the cost {plan.cost}"
    if decision.proven and decision.bound != plan.cost:
        yield "told to be proven, but the bound is not the cost"
    if (other is not None) != (decision.runner_up_is in (RunnerUp.EXACT, RunnerUp.BEST_FOUND)):
        yield f"there is {'a' if other else 'no'} runner-up, and it is told to be {decision.runner_up_is}"
    if other is None:
        return
    if {a.node for a in other.assignments} == {a.node for a in plan.assignments}:
        yield "the runner-up uses the same nodes as the plan"
    if sum(units for _, units in other.unfilled) != sum(units for _, units in plan.unfilled):
        yield "the runner-up does not place as much as the plan"
    if decision.proven and other.cost < plan.cost:
        yield "the runner-up is cheaper than a plan told to be proven"
