"""What a node does wrong, each case with a good order beside it that must not notice. See docs/failures.md."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_documents import shipment_update
from hub.domain.facts import GoodsShipped
from hub.domain.shipping import Parcel, ParcelLine
from hub.wiring import build_worker
from tests.scenarios.test_facts import fulfilment, parcels
from tests.scenarios.town import Town

STATUS = "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('depot', 'status', 60)"


def left(order: dict[str, Any], *lines: ParcelLine, shipment: str = "s-1", tracking: str = "T-1") -> GoodsShipped:
    """A parcel with these units left."""
    box = Parcel(tracking=tracking, carrier="ups", lines=lines)
    return GoodsShipped(at=datetime.now(UTC), fulfilment=fulfilment(order), shipment=shipment, parcels=(box,))


@pytest.fixture
async def far(town: Town) -> AsyncIterator[ShipHeroSimulator]:
    """A second partner with goods that only it has; its account is of this test alone, and so are its limits."""
    account = f"far-{uuid4().hex[:8]}"
    simulator = ShipHeroSimulator(
        username="u", password="p", webhook_secret="whs", account=account, warehouses={"9": "South"}
    )
    async with simulator:
        config = {"account": account, "username": "u", "password": "p", "webhook_secret": "whs"}
        await town.house.connect("far", "shiphero", {**config, "base_url": simulator.base_url})
        node = await town.house.node("SOUTH", latitude=30.0, longitude=-97.0)
        await town.house.bind(node, "far", "9")
        item = await town.goods("LAMP")
        town.shop.sell("LAMP", available=5)
        await town.house.shelf(node, item, 5)
        simulator.stock("9", "LAMP", 5)
        yield simulator


async def south(town: Town) -> int:
    return int(await town.house.value("SELECT id FROM node WHERE code = 'SOUTH'"))


async def tries(town: Town) -> list[str]:
    rows = await town.house.rows(
        "SELECT a.outcome FROM attempt a JOIN effect e ON e.id = a.effect_id "
        "WHERE e.kind = 'SubmitFulfilment' ORDER BY e.id, a.no"
    )
    return [row["outcome"] for row in rows]


@pytest.mark.parametrize("line", ["77", "LAMP"])
async def test_goods_of_another_kind_are_told_and_ours_stay_open(town: Town, line: str) -> None:
    _, order = await town.buy([("PASS", 2)])
    passer = town.passer_by()
    await town.house.hear("depot", left(order, ParcelLine(line=line, quantity=2)))
    await town.settle()
    await town.passed(passer)
    found = await town.trouble()
    assert found["kind"] == "shipped_unasked"
    assert "2 units more than were open" in found["next_step"]
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)], "what was asked for has not left"


async def test_a_tracking_number_of_another_order_moves_neither_orders_units(town: Town) -> None:
    _, first = await town.buy([("PASS", 1)])
    _, second = await town.buy([("PASS", 1)])
    await town.house.hear("depot", left(first, tracking="T-9"))
    await town.house.hear("depot", left(second, tracking="T-9", shipment="s-2"))
    for order in (first, second):
        assert await parcels(town, order["id"]) == [("T-9", "pre_transit")]
        assert await town.slices(order["id"]) == [(1, "shipped", town.east)]
    assert await town.stock("PASS", town.east) == (98, 0)


async def test_a_web_page_where_an_answer_should_be_is_looked_up_first(town: Town) -> None:
    town.depot.script.extend([None, "html"])
    _, order = await town.buy([("PASS", 2)])
    assert await tries(town) == ["uncertain", "done"]
    assert town.depot.orders_created == {f"{order['id']}-1": 1}
    assert await town.house.open_exceptions() == []


async def test_a_delivery_that_breaks_off_is_refused_and_comes_again_whole(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    url, town.depot.hub_url = town.depot.hub_url, None
    made = town.depot.ship(town.asked(order["id"]))
    assert made is not None
    assert url is not None
    body = msgspec.json.encode(shipment_update(made, "East"))
    passer = town.passer_by()
    async with httpx.AsyncClient() as client:
        for part, status in ((body[:-40], 400), (body, 200)):
            assert await town.slices(order["id"]) == [(2, "accepted", town.east)]
            answer = await client.post(url, content=part, headers=town.depot.signed(part, "m-1"))
            assert answer.status_code == status
    await town.settle()
    await town.passed(passer)
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]


async def test_a_partner_that_wants_an_hour_gets_it_and_others_do_not_wait(town: Town, far: ShipHeroSimulator) -> None:
    told = b'{"errors":[{"message":"not enough credits","code":30,"time_remaining":"1 hour"}],"data":null}'
    far.throttled = lambda: (200, {"content-type": "application/json"}, told)  # type: ignore[method-assign]
    far.script.extend([None, "throttle"])
    waiting = town.shop.place_order([("LAMP", 1)])
    passer = town.passer_by()
    await town.shop.delivered()
    await town.house.path()
    for _ in range(3):
        await town.house.worker.deliverer.run()
        await town.house.worker.deliverer.drain()
        await town.house.path()
    await town.passed(passer)
    (row,) = await town.house.rows("SELECT due_at - now() AS pause, parked FROM outbox WHERE NOT parked")
    assert timedelta(minutes=59) < row["pause"] < timedelta(minutes=73)
    assert far.calls["/graphql"] == 1, "and is not asked meanwhile"
    assert await town.slices((await town.order(waiting))["id"]) == [(1, "released", await south(town))]
    assert await town.house.open_exceptions() == []


async def test_waits_that_a_partner_asked_for_never_add_up_to_giving_up(town: Town) -> None:
    town.depot.script.extend([None, "throttle", "server_error", None])
    placed = town.shop.place_order([("PASS", 1)])
    await town.shop.delivered()
    await town.house.path()
    tries = "SELECT parked, tries, waits FROM outbox"
    await town.house.send()
    assert await town.house.rows(tries) == [{"parked": False, "tries": 1, "waits": 1}]
    # As after a day of such answers: the first failure is the first that counts.
    await town.house.run("UPDATE outbox SET tries = 700, waits = 700")
    await town.house.send()
    assert await town.house.rows(tries) == [{"parked": False, "tries": 701, "waits": 700}]
    await town.house.send()
    await town.settle()
    assert await town.slices((await town.order(placed))["id"]) == [(1, "accepted", town.east)]


async def test_six_hours_without_a_partner_park_nothing_and_end_in_one_effect(town: Town) -> None:
    town.depot.faults.outage = True
    placed = town.shop.place_order([("PASS", 2)])
    await town.shop.delivered()
    await town.house.path()
    away = timedelta()
    while away < timedelta(hours=6):
        await town.house.send()
        (row,) = await town.house.rows("SELECT due_at - now() AS pause, parked FROM outbox")
        assert not row["parked"]
        away += row["pause"]
    assert await town.house.open_exceptions() == []
    town.depot.faults.outage = False
    await town.house.send()
    await town.settle()
    order = await town.order(placed)
    assert town.asked(order["id"]).status == "pending"
    assert town.depot.orders_created == {f"{order['id']}-1": 1}


async def test_two_workers_never_pull_one_connection_at_once(town: Town) -> None:
    await town.house.run(STATUS)
    other = build_worker(town.house.parts)
    assert sorted(await asyncio.gather(town.house.worker.puller.run(), other.puller.run())) == [0, 1]
    assert town.depot.calls["/graphql"] == 2, "shipments and orders, once each"
    assert await town.house.value("SELECT last_error FROM schedule") is None


async def test_webhooks_that_never_came_and_a_page_that_was_lost_are_pulled(town: Town) -> None:
    town.depot.webhooks = set()
    orders = [(await town.buy([("PASS", 1)]))[1] for _ in range(2)]
    for order in orders:
        town.depot.ship(town.asked(order["id"]))
    await town.house.run(STATUS)
    town.depot.script.append("lost_reply")
    await town.house.worker.puller.run()
    assert await town.house.value("SELECT last_error FROM schedule")
    await town.house.run("UPDATE schedule SET next_due_at = now()")
    town.house.close_circuits()
    await town.house.worker.puller.run()
    await town.settle()
    assert [await town.slices(order["id"]) for order in orders] == [[(1, "shipped", town.east)]] * 2
    assert await town.house.value("SELECT last_error FROM schedule") is None
