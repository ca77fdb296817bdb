"""Spares nodes whose day is nearly full for orders that need them. A node without a limit costs nothing."""

from collections.abc import Sequence

import msgspec

from hub.routing.terms.term import Cost, Percent, Term, Trip, read


class Load(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.load]`."""

    cost: Cost
    """Per parcel from a node whose day is full; less in proportion, none at `free_percent`."""
    free_percent: Percent = 50


def _per_parcel(trip: Trip) -> Sequence[int]:
    asked = read(trip.policy, "load", Load)
    room = max(1, 100 - asked.free_percent)
    return [asked.cost * max(0, min(node.load, 100) - asked.free_percent) // room for node in trip.nodes]


TERM = Term(name="load", settings=Load, per_parcel=_per_parcel)
