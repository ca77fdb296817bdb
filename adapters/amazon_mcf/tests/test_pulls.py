"""Orders and inventory by scheduled pull, and the facts that they are."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from adapters.amazon_mcf.client import port
from adapters.amazon_mcf.harness import place
from adapters.amazon_mcf.pulls import Scan, pull_status, pull_stock, pulled
from adapters.amazon_mcf.settings import Settings
from adapters.amazon_mcf.simulator import McfSimulator
from adapters.amazon_mcf.simulator_books import Order, Pace
from adapters.amazon_mcf.simulator_documents import order_2026
from adapters.amazon_mcf.tests.stub import Stub, answer
from adapters.amazon_mcf.tests.stub import context as stubbed
from adapters.amazon_mcf.translate import facts_2026, read, stock_facts
from hub.domain.facts import (
    CancelConfirmed,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsShipped,
    ParcelScanned,
    StockMeaning,
    StockReported,
    UnitsShort,
)
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, Page, RequestLine
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_ID
from hub.sdk.translate import Malformed

Facts = Callable[[Any], list[Any]]
_RFC3339 = re.compile(rb'"\d{4}-\d\d-\d\dT[^"]*"')


async def pull(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_status(context, cursor)]


def items(pages: list[Page]) -> list[Any]:
    return [item for page in pages for item in page.items]


def orders(sim: McfSimulator, version: str, count: int) -> None:
    for number in range(1, count + 1):
        place(sim, msgspec.structs.replace(FULFILMENT, fulfilment=f"{FULFILMENT_ID[:-1]}{number}"), version)


async def test_a_shipped_order(sim: McfSimulator, context: Context[Settings], version: str, facts_of: Facts) -> None:
    sim.books.pace = Pace(split=True)
    place(sim, FULFILMENT, version)
    found = facts_of(items(await pull(context)))
    assert [type(fact) for fact in found] == [FulfilmentAccepted, GoodsShipped]
    shipped = found[1]
    assert shipped.fulfilment == FULFILMENT_ID
    assert [[(part.line, part.quantity) for part in parcel.lines] for parcel in shipped.parcels] == [
        [("1", 2)],
        [("2", 1)],
    ]
    assert {parcel.carrier for parcel in shipped.parcels} == {"ups"}
    assert all(parcel.tracking for parcel in shipped.parcels)


async def test_amazon_cancels_a_shipment_and_sends_another(
    sim: McfSimulator, context: Context[Settings], version: str, facts_of: Facts
) -> None:
    sim.books.pace = Pace(fulfiller_cancels=True)
    place(sim, FULFILMENT, version)
    found = facts_of(items(await pull(context)))
    (shipped,) = (fact for fact in found if isinstance(fact, GoodsShipped))
    (parcel,) = shipped.parcels
    assert sum(line.quantity for line in parcel.lines) == 3


async def test_a_cancelled_order(sim: McfSimulator, context: Context[Settings], version: str, facts_of: Facts) -> None:
    order = place(sim, FULFILMENT, version)
    sim.books.cancel(order, sim.now())
    (fact,) = facts_of(items(await pull(context)))
    assert isinstance(fact, CancelConfirmed)


async def test_what_is_not_there_is_refused_with_its_stock_meaning(
    sim: McfSimulator, context: Context[Settings], version: str, facts_of: Facts
) -> None:
    sim.books.stock["TEE-M"] = 0
    place(sim, FULFILMENT, version)
    (fact,) = facts_of(items(await pull(context)))
    assert isinstance(fact, FulfilmentRefused)
    assert fact.stock is StockMeaning.QUANTITY


async def test_an_order_filled_in_part_is_short_once(
    sim: McfSimulator, context: Context[Settings], version: str, facts_of: Facts
) -> None:
    sim.books.pace = Pace()
    sim.books.stock["MUG-RED"] = 1
    order = place(sim, msgspec.structs.replace(FULFILMENT, fulfilment=FULFILMENT_ID), version)
    order.policy, order.status = "FillAllAvailable", "RECEIVED"
    for line in order.lines:
        line.unfulfillable = 1 if line.sku == "MUG-RED" else 0
    found = items(await pull(context))
    facts = facts_of(found)
    (shipped,) = (fact for fact in facts if isinstance(fact, GoodsShipped))
    assert Counter({part.line: part.quantity for part in shipped.parcels[0].lines}) == {"1": 1, "2": 1}
    (short,) = (fact for fact in facts if isinstance(fact, UnitsShort))
    assert [(line.line, line.quantity) for line in short.lines] == [("1", 1)]
    order.address["city"] = "Elsewhere"
    order.stated = None
    sim.books._touch(order, sim.now() + timedelta(seconds=5))
    later = items(await pull(context))
    assert {item.key for item in later if item.topic == "shortfall"} == {f"short:{FULFILMENT_ID}"}
    assert [item.key for item in later if item.topic != "shortfall"] != [item.key for item in found[:1]]


async def test_arrival_is_told_by_2026(sim: McfSimulator, connect: Callable[..., Any], facts_of: Facts) -> None:
    sim.books.pace = Pace(deliver_after_ms=0)
    place(sim, FULFILMENT)
    found = facts_of(items(await pull(await connect("2026-07-04"))))
    (scan,) = (fact for fact in found if isinstance(fact, ParcelScanned))
    assert (scan.carrier, scan.event.raw) == ("ups", "DELIVERED")


async def test_a_part_that_leaves_is_told_before_the_rest(
    sim: McfSimulator,
    context: Context[Settings],
    version: str,
    facts_of: Facts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim.books.pace = Pace(ship_after_ms=None)
    place(sim, FULFILMENT, version)
    cursor = (await pull(context))[-1].cursor
    start, told = context.now(), []
    for hours, pace in ((1.1, Pace(rest_after_ms=10**9)), (1.2, None), (2.2, None), (3.3, Pace())):
        sim.books.pace = pace or sim.books.pace
        now = start + timedelta(hours=hours)
        monkeypatch.setattr(sim, "now", lambda now=now: now)
        sim._tokens = dict.fromkeys(sim._tokens, now + timedelta(hours=1))
        pages = await pull(msgspec.structs.replace(context, now=lambda now=now: now), cursor)
        cursor = pages[-1].cursor
        told.append(len({fact.shipment for fact in facts_of(items(pages)) if isinstance(fact, GoodsShipped)}))
    # Its status stays as it is, so 2020-07-01 does not list it as changed: it is looked for once an hour. 2026-07-04
    # lists it until the overlap is past.
    assert told == ([1, 0, 1, 2] if version == "2020-07-01" else [1, 1, 0, 2])


async def test_tokens_that_are_never_taken_end_the_pull(
    sim: McfSimulator, context: Context[Settings], version: str
) -> None:
    sim.page = 4
    orders(sim, version, 9)

    async def forgetful() -> None:
        async for _ in pull_status(context, None):
            sim._pages.clear()

    with pytest.raises(Interrupted) as caught:
        await forgetful()
    assert isinstance(caught.value.outcome, NeedsPerson)


async def test_orders_of_others_are_no_news(sim: McfSimulator, context: Context[Settings], version: str) -> None:
    place(sim, msgspec.structs.replace(FULFILMENT, fulfilment="MARKETING-SAMPLES-7"), version)
    assert items(await pull(context)) == []


async def test_lists_in_pages(sim: McfSimulator, context: Context[Settings], version: str) -> None:
    sim.page = 4
    orders(sim, version, 9)
    found = items(await pull(context))
    assert len({item.object for item in found}) == 9


async def test_a_pull_that_was_broken_off_goes_on(sim: McfSimulator, context: Context[Settings], version: str) -> None:
    sim.page = 4
    orders(sim, version, 9)
    first = await anext(pull_status(context, None))
    rest = await pull(context, first.cursor)
    assert {item.object for item in first.items} & {item.object for page in rest for item in page.items} == set()
    assert len(items([first, *rest])) == 9


async def test_a_token_that_died_begins_again(sim: McfSimulator, context: Context[Settings], version: str) -> None:
    sim.page = 4
    orders(sim, version, 9)
    first = await anext(pull_status(context, None))
    sim._pages.clear()
    assert len({item.object for item in items(await pull(context, first.cursor))}) == 9


async def test_a_window_that_was_missed_is_caught_up(
    sim: McfSimulator, context: Context[Settings], version: str
) -> None:
    (page,) = await pull(context)
    orders(sim, version, 3)
    clock = context.now
    tomorrow = msgspec.structs.replace(context, now=lambda: clock() + timedelta(hours=30))
    assert len(items(await pull(tomorrow, page.cursor))) == 3


async def test_each_pull_looks_back_a_little(context: Context[Settings]) -> None:
    (page,) = await pull(context)
    scan = msgspec.json.decode(page.cursor, type=Scan)
    assert scan.until - scan.since == timedelta(seconds=context.settings.overlap_seconds)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", RetryLater),
        (200, b'{"payload": {"fulf', RetryLater),
        (200, b'{"errors": [{"code": "X", "message": "no"}]}', NeedsPerson),
        (200, b'{"orders": 7, "payload": 7}', NeedsPerson),
        (503, b"", RetryLater),
    ],
)
async def test_a_list_that_is_none_is_no_end(version: str, status: int, body: bytes, kind: type) -> None:
    with pytest.raises(Interrupted) as caught:
        await pull(stubbed(Stub(answer(status, body)), version))
    assert isinstance(caught.value.outcome, kind)


class TestStock:
    async def drain(self, context: Context[Settings], cursor: str | None = None) -> list[Page]:
        return [page async for page in pull_stock(context, cursor)]

    async def test_all_and_then_what_changed(
        self, sim: McfSimulator, connect: Callable[..., Any], facts_of: Facts
    ) -> None:
        context = await connect("2026-07-04")
        for sku in sim.books.stock:
            sim.books.touched[sku] = sim.now() - timedelta(days=3)
        first = await self.drain(context)
        (report,) = facts_of(items(first))
        assert isinstance(report, StockReported)
        assert {(line.location, line.sku, line.on_hand) for line in report.lines} == {
            ("AMAZON", "MUG-RED", 5000),
            ("AMAZON", "TEE-M", 5000),
        }
        place(sim, msgspec.structs.replace(FULFILMENT, lines=(RequestLine(line="1", sku="TEE-M", quantity=2),)))
        (change,) = facts_of(items(await self.drain(context, first[-1].cursor)))
        assert [(line.sku, line.on_hand) for line in change.lines] == [("TEE-M", 4998)]

    async def test_all_again_after_a_day(self, sim: McfSimulator, connect: Callable[..., Any], facts_of: Facts) -> None:
        context = await connect("2026-07-04")
        for sku in sim.books.stock:
            sim.books.touched[sku] = sim.now() - timedelta(days=3)
        (page,) = await self.drain(context)
        clock = context.now
        tomorrow = msgspec.structs.replace(context, now=lambda: clock() + timedelta(hours=25))
        (report,) = facts_of(items(await self.drain(tomorrow, page.cursor)))
        assert len(report.lines) == 2

    async def test_a_page_token_that_died(
        self, sim: McfSimulator, connect: Callable[..., Any], facts_of: Facts
    ) -> None:
        context = await connect("2026-07-04")
        sim.page = 1
        pages = pull_stock(context, None)
        await anext(pages)
        sim._pages.clear()
        rest = [page async for page in pages]
        assert {line.sku for report in facts_of(items(rest)) for line in report.lines} == {"MUG-RED", "TEE-M"}

    async def test_broken_off_begins_again(
        self, sim: McfSimulator, connect: Callable[..., Any], facts_of: Facts
    ) -> None:
        context = await connect("2026-07-04")
        for sku in sim.books.stock:
            sim.books.touched[sku] = sim.now() - timedelta(days=3)
        sim.page = 1
        first = await anext(pull_stock(context, None))
        rest = await self.drain(context, first.cursor)
        assert {line.sku for report in facts_of(items(rest)) for line in report.lines} == {"MUG-RED", "TEE-M"}

    def test_a_thing_without_sku_is_asked_about(self) -> None:
        row = {"fnSku": "X001", "inventoryDetails": {"fulfillableQuantity": 4}}
        body = {"as_of": "2026-01-16T12:00:00Z", "location": "AMAZON", "summaries": [row]}
        (report,) = stock_facts(msgspec.json.encode(body), CodeTables())
        assert isinstance(report, StockReported)
        assert report.lines[0].sku == "fnsku:X001"


def test_a_fraction_of_a_piece_is_refused(sim: McfSimulator) -> None:
    order: Order = place(sim, FULFILMENT)
    document = order_2026(order)
    document["lineItems"][0]["amount"]["value"] = "1.5"
    with pytest.raises(Malformed):
        facts_2026(msgspec.json.encode({"order": document}), CodeTables())


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00"])
async def test_an_order_of_no_time_there_is_is_kept_and_malformed(
    sim: McfSimulator, context: Context[Settings], version: str, tables: CodeTables, when: str
) -> None:
    sim.books.pace = Pace(split=True)
    place(sim, FULFILMENT, version)
    (item,) = items(await pull(context))
    body = _RFC3339.sub(f'"{when}"'.encode(), item.body)
    assert [one.topic for one in pulled(port(context), FULFILMENT_ID, body)] == [item.topic]
    with pytest.raises(Malformed):
        read(port(context), body)
