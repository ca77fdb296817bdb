"""Stock of a store whose shelves Square counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.square.availability import publish_availability
from adapters.square.counts import LIMIT, Mark, count_facts, fetch, pull_stock
from adapters.square.harness import LOCATION, STORE, counted, settings
from adapters.square.settings import Settings
from adapters.square.simulator import SquareSimulator
from adapters.square.tests.test_writes import counts, level
from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, Page
from hub.sdk.outcomes import NeedsPerson
from hub.sdk.translate import Malformed

Here = Context[Settings]
TABLES = CodeTables({})


async def pull(context: Here, cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_stock(context, cursor)]


def levels(pages: list[Page]) -> dict[str, tuple[str, int | None]]:
    facts = [fact for page in pages for item in page.items for fact in count_facts(item.body, TABLES)]
    return {line.sku: (line.location, line.on_hand) for fact in facts for line in fact.lines}


def stored(**changes: Any) -> bytes:
    one = {"location": STORE, "sku": "MUG-RED", "quantity": "7", "calculated_at": "2026-01-16T11:59:03.1Z"}
    return msgspec.json.encode([one | changes])


def test_a_count_is_true_since_square_says_it_is() -> None:
    (told,) = count_facts(stored(), TABLES)
    assert told == StockReported(
        at=datetime(2026, 1, 16, 11, 59, 3, 100000, UTC),
        kind=ReportKind.SNAPSHOT,
        lines=(StockLine(location=STORE, sku="MUG-RED", on_hand=7),),
    )


@pytest.mark.parametrize(("written", "units"), [("-2", -2), ("7.00000", 7), ("0", 0)])
def test_units_as_square_writes_them(written: str, units: int) -> None:
    (told,) = count_facts(stored(quantity=written), TABLES)
    assert told.lines[0].on_hand == units


@pytest.mark.parametrize("changes", [{"quantity": "1.5"}, {"quantity": "many"}, {"calculated_at": "today"}])
def test_what_is_no_count_is_named(changes: dict[str, str]) -> None:
    with pytest.raises(Malformed, match=next(iter(changes.values()))):
        count_facts(stored(**changes), TABLES)


async def test_only_the_stores_that_square_counts_are_read(seller: SquareSimulator, context: Here) -> None:
    assert levels(await pull(context)) == {"MUG-RED": (STORE, 40), "TEE-M": (STORE, 20)}


async def test_a_sale_at_the_till_is_in_the_next_count(seller: SquareSimulator, context: Here) -> None:
    before = await pull(context)
    past = seller.stamp()
    seller.counted_at = dict.fromkeys(seller.counted_at, "2026-01-01T00:00:00Z")
    seller.ring_up([("MUG-RED", 3)], location=STORE)
    after = await pull(context, before[-1].cursor)
    assert levels(after) == {"MUG-RED": (STORE, 37)}
    mark = msgspec.json.decode(after[-1].cursor, type=Mark)
    assert mark.seen >= datetime.fromisoformat(past)


async def test_pages_are_turned_and_the_cursor_moves_at_the_end(seller: SquareSimulator, context: Here) -> None:
    for number in range(LIMIT):
        seller.sell(f"SKU-{number}", price=100, quantity=1)
    first, second = await pull(context)
    assert len(levels([first, second])) == LIMIT + 2
    assert (first.cursor, bool(second.cursor)) == ("", True)


async def test_a_location_that_is_added_is_read_from_the_beginning(seller: SquareSimulator, context: Here) -> None:
    pages = await pull(context)
    seller.counted_at = dict.fromkeys(seller.counted_at, "2026-01-01T00:00:00Z")
    more = msgspec.structs.replace(context.settings, stock_locations=(STORE, LOCATION))
    read = await pull(msgspec.structs.replace(context, settings=more), pages[-1].cursor)
    assert len([item for page in read for item in page.items]) == 1
    facts = count_facts(read[0].items[0].body, TABLES)
    assert {line.location for fact in facts for line in fact.lines} == {STORE, LOCATION}


async def test_parts_of_a_unit_hold_up_nothing_else(seller: SquareSimulator, context: Here) -> None:
    mug = next(iter(seller.variations))
    real = seller.counted
    seller.counted = lambda place: real(place) | ({"quantity": "1.5"} if place[0] == mug else {})  # type: ignore[method-assign]
    (page,) = await pull(context)
    good, apart = page.items
    assert [line.sku for fact in count_facts(good.body, TABLES) for line in fact.lines] == ["TEE-M"]
    with pytest.raises(Malformed, match=r"1\.5 of MUG-RED"):
        count_facts(apart.body, TABLES)


async def test_a_thing_without_sku_is_asked_about(seller: SquareSimulator, context: Here) -> None:
    mug = next(iter(seller.variations))
    seller.variations[mug].sku = ""
    assert levels(await pull(context))[f"variation:{mug}"] == (STORE, 40)


async def test_an_event_is_read_anew(seller: SquareSimulator, context: Here) -> None:
    about, body = counted(seller)
    seller.count((about.removeprefix("counts:"), STORE), 5)
    items = await fetch(context, "inventory.count.updated", about, body)
    assert isinstance(items, tuple)
    assert levels([Page(items=items, cursor="")]) == {"MUG-RED": (STORE, 5)}


async def test_where_nothing_is_counted_nothing_is_asked(seller: SquareSimulator, context: Here) -> None:
    nowhere = msgspec.structs.replace(context, settings=msgspec.structs.replace(settings(seller), stock_locations=()))
    about, body = counted(seller)
    assert await fetch(nowhere, "inventory.count.updated", about, body) == ()
    assert await pull(nowhere) == []


async def test_a_store_that_square_counts_is_not_told(seller: SquareSimulator, context: Here) -> None:
    outcome = await publish_availability(context, counts(level("MUG-RED", 3), level("TEE-M", 1, STORE)))
    mug, tee = seller.variations
    assert isinstance(outcome, NeedsPerson)
    assert "TEE-M: Square counts location L2" in outcome.reason
    assert (seller.counts[mug, LOCATION], seller.counts[tee, STORE]) == (3, 20)


def test_times_of_square_are_exact() -> None:
    (told,) = count_facts(stored(calculated_at="2026-01-16T11:59:03.123456789Z"), TABLES)
    assert told.at - datetime(2026, 1, 16, 11, 59, 3, tzinfo=UTC) < timedelta(seconds=1)
