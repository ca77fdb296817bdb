"""Lanes: working days that past parcels took, and how far they may move a promise."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.promise.lanes import History, Lanes, Went, learn, working_days

WEEK = (0, 1, 2, 3, 4)
CALENDARS = {"standard": (WEEK, ("2026-01-01",))}
MONDAY = date(2026, 1, 12)


def went(days: int, parcels: int, service: str = "standard") -> Went:
    """Parcels that left on a Monday and arrived so many days later in the same week."""
    return Went(1, "US", service, MONDAY, date(2026, 1, 12 + days), parcels)


@pytest.mark.parametrize(
    ("shipped", "delivered", "days"),
    [
        ("2026-01-12", "2026-01-12", 0),
        ("2026-01-12", "2026-01-14", 2),
        ("2026-01-16", "2026-01-19", 1),  # over a weekend
        ("2026-01-17", "2026-01-19", 0),  # handed over on a Saturday, collected and delivered on Monday
        ("2026-01-12", "2026-01-17", 5),  # a Saturday delivery counts as the next working day's
        ("2025-12-31", "2026-01-02", 1),  # over a holiday
    ],
)
def test_days_are_the_carriers_working_days(shipped: str, delivered: str, days: int) -> None:
    assert working_days(date.fromisoformat(shipped), date.fromisoformat(delivered), *CALENDARS["standard"]) == days


def test_a_lane_is_believed_once_enough_parcels_arrived() -> None:
    history = History(moves="later", percent=90, parcels=50)
    assert learn(history, CALENDARS, [went(1, 40), went(4, 9)]).days == {}
    assert learn(history, CALENDARS, [went(1, 45), went(4, 5)]).days == {(1, "US", "standard"): 1}
    assert learn(history, CALENDARS, [went(1, 44), went(4, 6)]).days == {(1, "US", "standard"): 4}
    assert learn(history, CALENDARS, [went(1, 500, "drone")]).days == {}, "nobody offers it"


def test_parcels_that_were_lost_for_months_say_nothing() -> None:
    lost = Went(1, "US", "standard", date(2025, 6, 1), MONDAY, 1000)
    assert learn(History(moves="both", parcels=1), CALENDARS, [lost, went(2, 10)]).days == {(1, "US", "standard"): 2}


@pytest.mark.parametrize(
    ("moves", "planned", "days"), [("never", 2, 2), ("later", 2, 4), ("later", 6, 6), ("both", 2, 4), ("both", 6, 4)]
)
def test_the_rules_say_how_far_history_moves_a_promise(moves: str, planned: int, days: int) -> None:
    lanes = Lanes(moves, {(1, "US", "standard"): 4})  # type: ignore[arg-type]
    assert lanes.transit_days(1, "US", "standard", planned) == days
    assert lanes.transit_days(2, "US", "standard", planned) == planned
    assert lanes.transit_days(1, None, "standard", planned) == planned


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 50)), min_size=1), st.integers(50, 100))
def test_so_many_of_a_hundred_parcels_would_have_kept_it(found: list[tuple[int, int]], percent: int) -> None:
    rows = [went(days, parcels) for days, parcels in found]
    (days,) = learn(History(moves="both", percent=percent, parcels=1), CALENDARS, rows).days.values()
    total, kept = sum(n for _, n in found), sum(n for took, n in found if took <= days)
    fewer = sum(n for took, n in found if took < days)
    assert kept * 100 >= total * percent > fewer * 100
