"""Vendors that grant each operation a rate and a burst of its own: buckets, and what answers say of them. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.sdk.wire import RateLimit, RateReading, Response

Plans = Mapping[str, tuple[float, int]]
"""Requests per second and burst of each operation that is called."""

USED_PERCENT: Final = 80
"""Part of a burst that is used. The vendor's bucket fills as requests arrive, ours as they leave, and requests that
waited for tokens may arrive together."""
HIGHEST_RATE: Final = 1000.0
"""No stated rate is believed beyond this."""
LONGEST_WAIT: Final = timedelta(minutes=5)
SHORTEST_WAIT: Final = timedelta(seconds=2)


def buckets(plans: Plans, key: str) -> tuple[RateLimit, ...]:
    """A bucket per operation, shared by whoever calls under `key`."""
    return tuple(
        RateLimit(
            scope="operation",
            key=f"{key}:{operation}",
            capacity=float(max(1, burst * USED_PERCENT // 100)),
            per_second=rate,
            operations=(operation,),
        )
        for operation, (rate, burst) in plans.items()
    )


def stated_rate(response: Response, header: str) -> tuple[RateReading, ...]:
    """The account's own rate, which replaces that of the plan, where a header of the answer tells it."""
    try:
        rate = float(response.headers.get(header, ""))
    except ValueError:
        return ()
    return (RateReading(scope="operation", per_second=rate),) if 0 < rate < HIGHEST_RATE else ()


def back_at(plans: Plans, operation: str, now: datetime) -> datetime:
    """When to try again where a 429 names no time: after one request's worth of the operation's rate."""
    rate, _ = plans.get(operation, (1.0, 1))
    return now + min(LONGEST_WAIT, max(SHORTEST_WAIT, timedelta(seconds=1 / rate)))
