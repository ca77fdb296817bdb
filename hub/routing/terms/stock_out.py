"""The risk of leaving a shelf empty: every unit costs more where few would be left of its item."""

from collections.abc import Sequence

import msgspec

from hub.routing.model import GroupLine
from hub.routing.terms.term import Cost, Positive, Term, Trip, read


class StockOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.stock_out]`."""

    cost: Cost
    """Per unit from a node where nothing would be left; less in proportion, none where `keep_units` or more would."""
    keep_units: Positive = 5


def _per_unit_at(trip: Trip, line: GroupLine) -> Sequence[int]:
    asked = read(trip.policy, "stock_out", StockOut)
    place = trip.group.lines.index(line)
    missing = (max(0, asked.keep_units - max(0, node.available[place] - line.quantity)) for node in trip.nodes)
    return [asked.cost * units // asked.keep_units for units in missing]


TERM = Term(name="stock_out", settings=StockOut, per_unit_at=_per_unit_at)
