"""What moved on ShipBob's shelves, and why."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.shipbob.harness import CICERO, MOVED, fill_history, take_back
from adapters.shipbob.history import history_facts, pull_history
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from adapters.shipbob.simulator_receiving import HISTORY_PAGE
from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context

FactsOf = Callable[[Any], list[Any]]


def read(tables: CodeTables, **changes: Any) -> list[Any]:
    return list(history_facts(msgspec.json.encode({**MOVED, **changes}), tables))


def test_a_correction_is_a_change_with_its_reason(tables: CodeTables) -> None:
    (told,) = read(tables)
    assert told == StockReported(
        at=datetime(2026, 1, 20, 10, 0, 0, 123457, UTC),
        kind=ReportKind.DELTA,
        lines=(StockLine(location="3", sku="MUG-RED", delta=-2),),
        reason="adjustment",
    )


def test_units_that_only_change_their_bin_are_no_change(tables: CodeTables) -> None:
    assert read(tables, increment={"facility_id": CICERO, "quantity_change": 2, "sku": "MUG-RED"}) == []


def test_units_that_change_the_building_are_two(tables: CodeTables) -> None:
    (told,) = read(tables, increment={"facility_id": 9, "quantity_change": 2, "sku": "MUG-RED"})
    assert [(line.location, line.delta) for line in told.lines] == [("3", -2), ("9", 2)]


def test_a_thing_without_sku_is_asked_about_by_its_number(tables: CodeTables) -> None:
    (told,) = read(tables, decrement={"facility_id": CICERO, "quantity_change": -2})
    assert told.lines[0].sku == "inventory:1007000"


async def test_receipts_are_told_and_what_others_tell_is_not(
    sim: ShipBobSimulator, context: Context[Settings], facts_of: FactsOf
) -> None:
    fill_history(sim)
    take_back(sim)
    items = [item async for page in pull_history(context, None) for item in page.items]
    assert [(fact.reason, fact.lines[0].delta) for fact in facts_of(items)] == [("receipt", 5), ("adjustment", -1)]
    assert len(items) > 2


@pytest.mark.parametrize("events", [HISTORY_PAGE, HISTORY_PAGE + 1])
async def test_pages_are_turned_to_the_end(events: int, sim: ShipBobSimulator, context: Context[Settings]) -> None:
    for _ in range(events):
        sim.books.receive(CICERO, "MUG-RED", 1, sim.now())
    items = [item async for page in pull_history(context, None) for item in page.items]
    assert len({item.key for item in items}) == events


async def test_the_next_pull_begins_where_this_one_did(sim: ShipBobSimulator, context: Context[Settings]) -> None:
    fill_history(sim)
    pages = [page async for page in pull_history(context, None)]
    assert datetime.fromisoformat(pages[-1].cursor or "") <= sim.now()
    assert [page.cursor for page in pages[:-1]] == [pages[0].cursor] * (len(pages) - 1)
