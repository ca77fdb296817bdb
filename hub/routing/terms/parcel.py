"""A parcel costs something before it has gone anywhere: this is what makes splits dear."""

from collections.abc import Sequence

from hub.routing.model import Policy
from hub.routing.terms.term import Term, Trip


def _applies(policy: Policy) -> bool:
    return policy.parcel_cost > 0


def _per_parcel(trip: Trip) -> Sequence[int]:
    return [trip.policy.parcel_cost if trip.travels else 0] * len(trip.nodes)


TERM = Term(name="parcel", applies=_applies, per_parcel=_per_parcel)
