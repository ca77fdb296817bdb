"""What the hub forgets: raw bodies after their retention, answers kept for repeats, rates of old days."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from hub.store.database import PooledConnection
from hub.store.risk import forget_marks

SWEEP_LOCK: Final = 7_203_512
"""One sweeper at a time in the whole installation: an advisory lock, for it guards nothing but double work."""

BATCH: Final = 5000

BODIES: Final = (
    "UPDATE message SET body = NULL, headers = NULL WHERE ctid = ANY(ARRAY(SELECT ctid FROM message "
    "WHERE received_on < (now() - $1::interval)::date AND body IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM inbox i WHERE i.id = message.id) LIMIT $2))"
)
"""Never one that still waits, for a person perhaps: it can be tried again as long as it can be read."""
ANSWERS: Final = (
    "DELETE FROM idempotency WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency "
    "WHERE created_at < now() - interval '2 days' ORDER BY created_at LIMIT $1))"
)
LOADS: Final = "DELETE FROM node_load WHERE day < current_date - 7"
_BLANK: Final = (
    "((l.document::jsonb - 'url') || CASE WHEN l.document::jsonb ? 'more' THEN jsonb_build_object('more', "
    "(SELECT coalesce(jsonb_agg(box - 'url'), '[]') FROM jsonb_array_elements(l.document::jsonb -> 'more') AS box)) "
    "ELSE '{}' END)::text"
)
PEOPLE: Final = (
    "WITH theirs AS (SELECT id, number, (state IN ('closed', 'cancelled') OR NOT acting) AS over FROM customer_order "
    "WHERE account_id = $1 AND ($2::text[] IS NULL OR external_id = ANY($2::text[]))), "
    "gone AS (UPDATE contact SET document = NULL WHERE document IS NOT NULL "
    "AND order_id IN (SELECT id FROM theirs WHERE over)), "
    "marks AS (DELETE FROM contact_mark WHERE order_id IN (SELECT id FROM theirs WHERE over)), "
    f"labels AS (UPDATE label l SET document = {_BLANK} WHERE order_id IN (SELECT id FROM theirs WHERE over)), "
    f"back AS (UPDATE return_label l SET document = {_BLANK} WHERE order_id IN (SELECT id FROM theirs WHERE over)) "
    "SELECT number FROM theirs WHERE NOT over ORDER BY number"
)
"""Every revision of the contacts of orders that are over, the digests by which equals are counted, and the pictures of
labels, on which an address is printed."""
EXCLUSIONS: Final = "DELETE FROM exclusion WHERE until < now()"


async def alone(connection: PooledConnection) -> bool:
    """Be the only sweeper until the transaction ends; False when another process is at it."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", SWEEP_LOCK))


async def forget_past(connection: PooledConnection, now: datetime) -> None:
    """Forget what counts no longer: exclusions, marks of people, kept answers, loads of old days."""
    await connection.execute(EXCLUSIONS)
    await forget_marks(connection, now)
    await connection.execute(ANSWERS, BATCH)
    await connection.execute(LOADS)


async def forget_bodies(connection: PooledConnection, raw_retention: timedelta) -> None:
    """Forget raw bodies past their retention."""
    await connection.execute(BODIES, raw_retention, BATCH)


async def forget_people(connection: PooledConnection, account: int, orders: Sequence[str] | None) -> list[str]:
    """Forget the people of an account's orders (all of them when None); the numbers of orders that are not over."""
    rows = await connection.fetch(PEOPLE, account, None if orders is None else list(orders))
    return [row["number"] for row in rows]
