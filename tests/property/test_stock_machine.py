"""A whole hub under random reports, orders, carts, shipments and cancels: the books are right after every step."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.domain.facts import GoodsShipped
from hub.flow.batch import Batch
from hub.flow.carry import apply_facts
from hub.flow.displace import displace
from hub.flow.stock_levels import report_stock
from hub.flow.stock_ports import StockReport
from hub.store.admin.errors import Conflict
from hub.store.admin.reservations import CartWrite, cancel_reservation, reserve
from hub.store.sellable import available, find_sellables, scope_of_network
from hub.store.unit_of_work import PostgresUnit
from hub.store.verify import verify_stock
from tests.scenarios.bazaar import Bazaar, build_bazaar
from tests.scenarios.house import build_house

_numbers = count(1)

units = st.integers(0, 12)
few = st.integers(1, 5)
side = st.sampled_from(("east", "west"))


class Shop(RuleBasedStateMachine):
    """One item of its own at two nodes; what is on the shelves is kept beside, by the simplest arithmetic."""

    runner: ClassVar[asyncio.Runner]
    bazaar: ClassVar[Bazaar]

    @initialize()
    def open(self) -> None:
        """A new item and empty shelves."""
        number = next(_numbers)
        self.sku = f"ITEM-{number}"
        self.item: int = self.run(self.bazaar.house.item(self.sku))
        self.orders: dict[str, int] = {}
        """Units wanted, by external id."""
        self.carts: dict[str, int] = {}
        self.there = {"east": 0, "west": 0}

    def run(self, work: Any) -> Any:
        """Run to the end."""
        return self.runner.run(work)

    def node(self, name: str) -> int:
        return self.bazaar.east if name == "east" else self.bazaar.west

    async def _unit(self, work: Any) -> Any:
        house = self.bazaar.house
        directory = await house.parts.configuration.directory()
        async with house.parts.database.transaction() as link:
            batch = Batch(directory, datetime.now(UTC), house.parts.new_id, lock_stock=True)
            return await work(PostgresUnit(link), batch)

    async def _report(self, kind: str, name: str, figure: int, back: timedelta) -> None:
        at = datetime.now(UTC) - back
        told = StockReport(kind, self.item, self.node(name), figure, at, "machine", f"c{next(_numbers)}")
        await self._unit(lambda unit, batch: report_stock(unit, "default", [told], batch))
        await self._unit(displace)
        await self.bazaar.house.path()

    @rule(name=side, figure=units, kind=st.sampled_from(("snapshot", "count")))
    def count(self, name: str, figure: int, kind: str) -> None:
        """A count of now."""
        self.run(self._report(kind, name, figure, timedelta()))
        self.there[name] = figure

    @rule(name=side, figure=units)
    def late_count(self, name: str, figure: int) -> None:
        """A count of hours ago, each older than the one before: what moved here is newer, and so is any other count."""
        counted = self.run(
            self.bazaar.house.value(
                "SELECT counted_at FROM stock WHERE item_id = $1 AND node_id = $2", self.item, self.node(name)
            )
        )
        self.run(self._report("snapshot", name, figure, timedelta(hours=next(_numbers))))
        if counted is None:
            self.there[name] += figure

    @rule(name=side, change=st.integers(-4, 6))
    def change(self, name: str, change: int) -> None:
        """Something came or went."""
        self.run(self._report("delta", name, change, timedelta()))
        self.there[name] += change

    @rule(wanted=few, later=st.booleans())
    def order(self, wanted: int, later: bool) -> None:
        """Somebody orders; some may leave only in days, and are held back unreleased."""
        id = f"o{next(_numbers)}"
        self.run(self.bazaar.order("stall", id, (self.sku, wanted), later=later, work=False))
        self.run(self.bazaar.house.path())
        self.orders[id] = wanted

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), left=st.integers(0, 3))
    def amend(self, data: st.DataObject, left: int) -> None:
        """He wants fewer, or none."""
        id = data.draw(st.sampled_from(sorted(self.orders)))
        left = min(left, self.orders[id])
        self.run(self.bazaar.order("stall", id, (self.sku, left), version=next(_numbers) + 1, work=False))
        self.run(self.bazaar.house.path())
        self.orders[id] = left

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        """A node ships all it was asked for by one order, and says so twice."""
        id = data.draw(st.sampled_from(sorted(self.orders)))
        self.run(self._ship(id))

    async def _ship(self, id: str) -> None:
        rows = await self.bazaar.house.rows(
            "SELECT f.order_id, f.no, f.node_id, sum(s.quantity)::int AS units FROM fulfilment_order f "
            "JOIN customer_order o ON o.id = f.order_id JOIN slice s ON s.order_id = f.order_id "
            "AND s.fulfilment_no = f.no AND s.state IN ('released', 'accepted') WHERE o.external_id = $1 "
            "GROUP BY 1, 2, 3",
            id,
        )
        for row in rows:
            fact = GoodsShipped(at=datetime.now(UTC), fulfilment=f"{row['order_id']}-{row['no']}", shipment="s")
            for _ in range(2):
                await self._unit(lambda unit, batch, fact=fact: apply_facts(unit, [fact], batch))
            self.there["east" if row["node_id"] == self.bazaar.east else "west"] -= row["units"]

    @rule(wanted=few, name=st.none() | side)
    def fill_cart(self, wanted: int, name: str | None) -> None:
        """Somebody fills a cart, at a node or anywhere; it may be refused."""
        id = f"cart{next(_numbers)}"

        async def work(unit: PostgresUnit, batch: Batch) -> None:
            await reserve(
                unit.connection,
                "default",
                id=id,
                lines=[CartWrite(self.sku, wanted, self.node(name) if name else 0)],
                scope=await scope_of_network(unit.connection),
                now=batch.now,
                expires_at=batch.now + timedelta(minutes=5),
            )

        try:
            self.run(self._unit(work))
        except Conflict:
            return
        self.carts[id] = wanted

    @precondition(lambda self: self.carts)
    @rule(data=st.data())
    def empty_cart(self, data: st.DataObject) -> None:
        """He thinks better of it."""
        id = data.draw(st.sampled_from(sorted(self.carts)))
        self.run(self._unit(lambda unit, batch: cancel_reservation(unit.connection, "default", id)))
        del self.carts[id]
        self.run(self.bazaar.house.path())

    @invariant()
    def books_are_right(self) -> None:
        """Counters equal slices, balances equal the ledger, the ledger equals what happened."""
        if hasattr(self, "item"):
            self.run(self._check())

    async def _check(self) -> None:
        house = self.bazaar.house
        async with house.parts.database.connection() as link:
            assert [drift for drift in await verify_stock(link) if drift.item == self.item] == []
            items = await find_sellables(link, "default", [self.sku])
            scope = await scope_of_network(link)
            found = (await available(link, items.values(), scope, datetime.now(UTC)))[self.item]
        rows = await house.rows("SELECT node_id, sellable, pinned FROM stock WHERE item_id = $1", self.item)
        balances = {row["node_id"]: row["sellable"] for row in rows}
        assert {name: balances.get(self.node(name), 0) for name in self.there} == self.there
        claims = await house.value(
            "SELECT coalesce(sum(s.quantity), 0)::int FROM slice s JOIN demand d ON d.order_id = s.order_id "
            "AND d.no = s.demand_no WHERE d.item_id = $1 AND s.state NOT IN ('shipped', 'delivered', 'cancelled')",
            self.item,
        )
        carts = await house.value(
            "SELECT coalesce(sum(l.quantity), 0)::int FROM cart_line l JOIN cart_reservation c "
            "ON c.id = l.reservation_id WHERE c.ended IS NULL AND l.item_id = $1",
            self.item,
        )
        # A shelf in deficit is lent nothing by the other: what it lacks is told, not taken.
        lacking = sum(max(0, row["pinned"] - row["sellable"]) for row in rows)
        assert found.ats.available <= max(0, sum(self.there.values()) - claims - carts + lacking)
        assert found.ats.raw == sum(self.there.values()) - claims - carts + lacking
        untold = await house.value(
            "SELECT count(*) FROM slice s JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no "
            "JOIN stock k ON k.item_id = d.item_id AND k.node_id = s.node_id "
            "WHERE d.item_id = $1 AND s.state = 'reserved' AND k.pinned > k.sellable",
            self.item,
        )
        assert untold == 0, "law 8: what no node was told of has given way"


@pytest.fixture(scope="module")
def runner() -> Any:
    with asyncio.Runner() as made:
        yield made


@pytest.mark.timeout(240)
def test_the_books_are_right_after_every_step(
    runner: asyncio.Runner, database_url: str, queue_url: str, engine_folder: Path
) -> None:
    house = runner.run(build_house(database_url, queue_url, engine_folder))
    Shop.runner, Shop.bazaar = runner, runner.run(build_bazaar(house))
    try:
        runner.run(Shop.bazaar.stall("stall"))
        run_state_machine_as_test(
            Shop,
            settings=settings(
                max_examples=8,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                derandomize=True,
            ),
        )
    finally:
        runner.run(house.close())
