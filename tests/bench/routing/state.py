"""What every router under comparison is given, and what it gives back. One ruler measures them all."""

from collections.abc import Iterator
from typing import NamedTuple

Sent = dict[int, list[int]]
"""Node -> units per line. What a node sends is one parcel."""


class State(NamedTuple):
    """An order, and the stock and costs of every node at that moment. Costs are integers."""

    need: tuple[int, ...]
    held: tuple[tuple[int, ...], ...]
    """Per node and line, at most what is needed."""
    fixed: tuple[int, ...]
    """Per node: a parcel."""
    unit: tuple[tuple[int, ...], ...]
    """Per node and line: a unit."""
    near: tuple[int, ...]
    """Nodes, the nearest first."""
    unfilled: int
    """Per line of which something is left over."""

    def fill(self) -> list[int]:
        """Units per line that can be sent at all."""
        return [min(need, sum(own[n] for own in self.held)) for n, need in enumerate(self.need)]

    def whole(self) -> list[bool]:
        """Per line whether some node has all of it. The policy that all work under does not spread such a line."""
        return [any(own[n] >= need for own in self.held) for n, need in enumerate(self.need)]

    def take(self, node: int, left: list[int], whole: list[bool]) -> list[int]:
        """Units that a node can send of what is left under that policy."""
        return [
            min(rest, units) if not all_at_once or units >= rest else 0
            for rest, units, all_at_once in zip(left, self.held[node], whole, strict=True)
        ]

    def cost(self, sent: Sent) -> int:
        """What a plan costs. Raises `ValueError` for one that sends what is not there."""
        left = list(self.need)
        cost = 0
        for node, n, units in self._units(sent):
            if units > self.held[node][n] or units > left[n]:
                raise ValueError(f"node {node} sends {units} of line {n}")
            left[n] -= units
            cost += units * self.unit[node][n]
        cost += sum(self.fixed[node] for node, units in sent.items() if any(units))
        return cost + self.unfilled * sum(map(bool, left))

    @staticmethod
    def _units(sent: Sent) -> Iterator[tuple[int, int, int]]:
        for node, units in sent.items():
            for n, count in enumerate(units):
                if count:
                    yield node, n, count
