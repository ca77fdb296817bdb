"""`make bench-partners`: how near a partner's limit its instructions are sent, and how punctual 200 pulls are.

A hub runs as `crossdock up` does (one web, two workers, embedded engines); the simulated partner is load on the same
machine. Prints tables, writes `.bench/partners.json`.

- Draining: orders are allocated while the partner is paused; then it is resumed. The simulated ShipHero keeps its
  bucket of 4,004 credits; its refill and its requests in five minutes are raised by `--faster`, and the connection is
  told so, as for an account whose limits ShipHero raised. Every request that it may not have been sent is a violation.
- Pulling: so many shops, each a connection with a schedule of its own, each with a new order in every interval.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
import uvloop

from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_quota import Quota
from adapters.shopify.simulator import ShopifySimulator
from hub.wiring import build_parts, build_worker
from tests.bench.intake import Phase
from tests.bench.orders import sku
from tests.bench.run import keep, tell
from tests.bench.running import RunningHub, until
from tests.bench.usage import cpu_by_part, machine_busy
from tests.bench.world import NODES, PARTNER, furnish, warehouses
from tests.scenarios.house import House

CREDITS: Final = 4004.0
PER_SECOND: Final = 60.0
PER_FIVE_MINUTES: Final = 7000
PLENTY: Final = 1_000_000.0
LONGEST: Final = 1800.0


class Metered(Quota):
    """Credits, and how many were charged in all."""

    charged = 0.0

    def __setattr__(self, name: str, value: object) -> None:
        if name == "credits" and isinstance(value, float) and (had := getattr(self, "credits", None)) is not None:
            self.charged += max(0.0, had - value)
        super().__setattr__(name, value)


async def drain(orders: int, faster: float) -> dict[str, Any]:
    """Instructions a second from the moment that a partner is there, and their share of what it grants."""
    limits = {"credits_per_second": PER_SECOND * faster, "requests_per_five_minutes": PER_FIVE_MINUTES * faster}
    depot = ShipHeroSimulator(
        username=PARTNER["username"],
        password=PARTNER["password"],
        webhook_secret=PARTNER["webhook_secret"],
        account=PARTNER["account"],
        warehouses=warehouses(len(NODES)),
    )
    quota = Metered(depot.now, CREDITS, PER_SECOND * faster, int(PER_FIVE_MINUTES * faster))
    depot.quota = quota
    await depot.start()
    try:
        async with RunningHub() as hub:
            await asyncio.to_thread(hub.postgres.ask, "ALTER SYSTEM SET track_commit_timestamp = on")
            await asyncio.to_thread(hub.postgres.stop)
            await asyncio.to_thread(hub.postgres.restart)
            await furnish(hub, depot={"base_url": depot.base_url, **limits})
            connection = await asyncpg.connect(hub.engines.database_url)
            try:
                await connection.execute("UPDATE connection SET paused = true WHERE id = 'depot'")
                await hub.start()
                return await _drained(hub, depot, quota, connection, orders)
            finally:
                await connection.close()
    finally:
        await depot.stop()


async def _drained(
    hub: RunningHub,
    depot: ShipHeroSimulator,
    quota: Metered,
    connection: "asyncpg.Connection[asyncpg.Record]",
    orders: int,
) -> dict[str, Any]:
    await Phase(hub=hub, connection=connection).fast(orders)
    instructions = await connection.fetchval("SELECT count(*) FROM outbox")

    async def sent() -> bool:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE NOT parked)")

    before, busy, started = _cpu(hub), machine_busy(), time.monotonic()
    await connection.execute("UPDATE connection SET paused = false WHERE id = 'depot'")
    await connection.execute("UPDATE configuration SET epoch = epoch + 1")
    await until(sent, LONGEST, "every instruction is sent")
    taken, after, busy = time.monotonic() - started, _cpu(hub), machine_busy() - busy
    parked = await connection.fetchval("SELECT count(*) FROM outbox")
    twice = sum(count - 1 for count in depot.orders_created.values())
    if parked or twice or len(depot.orders_created) != instructions:
        raise AssertionError(
            f"{instructions} asked for, {len(depot.orders_created)} made, {parked} parked, {twice} twice"
        )
    granted = quota.capacity + quota.per_second * taken
    spent = sum(after.values()) - sum(before.values())
    return {
        "instructions": instructions,
        "seconds": round(taken, 1),
        "per_second": round(instructions / taken, 1),
        "limit_credits_per_second": quota.per_second,
        "credits_charged": round(quota.charged),
        "credits_granted": round(granted),
        "share_of_limit": round(quota.charged / granted, 3),
        "requests": sum(depot.calls.values()),
        "violations": len(depot.violations),
        "neighbours_cores": round((busy - spent) / taken, 2),
    }


async def pull(connections: int, every_seconds: int, intervals: int) -> dict[str, Any]:
    """How long after its time a pull begins, over so many intervals."""
    shop = ShopifySimulator(
        client_secret="hush", access_token="tok", bucket=PLENTY, restore_per_second=PLENTY, shop="acme.myshopify.com"
    )
    await shop.start()
    try:
        async with RunningHub() as hub:
            await furnish(hub)
            await _shops(hub, shop, connections, every_seconds)
            await hub.start()
            connection = await asyncpg.connect(hub.engines.database_url)
            try:
                return await _punctual(hub, shop, connection, connections, every_seconds, intervals)
            finally:
                await connection.close()
    finally:
        await shop.stop()


async def _shops(hub: RunningHub, shop: ShopifySimulator, connections: int, every_seconds: int) -> None:
    """Connections to shops of one simulator; the first windows are spread over an interval, as those of life are."""
    for number in range(50):
        shop.sell(sku(number), available=1_000_000)
    parts = build_parts(hub.settings, hub.engines.database_url, hub.engines.queue_url, name="bench", connections=2)
    house = House(parts=parts, worker=build_worker(parts))
    try:
        for number in range(connections):
            name = f"shop-{number:03d}"
            config = {"client_secret": "hush", "access_token": "tok", "base_url": shop.base_url}
            await house.connect(name, "shopify", {**config, "shop": f"{name}.myshopify.com"})
        await house.run("DELETE FROM schedule")
        await house.run(
            "INSERT INTO schedule (connection_id, operation, every_seconds, next_due_at) SELECT id, 'orders', $1::int, "
            "now() + random() * $1::int * interval '1 second' FROM connection WHERE id LIKE 'shop-%'",
            every_seconds,
        )
    finally:
        await parts.close()


async def _punctual(
    hub: RunningHub,
    shop: ShopifySimulator,
    connection: "asyncpg.Connection[asyncpg.Record]",
    connections: int,
    every_seconds: int,
    intervals: int,
) -> dict[str, Any]:
    """A pull's lag is from when it was due, which is an interval after the one before began, to when it began."""
    began: dict[str, datetime] = {}
    lags: list[float] = []
    before, busy, started = _cpu(hub), machine_busy(), time.monotonic()
    orders = 0
    while (passed := time.monotonic() - started) < every_seconds * (intervals + 1):
        if passed >= every_seconds * orders:
            shop.place_order([(sku(orders % 50), 1)])
            orders += 1
        for row in await connection.fetch("SELECT connection_id, started_at FROM schedule WHERE started_at NOTNULL"):
            name, at = row
            if name in began and at != began[name]:
                lags.append((at - began[name]).total_seconds() - every_seconds)
            began[name] = at
        await asyncio.sleep(0.5)
    taken, after, busy = time.monotonic() - started, _cpu(hub), machine_busy() - busy
    errors = await connection.fetchval("SELECT count(*) FROM schedule WHERE last_error NOTNULL")
    made = await connection.fetchval("SELECT count(*) FROM customer_order WHERE connection_id LIKE 'shop-%'")
    if errors or len(began) != connections:
        raise AssertionError(f"{len(began)} of {connections} pulled, {errors} with errors")
    spent = {part: after[part] - before[part] for part in after}
    cut = statistics.quantiles(lags, n=100)
    return {
        "connections": connections,
        "every_seconds": every_seconds,
        "pulls": len(lags) + len(began),
        "orders": made,
        "lag_p50_ms": round(cut[49] * 1000),
        "lag_p99_ms": round(cut[98] * 1000),
        "lag_worst_ms": round(max(lags) * 1000),
        "violations": len(shop.violations),
        "cores": {part: round(seconds / taken, 3) for part, seconds in spent.items()},
        "neighbours_cores": round((busy - sum(spent.values())) / taken, 2),
    }


def _cpu(hub: RunningHub) -> Mapping[str, float]:
    return cpu_by_part(hub.pids, hub.postgres.pid, hub.valkey.pid)


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instructions", type=int, default=10_000)
    parser.add_argument("--faster", type=float, default=10.0, help="how often the partner's limit is raised")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--every", type=int, default=30, help="seconds between the pulls of a connection")
    parser.add_argument("--intervals", type=int, default=4)
    parser.add_argument("--only", choices=("drain", "pull"))
    chosen = parser.parse_args()
    figures: dict[str, Any] = {}
    if chosen.only != "pull":
        figures["drain"] = uvloop.run(drain(chosen.instructions, chosen.faster))
        print(f"\nDraining one connection at its partner's limit (ShipHero, refill raised {chosen.faster:g} times)")
        _table(figures["drain"])
    if chosen.only != "drain":
        figures["pull"] = uvloop.run(pull(chosen.connections, chosen.every, chosen.intervals))
        print(f"\n{chosen.connections} connections, each pulled every {chosen.every} s")
        _table(figures["pull"])
    keep("partners", figures)


def _table(figures: Mapping[str, Any]) -> None:
    tell(("", "figure"), [(name, msgspec.json.encode(value).decode()) for name, value in figures.items()])


if __name__ == "__main__":
    main()
