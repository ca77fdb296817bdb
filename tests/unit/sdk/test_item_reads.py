"""Items of a ledger are told where they changed, each version once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.domain.facts import ItemReported
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Page
from hub.sdk.item_reads import OVERLAP_SECONDS, Part, Reading, begin, grams, item_facts, item_pages, stated
from hub.sdk.translate import Malformed

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def item(sku: str, minutes: int = 0, **values: object) -> ItemReported:
    return ItemReported(at=NOW + timedelta(minutes=minutes), sku=sku, **values)  # type: ignore[arg-type]


async def pages(cursor: str | None, *parts: Part, now: datetime = NOW + timedelta(days=1)) -> list[Page]:
    async def brought() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    return [page async for page in item_pages(brought(), begin(cursor), now)]


async def test_the_next_read_looks_back_over_the_last_date() -> None:
    first, second, last = await pages(None, Part({"1": item("A", 90)}, "1"), Part({"2": item("B", 30)}, "2"))
    assert begin(first.cursor) == Reading(after="1", seen=NOW + timedelta(minutes=90))
    assert begin(second.cursor).after == "2"
    since = NOW + timedelta(minutes=90, seconds=-OVERLAP_SECONDS)
    assert begin(last.cursor) == Reading(since=since)
    (still,) = await pages(last.cursor)
    assert still.cursor == last.cursor, "nothing new: the same window again"
    again = await pages(last.cursor, Part({"1": item("A", 90)}))
    assert again[0].items == first.items
    assert again[-1].cursor == last.cursor


async def test_a_read_that_was_cut_short_goes_on_and_forgets_no_date() -> None:
    first, _ = await pages(None, Part({"1": item("A", 90)}, "1"))
    *_, last = await pages(first.cursor, Part({"2": item("B")}, "2"))
    assert begin(last.cursor).since == NOW + timedelta(minutes=90, seconds=-OVERLAP_SECONDS)


async def test_a_date_that_has_not_come_does_not_end_the_reading() -> None:
    *_, last = await pages(None, Part({"1": item("A", 60 * 24 * 365)}), now=NOW)
    assert begin(last.cursor).since == NOW - timedelta(seconds=OVERLAP_SECONDS)


async def test_changed_and_changed_back_are_three_keys_and_two_items_of_one_sku_two() -> None:
    versions = [item("A", n, price={"EUR": Decimal(n % 2 + 1)}) for n in range(3)]
    keys = [(await pages(None, Part({"1": one})))[0].items[0].key for one in versions]
    assert len(set(keys)) == 3
    twins = (await pages(None, Part({"1": item("A"), "2": item("A")})))[0].items
    assert (len({one.key for one in twins}), {one.object for one in twins}) == (2, {"item:A"})


def test_units_are_told_in_the_hubs_words_where_there_are_any() -> None:
    body = b'{"type":"ItemReported","at":"2026-01-15T00:00:00Z","sku":"A","base_unit":"PCS","conversions":{"BOX":6}}'
    (found,) = item_facts(body, CodeTables({"unit": {"pcs": "each"}}))
    assert (found.base_unit, found.conversions) == ("each", {"BOX": 6})


@pytest.mark.parametrize("body", [b'{"type":"ItemReported","at":"2026-01-15T00:00:00Z"}', b"[]", b""])
def test_a_body_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        item_facts(body, CodeTables({}))


def test_what_nobody_stated_is_not_said() -> None:
    assert stated(Decimal("9.90"), "EUR") == {"EUR": Decimal("9.9")}
    assert stated(Decimal("3.3333333333333335"), "EUR") == {"EUR": Decimal("3.333333")}
    assert str(stated(Decimal(100), "EUR")["EUR"]) == "100"
    assert stated(Decimal(0), "EUR") == stated(Decimal(5), None) == stated(Decimal("NaN"), "EUR") == {}
    assert stated(Decimal("1E+30"), "EUR") == {"EUR": Decimal("1E+30")}
    assert stated(Decimal(-5), "EUR") == {"EUR": Decimal(-5)}, "what is wrong is told, and refused by name"


def test_weights_are_whole_grams() -> None:
    assert [grams(Decimal("0.5"), "kg"), grams(Decimal(2), "lb"), grams(Decimal("0.0001"), "kg")] == [500, 907, 1]
    assert grams(Decimal("1E+300"), "kg") is None
    assert grams(Decimal(0), "kg") is grams(Decimal(1), "stone") is grams(Decimal(1), None) is None
