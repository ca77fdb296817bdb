"""What matters first, second, and so on, instead of money: the readable sort of policy.

    prefer = ["parcels", "distance", "load"]

Of two plans the better is the one with the smaller sum of the first word over its parcels; of equal ones, of the
second; and so on. Where the words leave plans equal the usual tie-break decides. Filling still goes before everything.
A plan's cost is then no money but these sums in one number.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hub.routing.model import Policy
from hub.routing.terms.lateness import late
from hub.routing.terms.term import Term, Trip


def _places(values: Sequence[int]) -> list[int]:
    """Each value's place among the different ones, from 0: their distance from one another says nothing."""
    order = {value: place for place, value in enumerate(sorted(set(values)))}
    return [order[value] for value in values]


WORDS: Final[Mapping[str, Callable[[Trip], Sequence[int]]]] = {
    "parcels": lambda trip: [1] * len(trip.nodes),
    "priority": lambda trip: _places([node.priority for node in trip.nodes]),
    "distance": lambda trip: trip.km,
    "load": lambda trip: [node.load for node in trip.nodes],
    "handling": lambda trip: [node.handling_cost for node in trip.nodes],
    "on_time": lambda trip: [int(is_late) for is_late in late(trip)],
}
"""Fewer parcels; nodes of lower priority number; kilometres; percent of the day that is taken; handling cost; fewer
parcels that come later than was asked."""


def _per_parcel(trip: Trip) -> Sequence[int]:
    keys = [0] * len(trip.nodes)
    for word in trip.policy.prefer:
        values = WORDS[word](trip)
        width = sum(values).bit_length()  # a plan uses each node once, so no sum of it is wider
        keys = [(key << width) + value for key, value in zip(keys, values, strict=True)]
    return keys


def _applies(policy: Policy) -> bool:
    return bool(policy.prefer)


TERM = Term(name="preference", applies=_applies, per_parcel=_per_parcel, first=True)
