"""Scarce goods: shortages, splits, refusals, short picks, kits, uncounted goods, sales at the till."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.domain.facts import (
    FactLine,
    FulfilmentRefused,
    GoodsShipped,
    StockLine,
    StockMeaning,
    StockReported,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.sdk.adapter import Lane
from tests.scenarios.town import EAST, TILL, WEST, Town


def counted(location: str, sku: str, on_hand: int, at: datetime | None = None) -> StockReported:
    """A count of one shelf."""
    line = StockLine(location=location, sku=sku, on_hand=on_hand)
    return StockReported(at=at or datetime.now(UTC), kind=ReportKind.SNAPSHOT, lines=(line,))


async def ledger(town: Town, sku: str) -> list[tuple[str, int]]:
    """(reason, units) of the ledger after the seed."""
    rows = await town.house.rows(
        "SELECT reason, delta FROM stock_ledger WHERE item_id = $1 AND cause <> 'seed' ORDER BY id", town.items[sku]
    )
    return [(row["reason"], row["delta"]) for row in rows]


async def test_what_is_there_ships_and_the_rest_waits_for_stock(town: Town) -> None:
    await town.goods("LAMP", east=3)
    _, order = await town.buy([("LAMP", 8)])
    assert await town.slices(order["id"]) == [(5, "unallocated", None), (3, "accepted", town.east)]
    assert await town.waiting() == [("shortage", f"item:{town.items['LAMP']}")]
    found = await town.trouble()
    assert (found["kind"], found["cause"]) == ("shortage", "default: LAMP")
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert await town.stock("LAMP", town.east) == (0, 0)

    await town.house.hear("depot", counted(EAST, "LAMP", 2))
    assert await town.slices(order["id"]) == [
        (3, "unallocated", None),
        (3, "shipped", town.east),
        (2, "accepted", town.east),
    ]
    assert (await town.trouble())["id"] == found["id"], "the same exception, still open: it still waits"
    assert await town.waiting() == [("shortage", f"item:{town.items['LAMP']}")]

    await town.house.hear("depot", counted(WEST, "LAMP", 10))
    assert await town.waiting() == []
    assert await town.house.open_exceptions() == []
    assert [line.quantity for line in town.asked(order["id"], 3).lines] == [3]
    assert await town.stock("LAMP", town.west) == (10, 3)


async def test_of_many_that_wait_those_who_can_are_served_when_stock_arrives(town: Town) -> None:
    await town.goods("LAMP")
    placed = [town.shop.place_order([("LAMP", 2)]) for _ in range(5)]
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    assert (await town.trouble())["count"] == 5
    await town.house.hear("depot", counted(EAST, "LAMP", 6))
    served = [await town.slices((await town.order(one))["id"]) for one in placed]
    assert sorted(len([s for s in slices if s[1] == "accepted"]) for slices in served) == [0, 0, 1, 1, 1]
    assert await town.stock("LAMP", town.east) == (6, 6)
    assert (await town.trouble())["kind"] == "shortage"
    await town.house.hear("depot", counted(WEST, "LAMP", 50))
    assert await town.house.open_exceptions() == []
    assert await town.stock("LAMP", town.west) == (50, 4)


async def test_two_nodes_share_an_order_that_neither_can_fill(town: Town) -> None:
    await town.goods("LAMP", east=9)
    await town.goods("SHADE", west=9)
    placed, order = await town.buy([("LAMP", 2), ("SHADE", 3)])
    asked = {(line.sku, line.quantity, line.warehouse) for no in (1, 2) for line in town.asked(order["id"], no).lines}
    assert asked == {("LAMP", 2, EAST), ("SHADE", 3, WEST)}
    for no in (1, 2):
        town.depot.ship(town.asked(order["id"], no))
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    assert len(town.shop.fulfilments[placed.id]) == 2
    assert await town.stock("LAMP", town.east) == (7, 0)
    assert await town.stock("SHADE", town.west) == (6, 0)


async def test_one_line_larger_than_any_shelf_is_split_over_two(town: Town) -> None:
    await town.goods("LAMP", east=4, west=5)
    _, order = await town.buy([("LAMP", 7)])
    assert sum(units for units, state, _ in await town.slices(order["id"]) if state == "accepted") == 7
    assert {row["node_id"] for row in await town.fulfilments(order["id"])} == {town.east, town.west}
    assert (await town.stock("LAMP", town.east))[1] + (await town.stock("LAMP", town.west))[1] == 7


async def other(town: Town, node: int) -> int:
    return town.west if node == town.east else town.east


async def test_a_refusal_sends_the_units_to_another_node_and_not_back(town: Town) -> None:
    await town.goods("LAMP", east=5, west=5)
    _, order = await town.buy([("LAMP", 2)])
    (first,) = await town.fulfilments(order["id"])
    refusal = FulfilmentRefused(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", reason="closed today")
    await town.house.hear("depot", refusal)
    rows = await town.fulfilments(order["id"])
    assert [row["handoff"] for row in rows] == ["refused", "accepted"]
    elsewhere = await other(town, first["node_id"])
    assert rows[1]["node_id"] == elsewhere
    assert await town.stock("LAMP", first["node_id"]) == (5, 0), "nothing was said about the shelf"
    assert await town.house.value("SELECT node_id FROM exclusion") == first["node_id"]

    second = FulfilmentRefused(at=datetime.now(UTC), fulfilment=f"{order['id']}-2", reason="closed too")
    await town.house.hear("depot", second)
    assert await town.slices(order["id"]) == [(2, "unallocated", None)]
    assert (await town.trouble())["kind"] == "shortage"
    assert len(await town.fulfilments(order["id"])) == 2


async def test_a_refusal_for_want_of_goods_empties_the_shelf_until_it_is_counted(town: Town) -> None:
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 2)])
    gone = FulfilmentRefused(
        at=datetime.now(UTC), fulfilment=f"{order['id']}-1", reason="no such goods", stock=StockMeaning.ALL
    )
    await town.house.hear("depot", gone)
    assert await town.stock("LAMP", town.east) == (0, 0)
    later, second = await town.buy([("LAMP", 1)])
    assert await town.slices(second["id"]) == [(1, "unallocated", None)]
    await town.house.hear("depot", counted(EAST, "LAMP", 4))
    assert await town.slices(second["id"]) == [(1, "accepted", town.east)]
    assert await town.slices(order["id"]) == [(2, "unallocated", None)], "this order's goods the node has refused"


async def test_a_short_pick_sends_the_rest_elsewhere_and_corrects_the_shelf(town: Town) -> None:
    await town.goods("LAMP", east=5, west=5)
    _, order = await town.buy([("LAMP", 4)])
    (first,) = await town.fulfilments(order["id"])
    node = first["node_id"]
    short = UnitsShort(
        at=datetime.now(UTC), fulfilment=f"{order['id']}-1", lines=(FactLine(quantity=3, line="1"),), reason="not found"
    )
    await town.house.hear("depot", short)
    elsewhere = await other(town, node)
    assert sorted(await town.slices(order["id"])) == sorted([(1, "accepted", node), (3, "accepted", elsewhere)])
    assert await town.stock("LAMP", node) == (2, 1)
    assert await ledger(town, "LAMP") == [("short", -3)]
    assert [line.quantity for line in town.asked(order["id"], 2).lines] == [3]


async def test_a_short_pick_by_sku_after_packing_counts_as_well(town: Town) -> None:
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 2)])
    short = UnitsShort(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", lines=(FactLine(quantity=9, sku="LAMP"),))
    await town.house.hear("depot", short)
    assert await town.slices(order["id"]) == [(2, "unallocated", None)]
    assert await town.stock("LAMP", town.east) == (3, 0), "no more than what was asked of it is missing"


async def test_what_was_cancelled_meanwhile_is_not_rerouted_after_a_short_pick(town: Town) -> None:
    await town.goods("LAMP", east=5, west=5)
    placed, order = await town.buy([("LAMP", 4)])
    town.shop.cancel_order(placed.id)
    await town.shop.delivered()
    await town.house.path()
    refusal = FulfilmentRefused(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", reason="closed today")
    await town.house.hear("depot", refusal, deliver=False)
    await town.house.path()
    assert (await town.order(placed))["state"] == "cancelled"
    await town.settle()
    assert len(town.depot.orders) == 1
    assert await town.stock("LAMP", town.east) == (5, 0)
    assert await town.stock("LAMP", town.west) == (5, 0)


async def test_a_kit_leaves_as_its_components_and_is_confirmed_as_itself(town: Town) -> None:
    cup, lid = await town.goods("CUP", east=9), await town.goods("LID", east=9)
    town.shop.sell("BOX", available=5)
    box = await town.house.item("BOX")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 2), ($1, $3, 1)", box, cup, lid)
    placed, order = await town.buy([("BOX", 2), ("PASS", 1)])
    asked = {(line.sku, line.quantity) for line in town.asked(order["id"]).lines}
    assert asked == {("CUP", 4), ("LID", 2), ("PASS", 1)}
    assert await town.stock("CUP", town.east) == (9, 4)
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert await town.stock("CUP", town.east) == (5, 0)
    assert await town.stock("LID", town.east) == (7, 0)
    (made,) = town.shop.fulfilments[placed.id]
    assert made.lines == {placed.lines[0].id: 2, placed.lines[1].id: 1}


async def test_a_kit_is_confirmed_by_its_least_component_and_completed_by_the_last(town: Town) -> None:
    cup, lid = await town.goods("CUP", east=9), await town.goods("LID", west=9)
    town.shop.sell("BOX", available=5)
    box = await town.house.item("BOX")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 2), ($1, $3, 1)", box, cup, lid)
    placed, order = await town.buy([("BOX", 2)])
    rows = {row["node_id"]: row["no"] for row in await town.fulfilments(order["id"])}
    town.depot.ship(town.asked(order["id"], rows[town.east]))
    await town.settle()
    assert town.shop.fulfilments[placed.id] == [], "no box is whole yet"
    town.depot.ship(town.asked(order["id"], rows[town.west]))
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    assert sum(sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]) == 2


async def test_a_partner_that_keeps_no_reference_speaks_of_components_by_their_sku(town: Town) -> None:
    cup, lid = await town.goods("CUP", east=9), await town.goods("LID", east=9)
    town.shop.sell("BOX", available=5)
    box = await town.house.item("BOX")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 2), ($1, $3, 1)", box, cup, lid)
    placed, order = await town.buy([("BOX", 2)])
    units = (ParcelLine(line="sku:CUP", quantity=4), ParcelLine(line="sku:LID", quantity=2))
    shipped = GoodsShipped(
        at=datetime.now(UTC), fulfilment=f"{order['id']}-1", shipment="s-1", parcels=(Parcel(lines=units),)
    )
    await town.house.hear("depot", shipped)
    assert (await town.order(placed))["state"] == "closed"
    assert await town.stock("CUP", town.east) == (5, 0)
    assert await town.stock("LID", town.east) == (7, 0)
    assert await town.house.open_exceptions() == []
    assert sum(town.shop.fulfilments[placed.id][0].lines.values()) == 2


async def test_two_components_that_lack_are_one_exception_that_stays_until_both_came(town: Town) -> None:
    cup, lid = await town.goods("CUP"), await town.goods("LID")
    town.shop.sell("BOX", available=5)
    box = await town.house.item("BOX")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 2), ($1, $3, 1)", box, cup, lid)
    _, order = await town.buy([("BOX", 1)])
    found = await town.trouble()
    assert found["cause"] == "default: BOX"
    await town.house.hear("depot", counted(EAST, "CUP", 5))
    assert (await town.trouble())["id"] == found["id"]
    assert await town.waiting() == [("shortage", f"item:{lid}")]
    await town.house.hear("depot", counted(EAST, "LID", 5))
    assert await town.house.open_exceptions() == []


@pytest.mark.parametrize("mode", ["unlimited", "none"])
async def test_an_item_nobody_counts_needs_no_stock(town: Town, mode: str) -> None:
    await town.goods("SONG", stock_mode=mode)
    _, order = await town.buy([("SONG", 5000)])
    assert [(units, state) for units, state, _ in await town.slices(order["id"])] == [(5000, "accepted")]
    assert await town.house.value("SELECT count(*) FROM stock WHERE item_id = $1", town.items["SONG"]) == 0
    assert await town.house.value("SELECT count(*) FROM item_promise WHERE unpinned <> 0") == 0
    town.depot.stock(EAST, "SONG", 9000)
    town.depot.stock(WEST, "SONG", 9000)
    town.depot.ship(town.asked(order["id"]))
    await town.shop.delivered()
    await town.depot.delivered()
    await town.house.path()
    assert await ledger(town, "SONG") in ([], [("snapshot", 4000)]), "a count is kept, a dispatch is not subtracted"


async def test_goods_that_do_not_ship_ask_nobody(town: Town) -> None:
    gift = town.shop.sell("GIFT", available=5)
    town.shop.add_variant(msgspec.structs.replace(gift, gift_card=True, ships=False), 5)
    placed, order = await town.buy([("GIFT", 1)])
    assert order["state"] == "closed"
    assert await town.slices(order["id"]) == [(1, "delivered", None)]
    assert len(town.depot.orders) == 0
    assert await town.house.open_exceptions() == []


async def till(town: Town) -> None:
    """The shop's location is the eastern node."""
    await town.house.stock_point("shop", str(TILL), town.east)


async def test_a_sale_at_the_till_takes_its_stock_from_that_store(town: Town) -> None:
    await till(town)
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 2)], at_till=TILL)
    assert order["state"] == "closed"
    assert await town.slices(order["id"]) == [(2, "collected", town.east)]
    assert await town.stock("LAMP", town.east) == (3, 0)
    assert await ledger(town, "LAMP") == [("carried_out", -2)]
    assert len(town.depot.orders) == 0


async def test_a_sale_at_the_till_below_zero_is_a_fact_all_the_same(town: Town) -> None:
    await till(town)
    await town.goods("LAMP", east=1)
    await town.buy([("LAMP", 3)], at_till=TILL)
    assert await town.stock("LAMP", town.east) == (-2, 0)


async def test_a_sale_at_a_till_nobody_knows_is_told(town: Town) -> None:
    await town.goods("LAMP", east=5)
    placed, order = await town.buy([("LAMP", 2)], at_till=TILL)
    found = await town.trouble()
    assert found["kind"] == "unknown_location"
    assert str(TILL) in found["cause"]
    assert order["state"] == "closed"
    assert await town.stock("LAMP", town.east) == (5, 0)


async def test_a_sale_at_the_till_of_an_unknown_sku_is_told_and_counted_once_it_is_known(town: Town) -> None:
    await till(town)
    town.shop.sell("NEW", available=9)
    placed, order = await town.buy([("NEW", 2)], at_till=TILL)
    assert order["state"] == "closed"
    assert (await town.trouble())["kind"] == "unknown_sku"
    item = town.items["NEW"] = await town.house.item("NEW")
    await town.house.shelf(town.east, item, 9)
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert await town.stock("NEW", town.east) == (7, 0)
    assert await town.house.open_exceptions() == []


async def test_a_count_from_the_future_is_not_believed(town: Town) -> None:
    ahead = counted(EAST, "PASS", 7, at=datetime.now(UTC) + timedelta(hours=2))
    await town.house.hear("depot", ahead)
    assert await town.stock("PASS", town.east) == (100, 0)
    found = await town.trouble()
    assert found["kind"] == "stock_from_the_future"
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    await town.house.hear("depot", counted(EAST, "PASS", 42))
    assert (await town.stock("PASS", town.east))[0] == 42


async def test_an_older_count_changes_nothing(town: Town) -> None:
    now = datetime.now(UTC)
    await town.house.hear("depot", counted(EAST, "PASS", 60, at=now))
    await town.house.hear("depot", counted(EAST, "PASS", 90, at=now - timedelta(minutes=1)))
    assert await town.stock("PASS", town.east) == (60, 0)


async def test_a_change_of_stock_told_twice_counts_once(town: Town) -> None:
    line = StockLine(location=EAST, sku="PASS", delta=-4)
    told = StockReported(at=datetime.now(UTC), kind=ReportKind.DELTA, lines=(line,))
    await town.house.hear("depot", told, key="same")
    await town.house.hear("depot", told, key="same")
    assert await town.stock("PASS", town.east) == (96, 0)
    await town.house.hear("depot", told, key="another")
    assert await town.stock("PASS", town.east) == (92, 0)


async def test_a_count_below_what_is_promised_is_recorded(town: Town) -> None:
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 4)])
    await town.house.hear("depot", counted(EAST, "LAMP", 1))
    assert await town.stock("LAMP", town.east) == (1, 4)
    assert await town.slices(order["id"]) == [(4, "accepted", town.east)], "released goods are the node's to confirm"


@pytest.mark.parametrize(
    ("location", "sku", "kind"), [("99", "PASS", "unknown_location"), (EAST, "??", "unknown_stock_sku")]
)
async def test_a_count_of_what_nobody_knows_is_told_and_the_rest_counts(
    town: Town, location: str, sku: str, kind: str
) -> None:
    lines = (StockLine(location=location, sku=sku, on_hand=3), StockLine(location=EAST, sku="PASS", on_hand=50))
    told = StockReported(at=datetime.now(UTC), kind=ReportKind.SNAPSHOT, lines=lines)
    await town.house.hear("depot", told)
    assert await town.stock("PASS", town.east) == (50, 0)
    found = await town.trouble()
    assert found["kind"] == kind


async def shipped_and_counted(town: Town, first: str) -> dict[str, Any]:
    """An order of three that left, and the count after it, handled in this order of lanes."""
    await town.goods("LAMP", east=10)
    _, order = await town.buy([("LAMP", 3)])
    town.depot.ship(town.asked(order["id"]))
    await town.depot.delivered()
    lanes = (Lane.STOCK, Lane.FACTS) if first == "count" else (Lane.FACTS, Lane.STOCK)
    for lane in lanes:
        await town.house.path([lane])
    return order


@pytest.mark.parametrize("first", ["count", "shipment"])
async def test_a_shipment_and_the_count_after_it_subtract_once_in_either_order(town: Town, first: str) -> None:
    await shipped_and_counted(town, first)
    assert await town.stock("LAMP", town.east) == (7, 0)
