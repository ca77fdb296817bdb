"""Ship-by and deliver-by: cut-offs in the node's time, holidays, preparation, and every kind of clock change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.network import OpeningHours
from hub.promise.calendar import CalendarError
from hub.promise.deliver_by import CarrierCalendar, deliver_by
from hub.promise.ship_by import ship_by
from hub.routing.terms.lateness import leaves_at

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("placed", "leaves"),
    [
        ("2026-03-02T09:00", "2026-03-02T15:00"),  # Monday morning: today at 16:00 in Berlin
        ("2026-03-02T15:00", "2026-03-02T15:00"),  # at the very cut-off
        ("2026-03-02T15:00:00.000001", "2026-03-03T15:00"),  # and just after it
        ("2026-03-06T16:00", "2026-03-09T15:00"),  # Friday evening: Monday
        ("2026-03-07T05:00", "2026-03-09T15:00"),  # Saturday
        ("2026-03-08T23:30", "2026-03-09T15:00"),  # Sunday by UTC, Monday in Berlin
        ("2026-03-06T23:30", "2026-03-09T15:00"),  # Friday by UTC, Saturday in Berlin
    ],
)
def test_the_working_week_in_the_nodes_time(placed, leaves):
    assert ship_by(utc(placed), OpeningHours(), "Europe/Berlin") == utc(leaves)


def test_holidays_and_preparation_count_working_days():
    hours = OpeningHours(holidays=("2026-04-03", "2026-04-06"), processing_days=1)
    assert ship_by(utc("2026-04-01T10:00"), hours, "Europe/Berlin") == utc("2026-04-02T14:00")
    assert ship_by(utc("2026-04-02T10:00"), hours, "Europe/Berlin") == utc("2026-04-07T14:00")
    assert ship_by(utc("2026-04-03T10:00"), hours, "Europe/Berlin") == utc("2026-04-08T14:00")


@pytest.mark.parametrize(
    ("zone", "day", "cut_off", "leaves"),
    [
        ("America/New_York", "2026-03-07", "16:00", "2026-03-07T21:00"),
        ("America/New_York", "2026-03-08", "16:00", "2026-03-08T20:00"),  # spring forward
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30"),  # an hour that is not there
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),  # an hour that is there twice: the first
        ("America/New_York", "2026-11-01", "16:00", "2026-11-01T21:00"),
        ("Europe/Berlin", "2026-03-29", "16:00", "2026-03-29T14:00"),
        ("Europe/Berlin", "2026-10-25", "16:00", "2026-10-25T15:00"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("Australia/Lord_Howe", "2026-04-05", "16:00", "2026-04-05T05:30"),  # half an hour of difference
        ("Australia/Lord_Howe", "2026-04-04", "16:00", "2026-04-04T05:00"),
        ("America/Santiago", "2026-09-06", "00:30", "2026-09-06T04:30"),  # midnight itself is not there
        ("Asia/Kathmandu", "2026-03-02", "16:00", "2026-03-02T10:15"),
        ("Asia/Kolkata", "2026-03-02", "16:00", "2026-03-02T10:30"),
    ],
)
def test_cut_offs_around_clock_changes(zone, day, cut_off, leaves):
    hours = OpeningHours(weekdays=EVERY_DAY, cut_off=time.fromisoformat(cut_off))
    moment = utc(leaves)
    assert moment.astimezone(ZoneInfo(zone)).date().isoformat() == day
    assert ship_by(moment, hours, zone) == moment
    assert ship_by(moment - timedelta(minutes=5), hours, zone) == moment
    assert ship_by(moment + timedelta(seconds=1), hours, zone) > moment + timedelta(hours=20)


def test_the_second_time_round_the_clock_the_cut_off_is_over():
    """01:15 comes twice on that night; a cut-off of 01:30 is over at the second, whatever the clock shows."""
    hours = OpeningHours(weekdays=EVERY_DAY, cut_off=time(1, 30))
    zone = ZoneInfo("America/New_York")
    first, second = (datetime(2026, 11, 1, 1, 15, fold=fold, tzinfo=zone) for fold in (0, 1))
    assert ship_by(first, hours, "America/New_York") == utc("2026-11-01T05:30")
    assert ship_by(second, hours, "America/New_York") == utc("2026-11-02T06:30")


@pytest.mark.parametrize(
    ("hours", "zone", "placed", "words"),
    [
        (OpeningHours(weekdays=()), "UTC", utc("2026-01-01T00:00"), "no working day"),
        (OpeningHours(), "Mars/Olympus", utc("2026-01-01T00:00"), "not a time zone"),
        (OpeningHours(), "", utc("2026-01-01T00:00"), "not a time zone"),
        (OpeningHours(), "UTC", datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_answered_says_what_to_mend(hours, zone, placed, words):
    with pytest.raises(CalendarError, match=words):
        ship_by(placed, hours, zone)


@pytest.mark.parametrize(
    ("ships", "days", "arrives"),
    [
        ("2026-03-02T15:00", 1, "2026-03-03T19:00"),
        ("2026-03-05T15:00", 2, "2026-03-09T19:00"),  # Thursday and two days: over the weekend
        ("2026-03-07T15:00", 1, "2026-03-10T19:00"),  # Saturday: collected on Monday
        ("2026-03-02T15:00", 0, "2026-03-02T19:00"),
        ("2026-03-02T20:00", 0, "2026-03-03T19:00"),  # the carrier's day is over
        ("2026-03-27T15:00", 1, "2026-03-30T18:00"),  # and summer time has come
    ],
)
def test_transit_counts_the_carriers_days(ships, days, arrives):
    assert deliver_by(utc(ships), days, CarrierCalendar(), "Europe/Berlin") == utc(arrives)


def test_a_carriers_holidays_and_weekends_are_its_own():
    carrier = CarrierCalendar(weekdays=(0, 1, 2, 3, 4, 5), holidays=("2026-03-06",), delivered_by=time(12, 0))
    assert deliver_by(utc("2026-03-05T10:00"), 1, carrier, "UTC") == utc("2026-03-07T12:00")


def test_a_parcel_does_not_travel_backwards():
    with pytest.raises(CalendarError, match="before it leaves"):
        deliver_by(utc("2026-03-05T10:00"), -1, CarrierCalendar(), "UTC")


HOURS = st.builds(
    OpeningHours,
    weekdays=st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(tuple),
    cut_off=st.times().map(lambda at: at.replace(microsecond=0)),
    holidays=st.sets(st.sampled_from(["2026-03-08", "2026-03-09", "2026-03-29", "2026-11-01"])).map(tuple),
    processing_days=st.integers(0, 3),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kolkata"]
)


@given(MOMENTS, HOURS, ZONES)
def test_goods_leave_on_a_working_day_and_never_before_they_are_ordered(placed, hours, zone):
    leaves = ship_by(placed, hours, zone)
    day = leaves.astimezone(ZoneInfo(zone)).date()
    assert leaves >= placed
    assert day.weekday() in hours.weekdays
    assert day.isoformat() not in hours.holidays
    assert ship_by(leaves, OpeningHours(**{**_fields(hours), "processing_days": 0}), zone) == leaves


@given(MOMENTS, HOURS, ZONES)
def test_routing_judges_lateness_by_the_same_rule(placed, hours, zone):
    assert leaves_at(placed, hours, ZoneInfo(zone)) == ship_by(placed, hours, zone)


@given(MOMENTS, st.integers(0, 10), ZONES)
def test_more_transit_never_arrives_earlier(ships, days, zone):
    arrives = deliver_by(ships, days, CarrierCalendar(), zone)
    assert arrives >= ships
    assert deliver_by(ships, days + 1, CarrierCalendar(), zone) > arrives - timedelta(hours=1)


def _fields(hours: OpeningHours) -> dict[str, object]:
    return {name: getattr(hours, name) for name in hours.__struct_fields__}
