"""Grams, unit by unit. Rounded per unit, so that two parcels never weigh less than one."""

from hub.routing.model import GroupLine, Policy
from hub.routing.terms.term import Term, Trip


def _applies(policy: Policy) -> bool:
    return policy.per_kg > 0


def _per_unit(trip: Trip, line: GroupLine) -> int:
    if not trip.travels:
        return 0
    grams = trip.policy.unknown_weight_g if line.weight_g is None else line.weight_g
    return (trip.policy.per_kg * grams + 500) // 1000


TERM = Term(name="weight", applies=_applies, per_unit=_per_unit)
