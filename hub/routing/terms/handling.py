"""What the node itself asks for a fulfilment order."""

from collections.abc import Sequence

from hub.routing.model import Policy
from hub.routing.terms.term import Term, Trip


def _applies(_: Policy) -> bool:
    return True


def _per_parcel(trip: Trip) -> Sequence[int]:
    return [node.handling_cost for node in trip.nodes]


TERM = Term(name="handling", applies=_applies, per_parcel=_per_parcel)
