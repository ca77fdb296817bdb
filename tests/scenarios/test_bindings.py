"""A location is bound at the very moment when a report of it is put aside: nobody is asked what has been answered."""

import asyncio
from datetime import UTC, datetime

import pytest

from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.flow.batch import Batch
from hub.flow.path import perform
from hub.sdk.adapter import Lane
from hub.store.unit_of_work import PostgresStore
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town


async def report(town: Town) -> None:
    """The depot counts four passes in a shed that nobody knows; the report waits in the inbox."""
    line = StockLine(location="SHED", sku="PASS", on_hand=4)
    said = StockReported(at=datetime.now(UTC), kind=ReportKind.COUNT, lines=(line,))
    await town.house.hear("depot", said, deliver=False)


async def bind(counter: Counter) -> None:
    """A person says what the shed is."""
    binding = {"role": "fulfil", "connection": "depot", "external_location": "SHED"}
    await counter.ok("PUT", "/nodes/SHED", {"name": "Shed", "kind": "dc", "timezone": "UTC", "bindings": [binding]})


async def counted(town: Town) -> None:
    """Nobody is asked, and the four are on their shelf."""
    assert await town.house.open_exceptions() == []
    await town.house.path()
    assert await town.house.open_exceptions() == []
    assert await town.house.value("SELECT count(*) FROM inbox") == 0
    shed = await town.house.value("SELECT id FROM node WHERE code = 'SHED'")
    assert await town.stock("PASS", shed) == (4, 0)


async def test_bound_after_the_configuration_was_read(town: Town, counter: Counter) -> None:
    await report(town)
    parts = town.house.parts
    before = await parts.configuration.directory()
    await bind(counter)
    async with PostgresStore(parts.database).unit() as unit:
        await perform(unit, Lane.STOCK, Batch(before, parts.clock(), parts.new_id), limit=10)
    await counted(town)


@pytest.mark.parametrize("late", [False, True])
async def test_bound_while_the_report_is_put_aside(town: Town, counter: Counter, late: bool) -> None:
    """Two transactions under way at once; `late`: the worker's ends a while after the person's began."""
    await report(town)
    parts = town.house.parts
    before = await parts.configuration.directory()
    async with PostgresStore(parts.database).unit() as unit:
        await perform(unit, Lane.STOCK, Batch(before, parts.clock(), parts.new_id), limit=10)
        binding = asyncio.create_task(bind(counter))
        await asyncio.sleep(0.2 if late else 0)
    await binding
    await counted(town)
