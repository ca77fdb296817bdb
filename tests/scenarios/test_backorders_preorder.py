"""Pre-orders, kits, what may be sold, and races, where goods are promised that nobody has yet."""

import asyncio
from datetime import timedelta
from typing import Any

from hub.flow.batch import Batch
from hub.flow.ports import LostRace
from hub.flow.resume import resume
from hub.flow.writes import Writes
from hub.store.unit_of_work import PostgresUnit
from hub.store.verify import verify_stock
from tests.scenarios.counter import Counter
from tests.scenarios.test_backorders import (
    LATER,
    SOON,
    TODAY,
    activate,
    expect,
    order_of,
    promised,
    promises,
    receive,
    said,
    states,
)
from tests.scenarios.town import Town


async def released_on(town: Town, sku: str, day: Any) -> None:
    """The day before which an item is not sent."""
    sql = "UPDATE item SET document = document || jsonb_build_object('available_from', $2::text) WHERE sku = $1"
    await town.house.run(sql, sku, day.isoformat())


async def test_what_is_not_released_yet_waits_for_its_day_though_it_is_on_the_shelf(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP", east=5)
    await counter.ok("PUT", "/items/LAMP", {"available_from": SOON.isoformat()})
    assert (await counter.ok("GET", "/items/LAMP"))["available_from"] == SOON.isoformat()
    order = await order_of(town, 2)
    assert await promises(town, order) == [(2, None, SOON)]
    assert await town.waiting() == [("preorder", f"item:{town.items['LAMP']}")]
    assert await town.house.open_exceptions() == []
    assert await town.house.value("SELECT count(*) FROM decision WHERE order_id = $1", order) == 0
    await receive(counter, 3)
    assert await states(town, order) == {"backordered": 2}


async def test_on_its_day_those_who_ordered_before_are_served_by_priority_without_being_woken(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP", east=3)
    await released_on(town, "LAMP", SOON)
    first = await order_of(town, 2)
    urgent = await order_of(town, 2, tags=("priority:0",))
    await town.house.run("UPDATE waiting SET due_at = now() + interval '1 hour'")
    await released_on(town, "LAMP", TODAY)
    await town.settle()
    assert await states(town, urgent) == {"accepted": 2}
    assert await states(town, first) == {"accepted": 1, "backordered": 1}
    assert await town.waiting() == [("shortage", f"item:{town.items['LAMP']}")]
    (moved,) = await said(town, first, "promise_moved")
    assert "no day known" in moved


async def test_a_pre_order_is_promised_supply_but_never_before_its_day(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    await released_on(town, "LAMP", LATER)
    await expect(counter, "PO-1", 5, SOON)
    order = await order_of(town, 2)
    assert await promises(town, order) == [(2, "PO-1", LATER)]
    assert await promised(town) == {"PO-1": (5, 2)}


async def test_a_pre_order_is_not_cancelled_before_its_day_even_where_nothing_waits(
    town: Town, counter: Counter
) -> None:
    await activate(counter, 'remainder = "cancel"')
    await town.goods("LAMP")
    await released_on(town, "LAMP", SOON)
    order = await order_of(town, 2)
    assert await states(town, order) == {"backordered": 2}


async def test_a_pre_order_sells_against_its_allowance(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    await released_on(town, "LAMP", SOON)
    await counter.ok(
        "PUT", "/allowances", {"sku": "LAMP", "kind": "preorder", "units": 10, "ships_on": LATER.isoformat()}
    )
    order = await order_of(town, 4)
    assert await promises(town, order) == [(4, None, LATER)]
    row = await counter.ok("GET", "/ats?sku=LAMP")
    assert row["available"] == 6


async def test_a_kit_is_promised_by_component_and_comes_with_the_last_of_them(town: Town, counter: Counter) -> None:
    await activate(counter, 'remainder = "backorder"')
    await town.goods("LAMP")
    await town.goods("SHADE", east=4)
    await town.goods("SET")
    parts = [{"sku": "LAMP", "quantity": 2}, {"sku": "SHADE", "quantity": 1}]
    await counter.ok("PUT", "/items/SET", {"components": parts})
    await expect(counter, "PO-1", 5, SOON)
    order = await order_of(town, 2, sku="SET")
    assert await states(town, order) == {"accepted": 2, "backordered": 4}
    assert await promises(town, order) == [(4, "PO-1", SOON)]
    await receive(counter, 5, "PO-1")
    assert await states(town, order) == {"accepted": 2, "released": 4}


async def test_what_is_promised_of_supply_may_not_be_sold_again(town: Town, counter: Counter) -> None:
    await activate(counter, 'remainder = "backorder"')
    await town.goods("LAMP")
    point = {"account": "acme.myshopify.com", "external_location": "501", "purpose": "sell", "nodes": ["EAST"]}
    await counter.ok("PUT", "/stock-points", point | {"supply_days": 15})
    await expect(counter, "PO-1", 5, SOON)
    await expect(counter, "PO-2", 50, LATER)
    await order_of(town, 2)
    row = await counter.ok("GET", "/ats?sku=LAMP&stock_point=501")
    steps = {step["name"]: step["quantity"] for step in row["steps"]}
    assert (row["available"], steps["backordered"], steps["supply"]) == (3, -2, 5)
    await receive(counter, 5, "PO-1")
    row = await counter.ok("GET", "/ats?sku=LAMP&stock_point=501")
    assert row["available"] == 3


async def test_two_that_promise_the_same_units_cannot_both_do_so(town: Town, counter: Counter) -> None:
    item = await town.goods("LAMP")
    await expect(counter, "PO-1", 3, SOON)
    supply = await town.house.value("SELECT id FROM supply")

    async def promise(units: int) -> bool:
        try:
            async with town.house.parts.database.transaction() as link:
                await PostgresUnit(link).write(Writes(supply=[(supply, item, units)]), town.house.parts.clock())
        except LostRace:
            return False
        return True

    done = await asyncio.gather(*(promise(2) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert await promised(town) == {"PO-1": (3, 2)}
    async with town.house.parts.database.connection() as link:
        assert [(d.kind, d.kept, d.rebuilt) for d in await verify_stock(link)] == [("supply", 2, 0)]
    await town.house.run("UPDATE supply SET promised = 0")


async def test_orders_that_come_at_once_share_supply_without_promising_a_unit_twice(
    town: Town, counter: Counter
) -> None:
    await activate(counter, 'remainder = "backorder"')
    await town.goods("LAMP")
    await expect(counter, "PO-1", 7, SOON)
    for _ in range(10):
        town.shop.place_order([("LAMP", 1)])
    await town.shop.delivered()
    await asyncio.gather(*(town.house.path() for _ in range(3)))
    await town.settle()
    assert await promised(town) == {"PO-1": (7, 7)}
    assert await town.house.value("SELECT count(*) FROM slice WHERE state = 'backordered'") == 10
    assert await town.house.value("SELECT count(*) FROM waiting WHERE queue = 'shortage'") == 3


async def test_looking_again_at_a_promise_that_holds_changes_nothing(town: Town, counter: Counter) -> None:
    await activate(counter, 'remainder = "backorder"')
    await town.goods("LAMP")
    await expect(counter, "PO-1", 7, SOON + timedelta(days=1))
    order = await order_of(town, 1)
    before = await town.timeline(order)
    await town.house.run("UPDATE waiting SET due_at = now()")
    house = town.house
    directory = await house.parts.configuration.directory()
    async with house.parts.database.transaction() as link:
        assert await resume(PostgresUnit(link), Batch(directory, house.parts.clock(), house.parts.new_id)) == 1
    assert await town.timeline(order) == before
