"""People and places. A contact is personal data and lives in one table; a place is what routing may read of it."""

from typing import Final

import msgspec


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Who and where, as the channel gave it. Personal data: never in a document, a decision or a log line."""

    name: str | None = None
    company: str | None = None
    email: str | None = None
    phone: str | None = None
    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2."""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def deliverable(self) -> bool:
        """Whether a carrier could start from this: a country, a street line, and a city or postal code."""
        return bool(self.country and any(self.lines) and (self.city or self.postal_code))

    @property
    def place(self) -> "Place":
        """The part that routing reads: no name, no street, coordinates rounded to about a kilometre."""
        return Place(
            country=self.country,
            region=self.region,
            postal_code=self.postal_code,
            latitude=None if self.latitude is None else round(self.latitude, 2),
            longitude=None if self.longitude is None else round(self.longitude, 2),
        )


_TOLD: Final = ":told"


def told_key(key: str) -> str:
    """Under which an order's contacts keep what the channel said of `key`, once it was changed here."""
    return f"{key}{_TOLD}"


def is_told_key(key: str) -> bool:
    """Whether this is no contact of the order but what the channel said of one."""
    return key.endswith(_TOLD)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where, without who. Unknown coordinates are None, never zero."""

    country: str | None = None
    region: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
