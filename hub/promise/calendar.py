"""Working days and local moments, shared by the promises.

A cut-off is a moment, not a clock reading: it is made from the local date and time first and compared as an instant, so
the hour that a clock change repeats or skips is neither counted twice nor lost. A cut-off inside a skipped hour is as
long after midnight as the clock says; inside a repeated hour it is the first of the two.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HORIZON_DAYS: Final = 400
"""A calendar with no working day within this time is a mistake in the calendar."""


class CalendarError(ValueError):
    """A calendar that never works, a zone that nobody knows, or a time without a zone. Says what to mend."""


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local date and time as an instant, in UTC."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def working_day(day: date, weekdays: Collection[int], holidays: Collection[str]) -> date:
    """The day itself or the next one that is worked. Raises `CalendarError`."""
    first = day
    for _ in range(HORIZON_DAYS):
        if day.weekday() in weekdays and day.isoformat() not in holidays:
            return day
        day += timedelta(days=1)
    raise CalendarError(f"no working day in the {HORIZON_DAYS} days from {first}: add weekdays or remove holidays")


def next_working_day(day: date, weekdays: Collection[int], holidays: Collection[str]) -> date:
    """The first worked day after `day`. Raises `CalendarError`."""
    return working_day(day + timedelta(days=1), weekdays, holidays)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises `CalendarError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CalendarError(f"{name!r} is not a time zone; use a name such as Europe/Berlin") from error


def local_day(value: datetime, zone: ZoneInfo) -> date:
    """The date of an aware moment in a zone. Raises `CalendarError` for one without a zone."""
    if value.tzinfo is None:
        raise CalendarError(f"{value.isoformat()} has no time zone; times are aware UTC")
    return value.astimezone(zone).date()
