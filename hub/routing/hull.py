"""A straight line below a staircase of rates: what lets rates with steps take part in a proof."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Line(NamedTuple):
    """`base` and so many `rise` per `run`, none negative."""

    base: int
    rise: int
    run: int

    def at(self, grams: int) -> int:
        """What the weight adds to the base, rounded down."""
        return self.rise * grams // self.run


def line_below(steps: Sequence[tuple[int, int]], grams: int) -> Line:
    """The line that is nowhere above the steps, and as high as can be at so many grams.

    Steps are (up to grams, cost), of one table or of several of which the cheapest counts; each table rises and is
    begun again for what is heavier. Nothing costs nothing; a step of no grams is a cost whatever the weight.
    """
    if not steps:
        return Line(0, 0, 1)
    lowest = min(cost for _, cost in steps)
    if steps[0][0] == 0:
        return Line(lowest, 0, 1)
    corners = _lower_corners(steps)
    if grams >= corners[-1][0]:
        rise, run = min(((cost, limit) for limit, cost in corners), key=lambda slope: slope[0] / slope[1])
        if all(rise * limit <= cost * run for limit, cost in steps):
            return Line(0, rise, run)
    for (low, cheap), (high, dear) in pairwise(corners):
        if low <= grams < high and dear > cheap:
            base = (cheap * (high - low) - (dear - cheap) * low) // (high - low)
            if base >= 0:
                return Line(base, dear - cheap, high - low)
    return Line(lowest, 0, 1)


def _lower_corners(steps: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Corners of the lower hull of the steps' ends, by weight."""
    corners: list[tuple[int, int]] = []
    for limit, cost in sorted(steps):
        if corners and corners[-1][0] == limit:
            continue
        while len(corners) > 1 and _above(corners[-2], corners[-1], (limit, cost)):
            corners.pop()
        corners.append((limit, cost))
    return corners


def _above(first: tuple[int, int], middle: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether the middle one is on or above the line between its neighbours."""
    across = (middle[1] - first[1]) * (last[0] - first[0])
    return across >= (last[1] - first[1]) * (middle[0] - first[0])
