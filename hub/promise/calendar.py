"""When goods leave a node and when they arrive: working days, cut-offs and holidays in local time, answers in UTC.

A cut-off is a moment, not a clock reading: it is made from the local date and time first and compared as an instant, so
the hour that a clock change repeats or skips is neither counted twice nor lost. A cut-off inside a skipped hour is as
long after midnight as the clock says; inside a repeated hour it is the first of the two.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.domain.network import OpeningHours

HORIZON_DAYS: Final = 400
"""A calendar with no working day within this time is a mistake in the calendar."""


class CalendarError(ValueError):
    """A calendar that never works, a zone that nobody knows, or a time without a zone. Says what to mend."""


class CarrierCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """The days on which a carrier collects and delivers, and the local time by which it has delivered."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    """0 is Monday."""
    holidays: tuple[str, ...] = ()
    """ISO dates."""
    delivered_by: time = time(20, 0)


def ship_by(placed_at: datetime, calendar: OpeningHours, timezone: str) -> datetime:
    """The cut-off, in UTC, at which goods ordered at `placed_at` leave a node.

    The first working day whose cut-off is not over, and `processing_days` working days more. An order at the very
    moment of the cut-off is in time. Raises `CalendarError`.
    """
    zone = _zone(timezone)
    day = _aware(placed_at).astimezone(zone).date()
    day = _working_day(day, calendar.weekdays, calendar.holidays)
    if moment(day, calendar.cut_off, zone) < placed_at:
        day = _working_day(day + timedelta(days=1), calendar.weekdays, calendar.holidays)
    for _ in range(calendar.processing_days):
        day = _working_day(day + timedelta(days=1), calendar.weekdays, calendar.holidays)
    return moment(day, calendar.cut_off, zone)


def deliver_by(ships_at: datetime, transit_days: int, carrier: CarrierCalendar, timezone: str) -> datetime:
    """The moment, in UTC, by which a parcel that leaves at `ships_at` has arrived, in the destination's `timezone`.

    It is collected on the day it leaves, or the carrier's next working day, and travels `transit_days` of the carrier's
    working days; never before it left. Raises `CalendarError`.
    """
    if transit_days < 0:
        raise CalendarError(f"{transit_days} days of transit: a parcel cannot arrive before it leaves")
    zone = _zone(timezone)
    day = _aware(ships_at).astimezone(zone).date()
    day = _working_day(day, carrier.weekdays, carrier.holidays)
    for _ in range(transit_days):
        day = _working_day(day + timedelta(days=1), carrier.weekdays, carrier.holidays)
    if moment(day, carrier.delivered_by, zone) < ships_at:
        day = _working_day(day + timedelta(days=1), carrier.weekdays, carrier.holidays)
    return moment(day, carrier.delivered_by, zone)


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local date and time as an instant, in UTC."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _working_day(day: date, weekdays: Collection[int], holidays: Collection[str]) -> date:
    """The day itself or the next one that is worked."""
    for _ in range(HORIZON_DAYS):
        if day.weekday() in weekdays and day.isoformat() not in holidays:
            return day
        day += timedelta(days=1)
    raise CalendarError(f"no working day in the {HORIZON_DAYS} days before {day}: add weekdays or remove holidays")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CalendarError(f"{name!r} is not a time zone; use a name such as Europe/Berlin") from error


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise CalendarError(f"{value.isoformat()} has no time zone; times are aware UTC")
    return value
