"""Amazon's usage plans: a token bucket for each operation, selling account and app. Rates as the models print them."""

from datetime import datetime
from typing import Final

from hub.sdk import usage_plans
from hub.sdk.usage_plans import Plans
from hub.sdk.wire import RateLimit, RateReading, Response

RATE: Final = "x-amzn-ratelimit-limit"
"""Tells the account's own rate; what is left Amazon never says."""
PLANS: Final[Plans] = {
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


def limits(app: str, seller: str) -> tuple[RateLimit, ...]:
    """The buckets, shared by whoever calls with this app for this seller."""
    return usage_plans.buckets(PLANS, f"amazon:{app}:{seller}")


def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
    """What an answer says of the account's rate."""
    return usage_plans.stated_rate(response, RATE)


def back_at(operation: str, now: datetime) -> datetime:
    """When to try a throttled operation again: Amazon's 429 does not say."""
    return usage_plans.back_at(PLANS, operation, now)
