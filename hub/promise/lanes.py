"""How long parcels really travelled from a node to a country by a service, and what that makes of a promise. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

LONGEST_DAYS: Final = 60
"""Parcels that took longer were lost or forgotten by their carrier, and say nothing of the next one."""


class History(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether past parcels move what is promised."""

    moves: Literal["never", "later", "both"] = "never"
    """`later`: never earlier than the bands say; `both`: as they travelled, faster or slower."""
    percent: Annotated[int, msgspec.Meta(ge=50, le=100)] = 90
    """So many of a hundred parcels would have kept the promise."""
    parcels: Annotated[int, msgspec.Meta(ge=1)] = 50
    """As many must have arrived on a lane before it is believed."""
    days: Annotated[int, msgspec.Meta(ge=1, le=730)] = 90
    """How far back it looks."""


class Went(NamedTuple):
    """Parcels of a lane that left and arrived on the same days, in the destination's time."""

    node: int
    country: str
    service: str
    shipped_on: date
    delivered_on: date
    parcels: int


class Delivered(NamedTuple):
    """A parcel that arrived, by its lane."""

    merchant: str
    went: Went
    carrier: str
    carrier_service: str
    """The carrier's own word; "" is unknown."""


Lane = tuple[int, str, str]
"""(node, country, service)."""


class Lanes(NamedTuple):
    """The carrier's working days that lanes take, where enough parcels tell."""

    moves: Literal["never", "later", "both"] = "never"
    days: Mapping[Lane, int] = {}

    def transit_days(self, node: int, country: str | None, service: str, planned: int) -> int:
        """Working days to promise: `planned` by the bands, moved as far as the history may."""
        learned = self.days.get((node, country or "", service))
        if learned is None or self.moves == "never":
            return planned
        return learned if self.moves == "both" else max(learned, planned)


Calendars = Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]]
"""(weekdays, holidays) of the carrier, by service."""


def learn(history: History, calendars: Calendars, went: Iterable[Went]) -> Lanes:
    """Lanes from what arrived. A service without a calendar is not offered, and so not learned."""
    counts: dict[Lane, dict[int, int]] = {}
    for one in went:
        known = calendars.get(one.service)
        if known is None or not 0 <= (one.delivered_on - one.shipped_on).days <= LONGEST_DAYS:
            continue
        days = working_days(one.shipped_on, one.delivered_on, *known)
        lane = counts.setdefault((one.node, one.country, one.service), {})
        lane[days] = lane.get(days, 0) + one.parcels
    enough = {lane: found for lane, found in counts.items() if sum(found.values()) >= history.parcels}
    return Lanes(history.moves, {lane: _cut(found, history.percent) for lane, found in enough.items()})


def working_days(shipped: date, delivered: date, weekdays: tuple[int, ...], holidays: tuple[str, ...]) -> int:
    """Working days after the one on which the carrier collected, until it delivered.

    It collects on the day it leaves or its next working day. What arrives on a day off counts as if on the next one.
    """
    day, days, collected = shipped, 0, False
    while True:
        if day.weekday() in weekdays and day.isoformat() not in holidays:
            days, collected = (days + 1, True) if collected else (0, True)
            if day >= delivered:
                return days
        day += timedelta(days=1)
        if (day - delivered).days > LONGEST_DAYS:
            return days


def _cut(found: Mapping[int, int], percent: int) -> int:
    """The fewest days within which so many of a hundred parcels arrived."""
    total, arrived = sum(found.values()), 0
    for days in sorted(found):
        arrived += found[days]
        if arrived * 100 >= total * percent:
            return days
    raise AssertionError("all parcels arrived")
