"""Deciding a stretch of history again, under another policy or the one that was live. Pure: no effect, no clock.

Two modes. AS_RECORDED decides each stored input as it was seen: stock, capacity, calendars and refusals of that very
instant, history's own reservations included. It answers "how would this order have been routed then". CARRIED lets the
other policy live with what it did: what it took, and what it did not take, is carried to every later decision (see
`counterfactual.py`). It answers "where would we be now". In both, history's side is what was stored, not recomputed.

Costs are compared by one ruler at a time: `cost` is by the prices of the policy that was live, `cost_by_draft` by those
of the other one. Two policies' own sums say nothing about each other, and a policy of preferences has no sums of money.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from hub.routing.conditions import ConditionFailed
from hub.routing.counterfactual import Book, Emptied, Freed
from hub.routing.decide import decide
from hub.routing.model import Decision, Group, NodeState, Plan, Policy, Snapshot
from hub.routing.prepare import Prepared, RoutingInputError, prepare, way_of
from hub.routing.pricing import Pricer, pricer_over
from hub.routing.record import Input, Parity, Recorded, decode, decode_input, parity
from hub.routing.report import Load, Measure, Mode, Moved, Odd, Report, Totals
from hub.routing.terms.lateness import late

REMEMBERED: Final = 64
"""Networks kept prepared: a new one comes with every change of a node."""

Event = Recorded | Freed | Emptied


class Shadow(NamedTuple):
    """A draft's answer beside the live one, for the same input."""

    live: Decision
    draft: Decision

    @property
    def agrees(self) -> bool:
        """Whether both send the same units from the same nodes."""
        return self.live.plan.assignments == self.draft.plan.assignments


def shadow(group: Group, snapshot: Snapshot, live: Decision, draft: Policy, ready: Prepared | None = None) -> Shadow:
    """What a draft would have decided where `live` was decided. No effect: it may run beside the path.

    Raises what `decide` raises; whoever runs it beside live traffic counts that as a fault of the draft.
    """
    return Shadow(live, decide(group, snapshot, draft, ready))


class Simulator:
    """Takes events in the order of time, and reports at any moment. `draft` None replays the policies that were live.

    `policies` are all versions that decisions may name. Nothing is raised for a decision that cannot be decided again:
    it is counted and named.
    """

    def __init__(self, policies: Mapping[str, Policy], draft: Policy | None, mode: Mode = Mode.AS_RECORDED) -> None:
        self._policies, self._draft, self._mode = policies, draft, mode
        self._book = Book() if mode is Mode.CARRIED else None
        self._ready: dict[tuple[str, tuple[NodeState, ...]], Prepared] = {}
        self._orders: set[str] = set()
        self._sides = (_Side(), _Side())
        self._moved: list[Moved] = []
        self._replayed: dict[Parity, int] = dict.fromkeys(Parity, 0)
        self._odd: list[Odd] = []
        self._failed: list[Odd] = []
        self._decisions = self._not_needed = 0

    def take(self, event: Event) -> None:
        """The next thing that happened."""
        match event:
            case Recorded():
                self._decide(event)
            case Freed() if self._book is not None:
                self._book.free(event)
            case Emptied() if self._book is not None:
                self._book.empty(event)

    def report(self) -> Report:
        """Everything so far."""
        before, after = self._sides
        return Report(
            mode=self._mode,
            draft=self._draft.version if self._draft else None,
            decisions=self._decisions,
            orders=len(self._orders),
            changed=len(self._moved),
            not_needed=self._not_needed,
            before=before.totals(len(self._orders)),
            after=after.totals(len(self._orders)),
            nodes=_loads(before, after),
            moved=tuple(self._moved),
            replayed={parity: count for parity, count in self._replayed.items() if count},
            odd=tuple(self._odd),
            failed=tuple(self._failed),
        )

    def _decide(self, row: Recorded) -> None:
        try:
            given, stored = decode_input(row.input), decode(row.document)
        except msgspec.MsgspecError as error:
            self._strange(row, Parity.UNREADABLE, str(error))
            return
        live = self._policies.get(given.policy)
        again = self._replay(row, given, live)
        policy = self._draft or live
        if policy is None or live is None or (self._draft is None and again is None):
            return  # told already
        try:
            self._compare(row, given, stored, live, policy, again)
        except (ValueError, ConditionFailed) as error:
            self._failed.append(_odd(row, Parity.UNREADABLE, str(error)))

    def _replay(self, row: Recorded, given: Input, live: Policy | None) -> Decision | None:
        """Decide it again as it was, and say how that came out."""
        if live is None:
            self._strange(row, Parity.NO_POLICY, f"policy {given.policy!r} is gone or cannot be read")
            return None
        try:
            again = decide(given.group, given.snapshot, live, self.ready(given.snapshot, live))
        except (ValueError, ConditionFailed) as error:
            self._strange(row, Parity.UNREADABLE, str(error))
            return None
        found = parity(given, row.document, again)
        self._replayed[found] += 1
        if found in (Parity.DIFFERENT, Parity.OLDER_DIFFERENT):
            self._odd.append(_odd(row, found, ""))
        return again

    def _compare(
        self, row: Recorded, given: Input, stored: Decision, live: Policy, policy: Policy, again: Decision | None
    ) -> None:
        group: Group | None = given.group
        snapshot = given.snapshot
        if self._book is not None:
            group = self._book.group(given.group)
            snapshot = self._book.snapshot(given.group, group, snapshot) if group else snapshot
        if group is None:
            other: Decision | None = None
        elif self._draft is None and self._book is None:
            other = again
        else:
            other = decide(group, snapshot, policy, self.ready(snapshot, policy))
        plan = other.plan if other else Plan(assignments=(), unfilled=(), cost=0)
        ruler = _Ruler(self, given, live, policy, stored, other)
        figures = ruler.measure(stored.plan), ruler.measure(plan)
        if self._book is not None:
            self._book.keep(given.group, given.snapshot, stored.plan, plan)
        self._decisions += 1
        self._not_needed += group is None
        self._orders.add(row.order)
        codes = {node.id: node.code for node in given.snapshot.nodes}
        for side, one, measure in zip(self._sides, (stored.plan, plan), figures, strict=True):
            side.take(given.group, one, measure, codes)
        if stored.plan.assignments != plan.assignments:
            self._moved.append(_moved(row, stored.plan, plan, figures, codes))

    def ready(self, snapshot: Snapshot, policy: Policy) -> Prepared:
        """The network of a snapshot under a policy, prepared once while neither changes."""
        bare = tuple(
            replace(node, available=(), capacity_left=None, transit_days=None, arrives_by=None)
            for node in snapshot.nodes
        )
        key = policy.version, bare
        if key not in self._ready:
            if len(self._ready) >= REMEMBERED:
                self._ready.clear()
            self._ready[key] = prepare(snapshot.nodes, policy)
        return self._ready[key]

    def _strange(self, row: Recorded, found: Parity, detail: str) -> None:
        self._replayed[found] += 1
        self._odd.append(_odd(row, found, detail))


class _Ruler:
    """Measures the two plans for one input by the prices of both policies."""

    def __init__(
        self, owner: Simulator, given: Input, live: Policy, policy: Policy, stored: Decision, other: Decision | None
    ) -> None:
        senders = {a.node for plan in (stored.plan, other and other.plan) if plan for a in plan.assignments}
        self._live = _pricer(owner, given, live, stored.attempt, senders)
        self._draft = (
            self._live if policy is live else _pricer(owner, given, policy, other.attempt if other else 0, senders)
        )
        self._late = dict(zip(self._live.places, late(self._live.trip), strict=True))

    def measure(self, plan: Plan) -> Measure:
        """A plan in figures."""
        parcels = self._live.parcels(plan)
        return Measure(
            parcels=len(parcels),
            units=sum(a.quantity for a in plan.assignments),
            cost=sum(parcel.cost for parcel in parcels) + self._live.unfilled(plan),
            cost_by_draft=self._draft.cost(plan),
            km=sum(parcel.km for parcel in parcels),
            late=sum(self._late[parcel.node] for parcel in parcels),
        )


def _pricer(owner: Simulator, given: Input, policy: Policy, attempt: int, senders: Collection[int]) -> Pricer:
    """The prices of the attempt that decided; of the first where it was made for a part of the group only."""
    ready = owner.ready(given.snapshot, policy)
    try:
        way = way_of(given.group, given.snapshot, ready, attempt)
    except RoutingInputError:
        way = way_of(given.group, given.snapshot, ready)
    return pricer_over(way, senders)


class _Side:
    """Running sums of one side."""

    def __init__(self) -> None:
        self.measure = Measure()
        self.left: dict[tuple[str, int], int] = {}
        self.parcels: dict[str, int] = {}
        self.units: dict[str, int] = {}

    def take(self, group: Group, plan: Plan, measure: Measure, codes: Mapping[int, str]) -> None:
        """One more decision."""
        self.measure = self.measure.plus(measure)
        left = dict(plan.unfilled)
        for line in group.lines:
            self.left[group.order, line.demand] = left.get(line.demand, 0)
        for node in {a.node for a in plan.assignments}:
            self.parcels[codes[node]] = self.parcels.get(codes[node], 0) + 1
        for a in plan.assignments:
            self.units[codes[a.node]] = self.units.get(codes[a.node], 0) + a.quantity

    def totals(self, orders: int) -> Totals:
        """The sums."""
        ratio = round(self.measure.parcels / orders, 3) if orders else 0.0
        return Totals(measure=self.measure, unfilled=sum(self.left.values()), parcels_per_order=ratio)


def _loads(before: _Side, after: _Side) -> tuple[Load, ...]:
    return tuple(
        Load(
            node=code,
            parcels_before=before.parcels.get(code, 0),
            parcels_after=after.parcels.get(code, 0),
            units_before=before.units.get(code, 0),
            units_after=after.units.get(code, 0),
        )
        for code in sorted({*before.parcels, *after.parcels})
    )


def _moved(
    row: Recorded, before: Plan, after: Plan, figures: tuple[Measure, Measure], codes: Mapping[int, str]
) -> Moved:
    return Moved(
        order=row.order,
        no=row.no,
        group=row.group,
        at=row.at,
        before=_by_node(before, codes),
        after=_by_node(after, codes),
        unfilled_before=sum(units for _, units in before.unfilled),
        unfilled_after=sum(units for _, units in after.unfilled),
        figures_before=figures[0],
        figures_after=figures[1],
    )


def _by_node(plan: Plan, codes: Mapping[int, str]) -> dict[str, int]:
    units: dict[str, int] = {}
    for a in plan.assignments:
        units[codes[a.node]] = units.get(codes[a.node], 0) + a.quantity
    return units


def _odd(row: Recorded, found: Parity, detail: str) -> Odd:
    return Odd(order=row.order, no=row.no, engine=row.engine, policy=row.policy, parity=found, detail=detail)


def simulate(
    events: Iterable[Event], policies: Mapping[str, Policy], draft: Policy | None, mode: Mode = Mode.AS_RECORDED
) -> Report:
    """A whole stretch at once; the events in the order of time."""
    simulator = Simulator(policies, draft, mode)
    for event in events:
        simulator.take(event)
    return simulator.report()
