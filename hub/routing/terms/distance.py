"""Kilometres from the node to the place. `trip.km` already holds what the policy says of a distance nobody knows."""

from collections.abc import Sequence

from hub.routing.model import Policy
from hub.routing.terms.term import Term, Trip


def _applies(policy: Policy) -> bool:
    return policy.per_km > 0


def _per_parcel(trip: Trip) -> Sequence[int]:
    if not trip.travels:
        return [0] * len(trip.nodes)
    rate = trip.policy.per_km
    return [rate * km for km in trip.km]


TERM = Term(name="distance", applies=_applies, per_parcel=_per_parcel)
