"""One reason per node, told from the survey and the plan."""

from collections.abc import Sequence

from hub.routing.fences import line_fence
from hub.routing.model import Reason
from hub.routing.pieces import Placement
from hub.routing.prepare import Prepared
from hub.routing.survey import Survey


def reasons(seen: Survey, prepared: Prepared, placements: Sequence[Placement]) -> tuple[tuple[int, Reason], ...]:
    """Why each node is or is not in the plan, in the nodes' order of priority and code."""
    chosen = {seen.sites[candidate].id for _, candidate, _ in placements}
    placed = [0] * len(seen.group.lines)
    for position, _, units in placements:
        placed[position] += units
    served = 0
    for bit, row in enumerate(seen.rows):
        if all(placed[position] for position in row.lines):
            served |= 1 << bit
    found = dict(seen.fenced)
    for candidate, site in enumerate(seen.sites):
        if site.id in chosen:
            found[site.id] = Reason.CHOSEN
        else:
            found[site.id] = _left_out(seen, candidate, served)
    return tuple((site.id, found[site.id]) for site in prepared.sites)


def _left_out(seen: Survey, candidate: int, served: int) -> Reason:
    mask = seen.masks[candidate]
    if mask & ~served and served:
        return Reason.SPLIT_LIMIT
    if served and mask & served == served:
        return Reason.COSTLIER
    if mask:
        return Reason.PARTIAL_STOCK
    return _empty_handed(seen, candidate)


def _empty_handed(seen: Survey, candidate: int) -> Reason:
    """Why a candidate can send no row whole: its lines are fenced off, or it holds a part, or nothing."""
    site, available = seen.sites[candidate], seen.trip.nodes[candidate].available
    bars = [line_fence(line, site) for line in seen.group.lines]
    if bars and None not in bars:
        return Reason.NOT_CAPABLE if Reason.NOT_CAPABLE in bars else Reason.REFUSED_BEFORE
    held = any(units > 0 and bar is None for units, bar in zip(available, bars, strict=True))
    return Reason.PARTIAL_STOCK if held else Reason.NO_STOCK
