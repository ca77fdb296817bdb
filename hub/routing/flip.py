"""The smallest change of the facts that would have made another plan win, each tried before it is told.

A flip changes one node: what it asks for a parcel, what it holds, or what keeps it out. Every flip that is returned was
applied and decided again, so that applying it changes the winner is no promise but something that has happened.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from hub.routing.decide import decide
from hub.routing.fences import CAPABILITY, line_fence
from hub.routing.model import (
    ENGINE_VERSION,
    Decision,
    Group,
    GroupLine,
    NodeState,
    Plan,
    Policy,
    Reason,
    Snapshot,
    Solver,
)
from hub.routing.prepare import Prepared, prepare, way_of

TRIES: Final = 8
"""Decisions spent on each sort of change."""
SLOW_TRIES: Final = 1
"""The same where each of them takes longer: many lines, or lines that are spread over nodes or left over."""
MANY_LINES: Final = 8
MOST_UNITS: Final = 100_000
"""More units than this are no change that anybody would make, but stock that nobody counts."""


class Change(StrEnum):
    """What would have been different."""

    CHEAPER = "cheaper"
    """The node asks `amount` thousandths of a minor unit less for a parcel."""
    DEARER = "dearer"
    """It asks `amount` more."""
    MORE_STOCK = "more_stock"
    """It holds `units` more."""
    LESS_STOCK = "less_stock"
    """It holds `units` fewer."""
    ENABLED = "enabled"
    SERVED = "served"
    """A stock point of the channel's account names it."""
    CAPACITY = "capacity"
    """Its day has room for one fulfilment order more."""
    CAPABLE = "capable"
    """It can do what the group and its items ask for."""
    NOT_REFUSED = "not_refused"
    """It has not refused these lines before."""


class Flip(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change at one node, and which nodes send then."""

    change: Change
    node: int
    amount: int = 0
    """Thousandths of a minor unit."""
    units: tuple[tuple[int, int], ...] = ()
    """(demand, units). Lines of one item share its stock: they are named together, with the same change."""
    capabilities: tuple[str, ...] = ()
    """What it would have to be able to do besides."""
    senders: tuple[int, ...] = ()
    """Nodes of the plan that wins then."""

    @property
    def total(self) -> int:
        """Units, or thousandths of a minor unit."""
        return self.amount or sum(units for _, units in self.units)


def flips(
    group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, prepared: Prepared | None = None
) -> tuple[Flip, ...]:
    """The smallest found change of each sort: of a price, of stock gained, of stock lost, and what kept nodes out.

    Empty when no change of one node makes a difference that a few tries could find.
    """
    ready = prepared or prepare(snapshot.nodes, policy)
    if decision.engine != ENGINE_VERSION and decide(group, snapshot, policy, ready).plan != decision.plan:
        return ()  # another engine's plan: what changes it is not for this one to say
    trial = _Trial(group, snapshot, policy, decision, ready)
    found: list[Flip] = []
    for candidates, tries in ((_prices(trial), TRIES), (_gains(trial), trial.tries), (_losses(trial), 1)):
        flip = trial.first(candidates, tries)
        found += [flip] if flip else []
    return (*found, *trial.every(_gates(trial)))


def apply(flip: Flip, group: Group, snapshot: Snapshot) -> tuple[Group, Snapshot]:
    """The facts with the change made."""
    if flip.change is Change.NOT_REFUSED:
        lines = tuple(
            replace(line, refused_by=tuple(node for node in line.refused_by if node != flip.node))
            for line in group.lines
        )
        return replace(group, lines=lines), snapshot
    nodes = tuple(_changed(flip, node, group.lines) if node.id == flip.node else node for node in snapshot.nodes)
    return group, replace(snapshot, nodes=nodes)


def _changed(flip: Flip, node: NodeState, lines: Sequence[GroupLine]) -> NodeState:
    match flip.change:
        case Change.CHEAPER:
            return replace(node, handling_cost=node.handling_cost - flip.amount)
        case Change.DEARER:
            return replace(node, handling_cost=node.handling_cost + flip.amount)
        case Change.ENABLED:
            return replace(node, enabled=True)
        case Change.SERVED:
            return replace(node, serves=True)
        case Change.CAPACITY:
            return replace(node, capacity_left=1)
        case Change.CAPABLE:
            return replace(node, capabilities=tuple(sorted({*node.capabilities, *flip.capabilities})))
        case _:
            sign = 1 if flip.change is Change.MORE_STOCK else -1
            more = dict(flip.units)
            held = zip(lines, node.available, strict=True)
            return replace(node, available=tuple(units + sign * more.get(line.demand, 0) for line, units in held))


def _needed(group: Group) -> set[str]:
    needed = {kind for line in group.lines for kind in line.classes if line.needs is None}
    needed |= {need for line in group.lines for need in line.needs or ()}
    capability = CAPABILITY.get(group.method)
    return needed | ({capability} if capability else set())


_REBUILT: Final = frozenset({Change.CHEAPER, Change.DEARER, Change.ENABLED, Change.SERVED, Change.CAPABLE})
"""Changes of what `prepare` reads; the others leave its work as it is."""


class _Trial:
    """A decision, and deciding again with one thing changed."""

    def __init__(
        self, group: Group, snapshot: Snapshot, policy: Policy, decision: Decision, prepared: Prepared
    ) -> None:
        self.group, self.snapshot, self.policy, self.decision = group, snapshot, policy, decision
        self._prepared = prepared
        quick = decision.solver is Solver.SUBSETS and not decision.plan.unfilled and len(group.lines) <= MANY_LINES
        self.tries = TRIES if quick else SLOW_TRIES
        way = way_of(group, snapshot, prepared, decision.attempt)
        self.settings, self.seen = way.policy, way.group
        self.nodes = {node.id: node for node in way.snapshot.nodes}
        self.sites = {site.id: site for site in way.prepared.sites}
        self.reasons = dict(decision.reasons)

    def first(self, candidates: Iterable[Flip], tries: int) -> Flip | None:
        """The first candidate that changes the winner."""
        tried = zip(range(tries), candidates, strict=False)
        return next((flip for _, one in tried if (flip := self._tried(one)) is not None), None)

    def every(self, candidates: Iterable[Flip]) -> list[Flip]:
        """All candidates that change the winner."""
        tried = zip(range(self.tries), candidates, strict=False)
        return [flip for _, one in tried if (flip := self._tried(one)) is not None]

    def _tried(self, flip: Flip) -> Flip | None:
        group, snapshot = apply(flip, self.group, self.snapshot)
        ready = prepare(snapshot.nodes, self.policy) if flip.change in _REBUILT else self._prepared
        plan = decide(group, snapshot, self.policy, ready).plan
        if plan.assignments == self.decision.plan.assignments:
            return None
        return replace(flip, senders=tuple(sorted({a.node for a in plan.assignments})))


def _prices(trial: _Trial) -> Iterator[Flip]:
    """The runner-up wins when a node that only it uses asks less, or one that only the plan uses asks more."""
    plan, other = trial.decision.plan, trial.decision.runner_up
    percent = trial.settings.weights.get("handling", 100)
    if other is None or trial.settings.prefer or not percent:
        return  # where preferences stand for costs, a gap is no money
    gap = other.cost - plan.cost
    ours, theirs = _senders(plan), _senders(other)
    for least in (gap, gap + 1):  # whether equal costs flip it is for the tie-breaking to say
        falls = [(Change.CHEAPER, node, _fall(trial, node, least, percent)) for node in sorted(theirs - ours)]
        rises = [(Change.DEARER, node, _rise(trial, node, least, percent)) for node in sorted(ours - theirs)]
        found = [Flip(change=change, node=node, amount=amount) for change, node, amount in (*falls, *rises)]
        for flip in sorted(found, key=lambda flip: flip.amount):
            most = flip.amount if flip.change is Change.DEARER else trial.nodes[flip.node].handling_cost
            if 0 < flip.amount <= most:
                yield flip


def _fall(trial: _Trial, node: int, least: int, percent: int) -> int:
    """By how much a node's handling must fall to count `least` less, as its share of it is rounded up."""
    own = trial.nodes[node].handling_cost
    return own - (-(-own * percent // 100) - least) * 100 // percent


def _rise(trial: _Trial, node: int, least: int, percent: int) -> int:
    """By how much it must rise to count `least` more."""
    own = trial.nodes[node].handling_cost
    return (-(-own * percent // 100) + least - 1) * 100 // percent + 1 - own


def _gains(trial: _Trial) -> Iterator[Flip]:
    """What a node would have to hold more, the fewest units first."""
    wishes = {
        Flip(change=Change.MORE_STOCK, node=node.id, units=units)
        for node in trial.nodes.values()
        if trial.reasons.get(node.id) in _AMONG_CANDIDATES
        for wanted in _takeovers(trial, node)
        if (units := _missing(trial, node, wanted)) and sum(more for _, more in units) <= MOST_UNITS
    }
    yield from sorted(wishes, key=lambda flip: (flip.total, flip.node, flip.units))


_AMONG_CANDIDATES: Final = frozenset(
    {Reason.CHOSEN, Reason.COSTLIER, Reason.NO_STOCK, Reason.PARTIAL_STOCK, Reason.SPLIT_LIMIT}
)


def _takeovers(trial: _Trial, node: NodeState) -> Iterator[dict[int, int]]:
    """Units by demand that a node would have to be able to send, to be worth trying."""
    plan, lines = trial.decision.plan, trial.group.lines
    left = dict(plan.unfilled)
    for demand in left:
        sends = sum(a.quantity for a in plan.assignments if a.demand == demand and a.node == node.id)
        held = next(have for line, have in zip(lines, node.available, strict=True) if line.demand == demand)
        yield {demand: max(held, sends) + 1}  # one unit more is one unit less that waits, where a line may be spread
        yield {demand: next(line.quantity for line in lines if line.demand == demand)}
    yield {line.demand: line.quantity for line in lines}
    parcels: dict[int, dict[int, int]] = {}
    for a in plan.assignments:
        parcels.setdefault(a.node, {})[a.demand] = a.quantity
    own = parcels.pop(node.id, {})
    for parcel in parcels.values():
        yield {**own, **parcel}
        if len(parcel) > 1:
            yield from ({**own, demand: units} for demand, units in parcel.items())


def _missing(trial: _Trial, node: NodeState, wanted: dict[int, int]) -> tuple[tuple[int, int], ...]:
    """(demand, units) that a node lacks; lines of one item are raised together, for they share its stock."""
    lines = trial.seen.lines
    needs: dict[int, int] = {}
    for line in lines:
        if line.demand in wanted:
            if line_fence(line, trial.sites[node.id]) is not None:
                return ()
            needs[line.item] = needs.get(line.item, 0) + wanted[line.demand]
    held = _held(lines, node)
    more = {item: need - held[item] for item, need in needs.items() if need > held[item]}
    return tuple((line.demand, more[line.item]) for line in lines if line.item in more)


def _held(lines: Sequence[GroupLine], node: NodeState) -> dict[int, int]:
    held: dict[int, int] = {}
    for line, units in zip(lines, node.available, strict=True):
        held[line.item] = min(held.get(line.item, units), units)
    return held


def _losses(trial: _Trial) -> Iterator[Flip]:
    """What a sender would have to lack so that it could not send what it sends."""
    items = {line.demand: line.item for line in trial.group.lines}
    sent: dict[tuple[int, int], int] = {}
    for a in trial.decision.plan.assignments:
        sent[a.node, items[a.demand]] = sent.get((a.node, items[a.demand]), 0) + a.quantity
    wishes = []
    for (node, item), units in sent.items():
        fewer = _held(trial.group.lines, trial.nodes[node])[item] - units + 1
        if fewer <= MOST_UNITS:
            demands = tuple((line.demand, fewer) for line in trial.group.lines if line.item == item)
            wishes.append(Flip(change=Change.LESS_STOCK, node=node, units=demands))
    yield from sorted(wishes, key=lambda flip: (flip.units[0][1], flip.node, flip.units))


_GATES: Final = {
    Reason.DISABLED: Change.ENABLED,
    Reason.NOT_SERVED: Change.SERVED,
    Reason.NO_CAPACITY: Change.CAPACITY,
    Reason.NOT_CAPABLE: Change.CAPABLE,
    Reason.REFUSED_BEFORE: Change.NOT_REFUSED,
}


def _gates(trial: _Trial) -> Iterator[Flip]:
    """Nodes that something keeps out, without it; those that hold the most of what is asked for go first."""
    lines = trial.group.lines
    shut = [node for node in trial.nodes.values() if trial.reasons.get(node.id) in _GATES]
    useful = {node.id: sum(map(min, (line.quantity for line in lines), node.available)) for node in shut}
    for node in sorted(shut, key=lambda node: (-useful[node.id], node.id)):
        if useful[node.id] > 0:
            change = _GATES[trial.reasons[node.id]]
            lacks = tuple(sorted(_needed(trial.seen) - set(node.capabilities))) if change is Change.CAPABLE else ()
            yield Flip(change=change, node=node.id, capabilities=lacks)


def _senders(plan: Plan) -> set[int]:
    return {a.node for a in plan.assignments}
