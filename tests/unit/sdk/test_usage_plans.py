"""Rates by operation: buckets, stated rates, and when to come back."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.sdk.usage_plans import LONGEST_WAIT, back_at, buckets, stated_rate
from hub.sdk.wire import RateReading, Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
PLANS = {"list": (0.5, 30), "report": (0.002, 1), "read": (10.0, 5)}


def test_each_operation_has_a_bucket_of_its_own_with_a_fifth_to_spare() -> None:
    found = {limit.operations: (limit.key, limit.capacity, limit.per_second) for limit in buckets(PLANS, "acme:app")}
    assert found == {
        ("list",): ("acme:app:list", 24.0, 0.5),
        ("report",): ("acme:app:report", 1.0, 0.002),
        ("read",): ("acme:app:read", 4.0, 10.0),
    }


@pytest.mark.parametrize(("said", "rate"), [("2.5", 2.5), ("0", None), ("-1", None), ("1e9", None), ("soon", None)])
def test_a_rate_is_believed_when_it_can_be_one(said: str, rate: float | None) -> None:
    response = Response(status=200, headers={"x-rate": said}, body=b"")
    expected = () if rate is None else (RateReading(scope="operation", per_second=rate),)
    assert stated_rate(response, "x-rate") == expected
    assert stated_rate(response, "x-other") == ()


@pytest.mark.parametrize(
    ("operation", "wait"),
    [
        ("list", timedelta(seconds=2)),
        ("report", LONGEST_WAIT),
        ("read", timedelta(seconds=2)),
        ("unheard of", timedelta(seconds=2)),
    ],
)
def test_without_a_time_one_request_is_waited_for(operation: str, wait: timedelta) -> None:
    assert back_at(PLANS, operation, NOW) == NOW + wait
