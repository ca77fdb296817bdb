"""A carrier's rates by weight. Steps are not linear, so a parcel is priced as a whole."""

from bisect import bisect_left
from collections.abc import Sequence

from hub.routing.model import Policy
from hub.routing.terms.term import Least, Term, Trip, least_by_weight


def _applies(policy: Policy) -> bool:
    return bool(policy.rate_steps)


def _per_load(trip: Trip, _: int, units: Sequence[int]) -> int:
    if not trip.travels:
        return 0
    unknown = trip.policy.unknown_weight_g
    lines = zip(trip.group.lines, units, strict=True)
    grams = sum(count * (unknown if line.weight_g is None else line.weight_g) for line, count in lines)
    steps = trip.policy.rate_steps
    full, rest = divmod(grams, steps[-1][0])
    cost = full * steps[-1][1]
    if rest or not full:
        cost += steps[bisect_left(steps, rest, key=lambda step: step[0])][1]
    return cost


def _least_of(trip: Trip, grams: int) -> Least:
    return least_by_weight(trip, [trip.policy.rate_steps if trip.travels else ()] * len(trip.nodes), grams)


TERM = Term(name="rate_steps", applies=_applies, per_load=_per_load, least_of=_least_of)
