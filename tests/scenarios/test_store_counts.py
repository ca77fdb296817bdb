"""A store whose shelves its till counts: what is there is the till's word, and no sale is taken off twice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.square.harness import STORE, simulator
from adapters.square.simulator import SquareSimulator
from tests.scenarios.town import Town

KEY = "sig-of-the-till"


@pytest.fixture
async def seller(town: Town) -> AsyncIterator[SquareSimulator]:
    """A seller whose store is a node of its own, with Square as its stock master."""
    async with simulator() as seller:
        seller.sell("PASS", price=100)
        url = f"{town.house.url}/webhooks/till"
        config = {
            "merchant_id": seller.merchant_id,
            "signature_key": KEY,
            "application_id": seller.application_id,
            "application_secret": seller.application_secret,
            "refresh_token": seller.refresh_token,
            "notification_url": url,
            "stock_locations": [STORE],
            "base_url": seller.base_url,
        }
        await town.house.connect("till", "square", config)
        await town.house.run(
            "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('till', 'stock', 60)"
        )
        store = await town.house.node("STORE", latitude=29.7, longitude=-95.4)
        await town.house.bind(store, "till", STORE, role="stock_master")
        point = await town.house.value(
            "INSERT INTO stock_point (account_id, external_location, purpose) VALUES ($1, $2, 'fulfil') RETURNING id",
            int(town.house.connections["till"]),
            STORE,
        )
        await town.house.run("INSERT INTO stock_point_node VALUES ($1, $2)", point, store)
        for sku in ("MUG-RED", "TEE-M"):
            await town.goods(sku)
        await town.house.run("UPDATE schedule SET next_due_at = now() WHERE connection_id = 'till'")
        assert await town.house.worker.puller.run() == 1
        assert await town.house.value("SELECT last_error FROM schedule WHERE connection_id = 'till'") is None
        await town.settle()
        seller.listener = (url, KEY)
        yield seller
        assert seller.violations == []


async def there(town: Town, sku: str) -> int:
    return (await town.stock(sku, await town.house.value("SELECT id FROM node WHERE code = 'STORE'")))[0]


async def told(town: Town, seller: SquareSimulator) -> None:
    await seller.delivered()
    await town.settle()


async def test_what_the_till_counts_is_what_is_there(town: Town, seller: SquareSimulator) -> None:
    assert (await there(town, "MUG-RED"), await there(town, "TEE-M")) == (40, 20)
    mug = next(iter(seller.variations))
    seller.count((mug, STORE), 33)
    await told(town, seller)
    assert await there(town, "MUG-RED") == 33


@pytest.mark.parametrize("offline", [timedelta(), timedelta(hours=70)], ids=["now", "offline"])
async def test_a_sale_is_in_the_count_and_taken_off_once(
    offline: timedelta, town: Town, seller: SquareSimulator
) -> None:
    sale = seller.ring_up([("MUG-RED", 2)], at=seller.now() - offline, location=STORE)
    await told(town, seller)
    (order,) = await town.house.rows("SELECT id, state FROM customer_order WHERE external_id = $1", sale["id"])
    assert order["state"] == "closed"
    assert await there(town, "MUG-RED") == 38
    assert await town.house.open_exceptions() == []
    await town.house.verify()
