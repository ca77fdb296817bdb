"""What the books are told of the shelves: a day's adjustments at a node in one document, once."""

from collections.abc import AsyncIterator

import pytest

from adapters.odoo.harness import books as odoo_settings
from adapters.odoo.harness import simulator as odoo_simulator
from adapters.odoo.simulated.books import Record
from adapters.odoo.simulated.transfers import moves_of
from adapters.odoo.simulator import OdooSimulator
from hub.domain.network import Mode
from tests.scenarios.counter import Counter
from tests.scenarios.test_refunds import vars_of
from tests.scenarios.town import Town

Told = list[tuple[str, list[tuple[str, int]]]]


@pytest.fixture
async def books(town: Town) -> AsyncIterator[OdooSimulator]:
    """An Odoo that is told of adjustments from now on. MUG and CUP are on the eastern shelf already."""
    async with odoo_simulator() as odoo:
        config = {k: v for k, v in vars_of(odoo_settings(odoo)).items() if v not in (None, (), {}, "")}
        await town.goods("MUG", east=10)
        await town.goods("CUP", east=3)
        await town.house.connect("books", "odoo", config, modes={"post_stock": Mode.LIVE})
        odoo.add_product("MUG", "Mug")
        await sweep(town)
        yield odoo


async def sweep(town: Town) -> None:
    """Five minutes and more later."""
    await town.house.run("UPDATE stock_ledger SET learned_at = learned_at - interval '1 day'")
    sweeper = town.house.worker.sweeper
    sweeper._stock_at = sweeper._parcels_at.min.replace(tzinfo=sweeper._stock_at.tzinfo)
    await sweeper.sweep()


async def scrap(town: Town, units: int) -> None:
    """Units that came back yesterday and were scrapped when they were graded."""
    for delta in (units, -units):
        await town.house.run(
            "INSERT INTO stock_ledger (merchant, node_id, item_id, condition, delta, reason, source, cause, true_at, "
            "learned_at) VALUES ('default', $1, $2, 'quarantine', $3, 'return', 'hub', 'ret', now(), now())",
            town.east,
            town.items["MUG"],
            delta,
        )


async def adjust(counter: Counter) -> None:
    """Two are found, then a count says nine."""
    line = {"node": "EAST", "sku": "MUG"}
    await counter.ok("PUT", "/stock", {"kind": "delta", "lines": [{**line, "delta": 2}]})
    await counter.ok("PUT", "/stock", {"kind": "count", "lines": [{**line, "on_hand": 9}]})


def sku_of(books: OdooSimulator, move: Record) -> str:
    """Internal reference of a move's product."""
    return str(books.products[move["product_id"]]["default_code"])


def told(books: OdooSimulator) -> Told:
    """Transfers that are done: their last word, and units."""
    tables = books.books.tables
    return sorted(
        (
            one["origin"].partition("/")[2],
            sorted((sku_of(books, move), int(move["quantity"])) for move in moves_of(books.books, one)),
        )
        for one in tables["stock.picking"].rows.values()
        if one["state"] == "done" and str(one["origin"]).startswith("stock-")
    )


ONCE: Told = [("in", [("MUG", 2)]), ("out", [("MUG", 1), ("MUG", 3)])]


async def test_a_days_adjustments_are_one_document(town: Town, counter: Counter, books: OdooSimulator) -> None:
    await adjust(counter)
    await scrap(town, 1)
    await town.house.worker.sweeper.sweep()
    await town.settle()
    assert told(books) == []
    await sweep(town)
    await town.settle()
    assert told(books) == ONCE
    await sweep(town)
    await town.settle()
    assert told(books) == ONCE
    assert await town.house.value("SELECT count(*) FROM effect WHERE kind = 'PostStock'") == 1
    assert await town.house.open_exceptions() == []


async def test_a_worker_that_was_killed_after_odoo_acted_posts_nothing_twice(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    await adjust(counter)
    await scrap(town, 1)
    await sweep(town)
    await town.settle()
    # As it stands when nothing was recorded: still there, under a lease that ran out.
    await town.house.run(
        "INSERT INTO outbox (id, connection_id, subject, due_at, lease_until) SELECT id, connection_id, subject, "
        "now() - interval '1 hour', now() - interval '1 minute' FROM effect WHERE kind = 'PostStock'"
    )
    await town.house.run("DELETE FROM attempt")
    await town.settle()
    assert told(books) == ONCE
    assert await town.house.value("SELECT count(*) FROM outbox") == 0
    assert await town.house.value("SELECT reason FROM attempt") == "found done"


async def test_a_lost_reply_in_the_middle_ends_in_one_document(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    await adjust(counter)
    await scrap(town, 1)
    await sweep(town)
    books.script.extend([None, None, "lost_reply"])
    await town.settle()
    await town.house.run("UPDATE outbox SET due_at = now()")
    await town.settle()
    assert told(books) == ONCE
    assert len(books.books.tables["stock.picking"].where("origin", f"stock-{town.east}-{await day(town)}-1/out")) == 1


async def day(town: Town) -> str:
    """The day of the ledger's last row, in UTC."""
    said = await town.house.value("SELECT ((max(true_at)) AT TIME ZONE 'UTC')::date::text FROM stock_ledger")
    return str(said)


async def test_what_is_learned_of_a_told_day_later_is_another_document(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    line = {"node": "EAST", "sku": "MUG"}
    for key in ("1", "2"):
        await counter.ok("PUT", "/stock", {"kind": "delta", "lines": [{**line, "delta": -1}]})
        await sweep(town)
        await town.settle()
        last = await town.house.value("SELECT key FROM effect WHERE kind = 'PostStock' ORDER BY id DESC LIMIT 1")
        assert last == f"stock-{town.east}-{await day(town)}-{key}"
    assert told(books) == [("out", [("MUG", 1)])] * 2


async def test_receipts_sales_and_restocked_returns_are_not_adjustments(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    supply = {"reference": "PO-1", "node": "EAST", "sku": "MUG", "quantity": 5, "due": "2100-01-01"}
    await counter.ok("PUT", "/supply", supply)
    line = {"node": "EAST", "sku": "MUG", "delta": 5, "supply": "PO-1"}
    await counter.ok("PUT", "/stock", {"kind": "delta", "lines": [line]})
    await town.buy([("MUG", 1)])
    await sweep(town)
    await town.settle()
    assert told(books) == []
    assert await town.house.value("SELECT count(*) FROM effect WHERE kind = 'PostStock'") == 0


async def test_an_item_that_odoo_does_not_know_is_named_and_told_once_it_is_there(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    body = {"kind": "delta", "lines": [{"node": "EAST", "sku": "CUP", "delta": -1}]}
    await counter.ok("PUT", "/stock", body)
    await sweep(town)
    await town.settle()
    trouble = await town.trouble()
    assert trouble["kind"] == "stock_item_unknown"
    assert "CUP" in trouble["cause"]
    assert told(books) == []
    books.add_product("CUP", "Cup")
    (row,) = (await counter.ok("GET", "/exceptions"))["items"]
    await counter.ok("POST", f"/exceptions/{row['id']}/retry", {})
    await town.settle()
    assert [side for side, _ in told(books)] == ["out"]
    assert await town.house.open_exceptions() == []


async def test_nothing_is_told_of_what_was_adjusted_while_it_was_off(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    body = {"kind": "delta", "lines": [{"node": "EAST", "sku": "MUG", "delta": -1}]}
    await counter.ok("PATCH", "/connections/books", {"modes": {"post_stock": "off"}})
    await counter.ok("PUT", "/stock", body)
    await sweep(town)
    await counter.ok("PATCH", "/connections/books", {"modes": {"post_stock": "live"}})
    await sweep(town)
    await town.settle()
    assert told(books) == []
    await counter.ok("PUT", "/stock", body)
    await sweep(town)
    await town.settle()
    assert told(books) == [("out", [("MUG", 1)])]


async def test_a_shelf_that_a_warehouse_counts_by_itself_is_left_to_it(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    await town.house.run(
        "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
        "VALUES ('default', $1, $2, 0, 'snapshot', 'depot', 'message:1', now(), now())",
        town.east,
        town.items["MUG"],
    )
    for sku in ("MUG", "CUP"):
        body = {"kind": "delta", "lines": [{"node": "EAST", "sku": sku, "delta": -1}]}
        await counter.ok("PUT", "/stock", body)
    books.add_product("CUP", "Cup")
    await sweep(town)
    await town.settle()
    assert told(books) == [("out", [("CUP", 1)])]


async def test_what_the_books_have_had_for_long_is_forgotten_and_what_they_have_not_is_kept(
    town: Town, counter: Counter, books: OdooSimulator
) -> None:
    line = {"node": "EAST", "sku": "MUG"}
    later = "UPDATE stock_posting SET planned_at = planned_at - interval '100 days'"
    await scrap(town, 0)
    await sweep(town)  # a document that comes to nothing is numbered, but not sent
    await counter.ok("PUT", "/stock", {"kind": "delta", "lines": [{**line, "delta": -1}]})
    await sweep(town)
    await town.house.run(later)
    await sweep(town)
    assert await town.house.value("SELECT count(*) FROM stock_posting") > 0, "still to be sent"
    await town.settle()
    await sweep(town)
    assert await town.house.value("SELECT count(*) FROM stock_posting") == 0
    number = await town.house.value("SELECT id FROM effect WHERE kind = 'PostStock'")
    refused = await counter.refused("POST", f"/messages/out-{number}/replay")
    assert refused["type"].endswith("payload-gone")

    await counter.ok("PUT", "/stock", {"kind": "delta", "lines": [{**line, "delta": -2}]})
    await sweep(town)
    await town.settle()
    assert told(books) == [("out", [("MUG", 1)]), ("out", [("MUG", 2)])]
