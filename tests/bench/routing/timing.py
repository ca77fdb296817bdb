"""Times and what they are compared with. Trust ratios: the machine is shared."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

from hub.routing.model import Group, Snapshot

T = TypeVar("T")

Figures = dict[str, object]


def best_us(work: Callable[[], T], rounds: int = 3) -> tuple[float, T]:
    """Microseconds of the best of a few rounds, and what the last gave."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6, answer


def spread_of(times: Sequence[float]) -> Figures:
    """Median, 95th and 99th percentile and count of microseconds."""
    ranked = sorted(times)

    def at(share: float) -> float:
        return round(ranked[min(len(ranked) - 1, int(len(ranked) * share))], 1)

    return {"p50_us": round(median(ranked), 1), "p95_us": at(0.95), "p99_us": at(0.99), "count": len(ranked)}


def yardstick_us() -> float:
    """Microseconds of 20,000 rounds of a loop that never changes: figures of two runs are compared by their ratio to
    it, as the machine is shared."""
    return round(best_us(lambda: sum(n * n % 7 for n in range(20_000)), 20)[0], 1)


def look_once(group: Group, snapshot: Snapshot) -> list[int]:
    """The floor: one look at every stock figure, and nothing else. No router in this language does less."""
    wanted = [(1 << n, line.quantity) for n, line in enumerate(group.lines)]
    masks = []
    for node in snapshot.nodes:
        mask = 0
        for (bit, units), held in zip(wanted, node.available, strict=True):
            if held >= units:
                mask |= bit
        masks.append(mask)
    return masks
