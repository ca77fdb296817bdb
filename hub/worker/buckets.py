"""Rate buckets shared by all workers, in the queue engine: politeness only, losing them costs a refill."""

from datetime import datetime
from typing import Final

import redis.asyncio as redis
from redis.exceptions import RedisError

from hub.sdk.limits import PATIENCE_SECONDS, LocalBuckets, bucket_name
from hub.sdk.wire import RateLimit, RateReading

# The arithmetic of `hub.sdk.limits.take`, where all workers see the same bucket.
TAKE: Final = """
local raw = redis.call('HMGET', KEYS[1], 'tokens', 'stamp', 'capacity', 'rate')
local now, cost, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local capacity, rate = tonumber(raw[3] or ARGV[4]), tonumber(raw[4] or ARGV[5])
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
FEED: Final = """
local now = tonumber(ARGV[1])
local raw = redis.call('HMGET', KEYS[1], 'tokens', 'stamp', 'capacity', 'rate')
local capacity, rate = tonumber(raw[3] or ARGV[2]), tonumber(raw[4] or ARGV[3])
if ARGV[4] ~= '' then capacity = tonumber(ARGV[4]) end
if ARGV[5] ~= '' then rate = tonumber(ARGV[5]) end
local tokens, stamp = tonumber(raw[1] or capacity), tonumber(raw[2] or now)
if now > stamp then tokens = math.min(capacity, tokens + (now - stamp) * rate) stamp = now end
if ARGV[6] ~= '' then tokens = math.min(tokens, tonumber(ARGV[6])) end
if ARGV[7] ~= '' then stamp = math.max(stamp, tonumber(ARGV[7])) tokens = math.min(tokens, 1) end
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
        arguments = [now.timestamp(), cost, PATIENCE_SECONDS, limit.capacity, limit.per_second]
        try:
            return float(await self._take(keys=[_key(limit)], args=arguments))
        except (RedisError, OSError):
            return await self._local.take(limit, cost, now)

    async def feed(self, limit: RateLimit, reading: RateReading, now: datetime) -> None:
        """See `hub.sdk.limits.Buckets.feed`."""
        until = reading.not_before.timestamp() if reading.not_before is not None else None
        said = [reading.capacity, reading.per_second, reading.remaining, until]
        arguments = [now.timestamp(), limit.capacity, limit.per_second, *("" if one is None else one for one in said)]
        try:
            await self._feed(keys=[_key(limit)], args=arguments)
        except (RedisError, OSError):
            await self._local.feed(limit, reading, now)

    async def close(self) -> None:
        """Let go of the engine."""
        await self._redis.aclose()


def _key(limit: RateLimit) -> str:
    return f"crossdock:bucket:{bucket_name(limit)}"
