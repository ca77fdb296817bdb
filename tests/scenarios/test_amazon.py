"""A marketplace that only says that an order changed: it is read, kept from leaving too early, sent, and confirmed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from adapters.amazon.harness import settings, simulator
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.simulator_books import Order
from tests.scenarios.counter import Counter
from tests.scenarios.test_refunds import vars_of
from tests.scenarios.town import Town

PRICE = Decimal("12.99")


@dataclass(kw_only=True)
class River:
    """A seller at Amazon, connected to the town's hub; what is for sale there lies at the eastern node."""

    town: Town
    seller: AmazonSimulator

    async def hear(self) -> None:
        """Read the queue, and do what follows."""
        await self.town.house.pull("river", "notifications")
        await self.town.settle()

    async def sell(self, units: int, **how: Any) -> Order:
        """A customer orders mugs, and the queue says so."""
        placed = self.seller.place([("MUG-RED", units, PRICE)], **how)
        await self.hear()
        return placed

    async def change(self, placed: Order) -> None:
        """Tell of an order once more."""
        self.seller.notify(placed)
        await self.hear()

    async def order(self, placed: Order) -> dict[str, Any]:
        """The hub's row of an order; there is exactly one."""
        (row,) = await self.town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", placed.id)
        return row

    async def slices(self, placed: Order) -> list[tuple[int, str, int | None]]:
        return await self.town.slices((await self.order(placed))["id"])

    def offered(self) -> int:
        """Units on sale."""
        return self.seller.books.listings["MUG-RED"].quantity


@pytest.fixture
async def river(town: Town) -> AsyncIterator[River]:
    async with simulator() as seller:
        seller.sell("PASS")
        await town.house.connect("river", "amazon", vars_of(settings(seller)))
        await town.house.stock_point("river", "DEFAULT", town.east)
        await town.goods("MUG-RED", east=10)
        await town.settle()
        yield River(town=town, seller=seller)
        assert seller.violations == []


async def test_an_order_is_read_once_sent_and_confirmed_with_its_parcel(river: River) -> None:
    """Its notification comes twice, as Amazon's do."""
    assert river.offered() == 10
    placed = await river.sell(2)
    assert await river.slices(placed) == [(2, "accepted", river.town.east)]
    assert river.offered() == 8
    order = await river.order(placed)
    river.town.depot.ship(river.town.asked(order["id"]))
    await river.town.settle()
    (package,) = placed.packages.values()
    (left,) = river.town.depot.shipments
    assert (package.tracking, package.contents) == (left.tracking, {placed.lines[0].id: 2})
    assert placed.status == "SHIPPED"
    await river.change(placed)
    assert (await river.order(placed))["state"] == "closed"
    assert river.offered() == 8
    assert await river.town.house.open_exceptions() == []


async def test_an_order_that_is_not_paid_for_yet_holds_its_goods_and_does_not_leave(river: River) -> None:
    placed = await river.sell(3, status="PENDING")
    assert await river.slices(placed) == [(3, "reserved", river.town.east)]
    assert river.town.depot.orders == {}
    assert river.offered() == 7
    river.seller.books.clear(placed, river.seller.now())
    await river.change(placed)
    assert await river.slices(placed) == [(3, "accepted", river.town.east)]
    assert await river.town.house.open_exceptions() == []


async def test_a_buyers_wish_is_granted_when_the_depot_can_still_stop(river: River) -> None:
    placed = await river.sell(2)
    river.seller.books.wish(placed, river.seller.now())
    await river.change(placed)
    assert await river.slices(placed) == []
    assert (placed.status, placed.lines[0].cancelled_by) == ("CANCELLED", "BUYER")
    assert river.seller.books.acknowledged[placed.id] == 1
    await river.change(placed)
    assert (await river.order(placed))["state"] == "cancelled"
    assert river.seller.books.refunds == {}, "nothing is taken before it leaves"
    assert river.offered() == 10
    assert await river.town.house.open_exceptions() == []


async def test_a_buyers_wish_that_comes_too_late_is_answered_with_the_shipment(river: River) -> None:
    placed = await river.sell(2)
    order = await river.order(placed)
    river.town.depot.ship(river.town.asked(order["id"]))
    river.seller.books.wish(placed, river.seller.now())
    await river.change(placed)
    assert placed.status == "SHIPPED"
    assert river.seller.books.acknowledged[placed.id] == 0


async def test_what_amazon_fulfils_itself_is_recorded_and_takes_none_of_our_goods(river: River) -> None:
    placed = await river.sell(4, fulfilled_by="AMAZON")
    assert await river.slices(placed) == [(4, "unallocated", None)]
    assert await river.town.waiting() == []
    assert await river.town.stock("MUG-RED", river.town.east) == (10, 0)
    assert river.town.depot.orders == {}
    assert river.offered() == 10
    placed.lines[0].shipped = 4
    placed.settle()
    river.seller.books.touch(placed, river.seller.now())
    await river.change(placed)
    assert (await river.order(placed))["state"] == "closed"
    assert await river.slices(placed) == [(4, "shipped", None)]
    assert await river.town.stock("MUG-RED", river.town.east) == (10, 0)
    assert await river.town.house.open_exceptions() == []


async def test_what_a_person_cancels_here_is_told_in_a_feed(river: River, counter: Counter) -> None:
    placed = await river.sell(1)
    order = await river.order(placed)
    await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "no stock"})
    await river.town.settle()
    assert (placed.status, placed.lines[0].cancelled_by) == ("CANCELLED", "MERCHANT")
    assert river.seller.books.refunds == {}
    await river.change(placed)
    assert river.offered() == 10
    assert await river.town.house.open_exceptions() == []


async def test_what_no_notification_told_of_is_found_by_the_scan(river: River) -> None:
    placed = river.seller.place([("MUG-RED", 1, PRICE)])
    river.seller.books.queue.clear()
    await river.town.house.pull("river", "orders")
    await river.town.settle()
    assert await river.slices(placed) == [(1, "accepted", river.town.east)]
