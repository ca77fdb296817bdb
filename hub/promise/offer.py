"""What is offered before purchase, from TOML: services, their transit by distance, their carriers' calendars."""

import tomllib
from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import msgspec

from hub.promise.calendar import CalendarError, zone_of
from hub.promise.deliver_by import CarrierCalendar
from hub.promise.lanes import History, Lanes, Went, learn

DAY_ENDS_LAST: Final = "Etc/GMT+12"
"""Where on earth a day ends last: a promise for a place whose zone nobody knows holds even there."""

Days = Annotated[int, msgspec.Meta(ge=0, le=365)]


class OfferError(ValueError):
    """A text that offers nothing that could be promised. Names the service and what to mend."""


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a parcel travels where this fits: all that is given must hold."""

    days: Days
    """The carrier's working days after the one on which it collects."""
    domestic: bool | None = None
    """Whether node and place are in one country; None does not ask. An unknown country is not the same country."""
    max_km: Annotated[int, msgspec.Meta(ge=0)] | None = None
    countries: tuple[str, ...] = ()
    """Of the place; empty does not ask."""


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to be delivered to, as the customer chooses it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    also_called: tuple[str, ...] = ()
    """What channels call it, to the letter."""
    bands: tuple[Band, ...] = msgspec.field(name="band")
    carrier: CarrierCalendar = CarrierCalendar()

    def transit_days(self, *, origin: str | None, country: str | None, km: int | None) -> int | None:
        """Working days on the way, by the first band that fits; None where the service does not go.

        `km` is None when it is unknown.
        """
        domestic = origin is not None and origin == country
        for band in self.bands:
            if band.domestic is not None and band.domestic is not domestic:
                continue
            if band.max_km is not None and (km is None or km > band.max_km):
                continue
            if not band.countries or country in band.countries:
                return band.days
        return None


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be promised."""

    version: Annotated[str, msgspec.Meta(min_length=1)]
    services: tuple[Service, ...] = msgspec.field(name="service")
    timezones: dict[str, str] = {}
    """Time zone by country, for places that give none."""
    unnamed: str | None = None
    """The service that orders go by which name none; None: nobody knows which."""
    history: History = History()
    """Whether past parcels move the bands' days."""

    def service(self, name: str | None) -> Service | None:
        """The service that an order means; None where these rules do not know it."""
        wanted = self.unnamed if name is None else name
        return next((one for one in self.services if wanted in (one.name, *one.also_called)), None)

    def lanes(self, went: Iterable[Went]) -> Lanes:
        """What past parcels say of the days that these services take."""
        calendars = {one.name: (one.carrier.weekdays, one.carrier.holidays) for one in self.services}
        return learn(self.history, calendars, went)

    def timezone(self, country: str | None) -> str:
        """The zone in whose days a place is promised."""
        return self.timezones.get(country or "", DAY_ENDS_LAST)


def load_offer(text: str) -> Offer:
    """Read promise rules. Raises `OfferError`."""
    try:
        offer = msgspec.convert(tomllib.loads(text), Offer, strict=True)
    except tomllib.TOMLDecodeError as error:
        raise OfferError(f"promise rules: not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise OfferError(f"promise rules: {error}") from error
    for problem in _problems(offer):
        raise OfferError(f"promise rules {offer.version}: {problem}")
    return offer


def _problems(offer: Offer) -> Iterator[str]:
    names = [service.name for service in offer.services]
    if not names:
        yield "no service: nothing could be promised"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"service {name!r} stands twice"
    if offer.unnamed is not None and offer.unnamed not in names:
        yield f"unnamed: there is no service {offer.unnamed!r}"
    words = [word for service in offer.services for word in (service.name, *service.also_called)]
    for word in sorted({word for word in words if words.count(word) > 1} - set(names)):
        yield f"{word!r} would be two services"
    for service in offer.services:
        if not service.bands:
            yield f"service {service.name!r} has no band: it goes nowhere"
        days = service.carrier.weekdays
        if not days or not set(days) <= set(range(7)):
            yield f"service {service.name!r}: weekdays {list(days)} are none, or not from 0 (Monday) to 6"
    for country, zone in offer.timezones.items():
        try:
            zone_of(zone)
        except CalendarError as error:
            yield f"timezones.{country}: {error}"
