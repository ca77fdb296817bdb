"""Amazon's usage plans: a token bucket for each operation, selling account and app. Rates as the models print them."""

from datetime import datetime, timedelta
from typing import Final

from hub.sdk.wire import RateLimit, RateReading, Response

PLANS: Final[dict[str, tuple[float, int]]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2.0, 10),
    "getListingsItem": (5.0, 10),
    "patchListingsItem": (5.0, 5),
    "searchListingsItems": (5.0, 5),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeed": (2.0, 15),
    "getFeeds": (0.0222, 10),
    "getFeedDocument": (0.0222, 10),
    "getSubscription": (1.0, 5),
    "listTransactions": (0.5, 10),
    "getMarketplaceParticipations": (0.016, 15),
}
"""Requests per second and burst of each operation that we call."""

LONGEST_WAIT: Final = timedelta(minutes=5)


def limits(app: str, seller: str) -> tuple[RateLimit, ...]:
    """The buckets, shared by whoever calls with this app for this seller.

    A fifth of each burst is left unused: Amazon's bucket fills as requests arrive, ours as they leave, and requests
    that waited for tokens may arrive together.
    """
    return tuple(
        RateLimit(
            scope="operation",
            key=f"amazon:{app}:{seller}:{operation}",
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
    """When to try a throttled operation again: Amazon's 429 does not say, so after one request's worth of its rate."""
    rate, _ = PLANS.get(operation, (1.0, 1))
    return now + min(LONGEST_WAIT, timedelta(seconds=max(2.0, 1 / rate)))
