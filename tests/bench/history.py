"""Orders of the past: copies of orders that a hub really took, shipped long ago, written by plain SQL."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    # The driver's classes take parameters in their stubs only.
    Connection = asyncpg.Connection

COPIED: Final = (
    "customer_order",
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
"""Tables with rows of an order; the queues hold none of a finished one."""

TEXTS: Final = {"id", "order_id", "external_id", "key", "subject"}
"""Columns with an order's id in them: a copy gets its own."""

COLUMNS: Final = (
    "SELECT attname, format_type(atttypid, atttypmod) AS kind FROM pg_attribute "
    "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
MESSAGES: Final = """
WITH copied AS (
    INSERT INTO message SELECT nextval('message_id'), m.received_on, m.merchant, m.connection_id, m.account_id,
        m.topic, m.object, m.key || '.' || $1::text, m.received_at, m.headers, m.body
    FROM message m WHERE m.id <= $2 ORDER BY m.id
    RETURNING id, account_id, key
)
INSERT INTO delivery SELECT d.account_id, c.key, d.hash, c.id
FROM copied c JOIN delivery d ON d.account_id = c.account_id AND d.key || '.' || $1::text = c.key
WHERE d.message_id <= $2
"""
"""A copy of every message that really came, under a key of its own, and the note that it came."""

WHILE_COPYING: Final = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "16GB"}
"""What is copied here is made again when the machine fails; what is measured afterwards is not."""


async def copy_orders(connection: Connection, orders: int) -> int:
    """Copy what the hub holds until there are so many orders; returns how many there are then."""
    ids = [row[0] for row in await connection.fetch("SELECT id FROM customer_order ORDER BY id")]
    newest = await connection.fetchval("SELECT max(id) FROM message")
    statements = [await _copying(connection, table) for table in COPIED]
    held = len(ids)
    await _set(connection, WHILE_COPYING)
    for copy in range(1, orders // len(ids)):
        async with connection.transaction():
            # Copies refer to what the originals refer to: looking every reference up again takes most of the time.
            await connection.execute("SET LOCAL session_replication_role = replica")
            for sql in statements:
                await connection.execute(sql, str(copy), ids)
            await connection.execute(MESSAGES, str(copy), newest)
        held += len(ids)
    await _set(connection, dict.fromkeys(WHILE_COPYING, None))
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    return held


async def _set(connection: Connection, settings: Mapping[str, str | None]) -> None:
    """Change settings of the whole server; None sets one back."""
    for name, value in settings.items():
        await connection.execute(f"ALTER SYSTEM {f'SET {name} = {value!r}' if value else f'RESET {name}'}")
    await connection.execute("SELECT pg_reload_conf()")


async def _copying(connection: Connection, table: str) -> str:
    columns = await connection.fetch(COLUMNS, table)
    values = [_value(table, row["attname"], row["kind"]) for row in columns]
    names = ", ".join(row["attname"] for row in columns)
    ids = "id" if table == "customer_order" else "order_id"
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} t WHERE t.{ids} = ANY($2::text[])"


def _value(table: str, column: str, kind: str) -> str:
    if column == "id" and kind == "bigint":
        return f"nextval('{table}_id')"
    if column in TEXTS:
        return f"t.{column} || '.' || $1::text"
    if table == "slice" and column == "state":
        return "'shipped'"
    return f"t.{column}"
