"""One run: orders flow while processes and engines are killed at seeded moments; then all books must agree."""

import asyncio
import contextlib
import os
import random
import signal
from typing import Final, NamedTuple

import asyncpg
import redis.asyncio as redis

from hub.store.verify import verify_stock
from tests.bench.running import RunningHub
from tests.faults.world import QUICK, World

REST_SECONDS: Final = 90.0
"""Longest time from the last kill until everything has come to rest."""

UNFINISHED: Final = (
    "SELECT (SELECT count(*) FROM inbox WHERE NOT parked) + (SELECT count(*) FROM outbox WHERE NOT parked) "
    "+ (SELECT count(*) FROM slice WHERE state <> 'shipped')"
)


class Report(NamedTuple):
    """What a run found."""

    seed: int
    orders: int
    kills: tuple[str, ...]
    faults: tuple[str, ...]
    """Every disagreement between the books; empty when the run passed."""


async def run(seed: int, *, orders: int = 120, per_second: float = 30.0, kills: int = 5) -> Report:
    """Run once. The same seed sells the same orders and strikes the same victims after the same pauses."""
    chance = random.Random(seed)
    done: list[str] = []
    async with RunningHub(config=QUICK) as hub, World(hub, chance) as world:
        selling = asyncio.create_task(world.sell(orders, per_second, random.Random(seed + 1)))
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.2, orders / per_second / kills))
            done.append(await strike(hub, chance))
        await selling
        await world.shop.delivered()
        rested = await _rest(world)
        faults = await _compare(world)
        if not rested:
            faults.insert(0, f"not at rest {REST_SECONDS:.0f} s after the last kill: {await _stuck(world)}")
    return Report(seed, orders, tuple(done), tuple(faults))


async def strike(hub: RunningHub, chance: random.Random) -> str:
    """Kill something, or wipe the queue; says what."""
    victim = chance.choice(("web-1", "worker-1", "worker-2", "workers", "postgres", "valkey", "flush"))
    if victim == "flush":
        with contextlib.suppress(redis.RedisError, OSError):
            client = redis.Redis.from_url(hub.engines.queue_url)
            await client.flushall()
            await client.aclose()
    elif victim in ("postgres", "valkey"):
        engine = hub.postgres if victim == "postgres" else hub.valkey
        _kill(engine.pid)
    else:
        for name, pid in dict(hub.pids).items():
            if name == victim or (victim == "workers" and name.startswith("worker")):
                _kill(pid)
    return victim


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def _rest(world: World) -> bool:
    """Whether everything came to rest in time."""
    deadline = asyncio.get_running_loop().time() + REST_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            known = await world.house.value("SELECT count(*) FROM customer_order")
            if known >= _delivered(world) and await world.house.value(UNFINISHED) == 0 and _written_back(world):
                return True
        await asyncio.sleep(0.25)
    return False


def _delivered(world: World) -> int:
    """Orders of which at least one webhook was answered 2xx: all that the shop did not give up."""
    return len(world.shop.orders) - len({sent.body for sent in world.shop.undelivered})


def _written_back(world: World) -> bool:
    return all(world.shop.fulfilments.get(order) for order in world.shop.orders)


async def _stuck(world: World) -> str:
    states = await world.house.rows("SELECT state, count(*) FROM slice GROUP BY 1")
    queued = await world.house.rows("SELECT lane, parked, count(*), max(last_error) AS e FROM inbox GROUP BY 1, 2")
    sending = await world.house.rows("SELECT parked, count(*), max(last_error) AS error FROM outbox GROUP BY 1")
    return f"slices {states}, inbox {queued}, outbox {sending}"


async def _compare(world: World) -> list[str]:
    """Disagreements between the shop's books, the depot's books, the database and the ledger."""
    house, shop, depot = world.house, world.shop, world.depot
    faults = [f"the shop gave up {len(shop.undelivered)} deliveries"] if shop.undelivered else []
    kept = {row["external_id"] for row in await house.rows("SELECT external_id FROM customer_order")}
    faults += [f"order {order} is lost" for order in shop.orders if str(order) not in kept]
    submitted = {
        f"{row['order_id']}-{row['no']}" for row in await house.rows("SELECT order_id, no FROM fulfilment_order")
    }
    for reference, times in depot.orders_created.items():
        if times != 1:
            faults.append(f"fulfilment {reference} was created {times} times at the depot")
        if reference not in submitted:
            faults.append(f"the depot has {reference}, which the hub does not know")
    for number, order in shop.orders.items():
        shipped = sum(sum(one.lines.values()) for one in shop.fulfilments.get(number, ()))
        wanted = sum(line.quantity for line in order.lines)
        if shipped != wanted:
            faults.append(f"order {number}: {shipped} of {wanted} units are fulfilled at the shop")
    async with house.parts.database.connection() as connection:
        faults += [f"drift: {drift}" for drift in await verify_stock(connection)]
    oversold = await house.rows("SELECT item_id, sellable, pinned FROM stock WHERE sellable < pinned OR sellable < 0")
    faults += [f"oversold: {row}" for row in oversold]
    return faults
