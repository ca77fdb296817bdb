"""Links that were mailed before the secret key was rotated lead where they did, as long as the hub has the old key."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from hub.domain.customer_link import PATH, link_key
from hub.domain.signed_link import sign
from tests.scenarios.town import Town

OLD = b"o" * 32


@pytest.fixture
def settings() -> dict[str, Any]:
    """A hub with a key that only opens."""
    return {"other_secret_keys": base64.b64encode(OLD).decode()}


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=town.house.url, timeout=30) as made:
        yield made


async def test_a_link_of_an_older_key_still_leads_to_its_order(town: Town, browser: httpx.AsyncClient) -> None:
    _, order = await town.buy([("PASS", 1)])
    until = datetime.now(UTC) + timedelta(days=1)
    answers = [await browser.get(f"{PATH}/{sign(order['id'], until, link_key(key))}") for key in (OLD, b"x" * 32)]
    assert [answer.status_code for answer in answers] == [200, 404]
