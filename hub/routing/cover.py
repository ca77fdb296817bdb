"""The cheapest way to cut rows into parcels, exactly, for any cost of a parcel: dynamic programming over subsets.

Every plan is one integer: cost, then number of parcels, then the candidate of the first row, of the second, and so on.
The smallest is the answer, so ties need no further rule, and the plan is read back from the integer itself.

What a single row may not know is left out here: stock that rows share, a limit of splits, a candidate that is used for
two parcels because its cost favours that. So the result is a lower bound, and the plan when it keeps those rules.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hub.routing.survey import Survey

PARCEL_BITS = 12
INFINITE_BITS = 96
"""Costs of a plan stay below 2 ** 96."""


class Cover(NamedTuple):
    """Candidates per row; `cost` counts every parcel as the search saw it."""

    choices: list[int]
    cost: int
    other_choices: list[int] | None
    """The best that uses another set of candidates."""
    other_cost: int


class Layout(NamedTuple):
    """Where things are in a plan's integer."""

    rows: int
    rank_shift: int
    """Below it is the subset of rows that the integer is about, where that is told."""
    rank_bits: int
    parcel_shift: int
    cost_shift: int
    infinite: int

    def read(self, key: int) -> list[int]:
        """The candidate of each row."""
        low = (1 << self.rank_bits) - 1
        top = self.rank_shift + self.rank_bits * (self.rows - 1)
        return [key >> shift & low for shift in range(top, self.rank_shift - 1, -self.rank_bits)]


def layout_of(rows: int, candidates: int, rank_shift: int = 0) -> Layout:
    """The layout for so many rows and candidates."""
    rank_bits = max(1, (candidates - 1).bit_length())
    parcel_shift = rank_shift + rank_bits * rows
    cost_shift = parcel_shift + PARCEL_BITS
    return Layout(rows, rank_shift, rank_bits, parcel_shift, cost_shift, 1 << cost_shift + INFINITE_BITS)


Parcels = Callable[[Sequence[int]], list[int]]
"""Candidates -> per subset of rows, the integer of its cheapest single parcel."""


def cover(seen: Survey, rows: Sequence[int], most_rows: int) -> Cover | None:
    """Cover `rows`, each of which some candidate can send whole; None where that is a search over too many rows."""
    wanted = 0
    for row in rows:
        wanted |= 1 << row
    if seen.uniform:
        cost = sum(seen.row_cost(0, seen.rows[row]) for row in rows)
        plan = _alone(seen.masks, seen.fixed, 2 * min(seen.fixed), wanted, len(rows))
        plan = plan or _uniform(seen, rows, most_rows)
        if plan is None:
            return None
        return Cover(plan.choices, plan.cost + cost, plan.other_choices, plan.other_cost + cost)
    if seen.loads and len(rows) > most_rows:
        return None
    prices = row_prices(seen, rows)
    if not seen.loads:
        whole = list(map(sum, zip(seen.fixed, *prices, strict=True)))
        least = 2 * min(seen.fixed) + sum(map(min, prices))
        plan = _alone(seen.masks, whole, least, wanted, len(rows))
        if plan is not None:
            return plan
    return _priced(seen, rows, prices) if len(rows) <= most_rows else None


def row_prices(seen: Survey, rows: Sequence[int]) -> list[list[int]]:
    """Per row and candidate: what the row costs from there, on top of a parcel."""
    lines, level = seen.group.lines, [0] * len(seen.masks)
    prices = []
    for row in rows:
        price = level
        for position in seen.rows[row].lines:
            units = lines[position].quantity
            own = units * seen.unit[position]
            at = seen.unit_at[position] if seen.unit_at else level
            here = [own + units * more for more in at]
            price = here if price is level else list(map(int.__add__, price, here))
        prices.append(price)
    return prices


def _alone(masks: list[int], whole: list[int], least: int, wanted: int, count: int) -> Cover | None:
    """Answer and runner-up where each is one parcel that costs no more than `least`, as two or more must."""
    able = [candidate for candidate, mask in enumerate(masks) if mask & wanted == wanted]
    if not able:
        return None
    best = min(able, key=whole.__getitem__)
    able.remove(best)
    if able:
        second = min(able, key=whole.__getitem__)
        if whole[second] <= least or count == 1:
            return Cover([best] * count, whole[best], [second] * count, whole[second])
    elif count == 1:
        return Cover([best], whole[best], None, 0)
    return None


def _uniform(seen: Survey, rows: Sequence[int], most_rows: int) -> Cover | None:
    """Only the parcels differ. Rows that the same candidates hold go together, so they count as one."""
    columns: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        column = 0
        for candidate, mask in enumerate(seen.masks):
            column |= (mask >> row & 1) << candidate
        columns.setdefault(column, []).append(place)
    if len(columns) > most_rows:
        return None
    masks = [0] * len(seen.masks)
    for bit, column in enumerate(columns):
        for candidate in range(len(masks)):
            masks[candidate] |= (column >> candidate & 1) << bit
    found = cheapest(masks, seen.fixed, len(columns))
    return Cover(
        _spread_out(found.choices, columns, len(rows)),
        found.cost,
        None if found.other_choices is None else _spread_out(found.other_choices, columns, len(rows)),
        found.other_cost,
    )


def _spread_out(choices: list[int], columns: dict[int, list[int]], count: int) -> list[int]:
    every = [0] * count
    for choice, places in zip(choices, columns.values(), strict=True):
        for place in places:
            every[place] = choice
    return every


def cheapest(masks: Sequence[int], fixed: Sequence[int], count: int) -> Cover:
    """The kernel where only `fixed` differs: `count` rows, `masks[k]` the rows that candidate k holds."""
    layout = layout_of(count, len(masks))
    shift, parcel = layout.cost_shift, 1 << layout.parcel_shift
    ranks = [0]
    for row in range(count):
        one = 1 << layout.rank_bits * (count - 1 - row)
        ranks += [rank + one for rank in ranks]
    by_cost = sorted(range(len(masks)), key=fixed.__getitem__)
    keys = [(fixed[candidate] << shift) + parcel for candidate in by_cost]

    def parcels(allowed: Sequence[int]) -> list[int]:
        some = set(allowed)
        worst = len(by_cost)
        first = [worst] * (1 << count)
        for place, candidate in enumerate(by_cost):
            if candidate in some and first[masks[candidate]] == worst:
                first[masks[candidate]] = place
        step = 1
        while step < len(first):  # a candidate that holds more rows can send fewer
            for start in range(0, len(first), 2 * step):
                middle, end = start + step, start + 2 * step
                first[start:middle] = map(min, first[start:middle], first[middle:end])
            step *= 2
        return [
            layout.infinite if place == worst else keys[place] + by_cost[place] * rank
            for place, rank in zip(first, ranks, strict=True)
        ]

    two_parcels = (2 * fixed[by_cost[0]] << shift) + 2 * parcel
    return _solve(parcels, [two_parcels] * (1 << count), layout, masks)


def _priced(seen: Survey, rows: Sequence[int], prices: list[list[int]]) -> Cover:
    """Every candidate has its own price for every subset of rows, which is told in the lowest bits of a plan's integer.

    Parcels of a plan have no row in common, so these bits add up to the subset that the plan covers.
    """
    count = len(rows)
    layout = layout_of(count, len(seen.masks), rank_shift=count)
    shift, parcel, everything = layout.cost_shift, 1 << layout.parcel_shift, (1 << count) - 1
    wanted = [
        (1 << row, 1 << bit, layout.rank_shift + layout.rank_bits * (count - 1 - bit), prices[bit])
        for bit, row in enumerate(rows)
    ]
    loads = _loads(seen, rows) if seen.loads else None
    sendable = []
    for candidate, mask in enumerate(seen.masks):
        keys = [(seen.fixed[candidate] << shift) + parcel]
        for row_bit, bit, rank, price in wanted:
            if mask & row_bit:
                more = (price[candidate] << shift) + (candidate << rank) + bit
                keys += [*map(more.__add__, keys)]
        if loads is not None:
            keys = [key + (_load_cost(seen, candidate, loads[key & everything]) << shift) for key in keys]
        sendable.append(keys)

    def parcels(allowed: Sequence[int]) -> list[int]:
        cheapest_of = [layout.infinite] * (1 << count)
        for candidate in allowed:
            for key in sendable[candidate]:
                if key < cheapest_of[key & everything]:
                    cheapest_of[key & everything] = key
        return cheapest_of

    floors = [(2 * min(seen.fixed) << shift) + 2 * parcel]
    for cost in map(min, prices):
        more = cost << shift
        floors += [*map(more.__add__, floors)]
    return _solve(parcels, floors, layout, [keys[-1] & everything for keys in sendable])


def _loads(seen: Survey, rows: Sequence[int]) -> list[list[int]]:
    """Units per line of the group, for every subset of rows."""
    lines = seen.group.lines
    loads = [[0] * len(lines)]
    for row in rows:
        positions = set(seen.rows[row].lines)
        loads += [[line.quantity if n in positions else load[n] for n, line in enumerate(lines)] for load in loads]
    return loads


def _load_cost(seen: Survey, candidate: int, units: Sequence[int]) -> int:
    return sum(term.per_load(seen.trip, candidate, units) for term in seen.loads if term.per_load is not None)


def _solve(parcels: Parcels, floors: list[int], layout: Layout, masks: Sequence[int]) -> Cover:
    covers = _partition(parcels(range(len(masks))), floors)
    best = covers[-1]
    choices = layout.read(best)
    other = _runner_up(parcels, floors, covers, set(choices), masks, layout.infinite)
    cost = best >> layout.cost_shift
    if other is None:
        return Cover(choices, cost, None, 0)
    return Cover(choices, cost, layout.read(other), other >> layout.cost_shift)


def _partition(parcels: list[int], floors: list[int]) -> list[int]:
    """Per subset of rows, the best plan. `floors` are below every plan of two parcels or more."""
    covers = parcels[:]
    covers[0] = 0
    for subset in range(1, len(parcels)):
        best = parcels[subset]
        if best <= floors[subset]:
            continue
        first = subset & -subset  # the parcel with the first row is tried whole, so each partition is met once
        rest = subset ^ first
        left = rest
        while left:
            key = parcels[subset ^ left] + covers[left]
            if key < best:
                best = key
            left = (left - 1) & rest
        covers[subset] = best
    return covers


def _runner_up(
    parcels: Parcels, floors: list[int], covers: list[int], chosen: set[int], masks: Sequence[int], infinite: int
) -> int | None:
    """The best plan on another set of candidates: it has a parcel from outside the set, or lacks one of the set."""
    best = infinite
    outside = [candidate for candidate in range(len(masks)) if candidate not in chosen]
    everything = len(covers) - 1
    if outside:
        reverse = reversed(covers[:-1])  # what remains when a subset has gone
        best = min(map(int.__add__, parcels(outside)[1:], reverse))
    if len(chosen) > 1:
        for left_out in sorted(chosen):
            rest = [candidate for candidate in sorted(chosen) if candidate != left_out]
            held = 0
            for candidate in rest:
                held |= masks[candidate]
            if held == everything:
                best = min(best, _partition(parcels(rest), floors)[everything])
    return best if best < infinite else None
