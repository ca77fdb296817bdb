"""A parcel that cannot arrive by the time the group asks for. Cut-offs and working days are the node's, in its zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.domain.network import OpeningHours
from hub.routing.model import NodeState, Policy
from hub.routing.terms.term import Term, Trip

HORIZON_DAYS = 400
"""A calendar with no working day within this time never ships."""


def _applies(policy: Policy) -> bool:
    return policy.late_cost > 0


def _per_parcel(trip: Trip) -> Sequence[int]:
    wanted = trip.group.deliver_by
    if wanted is None:
        return [0] * len(trip.nodes)
    start = max(trip.at, trip.group.no_earlier_than or trip.at)
    unknown = trip.policy.unknown_transit_days
    return [trip.policy.late_cost if _late(node, start, wanted, unknown) else 0 for node in trip.nodes]


def _late(node: NodeState, start: datetime, wanted: datetime, unknown_transit_days: int) -> bool:
    try:
        leaves = leaves_at(start, node.calendar, ZoneInfo(node.timezone))
    except (ZoneInfoNotFoundError, ValueError):
        return True  # a zone that nobody knows is never early
    transit = unknown_transit_days if node.transit_days is None else node.transit_days
    return leaves is None or leaves + timedelta(days=transit) > wanted


def leaves_at(start: datetime, hours: OpeningHours, zone: ZoneInfo) -> datetime | None:
    """The cut-off, in UTC, at which goods asked for at `start` leave; None when the calendar has no such day.

    The same rule as `hub.promise.ship_by`, which routing must not import; a test holds the two together.
    """
    day = start.astimezone(zone).date()
    to_work = hours.processing_days
    for _ in range(HORIZON_DAYS):
        if day.weekday() in hours.weekdays and day.isoformat() not in hours.holidays:
            cut_off = datetime.combine(day, hours.cut_off, tzinfo=zone).astimezone(UTC)
            if cut_off >= start:
                if to_work == 0:
                    return cut_off
                to_work -= 1
        day += timedelta(days=1)
    return None


LATENESS = Term(name="lateness", applies=_applies, per_parcel=_per_parcel)
