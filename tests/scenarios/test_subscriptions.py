"""The hub subscribes to what it wants to hear, under its own public address."""

import pytest

from adapters.shopify.subscriptions import TOPICS
from tests.scenarios.town import Town


async def test_a_connection_subscribes_its_own_address(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = town.house.parts
    monkeypatch.setattr(parts.clients, "_public_url", "https://hub.example.com")
    await town.house.run(
        "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('shop', 'subscriptions', 86400)"
    )
    assert await town.house.worker.puller.run() == 1
    assert {one.uri for one in town.shop.subscriptions.values()} == {"https://hub.example.com/webhooks/shop"}
    assert len(town.shop.subscriptions) == len(TOPICS)
    schedule = await town.house.rows(
        "SELECT last_error, next_due_at > now() + interval '23 hours' AS nightly FROM schedule"
    )
    assert schedule == [{"last_error": None, "nightly": True}]


async def test_what_the_shop_refuses_stands_in_the_schedule(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.house.parts.clients, "_public_url", "http://hub.example.com")
    await town.house.run(
        "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('shop', 'subscriptions', 86400)"
    )
    assert await town.house.worker.puller.run() == 1
    (row,) = await town.house.rows(
        "SELECT last_error, next_due_at > now() + interval '50 minutes' AS later FROM schedule"
    )
    error = row["last_error"]
    assert row["later"], "nothing will change by itself: the shop is not asked every half minute"
    assert "Address protocol http:// is not supported" in error
    assert town.shop.subscriptions == {}
