"""Rate limits as token buckets: the arithmetic is pure, where the buckets live is a protocol."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import msgspec

from hub.sdk.wire import RateLimit, RateReading, Response

PATIENCE_SECONDS: Final = 2.0
"""Longest wait inside a worker's slot; whoever would wait longer goes back to the queue."""

LONGEST_PAUSE: Final = timedelta(hours=12)
"""No vendor's "come back later" is believed beyond this: a broken clock over there must not stop us for a year."""


class Bucket(msgspec.Struct, frozen=True):
    """A bucket at one moment. `stamp` is in seconds since 1970; one that lies ahead means: nothing before then.

    `tokens` may be negative: they are promised to callers that wait at this moment.
    """

    tokens: float
    stamp: float
    capacity: float
    per_second: float


def full(limit: RateLimit, now: float) -> Bucket:
    """The bucket that nobody used yet."""
    return Bucket(limit.capacity, now, limit.capacity, limit.per_second)


def take(bucket: Bucket, now: float, cost: float, patience: float = PATIENCE_SECONDS) -> tuple[Bucket, float]:
    """Take `cost` tokens; answer the bucket after it and the seconds to wait before acting.

    A wait of up to `patience` is a promise: the tokens are taken and the caller must wait. Beyond it nothing was
    taken. A cost above the capacity counts as the capacity, since waiting for more would never end.
    Whatever the calls, the cost granted by any time T is at most capacity + per_second * (T - first call).
    """
    cost = min(cost, bucket.capacity)
    ahead = max(0.0, bucket.stamp - now)
    gained = max(0.0, now - bucket.stamp) * bucket.per_second
    tokens = min(bucket.capacity, bucket.tokens + gained)
    missing = cost - tokens
    wait = ahead + (missing / bucket.per_second if missing > 0 else 0.0)
    if wait > patience:
        return bucket, wait
    return msgspec.structs.replace(bucket, tokens=tokens - cost, stamp=max(now, bucket.stamp)), wait


def learn(bucket: Bucket, reading: RateReading, now: float) -> Bucket:
    """Believe what the vendor said about a bucket; of two counts the smaller one, since answers arrive late."""
    capacity = bucket.capacity if reading.capacity is None else reading.capacity
    per_second = bucket.per_second if not reading.per_second else reading.per_second
    gained = max(0.0, now - bucket.stamp) * bucket.per_second
    tokens = min(capacity, bucket.tokens + gained)
    if reading.remaining is not None:
        tokens = min(tokens, reading.remaining)
    stamp = max(now, bucket.stamp)
    if reading.not_before is not None:
        pause = min(reading.not_before.timestamp() - now, LONGEST_PAUSE.total_seconds())
        stamp = max(stamp, now + pause)
        tokens = min(tokens, 1.0)
    return Bucket(tokens, stamp, capacity, per_second)


def bucket_name(limit: RateLimit) -> str:
    """Whose bucket it is: limits of one scope and key share it, in whatever process."""
    return f"{limit.scope}:{limit.key}"


def counts(limit: RateLimit, operation: str) -> bool:
    """Whether a limit counts an operation."""
    return not limit.operations or operation in limit.operations


def retry_after(response: Response, now: datetime) -> datetime | None:
    """When the answer's Retry-After asks us to come back (seconds or an HTTP date); None when it does not say.

    Never in the past and never further than `LONGEST_PAUSE`.
    """
    said = response.headers.get("retry-after", "").strip()
    try:
        at = now + timedelta(seconds=float(said))
    except (ValueError, OverflowError):
        try:
            at = parsedate_to_datetime(said)
        except (ValueError, TypeError):
            return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at, now), now + LONGEST_PAUSE)


class Buckets(Protocol):
    """Where buckets live. One that cannot reach its store falls back on local buckets instead of raising."""

    async def take(self, limit: RateLimit, cost: float, now: datetime) -> float:
        """Seconds to wait before acting; up to `PATIENCE_SECONDS` the tokens are taken, beyond it they are not."""
        ...

    async def feed(self, limit: RateLimit, reading: RateReading, now: datetime) -> None:
        """Note what the vendor said about this limit."""
        ...


class LocalBuckets:
    """Buckets of one process: for tests, the command line and an installation of one worker."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._looked_at = 0.0

    async def take(self, limit: RateLimit, cost: float, now: datetime) -> float:
        """See `Buckets.take`."""
        name, stamp = bucket_name(limit), self._time(now)
        bucket, wait = take(self._buckets.get(name) or full(limit, stamp), stamp, cost)
        self._buckets[name] = bucket
        return wait

    async def feed(self, limit: RateLimit, reading: RateReading, now: datetime) -> None:
        """See `Buckets.feed`."""
        name, stamp = bucket_name(limit), self._time(now)
        self._buckets[name] = learn(self._buckets.get(name) or full(limit, stamp), reading, stamp)

    def _time(self, now: datetime) -> float:
        """Seconds since 1970. Where the clock was put back, buckets go back too: a pause stays as long as it was."""
        stamp = now.timestamp()
        back = self._looked_at - stamp
        if back > 0:
            for name, bucket in self._buckets.items():
                self._buckets[name] = msgspec.structs.replace(bucket, stamp=bucket.stamp - back)
        self._looked_at = stamp
        return stamp
