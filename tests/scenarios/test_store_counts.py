"""A store whose shelves its till counts: what is there is the till's word, and no sale is taken off twice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.square.harness import STORE
from adapters.square.simulator import SquareSimulator
from tests.scenarios.seller import open_seller
from tests.scenarios.town import Town


@pytest.fixture
async def seller(town: Town) -> AsyncIterator[SquareSimulator]:
    """A seller whose store is a node of its own, with Square as its stock master."""
    async with open_seller(town, stock_locations=[STORE]) as seller:
        store = await town.house.node("STORE", latitude=29.7, longitude=-95.4)
        await town.house.bind(store, "till", STORE, role="stock_master")
        await town.house.stock_point("till", STORE, store, purpose="fulfil")
        for sku in ("MUG-RED", "TEE-M"):
            await town.goods(sku)
        await town.house.pull("till", "stock")
        await town.settle()
        yield seller


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
