"""The exact search where stock is shared, lines are spread or splits are limited: node by node over what is placed.

Each candidate sends one parcel or none, of any content that it holds, at any cost. A state is how much of each piece
has been placed; every state keeps its cheapest plan. Work grows with the states, so it is counted before it is begun.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Final, NamedTuple

from hub.routing.allowed import suffices
from hub.routing.cover import Layout, layout_of
from hub.routing.pieces import Piece, Placement, capacity, parts_have_minimum, units_of, within_pools
from hub.routing.survey import Survey

STEP: Final = 4
"""What a step here costs of a search's budget: it takes as much time as so many steps of the search over nodes."""


class Counted(NamedTuple):
    """The plan that leaves the fewest units, then costs least."""

    placements: list[Placement]
    units_left: int
    rank: int
    """Orders plans that leave the same number of units: cost first."""


class Parcel(NamedTuple):
    """What one candidate could send: how far it moves the state, and the parcel's integer."""

    move: int
    parts: tuple[int, ...]
    key: int


def work(seen: Survey, pieces: Sequence[Piece], allowed: Sequence[int], limit: int | None) -> int:
    """What `count` would take of the budget."""
    steps = 0
    for candidate in allowed:
        caps = [capacity(seen, piece, candidate) for piece in pieces]
        pairs = ((cap + 1) * (piece.parts + 1) - cap * (cap + 1) // 2 for piece, cap in zip(pieces, caps, strict=True))
        steps += prod(pairs)
    layers = 1 if limit is None else max(1, min(limit, len(allowed)))
    return STEP * steps * layers


def count(
    seen: Survey,
    pieces: Sequence[Piece],
    allowed: Sequence[int],
    limit: int | None,
    one_of: frozenset[int] | None = None,
) -> Counted | None:
    """The best plan over `allowed` candidates (ascending) with at most `limit` parcels.

    With `one_of`, the best that has a parcel from at least one of these; None when there is no such plan.
    """
    layout = layout_of(len(pieces), len(seen.sites) * max((piece.parts for piece in pieces), default=1))
    grid = _Grid([piece.parts + 1 for piece in pieces])
    if limit is not None and limit >= len(allowed):
        limit = None
    limited = limit is not None
    table = _Table([[layout.infinite] * grid.size for _ in range(1 if limit is None else limit + 1)])
    with_one = _Table([layer[:] for layer in table.layers])
    table.layers[0][0] = 0
    for candidate in allowed:
        parcels = list(_parcels(seen, pieces, candidate, layout, grid))
        if one_of is not None:
            with_one.send(table if candidate in one_of else with_one, limited, parcels, grid)
        table.send(table, limited, parcels, grid)
    wanted = table if one_of is None else with_one
    best = _best(seen, pieces, layout, grid, wanted.layers)
    if best is None:
        return None
    units_left, rank, layer, state = best
    placements: list[Placement] = []
    for place in range(len(allowed) - 1, -1, -1):
        move = wanted.moves[place].get((layer, state))
        if move is not None:
            sent = units_of(seen, pieces, grid.digits(move))
            placements += [(position, allowed[place], amount) for position, amount in enumerate(sent) if amount]
            state -= move
            layer -= 1 if limited else 0
            if one_of is not None and allowed[place] in one_of:
                wanted = table
    return Counted(placements, units_left, rank)


class _Grid:
    """States as numbers: one digit per piece, of base parts + 1."""

    def __init__(self, radices: Sequence[int]) -> None:
        self.radices = radices
        self.strides = [prod(radices[:place]) for place in range(len(radices))]
        self.size = prod(radices)
        self._room: dict[int, list[int]] = {}

    def number(self, digits: Sequence[int]) -> int:
        return sum(digit * stride for digit, stride in zip(digits, self.strides, strict=True))

    def digits(self, state: int) -> list[int]:
        return [state // stride % radix for stride, radix in zip(self.strides, self.radices, strict=True)]

    def after(self, parcel: Parcel) -> list[int]:
        """States that hold at least what the parcel brings."""
        if parcel.move not in self._room:
            found = [0]
            for low, radix, stride in zip(parcel.parts, self.radices, self.strides, strict=True):
                found = [state + digit * stride for digit in range(low, radix) for state in found]
            self._room[parcel.move] = found
        return self._room[parcel.move]


def _parcels(seen: Survey, pieces: Sequence[Piece], candidate: int, layout: Layout, grid: _Grid) -> Iterator[Parcel]:
    caps = [capacity(seen, piece, candidate) for piece in pieces]
    for parts in product(*(range(cap + 1) for cap in caps)):
        if not any(parts):
            continue
        units = units_of(seen, pieces, parts)
        if not within_pools(seen, candidate, units) or not suffices(seen, units):
            continue
        rank = 0
        for digit in parts:
            rank = (rank << layout.rank_bits) + digit * candidate
        cost = seen.parcel_cost(candidate, units)
        yield Parcel(grid.number(parts), parts, (cost << layout.cost_shift) + (1 << layout.parcel_shift) + rank)


class _Table:
    """The best plan of every state, per number of parcels where these are limited, and how it was come by."""

    def __init__(self, layers: list[list[int]]) -> None:
        self.layers = layers
        self.moves: list[dict[tuple[int, int], int]] = []
        """Per candidate, in order: (layer, state) -> what its parcel moved."""

    def send(self, source: "_Table", limited: bool, parcels: list[Parcel], grid: _Grid) -> None:
        """Improve by one more parcel on top of the plans of `source`, which have none of this candidate yet."""
        moves: dict[tuple[int, int], int] = {}
        self.moves.append(moves)
        for layer in range(len(self.layers) - 1, 0 if limited else -1, -1):
            before = source.layers[layer - 1] if limited else source.layers[layer][:]
            now = self.layers[layer]
            for parcel in parcels:
                move, key = parcel.move, parcel.key
                for state in grid.after(parcel):
                    better = before[state - move] + key
                    if better < now[state]:
                        now[state] = better
                        moves[layer, state] = move


def _best(
    seen: Survey, pieces: Sequence[Piece], layout: Layout, grid: _Grid, layers: list[list[int]]
) -> tuple[int, int, int, int] | None:
    """(units left, rank, layer, state) of the best plan."""
    best = None
    for layer, costs in enumerate(layers):
        for state, cost in enumerate(costs):
            if cost < layout.infinite and (not state or _may_wait(seen, pieces, grid.digits(state))):
                left = [piece.parts - digit for piece, digit in zip(pieces, grid.digits(state), strict=True)]
                units = sum(parts * piece.step for piece, parts in zip(pieces, left, strict=True))
                lines = sum(len(piece.lines) for piece, parts in zip(pieces, left, strict=True) if parts)
                plan = (units, cost + (lines * seen.policy.unfilled_cost << layout.cost_shift), layer, state)
                best = plan if best is None else min(best, plan)
    return best


def _may_wait(seen: Survey, pieces: Sequence[Piece], placed: Sequence[int]) -> bool:
    """Whether what is left over when so many parts are placed is nothing, or worth enough."""
    if not parts_have_minimum(seen):
        return True
    units = units_of(seen, pieces, placed)
    left = [line.quantity - count for line, count in zip(seen.group.lines, units, strict=True)]
    return not any(left) or suffices(seen, left)
