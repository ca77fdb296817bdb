"""The long versions of the proof, each against real processes: name -> what is run, and what it measured."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import redis.asyncio as redis

from hub.embedded import EngineError
from tests.bench.running import RunningHub
from tests.faults.books import agree
from tests.faults.kills import REST_SECONDS, Takeovers, open_world, run
from tests.faults.running import FaultyHub
from tests.faults.strikes import kill
from tests.faults.world import SHORT_PAUSES, World
from tests.proof import contract, duplicates, fuzz, reconciliation, writers
from tests.proof.crowd import send_all
from tests.proof.outages import Vendor
from tests.proof.rolling import RollingHub, replace_under_load
from tests.proof.running import running_sale
from tests.proof.sale import OTHER, WAYS, check
from tests.property.life.run import live_long

Kind = Callable[[], Awaitable[str]]
"""Runs, asserts, and says what it measured."""


async def oversell() -> str:
    """A thousand orders for a hundred units on three shelves, by every way in, over 32 and over 1,000 connections."""
    told = []
    for way, come in WAYS.items():
        for connections in (32, 1000):
            async with running_sale(RunningHub()) as sale:
                started = time.monotonic()
                answers = await come(sale, 1000, connections)
                await sale.at_rest()
                await check(sale, 1000, answers)
                told.append(f"{way}/{connections} {time.monotonic() - started:.1f} s")
    return "100 of 1,000 each: " + ", ".join(told)


async def write() -> str:
    """Sixty-four writers on one SKU for a minute."""
    async with running_sale(RunningHub()) as sale:
        done = await writers.write(sale, 60.0)
        assert writers.refused(done) == [], done
        return ", ".join(f"{count} {what}" for what, count in done.most_common())


async def mutate() -> str:
    """Ten thousand mutated bodies."""
    async with running_sale(RunningHub()) as sale:
        chance, found = random.Random(60), fuzz.bodies(sale)
        mutants = enumerate(fuzz.mutants(found, 10_000, 60))
        requests = [fuzz.request(sale, body, chance, number) for number, body in mutants]
        acknowledged: list[bytes] = []
        answers = await send_all(sale.url, requests, 32, acknowledged)
        assert not [status for status in answers if not 200 <= status < 500], answers
        await sale.at_rest()
        await fuzz.check(sale, acknowledged)
        return f"answers {dict(answers)}"


async def schema() -> str:
    """Every operation of the OpenAPI document, two hundred times."""
    async with running_sale(RunningHub()) as sale:
        called = await asyncio.to_thread(contract.probe, sale.url, sale.token, 200)
        await sale.house.verify()
        return f"{len(called)} operations, {sum(called.values())} calls"


async def repeat() -> str:
    """Ten thousand deliveries three times each, shuffled."""
    async with running_sale(RunningHub()) as sale:
        told = await duplicates.tell_thrice(sale, 5000, connections=64)
        await sale.at_rest()
        await duplicates.check(sale, told)
        return f"{told.events * 3} deliveries of {told.events} events are {told.orders} orders"


async def reconcile() -> str:
    """One in a hundred of ten thousand webhooks is dropped; one sweep of the pull finds them."""
    async with running_sale(RunningHub()) as sale:
        orders = sale.quietly(OTHER, 10_000)
        dropped = set(random.Random(11).sample(orders, 100))
        told = sale.deliveries([order for order in orders if order not in dropped], "orders/create")
        assert await send_all(sale.url, told, 64) == {200: 9900}
        await sale.at_rest()
        started = time.monotonic()
        await sale.pull("shop")
        await sale.at_rest()
        await reconciliation.check(sale, orders)
        return f"100 dropped, found in one sweep of {time.monotonic() - started:.1f} s"


async def lose() -> str:
    """A hundred replies lost after the depot acted: one shipment each."""
    async with open_world() as world:
        # Every second one: a hundred in a row would be a vendor that is down, and is given pauses.
        world.depot.script.extend(["lost_reply", None] * 100)
        skus = await world.stock_up(8)
        await world.sell(skus, 120, 20.0, random.Random(8))
        assert (verdict := await agree(world, REST_SECONDS * 2)).faults == [], verdict
        assert not world.depot.script
        return f"100 replies lost, {len(world.depot.orders)} orders at the depot, each once"


async def stop() -> str:
    """A worker is stopped past its lease fifty times."""
    reports = []
    async with open_world() as world:
        for seed in range(900, 910):
            reports.append(await run(world, seed, strikes=5, only=f"pause worker-{1 + seed % 2}"))
            assert reports[-1].faults == (), reports[-1]
    return f"{sum(len(report.strikes) for report in reports)} times, nothing doubled"


async def take_over() -> str:
    """A worker is killed in the middle of remote calls, under the lease that production has: five times."""
    found: list[float] = []
    async with FaultyHub(config=SHORT_PAUSES) as hub, World(hub) as world:
        for seed in range(5):
            world.depot.faults.delay_ms = 1500
            skus = await world.stock_up(seed)
            selling = asyncio.create_task(world.sell(skus, 30, 30.0, random.Random(seed)))
            await asyncio.sleep(1.0)
            watch = Takeovers(world)
            await kill("workers")(world, random.Random(seed))
            watch.begin()
            await selling
            found += await watch.over()
            world.depot.faults.delay_ms = 20
            assert (verdict := await agree(world, REST_SECONDS * 2)).faults == [], verdict
    assert found
    assert max(found) <= 10.0, found
    return "in other hands after " + ", ".join(f"{seconds:.1f}" for seconds in found) + " s"


async def wipe() -> str:
    """The queue is flushed again and again for half a minute, then away for another half."""
    hub = RunningHub()
    async with running_sale(hub) as sale:
        vendor = Vendor(sale, sale.deliveries(sale.quietly(OTHER, 4000), "orders/create"))
        load = asyncio.create_task(vendor.deliver(50.0))
        async with redis.Redis.from_url(hub.engines.queue_url) as client:
            for _ in range(30):
                await client.flushall()
                await asyncio.sleep(1.0)
        start = hub.valkey.restart
        hub.valkey.restart = _stay_down  # type: ignore[method-assign]
        await asyncio.to_thread(hub.valkey.stop)
        await asyncio.sleep(30)
        hub.valkey.restart = start  # type: ignore[method-assign]
        vendor.stop.set()
        sent = await load
        await sale.at_rest()
        assert vendor.answers == {200: sent}, vendor.answers
        return f"{sent} orders, all acknowledged"


async def lose_database() -> str:
    """The database is away for a minute under load."""
    hub = RunningHub()
    async with running_sale(hub) as sale:
        vendor = Vendor(sale, sale.deliveries(sale.quietly(OTHER, 6000), "orders/create"))
        load = asyncio.create_task(vendor.deliver(40.0))
        await asyncio.sleep(3)
        engine, start = hub.postgres, hub.postgres.restart
        engine.restart = _stay_down  # type: ignore[method-assign]
        await asyncio.to_thread(engine.stop)
        await asyncio.sleep(60)
        engine.restart = start  # type: ignore[method-assign]
        back = time.monotonic()
        await vendor.answered_again()
        recovered = time.monotonic() - back
        vendor.stop.set()
        await load
        await sale.at_rest()
        rested = time.monotonic() - back
        assert set(vendor.answers) == {200, 503}, vendor.answers
        assert rested <= 15.0, f"{rested:.1f} s"
        slow = sorted(vendor.refused_after)[int(len(vendor.refused_after) * 0.99)]
        kept = {row["body"] for row in await sale.house.rows("SELECT body FROM message WHERE connection_id = 'shop'")}
        assert not [body for body in vendor.acknowledged if body not in kept]
        return f"{dict(vendor.answers)}, 503 within {slow * 1000:.0f} ms (p99), recovered after {recovered:.1f} s"


async def upgrade() -> str:
    """Every process is replaced, migrations run beside, under fifty orders a second."""
    hub = RollingHub()
    async with running_sale(hub) as sale:
        names = ["web", "web-2", "worker-1", "worker-2"]
        balancer, sent = await replace_under_load(hub, sale, names, per_second=50.0, migrate=True)
        assert balancer.answers == {200: sent}, balancer.answers
        await sale.house.verify()
        return f"{sent} deliveries acknowledged, the slowest in {balancer.slowest:.2f} s"


async def live() -> str:
    """Two hundred lives of fifty steps, by ten seeds."""
    return await live_long(range(1, 11))


def _stay_down() -> None:
    raise EngineError("kept down by a fault run")


KINDS: Final[Mapping[str, Kind]] = {
    "oversell": oversell,
    "writers": write,
    "duplicates": repeat,
    "fuzz": mutate,
    "schema": schema,
    "lost": lose,
    "stopped": stop,
    "takeover": take_over,
    "wiped": wipe,
    "outage": lose_database,
    "reconciliation": reconcile,
    "upgrade": upgrade,
    "life": live,
}
