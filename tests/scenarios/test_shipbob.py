"""Goods sent to a 3PL that is asked by API: announced, counted as they come, and never twice."""

from collections.abc import AsyncIterator

import pytest

from adapters.shipbob.simulator import ShipBobSimulator
from adapters.shipbob.simulator_books import Pace
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town

CICERO = 3


@pytest.fixture
async def bob(town: Town) -> AsyncIterator[ShipBobSimulator]:
    """A third warehouse of the town, whose shelves it counts itself."""
    made = ShipBobSimulator(token="pat-of-the-town", stock={CICERO: {"PASS": 0}}, pace=Pace(ship_after_ms=None))
    made.books.product("PASS")
    async with made:
        config = {"account": "town", "token": made.token, "channel_id": made.channel_id, "base_url": made.base_url}
        await town.house.connect("bob", "shipbob", config, modes={"pull_supply": "live", "pull_history": "live"})
        node = await town.house.node("SOUTH", latitude=29.7, longitude=-95.4)
        await town.house.bind(node, "bob", str(CICERO))
        await town.house.bind(node, "bob", str(CICERO), role="stock_master")
        yield made
        assert made.violations == []


async def heard(town: Town, *pulls: str) -> None:
    """The hub asks ShipBob what is new."""
    await town.house.pull("bob", *pulls)
    await town.settle()


async def there(town: Town) -> tuple[int, int]:
    """(for sale, on the way) of PASS at ShipBob."""
    south = await town.house.value("SELECT id FROM node WHERE code = 'SOUTH'")
    stock = "SELECT sellable, in_transit FROM stock WHERE item_id = $1 AND node_id = $2"
    (row,) = await town.house.rows(stock, town.items["PASS"], south)
    return row["sellable"], row["in_transit"]


async def test_a_transfer_is_announced_received_and_counted_once(
    town: Town, counter: Counter, bob: ShipBobSimulator
) -> None:
    order = await town.transfer(counter, "SOUTH", 6)
    (announced,) = bob.books.announced
    assert (announced.number, announced.expected) == (f"{order}-1-advise-1", {"PASS": 6})
    assert await there(town) == (0, 6)

    bob.books.stow(announced, {"PASS": 5}, bob.now())
    await heard(town, "stock")
    assert await there(town) == (5, 6)
    bob.books.close(announced, bob.now())
    await heard(town, "receiving")
    await heard(town, "stock", "history", "receiving")

    assert await there(town) == (5, 0)
    assert await town.house.value("SELECT state FROM customer_order WHERE id = $1", order) == "closed"
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["transfer_lost"]


async def test_a_purchase_is_expected_until_it_is_on_the_shelf(town: Town, bob: ShipBobSimulator) -> None:
    now = bob.now()
    purchase = bob.books.announce(CICERO, {"PASS": 9}, now, now, "PO-77")
    expected = "SELECT reference, quantity FROM supply WHERE quantity > 0"
    await heard(town, "supply")
    assert [tuple(row.values()) for row in await town.house.rows(expected)] == [("WRO 800000", 9)]
    bob.books.stow(purchase, {"PASS": 4}, now)
    await heard(town, "stock", "supply")
    assert [tuple(row.values()) for row in await town.house.rows(expected)] == [("WRO 800000", 5)]
    assert (await there(town))[0] == 4
    bob.books.close(purchase, now)
    await heard(town, "supply")
    assert await town.house.rows(expected) == []
