from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.limits import LONGEST_PAUSE, PATIENCE_SECONDS, Bucket, LocalBuckets, learn, retry_after, take
from hub.sdk.wire import RateLimit, RateReading, Response

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LIMIT = RateLimit(scope="account", key="acme", capacity=4, per_second=2)


def full(capacity: float, per_second: float) -> Bucket:
    return Bucket(capacity, 0.0, capacity, per_second)


@given(
    capacity=st.floats(1, 50),
    per_second=st.floats(0.1, 20),
    calls=st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 60)), max_size=60),
)
def test_granted_cost_never_exceeds_capacity_and_inflow(
    capacity: float, per_second: float, calls: list[tuple[float, float]]
) -> None:
    bucket, now, granted = full(capacity, per_second), 0.0, list[tuple[float, float]]()
    for pause, cost in calls:
        now += pause
        bucket, wait = take(bucket, now, cost)
        if wait <= PATIENCE_SECONDS:
            granted.append((now + wait, min(cost, capacity)))
    for at, _ in granted:
        spent = sum(cost for when, cost in granted if when <= at)
        assert spent <= capacity + per_second * at + 1e-6


@given(cost=st.floats(0.1, 100), tokens=st.floats(-5, 10), ahead=st.floats(-100, 100))
def test_whoever_comes_back_when_told_is_let_in(cost: float, tokens: float, ahead: float) -> None:
    bucket = Bucket(tokens, 1000 + ahead, 10, 0.5)
    untouched, wait = take(bucket, 1000.0, cost, patience=-1.0)
    assert untouched == bucket
    _, left = take(bucket, 1000.0 + wait, cost)
    assert left == pytest.approx(0, abs=1e-6)


def test_burst_then_steady_rate() -> None:
    bucket, waits = full(3, 2), []
    for _ in range(6):
        bucket, wait = take(bucket, 0.0, 1)
        waits.append(wait)
    assert waits == [0, 0, 0, 0.5, 1.0, 1.5]


def test_wait_beyond_patience_takes_nothing() -> None:
    empty = Bucket(0.0, 0.0, 10, 1)
    assert take(empty, 0.0, 3) == (empty, 3.0)


def test_cost_above_the_capacity_counts_as_the_capacity() -> None:
    assert take(full(5, 1), 0.0, 500) == (Bucket(0.0, 0.0, 5, 1), 0.0)


def test_vendors_count_is_believed_when_it_is_smaller() -> None:
    bucket = learn(full(10, 1), RateReading(scope="account", remaining=2), 0.0)
    assert bucket.tokens == 2
    assert learn(bucket, RateReading(scope="account", remaining=9), 0.0).tokens == 2


def test_vendors_own_size_and_rate_replace_the_declared_ones() -> None:
    bucket = learn(full(10, 1), RateReading(scope="account", remaining=10, capacity=40, per_second=5), 0.0)
    assert take(bucket, 8.0, 40)[1] == 0


def test_not_before_closes_the_bucket_until_then() -> None:
    reading = RateReading(scope="account", not_before=NOW + timedelta(seconds=30))
    bucket = learn(Bucket(4, NOW.timestamp(), 4, 2), reading, NOW.timestamp())
    assert take(bucket, NOW.timestamp(), 1)[1] == pytest.approx(30)
    assert take(bucket, NOW.timestamp() + 30, 1)[1] == pytest.approx(0)


def test_absurd_not_before_is_capped() -> None:
    reading = RateReading(scope="account", not_before=NOW + timedelta(days=400))
    bucket = learn(full(4, 2), reading, NOW.timestamp())
    assert bucket.stamp - NOW.timestamp() == LONGEST_PAUSE.total_seconds()


async def test_limits_of_one_scope_and_key_share_a_bucket() -> None:
    buckets = LocalBuckets()
    waits = [await buckets.take(LIMIT, 2, NOW) for _ in range(3)]
    assert waits == [0, 0, 1]
    other = RateLimit(scope="account", key="other", capacity=4, per_second=2)
    assert await buckets.take(other, 2, NOW) == 0


async def test_fed_bucket_makes_callers_wait() -> None:
    buckets = LocalBuckets()
    await buckets.feed(LIMIT, RateReading(scope="account", remaining=0), NOW)
    assert await buckets.take(LIMIT, 1, NOW) == 0.5


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("7", NOW + timedelta(seconds=7)),
        ("0.5", NOW + timedelta(seconds=0.5)),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), NOW + timedelta(minutes=2)),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), NOW),
        ("-5", NOW),
        ("31536000", NOW + LONGEST_PAUSE),
        ("1e400", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(said: str, at: datetime | None) -> None:
    assert retry_after(Response(status=429, headers={"retry-after": said}, body=b""), NOW) == at
