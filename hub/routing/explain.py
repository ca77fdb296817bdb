"""Why, in words. Nothing here is stored: it is worked out again from the input when somebody asks."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from hub.domain.money import MINOR_UNITS
from hub.routing.model import Decision, Group, Plan, Policy, Reason, RunnerUp, Snapshot
from hub.routing.prepare import prepare
from hub.routing.survey import Survey, survey
from hub.routing.terms.term import Term

WORDS: Final = {
    Reason.CHOSEN: "sends this",
    Reason.COSTLIER: "has everything, but another way costs less",
    Reason.NO_STOCK: "holds nothing of it",
    Reason.PARTIAL_STOCK: "holds a part, and using it costs more or is not allowed",
    Reason.DISABLED: "is switched off",
    Reason.NOT_CAPABLE: "cannot do what the group or its items ask for",
    Reason.NO_CAPACITY: "has no capacity left for its day",
    Reason.REFUSED_BEFORE: "refused these lines before",
    Reason.OUTSIDE_FENCE: "is outside the fences of the policy",
    Reason.NOT_THE_PICKUP_NODE: "is not where the customer collects",
    Reason.SPLIT_LIMIT: "holds what is left over, but the policy allows no more parcels",
}
"""A sentence about a node, to follow its code."""


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a decision. Costs are thousandths of a minor unit."""

    node: int
    code: str
    reason: Reason
    text: str
    units: tuple[tuple[int, int], ...] = ()
    """(demand, units) that it sends; for a node that is not chosen, what it could send whole."""
    terms: tuple[tuple[str, int], ...] = ()
    """What one parcel with these units costs, term by term; empty for a node outside the fences."""
    cost: int = 0


def sentence(group: Group, snapshot: Snapshot, policy: Policy, decision: Decision) -> str:
    """The decision in one or two sentences."""
    codes = {node.id: node.code for node in snapshot.nodes}
    plan = decision.plan
    start = f"Order {group.order}, group {group.group}: "
    missing = sum(units for _, units in plan.unfilled)
    if not plan.assignments:
        return f"{start}nothing goes, {_units(missing)} left over; {_why_nothing(decision)}."
    total = sum(assignment.quantity for assignment in plan.assignments)
    rest = f", {_units(missing)} left over" if missing else ""
    parcels = _parcels(plan, codes)
    text = f"{start}{_units(total)} from {parcels} for {_money(plan.cost, policy)}{rest}."
    if decision.runner_up is not None:
        gap = _money(decision.runner_up.cost - plan.cost, policy)
        best = "The next best" if decision.runner_up_is is RunnerUp.EXACT else "The best other way met"
        text += f" {best}, {_parcels(decision.runner_up, codes)}, costs {gap} more."
    elif decision.runner_up_is is RunnerUp.NONE_EXISTS:
        text += " No other choice of nodes sends as much."
    if not decision.proven:
        text += f" Not proven the best: at most {_money(decision.gap, policy)} could be saved, as far as is known."
    return text


def node_rows(group: Group, snapshot: Snapshot, policy: Policy, decision: Decision) -> tuple[NodeRow, ...]:
    """Every node with its reason and what a parcel from it would cost, in the order of the decision's reasons."""
    prepared = prepare(snapshot.nodes, policy)
    seen = survey(group, snapshot, prepared)
    codes = {node.id: node.code for node in snapshot.nodes}
    candidates = {site.id: candidate for candidate, site in enumerate(seen.sites)}
    rows = []
    for node, reason in decision.reasons:
        row = NodeRow(node=node, code=codes[node], reason=reason, text=f"{codes[node]} {WORDS[reason]}")
        if node in candidates:
            units = _units_of(seen, candidates[node], decision)
            terms = _terms(seen, prepared.terms, candidates[node], units) if any(units) else ()
            by_demand = ((line.demand, amount) for line, amount in zip(group.lines, units, strict=True) if amount)
            row = msgspec.structs.replace(
                row, units=tuple(sorted(by_demand)), terms=terms, cost=sum(cost for _, cost in terms)
            )
        rows.append(row)
    return tuple(rows)


def _units_of(seen: Survey, candidate: int, decision: Decision) -> list[int]:
    """Units per line of the group that a candidate sends, or could."""
    lines, node = seen.group.lines, seen.sites[candidate].id
    sends = {a.demand: a.quantity for a in decision.plan.assignments if a.node == node}
    if sends:
        return [sends.get(line.demand, 0) for line in lines]
    units = [0] * len(lines)
    for bit, row in enumerate(seen.rows):
        if seen.masks[candidate] >> bit & 1:
            for position in row.lines:
                units[position] = lines[position].quantity
    return units


def _terms(seen: Survey, terms: Sequence[Term], candidate: int, units: Sequence[int]) -> tuple[tuple[str, int], ...]:
    costs = []
    for term in terms:
        cost = 0
        if term.per_parcel is not None:
            cost += term.per_parcel(seen.trip)[candidate]
        for line, amount in zip(seen.group.lines, units, strict=True):
            if amount and term.per_unit is not None:
                cost += amount * term.per_unit(seen.trip, line)
            if amount and term.per_unit_at is not None:
                cost += amount * term.per_unit_at(seen.trip, line)[candidate]
        if term.per_load is not None:
            cost += term.per_load(seen.trip, candidate, units)
        costs.append((term.name, cost))
    return tuple(costs)


def _why_nothing(decision: Decision) -> str:
    told = {reason for _, reason in decision.reasons}
    if told == {Reason.NO_STOCK}:
        return "no node holds any of it"
    if Reason.PARTIAL_STOCK in told:
        return "what the nodes hold is only a part, and a part may not go"
    if not told:
        return "there are no nodes"
    return "every node " + " or ".join(sorted(WORDS[reason] for reason in told))


def _parcels(plan: Plan, codes: dict[int, str]) -> str:
    senders: dict[int, int] = {}
    for assignment in plan.assignments:
        senders[assignment.node] = senders.get(assignment.node, 0) + assignment.quantity
    if len(senders) == 1:
        return codes[next(iter(senders))]
    return " and ".join(f"{codes[node]} ({units})" for node, units in senders.items())


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _money(cost: int, policy: Policy) -> str:
    places = MINOR_UNITS[policy.currency]
    amount = Decimal(cost).scaleb(-3 - places).quantize(Decimal(1).scaleb(-places))
    return f"{amount} {policy.currency}"
