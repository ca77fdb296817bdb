"""Batches: one bad row is parked and the others pass; several workers on one scarce shelf never promise it twice."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hub.domain.facts import FulfilmentAccepted, GoodsShipped
from hub.flow.normalise import FACTS_TOPIC, encode_facts
from hub.flow.ports import LostRace
from hub.flow.writes import LedgerRow
from hub.sdk.adapter import Lane
from hub.store import flush as flushing
from hub.store.database import PooledConnection
from hub.store.inbox import Arrival, store_arrivals
from hub.store.unit_of_work import PostgresStore
from hub.web import grouping as grouping_module
from hub.web.grouping import Grouping, Stored, Unavailable
from hub.wiring import utc_now
from hub.worker.perform import Performer
from tests.scenarios.test_intake import deliver, quiet_order
from tests.scenarios.town import Town

Pinned = Sequence[tuple[int, int, int]]


def arrival(town: Town, number: int, body: bytes, *, topic: str = FACTS_TOPIC, lane: Lane = Lane.FACTS) -> Arrival:
    """A stored delivery of its own subject."""
    connection = "depot" if lane is Lane.FACTS else "shop"
    return Arrival(
        account=int(town.house.connections[connection]),
        key=f"a:{number}",
        hash=hashlib.blake2b(body, digest_size=16).digest(),
        merchant="default",
        connection=connection,
        topic=topic,
        object=f"of:{number}",
        lane=lane.value,
        received_at=datetime.now(UTC),
        headers=None,
        body=body,
    )


async def store(town: Town, arrivals: list[Arrival]) -> None:
    async with town.house.parts.database.transaction() as connection:
        await store_arrivals(connection, arrivals, datetime.now(UTC))


def orders(town: Town, count: int, sku: str, units: int = 1) -> list[Arrival]:
    """Deliveries of good orders."""
    hub, town.shop.hub_url = town.shop.hub_url, None
    placed = [town.shop.place_order([(sku, units)]) for _ in range(count)]
    town.shop.hub_url = hub
    return [
        arrival(town, number, town.shop.body(one, "orders/create"), topic="orders/create", lane=Lane.ORDERS)
        for number, one in enumerate(placed)
    ]


@pytest.mark.parametrize(
    "poison",
    [b"no json", b'[{"type":"Nothing","at":"2026-01-16T12:00:00Z"}]', b'[{"type":"GoodsShipped"}]', b"\xff", b"[[[["],
)
async def test_a_poisonous_row_is_parked_alone(town: Town, poison: bytes) -> None:
    placed = [town.shop.place_order([("PASS", 1)]) for _ in range(9)]
    await town.settle()
    ids = [(await town.order(one))["id"] for one in placed]
    at = datetime.now(UTC)
    told = [encode_facts([GoodsShipped(at=at, fulfilment=f"{order}-1", shipment="s")]) for order in ids]
    await store(town, [arrival(town, number, body) for number, body in enumerate([*told[:4], poison, *told[4:]])])
    await town.settle()
    (parked,) = await town.house.rows("SELECT * FROM inbox")
    assert parked["parked"]
    assert parked["object"] == "of:4"
    found = await town.trouble()
    assert found["kind"] == "message_failed"
    for order in ids:
        assert await town.slices(order) == [(1, "shipped", town.east)]
    assert await town.stock("PASS", town.east) == (91, 0)


async def test_a_value_no_column_takes_parks_its_order_alone(town: Town) -> None:
    """A million million kits of many parts: the column counts to two thousand million."""
    cup = await town.goods("CUP", east=5)
    town.shop.sell("BOX", available=5)
    box = await town.house.item("BOX")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 1000)", box, cup)
    good = orders(town, 12, "PASS")
    (bad,) = orders(town, 1, "BOX", 2**31 - 1)
    await store(town, [*good[:5], bad._replace(key="bad", object="of:bad"), *good[5:]])
    await town.settle()
    (parked,) = await town.house.rows("SELECT * FROM inbox")
    assert (parked["parked"], parked["object"]) == (True, "of:bad")
    assert (await town.trouble())["kind"] == "message_failed"
    assert await town.house.value("SELECT count(*) FROM customer_order") == 12
    assert await town.stock("PASS", town.east) == (100, 12)


async def test_a_message_that_loses_even_with_the_shelf_locked_is_parked_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = [town.shop.place_order([("PASS", 1)]) for _ in range(5)]
    await town.settle()
    ids = [(await town.order(one))["id"] for one in placed]
    change = flushing.change_stock

    async def never(connection: PooledConnection, pinned: Pinned, ledger: Sequence[LedgerRow]) -> list[LedgerRow]:
        if any(row.cause == ids[2] for row in ledger):
            raise LostRace("item 7 at node 1: 3 wanted, 0 free")
        return await change(connection, pinned, ledger)

    monkeypatch.setattr(flushing, "change_stock", never)
    at = datetime.now(UTC)
    told = [encode_facts([GoodsShipped(at=at, fulfilment=f"{order}-1", shipment="s")]) for order in ids]
    await store(town, [arrival(town, number, body) for number, body in enumerate(told)])
    await town.settle()
    (parked,) = await town.house.rows("SELECT * FROM inbox")
    assert (parked["parked"], parked["object"]) == (True, "of:2")
    found = await town.trouble()
    assert found["kind"] == "message_failed"
    assert "item 7 at node 1: 3 wanted, 0 free" in found["cause"]
    assert "Count" in found["next_step"]
    for order in ids:
        state = "accepted" if order == ids[2] else "shipped"
        assert await town.slices(order) == [(1, state, town.east)]


async def test_a_parked_message_does_not_hold_back_a_newer_one_of_its_order(town: Town) -> None:
    placed = quiet_order(town)
    broken = b'{"id": ' + str(placed.id).encode() + b', "line_items": '
    assert await deliver(town, broken, event="e-1") == 200
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM inbox WHERE parked") == 1
    town.shop.update_order(placed.id, note="newer")
    await town.settle()
    assert await town.slices((await town.order(placed))["id"]) == [(1, "accepted", town.east)]


async def test_many_facts_of_many_orders_are_one_batch(town: Town) -> None:
    await store(town, orders(town, 40, "PASS"))
    await town.house.path()
    ids = [row["id"] for row in await town.house.rows("SELECT id FROM customer_order")]
    at = datetime.now(UTC)
    bodies = [encode_facts([FulfilmentAccepted(at=at, fulfilment=f"{order}-1")]) for order in ids]
    await store(town, [arrival(town, 100 + number, body) for number, body in enumerate(bodies)])
    assert await town.house.worker.performer.run(Lane.FACTS) == 40
    states = await town.house.rows("SELECT state, sum(quantity)::int AS units FROM slice GROUP BY state")
    assert [(row["state"], row["units"]) for row in states] == [("accepted", 40)]


def performers(town: Town, count: int, size: int) -> list[Performer]:
    """Workers of their own over the same database."""
    parts = town.house.parts
    return [
        Performer(PostgresStore(parts.database), parts.configuration, utc_now, parts.new_id, size) for _ in range(count)
    ]


async def work(performer: Performer) -> None:
    while await performer.run(Lane.ORDERS):
        pass


async def test_a_scarce_shelf_is_promised_once_by_four_workers(town: Town) -> None:
    south = await town.house.node("SOUTH", latitude=29.7, longitude=-95.4)
    item = await town.goods("LAMP", east=40, west=35)
    await town.house.shelf(south, item, 25)
    await store(town, orders(town, 300, "LAMP"))

    await asyncio.gather(*(work(performer) for performer in performers(town, 4, 20)))

    shelves = await town.house.rows("SELECT node_id, sellable, pinned FROM stock WHERE item_id = $1", item)
    assert {row["node_id"]: (row["sellable"], row["pinned"]) for row in shelves} == {
        town.east: (40, 40),
        town.west: (35, 35),
        south: (25, 25),
    }
    assert await town.house.value("SELECT count(*) FROM customer_order") == 300
    assert await town.house.value("SELECT sum(quantity)::int FROM slice WHERE state = 'released'") == 100
    assert await town.house.value("SELECT sum(quantity)::int FROM slice WHERE state = 'unallocated'") == 200
    assert await town.house.value("SELECT count(*) FROM waiting WHERE queue = 'shortage'") == 200
    assert await town.house.value("SELECT unpinned FROM item_promise WHERE item_id = $1", item) == 200
    assert await town.house.value("SELECT count(*) FROM fulfilment_order") == 100
    assert await town.house.value("SELECT count(*) FROM inbox") == 0
    found = await town.trouble()
    assert (found["kind"], found["count"]) == ("shortage", 200)


async def test_a_nodes_day_is_filled_once_by_four_workers(town: Town) -> None:
    await town.house.run("UPDATE node SET capacity_per_day = 30 WHERE id = $1", town.east)
    await store(town, orders(town, 80, "PASS"))
    await asyncio.gather(*(work(performer) for performer in performers(town, 4, 10)))
    assert await town.house.value("SELECT orders FROM node_load WHERE node_id = $1", town.east) == 30
    assert await town.house.value("SELECT count(*) FROM fulfilment_order") == 30
    assert await town.stock("PASS", town.east) == (100, 30)


async def test_one_order_told_by_four_workers_at_once_is_one_order(town: Town) -> None:
    (first,) = orders(town, 1, "PASS", 3)
    copies = [first._replace(key=f"copy:{number}", object=None) for number in range(24)]
    await store(town, copies)
    await asyncio.gather(*(work(performer) for performer in performers(town, 4, 2)))
    assert await town.house.value("SELECT count(*) FROM customer_order") == 1
    assert await town.stock("PASS", town.east) == (100, 3)
    assert await town.house.value("SELECT count(*) FROM inbox") == 0
    await town.settle()
    assert len(town.depot.orders) == 1


async def test_a_commit_that_ends_without_an_answer_leaves_no_sender_waiting(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver whose server was killed may cancel what waits for a connection: a webhook then hung for 30 s."""
    grouping = Grouping(town.house.parts.database, town.house.parts.clock)
    store_all = grouping_module.store_arrivals

    async def cancelled(connection: PooledConnection, arrivals: Sequence[Arrival], now: datetime) -> list[Stored]:
        monkeypatch.setattr(grouping_module, "store_arrivals", store_all)
        raise asyncio.CancelledError

    monkeypatch.setattr(grouping_module, "store_arrivals", cancelled)
    first = asyncio.create_task(grouping.store(arrival(town, 1, b"[]")))
    await asyncio.sleep(0)
    async with asyncio.timeout(0.9):
        with pytest.raises(Unavailable):
            await first
        _, is_new = await grouping.store(arrival(town, 1, b"[]"))
    assert is_new, "it comes again, and is kept"
