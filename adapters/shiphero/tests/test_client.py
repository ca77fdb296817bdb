"""The adapter against a running ShipHero of our own."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.shiphero import translate
from adapters.shiphero.adapter import ADAPTER
from adapters.shiphero.harness import HARNESS, SUBMIT, order_input
from adapters.shiphero.pulls import FULL_STOCK_EVERY, OVERLAP, UNFINISHED_FOR, Place, begin
from adapters.shiphero.settings import FullStock
from adapters.shiphero.simulator import ShipHeroSimulator
from hub.domain.facts import UnitsPacked
from hub.domain.network import Connection
from hub.sdk.capabilities import Command, Context, FulfilmentCancel, FulfilmentRequest, Page
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Refused, RetryLater
from hub.sdk.testkit.bench import Bench
from hub.sdk.testkit.reading import tables_of

TABLES = tables_of(HARNESS)
CANCEL = FulfilmentCancel(key="c-1", fulfilment=SUBMIT.fulfilment, partner_reference=None, reason="customer asked")
WAREHOUSE = "76733"


async def pages(bench: Bench, name: str, cursor: str | None = None) -> list[Page]:
    async with bench.context() as context:
        return [page async for page in ADAPTER.pulls[name].pages(context, cursor)]


async def send(bench: Bench, capability: str, request: Command) -> Outcome:
    return await bench.write(capability, request)


async def test_submit_makes_the_order_that_was_asked_for(simulator: ShipHeroSimulator, bench: Bench) -> None:
    outcome = await send(bench, "submit_fulfilment", SUBMIT)

    (order,) = simulator.found(SUBMIT.fulfilment)
    assert isinstance(outcome, Done)
    assert outcome.reference == order.id
    assert [(line.reference, line.sku, line.quantity, line.warehouse) for line in order.lines] == [
        ("1", "MUG-RED", 2, WAREHOUSE),
        ("2", "TEE-M", 1, WAREHOUSE),
    ]


async def test_without_looking_first_shiphero_makes_two(simulator: ShipHeroSimulator, bench: Bench) -> None:
    await send(bench, "submit_fulfilment", SUBMIT)
    await send(bench, "submit_fulfilment", msgspec.structs.replace(SUBMIT, look_first=True))
    looked = simulator.orders_created[SUBMIT.fulfilment]
    await send(bench, "submit_fulfilment", SUBMIT)

    assert (looked, simulator.orders_created[SUBMIT.fulfilment]) == (1, 2)


async def test_an_unknown_warehouse_is_not_an_order(simulator: ShipHeroSimulator, bench: Bench) -> None:
    outcome = await send(bench, "submit_fulfilment", msgspec.structs.replace(SUBMIT, location="999"))

    assert "Warehouse not found" in getattr(outcome, "reason", "")
    assert not simulator.orders


async def test_cancel_finds_the_order_by_our_reference_alone(simulator: ShipHeroSimulator, bench: Bench) -> None:
    order = simulator.take_order(order_input(SUBMIT.fulfilment, {"MUG-RED": 1}))

    first = await send(bench, "cancel_fulfilment", CANCEL)
    again = await send(bench, "cancel_fulfilment", CANCEL)

    assert order.status == "canceled"
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert (first.found, again.found) == (False, True)


async def test_cancel_after_a_part_left_is_refused(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.stock(WAREHOUSE, "MUG-RED", 2)
    order = simulator.take_order(order_input(SUBMIT.fulfilment, {"MUG-RED": 2}))
    simulator.ship(order, part=True)

    outcome = await send(bench, "cancel_fulfilment", CANCEL)

    assert isinstance(outcome, Refused)
    assert order.status == "partially_fulfilled"


async def test_cancel_while_packing_is_refused_in_shipheros_words(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.take_order(order_input(SUBMIT.fulfilment, {"MUG-RED": 2}))
    simulator.refuse_cancel = 1.0

    outcome = await send(bench, "cancel_fulfilment", CANCEL)

    assert isinstance(outcome, Refused)
    assert "being packed" in outcome.reason


async def test_a_lack_of_credits_is_put_off_until_they_are_back() -> None:
    async with ShipHeroSimulator(credits=25, credits_per_second=1) as simulator:
        bench = Bench(HARNESS, simulator, HARNESS.settings(simulator))
        outcomes = [await send(bench, "submit_fulfilment", _numbered(number)) for number in range(3)]

        refused = outcomes[-1]
        assert [type(outcome) for outcome in outcomes] == [Done, Done, RetryLater]
        assert isinstance(refused, RetryLater)
        assert refused.at is not None
        assert timedelta(seconds=1) < refused.at - datetime.now(UTC) < timedelta(seconds=10)
        assert len(simulator.orders) == 2


async def test_one_client_keeps_to_the_credits_it_was_given() -> None:
    async with ShipHeroSimulator(credits=200, credits_per_second=100) as simulator:
        settings = msgspec.structs.replace(
            HARNESS.settings(simulator), credit_capacity=200, credits_per_second=100, requests_per_five_minutes=100_000
        )
        now = _now
        connection = Connection(id="c", merchant="m", account=1, account_name="n", adapter="shiphero", name="n")
        async with HttpClient(ADAPTER.transport(settings), clock=now) as client:
            context = Context(connection=connection, settings=settings, client=client, now=now)
            assert ADAPTER.submit_fulfilment is not None
            outcomes = await asyncio.gather(*(ADAPTER.submit_fulfilment(context, _numbered(n)) for n in range(25)))

        assert {type(outcome) for outcome in outcomes} == {Done}
        assert simulator.violations == []


def _now() -> datetime:
    return datetime.now(UTC)


def _numbered(number: int) -> FulfilmentRequest:
    return msgspec.structs.replace(SUBMIT, fulfilment=f"ORDER-{number}")


async def test_webhook_and_pull_speak_of_one_shipment(simulator: ShipHeroSimulator, bench: Bench) -> None:
    bodies: list[bytes] = []
    simulator.hub_url = "http://unused"
    simulator.deliver = lambda sent: bodies.append(sent.body)  # type: ignore[method-assign]
    simulator.stock(WAREHOUSE, "MUG-RED", 5)
    simulator.ship(simulator.take_order(order_input(SUBMIT.fulfilment, {"MUG-RED": 2})))

    (told,) = translate.shipment_update(bodies[0], TABLES)
    items = [item for page in await pages(bench, "status") for item in page.items]
    (pulled,) = translate.shipment(items[0].body, TABLES)

    assert items[0].object == f"fulfilment:{SUBMIT.fulfilment}"
    assert (told.fulfilment, told.shipment) == (pulled.fulfilment, pulled.shipment)
    assert told.parcels == pulled.parcels


@pytest.mark.parametrize("lines", [45, 250, 251, 620])
async def test_a_long_shipment_is_read_whole(simulator: ShipHeroSimulator, bench: Bench, lines: int) -> None:
    skus = {f"SKU-{number}": 1 for number in range(lines)}
    for sku in skus:
        simulator.stock(WAREHOUSE, sku, 1)
    simulator.ship(simulator.take_order(order_input(SUBMIT.fulfilment, skus)))

    shipment, order = [item for page in await pages(bench, "status") for item in page.items]
    (fact,) = translate.shipment(shipment.body, TABLES)

    assert sum(line.quantity for parcel in fact.parcels for line in parcel.lines) == lines
    assert translate.order(order.body, TABLES) == ()


async def test_a_status_pull_goes_on_where_it_stopped(simulator: ShipHeroSimulator, bench: Bench) -> None:
    HARNESS.fill["status"](simulator)

    whole = await pages(bench, "status")
    rest = await pages(bench, "status", whole[0].cursor)

    assert [[item.key for item in page.items] for page in rest] == [
        [item.key for item in page.items] for page in whole[1:]
    ]


async def test_a_shipment_that_takes_long_is_told_when_it_is_completed(
    simulator: ShipHeroSimulator, bench: Bench
) -> None:
    simulator.stock(WAREHOUSE, "MUG", 5)
    shipment = simulator.ship(simulator.take_order(order_input(SUBMIT.fulfilment, {"MUG": 2})))
    assert shipment is not None
    shipment.completed = False
    told, cursor = [], None
    for completed in (False, False, True, True):
        shipment.completed = completed
        found = await pages(bench, "status", cursor)
        told.append([item.topic for page in found for item in page.items if item.topic == "shipment"])
        shipment.created_at -= timedelta(hours=1)
        cursor = found[-1].cursor
    assert told == [[], [], ["shipment"], []]
    place = msgspec.json.decode(cursor or "", type=Place)
    assert place.unfinished == {}


async def test_a_shipment_that_is_never_completed_is_let_go(simulator: ShipHeroSimulator, bench: Bench) -> None:
    simulator.stock(WAREHOUSE, "MUG", 5)
    shipment = simulator.ship(simulator.take_order(order_input(SUBMIT.fulfilment, {"MUG": 2})))
    assert shipment is not None
    shipment.completed = False
    place = msgspec.json.decode((await pages(bench, "status"))[-1].cursor, type=Place)
    assert list(place.unfinished) == [shipment.id]
    shipment.created_at -= timedelta(days=4)
    old = msgspec.structs.replace(place, unfinished={shipment.id: _now() - UNFINISHED_FOR})
    later = await pages(bench, "status", msgspec.json.encode(old).decode())
    assert msgspec.json.decode(later[-1].cursor, type=Place).unfinished == {}


async def test_the_next_run_looks_back_over_the_last_ones_beginning(bench: Bench) -> None:
    before = _now()
    last = (await pages(bench, "status"))[-1]
    place = begin(last.cursor, None, _now())

    assert place.since is not None
    assert before - OVERLAP <= place.since <= _now() - OVERLAP
    assert (place.feed, place.after) == ("shipments", None)


def test_the_first_run_begins_where_the_connection_went_live() -> None:
    live_from = datetime(2026, 1, 1, tzinfo=UTC)
    now = datetime(2026, 1, 16, tzinfo=UTC)

    assert begin(None, live_from, now) == Place(since=live_from, run=now)
    assert begin(None, None, now).since is None


async def test_stock_is_read_whole_once_a_day_and_otherwise_what_changed(simulator: ShipHeroSimulator) -> None:
    by_pages = msgspec.structs.replace(HARNESS.settings(simulator), full_stock=FullStock.PAGES)
    bench = Bench(HARNESS, simulator, by_pages)
    HARNESS.fill["stock"](simulator)
    for shelf in simulator.inventory.values():
        shelf.updated_at = _now() - timedelta(days=3)
    simulator.stock(WAREHOUSE, "SKU-7", 99)

    whole = await pages(bench, "stock")
    changed = await pages(bench, "stock", whole[-1].cursor)
    yesterday = msgspec.json.decode(whole[-1].cursor, type=Place)
    assert yesterday.full_at is not None
    aged = msgspec.structs.replace(yesterday, full_at=yesterday.full_at - FULL_STOCK_EVERY)
    again = await pages(bench, "stock", msgspec.json.encode(aged).decode())

    assert [_lines(page) for page in (whole, changed, again)] == [150, 1, 150]


def _lines(found: list[Page]) -> int:
    facts = [fact for page in found for item in page.items for fact in translate.inventory_snapshot(item.body, TABLES)]
    assert all(_now() - timedelta(minutes=1) < fact.at <= _now() for fact in facts)
    return sum(len(fact.lines) for fact in facts)


async def test_a_file_instead_of_pages_is_the_whole_only_the_first_time(
    simulator: ShipHeroSimulator, bench: Bench
) -> None:
    HARNESS.fill["stock"](simulator)
    for shelf in simulator.inventory.values():
        shelf.updated_at = _now() - timedelta(days=3)
    whole = await pages(bench, "stock")
    later = await pages(bench, "stock", whole[-1].cursor)

    assert [_lines(page) for page in (whole, later)] == [150, 0]


async def test_no_stock_is_no_message(bench: Bench) -> None:
    (page,) = await pages(bench, "stock")

    assert page.items == ()
    assert page.cursor


async def test_a_packed_order_is_fetched_and_read(simulator: ShipHeroSimulator, bench: Bench) -> None:
    about, body = HARNESS.fetched["Order Packed Out"](simulator)
    async with bench.context() as context:
        assert ADAPTER.fetch is not None
        item = await ADAPTER.fetch(context, "Order Packed Out", about, body)

    (fact,) = translate.packed_order(item.body, TABLES)
    assert isinstance(fact, UnitsPacked)
    assert (fact.fulfilment, [(line.line, line.quantity) for line in fact.lines]) == (SUBMIT.fulfilment, [("1", 2)])


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b'{"order_id":null,"items":[]}'])
async def test_a_packed_notice_that_names_no_order_is_for_a_person(bench: Bench, body: bytes) -> None:
    async with bench.context() as context:
        assert ADAPTER.fetch is not None
        with pytest.raises(Interrupted) as caught:
            await ADAPTER.fetch(context, "Order Packed Out", "order:7", body)

    assert isinstance(caught.value.outcome, NeedsPerson)


async def test_probe_names_the_account_as_configured_or_as_shiphero_does(
    simulator: ShipHeroSimulator, bench: Bench
) -> None:
    assert ADAPTER.probe is not None
    async with bench.context() as context:
        good = await ADAPTER.probe(context)
        other = await ADAPTER.probe(
            msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, account="another"))
        )

    assert good.account == "northwind"
    assert [check.name for check in other.checks if not check.ok] == ["account"]
    assert other.account == "northwind"
    assert "Primary (76733)" in next(check.detail for check in good.checks if check.name == "warehouses")
