"""Every clock change of two years, in every time zone that the shipped rules and the demo's network use."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.demo.places import SITES
from hub.domain.network import OpeningHours
from hub.promise.deliver_by import CarrierCalendar, deliver_by
from hub.promise.offer import DAY_ENDS_LAST, load_offer
from hub.promise.ship_by import ship_by
from hub.registry import rule_text

OFFER = load_offer(rule_text("promise", "default"))
ZONES = sorted({*OFFER.timezones.values(), *(site.timezone for site in SITES), DAY_ENDS_LAST, "UTC"})
EVERY_DAY = tuple(range(7))
NOONS = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(730)]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def changes(zone: ZoneInfo) -> list[date]:
    """Local days on which the clock changes."""
    days = {moment.astimezone(zone).date() for moment in NOONS}
    starts = {day: datetime.combine(day, time(0), tzinfo=zone).utcoffset() for day in days}
    return sorted(day for day in days if day + DAY in starts and starts[day] != starts[day + DAY])


def test_the_zones_have_clock_changes_to_be_tested():
    changing = [zone for zone in ZONES if changes(ZoneInfo(zone))]
    assert len(changing) >= 15
    assert all(len(changes(ZoneInfo(zone))) == 4 for zone in changing)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("cut_off", [time(0, 30), time(2, 30), time(3, 0), time(16, 0), time(23, 59)], ids=str)
def test_a_cut_off_is_its_clock_time_on_every_day_around_a_change(name, cut_off):
    zone = ZoneInfo(name)
    hours = OpeningHours(weekdays=EVERY_DAY, cut_off=cut_off)
    for day in [change + DAY * n for change in changes(zone) for n in (-1, 0, 1)] or [date(2026, 6, 1)]:
        local = datetime.combine(day, cut_off, tzinfo=zone)
        leaves = local.astimezone(UTC)
        assert ship_by(leaves, hours, name) == leaves
        assert ship_by(leaves - timedelta(minutes=1), hours, name) == leaves
        after = ship_by(leaves + timedelta(seconds=1), hours, name)
        tomorrow = datetime.combine(day + DAY, cut_off, tzinfo=zone).astimezone(UTC)
        assert after == tomorrow
        assert DAY - HOUR * 2 <= after - leaves <= DAY + HOUR * 2
        skipped = leaves.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None)
        assert not skipped or leaves.astimezone(zone).time() > cut_off


@pytest.mark.parametrize("name", ZONES)
def test_a_parcel_arrives_by_the_clock_of_its_place(name):
    zone = ZoneInfo(name)
    carrier = CarrierCalendar(weekdays=EVERY_DAY, delivered_by=time(20, 0))
    for change in changes(zone) or [date(2026, 6, 1)]:
        leaves = datetime.combine(change - DAY, time(16, 0), tzinfo=zone).astimezone(UTC)
        for days in range(4):
            arrives = deliver_by(leaves, days, carrier, name).astimezone(zone)
            assert (arrives.date(), arrives.time()) == (change - DAY + DAY * days, time(20, 0))
