"""Small networks and groups for the routing tests, and the answer by trying every plan there is."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any, NamedTuple

from hub.domain.order import Method
from hub.routing.certificate import cost_range
from hub.routing.model import Assignment, Decision, Group, GroupLine, NodeState, Plan, Policy, Snapshot

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""A Monday."""

PLAIN = Policy(version="plain", parcel_cost=1000, per_km=0, per_kg=0, unfilled_cost=100_000)
"""Only parcels cost, and what is left over."""


def line(demand: int, *, item: int | None = None, quantity: int = 1, **more: Any) -> GroupLine:
    """A line; each is of its own item unless it is told otherwise."""
    return GroupLine(demand=demand, item=100 + demand if item is None else item, quantity=quantity, **more)


def group(*lines: GroupLine, **more: Any) -> Group:
    """A group to ship, with no known place."""
    known = {"order": "ORDER", "group": "main", "method": Method.SHIP, "channel": "shop", "currency": "USD"}
    return Group(**{**known, "placed_at": AT, "lines": lines, **more})


def node(number: int, *available: int, **more: Any) -> NodeState:
    """Node A for 1, B for 2 and so on."""
    return NodeState(**{"id": number, "code": chr(64 + number), "kind": "dc", "available": available, **more})


def network(*nodes: NodeState) -> Snapshot:
    """The nodes as seen on a Monday morning."""
    return Snapshot(at=AT, nodes=nodes)


def sent(plan: Plan) -> dict[tuple[int, int], int]:
    """(demand, node) -> units."""
    return {(a.demand, a.node): a.quantity for a in plan.assignments}


def used(plan: Plan) -> set[int]:
    """The nodes of a plan."""
    return {a.node for a in plan.assignments}


def left(plan: Plan) -> int:
    """Units that the plan does not place."""
    return sum(units for _, units in plan.unfilled)


Load = dict[int, tuple[int, ...]]
"""Node's position in the snapshot -> units per line."""

Price = Callable[[Load], int]


class Answer(NamedTuple):
    """What is best: fewest units left, cheapest, fewest parcels, then node by node in order of demand."""

    units_left: int
    cost: int
    parcels: int
    ranks: tuple[int, ...]
    nodes: frozenset[int]


def plan_of(wanted: Group, seen: Snapshot, load: Load, cost: int = 0) -> Plan:
    """A plan from units per node."""
    lines = wanted.lines
    placed = [sum(units[place] for units in load.values()) for place in range(len(lines))]
    return Plan(
        assignments=tuple(
            Assignment(demand=line.demand, node=seen.nodes[k].id, quantity=units[place])
            for place, line in enumerate(lines)
            for k, units in sorted(load.items())
            if units[place]
        ),
        unfilled=tuple(
            (line.demand, line.quantity - done)
            for line, done in zip(lines, placed, strict=True)
            if done < line.quantity
        ),
        cost=cost,
    )


def price_by_certificate(wanted: Group, seen: Snapshot, policy: Policy) -> Price:
    """What the independent checker says a plan costs."""
    return lambda load: cost_range(wanted, seen, policy, plan_of(wanted, seen, load))[0]


def best_of_all(wanted: Group, seen: Snapshot, policy: Policy, price: Price | None = None) -> list[Answer]:
    """Every distinct set of nodes with its best answer, best first. Knows quantities, stock, splits, marks; no fence.

    A line is spread only where that places more units than sending lines whole does.
    """
    price = price or price_by_certificate(wanted, seen, policy)
    whole = _ranked(wanted, seen, policy, price, _whole_loads(wanted, seen))
    answer = whole
    if whole[0].units_left and policy.split_line and not wanted.keep_together:
        items = _left_items(wanted, seen, policy, price)
        spread = _ranked(wanted, seen, policy, price, _spread_loads(wanted, seen, items))
        if spread[0].units_left < whole[0].units_left:
            answer = spread
    if answer[0].units_left and (wanted.keep_together or not policy.allow_partial):
        empty: Load = {}
        units = sum(line.quantity for line in wanted.lines)
        return [Answer(units, price(empty), 0, (0,) * len(wanted.lines), frozenset())]
    return [other for other in answer if other.units_left == answer[0].units_left]


def _ranked(wanted: Group, seen: Snapshot, policy: Policy, price: Price, loads: Iterator[Load]) -> list[Answer]:
    order = sorted(range(len(seen.nodes)), key=lambda k: (seen.nodes[k].priority, seen.nodes[k].code))
    rank = {k: place for place, k in enumerate(order)}
    total = sum(line.quantity for line in wanted.lines)
    best: dict[frozenset[int], Answer] = {}
    by_demand = sorted(range(len(wanted.lines)), key=lambda place: wanted.lines[place].demand)
    for load in loads:
        if policy.max_splits is not None and len(load) > policy.max_splits + 1:
            continue
        if not _in_stock(wanted, seen, load) or not _parts_suffice(wanted, policy, load):
            continue
        ranks = tuple(sum(rank[k] * units[place] for k, units in load.items()) for place in by_demand)
        units_left = total - sum(map(sum, load.values()))
        found = Answer(units_left, price(load), len(load), ranks, frozenset(seen.nodes[k].id for k in load))
        if found.nodes not in best or found < best[found.nodes]:
            best[found.nodes] = found
    return sorted(best.values(), key=lambda answer: answer[:4])


def _whole_loads(wanted: Group, seen: Snapshot) -> Iterator[Load]:
    rows: dict[object, list[int]] = {}
    for place, one in enumerate(wanted.lines):
        mark = "all" if wanted.keep_together else one.together
        rows.setdefault(mark if mark else place, []).append(place)
    for choice in product(range(-1, len(seen.nodes)), repeat=len(rows)):
        load: dict[int, list[int]] = {}
        for places, k in zip(rows.values(), choice, strict=True):
            for place in places:
                if k >= 0:
                    load.setdefault(k, [0] * len(wanted.lines))[place] = wanted.lines[place].quantity
        yield {k: tuple(units) for k, units in load.items()}


def _left_items(wanted: Group, seen: Snapshot, policy: Policy, price: Price) -> set[int]:
    if policy.min_part_value or policy.min_part_margin:
        return {one.item for one in wanted.lines}
    best = None
    for load in _whole_loads(wanted, seen):
        [found, *_] = _ranked(wanted, seen, policy, price, iter([load])) or [None]
        if found is not None and (best is None or found[:4] < best[0][:4]):
            best = (found, load)
    assert best is not None
    placed = [any(units[place] for units in best[1].values()) for place in range(len(wanted.lines))]
    return {one.item for one, done in zip(wanted.lines, placed, strict=True) if not done}


def _spread_loads(wanted: Group, seen: Snapshot, items: set[int]) -> Iterator[Load]:
    count = len(seen.nodes)
    ways: list[list[tuple[int, ...]]] = []
    marks: dict[str, list[int]] = {}
    for place, one in enumerate(wanted.lines):
        nowhere = (0,) * count
        full = [tuple(one.quantity if n == k else 0 for n in range(count)) for k in range(count)]
        if one.item in items and one.together is None:
            every = product(*(range(min(one.quantity, state.available[place]) + 1) for state in seen.nodes))
            ways.append([way for way in every if sum(way) <= one.quantity])
        else:
            ways.append([nowhere, *full])
        if one.together:
            marks.setdefault(one.together, []).append(place)
    for choice in product(*ways):
        homes = {mark: {tuple(bool(n) for n in choice[place]) for place in places} for mark, places in marks.items()}
        if all(len(home) == 1 for home in homes.values()):
            loads = {k: tuple(way[k] for way in choice) for k in range(count)}
            yield {k: units for k, units in loads.items() if any(units)}


def _in_stock(wanted: Group, seen: Snapshot, load: Load) -> bool:
    for k, units in load.items():
        drawn: dict[int, int] = {}
        stock: dict[int, int] = {}
        for place, one in enumerate(wanted.lines):
            if units[place]:
                drawn[one.item] = drawn.get(one.item, 0) + units[place]
                held = seen.nodes[k].available[place]
                stock[one.item] = min(stock.get(one.item, held), held)
        if any(drawn[item] > stock[item] for item in drawn):
            return False
    return True


def _parts_suffice(wanted: Group, policy: Policy, load: Load) -> bool:
    """Whether every part of a parted group, what is left over included, is worth as much as the policy asks."""
    left = [one.quantity - sum(units[place] for units in load.values()) for place, one in enumerate(wanted.lines)]
    parts = [list(units) for units in load.values()] + ([left] if any(left) else [])
    worth = [
        (
            sum(one.value * count // one.quantity for one, count in zip(wanted.lines, part, strict=True)),
            sum((one.margin or 0) * count // one.quantity for one, count in zip(wanted.lines, part, strict=True)),
        )
        for part in parts
    ]
    least = (policy.min_part_value, policy.min_part_margin)
    return len(parts) < 2 or all(value >= least[0] and margin >= least[1] for value, margin in worth)


def summary(wanted: Group, seen: Snapshot, decision: Decision) -> Answer:
    """A decision's plan in the form of an answer."""
    nodes = sorted(seen.nodes, key=lambda n: (n.priority, n.code))
    rank = {n.id: place for place, n in enumerate(nodes)}
    plan = decision.plan
    demands: Sequence[int] = sorted(one.demand for one in wanted.lines)
    ranks = tuple(sum(rank[a.node] * a.quantity for a in plan.assignments if a.demand == d) for d in demands)
    return Answer(left(plan), plan.cost, len(used(plan)), ranks, frozenset(used(plan)))
