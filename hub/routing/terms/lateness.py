"""A parcel that cannot arrive by the time the group asks for. Cut-offs and working days are the node's, in its zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.domain.network import OpeningHours
from hub.routing.model import NodeState, Policy
from hub.routing.terms.term import Cost, Term, Trip, read

HORIZON_DAYS = 400
"""A calendar with no working day within this time never ships."""


class Lateness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terms.lateness]`, on top of the policy's `late_cost` per late parcel."""

    per_day: Cost
    """Per parcel and day, a day that has begun counting whole."""


def _applies(policy: Policy) -> bool:
    return policy.late_cost > 0 or "lateness" in policy.terms


def _per_parcel(trip: Trip) -> Sequence[int]:
    per_day = read(trip.policy, "lateness", Lateness).per_day if "lateness" in trip.policy.terms else 0
    fixed = trip.policy.late_cost
    return [fixed + per_day * days if days else 0 for days in _days_late(trip)]


def late(trip: Trip) -> list[bool]:
    """Whether a parcel from each node would come too late."""
    return [days > 0 for days in _days_late(trip)]


def _days_late(trip: Trip) -> list[int]:
    """Days by which a parcel from each node comes too late, begun ones whole; 0 in time or where nobody asked."""
    wanted = trip.group.deliver_by
    if wanted is None:
        return [0] * len(trip.nodes)
    start = max(trip.at, trip.group.no_earlier_than or trip.at)
    unknown = trip.policy.unknown_transit_days
    return [_days(node, start, wanted, unknown) for node in trip.nodes]


def _days(node: NodeState, start: datetime, wanted: datetime, unknown_transit_days: int) -> int:
    if node.arrives_by is not None:
        return max(0, -((wanted - node.arrives_by) // timedelta(days=1)))
    try:
        leaves = leaves_at(start, node.calendar, ZoneInfo(node.timezone))
    except (ZoneInfoNotFoundError, ValueError):
        return HORIZON_DAYS  # a zone that nobody knows is never early
    if leaves is None:
        return HORIZON_DAYS
    transit = unknown_transit_days if node.transit_days is None else node.transit_days
    return max(0, -((wanted - leaves - timedelta(days=transit)) // timedelta(days=1)))


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


TERM = Term(name="lateness", applies=_applies, settings=Lateness, per_parcel=_per_parcel)
