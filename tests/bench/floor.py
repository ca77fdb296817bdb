"""The machine's own floor: the rows that the hub wrote, written again by plain batched SQL, and nothing else done."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import asyncpg

from hub.embedded import create_database
from hub.store.schema import upgrade
from hub.store.stock import CHANGE, LOCK
from tests.bench.running import RunningHub
from tests.bench.usage import cpu_seconds

BATCH: Final = 100

ARRIVED: Final = {
    "delivery": "SELECT d.* FROM delivery d JOIN order_revision r ON r.message_id = d.message_id "
    "WHERE r.order_id = ANY($1::text[])",
    "message": "SELECT m.* FROM message m JOIN order_revision r ON r.message_id = m.id "
    "WHERE r.order_id = ANY($1::text[])",
    "inbox": "SELECT m.id, m.received_on, 'orders' AS lane, m.account_id, m.object, now() AS due_at "
    "FROM message m JOIN order_revision r ON r.message_id = m.id "
    "WHERE r.order_id = ANY($1::text[])",
}
"""Rows of the intake; written in a transaction of their own, before the rest."""

BY_ORDER: Final = (
    "order_revision",
    "contact",
    "demand",
    "slice",
    "fulfilment_order",
    "payment",
    "decision",
    "timeline",
    "effect",
)
ALLOCATED: Final = {
    "customer_order": "SELECT o.* FROM customer_order o WHERE o.id = ANY($1::text[])",
    **{name: f"SELECT * FROM {name} WHERE order_id = ANY($1::text[])" for name in BY_ORDER},
    "outbox": "SELECT q.* FROM outbox q JOIN effect e ON e.id = q.id WHERE e.order_id = ANY($1::text[])",
}
PINNED: Final = (
    "SELECT d.item_id, s.node_id, s.quantity FROM slice s JOIN demand d "
    "ON d.order_id = s.order_id AND d.no = s.demand_no WHERE s.order_id = ANY($1::text[]) AND s.node_id IS NOT NULL"
)
TYPES: Final = (
    "SELECT attname, format_type(atttypid, atttypmod) AS kind FROM pg_attribute "
    "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
)

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    # The driver's classes take parameters in their stubs only.
    Connection = asyncpg.Connection
Write = tuple[str, list[list[object]]]


class Batch(NamedTuple):
    """What is written for some orders."""

    arrived: list[Write]
    allocated: list[Write]
    messages: list[object]
    stock: tuple[list[int], list[int], list[int]]
    """Items, nodes and units, in the order in which they are locked."""
    rows: int


async def measure(hub: RunningHub, orders: int) -> dict[str, Any]:
    """Orders a second by plain SQL on one and on two connections, and what an order costs Postgres."""
    url = await asyncio.to_thread(create_database, hub.postgres, "floor")
    await upgrade(url)
    source = await asyncpg.connect(hub.engines.database_url)
    try:
        batches = await _batches(source, 2 * orders)
        await _shelves(source, url)
    finally:
        await source.close()
    half = len(batches) // 2
    rows = sum(batch.rows for batch in batches) / (BATCH * len(batches))
    one = await _write(hub, url, batches[:half], connections=1)
    two = await _write(hub, url, batches[half:], connections=2)
    return {"orders": half * BATCH, "rows_per_order": round(rows, 1), "one_connection": one, "two_connections": two}


async def _write(hub: RunningHub, url: str, batches: Sequence[Batch], connections: int) -> dict[str, float]:
    pool = [await asyncpg.connect(url, server_settings={"jit": "off"}) for _ in range(connections)]
    left = iter(batches)

    async def run(connection: Connection) -> None:
        for batch in left:
            await _write_batch(connection, batch)

    before, started = cpu_seconds(hub.postgres.pid, family=True), time.perf_counter()
    await asyncio.gather(*(run(connection) for connection in pool))
    taken, spent = time.perf_counter() - started, cpu_seconds(hub.postgres.pid, family=True) - before
    for connection in pool:
        await connection.close()
    orders = len(batches) * BATCH
    return {"per_second": orders / taken, "postgres_us_per_order": round(spent * 1e6 / orders)}


async def _write_batch(connection: Connection, batch: Batch) -> None:
    """In two transactions, as the hub does: received, then allocated."""
    async with connection.transaction():
        for sql, columns in batch.arrived:
            await connection.execute(sql, *columns)
    async with connection.transaction():
        items, nodes, units = batch.stock
        await connection.fetch(LOCK, items, nodes)
        await connection.execute(CHANGE, items, nodes, units, [0] * len(units))
        for sql, columns in batch.allocated:
            await connection.execute(sql, *columns)
        await connection.execute("DELETE FROM inbox WHERE id = ANY($1::bigint[])", batch.messages)


async def _shelves(source: Connection, url: str) -> None:
    """The same shelves, as they were before."""
    rows = await source.fetch("SELECT item_id, node_id, sellable, 0, safety FROM stock ORDER BY item_id, node_id")
    floor = await asyncpg.connect(url)
    try:
        columns = ("item_id", "node_id", "sellable", "pinned", "safety")
        await floor.copy_records_to_table("stock", records=[tuple(row) for row in rows], columns=columns)
        await floor.execute("VACUUM ANALYZE")
    finally:
        await floor.close()


async def _batches(source: Connection, orders: int) -> list[Batch]:
    found = await source.fetch("SELECT id FROM customer_order ORDER BY id LIMIT $1", orders)
    ids = [row[0] for row in found]
    types = {table: {row[0]: row[1] for row in await source.fetch(TYPES, table)} for table in (*ARRIVED, *ALLOCATED)}
    return [await _batch(source, ids[start : start + BATCH], types) for start in range(0, len(ids) - BATCH + 1, BATCH)]


async def _batch(source: Connection, ids: Sequence[str], types: Mapping[str, Mapping[str, str]]) -> Batch:
    arrived: list[Write] = []
    allocated: list[Write] = []
    rows = 0
    for queries, writes in ((ARRIVED, arrived), (ALLOCATED, allocated)):
        for table, query in queries.items():
            found = await source.fetch(query, ids)
            rows += len(found)
            writes.append(_insert(table, found, types[table]))
    pinned: dict[tuple[int, int], int] = {}
    for item, node, units in await source.fetch(PINNED, ids):
        pinned[item, node] = pinned.get((item, node), 0) + units
    keys = sorted(pinned)
    stock = [key[0] for key in keys], [key[1] for key in keys], [pinned[key] for key in keys]
    dirty: Write = "INSERT INTO dirty (item_id) SELECT unnest($1::bigint[])", [sorted({key[0] for key in keys})]
    messages = next(columns[0] for sql, columns in arrived if sql.startswith("INSERT INTO inbox"))
    return Batch(arrived, [*allocated, dirty], messages, stock, rows + len(dirty[1][0]))


def _insert(table: str, rows: Sequence[asyncpg.Record], types: Mapping[str, str]) -> Write:
    names = list(rows[0].keys())
    arrays = ", ".join(f"${place}::{types[name]}[]" for place, name in enumerate(names, 1))
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT * FROM unnest({arrays})"
    return sql, [[row[name] for row in rows] for name in names]
