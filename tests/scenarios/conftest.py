"""Scenarios run against a whole hub in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.house import House, build_house


@pytest.fixture
async def house(database_url: str, queue_url: str, engine_folder: Path) -> AsyncIterator[House]:
    """A hub over a fresh database, with no connections and no stock."""
    made = await build_house(database_url, queue_url, engine_folder)
    yield made
    await made.close()
