"""What a stock report does to one shelf: pure arithmetic that gives the same balance whatever the order of arrival.

A snapshot or count is a level as of a moment: what moved after it is added to it, what moved before is on it already.
A delta that was true before the last level is on that level: it is recorded, and taken back in the same breath.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Shelf(NamedTuple):
    """An item at a node."""

    sellable: int
    counted_at: datetime | None
    """As of when the last level was true."""


class Reported(NamedTuple):
    """One figure of a source about the shelf."""

    kind: str
    """snapshot, delta or count."""
    units: int
    """A level, what the source subtracts added back; or a signed change."""
    as_of: datetime
    moved: int = 0
    """What the ledger says has moved after `as_of`; of no meaning for a delta."""
    told: bool = False
    """The ledger holds this very delta already."""


class Movement(NamedTuple):
    """One ledger entry that a figure makes."""

    position: int
    """Which of the figures made it."""
    delta: int
    reason: str
    true_at: datetime


DELTA = "delta"
CORRECTION = "correction"


def apply(shelf: Shelf, figures: Iterable[Reported]) -> tuple[Shelf, list[Movement]]:
    """The shelf after `figures`, and the entries whose deltas sum to the difference.

    `moved` of each figure is what stood in the ledger before this call; figures are applied by the time they were
    true, changes before levels of the same moment, so that none of them has to know of another.
    """
    sellable, counted_at = shelf
    made: list[Movement] = []
    numbered = sorted(enumerate(figures), key=lambda one: (one[1].as_of, one[1].kind != DELTA, one[0]))
    for position, figure in numbered:
        if figure.kind == DELTA:
            if figure.told or figure.units == 0:
                continue
            made.append(Movement(position, figure.units, DELTA, figure.as_of))
            if counted_at is not None and figure.as_of <= counted_at:
                made.append(Movement(position, -figure.units, CORRECTION, counted_at))
            else:
                sellable += figure.units
            continue
        if counted_at is not None and figure.as_of < counted_at:
            continue
        counted_at = figure.as_of
        delta = figure.units + figure.moved - sellable
        if delta:
            made.append(Movement(position, delta, figure.kind, figure.as_of))
            sellable += delta
    return Shelf(sellable, counted_at), made
