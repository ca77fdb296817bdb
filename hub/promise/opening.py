"""Time that counts only while a node is open, in the node's own time."""

from datetime import datetime, time, timedelta

from hub.domain.network import OpeningHours
from hub.promise.calendar import local_day, moment, next_working_day, working_day, zone_of


def after_open(start: datetime, minutes: int, opens: time, closes: time, calendar: OpeningHours, zone: str) -> datetime:
    """The moment, in UTC, at which a node has been open for `minutes` since `start`.

    Raises `hub.promise.calendar.CalendarError` for a calendar without working days or an unknown zone. `opens` comes
    before `closes`; hours over midnight are not known here.
    """
    local = zone_of(zone)
    day = working_day(local_day(start, local), calendar.weekdays, calendar.holidays)
    left = timedelta(minutes=minutes)
    while True:
        begins = max(start, moment(day, opens, local))
        room = max(timedelta(), moment(day, closes, local) - begins)
        if left <= room:
            return begins + left
        left -= room
        day = next_working_day(day, calendar.weekdays, calendar.holidays)


def closing_after(start: datetime, days: int, closes: time, calendar: OpeningHours, zone: str) -> datetime:
    """Closing time, in UTC, of the first working day that is `days` local days after `start` or later.

    Raises `hub.promise.calendar.CalendarError` likewise.
    """
    local = zone_of(zone)
    day = working_day(local_day(start, local) + timedelta(days=days), calendar.weekdays, calendar.holidays)
    return moment(day, closes, local)
