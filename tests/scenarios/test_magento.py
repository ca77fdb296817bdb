"""A store that takes its own open orders off what it is told, and takes goods off its shelf when they ship."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.magento.harness import SOURCE, settings, simulator
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder
from hub.domain.shipping import TrackingStatus
from tests.scenarios.counter import Counter
from tests.scenarios.sold import scanned
from tests.scenarios.test_refunds import vars_of
from tests.scenarios.town import Town


@dataclass(kw_only=True)
class Dune:
    """A Magento store, connected to the town's hub; its only source is the eastern node."""

    town: Town
    store: MagentoSimulator

    async def sell(self, units: int) -> tuple[StoreOrder, dict[str, Any]]:
        """A customer orders mugs, the hub asks the store and tells the depot."""
        placed = self.store.place_order([("MUG-RED", units)])
        await self.ask()
        (row,) = await self.town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", str(placed.id))
        return placed, row

    async def ask(self) -> None:
        """Pull what is new at the store."""
        await self.town.house.pull("dune", "orders")
        await self.town.settle()

    async def leave(self, order: dict[str, Any]) -> None:
        """The depot ships an order; levels are told before the store is told what left."""
        self.town.depot.ship(self.town.asked(order["id"]))
        await self.town.depot.delivered()
        await self.town.house.path()
        await self.town.house.worker.broadcaster.run()
        await self.town.settle()

    def figures(self) -> tuple[int, int]:
        """What lies at the source by the store's books, and what it sells."""
        return self.store.source_items["MUG-RED", SOURCE], self.store.salable("MUG-RED")


@pytest.fixture
async def dune(town: Town) -> AsyncIterator[Dune]:
    async with simulator() as store:
        store.sell("PASS")
        await town.house.connect("dune", "magento", vars_of(settings(store)))
        await town.house.stock_point("dune", SOURCE, town.east)
        await town.goods("MUG-RED", east=10)
        await town.settle()
        yield Dune(town=town, store=store)
        assert store.violations == []


async def test_what_left_is_off_the_source_once_and_the_next_goods_are_put_on(dune: Dune, counter: Counter) -> None:
    assert dune.figures() == (10, 10)
    sold = [await dune.sell(2) for _ in range(3)]
    assert dune.figures() == (10, 4), "6 are the store's own open orders, which it takes off itself"
    for _, order in sold:
        await dune.leave(order)
    assert [placed.shipments[0].source for placed, _ in sold] == [SOURCE] * 3
    assert dune.figures() == (4, 4)
    line = {"node": "EAST", "sku": "MUG-RED", "delta": 6}
    await counter.ok("PUT", "/stock", {"source": "api", "kind": "delta", "lines": [line]})
    await dune.town.settle()
    assert dune.figures() == (10, 10), "as many as it was told before these orders left"
    assert await dune.town.house.open_exceptions() == []


async def test_a_level_told_before_the_store_knows_what_left_still_holds_it(dune: Dune, counter: Counter) -> None:
    placed, order = await dune.sell(3)
    await dune.sell(1)
    dune.store.hold(placed.id)
    await dune.leave(order)
    trouble = await dune.town.trouble()
    (left,) = dune.town.depot.shipments
    await dune.town.house.hear("depot", scanned(left.tracking, TrackingStatus.DELIVERED))
    assert (await dune.town.slices(order["id"]))[0][1] == "delivered"
    line = {"node": "EAST", "sku": "MUG-RED", "delta": 5}
    await counter.ok("PUT", "/stock", {"source": "api", "kind": "delta", "lines": [line]})
    await dune.town.settle()
    assert dune.figures() == (15, 11)
    dune.store.unhold(placed.id)
    await counter.ok("POST", f"/exceptions/{trouble['id']}/retry")
    await dune.town.settle()
    assert dune.figures() == (12, 11)
    assert len(placed.shipments) == 1
    assert await dune.town.house.open_exceptions() == []
