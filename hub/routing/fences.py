"""What keeps a node out, whatever it would cost. Unknown is outside: no country is not the same country."""

from typing import Final, NamedTuple

from hub.domain.order import Method
from hub.routing.geography import Point, kilometres, place_of
from hub.routing.model import Group, GroupLine, NodeState, Policy, Reason
from hub.routing.network import Site
from hub.routing.terms.term import travels

CAPABILITY: Final = {Method.SHIP: "ship", Method.PICK_UP: "pick_up", Method.DELIVER: "deliver"}
"""What a node must be able to do for a method; the others ask for nothing."""

COLLECTED: Final = frozenset({Method.PICK_UP, Method.CARRIED_OUT})


class Asked(NamedTuple):
    """What the group asks of every node."""

    travels: bool
    collected: bool
    pickup_node: int | None
    capability: str | None
    country: str | None
    stay: bool
    here: Point | None
    unknown_km: int
    limit_km: int | None
    any_capacity: bool
    """Whether a full day is no fence."""


def asked(group: Group, policy: Policy) -> Asked:
    """Read the group's demands on nodes."""
    place = group.place
    brought = travels(group.method)
    return Asked(
        travels=brought,
        collected=group.method in COLLECTED,
        pickup_node=group.pickup_node,
        capability=CAPABILITY.get(group.method),
        country=place.country if place else None,
        stay=policy.stay_in_country and brought,
        here=place_of(place, coarse=policy.coarse_distance) if brought else None,
        unknown_km=policy.unknown_distance_km,
        limit_km=policy.max_distance_km if brought else None,
        any_capacity=policy.ignore_capacity,
    )


def distance(want: Asked, site: Site) -> int:
    """Kilometres to the place; as far as the policy says where either is unknown, 0 where nothing travels."""
    if not want.travels:
        return 0
    if want.here is None or site.point is None:
        return want.unknown_km
    return kilometres(want.here, site.point)


def fence(want: Asked, site: Site, node: NodeState, km: int) -> Reason | None:
    """Why a node is out for the whole group, or None."""
    if site.shut is not None:
        return site.shut
    if want.collected and site.id != want.pickup_node:
        return Reason.NOT_THE_PICKUP_NODE
    if node.fenced_by is not None:
        return Reason.OUTSIDE_FENCE
    if want.stay and (site.country is None or site.country != want.country):
        return Reason.OUTSIDE_FENCE
    if want.limit_km is not None and km > want.limit_km:
        return Reason.OUTSIDE_FENCE
    if want.capability is not None and want.capability not in site.capabilities:
        return Reason.NOT_CAPABLE
    if node.capacity_left is not None and node.capacity_left < 1 and not want.any_capacity:
        return Reason.NO_CAPACITY
    return None


def line_fence(line: GroupLine, site: Site) -> Reason | None:
    """Why a node is out for one line, or None."""
    if line.classes and not site.capabilities.issuperset(line.classes if line.needs is None else line.needs):
        return Reason.NOT_CAPABLE
    if site.id in line.refused_by:
        return Reason.REFUSED_BEFORE
    if site.id in line.barred:
        return Reason.OUTSIDE_FENCE
    return None
