"""What a cost term is: up to four functions, each returning integers in thousandths of a minor unit, never negative."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from hub.domain.order import Method
from hub.routing.model import Group, GroupLine, NodeState, Policy


class Trip(NamedTuple):
    """What a term may read: the group and the nodes that it could leave from. `km` runs parallel to `nodes`."""

    group: Group
    policy: Policy
    at: datetime
    nodes: Sequence[NodeState]
    km: Sequence[int]
    travels: bool
    """Whether a carrier or driver brings it; false where the customer collects."""


def travels(method: Method) -> bool:
    """Whether goods of a group are brought to the customer."""
    return method is Method.SHIP or method is Method.DELIVER


PerParcel = Callable[[Trip], Sequence[int]]
"""Once per parcel; the answer runs parallel to `trip.nodes`."""

PerUnit = Callable[[Trip, GroupLine], int]
"""Per unit of a line, the same from every node."""

PerUnitAt = Callable[[Trip, GroupLine], Sequence[int]]
"""Per unit of a line; the answer runs parallel to `trip.nodes`."""

PerLoad = Callable[[Trip, int, Sequence[int]], int]
"""(trip, index of the node, units per line of the group) -> cost of sending all that in one parcel. Any function."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One part of what a plan costs. `per_load` is free in form; the others let a search prove more with less work."""

    name: str
    applies: Callable[[Policy], bool]
    per_parcel: PerParcel | None = None
    per_unit: PerUnit | None = None
    per_unit_at: PerUnitAt | None = None
    per_load: PerLoad | None = None
