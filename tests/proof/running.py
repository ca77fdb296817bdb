"""A sale in a hub of real processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.shopify.simulator import ShopifySimulator
from tests.bench.running import RunningHub
from tests.proof.sale import Sale, furnish
from tests.scenarios.house import build_house


@asynccontextmanager
async def running_sale(hub: RunningHub) -> AsyncIterator[Sale]:
    """Engines, web and workers as processes, and a hundred lamps on three shelves."""
    async with (
        hub,
        ShopifySimulator(client_secret="hush", access_token="tok", bucket=1e6, restore_per_second=1e6) as shop,
    ):
        house = await build_house(hub.engines.database_url, hub.engines.queue_url, hub.folder)
        try:
            sale = await furnish(house, shop, hub.url)
            await hub.start()
            yield sale
        finally:
            await house.close()
