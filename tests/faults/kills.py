"""One run: orders flow while processes and engines are killed at seeded moments; then all books must agree."""

import asyncio
import contextlib
import os
import random
import signal
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import redis.asyncio as redis

from hub.sdk.webhook import peek_id
from hub.store.verify import verify_stock
from tests.bench.running import RunningHub
from tests.faults.world import LEASE_SECONDS, QUICK, World

REST_SECONDS: Final = 60.0
"""Longest time from the last delivery of the shop until everything has come to rest and all books agree."""

LOGS: Final = Path(".bench")
"""Where the hub's log of a failed run is kept."""

VICTIMS: Final = (
    "web",
    "worker-1",
    "worker-2",
    "workers",
    "postgres",
    "backend",
    "valkey",
    "flush",
    "pause worker-1",
    "pause worker-2",
)

UNFINISHED: Final = (
    "SELECT (SELECT count(*) FROM inbox WHERE NOT parked) + (SELECT count(*) FROM outbox WHERE NOT parked) "
    "+ (SELECT count(*) FROM slice s WHERE s.state <> 'shipped' AND NOT (s.state = 'unallocated' AND EXISTS "
    "(SELECT FROM waiting w WHERE w.order_id = s.order_id AND w.demand_no = s.demand_no)))"
)
"""What is neither done nor waiting for stock under a name."""


class Report(NamedTuple):
    """What a run found."""

    seed: int
    orders: int
    kills: tuple[str, ...]
    rested_after: float | None
    """Seconds from the shop's last delivery until everything agreed; None when it never did."""
    faults: tuple[str, ...]
    """Every disagreement between the books; empty when the run passed."""


async def run(seed: int, *, orders: int = 120, per_second: float = 30.0, kills: int = 5) -> Report:
    """Run once. The same seed sells the same orders and strikes the same victims after the same pauses."""
    chance = random.Random(seed)
    done: list[str] = []
    async with RunningHub(config=QUICK) as hub, World(hub, chance) as world:
        selling = asyncio.create_task(world.sell(orders, per_second, random.Random(seed + 1)))
        pauses = asyncio.create_task(_strike_all(hub, chance, kills, orders / per_second / kills, done))
        await asyncio.gather(selling, pauses)
        await world.shop.delivered()
        rested, faults = await _rest(world)
        if faults:
            LOGS.mkdir(exist_ok=True)
            (LOGS / f"faults-{seed}.log").write_text(hub.log())
    return Report(seed, orders, tuple(done), rested, tuple(faults))


async def _strike_all(hub: RunningHub, chance: random.Random, kills: int, apart: float, done: list[str]) -> None:
    paused: list[asyncio.Task[None]] = []
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.2, max(0.3, apart)))
        victim = chance.choice(VICTIMS)
        done.append(victim)
        if victim.startswith("pause "):
            paused.append(asyncio.create_task(_pause(hub, victim.removeprefix("pause "))))
        else:
            await strike(hub, victim)
    await asyncio.gather(*paused)


async def strike(hub: RunningHub, victim: str) -> None:
    """Kill a process without a warning, or wipe the queue."""
    if victim == "flush":
        with contextlib.suppress(redis.RedisError, OSError):
            client = redis.Redis.from_url(hub.engines.queue_url)
            await client.flushall()
            await client.aclose()
    elif victim == "postgres":
        _signal(hub.postgres.pid, signal.SIGKILL)
    elif victim == "backend":
        _signal(_backend(hub.postgres.pid), signal.SIGKILL)
    elif victim == "valkey":
        _signal(hub.valkey.pid, signal.SIGKILL)
    else:
        for name, pid in dict(hub.pids).items():
            if name == victim or (victim == "workers" and name.startswith("worker")):
                _signal(pid, signal.SIGKILL)


async def _pause(hub: RunningHub, name: str) -> None:
    """Stop a worker until its leases have run out and its transactions were ended, then let it go on."""
    pid = hub.pids.get(name, 0)
    _signal(pid, signal.SIGSTOP)
    await asyncio.sleep(LEASE_SECONDS + 2)
    _signal(pid, signal.SIGCONT)


def _backend(postmaster: int) -> int:
    """One of the server's sessions with a hub, 0 when there is none: its death makes the server restart all others."""
    for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        with contextlib.suppress(OSError):
            if "crossdock" in Path(f"/proc/{child}/cmdline").read_text().split("\0")[0]:
                return int(child)
    return 0


def _signal(pid: int, number: signal.Signals) -> None:
    if pid > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


async def _rest(world: World) -> tuple[float | None, list[str]]:
    """Seconds until everything was at rest and all books agreed, or None; and what disagreed when last looked."""
    loop = asyncio.get_running_loop()
    started, faults = loop.time(), ["the database was never reached"]
    while loop.time() - started < REST_SECONDS:
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            faults = await _compare(world)
            if not faults:
                return loop.time() - started, faults
        await asyncio.sleep(0.25)
    return None, faults


async def _stuck(world: World) -> list[str]:
    """What is neither done nor waits under a name."""
    if not await world.house.value(UNFINISHED):
        return []
    states = await world.house.rows("SELECT state, count(*) FROM slice GROUP BY 1")
    queued = await world.house.rows("SELECT lane, parked, count(*), max(last_error) AS e FROM inbox GROUP BY 1, 2")
    sending = await world.house.rows("SELECT parked, count(*), max(last_error) AS error FROM outbox GROUP BY 1")
    return [f"stuck: slices {states}, inbox {queued}, outbox {sending}"]


async def _compare(world: World) -> list[str]:
    """Disagreements between the shop's books, the depot's books, the database and the ledger."""
    house, shop = world.house, world.shop
    faults = [f"the shop gave up {len(shop.undelivered)} deliveries"] if shop.undelivered else []
    kept = {row["external_id"] for row in await house.rows("SELECT external_id FROM customer_order")}
    given_up = {peek_id(sent.body) for sent in shop.undelivered}
    lost = [order for order in map(str, shop.orders) if order not in kept and order not in given_up]
    faults += [f"order {order} was acknowledged and is lost" for order in lost]
    for queue in ("inbox", "outbox"):
        faults += [f"parked: {row}" for row in await house.rows(f"SELECT id, last_error FROM {queue} WHERE parked")]
    faults += await _stuck(world)
    return [*faults, *await _at_the_depot(world), *await _at_the_shop(world), *await _on_the_shelf(world)]


async def _at_the_depot(world: World) -> list[str]:
    """Each fulfilment order exists there once, and none that the hub does not know."""
    rows = await world.house.rows("SELECT order_id, no FROM fulfilment_order")
    submitted = {f"{row['order_id']}-{row['no']}" for row in rows}
    created = world.depot.orders_created
    faults = [
        f"{reference} was created {times} times at the depot" for reference, times in created.items() if times > 1
    ]
    faults += [f"the depot has {reference}, which the hub does not know" for reference in created.keys() - submitted]
    return [*faults, *(f"{reference} never reached the depot" for reference in submitted - created.keys())]


async def _at_the_shop(world: World) -> list[str]:
    """What the shop was told to have left is what left, never more than was ordered."""
    rows = await world.house.rows(
        "SELECT o.external_id, sum(s.quantity) AS units FROM slice s JOIN customer_order o ON o.id = s.order_id "
        "WHERE s.state = 'shipped' GROUP BY 1"
    )
    shipped = {row["external_id"]: row["units"] for row in rows}
    faults = []
    for number, order in world.shop.orders.items():
        told = sum(sum(one.lines.values()) for one in world.shop.fulfilments.get(number, ()))
        wanted, left = sum(line.quantity for line in order.lines), shipped.get(str(number), 0)
        if told != left or told > wanted:
            faults.append(f"order {number}: {wanted} units wanted, {left} left, {told} told to the shop")
    return faults


async def _on_the_shelf(world: World) -> list[str]:
    """Ledger, counters, slices and the depot's shelves agree; nothing is promised that is not there, or left over."""
    async with world.house.parts.database.connection() as connection:
        faults = [f"drift: {drift}" for drift in await verify_stock(connection)]
    rows = await world.house.rows("SELECT i.sku, s.sellable, s.pinned FROM stock s JOIN item i ON i.id = s.item_id")
    for row in rows:
        sku, free = row["sku"], row["sellable"] - row["pinned"]
        shelf = world.depot.inventory["76733", sku].on_hand
        if free < 0:
            faults.append(f"{sku}: oversold by {-free}")
        if row["sellable"] != shelf:
            faults.append(f"{sku}: {shelf} on the depot's shelf, {row['sellable']} in the books")
        if free > 0 and world.wanted[sku] > world.on_hand(sku):
            faults.append(f"{sku}: {free} units lie there though orders wait for it")
    return faults
