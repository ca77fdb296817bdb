"""Figures of sources, good and bad: what is believed, what is told, and that the ledger keeps its head."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.facts import GoodsShipped, StockLine, StockReported
from hub.domain.stock import ReportKind
from tests.scenarios.counter import Counter
from tests.scenarios.town import EAST, TILL, WEST, Town


def report(*lines: StockLine, kind: ReportKind = ReportKind.SNAPSHOT, **how: Any) -> StockReported:
    how.setdefault("at", datetime.now(UTC))
    return StockReported(kind=kind, lines=lines, **how)


def level(sku: str, on_hand: int, location: str = EAST, **more: Any) -> StockLine:
    return StockLine(location=location, sku=sku, on_hand=on_hand, **more)


def change(sku: str, delta: int, **more: Any) -> StockLine:
    return StockLine(location=EAST, sku=sku, delta=delta, **more)


async def entries(town: Town, sku: str) -> list[tuple[str, int]]:
    rows = await town.house.rows(
        "SELECT reason, delta FROM stock_ledger WHERE item_id = $1 AND cause <> 'seed' ORDER BY id", town.items[sku]
    )
    return [(row["reason"], row["delta"]) for row in rows]


async def conversions(town: Town, sku: str, table: str) -> None:
    await town.house.run(
        "UPDATE item SET document = jsonb_build_object('conversions', $2::text::jsonb) WHERE id = $1",
        town.items[sku],
        table,
    )


async def test_cases_are_counted_in_units_by_the_items_table(town: Town) -> None:
    await conversions(town, "PASS", '{"case": 12}')
    await town.house.hear("depot", report(level("PASS", 3, unit="case")))
    assert await town.stock("PASS", town.east) == (36, 0)
    await town.house.hear("depot", report(change("PASS", -1, unit="case"), kind=ReportKind.DELTA))
    assert await town.stock("PASS", town.east) == (24, 0)


async def test_lots_of_one_figure_add_up(town: Town) -> None:
    await town.house.hear("depot", report(level("PASS", 30, lot="A"), level("PASS", 12, lot="B")))
    assert await town.stock("PASS", town.east) == (42, 0)


async def test_a_partial_snapshot_leaves_the_rest_and_a_complete_one_does_not(town: Town) -> None:
    await town.goods("LAMP", east=5, west=6)
    await town.house.hear("depot", report(level("PASS", 90)))
    assert await town.stock("LAMP", town.east) == (5, 0)
    await town.house.hear("depot", report(level("PASS", 80), complete=True))
    assert await town.stock("LAMP", town.east) == (0, 0)
    assert await town.stock("LAMP", town.west) == (6, 0)
    assert await town.stock("PASS", town.east) == (80, 0)


async def test_what_a_complete_snapshot_lacks_is_gone_whatever_else_it_lists(town: Town) -> None:
    await town.goods("LAMP", east=5, west=6)
    await town.house.hear("depot", report(level("PASS", 80), level("??", 1), complete=True))
    assert await town.stock("LAMP", town.east) == (0, 0)
    assert await town.stock("LAMP", town.west) == (6, 0)
    assert await town.stock("PASS", town.east) == (80, 0)
    assert (await town.trouble())["kind"] == "unknown_stock_sku"


async def test_what_a_complete_snapshot_names_and_cannot_be_believed_about_is_left(town: Town) -> None:
    await town.goods("LAMP", east=5, west=6)
    pallet = level("LAMP", 2, location=WEST, unit="pallet")
    await town.house.hear("depot", report(level("PASS", 80), level("PASS", 3, location=WEST), pallet, complete=True))
    assert (await town.stock("LAMP", town.west), await town.stock("LAMP", town.east)) == ((6, 0), (0, 0))
    assert (await town.trouble())["kind"] == "unknown_unit"


async def test_what_a_complete_snapshot_lacked_is_not_brought_back_by_an_older_level(town: Town) -> None:
    await town.goods("LAMP")
    now = datetime.now(UTC)
    before, then = now - timedelta(minutes=5), now - timedelta(minutes=1)
    await town.house.run("UPDATE stock_ledger SET true_at = $1", now - timedelta(hours=1))
    await town.house.run("UPDATE stock SET counted_at = NULL")
    await town.house.hear("depot", report(level("PASS", 80), at=then, complete=True))
    await town.house.hear("depot", report(level("LAMP", 5), at=before))
    assert await town.house.rows("SELECT * FROM stock WHERE sellable > 0 AND item_id <> $1", town.items["PASS"]) == []
    await town.house.hear("depot", report(level("LAMP", 4)))
    assert await town.stock("LAMP", town.east) == (4, 0)


async def test_one_batch_with_an_older_level_and_the_complete_snapshot_after_it(town: Town) -> None:
    await town.goods("LAMP")
    now = datetime.now(UTC)
    await town.house.hear("depot", report(level("LAMP", 5), at=now - timedelta(minutes=5)), deliver=False)
    await town.house.hear("depot", report(level("PASS", 80), at=now, complete=True))
    assert await town.house.rows("SELECT * FROM stock WHERE sellable > 0 AND item_id <> $1", town.items["PASS"]) == []


async def test_a_name_learned_late_brings_back_nothing_that_has_gone(town: Town, counter: Counter) -> None:
    now = datetime.now(UTC)
    old = report(level("PASS", 80), level("NEW", 5), at=now - timedelta(minutes=5), complete=True)
    await town.house.hear("depot", old)
    await town.house.hear("depot", report(level("PASS", 79), at=now, complete=True))
    await counter.ok("PUT", "/items/NEW", {"title": "New"})
    await town.settle()
    assert [row["on_hand"] for row in (await counter.ok("GET", "/stock?sku=NEW&node=EAST"))["items"]] == [0]


async def test_a_change_told_in_parts_counts_whole_once_its_last_part_can_be_read(town: Town, counter: Counter) -> None:
    before, _ = await town.stock("PASS", town.east)
    await town.house.hear("depot", report(change("PASS", 3), change("PASS", 1, unit="case"), kind=ReportKind.DELTA))
    assert (await town.trouble())["kind"] == "unknown_unit"
    assert await entries(town, "PASS") == [], "half of a change is not what the node says"
    await conversions(town, "PASS", '{"case": 12}')
    (found,) = (await counter.ok("GET", "/exceptions"))["items"]
    await counter.ok("POST", f"/exceptions/{found['id']}/retry")
    await town.settle()
    assert await town.stock("PASS", town.east) == (before + 15, 0)


@pytest.mark.parametrize(
    ("line", "kind", "trouble"),
    [
        (level("PASS", -3), ReportKind.SNAPSHOT, "negative_on_hand"),
        (level("PASS", -3), ReportKind.COUNT, "negative_on_hand"),
        (level("PASS", 2, unit="pallet"), ReportKind.SNAPSHOT, "unknown_unit"),
        (change("PASS", 2, unit="pallet"), ReportKind.DELTA, "unknown_unit"),
        (level("SET", 4), ReportKind.SNAPSHOT, "kit_reported"),
        (change("SET", 4), ReportKind.DELTA, "kit_reported"),
        (level("PASS", 4), ReportKind.DELTA, "stock_without_figure"),
        (level("??", 4), ReportKind.COUNT, "unknown_stock_sku"),
        (level("PASS", 4, location="99"), ReportKind.COUNT, "unknown_location"),
    ],
)
async def test_what_cannot_be_is_told_and_the_ledger_is_untouched(
    town: Town, line: StockLine, kind: ReportKind, trouble: str
) -> None:
    kit = town.items["SET"] = await town.house.item("SET")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 2)", kit, town.items["PASS"])
    await town.house.hear("depot", report(line, kind=kind))
    found = await town.trouble()
    assert found["kind"] == trouble
    assert found["cause"].startswith("depot: ")
    assert await entries(town, "PASS") == []
    assert await town.house.value("SELECT count(*) FROM stock WHERE item_id = $1", kit) == 0
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)


async def test_every_cause_of_one_message_is_told(town: Town) -> None:
    await town.house.hear("depot", report(level("?1", 1), level("?2", 1), level("PASS", 1, location="98")))
    kinds = [(row["kind"], row["cause"]) for row in await town.house.open_exceptions()]
    assert sorted(kinds) == [
        ("unknown_location", "depot: 98"),
        ("unknown_stock_sku", "depot: ?1"),
        ("unknown_stock_sku", "depot: ?2"),
    ]


async def test_a_change_that_was_true_before_the_last_count_is_on_it(town: Town) -> None:
    now = datetime.now(UTC)
    await town.house.hear("depot", report(level("PASS", 60), at=now))
    late = report(change("PASS", -5), kind=ReportKind.DELTA, at=now - timedelta(minutes=3))
    await town.house.hear("depot", late)
    assert await town.stock("PASS", town.east) == (60, 0)
    assert await entries(town, "PASS") == [("snapshot", -40), ("delta", -5), ("correction", 5)]
    newer = report(change("PASS", -5), kind=ReportKind.DELTA, at=datetime.now(UTC))
    await town.house.hear("depot", newer)
    assert await town.stock("PASS", town.east) == (55, 0)


async def test_a_late_count_knows_of_changes_in_the_same_batch(town: Town) -> None:
    await town.house.run("UPDATE stock_ledger SET true_at = now() - interval '1 hour'")
    now = datetime.now(UTC)
    await town.house.hear("depot", report(change("PASS", -7), kind=ReportKind.DELTA, at=now), deliver=False)
    await town.house.hear("depot", report(level("PASS", 50), at=now - timedelta(minutes=1)))
    assert await town.stock("PASS", town.east) == (43, 0)


async def test_a_source_keeps_to_the_kinds_it_declared(town: Town) -> None:
    await town.house.run("INSERT INTO stock_source VALUES ('default', 'depot', '{snapshot,count}', 'nothing')")
    await town.house.hear("depot", report(change("PASS", -5), kind=ReportKind.DELTA))
    found = await town.trouble()
    assert (found["kind"], found["cause"]) == ("stock_kind", "depot: a delta")
    assert await entries(town, "PASS") == []


@pytest.mark.parametrize("when", ["open", "shipped since"])
async def test_what_a_source_subtracts_is_added_back(town: Town, when: str) -> None:
    """The depot says what is left after what it was asked for: 10 on the shelf, 3 asked, so 7."""
    await town.house.run(
        "INSERT INTO stock_source VALUES ('default', 'depot', '{snapshot,delta,count}', 'own_open_orders')"
    )
    await town.goods("LAMP", east=10)
    _, order = await town.buy([("LAMP", 3)])
    # By the hub's clock, which may be milliseconds behind: what is told from the future counts as of now.
    clock = town.house.parts.clock
    said_at = clock()
    said = report(level("LAMP", 7), at=said_at)
    if when == "open":
        await town.house.hear("depot", said)
        assert await town.stock("LAMP", town.east) == (10, 3)
        return
    gone = GoodsShipped(at=clock(), fulfilment=f"{order['id']}-1", shipment="s1")
    await town.house.hear("depot", gone)
    await town.house.hear("depot", said)
    assert await town.stock("LAMP", town.east) == (7, 0)


async def test_only_the_declared_master_is_believed_and_others_are_compared(town: Town) -> None:
    await town.house.run(
        "INSERT INTO node_binding VALUES ($1, 'default', 'stock_master', 'shop', $2)", town.east, str(TILL)
    )
    await town.house.hear("depot", report(level("PASS", 90)))
    await town.house.hear("depot", report(change("PASS", -9), kind=ReportKind.DELTA))
    assert await entries(town, "PASS") == []
    (figure,) = await town.house.rows("SELECT party, source, node_id, quantity FROM figure")
    assert figure == {"party": "node", "source": "depot", "node_id": town.east, "quantity": 90}
    await town.house.hear("shop", report(level("PASS", 70, location=str(TILL))))
    assert await town.stock("PASS", town.east) == (70, 0)
    await town.house.hear("depot", report(level("PASS", 40, location=WEST)))
    assert await town.stock("PASS", town.west) == (40, 0), "nobody else was declared there"


async def test_a_kit_is_allocated_by_its_components_and_sold_as_far_as_they_go(town: Town) -> None:
    await town.goods("LAMP", east=6)
    await town.goods("SHADE", east=5)
    town.shop.sell("SET", available=3)
    kit = town.items["SET"] = await town.house.item("SET")
    for part, each in (("LAMP", 2), ("SHADE", 1)):
        await town.house.run("INSERT INTO item_component VALUES ($1, $2, $3)", kit, town.items[part], each)
    _, order = await town.buy([("SET", 2)])
    assert await town.stock("LAMP", town.east) == (6, 4)
    assert await town.stock("SHADE", town.east) == (5, 2)
    assert {(line.sku, line.quantity) for line in town.asked(order["id"]).lines} == {("LAMP", 4), ("SHADE", 2)}


@pytest.mark.parametrize("kind", [ReportKind.SNAPSHOT, ReportKind.DELTA])
async def test_each_unknown_sku_that_is_settled_counts_at_once_and_the_others_wait_on(
    town: Town, counter: Counter, kind: ReportKind
) -> None:
    """Held back until all were known, the figure of one that was mapped on Monday counted when the last was."""

    def line(sku: str, units: int) -> StockLine:
        return change(sku, units) if kind is ReportKind.DELTA else level(sku, units)

    async def shelf(sku: str) -> int:
        found = (await counter.ok("GET", f"/stock?sku={sku}&node=EAST"))["items"]
        return found[0]["on_hand"] if found else 0

    async def asked() -> list[str]:
        return sorted(row["cause"] for row in await town.house.open_exceptions())

    before = await shelf("PASS")
    await town.house.hear("depot", report(line("ONE", 1), line("TWO", 2), line("THREE", 3), line("PASS", 7), kind=kind))
    known = await shelf("PASS")
    assert known == (before + 7 if kind is ReportKind.DELTA else 7)
    await counter.ok("PUT", "/items/TWO", {"title": "Two"})
    await town.settle()
    assert (await shelf("TWO"), await asked()) == (2, ["depot: ONE", "depot: THREE"])
    assert await shelf("PASS") == known, "what counted before counts once"
    await counter.ok("POST", "/items", {"items": [{"sku": "ONE", "title": "One"}, {"sku": "THREE", "title": "Three"}]})
    await town.settle()
    assert ([await shelf(sku) for sku in ("ONE", "TWO", "THREE", "PASS")], await asked()) == ([1, 2, 3, known], [])
    assert await town.house.value("SELECT count(*) FROM inbox") == 0


async def shelves(town: Town, many: int) -> list[str]:
    """Goods at the eastern node, two units each."""
    names = [f"SKU-{number}" for number in range(many)]
    for name in names:
        await town.goods(name, east=2)
    return names


async def on_shelves(town: Town) -> int:
    """SKUs with stock at the eastern node."""
    return int(await town.house.value("SELECT count(*) FROM stock WHERE node_id = $1 AND sellable > 0", town.east))


async def test_a_whole_report_that_lacks_most_of_a_node_empties_no_shelf_until_another_one_comes(town: Town) -> None:
    """An export that broke off: what it lists counts, what it does not list is for sale as before."""
    names = await shelves(town, 39)
    await town.house.hear("depot", report(level("PASS", 70), level(names[0], 9), complete=True))
    assert (await town.stock("PASS", town.east), await town.stock(names[0], town.east)) == ((70, 0), (9, 0))
    assert await on_shelves(town) == 40
    trouble = await town.trouble()
    assert (trouble["kind"], trouble["cause"]) == ("stock_collapsed", "depot: EAST")
    assert "38 of the 40 SKUs that the node has are not in it" in trouble["next_step"]
    await town.house.close_mended()
    assert (await town.trouble())["kind"] == "stock_collapsed", "nobody has seen to it"
    await town.house.hear("depot", report(*(level(name, 3) for name in ("PASS", *names[:30])), complete=True))
    await town.house.close_mended()
    await town.settle()
    assert await on_shelves(town) == 31, "nine of forty may be gone"
    assert await town.house.open_exceptions() == []
    assert await town.stock("PASS", town.east) == (3, 0)


async def test_a_node_that_is_really_cleared_is_cleared_when_somebody_says_so(town: Town, counter: Counter) -> None:
    await shelves(town, 39)
    await town.house.hear("depot", report(level("PASS", 70), complete=True))
    trouble = await town.trouble()
    source = {"source": "depot", "kinds": ["snapshot"], "largest_drop": 100}
    await counter.ok("PUT", "/stock-sources", source)
    assert (await counter.ok("GET", "/stock-sources"))["items"][0]["largest_drop"] == 100
    await counter.ok("POST", f"/exceptions/{trouble['id']}/retry")
    await town.settle()
    assert await on_shelves(town) == 1
    assert await town.house.open_exceptions() == []


async def test_what_lacks_most_of_a_node_is_refused_whole_at_the_interface(town: Town, counter: Counter) -> None:
    await shelves(town, 39)
    body = {"source": "erp", "kind": "snapshot", "complete": True,
            "lines": [{"node": "EAST", "sku": "PASS", "on_hand": 1}]}  # fmt: skip
    refused = await counter.refused("PUT", "/stock", body)
    assert refused["type"].endswith("stock-collapsed")
    assert "39 of the 40 SKUs that EAST has are not in it; nothing was applied" in refused["detail"]
    assert (await on_shelves(town), await town.stock("PASS", town.east)) == (40, (100, 0))


async def test_a_whole_report_that_is_older_than_another_says_nothing(town: Town) -> None:
    names = await shelves(town, 5)
    now = datetime.now(UTC)
    await town.house.hear("depot", report(*(level(name, 4) for name in names), complete=True, at=now))
    await town.house.hear("depot", report(level("PASS", 1), complete=True, at=now - timedelta(minutes=1)))
    assert [await town.stock(name, town.east) for name in names] == [(4, 0)] * 5
