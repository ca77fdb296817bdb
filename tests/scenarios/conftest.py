"""Scenarios run against a whole hub in this process."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.scenarios.counter import Counter, open_counter
from tests.scenarios.house import House, build_house
from tests.scenarios.town import Town, build_town
from tests.standing import Standing


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings of the hub that are not the usual ones; a file of tests has its own."""
    return {}


@pytest.fixture
async def house(
    standing: Standing, queue_url: str, engine_folder: Path, settings: dict[str, Any]
) -> AsyncIterator[House]:
    """A hub over a fresh database, with no connections and no stock. In the end its books must add up."""
    # What an earlier test used up of a partner's limit is kept there.
    with redis.Redis.from_url(queue_url) as queue:
        queue.flushall()
    made = await build_house(standing.url, queue_url, engine_folder, standing.open, **settings)
    yield made
    try:
        await made.verify()
    finally:
        await made.worker.notifier.close()
        await made.close()


@pytest.fixture
async def town(house: House) -> AsyncIterator[Town]:
    """The hub with a shop, a partner of two warehouses, and goods on their shelves."""
    made = await build_town(house)
    yield made
    await made.close()


@pytest.fixture
async def counter(town: Town) -> AsyncIterator[Counter]:
    """The API of the town's hub, for a person with every right."""
    made = await open_counter(town.house)
    yield made
    await made.client.aclose()


@pytest.fixture
def unfollowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that is captured by the API is answered as queued at once: the lanes run when the test says so."""
    monkeypatch.setattr("hub.web.api.order_actions.CAPTURE_SECONDS", 0.0)
