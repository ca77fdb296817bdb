"""The numbered tests of the proof: here in this process, on real engines and real HTTP. The long versions, in real
processes, are `python -m tests.faults.run --kind ...`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.shopify.simulator import ShopifySimulator
from tests.proof.sale import Sale, furnish
from tests.scenarios.conftest import house, settings, town
from tests.scenarios.house import House

__all__ = ["house", "settings", "town"]


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """A worker runs, as its process would run it."""
    stop = asyncio.Event()
    running = asyncio.create_task(house.worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture
async def sale(house: House) -> AsyncIterator[Sale]:
    """A shop with a hundred lamps on three shelves behind it, and a hub that works."""
    async with ShopifySimulator(client_secret="hush", access_token="tok", bucket=1e6, restore_per_second=1e6) as shop:
        made = await furnish(house, shop, await house.serve())
        async with working(house):
            yield made
