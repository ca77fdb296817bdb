"""Test 9: the database goes away under load, the queue is wiped under load; nothing that was acknowledged is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from adapters.shopify.simulator import ShopifySimulator
from tests.proof.conftest import working
from tests.proof.outages import Vendor
from tests.proof.sale import OTHER, Sale, furnish
from tests.scenarios.house import build_house
from tests.scenarios.proxy import Proxy, proxied

pytestmark = pytest.mark.hurried

AWAY_SECONDS = 2.0
RECOVERY_SECONDS = 15.0


@pytest.fixture
async def far(database_url: str, queue_url: str, engine_folder: Path) -> AsyncIterator[tuple[Sale, Proxy]]:
    """A sale whose hub reaches its database through a proxy; the books are read past it."""
    async with (
        proxied(database_url, engine_folder / "p-outage") as (proxy, url),
        ShopifySimulator(client_secret="hush", access_token="tok") as shop,
    ):
        house = await build_house(url, queue_url, engine_folder)
        sale = await furnish(house, shop, await house.serve())
        async with working(house):
            yield sale, proxy
        await house.close()


async def test_a_database_that_is_away_costs_no_acknowledged_order(far: tuple[Sale, Proxy]) -> None:
    sale, proxy = far
    vendor = Vendor(sale, sale.deliveries(sale.quietly(OTHER, 2000), "orders/create"))
    load = asyncio.create_task(vendor.deliver(40.0))
    await asyncio.sleep(0.5)
    await proxy.refuse()
    await asyncio.sleep(AWAY_SECONDS)
    await proxy.mend()
    back = time.monotonic()
    await vendor.answered_again()
    await asyncio.sleep(0.5)
    vendor.stop.set()
    await load
    await sale.at_rest()
    assert time.monotonic() - back < RECOVERY_SECONDS
    assert set(vendor.answers) == {200, 503}, vendor.answers
    refusals = sorted(vendor.refused_after)
    assert refusals[len(refusals) // 2] < 0.25, "it says so at once, that the vendor comes again"
    assert vendor.without_retry_after == 0
    kept = {row["body"] for row in await sale.house.rows("SELECT body FROM message WHERE connection_id = 'shop'")}
    assert not [body for body in vendor.acknowledged if body not in kept], "no acknowledgement without a commit"
    assert await sale.house.value("SELECT count(*) FROM customer_order") == len(kept)
    await sale.house.verify()


async def test_a_queue_that_is_wiped_again_and_again_loses_nothing(sale: Sale, queue_url: str) -> None:
    vendor = Vendor(sale, sale.deliveries(sale.quietly(OTHER, 2000), "orders/create"))
    load = asyncio.create_task(vendor.deliver(40.0))
    async with redis.Redis.from_url(queue_url) as client:
        for _ in range(15):
            await client.flushall()
            await asyncio.sleep(0.1)
    vendor.stop.set()
    sent = await load
    await sale.at_rest()
    assert vendor.answers == {200: sent}, "the door does not need the bell"
    assert await sale.house.value("SELECT count(*) FROM customer_order") == sent
    await sale.house.verify()
