"""The world as it would have been under another policy: history's own snapshots, corrected by what was done otherwise.

Everything that no policy decides (receipts, counts, sales elsewhere, calendars, refusals) is in the recorded snapshots
already. What differs is kept here: units that history took from a shelf and the other policy did not, or the reverse,
and the same for parcels of a day. A snapshot is corrected by that before the other policy sees it.

Where nobody can know what would have happened, it says so by rule: a refusal stands for whoever sends there; a node
that turned out to be empty is empty for everybody; what history decided anew because a node refused is not decided
anew where the other policy had sent it elsewhere.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from hub.routing.model import Group, GroupLine, NodeState, Plan, Snapshot

UNCOUNTED: Final = 100_000_000
"""From so many units on, a shelf is one that nobody counts: nothing is taken off it."""


class Freed(NamedTuple):
    """Units that were cancelled, wherever they had been reserved."""

    at: datetime
    order: str
    demand: int
    units: int


class Emptied(NamedTuple):
    """A node was found to have none of an item left."""

    at: datetime
    node: int
    item: int


class _Held:
    """Where the units of one demand are, in one of the two worlds."""

    def __init__(self) -> None:
        self.at: dict[int, int] = {}
        self.waiting = 0
        """Units that the last decision left over."""

    def give(self, node: int, units: int) -> int:
        """Take up to so many units from a node; returns how many there were."""
        found = min(units, self.at.get(node, 0))
        if found:
            self.at[node] -= found
        return found


class _Demand(NamedTuple):
    item: int
    history: _Held
    other: _Held


class Book:
    """What the other policy did otherwise, so far."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[int, int], int] = {}
        """(node, item) -> units that lie there in the other world and not in history's."""
        self._days: dict[tuple[int, date], int] = {}
        """(node, local day) -> parcels that history sent and the other policy did not."""
        self._empty: set[tuple[int, int]] = set()
        self._demands: dict[tuple[str, int], _Demand] = {}

    def group(self, group: Group) -> Group | None:
        """What the other policy has to decide where history decided `group`; None where nothing is open."""
        lines = [line for one in group.lines if (line := self._line(group.order, one)) is not None]
        return replace(group, lines=tuple(lines)) if lines else None

    def snapshot(self, group: Group, mine: Group, snapshot: Snapshot) -> Snapshot:
        """History's snapshot for `group` as the other policy sees it for `mine`, a part of the same group."""
        kept = {line.demand for line in mine.lines}
        places = [n for n, line in enumerate(group.lines) if line.demand in kept]
        nodes = tuple(self._node(node, group.lines, places, snapshot.at) for node in snapshot.nodes)
        return replace(snapshot, nodes=nodes)

    def keep(self, group: Group, snapshot: Snapshot, history: Plan, other: Plan) -> None:
        """Both plans are carried out."""
        nodes = {node.id: node for node in snapshot.nodes}
        for line in group.lines:
            self._demands.setdefault((group.order, line.demand), _Demand(line.item, _Held(), _Held()))
        for plan, sign in ((history, 1), (other, -1)):
            for a in plan.assignments:
                demand = self._demands[group.order, a.demand]
                held = demand.history if sign > 0 else demand.other
                held.at[a.node] = held.at.get(a.node, 0) + a.quantity
                self._move(a.node, demand.item, sign * a.quantity)
            for node in {a.node for a in plan.assignments}:
                key = node, _day(nodes[node], snapshot.at)
                self._days[key] = self._days.get(key, 0) + sign
            left = dict(plan.unfilled)
            for line in group.lines:
                demand = self._demands[group.order, line.demand]
                (demand.history if sign > 0 else demand.other).waiting = left.get(line.demand, 0)

    def free(self, event: Freed) -> None:
        """Units are cancelled: those that wait first, then those that were reserved, in both worlds."""
        demand = self._demands.get((event.order, event.demand))
        if demand is None:
            return
        for held, sign in ((demand.history, -1), (demand.other, 1)):
            units = event.units - min(event.units, held.waiting)
            held.waiting -= event.units - units
            self._give_back(held, demand.item, units, held.at, sign)

    def empty(self, event: Emptied) -> None:
        """Until history sees goods there again, nothing is there that history would not see."""
        self._empty.add((event.node, event.item))

    def _line(self, order: str, line: GroupLine) -> GroupLine | None:
        """The part of a line that the other policy has to place; what came back to history is looked at first."""
        demand = self._demands.get((order, line.demand))
        if demand is None:
            return line
        history, other = demand.history, demand.other
        back = max(0, line.quantity - history.waiting)
        refused = self._give_back(history, demand.item, back, line.refused_by, -1)
        recalled = self._give_back(history, demand.item, back - refused, history.at, -1)
        fresh = back - refused - recalled  # the customer asked for more
        mine = self._give_back(other, demand.item, sum(other.at.values()), line.refused_by, 1) if refused else 0
        mine += self._give_back(other, demand.item, recalled, other.at, 1)
        units = other.waiting + mine + fresh
        return replace(line, quantity=units) if units > 0 else None

    def _give_back(self, held: _Held, item: int, units: int, nodes: Iterable[int], sign: int) -> int:
        """Take up to so many units back from nodes, in their order; returns how many."""
        left = units
        for node in list(nodes):
            found = held.give(node, left)
            self._move(node, item, sign * found)
            left -= found
        return units - left

    def _move(self, node: int, item: int, units: int) -> None:
        if units:
            self._shelves[node, item] = self._shelves.get((node, item), 0) + units

    def _node(self, node: NodeState, lines: tuple[GroupLine, ...], places: list[int], at: datetime) -> NodeState:
        available = tuple(self._units(node, lines[place].item, node.available[place]) for place in places)
        left = node.capacity_left
        if left is not None:
            left = max(0, left + self._days.get((node.id, _day(node, at)), 0))
        return replace(node, available=available, capacity_left=left)

    def _units(self, node: NodeState, item: int, held: int) -> int:
        if held >= UNCOUNTED:
            return held
        key = node.id, item
        more = self._shelves.get(key, 0)
        if key in self._empty:
            if held > 0:
                self._empty.discard(key)
            else:
                more = min(0, more)
        return max(0, held + more)

    def drifts(self) -> Mapping[tuple[int, int], int]:
        """(node, item) -> units that lie there in the other world and not in history's; zeros left out."""
        return {key: units for key, units in self._shelves.items() if units}


def _day(node: NodeState, at: datetime) -> date:
    """The node's local day; the one of UTC where its zone is unknown."""
    try:
        return at.astimezone(ZoneInfo(node.timezone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return at.date()
