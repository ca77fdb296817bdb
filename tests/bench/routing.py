"""How long a decision takes. Seeded instances made here; half of all (line, node) pairs are in stock, 70 % on the path.

`python -m tests.bench.routing` prints one JSON object. Nothing here asserts: trust ratios on a shared machine.
"""

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.decide import decide
from hub.routing.model import Decision, Group, GroupLine, NodeState, Policy, Snapshot
from hub.routing.prepare import prepare
from hub.routing.record import encode, encode_input
from hub.routing.solve import solve
from hub.routing.survey import survey

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
POLICY = Policy()

KERNEL = ((1, 10), (2, 10), (3, 20), (5, 50), (8, 50), (8, 200), (10, 50))
"""(lines, nodes) for the search alone, targets 20 µs for the first two, 150 µs for 5 x 50, 1.5 ms for 8 x 200."""

PATH = ((1, 12), (2, 12), (3, 12), (4, 12))
"""(lines, nodes) for a whole decision as an order meets it, target 150 µs."""

LARGE = ((12, 12), (20, 12), (40, 12), (12, 200), (20, 200))


def instance(chance: random.Random, lines: int, nodes: int, held: float = 0.5) -> tuple[Group, Snapshot]:
    """A group of single units and a network across a continent."""
    wanted = tuple(
        GroupLine(demand=n, item=n, quantity=1, weight_g=chance.randint(100, 3000)) for n in range(1, lines + 1)
    )
    states = tuple(
        NodeState(
            id=k,
            code=f"N{k:03}",
            kind="dc",
            available=tuple(int(chance.random() < held) for _ in wanted),
            country="US",
            latitude=chance.uniform(25, 48),
            longitude=chance.uniform(-120, -70),
        )
        for k in range(1, nodes + 1)
    )
    place = Place(
        country="US", latitude=round(chance.uniform(25, 48), 2), longitude=round(chance.uniform(-120, -70), 2)
    )
    group = Group(
        order="bench",
        group="main",
        method=Method.SHIP,
        channel="bench",
        currency="USD",
        placed_at=AT,
        lines=wanted,
        place=place,
    )
    return group, Snapshot(at=AT, nodes=states)


def microseconds(work: Callable[[], object], rounds: int = 5) -> float:
    """The best of a few rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def spread_of(times: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ranked = sorted(times)
    return {"p50_us": round(median(ranked), 1), "p95_us": round(ranked[int(len(ranked) * 0.95)], 1)}


def _kernel(lines: int, nodes: int, count: int) -> dict[str, float]:
    """The search with its runner-up, without fences, prices, reasons and structs."""
    chance, times = random.Random(lines * 1000 + nodes), []
    for _ in range(count):
        group, snapshot = instance(chance, lines, nodes)
        seen = survey(group, snapshot, prepare(snapshot.nodes, POLICY))
        times.append(microseconds(lambda seen=seen: solve(seen)))
    return spread_of(times)


def _path(lines: int, nodes: int, count: int) -> dict[str, float]:
    """Everything from values to a decision, prepared once; `with_bytes` also writes input and decision."""
    chance, plain, cold, stored = random.Random(lines * 1000 + nodes), [], [], []
    for _ in range(count):
        group, snapshot = instance(chance, lines, nodes, 0.7)
        prepared = prepare(snapshot.nodes, POLICY)

        def once(group: Group = group, snapshot: Snapshot = snapshot) -> Decision:
            return decide(group, snapshot, POLICY, prepared)  # noqa: B023

        plain.append(microseconds(once))
        cold.append(microseconds(lambda g=group, s=snapshot: decide(g, s, POLICY)))
        stored.append(microseconds(lambda g=group, s=snapshot: (encode(once(g, s)), encode_input(g, s, "bench"))))
    return {
        **spread_of(plain),
        "unprepared_p50_us": round(median(cold), 1),
        "with_bytes_p50_us": round(median(stored), 1),
    }


def _large(lines: int, nodes: int, count: int) -> dict[str, float]:
    """Above ten lines: time, how many are proven, and the mean gap of all."""
    chance, times, gaps, proven = random.Random(lines * 1000 + nodes), [], [], 0
    for _ in range(count):
        group, snapshot = instance(chance, lines, nodes)
        prepared = prepare(snapshot.nodes, POLICY)
        start = time.perf_counter()
        decision = decide(group, snapshot, POLICY, prepared)
        times.append((time.perf_counter() - start) * 1e6)
        gaps.append(decision.gap / decision.plan.cost)
        proven += decision.proven
    return {**spread_of(times), "proven": proven, "of": count, "mean_gap": round(sum(gaps) / count, 4)}


def measure(count: int = 60) -> dict[str, dict[str, dict[str, float]]]:
    """All figures, by part and "lines x nodes"."""
    return {
        "kernel": {f"{lines}x{nodes}": _kernel(lines, nodes, count) for lines, nodes in KERNEL},
        "path": {f"{lines}x{nodes}": _path(lines, nodes, count) for lines, nodes in PATH},
        "large": {f"{lines}x{nodes}": _large(lines, nodes, max(5, count // 6)) for lines, nodes in LARGE},
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
