"""Others' figures against ours: each drift named, repaired by what may be repeated, or told to a person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.flow.stock_ports import Figure
from hub.store.reconcile import Run, reconcile
from hub.store.unit_of_work import PostgresUnit
from tests.scenarios.bazaar import Bazaar, build_bazaar
from tests.scenarios.house import House


@pytest.fixture
async def bazaar(house: House) -> Bazaar:
    return await build_bazaar(house)


async def run(house: House, *, own: bool = False) -> Run:
    async with house.parts.database.transaction() as link:
        done = await reconcile(link, datetime.now(UTC), own=own)
    assert done is not None
    return done


async def drifts(house: House) -> list[dict[str, Any]]:
    return await house.rows(
        "SELECT party, class, action, state, theirs, ours, count, closed_at IS NULL AS open FROM drift ORDER BY id"
    )


async def states(house: House, party: str, source: str, item: int, quantity: int, **where: Any) -> None:
    """Somebody says what he has."""
    figure = Figure(
        party,
        source,
        item,
        where.get("node", 0),
        where.get("point", 0),
        quantity,
        where.get("at") or datetime.now(UTC),
        "test",
    )
    async with house.parts.database.transaction() as link:
        await PostgresUnit(link).keep_figures("default", [figure])


async def stall_with(bazaar: Bazaar, units: int) -> tuple[int, int]:
    item = await bazaar.house.item("LAMP")
    await bazaar.house.shelf(bazaar.east, item, units)
    point = await bazaar.stall("left", location="loc-1")
    await bazaar.house.everything()
    return item, point


async def says(bazaar: Bazaar, units: int) -> None:
    """The stall tells its own number."""
    line = StockLine(location="loc-1", sku="LAMP", on_hand=units)
    told = StockReported(at=datetime.now(UTC), kind=ReportKind.SNAPSHOT, lines=(line,))
    await bazaar.house.hear("left", told, deliver=False)
    await bazaar.house.path()


async def test_an_echo_is_no_drift(bazaar: Bazaar) -> None:
    await stall_with(bazaar, 5)
    await says(bazaar, 5)
    assert await run(bazaar.house) == Run(1, 0, 0, 0)
    assert await run(bazaar.house) == Run(0, 0, 0, 0)


async def test_a_number_that_somebody_else_wrote_is_told_again_until_it_stands(bazaar: Bazaar) -> None:
    await stall_with(bazaar, 5)
    await says(bazaar, 99)
    assert (await run(bazaar.house)).repaired == 1
    await bazaar.house.everything()
    (level,) = bazaar.told["left"][-1].levels
    assert (level.quantity, level.previous, level.change) == (5, 99, -94)
    assert [(d["class"], d["action"], d["state"], d["open"]) for d in await drifts(bazaar.house)] == [
        ("wrong", "retell", "repaired", True)
    ]
    await says(bazaar, 5)
    await run(bazaar.house)
    assert [(d["state"], d["open"]) for d in await drifts(bazaar.house)] == [("repaired", False)]
    assert await bazaar.house.open_exceptions() == []


async def test_a_drift_that_always_comes_back_is_a_persons(bazaar: Bazaar) -> None:
    await stall_with(bazaar, 5)
    for _ in range(4):
        await says(bazaar, 99)
        await run(bazaar.house)
        await bazaar.house.everything()
    (found,) = await bazaar.house.open_exceptions()
    assert found["kind"] == "stock_drift"
    assert "left says 99, we say 5" in found["next_step"]
    await says(bazaar, 5)
    await run(bazaar.house)
    assert await bazaar.house.open_exceptions() == []


async def test_lost_doubled_and_late_numbers_of_a_channel(bazaar: Bazaar) -> None:
    item, _ = await stall_with(bazaar, 10)
    await bazaar.order("left", "1", ("LAMP", 3))
    assert bazaar.says("left", "LAMP") == 7
    found = []
    for theirs in (10, 4):
        await says(bazaar, theirs)
        await run(bazaar.house)
        await bazaar.house.everything()
        found.append((await drifts(bazaar.house))[-1]["class"])
        await bazaar.house.run("UPDATE availability SET sent = 7, before = 10")
        await bazaar.house.run("DELETE FROM drift")
    assert found == ["lost", "doubled"]
    await says(bazaar, 6)
    await bazaar.house.run("INSERT INTO dirty (item_id) VALUES ($1)", item)
    assert await run(bazaar.house) == Run(1, 1, 0, 0)
    assert [(d["class"], d["action"], d["state"]) for d in await drifts(bazaar.house)] == [("late", "wait", "waiting")]
    await bazaar.house.everything()
    await says(bazaar, 7)
    await run(bazaar.house)
    assert [(d["state"], d["open"]) for d in await drifts(bazaar.house)] == [("gone", False)]


async def test_books_that_differ_are_told_naming_both_and_the_ledger_stays(house: House) -> None:
    east = await house.node("EAST")
    item = await house.item("LAMP")
    await house.shelf(east, item, 20)
    await states(house, "erp", "books", item, 13, node=east)
    assert (await run(house)).raised == 1
    (found,) = await house.open_exceptions()
    assert found["cause"] == "books: LAMP at EAST"
    assert "books says 13, we say 20" in found["next_step"]
    assert await house.value("SELECT sellable FROM stock") == 20
    await states(house, "erp", "books", item, 20, node=east)
    await run(house)
    assert await house.open_exceptions() == []


async def test_books_of_all_nodes_together_are_compared_as_of_their_moment(house: House) -> None:
    east, west = await house.node("EAST"), await house.node("WEST")
    item = await house.item("LAMP")
    await house.shelf(east, item, 20)
    await house.shelf(west, item, 5)
    then = datetime.now(UTC)
    await house.run(
        "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
        "VALUES ('default', $1, $2, -4, 'dispatch', 'hub', 'ORDER', now() + interval '1 millisecond', now())",
        east,
        item,
    )
    await house.run("UPDATE stock SET sellable = sellable - 4 WHERE node_id = $1", east)
    await states(house, "erp", "books", item, 25, at=then)
    assert await run(house) == Run(1, 0, 0, 0)


async def test_an_older_figure_does_not_replace_a_newer_one(house: House) -> None:
    item, now = await house.item("LAMP"), datetime.now(UTC)
    await states(house, "erp", "books", item, 3, at=now)
    await states(house, "erp", "books", item, 9, at=now - timedelta(minutes=1))
    assert await house.value("SELECT quantity FROM figure") == 3


async def test_a_counter_that_lost_its_slices_is_rebuilt_and_kept_note_of(house: House) -> None:
    east = await house.node("EAST")
    item = await house.item("LAMP")
    await house.shelf(east, item, 20)
    await house.run("UPDATE stock SET sellable = 17, pinned = 2")
    await house.run("INSERT INTO item_promise (item_id, soft) VALUES ($1, 4)", item)
    done = await run(house, own=True)
    assert (done.found, done.repaired) == (3, 3)
    assert await house.rows("SELECT sellable, pinned FROM stock") == [{"sellable": 20, "pinned": 0}]
    found = {(d["party"], d["class"], d["action"], d["state"], d["open"]) for d in await drifts(house)}
    assert found == {("hub", "wrong", "rebuild", "repaired", False)}
    assert (await run(house, own=True)).found == 0


async def test_a_balance_without_its_row_is_found_and_rebuilt(house: House) -> None:
    east = await house.node("EAST")
    item = await house.item("LAMP")
    await house.shelf(east, item, 20)
    await house.run("DELETE FROM stock")
    assert (await run(house, own=True)).repaired == 1
    assert await house.value("SELECT sellable FROM stock WHERE item_id = $1", item) == 20


async def test_what_a_master_corrects_is_named(bazaar: Bazaar) -> None:
    house = bazaar.house
    item, _ = await stall_with(bazaar, 10)
    await house.run("UPDATE stock_ledger SET true_at = now() - interval '2 hours'")
    await house.bind(bazaar.east, "left", "shelf-1", role="stock_master")
    line = StockLine(location="shelf-1", sku="LAMP", on_hand=4)
    await house.hear("left", StockReported(at=datetime.now(UTC), kind=ReportKind.SNAPSHOT, lines=(line,)))
    assert await house.value("SELECT sellable FROM stock WHERE item_id = $1", item) == 4
    await run(house)
    assert [(d["party"], d["theirs"], d["action"], d["state"], d["open"]) for d in await drifts(house)] == [
        ("node", -6, "taken_over", "repaired", False)
    ]
    assert (await run(house)).found == 0


async def test_one_comparison_at_a_time(house: House) -> None:
    async with house.parts.database.transaction() as first, house.parts.database.transaction() as second:
        assert await reconcile(first, datetime.now(UTC), own=False) is not None
        assert await reconcile(second, datetime.now(UTC), own=False) is None


async def test_the_lane_compares_what_comes_and_rests_otherwise(house: House) -> None:
    item = await house.item("LAMP")
    await states(house, "erp", "books", item, 0)
    assert await house.worker.reconciler.run() == 1
    assert await house.worker.reconciler.run() == 0
