"""Expected supply, shared out among those who wait for it. Pure integer arithmetic: nothing read, nothing asked."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple


class Expected(NamedTuple):
    """Supply of one item that is due at a node."""

    id: int
    reference: str
    node: int
    item: int
    quantity: int
    confidence: int
    """Per cent."""
    due: date
    promised: int = 0
    """Units of it that are promised already."""

    def free(self, today: date) -> int:
        """Units that may still be promised; below zero, so many are promised too much.

        What is overdue may not be promised at all: nobody knows when it comes.
        """
        trusted = self.quantity * self.confidence // 100 if self.due >= today else 0
        return trusted - self.promised


class Claim(NamedTuple):
    """Units that wait for supply, and of which one they wait now. `key` is the caller's."""

    key: tuple[str, int]
    item: int
    units: int
    supply: int | None
    nodes: frozenset[int]
    """Where it may come to."""


class Share(NamedTuple):
    """Units of a claim and the supply that they are promised; None is promised nothing."""

    units: int
    supply: Expected | None


def share_out(claims: Sequence[Claim], expected: Iterable[Expected], today: date) -> dict[tuple[str, int], list[Share]]:
    """Who waits for what. `claims` come most urgent first; what they hold is counted in `promised`.

    A promise that can be kept is kept. Of a supply of which too much is promised the least urgent give way, no more
    than are too many. What has no promise gets the earliest supply that is free, the most urgent first.
    """
    rows = sorted(expected, key=lambda row: (row.due, row.id))
    free = {row.id: row.free(today) for row in rows}
    kept = _kept(claims, free)
    by_id = {row.id: row for row in rows}
    shares: dict[tuple[str, int], list[Share]] = {}
    for claim in claims:
        mine: dict[int, int] = {}
        if claim.supply is not None and kept[claim.key]:
            mine[claim.supply] = kept[claim.key]
        left = claim.units - kept[claim.key]
        for row in rows:
            units = min(left, free[row.id])
            if units > 0 and row.item == claim.item and row.node in claim.nodes:
                mine[row.id] = mine.get(row.id, 0) + units
                free[row.id] -= units
                left -= units
        found = [Share(units, by_id[row]) for row, units in mine.items()]
        shares[claim.key] = [*found, Share(left, None)] if left else found
    return shares


def _kept(claims: Sequence[Claim], free: dict[int, int]) -> dict[tuple[str, int], int]:
    """Units of each claim that stay where they are; who gives way makes `free` what it is then."""
    kept: dict[tuple[str, int], int] = {}
    for claim in reversed(claims):
        if claim.supply is None or claim.supply not in free:
            kept[claim.key] = 0
            continue
        lost = min(claim.units, max(0, -free[claim.supply]))
        free[claim.supply] += lost
        kept[claim.key] = claim.units - lost
    return kept
