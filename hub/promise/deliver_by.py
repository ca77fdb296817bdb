"""When a parcel has arrived: transit in the carrier's working days, in the destination's time."""

from datetime import datetime, time

import msgspec

from hub.promise.calendar import CalendarError, local_day, moment, next_working_day, working_day, zone_of


class CarrierCalendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The days on which a carrier collects and delivers, and the local time by which it has delivered."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    """0 is Monday."""
    holidays: tuple[str, ...] = ()
    """ISO dates."""
    delivered_by: time = time(20, 0)


def deliver_by(ships_at: datetime, transit_days: int, carrier: CarrierCalendar, timezone: str) -> datetime:
    """The moment, in UTC, by which a parcel that leaves at `ships_at` has arrived, in the destination's `timezone`.

    It is collected on the day it leaves, or the carrier's next working day, and travels `transit_days` of the carrier's
    working days; it never arrives before it left. Raises `hub.promise.calendar.CalendarError`.
    """
    if transit_days < 0:
        raise CalendarError(f"{transit_days} days of transit: a parcel cannot arrive before it leaves")
    zone = zone_of(timezone)
    day = working_day(local_day(ships_at, zone), carrier.weekdays, carrier.holidays)
    for _ in range(transit_days):
        day = next_working_day(day, carrier.weekdays, carrier.holidays)
    if moment(day, carrier.delivered_by, zone) < ships_at:
        day = next_working_day(day, carrier.weekdays, carrier.holidays)
    return moment(day, carrier.delivered_by, zone)
