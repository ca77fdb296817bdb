"""What the slower searches place: rows that go whole, and lines cut into equal parts that may go from several nodes."""

from collections.abc import Iterable, Sequence
from math import gcd
from typing import NamedTuple

from hub.routing.survey import Survey

Placement = tuple[int, int, int]
"""(position of the line, candidate, units)."""


class Piece(NamedTuple):
    """`units` of one line in `parts` equal parts, or whole rows in one."""

    rows: int
    """Bits of the rows."""
    lines: tuple[int, ...]
    units: int
    parts: int
    spread: bool

    @property
    def step(self) -> int:
        """Units of one part."""
        return self.units // self.parts


def parts_have_minimum(seen: Survey) -> bool:
    """Whether the parts of a parted group must be worth something each."""
    return seen.policy.min_part_value > 0 or seen.policy.min_part_margin > 0


def merged_pieces(seen: Survey, rows: Iterable[int]) -> list[Piece]:
    """Rows, where those that the same candidates hold at no difference in cost go together."""
    sharing = {position for lines in seen.shared for position in lines}
    every_row_alone = not seen.uniform or parts_have_minimum(seen)
    groups: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        alone = every_row_alone or not sharing.isdisjoint(seen.rows[row].lines)
        column = sum((mask >> row & 1) << candidate for candidate, mask in enumerate(seen.masks))
        groups.setdefault((column, row if alone else -1), []).append(row)
    return [
        Piece(
            sum(1 << row for row in group),
            tuple(position for row in group for position in seen.rows[row].lines),
            sum(seen.rows[row].units for row in group),
            1,
            False,
        )
        for group in groups.values()
    ]


def spread_pieces(seen: Survey, rows: Iterable[int], spread: frozenset[int]) -> list[Piece]:
    """Merged rows, and those in `spread` (of one line each) in parts.

    With costs that are linear in units, and no least worth of a part, it is enough to move multiples of what divides
    the order and all that is held of the item: the best flow has its corners there. Otherwise every unit is a part.
    """
    pieces = merged_pieces(seen, [row for row in rows if row not in spread])
    for row in spread:
        lines, units = seen.rows[row]
        step = 1 if seen.loads or parts_have_minimum(seen) else _common_step(seen, lines[0])
        pieces.append(Piece(1 << row, lines, units, units // step, True))
    return sorted(pieces, key=lambda piece: piece.rows & -piece.rows)


def _common_step(seen: Survey, position: int) -> int:
    together = next((lines for lines in seen.shared if position in lines), (position,))
    wanted = [seen.group.lines[line].quantity for line in together]
    held = [min(sum(wanted), seen.pool(candidate, together)) for candidate in range(len(seen.sites))]
    return gcd(*wanted, *held)


def capacity(seen: Survey, piece: Piece, candidate: int) -> int:
    """Parts of a piece that a candidate could send if it sent nothing else."""
    if not piece.spread:
        return 1 if seen.masks[candidate] & piece.rows == piece.rows else 0
    return min(piece.parts, seen.held(candidate, piece.lines[0]) // piece.step)


def units_of(seen: Survey, pieces: Sequence[Piece], parts: Sequence[int]) -> list[int]:
    """Units per line of the group for so many parts of each piece."""
    units = [0] * len(seen.group.lines)
    for piece, count in zip(pieces, parts, strict=True):
        if count:
            for position in piece.lines:
                units[position] = count * piece.step if piece.spread else seen.group.lines[position].quantity
    return units


def within_pools(seen: Survey, candidate: int, units: Sequence[int]) -> bool:
    """Whether lines that share an item's stock do not take more than there is of it."""
    return all(sum(units[position] for position in lines) <= seen.pool(candidate, lines) for lines in seen.shared)
