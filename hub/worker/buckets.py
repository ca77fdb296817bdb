"""Rate buckets shared by all workers, in the queue engine: politeness only, losing them costs a refill."""

from datetime import datetime
from typing import Final

import redis.asyncio as redis
from redis.exceptions import RedisError

from hub.sdk.limits import LONGEST_PAUSE, PATIENCE_SECONDS, LocalBuckets, bucket_name
from hub.sdk.wire import RateLimit, RateReading

# The engine's clock, not the callers': theirs differ and jump, and a bucket stamped by one that was an hour ahead would
# keep everybody from the vendor for that hour.
NOW: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
"""
# The arithmetic of `hub.sdk.limits.take`, where all workers see the same bucket.
TAKE: Final = f"""{NOW}
local raw = redis.call('HMGET', KEYS[1], 'tokens', 'stamp', 'capacity', 'rate')
local cost, patience = tonumber(ARGV[1]), tonumber(ARGV[2])
local capacity, rate = tonumber(raw[3] or ARGV[3]), tonumber(raw[4] or ARGV[4])
local tokens, stamp = tonumber(raw[1] or capacity), tonumber(raw[2] or now)
if now > stamp then tokens = math.min(capacity, tokens + (now - stamp) * rate) stamp = now end
cost = math.min(cost, capacity)
local wait = math.max(0, stamp - now) + math.max(0, (cost - tokens) / rate)
if wait <= patience then
  redis.call('HSET', KEYS[1], 'tokens', tokens - cost, 'stamp', stamp)
  redis.call('EXPIRE', KEYS[1], 86400)
end
return tostring(wait)
"""
FEED: Final = f"""{NOW}
local raw = redis.call('HMGET', KEYS[1], 'tokens', 'stamp', 'capacity', 'rate')
local capacity, rate = tonumber(raw[3] or ARGV[1]), tonumber(raw[4] or ARGV[2])
if ARGV[3] ~= '' then capacity = tonumber(ARGV[3]) end
if ARGV[4] ~= '' then rate = tonumber(ARGV[4]) end
local tokens, stamp = tonumber(raw[1] or capacity), tonumber(raw[2] or now)
if now > stamp then tokens = math.min(capacity, tokens + (now - stamp) * rate) stamp = now end
if ARGV[5] ~= '' then tokens = math.min(tokens, tonumber(ARGV[5])) end
if ARGV[6] ~= '' then stamp = math.max(stamp, now + tonumber(ARGV[6])) tokens = math.min(tokens, 1) end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'stamp', stamp, 'capacity', capacity, 'rate', rate)
redis.call('EXPIRE', KEYS[1], 86400)
"""


class SharedBuckets:
    """`hub.sdk.limits.Buckets` over the queue engine; this process's own when it cannot be reached."""

    def __init__(self, queue_url: str) -> None:
        self._redis = redis.Redis.from_url(queue_url, socket_timeout=1, socket_connect_timeout=1)
        self._take = self._redis.register_script(TAKE)
        self._feed = self._redis.register_script(FEED)
        self._local = LocalBuckets()

    async def take(self, limit: RateLimit, cost: float, now: datetime) -> float:
        """See `hub.sdk.limits.Buckets.take`."""
        arguments = [cost, PATIENCE_SECONDS, limit.capacity, limit.per_second]
        try:
            return float(await self._take(keys=[_key(limit)], args=arguments))
        except (RedisError, OSError):
            return await self._local.take(limit, cost, now)

    async def feed(self, limit: RateLimit, reading: RateReading, now: datetime) -> None:
        """See `hub.sdk.limits.Buckets.feed`."""
        pause = None
        if reading.not_before is not None:
            pause = min(reading.not_before - now, LONGEST_PAUSE).total_seconds()
        said = [reading.capacity, reading.per_second, reading.remaining, pause]
        arguments = [limit.capacity, limit.per_second, *("" if one is None else one for one in said)]
        try:
            await self._feed(keys=[_key(limit)], args=arguments)
        except (RedisError, OSError):
            await self._local.feed(limit, reading, now)

    async def close(self) -> None:
        """Let go of the engine."""
        await self._redis.aclose()


def _key(limit: RateLimit) -> str:
    return f"crossdock:bucket:{bucket_name(limit)}"
