"""Webhook to delivered: the same load with the partner connected, until its books hold every fulfilment order."""

import asyncio
import time
from typing import Any, Final

import asyncpg

from adapters.shiphero.simulator import ShipHeroSimulator
from tests.bench.intake import Phase
from tests.bench.running import RunningHub, until
from tests.bench.usage import cpu_by_part, machine_busy
from tests.bench.world import NODES, PARTNER, furnish, warehouses

WARM_UP: Final = 100
PLENTY: Final = 1_000_000
"""Credits of the partner: its limits are not what is measured."""


async def measure(orders: int) -> dict[str, Any]:
    """Orders a second from the first webhook to the last instruction in the books of the partner, a simulator here."""
    depot = ShipHeroSimulator(
        username=PARTNER["username"],
        password=PARTNER["password"],
        webhook_secret=PARTNER["webhook_secret"],
        account=PARTNER["account"],
        warehouses=warehouses(len(NODES)),
        credits=PLENTY,
        credits_per_second=PLENTY,
        requests_per_five_minutes=PLENTY,
    )
    await depot.start()
    limits = {"credit_capacity": PLENTY, "credits_per_second": PLENTY, "requests_per_five_minutes": PLENTY}
    try:
        async with RunningHub() as hub:
            await asyncio.to_thread(hub.postgres.ask, "ALTER SYSTEM SET track_commit_timestamp = on")
            await asyncio.to_thread(hub.postgres.stop)
            await asyncio.to_thread(hub.postgres.restart)
            await furnish(hub, depot={"base_url": depot.base_url, **limits})
            await hub.start()
            connection = await asyncpg.connect(hub.engines.database_url)
            try:
                return await _run(hub, depot, connection, orders)
            finally:
                await connection.close()
    finally:
        await depot.stop()


async def _run(
    hub: RunningHub, depot: ShipHeroSimulator, connection: "asyncpg.Connection[asyncpg.Record]", orders: int
) -> dict[str, Any]:
    phase = Phase(hub=hub, connection=connection)

    async def delivered() -> bool:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE NOT parked)")

    await phase.fast(WARM_UP)
    await until(delivered, 60, "the warm-up is delivered")
    before, busy, started = _cpu(hub), machine_busy(), time.monotonic()
    allocated = await phase.fast(orders)
    await until(delivered, 600, "every instruction is delivered")
    taken, after, busy_after = time.monotonic() - started, _cpu(hub), machine_busy()
    asked = await connection.fetchval("SELECT count(*) FROM fulfilment_order")
    if len(depot.orders_created) != asked:
        raise AssertionError(f"{asked} fulfilment orders were made, the partner has {len(depot.orders_created)}")
    spent = {part: after[part] - before[part] for part in after}
    spent = {part: after[part] - before[part] for part in after}
    return {
        "orders": orders,
        "instructions": asked,
        "allocated_per_second": allocated["per_second"],
        "delivered_per_second": orders / taken,
        "cpu_us_per_order": {part: round(seconds * 1e6 / orders) for part, seconds in spent.items()},
        "neighbours_cores": round((busy_after - busy - sum(spent.values())) / taken, 2),
    }


def _cpu(hub: RunningHub) -> dict[str, float]:
    return cpu_by_part(hub.pids, hub.postgres.pid, hub.valkey.pid)
