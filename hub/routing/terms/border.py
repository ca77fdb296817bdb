"""What crossing a customs border costs: paperwork per parcel, duty on the value. An unknown country is across it."""

from collections.abc import Sequence

import msgspec

from hub.routing.facts import same_market
from hub.routing.model import GroupLine
from hub.routing.terms.term import Cost, Term, Trip, read


class Border(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.border]`. Countries that share one of the policy's `markets` have no border between them."""

    per_parcel: Cost
    duty_percent: Cost = 0
    """Of the goods' value."""
    unknown_duty: Cost = 0
    """Per unit, where the value is in another currency than the policy's and cannot be compared."""


def _crossed(trip: Trip) -> list[bool]:
    country = trip.group.place.country if trip.group.place else None
    return [trip.travels and not same_market(node.country, country, trip.policy) for node in trip.nodes]


def _per_parcel(trip: Trip) -> Sequence[int]:
    asked = read(trip.policy, "border", Border)
    return [asked.per_parcel if crossed else 0 for crossed in _crossed(trip)]


def _per_unit_at(trip: Trip, line: GroupLine) -> Sequence[int]:
    asked = read(trip.policy, "border", Border)
    duty = line.value * 1000 * asked.duty_percent // (100 * line.quantity)
    if trip.group.currency != trip.policy.currency:
        duty = asked.unknown_duty
    return [max(0, duty) if crossed else 0 for crossed in _crossed(trip)]


TERM = Term(name="border", settings=Border, per_parcel=_per_parcel, per_unit_at=_per_unit_at)
