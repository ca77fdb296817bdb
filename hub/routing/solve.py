"""Which search answers what. The fast one goes first; its plan stands when it keeps the rules that it did not know."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hub.routing.branch import branch
from hub.routing.counting import count, work
from hub.routing.cover import Cover, cover
from hub.routing.model import RunnerUp, Solver
from hub.routing.pieces import Piece, Placement, capacity, merged_pieces, spread_pieces, within_pools
from hub.routing.survey import Survey

SUBSET_ROWS: Final = 10
"""Rows up to which the search over subsets goes first: its work triples with every row."""
SUBSET_ROWS_AT_LAST: Final = 13
"""Rows up to which it is called after a search over nodes that ended without proof."""


class Solution(NamedTuple):
    """A plan over candidates. `bound` is below the cost of every plan that leaves as few units."""

    placements: list[Placement]
    units_left: int
    units_bound: int
    """No plan leaves fewer units than this."""
    cost: int
    bound: int
    other: list[Placement] | None
    other_is: RunnerUp
    solver: Solver

    @property
    def proven(self) -> bool:
        """Whether no plan leaves fewer units, and none that leaves as few costs less."""
        return self.units_left == self.units_bound and self.cost == self.bound


def solve(seen: Survey) -> Solution:
    """The plan that leaves the fewest units, then costs least. A line is spread only when that places more units."""
    whole = _whole(seen)
    spread = _spreadable(seen, whole)
    if not spread:
        return whole
    found = _slow(seen, spread_pieces(seen, range(len(seen.rows)), spread))
    if found.units_left < whole.units_left:
        return found
    return whole._replace(units_bound=min(whole.units_bound, found.units_bound))


def nothing(seen: Survey, proven: bool) -> Solution:
    """The plan that leaves everything where it is."""
    units, cost = _left_over(seen, [])
    return Solution([], units, units if proven else 0, cost, cost, None, RunnerUp.NONE_EXISTS, Solver.NOTHING)


def cost_of(seen: Survey, placements: Sequence[Placement]) -> int:
    """Every parcel, and every line of which something is left."""
    parcels = _parcels(seen, placements)
    return sum(seen.parcel_cost(k, units) for k, units in parcels.items()) + _left_over(seen, placements)[1]


def _whole(seen: Survey) -> Solution:
    """Rows go whole or not at all."""
    held = 0
    for mask in seen.masks:
        held |= mask
    rows = [row for row in range(len(seen.rows)) if held >> row & 1]
    if not rows:
        return nothing(seen, proven=True)
    found, many = cover(seen, rows, SUBSET_ROWS), None
    if found is None:
        many = _many(seen, rows)
        found = None if many.proven else cover(seen, rows, SUBSET_ROWS_AT_LAST)
        if found is None:
            return many
    placements = _placements(seen, rows, found.choices)
    if not _keeps_rules(seen, placements, found.cost):
        return many or _slow(seen, merged_pieces(seen, rows))
    other, other_is = _runner_up(seen, rows, found, placements)
    units, cost = _left_over(seen, placements)
    cost += found.cost
    return Solution(placements, units, units, cost, cost, other, other_is, Solver.SUBSETS)


def _many(seen: Survey, rows: Sequence[int]) -> Solution:
    """Above the rows of the subset search: over nodes where these settle everything, else by counting what fits."""
    pieces = merged_pieces(seen, rows)
    if seen.loads or seen.shared or seen.policy.max_splits is not None:
        return _slow(seen, pieces)
    return _over_nodes(seen, pieces)


def _slow(seen: Survey, pieces: Sequence[Piece]) -> Solution:
    """Count where the work is within the budget, else search over nodes."""
    everyone = range(len(seen.sites))
    limit = _limit(seen)
    pieces = [piece for piece in pieces if any(capacity(seen, piece, candidate) for candidate in everyone)]
    if work(seen, pieces, everyone, limit) > seen.policy.search_budget:
        return _over_nodes(seen, pieces)
    found = count(seen, pieces, everyone, limit)
    placements = [] if found is None else found.placements
    other, other_is = _other_set(seen, pieces, placements)
    units, cost = _left_over(seen, placements)[0], cost_of(seen, placements)
    return Solution(placements, units, units, cost, cost, other, other_is, Solver.COUNTING)


def _over_nodes(seen: Survey, pieces: Sequence[Piece]) -> Solution:
    found = branch(seen, pieces, _undominated(seen, pieces), _limit(seen), seen.policy.search_budget)
    placements = found.plan.placements
    cost, searched = cost_of(seen, placements), sum(piece.units for piece in pieces)
    units_bound = sum(row.units for row in seen.rows) - searched + found.bound.units_left
    units_left = _left_over(seen, placements)[0]
    unsearched = cost - found.plan.worth.cost
    return Solution(
        placements,
        units_left,
        units_bound,
        cost,
        found.bound.cost + unsearched if units_bound == units_left else 0,
        found.other.placements if found.other else None,
        RunnerUp.BEST_FOUND if found.other else RunnerUp.NOT_FOUND,
        Solver.BRANCHING,
    )


def _undominated(seen: Survey, pieces: Sequence[Piece]) -> list[int]:
    """Candidates without those that hold no more than another, at no lower cost."""
    everyone = list(range(len(seen.sites)))
    if not seen.uniform or seen.shared or any(piece.spread for piece in pieces):
        return everyone
    kept: list[int] = []
    for candidate in sorted(everyone, key=seen.fixed.__getitem__):
        mask = seen.masks[candidate]
        if mask and not any(seen.masks[better] & mask == mask for better in kept):
            kept.append(candidate)
    return sorted(kept)


def _spreadable(seen: Survey, whole: Solution) -> frozenset[int]:
    """Rows of a single unmarked line whose item is left over though some node still holds a part of it."""
    if whole.units_left == 0 or not seen.policy.split_line or seen.group.keep_together:
        return frozenset()
    lines = seen.group.lines
    placed = {position for position, _, _ in whole.placements}
    short = {line.item for position, line in enumerate(lines) if position not in placed}
    rows = [
        place
        for place, row in enumerate(seen.rows)
        if lines[row.lines[0]].item in short and lines[row.lines[0]].together is None
    ]
    candidates = range(len(seen.sites))
    some = any(seen.held(candidate, seen.rows[row].lines[0]) for row in rows for candidate in candidates)
    return frozenset(rows) if some else frozenset()


def _left_over(seen: Survey, placements: Sequence[Placement]) -> tuple[int, int]:
    """Units that are not placed, and what their lines cost."""
    left = [line.quantity for line in seen.group.lines]
    for position, _, units in placements:
        left[position] -= units
    return sum(left), sum(units > 0 for units in left) * seen.policy.unfilled_cost


def _placements(seen: Survey, rows: Sequence[int], choices: Sequence[int]) -> list[Placement]:
    lines = seen.group.lines
    return [
        (position, candidate, lines[position].quantity)
        for row, candidate in zip(rows, choices, strict=True)
        for position in seen.rows[row].lines
    ]


def _parcels(seen: Survey, placements: Sequence[Placement]) -> dict[int, list[int]]:
    """Units per line of the group, by candidate."""
    parcels: dict[int, list[int]] = {}
    for position, candidate, units in placements:
        parcels.setdefault(candidate, [0] * len(seen.group.lines))[position] += units
    return parcels


def _limit(seen: Survey) -> int | None:
    splits = seen.policy.max_splits
    return None if splits is None else splits + 1


def _keeps_rules(seen: Survey, placements: Sequence[Placement], cost: int) -> bool:
    """Whether a plan of the subset search keeps what that search leaves out."""
    limit = _limit(seen)
    if limit is not None and len({candidate for _, candidate, _ in placements}) > limit:
        return False
    if not seen.shared and not seen.loads:
        return True
    parcels = _parcels(seen, placements)
    if not all(within_pools(seen, candidate, units) for candidate, units in parcels.items()):
        return False
    return not seen.loads or cost == sum(seen.parcel_cost(candidate, units) for candidate, units in parcels.items())


def _runner_up(
    seen: Survey, rows: Sequence[int], found: Cover, placements: list[Placement]
) -> tuple[list[Placement] | None, RunnerUp]:
    if found.other_choices is None:
        return None, RunnerUp.NONE_EXISTS
    other = _placements(seen, rows, found.other_choices)
    if _keeps_rules(seen, other, found.other_cost):
        return other, RunnerUp.EXACT
    return _other_set(seen, merged_pieces(seen, rows), placements)


def _other_set(
    seen: Survey, pieces: Sequence[Piece], placements: Sequence[Placement]
) -> tuple[list[Placement] | None, RunnerUp]:
    """The best plan that places as much on another set: with a candidate from outside, or without one of its own."""
    limit, everyone = _limit(seen), range(len(seen.sites))
    if work(seen, pieces, everyone, limit) > seen.policy.search_budget:
        return None, RunnerUp.NOT_FOUND
    chosen = sorted({candidate for _, candidate, _ in placements})
    found = [count(seen, pieces, everyone, limit, frozenset(everyone).difference(chosen))]
    for left_out in chosen:
        found.append(count(seen, pieces, [candidate for candidate in chosen if candidate != left_out], limit))
    units_left = sum(piece.units for piece in pieces) - sum(units for _, _, units in placements)
    others = [other for other in found if other is not None and other.units_left == units_left]
    best = min(others, key=lambda other: other.rank, default=None)
    return (None, RunnerUp.NONE_EXISTS) if best is None else (best.placements, RunnerUp.EXACT)
