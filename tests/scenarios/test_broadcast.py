"""Telling channels what may be sold: coalesced, computed when sent, in the form each sink takes it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.sdk.adapter import Publishes, Subtracts
from hub.sdk.outcomes import Uncertain
from hub.store.availability import tell_everything
from tests.scenarios.bazaar import Bazaar, build_bazaar, use
from tests.scenarios.house import House


@pytest.fixture
async def bazaar(house: House) -> Bazaar:
    return await build_bazaar(house)


async def test_a_new_stall_is_told_everything_and_then_only_what_changed(bazaar: Bazaar) -> None:
    for sku, units in (("LAMP", 5), ("SHADE", 7)):
        await bazaar.house.shelf(bazaar.east, await bazaar.house.item(sku), units)
    await bazaar.stall("left")
    await bazaar.house.everything()
    assert bazaar.levels("left") == [{"LAMP": 5, "SHADE": 7}]
    await bazaar.order("left", "1", ("LAMP", 2))
    assert bazaar.levels("left")[1:] == [{"LAMP": 3}]
    (level,) = bazaar.told["left"][-1].levels
    assert (level.previous, level.change) == (5, -2)
    await bazaar.stall("right", buffer=1)
    await bazaar.house.everything()
    assert bazaar.levels("right") == [{"LAMP": 2, "SHADE": 6}]
    assert len(bazaar.levels("left")) == 2


async def test_many_sales_are_told_as_one_number(bazaar: Bazaar) -> None:
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 50)
    await bazaar.stall("left")
    await bazaar.stall("right")
    await bazaar.house.everything()
    for number in range(12):
        await bazaar.order("left", str(number), ("LAMP", 1), work=False)
    await bazaar.house.everything()
    assert bazaar.levels("right") == [{"LAMP": 50}, {"LAMP": 38}]


async def test_a_change_that_comes_to_the_same_number_is_not_told(bazaar: Bazaar) -> None:
    item = await bazaar.house.item("LAMP")
    await bazaar.house.shelf(bazaar.east, item, 5)
    await bazaar.stall("left", bazaar.east)
    await bazaar.house.everything()
    await bazaar.house.shelf(bazaar.west, item, 9)
    await bazaar.house.run("INSERT INTO dirty (item_id) VALUES ($1)", item)
    await bazaar.house.everything()
    assert bazaar.levels("left") == [{"LAMP": 5}]


async def test_what_nobody_counts_is_not_told(bazaar: Bazaar) -> None:
    item = await bazaar.house.item("GIFT", stock_mode="unlimited")
    await bazaar.stall("left")
    await bazaar.house.run("INSERT INTO dirty (item_id) VALUES ($1)", item)
    await bazaar.house.everything()
    assert bazaar.levels("left") == []
    assert await bazaar.house.value("SELECT count(*) FROM availability WHERE due_at IS NOT NULL") == 0


async def test_a_slow_stall_holds_up_nobody(bazaar: Bazaar) -> None:
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 5)
    await bazaar.stall("left")
    await bazaar.stall("right")
    bazaar.slow["left"] = 1.5
    began = time.monotonic()
    await bazaar.house.worker.broadcaster.run()
    assert bazaar.levels("right") == [{"LAMP": 5}]
    await bazaar.order("right", "1", ("LAMP", 1), work=False)
    await bazaar.house.path()
    await bazaar.house.worker.broadcaster.run()
    assert bazaar.says("right", "LAMP") == 4
    assert time.monotonic() - began < 1.4
    assert "left" not in bazaar.told
    await bazaar.house.worker.broadcaster.drain()
    assert bazaar.says("left", "LAMP") == 4, "told on until nothing is due"


async def test_a_sale_is_told_to_every_other_channel_without_waiting_for_a_sweep(bazaar: Bazaar) -> None:
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 500)
    for name in ("left", "right", "middle"):
        await bazaar.stall(name)
    await bazaar.house.everything()
    stop = asyncio.Event()
    working = asyncio.create_task(bazaar.house.worker.run(stop))
    try:
        waits = []
        for number in range(20):
            began = time.monotonic()
            await bazaar.order("left", str(number), ("LAMP", 1), work=False)
            bazaar.house.worker.bells.here("orders")
            while min(bazaar.says(name, "LAMP") for name in ("right", "middle")) != 499 - number:
                assert time.monotonic() - began < 20.0, "told only when it was swept up"
                await asyncio.sleep(0.002)
            waits.append(time.monotonic() - began)
    finally:
        stop.set()
        await working
    assert len(waits) == 20


async def test_the_delay_of_a_stall_is_measured(bazaar: Bazaar) -> None:
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 5)
    await bazaar.stall("left")
    bazaar.slow["left"] = 0.2
    await bazaar.house.everything()
    delay = await bazaar.house.value("SELECT delay_ms FROM publishing_delay WHERE connection_id = 'left'")
    assert 200 <= delay < 2000


async def test_a_resync_tells_every_level_again(bazaar: Bazaar) -> None:
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 5)
    point = await bazaar.stall("left")
    await bazaar.house.everything()
    points = [one for one in bazaar.house.worker.broadcaster._met or () if one.id == point]
    async with bazaar.house.parts.database.transaction() as link:
        assert await tell_everything(link, points, None) == 1
    await bazaar.house.everything()
    assert bazaar.levels("left") == [{"LAMP": 5}, {"LAMP": 5}]
    assert bazaar.told["left"][1].levels[0].previous is None


async def test_other_merchants_stalls_hear_nothing(bazaar: Bazaar) -> None:
    await bazaar.stall("left")
    await bazaar.house.run("INSERT INTO merchant VALUES ('other', 'Other')")
    item = await bazaar.house.value("INSERT INTO item (merchant, sku) VALUES ('other', 'THEIRS') RETURNING id")
    await bazaar.house.run("INSERT INTO stock (item_id, node_id) VALUES ($1, $2)", item, bazaar.east)
    await bazaar.house.run("INSERT INTO dirty (item_id) VALUES ($1)", item)
    await bazaar.house.everything()
    assert bazaar.levels("left") == []


async def test_a_sink_that_subtracts_its_own_orders_gets_exactly_those_back(bazaar: Bazaar) -> None:
    use(bazaar, subtracts=Subtracts.OWN_OPEN_ORDERS)
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 10)
    await bazaar.stall("left")
    await bazaar.stall("right")
    await bazaar.house.everything()
    await bazaar.order("left", "1", ("LAMP", 3))
    assert bazaar.says("left", "LAMP") == 10, "it shows 10 - 3 of its own"
    assert bazaar.says("right", "LAMP") == 7
    await bazaar.order("right", "2", ("LAMP", 2))
    assert (bazaar.says("left", "LAMP"), bazaar.says("right", "LAMP")) == (8, 7)


async def test_a_sink_that_takes_changes_is_told_none_after_an_uncertain_try(bazaar: Bazaar) -> None:
    use(bazaar, publishes=Publishes.RELATIVE)
    await bazaar.house.shelf(bazaar.east, await bazaar.house.item("LAMP"), 10)
    await bazaar.stall("left")
    await bazaar.house.everything()
    bazaar.answers = [Uncertain(reason="the line went dead")]
    await bazaar.order("left", "1", ("LAMP", 4), work=False)
    await bazaar.house.path()
    await bazaar.house.worker.broadcaster.run()
    await asyncio.sleep(0.05)
    await bazaar.house.everything()
    first, tried, again = bazaar.told["left"]
    assert [(u.levels[0].change, u.look_first) for u in (first, tried, again)] == [
        (None, False),
        (-4, False),
        (None, True),
    ]
    assert again.levels[0].quantity == 6


async def test_our_own_number_told_back_is_an_echo_and_no_shelf(bazaar: Bazaar) -> None:
    item = await bazaar.house.item("LAMP")
    await bazaar.house.shelf(bazaar.east, item, 5)
    await bazaar.stall("left", location="loc-1")
    await bazaar.house.everything()
    line = StockLine(location="loc-1", sku="LAMP", on_hand=5)
    told = StockReported(at=datetime.now(UTC), kind=ReportKind.SNAPSHOT, lines=(line,))
    await bazaar.house.hear("left", told)
    assert await bazaar.house.value("SELECT sellable FROM stock WHERE item_id = $1", item) == 5
    assert await bazaar.house.value("SELECT count(*) FROM stock_ledger") == 1
    assert await bazaar.house.open_exceptions() == []
    assert bazaar.levels("left") == [{"LAMP": 5}]


async def test_supply_in_the_window_and_allowances_are_told(bazaar: Bazaar) -> None:
    item = await bazaar.house.item("LAMP")
    await bazaar.house.shelf(bazaar.east, item, 2)
    today = datetime.now(UTC).date()
    for reference, days, units in (("PO-1", 3, 10), ("PO-2", 30, 100), ("PO-0", -1, 1000)):
        await bazaar.house.run(
            "INSERT INTO supply (merchant, reference, node_id, item_id, quantity, due, confidence) "
            "VALUES ('default', $1, $2, $3, $4, $5, 50)",
            reference,
            bazaar.east,
            item,
            units,
            today + timedelta(days=days),
        )
    await bazaar.stall("left", supply_days=7)
    await bazaar.stall("right")
    await bazaar.house.run("INSERT INTO allowance (item_id, kind, units) VALUES ($1, 'backorder', 4)", item)
    await bazaar.house.everything()
    assert bazaar.says("left", "LAMP") == 2 + 5 + 4
    assert bazaar.says("right", "LAMP") == 2 + 4
