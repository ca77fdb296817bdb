"""Webhook to allocated, durable: HTTP in, embedded engines, one web and two workers, delivery paused."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from tests.bench.load import Acks, closed_loop, open_loop
from tests.bench.orders import SKUS, deliveries
from tests.bench.running import RunningHub, until
from tests.bench.usage import cpu_by_part, machine_busy

WARM_UP = 500
REST_SECONDS = 300.0
STEADY_SECONDS = 40.0
"""A day of orders at this rate takes over a minute; of 15 s, p99 would tell the two longest stalls of a disk."""

Figures = dict[str, Any]

# The commit that holds an order's decision is its allocation: the server's own note of when it committed.
ALLOCATED = (
    "SELECT count(*) AS orders, max(pg_xact_commit_timestamp(d.xmin)) AS last FROM decision d "
    "JOIN customer_order o ON o.id = d.order_id "
    "WHERE o.account_id = (SELECT account_id FROM connection WHERE id = 'shop') AND o.external_id = ANY($1::text[])"
)
TIMES = (
    "SELECT extract(epoch FROM pg_xact_commit_timestamp(d.xmin) - m.received_at)::float8 AS taken FROM decision d "
    "JOIN order_revision r ON r.order_id = d.order_id AND r.no = 1 JOIN customer_order o ON o.id = d.order_id "
    "JOIN message m ON m.id = r.message_id WHERE d.no = 1 "
    "AND o.account_id = (SELECT account_id FROM connection WHERE id = 'shop') AND o.external_id = ANY($1::text[])"
)
WRITTEN = (
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, pg_database_size(current_database())::bigint"
)
FIRST_ID = 5_700_000_000_000


@dataclass(kw_only=True)
class Phase:
    """A stretch of load on a running hub, and what it cost."""

    hub: RunningHub
    connection: "asyncpg.Connection[asyncpg.Record]"
    next_order: int = 0
    skus: int = SKUS

    async def fast(self, count: int) -> Figures:
        """As fast as the hub answers, then until everything is allocated."""
        requests = self._requests(count)
        wal, size = await self._written()
        before, busy, started = self._cpu(), machine_busy(), time.monotonic()
        acks = await closed_loop(requests, self._port)
        acked = self._cpu()
        await self._drained()
        after, taken, busy = self._cpu(), time.monotonic() - started, machine_busy() - busy
        row = await self._last(count)
        wal_after, size_after = await self._written()
        seconds = row["last"].timestamp() - acks.first_sent
        spent = {part: (after[part] - before[part]) * 1e6 / count for part in after}
        neighbours = busy - sum(after[part] - before[part] for part in after)
        return {
            "orders": count,
            "per_second": count / seconds,
            "seconds": seconds,
            "acks_per_second": count / acks.seconds,
            **_ack_figures(acks),
            "cpu_us_per_order": {part: round(value) for part, value in spent.items()},
            "cpu_web_while_acking_us": round((acked["web"] - before["web"]) * 1e6 / count),
            "wal_bytes_per_order": round((wal_after - wal) / count),
            "database_bytes_per_order": round((size_after - size) / count),
            "neighbours_cores": round(neighbours / taken, 2),
        }

    async def steady(self, per_second: float, seconds: float) -> Figures:
        """At a fixed rate: what a delivery waits for its answer, and an order for its allocation."""
        count = int(per_second * seconds)
        requests = self._requests(count)
        before, busy, started = self._cpu(), machine_busy(), time.monotonic()
        acks = await open_loop(requests, self._port, per_second)
        await self._drained()
        after, taken, busy = self._cpu(), time.monotonic() - started, machine_busy() - busy
        row = await self._last(count)
        times = sorted(row["taken"] for row in await self.connection.fetch(TIMES, self._ids(count)))
        neighbours = busy - sum(after[part] - before[part] for part in after)
        return {
            "orders": count,
            "per_second": per_second,
            "allocated_per_second": count / (row["last"].timestamp() - acks.first_sent),
            **_ack_figures(acks),
            "received_to_allocated_p50_ms": _percentile(times, 50) * 1000,
            "received_to_allocated_p99_ms": _percentile(times, 99) * 1000,
            "cpu_us_per_order": {part: round((after[part] - before[part]) * 1e6 / count) for part in after},
            "neighbours_cores": round(neighbours / taken, 2),
        }

    @property
    def _port(self) -> int:
        port = urlsplit(self.hub.url).port
        assert port is not None
        return port

    def _requests(self, count: int) -> Sequence[bytes]:
        host = f"127.0.0.1:{self._port}"
        seed = self.next_order + 1
        made = list(deliveries(count, "/webhooks/shop", host, seed=seed, first=self.next_order, skus=self.skus))
        self.next_order += count
        return made

    def _cpu(self) -> Mapping[str, float]:
        return cpu_by_part(self.hub.pids, self.hub.postgres.pid, self.hub.valkey.pid)

    async def _written(self) -> tuple[int, int]:
        """Bytes of WAL so far, and of the database."""
        row = await self.connection.fetchrow(WRITTEN)
        assert row is not None
        return row[0], row[1]

    def _ids(self, count: int) -> list[str]:
        """The shop's ids of the last so many orders."""
        return [str(FIRST_ID + number) for number in range(self.next_order - count, self.next_order)]

    async def _drained(self) -> None:
        """Wait until nothing received is left to do. Asked seldom: asking costs the server time."""

        async def drained() -> bool:
            return not await self.connection.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE NOT parked)")

        await until(drained, REST_SECONDS, "every order is allocated")

    async def _last(self, count: int) -> asyncpg.Record:
        """When the last of so many orders was allocated."""
        row = await self.connection.fetchrow(ALLOCATED, self._ids(count))
        assert row is not None
        if row["orders"] < count:
            raise AssertionError(f"{count} orders were sent, {row['orders']} decisions stand; see the hub's log")
        return row


def _ack_figures(acks: Acks) -> Figures:
    if acks.refused:
        raise AssertionError(f"{acks.refused} deliveries were not acknowledged")
    latencies = sorted(acks.latencies)
    return {"ack_p50_ms": _percentile(latencies, 50) * 1000, "ack_p99_ms": _percentile(latencies, 99) * 1000}


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def measure(hub: RunningHub, orders: int, steady_seconds: float = STEADY_SECONDS) -> tuple[Figures, Figures]:
    """Both phases on a hub that runs already: as fast as it goes, then at 70 % of that."""
    connection = await asyncpg.connect(hub.engines.database_url)
    try:
        phase = Phase(hub=hub, connection=connection)
        await phase.fast(WARM_UP)
        fast = await phase.fast(orders)
        await asyncio.sleep(2)
        return fast, await phase.steady(round(0.7 * fast["per_second"]), steady_seconds)
    finally:
        await connection.close()
