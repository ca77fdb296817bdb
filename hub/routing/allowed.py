"""What a plan must keep besides fences and each line's own stock. Quick searches know none of it and are checked."""

from collections.abc import Sequence

from hub.routing.pieces import Placement, parts_have_minimum, within_pools
from hub.routing.survey import Survey


def most_parcels(seen: Survey) -> int | None:
    """How many parcels the policy allows; None is any number."""
    splits = seen.policy.max_splits
    return None if splits is None else splits + 1


def suffices(seen: Survey, units: Sequence[int]) -> bool:
    """Whether units per line are the whole group, or enough for a part of it. A share of a line is rounded down."""
    if not parts_have_minimum(seen):
        return True
    value = margin = rest = 0
    for line, count in zip(seen.group.lines, units, strict=True):
        value += line.value * count // line.quantity
        margin += (line.margin or 0) * count // line.quantity
        rest += line.quantity - count
    return not rest or (value >= seen.policy.min_part_value and margin >= seen.policy.min_part_margin)


def parcels_of(seen: Survey, placements: Sequence[Placement]) -> dict[int, list[int]]:
    """Units per line of the group, by candidate."""
    parcels: dict[int, list[int]] = {}
    for position, candidate, units in placements:
        parcels.setdefault(candidate, [0] * len(seen.group.lines))[position] += units
    return parcels


def left_of(seen: Survey, placements: Sequence[Placement]) -> list[int]:
    """Units per line of the group that are not placed."""
    left = [line.quantity for line in seen.group.lines]
    for position, _, units in placements:
        left[position] -= units
    return left


def keeps_rules(seen: Survey, placements: Sequence[Placement], cost: int | None = None) -> bool:
    """Whether a plan keeps the split limit, shared stock and the least worth of a part.

    With `cost`, also whether that is what its parcels cost: not so where a term made two parcels from one node cheaper.
    """
    limit = most_parcels(seen)
    if limit is not None and len({candidate for _, candidate, _ in placements}) > limit:
        return False
    minimum = parts_have_minimum(seen)
    if not seen.shared and not seen.loads and not minimum:
        return True
    parcels = parcels_of(seen, placements)
    if minimum and not _parts_suffice(seen, parcels, left_of(seen, placements)):
        return False
    if not all(within_pools(seen, candidate, units) for candidate, units in parcels.items()):
        return False
    if cost is None or not seen.loads:
        return True
    return cost == sum(seen.parcel_cost(candidate, units) for candidate, units in parcels.items())


def _parts_suffice(seen: Survey, parcels: dict[int, list[int]], left: Sequence[int]) -> bool:
    parts = [*parcels.values()] + ([left] if any(left) else [])
    return len(parts) < 2 or all(suffices(seen, part) for part in parts)
