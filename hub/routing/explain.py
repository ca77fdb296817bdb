"""Why, in words. Nothing here is stored: it is worked out again from the input when somebody asks."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from hub.domain.money import MINOR_UNITS
from hub.routing.fence_rows import FenceRow, fence_rows
from hub.routing.flip import Change, Flip, flips
from hub.routing.model import Decision, Group, Plan, Policy, Reason, RunnerUp, Snapshot
from hub.routing.prepare import Way, prepare, way_of
from hub.routing.pricing import Parcel, Pricer, Terms
from hub.routing.survey import Survey, survey

WORDS: Final = {
    Reason.CHOSEN: "sends this",
    Reason.COSTLIER: "has everything, but another way costs less",
    Reason.NO_STOCK: "holds nothing of it",
    Reason.PARTIAL_STOCK: "holds a part, and using it costs more or is not allowed",
    Reason.DISABLED: "is switched off",
    Reason.NOT_SERVED: "does not serve this channel",
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
    terms: Terms = ()
    """What one parcel with these units costs, term by term; empty for a node outside the fences."""
    cost: int = 0
    fences: tuple[FenceRow, ...] = ()
    more: int | None = None
    """How much more than the plan it would cost to send from here all that the plan sends; None when it cannot."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All that there is to say about a decision."""

    sentence: str
    nodes: tuple[NodeRow, ...]
    parcels: tuple[Parcel, ...]
    """Of the plan."""
    runner_up: tuple[Parcel, ...]
    flips: tuple[Flip, ...]
    flip_texts: tuple[str, ...]
    """A sentence for each flip."""


def explain(
    group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, names: Mapping[int, str] | None = None
) -> Explanation:
    """Why this plan, what every node lacked, and what would have changed it.

    `names` are what to call a demand's goods, such as its SKU. Worked out from the input alone: a decision is explained
    years later as on its day. Raises what `decide` raises.
    """
    prepared = prepare(snapshot.nodes, policy)
    way = way_of(group, snapshot, prepared, decision.attempt)
    seen = survey(way.group, way.snapshot, way.prepared)
    pricer = Pricer(seen.trip, way.prepared)
    found = flips(group, snapshot, policy, decision, prepared)
    codes = {node.id: node.code for node in snapshot.nodes}
    return Explanation(
        sentence=_sentence(way, decision, codes),
        nodes=_rows(way, seen, decision, pricer),
        parcels=pricer.parcels(decision.plan),
        runner_up=pricer.parcels(decision.runner_up) if decision.runner_up else (),
        flips=found,
        flip_texts=tuple(flip_text(flip, group, codes, policy, names or {}) for flip in found),
    )


def sentence(group: Group, snapshot: Snapshot, policy: Policy, decision: Decision) -> str:
    """The decision in one or two sentences."""
    way = way_of(group, snapshot, prepare(snapshot.nodes, policy), decision.attempt)
    return _sentence(way, decision, {node.id: node.code for node in snapshot.nodes})


def _sentence(way: Way, decision: Decision, codes: Mapping[int, str]) -> str:
    plan, other = decision.plan, decision.runner_up
    start = f"Order {way.group.order}, group {way.group.group}: "
    missing = sum(units for _, units in plan.unfilled)
    if not plan.assignments:
        return f"{start}nothing goes, {_units(missing)} left over; {_why_nothing(decision)}."
    total = sum(assignment.quantity for assignment in plan.assignments)
    rest = f", {_units(missing)} left over" if missing else ""
    text = f"{start}{_units(total)} from {_parcels(plan, codes)}{_for(plan.cost, way.policy)}{rest}."
    if other is not None:
        best = "The next best" if decision.runner_up_is is RunnerUp.EXACT else "The best other way met"
        text += f" {best}, {_parcels(other, codes)}, {_behind(plan, other, way.policy)}."
    elif decision.runner_up_is is RunnerUp.NONE_EXISTS:
        text += " No other choice of nodes sends as much."
    if decision.rules:
        text += f" Rules: {', '.join(decision.rules)}."
    if not decision.proven:
        text += " Not proven the best"
        text += (
            "."
            if way.policy.prefer
            else f": at most {_money(decision.gap, way.policy)} could be saved, as far as is known."
        )
    return text


def _for(cost: int, policy: Policy) -> str:
    """A price; a policy of preferences has none."""
    return "" if policy.prefer else f" for {_money(cost, policy)}"


def _behind(plan: Plan, other: Plan, policy: Policy) -> str:
    """What is wrong with the runner-up."""
    if policy.prefer:
        return f"comes after it by {', then '.join(policy.prefer)}"
    return f"costs {_money(other.cost - plan.cost, policy)} more"


def node_rows(group: Group, snapshot: Snapshot, policy: Policy, decision: Decision) -> tuple[NodeRow, ...]:
    """Every node with its fences, its reason and what a parcel from it would cost, in the order of the reasons."""
    way = way_of(group, snapshot, prepare(snapshot.nodes, policy), decision.attempt)
    seen = survey(way.group, way.snapshot, way.prepared)
    return _rows(way, seen, decision, Pricer(seen.trip, way.prepared))


def _rows(way: Way, seen: Survey, decision: Decision, pricer: Pricer) -> tuple[NodeRow, ...]:
    group, snapshot, prepared = way.group, way.snapshot, way.prepared
    candidates = {site.id: candidate for candidate, site in enumerate(seen.sites)}
    sites = {site.id: site for site in prepared.sites}
    placed = sum(parcel.cost for parcel in pricer.parcels(decision.plan))
    goes = _sent(decision.plan, None)
    rows = []
    for node, reason in decision.reasons:
        state = snapshot.nodes[sites[node].position]
        row = NodeRow(
            node=node,
            code=state.code,
            reason=reason,
            text=f"{state.code} {WORDS[reason]}",
            fences=fence_rows(group, state, sites[node], prepared),
        )
        if node in candidates:
            units = _units_of(seen, candidates[node], decision)
            if any(units):
                parcel = pricer.parcel(node, units)
                row = replace(row, units=parcel.units, terms=parcel.terms, cost=parcel.cost)
                if reason is not Reason.CHOSEN and goes and goes.items() <= dict(parcel.units).items():
                    alone = pricer.parcel(node, [goes.get(line.demand, 0) for line in group.lines])
                    row = replace(row, more=alone.cost - placed)
        rows.append(row)
    return tuple(rows)


def _sent(plan: Plan, node: int | None) -> dict[int, int]:
    """Units by demand that a node sends in a plan, or all nodes together."""
    sent: dict[int, int] = {}
    for a in plan.assignments:
        if node is None or a.node == node:
            sent[a.demand] = sent.get(a.demand, 0) + a.quantity
    return sent


def _units_of(seen: Survey, candidate: int, decision: Decision) -> list[int]:
    """Units per line of the group that a candidate sends, or could."""
    lines = seen.group.lines
    sends = _sent(decision.plan, seen.sites[candidate].id)
    if sends:
        return [sends.get(line.demand, 0) for line in lines]
    units = [0] * len(lines)
    for bit, row in enumerate(seen.rows):
        if seen.masks[candidate] >> bit & 1:
            for position in row.lines:
                units[position] = lines[position].quantity
    return units


def flip_text(flip: Flip, group: Group, codes: Mapping[int, str], policy: Policy, names: Mapping[int, str]) -> str:
    """A flip in a sentence."""
    code = codes[flip.node]
    wins = " and ".join(codes[node] for node in flip.senders) or "nothing"
    match flip.change:
        case Change.CHEAPER:
            return f"If handling at {code} cost {_money(flip.amount, policy, ROUND_UP)} less, {wins} would send."
        case Change.DEARER:
            return f"If handling at {code} cost {_money(flip.amount, policy, ROUND_UP)} more, {wins} would send."
        case Change.ENABLED:
            return f"If {code} were switched on, {wins} would send."
        case Change.SERVED:
            return f"If {code} served this channel, {wins} would send."
        case Change.CAPACITY:
            return f"If the day of {code} had room for one order more, {wins} would send."
        case Change.CAPABLE:
            return f"If {code} could do {' and '.join(flip.capabilities)}, {wins} would send."
        case Change.NOT_REFUSED:
            return f"If {code} had not refused before, {wins} would send."
        case _:
            more = "more" if flip.change is Change.MORE_STOCK else "fewer"
            return f"If {code} held {_goods(flip, group, more, names)}, {wins} would send."


def _goods(flip: Flip, group: Group, more: str, names: Mapping[int, str]) -> str:
    item_of = {line.demand: line.item for line in group.lines}
    once = {item_of[demand]: (demand, units) for demand, units in reversed(flip.units)}
    return " and ".join(f"{units} {more} of {names.get(no, f'demand {no}')}" for no, units in sorted(once.values()))


def _why_nothing(decision: Decision) -> str:
    told = {reason for _, reason in decision.reasons}
    if told == {Reason.NO_STOCK}:
        return "no node holds any of it"
    if Reason.PARTIAL_STOCK in told:
        return "what the nodes hold is only a part, and a part may not go"
    if not told:
        return "there are no nodes"
    return "every node " + " or ".join(sorted(WORDS[reason] for reason in told))


def _parcels(plan: Plan, codes: Mapping[int, str]) -> str:
    senders: dict[int, int] = {}
    for assignment in plan.assignments:
        senders[assignment.node] = senders.get(assignment.node, 0) + assignment.quantity
    if len(senders) == 1:
        return codes[next(iter(senders))]
    return " and ".join(f"{codes[node]} ({units})" for node, units in senders.items())


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _money(cost: int, policy: Policy, rounding: str = ROUND_HALF_EVEN) -> str:
    places = MINOR_UNITS[policy.currency]
    amount = Decimal(cost).scaleb(-3 - places).quantize(Decimal(1).scaleb(-places), rounding)
    return f"{amount} {policy.currency}"
