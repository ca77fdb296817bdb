"""From a policy with rules to one without: which rules fire for a group, and what they make of it.

The answer is the group, the snapshot and a plain policy, with what the rules said written into them: nodes that are
fenced off, units that are kept for others, settings that were laid over one another. Everything after this, the
searches, the checker and the explanation, knows no rules. There is one way to decide a group, and one more for each
fallback of the rules that fired; `decide` takes the first that leaves nothing over, else the best.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from hub.routing.facts import NodeFacts, NodesView, OrderFacts, OrderView
from hub.routing.fences import asked
from hub.routing.model import Group, GroupLine, NodeState, Policy, Snapshot
from hub.routing.network import RoutingInputError, Way
from hub.routing.rules import Blackout, Reservation
from hub.routing.stages import Fenced, Places, Stage, Stages
from hub.routing.terms.term import Term

EASTMOST: Final = timedelta(hours=14)
WESTMOST: Final = timedelta(hours=12)
"""How far clocks on earth go before and behind UTC."""


class Chain:
    """The rules of a policy over a network. Remembers; belongs to one thread."""

    def __init__(self, nodes: Sequence[NodeState], policy: Policy, terms: Sequence[Term]) -> None:
        self._policy = policy
        self._nodes = nodes
        self._stages = Stages(nodes, policy, terms)
        self._zones = {node.timezone: _zone(node.timezone) for node in nodes}
        self._blackouts = [(one, self._named(one)) for one in policy.blackouts]
        self._kept = [(one, self._named(one)) for one in policy.reservations]

    def _named(self, one: Blackout | Reservation) -> Places:
        codes = {*one.nodes, *(code for name in one.groups for code in self._policy.node_groups[name])}
        everyone = not one.nodes and not one.groups
        return frozenset(place for place, node in enumerate(self._nodes) if everyone or node.code in codes)

    def settings(self, group: Group, at: datetime) -> Policy:
        """The settings that hold for a group before any fallback. Raises `ConditionFailed`."""
        look = self._stages.look(OrderFacts(OrderView(group, at, self._policy)))
        return self._stages.stage(look, 0).policy

    def ways(self, group: Group, snapshot: Snapshot) -> Iterator[Way]:
        """The ways to decide a group, the fallbacks in their order. Raises `ConditionFailed`."""
        if len(snapshot.nodes) != len(self._nodes):
            raise RoutingInputError(
                f"order {group.order}: the snapshot has other nodes than were prepared; prepare again"
            )
        order = OrderFacts(OrderView(group, snapshot.at, self._policy))
        look = self._stages.look(order)
        attempt, last = 0, 0
        while attempt <= last:
            stage = self._stages.stage(look, attempt)
            yield self._way(group, snapshot, order, stage, look.withheld, attempt)
            attempt, last = attempt + 1, stage.fallbacks

    def _way(
        self,
        group: Group,
        snapshot: Snapshot,
        order: OrderFacts,
        stage: Stage,
        withheld: Sequence[int],
        attempt: int,
    ) -> Way:
        nodes = list(snapshot.nodes)
        for n in withheld:
            self._withhold(*self._kept[n], group, nodes)
        want = asked(group, stage.prepared.policy)
        km = stage.prepared.distances.to(want.here, want.unknown_km)[1] if want.travels else [0] * len(nodes)
        facts = NodeFacts(NodesView(nodes, stage.policy, group, km))
        shut = self._shut(stage, group, order, facts, snapshot.at, want.travels)
        lines = _lines(group, stage, order, facts, [node.id for node in nodes])
        for place, words in shut.items():
            nodes[place] = replace(nodes[place], fenced_by=words)
        if lines is not group.lines:
            group = replace(group, lines=lines)
        if stage.policy.keep_together and not group.keep_together:
            group = replace(group, keep_together=True)
        seen = Snapshot(at=snapshot.at, nodes=tuple(nodes))
        return Way(group, seen, stage.prepared, stage.policy, stage.rules, attempt)

    def _shut(
        self, stage: Stage, group: Group, order: OrderFacts, facts: NodeFacts, at: datetime, travels: bool
    ) -> dict[int, str]:
        """What keeps nodes out of the whole decision; the first thing that does."""
        shut: dict[int, str] = {}
        for fenced in stage.fences:
            for place in _shut_by(fenced, order, facts):
                shut.setdefault(place, fenced.fence.words)
        for blackout, places in self._blackouts:
            for place in places:
                if place not in shut and self._out(blackout, self._nodes[place], at):
                    shut[place] = f"blackout {blackout.name!r} until {blackout.until.isoformat(' ', 'minutes')}"
        if stage.policy.stay_in_market and travels:
            country = group.place.country if group.place else None
            for place, same in enumerate(facts["same_market"]):
                if place not in shut and not same:
                    shut[place] = (
                        f"stay_in_market: from {self._nodes[place].country or 'unknown'} to {country or 'unknown'}"
                    )
        return shut

    def _out(self, blackout: Blackout, node: NodeState, at: datetime) -> bool:
        """Whether a node takes no work now; one in no known time zone, where it is so anywhere on earth."""
        zone = self._zones[node.timezone]
        if zone is not None:
            return blackout.start <= at.astimezone(zone).replace(tzinfo=None) < blackout.until
        there = at.astimezone(UTC).replace(tzinfo=None)
        return blackout.start <= there + EASTMOST and there - WESTMOST < blackout.until

    @staticmethod
    def _withhold(kept: Reservation, places: Places, group: Group, nodes: list[NodeState]) -> None:
        for place in places:
            node = nodes[place]
            left = [
                units if kept.classes and not set(kept.classes) & set(line.classes) else _less(units, kept)
                for units, line in zip(node.available, group.lines, strict=False)
            ]
            nodes[place] = replace(node, available=tuple(left))


def _less(units: int, kept: Reservation) -> int:
    share = -(-max(0, units) * kept.percent // 100)
    return units - min(max(0, units), max(kept.units, share))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _shut_by(fenced: Fenced, order: OrderFacts, nodes: NodeFacts) -> Places:
    """Places of the nodes that a fence keeps out. Raises `ConditionFailed`."""
    fence, condition = fenced.fence, fenced.fence.condition
    if not fenced.perhaps:
        return fenced.surely
    matching = condition.nodes_where(condition.of_both, order, nodes, fenced.perhaps)
    return fenced.surely | (matching if fence.shuts else fenced.perhaps - matching)


def _lines(
    group: Group, stage: Stage, order: OrderFacts, facts: NodeFacts, ids: Sequence[int]
) -> tuple[GroupLine, ...]:
    """The lines with what their classes ask for, and the nodes that fences for their classes keep out."""
    if not any(line.classes for line in group.lines):
        return group.lines
    needs = stage.policy.class_needs
    barred = [(one.fence.classes, _shut_by(one, order, facts)) for one in stage.for_classes]
    return tuple(
        replace(
            line,
            needs=tuple(sorted({need for kind in line.classes for need in needs.get(kind, (kind,))})),
            barred=tuple(sorted({ids[n] for kinds, out in barred if not kinds.isdisjoint(line.classes) for n in out})),
        )
        for line in group.lines
    )
