"""A penalty on parting an order, beyond what its parcels cost.

Every parcel is charged, the first included: that is the same for all plans, and so makes no difference between them.
"""

from collections.abc import Sequence

import msgspec

from hub.routing.terms.term import Cost, Term, Trip, read


class Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.split]`."""

    cost: Cost
    """Per parcel."""


def _per_parcel(trip: Trip) -> Sequence[int]:
    return [read(trip.policy, "split", Split).cost] * len(trip.nodes)


TERM = Term(name="split", settings=Split, per_parcel=_per_parcel)
