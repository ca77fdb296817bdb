"""What `translate.py` of an adapter may use: code tables, moments, and the errors that park a message with a reason."""

from datetime import UTC, datetime
from typing import Final

from hub.mapping.errors import Malformed, Unmapped
from hub.mapping.tables import Tables

__all__ = ["Malformed", "Tables", "Unmapped", "moment", "utc"]

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199


def moment(raw: object, path: str) -> datetime:
    """A partner's written time, in UTC; one that names no offset is UTC already. Raises `Malformed` for any other."""
    try:
        return utc(datetime.fromisoformat(raw if isinstance(raw, str) else ""))
    except (ValueError, OverflowError, Malformed):
        raise Malformed("time", path, str(raw)) from None


def utc(moment: datetime) -> datetime:
    """A partner's moment in UTC; one that names no offset is UTC already.

    Raises `Malformed` outside the years 1970 to 2199: systems write the year 1 or 9999 where they know no date, and
    neither can be counted from or moved to another zone.
    """
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Malformed("date and time", "body", moment.isoformat())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
