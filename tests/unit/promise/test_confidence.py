"""Confidence: none without history, then the share of parcels that would have made it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.promise.confidence import ENOUGH, Travelled, confidence

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def parcels(count: int, node: int = 1, late: timedelta = -HOUR, under_way: timedelta = DAY) -> list[Travelled]:
    """So many parcels that all went alike."""
    return [Travelled(node, late, under_way)] * count


def test_nothing_is_said_before_there_is_history():
    assert confidence([], {1: DAY}) is None
    assert confidence(parcels(ENOUGH - 1), {1: DAY}) is None
    assert confidence(parcels(ENOUGH), {1: DAY}) == 100
    assert confidence(parcels(500), {1: DAY, 2: DAY}) is None
    assert confidence(parcels(500), {}) is None


def test_a_parcel_counts_by_its_own_delay_and_travel():
    history = parcels(60) + parcels(20, under_way=DAY + HOUR) + parcels(20, late=HOUR)
    assert confidence(history, {1: DAY}) == 60
    assert confidence(history, {1: DAY + HOUR}) == 100
    assert confidence(history, {1: HOUR}) == 0


def test_leaving_early_does_not_make_up_for_slow_travel():
    assert confidence(parcels(100, late=-DAY, under_way=2 * DAY), {1: DAY}) == 0


def test_every_parcel_of_a_split_has_to_arrive():
    history = [*parcels(90), *parcels(10, late=HOUR), *parcels(50, node=2), *parcels(50, node=2, late=HOUR)]
    assert confidence(history, {1: DAY, 2: DAY}) == 45


@given(
    st.lists(st.builds(Travelled, st.integers(1, 2), st.timedeltas(-DAY, DAY), st.timedeltas(HOUR, 3 * DAY))),
    st.timedeltas(HOUR, 4 * DAY),
)
def test_more_time_never_makes_a_promise_less_sure(history, promised):
    history = history + parcels(ENOUGH)
    less, more = confidence(history, {1: promised}), confidence(history, {1: promised + HOUR})
    assert less is not None
    assert more is not None
    assert 0 <= less <= more <= 100
