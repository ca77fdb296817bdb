"""Engines that are away: nothing is acknowledged that is not stored, nothing stored is lost, and work goes on after."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.scenarios.house import build_house
from tests.scenarios.proxy import Proxy, proxied
from tests.scenarios.test_intake import quiet_order
from tests.scenarios.town import Town, build_town

pytestmark = pytest.mark.hurried

_numbers = count(1)


@pytest.fixture
async def far(database_url: str, queue_url: str, engine_folder: Path) -> AsyncIterator[tuple[Town, Proxy]]:
    """A town whose hub reaches its database through a proxy."""
    async with proxied(database_url, engine_folder / f"p{next(_numbers)}") as (proxy, url):
        house = await build_house(url, queue_url, engine_folder)
        town = await build_town(house)
        yield town, proxy
        await town.close()
        await house.verify()
        await house.close()


async def post(town: Town, event: str) -> tuple[httpx.Response, float]:
    """Deliver a good order; the answer and the seconds it took."""
    body = town.shop.body(quiet_order(town), "orders/create")
    sent = town.shop.signed("orders/create", body, event)
    async with httpx.AsyncClient(timeout=30) as client:
        began = time.perf_counter()
        answer = await client.post(sent.url, content=sent.body, headers=sent.headers)
        return answer, time.perf_counter() - began


async def stored(town: Town) -> int:
    return int(await town.house.value("SELECT count(*) FROM message WHERE connection_id = 'shop'"))


@pytest.mark.parametrize("aged", [False, True])
async def test_a_database_that_refuses_is_503_at_once(far: tuple[Town, Proxy], aged: bool) -> None:
    town, proxy = far
    assert (await post(town, "e-1"))[0].status_code == 200
    await proxy.refuse()
    await asyncio.sleep(0.6 if aged else 0.01)
    for attempt in range(3):
        answer, took = await post(town, f"e-2-{attempt}")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert took < 0.25
    await proxy.mend()
    answer, _ = await post(town, "e-3")
    assert answer.status_code == 200
    assert await stored(town) == 2
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM customer_order") == 2


@pytest.mark.parametrize("aged", [False, True])
async def test_a_database_that_hangs_is_503_before_the_vendor_gives_up(far: tuple[Town, Proxy], aged: bool) -> None:
    town, proxy = far
    assert (await post(town, "e-1"))[0].status_code == 200
    proxy.hang()
    await asyncio.sleep(0.6 if aged else 0.01)
    answers = await asyncio.gather(*(post(town, f"e-2-{number}") for number in range(5)))
    for answer, took in answers:
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        assert took < 1.6
    await proxy.mend()
    deadline = time.monotonic() + 5
    while (await post(town, f"e-3-{time.monotonic()}"))[0].status_code != 200:
        assert time.monotonic() < deadline
    await town.settle()
    refused = await town.house.value("SELECT count(*) FROM message WHERE key LIKE 'event:e-2%'")
    assert refused == 0 or await town.house.value("SELECT count(*) FROM customer_order") >= 2, "stored is worked on"
    assert await town.house.open_exceptions() == []


async def test_a_vendor_that_repeats_loses_nothing(far: tuple[Town, Proxy]) -> None:
    town, proxy = far
    await proxy.refuse()
    placed = [town.shop.place_order([("PASS", 1)]) for _ in range(5)]
    await asyncio.sleep(0.1)
    await proxy.mend()
    await town.settle()
    assert town.shop.undelivered == []
    for one in placed:
        assert town.asked((await town.order(one))["id"]).status == "pending"


async def test_a_worker_outlives_its_database(far: tuple[Town, Proxy]) -> None:
    town, proxy = far
    stop = asyncio.Event()
    running = asyncio.create_task(town.house.worker.run(stop))
    try:
        placed = town.shop.place_order([("PASS", 1)])
        await town.shop.delivered()
        await proxy.refuse()
        await asyncio.sleep(0.2)
        await proxy.mend()
        deadline = time.monotonic() + 8
        while not town.depot.orders:
            assert time.monotonic() < deadline, "the worker did not recover"
            await asyncio.sleep(0.02)
        assert town.asked((await town.order(placed))["id"]).status == "pending"
    finally:
        stop.set()
        await running
    await town.settle()


async def test_orders_flow_by_the_sweep_when_the_queue_cannot_be_reached(
    database_url: str, engine_folder: Path
) -> None:
    house = await build_house(database_url, "redis://127.0.0.1:9/0", engine_folder, sweep_seconds=0.05)
    town = await build_town(house)
    stop = asyncio.Event()
    running = asyncio.create_task(house.worker.run(stop))
    try:
        placed = [town.shop.place_order([("PASS", 1)]) for _ in range(5)]
        await town.shop.delivered()
        assert town.shop.undelivered == []
        deadline = time.monotonic() + 8
        while len(town.depot.orders) < 5:
            assert time.monotonic() < deadline, "without the queue nothing moves"
            await asyncio.sleep(0.02)
        assert {town.asked((await town.order(one))["id"]).status for one in placed} == {"pending"}
    finally:
        stop.set()
        await running
        await town.settle()
        await town.close()
        await house.verify()
        await house.close()
