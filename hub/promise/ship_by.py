"""When a node hands over: cut-offs and working days in the node's own time."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.domain.network import OpeningHours


def ship_by(placed_at: datetime, calendar: OpeningHours, timezone: str) -> datetime:
    """The cut-off of the first working day that can still take it."""
    zone = ZoneInfo(timezone)
    local = placed_at.astimezone(zone)
    day = local.date() + timedelta(days=0 if local.time() <= calendar.cut_off else 1)
    for _ in range(400):
        if day.weekday() in calendar.weekdays and day.isoformat() not in calendar.holidays:
            break
        day += timedelta(days=1)
    return datetime.combine(day, calendar.cut_off, zone).astimezone(placed_at.tzinfo)
