"""Who is served first and who gives way last: priority, then promise, then who came first. Pure."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from hub.domain.demand import Demand
from hub.flow.aggregate import Order

ORDINARY: Final = 5
"""Rank of an order that says nothing of it. A tag `priority:0` is the most urgent, `priority:9` the least."""

UNPROMISED: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands where nothing was promised: later than any promise."""

_TAG: Final = "priority:"


class Urgency(NamedTuple):
    """Sorts: the smaller, the more urgent."""

    rank: int
    promise: datetime
    placed_at: datetime
    order: str


def urgency(order: Order, demand: Demand) -> Urgency:
    """How urgent a demand is."""
    return Urgency(_rank(order), _promise(order, demand), order.placed_at, order.id)


def most_urgent(order: Order) -> Urgency:
    """How urgent the most urgent demand of an order is."""
    return min((urgency(order, demand) for demand in order.demands.values()), default=_plain(order))


def _plain(order: Order) -> Urgency:
    return Urgency(_rank(order), UNPROMISED, order.placed_at, order.id)


def _rank(order: Order) -> int:
    tags = order.content.tags if order.content else ()
    said = [tag.removeprefix(_TAG) for tag in tags if tag.startswith(_TAG)]
    return min((int(word) for word in said if len(word) == 1 and word in "0123456789"), default=ORDINARY)


def _promise(order: Order, demand: Demand) -> datetime:
    groups = order.content.groups if order.content else ()
    asked = [g.deliver_by for g in groups if g.key == demand.group and g.deliver_by is not None]
    made = [s.promised_at for s in order.slices.values() if s.demand == demand.no and s.promised_at is not None]
    return min((*asked, *made), default=UNPROMISED)
