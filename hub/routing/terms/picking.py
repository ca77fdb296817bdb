"""What picking asks for each line of a parcel and each unit. A line that comes from two nodes is picked twice."""

from collections.abc import Callable, Sequence

import msgspec

from hub.routing.terms.term import Cost, Least, Term, Trip, read


class Picking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.picking]`."""

    per_line: Cost
    per_unit: Cost = 0


def _loads_of(trip: Trip) -> Callable[[int, Sequence[int]], int]:
    asked = read(trip.policy, "picking", Picking)
    per_line, per_unit = asked.per_line, asked.per_unit
    return lambda _, units: per_line * sum(map(bool, units)) + per_unit * sum(units)


def _least_of(trip: Trip, _: int) -> Least:
    asked, count = read(trip.policy, "picking", Picking), len(trip.nodes)
    lines = trip.group.lines
    return Least(
        [0] * count,
        [[asked.per_line + asked.per_unit * line.quantity] * count for line in lines],
        [[asked.per_line // line.quantity + asked.per_unit] * count for line in lines],
    )


TERM = Term(name="picking", settings=Picking, loads_of=_loads_of, least_of=_least_of)
