from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.breaker import FIRST_PAUSE, LONGEST_PAUSE, PROBE_LEASE, PROBE_LOOK, THRESHOLD, Breaker

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def opened(at: datetime = NOW) -> Breaker:
    breaker = Breaker()
    for _ in range(THRESHOLD):
        assert breaker.admit(at) is None
        breaker.failed(at)
    return breaker


def test_opens_after_failures_in_a_row_and_says_until_when() -> None:
    assert opened().admit(NOW) == NOW + FIRST_PAUSE


def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(THRESHOLD * 3):
        breaker.failed(NOW)
        breaker.succeeded()
    assert breaker.admit(NOW) is None


def test_after_the_pause_one_probe_goes_and_others_wait_for_it() -> None:
    breaker, later = opened(), NOW + FIRST_PAUSE
    assert breaker.admit(later) is None
    assert breaker.admit(later) == later + PROBE_LOOK, "soon: the vendor may be well, and the probe back in a moment"


def test_a_clock_that_was_put_back_does_not_keep_it_open_for_as_long() -> None:
    breaker = opened(NOW + timedelta(hours=1))
    assert breaker.admit(NOW) is None


def test_good_probe_closes_it() -> None:
    breaker, later = opened(), NOW + FIRST_PAUSE
    breaker.admit(later)
    breaker.succeeded()
    assert [breaker.admit(later) for _ in range(3)] == [None, None, None]


def test_bad_probe_opens_it_for_twice_as_long() -> None:
    breaker, later = opened(), NOW + FIRST_PAUSE
    breaker.admit(later)
    breaker.failed(later)
    assert breaker.admit(later) == later + 2 * FIRST_PAUSE


def test_pause_is_never_longer_than_it_may_be() -> None:
    breaker = Breaker(longest=FIRST_PAUSE / 5)
    now = NOW
    for _ in range(3 * THRESHOLD):
        breaker.failed(now)
        assert (breaker.admit(now) or now) <= now + FIRST_PAUSE / 5
        now += FIRST_PAUSE / 5


def test_failures_of_requests_already_under_way_do_not_lengthen_the_pause() -> None:
    breaker = opened()
    for _ in range(10):
        breaker.failed(NOW)
    assert breaker.admit(NOW) == NOW + FIRST_PAUSE


def test_probe_that_never_reports_is_replaced() -> None:
    breaker, later = opened(), NOW + FIRST_PAUSE
    breaker.admit(later)
    assert breaker.admit(later + PROBE_LEASE) is None


def test_a_probe_that_ends_without_a_word_of_the_vendor_lets_the_next_go_at_once() -> None:
    breaker, later = opened(), NOW + FIRST_PAUSE
    breaker.admit(later)
    breaker.unheard(later)
    assert breaker.admit(later) is None
    assert breaker.admit(later) == later + PROBE_LOOK


def test_what_says_nothing_of_the_vendor_neither_opens_nor_shortens_a_pause() -> None:
    closed, open_ = Breaker(threshold=1), opened()
    closed.unheard(NOW)
    open_.unheard(NOW)
    assert (closed.admit(NOW), open_.admit(NOW)) == (None, NOW + FIRST_PAUSE)


@given(st.lists(st.tuples(st.floats(0, 300), st.booleans()), max_size=80))
def test_whatever_happens_it_lets_somebody_try_within_the_longest_pause(events: list[tuple[float, bool]]) -> None:
    breaker, now = Breaker(), NOW
    for pause, good in events:
        now += timedelta(seconds=pause)
        if breaker.admit(now) is None:
            if good:
                breaker.succeeded()
            else:
                breaker.failed(now)
    at = breaker.admit(now)
    assert at is None or now < at <= now + LONGEST_PAUSE
    assert at is None or breaker.admit(at) is None
