"""The simulator keeps ShipHero's shapes, limits and lack of uniqueness, and its warehouse works."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from adapters.shiphero import translate
from adapters.shiphero.harness import HARNESS, order_input
from adapters.shiphero.operations import ACCOUNT, FIND_ORDERS, OPERATIONS
from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_quota import Quota, price
from adapters.shiphero.webhook import check
from hub.domain.facts import CancelConfirmed, GoodsShipped, StockReported
from hub.sdk.testkit.reading import tables_of
from hub.sdk.webhook import Delivery, Store

TABLES = tables_of(HARNESS)
WAREHOUSE = "76733"


class Hub:
    """A receiver that checks and reads what arrives."""

    def __init__(self, simulator: ShipHeroSimulator) -> None:
        self.facts: list[object] = []
        self.keys: list[str] = []
        self.settings = HARNESS.settings(simulator)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        verdict = check(
            Delivery(method="POST", url="", headers=headers, query={}, body=body, received_at=datetime.now(UTC)),
            self.settings,
        )
        assert isinstance(verdict, Store)
        self.keys.append(verdict.key)
        read = HARNESS.adapter.topics[verdict.topic].translate
        assert read is not None
        self.facts += read(body, TABLES)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": verdict.reply.body})

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if type(fact) is kind]


@asynccontextmanager
async def receiving(simulator: ShipHeroSimulator) -> AsyncIterator[Hub]:
    hub = Hub(simulator)
    simulator.hub_url = "http://hub/in"
    simulator._client = httpx.AsyncClient(transport=httpx.ASGITransport(app=hub))
    yield hub


async def worked(simulator: ShipHeroSimulator, closed: int) -> None:
    """Wait until the warehouse closed that many orders and everybody heard of it."""
    for _ in range(500):
        if sum(order.status in ("fulfilled", "canceled") for order in simulator.orders.values()) == closed:
            break
        await asyncio.sleep(0.01)
    await simulator.delivered()


async def test_an_accepted_order_ships_by_itself(simulator: ShipHeroSimulator) -> None:
    simulator.auto_ship, simulator.ship_after_ms = True, 10
    simulator.stock(WAREHOUSE, "MUG", 10)
    async with receiving(simulator) as hub:
        simulator.take_order(order_input("A-1", {"MUG": 3}))
        await worked(simulator, 1)

    (shipped,) = hub.of(GoodsShipped)
    (stock,) = hub.of(StockReported)
    assert shipped.fulfilment == "A-1"
    assert shipped.parcels[0].tracking.startswith("1Z999AA1")
    assert [(line.line, line.quantity) for line in shipped.parcels[0].lines] == [("1", 3)]
    assert (stock.lines[0].location, stock.lines[0].on_hand) == (WAREHOUSE, 7)
    assert len(set(hub.keys)) == 2


async def test_a_split_order_ships_in_two_parts_that_sum_up(simulator: ShipHeroSimulator) -> None:
    simulator.auto_ship, simulator.ship_after_ms, simulator.split = True, 5, 1.0
    simulator.stock(WAREHOUSE, "MUG", 10)
    async with receiving(simulator) as hub:
        simulator.take_order(order_input("A-1", {"MUG": 5}))
        await worked(simulator, 1)

    units = [fact.parcels[0].lines[0].quantity for fact in hub.of(GoodsShipped)]
    assert sorted(units) == [2, 3]
    assert len({fact.shipment for fact in hub.of(GoodsShipped)}) == 2
    assert len({fact.parcels[0].tracking for fact in hub.of(GoodsShipped)}) == 2


async def test_a_short_order_closes_with_a_unit_missing_and_an_empty_shelf(simulator: ShipHeroSimulator) -> None:
    simulator.auto_ship, simulator.ship_after_ms, simulator.short = True, 5, 1.0
    simulator.stock(WAREHOUSE, "MUG", 10)
    async with receiving(simulator) as hub:
        order = simulator.take_order(order_input("A-1", {"MUG": 3}))
        await worked(simulator, 1)

    assert (order.status, order.lines[0].shipped) == ("fulfilled", 2)
    assert simulator.inventory[WAREHOUSE, "MUG"].on_hand == 0
    assert hub.of(GoodsShipped)[0].parcels[0].lines[0].quantity == 2


async def test_an_order_of_which_nothing_is_there_is_cancelled(simulator: ShipHeroSimulator) -> None:
    simulator.auto_ship, simulator.ship_after_ms = True, 5
    async with receiving(simulator) as hub:
        simulator.take_order(order_input("A-1", {"NOTHING": 1}))
        await worked(simulator, 1)

    assert [fact.fulfilment for fact in hub.of(CancelConfirmed)] == ["A-1"]


async def test_a_cancelled_order_does_not_ship(simulator: ShipHeroSimulator) -> None:
    simulator.auto_ship, simulator.ship_after_ms = True, 30
    simulator.stock(WAREHOUSE, "MUG", 10)
    simulator.cancel(simulator.take_order(order_input("A-1", {"MUG": 1})))
    await asyncio.sleep(0.1)

    assert simulator.shipments == []


async def test_thousands_of_orders_cost_no_more_each(simulator: ShipHeroSimulator) -> None:
    simulator.stock(WAREHOUSE, "MUG", 10_000)
    begun = time.perf_counter()
    for number in range(5000):
        simulator.ship(simulator.take_order(order_input(f"A-{number}", {"MUG": 1})))
    made = time.perf_counter() - begun
    begun = time.perf_counter()
    for number in range(1000):
        assert len(simulator.found(f"A-{number}")) == 1
        assert len(simulator.updated(datetime.now(UTC) + timedelta(seconds=1))) == 0
    looked = time.perf_counter() - begun

    assert len(simulator.shipments) == 5000
    assert made < 2
    assert looked < 0.2


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_client_takes_at_least_what_shiphero_may_want(operation: Any) -> None:
    assert operation.cost >= price(operation.document)


def test_nested_connections_multiply_the_price() -> None:
    assert price("query { orders { data(first: 10) { edges { node { line_items(first: 5) { a } } } } } }") == 61
    assert price("query { a { data(first: 10) { x } } b { data(first: 3) { x } } }") == 14
    assert price("mutation { order_cancel { order { id } } }") == 10


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 16, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def tick(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def test_credits_come_back_by_the_second() -> None:
    clock = Clock()
    quota = Quota(clock, 100, 10, 7000)
    quota.credits -= 100

    assert quota.missing(50) == 5
    clock.tick(3)
    assert quota.missing(50) == 2
    clock.tick(2)
    assert quota.missing(50) == 0


def test_who_goes_on_although_told_to_wait_is_seen() -> None:
    clock = Clock()
    quota = Quota(clock, 100, 10, 7000)
    quota.credits = 0
    quota.missing(100)

    seen = []
    for seconds in (0.5, 3, 8):
        clock.tick(seconds)
        seen.append(quota.ignored())

    assert seen == [False, True, False]


def test_requests_are_counted_over_five_minutes() -> None:
    clock = Clock()
    quota = Quota(clock, 100, 10, 3)

    burst = [quota.too_many_requests() for _ in range(4)]
    clock.tick(300)

    assert burst == [False, False, False, True]
    assert not quota.too_many_requests()


async def post(simulator: ShipHeroSimulator, document: str, name: str, token: str | None = None) -> httpx.Response:
    async with httpx.AsyncClient(base_url=simulator.base_url) as client:
        if token is None:
            login = {"username": simulator.username, "password": simulator.password}
            token = (await client.post("/auth/token", json=login)).json()["access_token"]
        call = {"query": document, "operationName": name, "variables": {"partner_order_id": "A-1"}}
        return await client.post("/graphql", json=call, headers={"authorization": f"Bearer {token}"})


async def test_a_call_without_a_token_is_unauthorised(simulator: ShipHeroSimulator) -> None:
    assert (await post(simulator, ACCOUNT.document, ACCOUNT.name, token="made-up")).status_code == 401


async def test_credits_that_are_not_there_are_told_in_shipheros_words() -> None:
    async with ShipHeroSimulator(credits=5, credits_per_second=1) as simulator:
        answer = await post(simulator, FIND_ORDERS.document, FIND_ORDERS.name)

    (error,) = answer.json()["errors"]
    assert answer.status_code == 200
    assert (error["code"], error["required_credits"], error["time_remaining"]) == (30, 6, "1 seconds")


async def test_an_operation_the_client_does_not_know_is_a_violation(simulator: ShipHeroSimulator) -> None:
    await post(simulator, "query bills { bills { data { id } } }", "bills")

    assert simulator.violations == ["unknown operation bills"]


async def test_duplicates_and_disorder_read_the_same(simulator: ShipHeroSimulator) -> None:
    simulator.faults.duplicate = simulator.faults.reorder = 1.0
    simulator.stock(WAREHOUSE, "MUG", 10)
    async with receiving(simulator) as hub:
        simulator.ship(simulator.take_order(order_input("A-1", {"MUG": 3})))
        await simulator.delivered()

    assert len(hub.keys) == 4
    assert len(set(hub.keys)) == 2
    assert len({msgspec.json.encode(fact) for fact in hub.of(GoodsShipped)}) == 1


def test_packed_and_shipped_speak_of_the_same_units() -> None:
    simulator = ShipHeroSimulator()
    simulator.stock(WAREHOUSE, "MUG", 10)
    bodies: list[bytes] = []
    simulator.hub_url = "http://unused"
    simulator.webhooks = {"Order Packed Out", "Shipment Update"}
    simulator.deliver = lambda sent: bodies.append(sent.body)  # type: ignore[method-assign]
    simulator.ship(simulator.take_order(order_input("A-1", {"MUG": 3})))

    packed, shipped = (msgspec.json.decode(body) for body in bodies)
    (fact,) = translate.shipment_update(msgspec.json.encode(shipped), TABLES)
    assert len(packed["items"]) == sum(line.quantity for parcel in fact.parcels for line in parcel.lines)
