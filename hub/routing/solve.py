"""Which search answers what. The quick ones go first; a plan stands when it keeps the rules that they do not know."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hub.routing.allowed import keeps_rules, left_of, most_parcels, parcels_of
from hub.routing.branch import branch
from hub.routing.counting import count, work
from hub.routing.cover import Cover, cover
from hub.routing.loads import approach
from hub.routing.locate import Located, locate
from hub.routing.model import RunnerUp, Solver
from hub.routing.opening import wants
from hub.routing.pieces import Piece, Placement, capacity, merged_pieces, parts_have_minimum, spread_pieces
from hub.routing.survey import Survey

SUBSET_ROWS: Final = 8
"""Rows up to which the search over subsets goes first: its work triples with every row."""
SUBSET_ROWS_OF_LOADS: Final = 11
"""The same where terms price whole parcels, which the search over nodes does not know."""
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
    prices: tuple[tuple[int, int], ...] = ()
    """(row, price of a part) that prove a bound, where the search found any."""

    @property
    def proven(self) -> bool:
        """Whether no plan leaves fewer units, and none that leaves as few costs less."""
        return self.units_left == self.units_bound and self.cost == self.bound


def solve(seen: Survey) -> Solution:
    """The plan that leaves the fewest units, then costs least. A line is spread only when that places more units."""
    rows = _fillable(seen)
    partly = _partly_held(seen, rows)
    if not rows and not partly:
        return nothing(seen, proven=True)
    return _quick(seen, rows, partly) or _careful(seen, rows, partly)


def nothing(seen: Survey, proven: bool) -> Solution:
    """The plan that leaves everything where it is."""
    units, cost = _left_over(seen, [])
    return Solution([], units, units if proven else 0, cost, cost, None, RunnerUp.NONE_EXISTS, Solver.NOTHING)


def cost_of(seen: Survey, placements: Sequence[Placement]) -> int:
    """Every parcel, and every line of which something is left."""
    parcels = parcels_of(seen, placements)
    return sum(seen.parcel_cost(k, units) for k, units in parcels.items()) + _left_over(seen, placements)[1]


def _fillable(seen: Survey) -> list[int]:
    """Rows that some candidate holds whole."""
    held = 0
    for mask in seen.masks:
        held |= mask
    return [row for row in range(len(seen.rows)) if held >> row & 1]


def _partly_held(seen: Survey, fillable: Sequence[int]) -> list[int]:
    """Rows of one unmarked line that no candidate holds whole and some hold in part, where the policy spreads them."""
    if len(fillable) == len(seen.rows) or not seen.policy.split_line or seen.group.keep_together:
        return []
    candidates = range(len(seen.sites))
    return [
        place
        for place, row in enumerate(seen.rows)
        if place not in fillable
        and seen.group.lines[row.lines[0]].together is None
        and any(seen.held(candidate, row.lines[0]) for candidate in candidates)
    ]


def _quick(seen: Survey, rows: Sequence[int], partly: Sequence[int]) -> Solution | None:
    """The answer of a search that knows neither split limit nor shared stock nor the least worth of a part.

    None where its plan does not keep these, or where it would have to spread a line that it cannot.
    """
    if not partly:
        found = cover(seen, rows, SUBSET_ROWS_OF_LOADS if seen.loads else SUBSET_ROWS)
        if found is not None:
            return _covered(seen, rows, found)
    if seen.loads or seen.shared:
        return None
    return _kept(seen, _located(seen, rows, partly, None))


def _kept(seen: Survey, found: Solution | None) -> Solution | None:
    return found if found is not None and keeps_rules(seen, found.placements) else None


def _careful(seen: Survey, rows: Sequence[int], partly: Sequence[int]) -> Solution:
    """The answer where the quick search broke a rule that it does not know, or knew no answer."""
    limit = most_parcels(seen)
    if seen.loads and not seen.shared and len(rows) + len(partly) > SUBSET_ROWS_OF_LOADS:
        met = _kept(seen, _approached(seen, rows, partly, limit))
        if met is not None:
            return met if met.proven or partly else _closed(seen, rows) or met
    if limit is not None and not seen.loads and not seen.shared and len(rows) + len(partly) > SUBSET_ROWS:
        found = _kept(seen, _located(seen, rows, partly, limit))
        if found is not None and found.proven:
            return found
    whole = _slow(seen, merged_pieces(seen, rows)) if rows else nothing(seen, proven=True)
    spread = _spreadable(seen, whole.placements)
    if not spread:
        return whole if whole.proven else _closed(seen, rows) or whole
    found = _slow(seen, spread_pieces(seen, range(len(seen.rows)), spread))
    if found.units_left < whole.units_left:
        return found
    return whole._replace(units_bound=min(whole.units_bound, found.units_bound))


def _closed(seen: Survey, rows: Sequence[int]) -> Solution | None:
    """The search over subsets once more, for more rows than it is quick for."""
    found = cover(seen, rows, SUBSET_ROWS_AT_LAST)
    return None if found is None else _covered(seen, rows, found)


def _covered(seen: Survey, rows: Sequence[int], found: Cover) -> Solution | None:
    placements = _placements(seen, rows, found.choices)
    if not keeps_rules(seen, placements, found.cost):
        return None
    other, other_is = _runner_up(seen, rows, found, placements)
    units, cost = _left_over(seen, placements) if len(rows) < len(seen.rows) else (0, 0)
    cost += found.cost
    return Solution(placements, units, units, cost, cost, other, other_is, Solver.SUBSETS)


def _located(seen: Survey, rows: Sequence[int], partly: Sequence[int], limit: int | None) -> Solution | None:
    """Everything from at most `limit` nodes; None where that many cannot send it all, or where none was found."""
    wanted = wants(seen, rows, partly)
    found = locate(seen, wanted, limit, seen.policy.search_budget)
    if found is None:
        return None
    if found.bound < found.cost and not partly and limit is None:
        closed = _closed(seen, rows)
        if closed is not None:
            return closed
    units, over = _left_over(seen, found.placements)
    other, other_is = found.other, _what_other(found)
    if other is not None and not keeps_rules(seen, other):
        spread = frozenset(partly) | (_spreadable(seen, []) if partly and parts_have_minimum(seen) else frozenset())
        other, other_is = _other_set(seen, spread_pieces(seen, (*rows, *partly), spread), found.placements)
    return Solution(
        found.placements,
        units,
        units,
        found.cost + over,
        found.bound + over,
        other,
        other_is,
        Solver.LOCATING,
        tuple((want.row, price) for want, price in zip(wanted, found.prices, strict=True)),
    )


def _approached(seen: Survey, rows: Sequence[int], partly: Sequence[int], limit: int | None) -> Solution | None:
    """Everything, at the price of whole parcels, with a bound; the runner-up is not looked for."""
    found = approach(seen, rows, partly, limit)
    if found is None:
        return None
    units, over = _left_over(seen, found.placements)
    cost, bound = found.cost + over, found.bound + over
    return Solution(found.placements, units, units, cost, bound, None, RunnerUp.NOT_FOUND, Solver.LOCATING)


def _what_other(found: Located) -> RunnerUp:
    if found.other_is_exact:
        return RunnerUp.EXACT if found.other else RunnerUp.NONE_EXISTS
    return RunnerUp.BEST_FOUND if found.other else RunnerUp.NOT_FOUND


def _slow(seen: Survey, pieces: Sequence[Piece]) -> Solution:
    """Count where the work is within the budget, else search over nodes."""
    everyone = range(len(seen.sites))
    limit = most_parcels(seen)
    pieces = [piece for piece in pieces if any(capacity(seen, piece, candidate) for candidate in everyone)]
    if work(seen, pieces, everyone, limit) > seen.policy.search_budget:
        return _over_nodes(seen, pieces)
    found = count(seen, pieces, everyone, limit)
    placements = [] if found is None else found.placements
    other, other_is = _other_set(seen, pieces, placements)
    units, cost = _left_over(seen, placements)[0], cost_of(seen, placements)
    return Solution(placements, units, units, cost, cost, other, other_is, Solver.COUNTING)


def _over_nodes(seen: Survey, pieces: Sequence[Piece]) -> Solution:
    found = branch(seen, pieces, _undominated(seen, pieces), most_parcels(seen), seen.policy.search_budget)
    placements = found.plan.placements
    searched = sum(piece.units for piece in pieces)
    units_bound = sum(row.units for row in seen.rows) - searched + found.bound.units_left
    unsearched = cost_of(seen, placements) - found.plan.worth.cost
    other = found.other.placements if found.other else None
    if not keeps_rules(seen, placements):
        placements, other = _repaired(seen, placements), None
    units_left, cost = _left_over(seen, placements)[0], cost_of(seen, placements)
    return Solution(
        placements,
        units_left,
        units_bound,
        cost,
        found.bound.cost + unsearched if units_bound == units_left else 0,
        other,
        RunnerUp.BEST_FOUND if other else RunnerUp.NOT_FOUND,
        Solver.BRANCHING,
    )


def _repaired(seen: Survey, placements: Sequence[Placement]) -> list[Placement]:
    """A plan of which some part is worth too little: without its smallest parts, or the whole from one node."""
    lines = seen.group.lines
    everything = (1 << len(seen.rows)) - 1
    able = [k for k, mask in enumerate(seen.masks) if mask == everything]
    found = [[(position, k, line.quantity) for position, line in enumerate(lines)] for k in able]
    kept = list(placements)
    while kept and not keeps_rules(seen, kept):
        parcels = parcels_of(seen, kept)
        smallest = min(parcels, key=lambda k: (sum(parcels[k]), -k))
        kept = [placed for placed in kept if placed[1] != smallest]
    plans = [plan for plan in (*found, kept) if keeps_rules(seen, plan)]
    return min(plans, key=lambda plan: (_left_over(seen, plan)[0], cost_of(seen, plan)))


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


def _spreadable(seen: Survey, placements: Sequence[Placement]) -> frozenset[int]:
    """Rows of a single unmarked line whose item a plan leaves over though some node still holds a part of it.

    Where parts have a least worth, any line may be what a part lacks, so then all such rows.
    """
    if not seen.policy.split_line or seen.group.keep_together:
        return frozenset()
    lines = seen.group.lines
    short = {line.item for line, units in zip(lines, left_of(seen, placements), strict=True) if units}
    if not short:
        return frozenset()
    rows = [
        place
        for place, row in enumerate(seen.rows)
        if (lines[row.lines[0]].item in short or parts_have_minimum(seen)) and lines[row.lines[0]].together is None
    ]
    candidates = range(len(seen.sites))
    some = any(seen.held(candidate, seen.rows[row].lines[0]) for row in rows for candidate in candidates)
    return frozenset(rows) if some else frozenset()


def _left_over(seen: Survey, placements: Sequence[Placement]) -> tuple[int, int]:
    """Units that are not placed, and what their lines cost."""
    left = left_of(seen, placements)
    return sum(left), sum(units > 0 for units in left) * seen.policy.unfilled_cost


def _placements(seen: Survey, rows: Sequence[int], choices: Sequence[int]) -> list[Placement]:
    lines = seen.group.lines
    return [
        (position, candidate, lines[position].quantity)
        for row, candidate in zip(rows, choices, strict=True)
        for position in seen.rows[row].lines
    ]


def _runner_up(
    seen: Survey, rows: Sequence[int], found: Cover, placements: list[Placement]
) -> tuple[list[Placement] | None, RunnerUp]:
    if found.other_choices is None:
        return None, RunnerUp.NONE_EXISTS
    other = _placements(seen, rows, found.other_choices)
    if keeps_rules(seen, other, found.other_cost):
        return other, RunnerUp.EXACT
    return _other_set(seen, merged_pieces(seen, rows), placements)


def _other_set(
    seen: Survey, pieces: Sequence[Piece], placements: Sequence[Placement]
) -> tuple[list[Placement] | None, RunnerUp]:
    """The best plan that places as much on another set: with a candidate from outside, or without one of its own."""
    limit, everyone = most_parcels(seen), range(len(seen.sites))
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
