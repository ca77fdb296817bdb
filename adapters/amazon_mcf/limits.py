"""Amazon's usage plans: a token bucket for each operation, selling account and app. Rates as the models print them."""

from datetime import datetime
from typing import Final

from hub.sdk import usage_plans
from hub.sdk.usage_plans import Plans
from hub.sdk.wire import RateLimit, RateReading, Response

RATE: Final = "x-amzn-ratelimit-limit"
"""Tells the account's own rate; what is left Amazon never says."""
OUTBOUND: Final = (2.0, 30)
PLANS: Final[Plans] = {
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
    """The buckets, shared by whoever calls with this app for this seller."""
    return usage_plans.buckets(PLANS, f"amazon_mcf:{app}:{seller}")


def read_rates(response: Response, now: datetime) -> tuple[RateReading, ...]:
    """What an answer says of the account's rate."""
    return usage_plans.stated_rate(response, RATE)


def back_at(operation: str, now: datetime) -> datetime:
    """When to try a throttled operation again: Amazon's 429 does not say."""
    return usage_plans.back_at(PLANS, operation, now)
