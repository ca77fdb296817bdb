"""One reason per node, told from the survey and the plan."""

from collections.abc import Sequence
from typing import Final

from hub.routing.fences import line_fence
from hub.routing.model import Reason
from hub.routing.pieces import Placement
from hub.routing.prepare import Prepared
from hub.routing.survey import Survey

# A member is looked up by a function of the enumeration: once here, not once a node.
_CHOSEN: Final = Reason.CHOSEN
_COSTLIER: Final = Reason.COSTLIER
_NO_STOCK: Final = Reason.NO_STOCK
_PARTIAL_STOCK: Final = Reason.PARTIAL_STOCK


def reasons(seen: Survey, prepared: Prepared, placements: Sequence[Placement]) -> tuple[tuple[int, Reason], ...]:
    """Why each node is or is not in the plan, in the nodes' order of priority and code."""
    lines = seen.group.lines
    chosen = {candidate for _, candidate, _ in placements}
    served = _served(seen, placements)
    fenced_lines = any(line.classes or line.refused_by or line.barred for line in lines)
    found = dict(seen.fenced)
    for candidate, (site, mask) in enumerate(zip(seen.sites, seen.masks, strict=True)):
        if candidate in chosen:
            found[site.id] = _CHOSEN
        elif served and mask & ~served:
            found[site.id] = Reason.SPLIT_LIMIT
        elif served and mask == served:
            found[site.id] = _COSTLIER
        elif mask:
            found[site.id] = _PARTIAL_STOCK
        elif fenced_lines or not lines:
            found[site.id] = _empty_handed(seen, candidate)
        else:
            found[site.id] = _PARTIAL_STOCK if max(seen.trip.nodes[candidate].available) > 0 else _NO_STOCK
    return tuple([(site.id, found[site.id]) for site in prepared.sites])


def _served(seen: Survey, placements: Sequence[Placement]) -> int:
    """The rows of which every line has been placed, in part at least."""
    placed = {position for position, _, _ in placements}
    served = 0
    for bit, row in enumerate(seen.rows):
        if placed.issuperset(row.lines):
            served |= 1 << bit
    return served


def _empty_handed(seen: Survey, candidate: int) -> Reason:
    """Why a candidate can send no row whole: its lines are fenced off, or it holds a part, or nothing."""
    site, available = seen.sites[candidate], seen.trip.nodes[candidate].available
    bars = [line_fence(line, site) for line in seen.group.lines]
    if bars and None not in bars:
        return Reason.NOT_CAPABLE if Reason.NOT_CAPABLE in bars else Reason.REFUSED_BEFORE
    held = any(units > 0 and bar is None for units, bar in zip(available, bars, strict=True))
    return _PARTIAL_STOCK if held else _NO_STOCK
