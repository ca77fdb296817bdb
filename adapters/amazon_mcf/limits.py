"""Amazon's usage plans: a token bucket for each operation, selling account and app. Rates as the models print them."""

from datetime import datetime, timedelta
from typing import Final

from hub.sdk.wire import RateLimit, RateReading, Response

OUTBOUND: Final = (2.0, 30)
PLANS: Final[dict[str, tuple[float, int]]] = {
    "createFulfillmentOrder": OUTBOUND,
    "getFulfillmentOrder": OUTBOUND,
    "listAllFulfillmentOrders": OUTBOUND,
    "cancelFulfillmentOrder": OUTBOUND,
    "createOrder": OUTBOUND,
    "getOrder": OUTBOUND,
    "listOrders": OUTBOUND,
    "cancelOrder": OUTBOUND,
    "getInventorySummaries": (2.0, 2),
}
"""Requests per second and burst of each operation that we call, of both versions."""


def limits(app: str, seller: str) -> tuple[RateLimit, ...]:
    """The buckets, shared by whoever calls with this app for this seller.

    A fifth of each burst is left unused: Amazon's bucket fills as requests arrive, ours as they leave, and requests
    that waited for tokens may arrive together.
    """
    return tuple(
        RateLimit(
            scope="operation",
            key=f"amazon_mcf:{app}:{seller}:{operation}",
            capacity=float(max(1, burst * 4 // 5)),
            per_second=rate,
            operations=(operation,),
        )
        for operation, (rate, burst) in PLANS.items()
    )


def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
    """`x-amzn-RateLimit-Limit` tells the account's own rate; what is left it never says."""
    try:
        rate = float(response.headers.get("x-amzn-ratelimit-limit", ""))
    except ValueError:
        return ()
    return (RateReading(scope="operation", per_second=rate),) if 0 < rate < 1000 else ()


def back_at(operation: str, now: datetime) -> datetime:
    """When to try a throttled operation again: Amazon's 429 does not say."""
    rate, _ = PLANS.get(operation, (1.0, 1))
    return now + timedelta(seconds=max(2.0, 1 / rate))
