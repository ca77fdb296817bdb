"""When goods leave a node: working days, cut-offs and holidays in the node's own time."""

from datetime import datetime

from hub.domain.network import OpeningHours
from hub.promise.calendar import local_day, moment, next_working_day, working_day, zone_of


def ship_by(placed_at: datetime, calendar: OpeningHours, timezone: str) -> datetime:
    """The cut-off, in UTC, at which goods ordered at `placed_at` leave a node.

    The first working day whose cut-off is not over, and `processing_days` working days more. An order at the very
    moment of the cut-off is in time. Raises `hub.promise.calendar.CalendarError`.
    """
    zone = zone_of(timezone)
    day = working_day(local_day(placed_at, zone), calendar.weekdays, calendar.holidays)
    if moment(day, calendar.cut_off, zone) < placed_at:
        day = next_working_day(day, calendar.weekdays, calendar.holidays)
    for _ in range(calendar.processing_days):
        day = next_working_day(day, calendar.weekdays, calendar.holidays)
    return moment(day, calendar.cut_off, zone)
