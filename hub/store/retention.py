"""What the hub forgets: raw bodies after their retention, answers kept for repeats, rates of old days."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from hub.store.database import PooledConnection
from hub.store.parcels import LOST_AFTER
from hub.store.risk import forget_marks

SWEEP_LOCK: Final = 7_203_512
"""One sweeper at a time in the whole installation: an advisory lock, for it guards nothing but double work."""

BATCH: Final = 5000

MOVED: Final = (
    "WITH RECURSIVE up AS (SELECT u.id FROM unnest($1::bigint[]) AS u(id) UNION SELECT m.edited_from FROM up "
    "JOIN message m ON m.id = up.id WHERE m.edited_from IS NOT NULL), "
    "down AS (SELECT id AS top, id FROM up UNION "
    "SELECT d.top, m.id FROM down d JOIN message m ON m.edited_from = d.id) "
    "DELETE FROM moved WHERE message_id IN (SELECT id FROM up) AND message_id NOT IN "
    "(SELECT d.top FROM down d JOIN message m ON m.id = d.id WHERE m.body IS NOT NULL)"
)
"""What messages did, once nobody can take them again: neither they nor a corrected copy that stands for them can be
read."""

BODIES: Final = (
    "UPDATE message SET body = NULL, headers = NULL WHERE ctid = ANY(ARRAY(SELECT ctid FROM message "
    "WHERE received_on < (now() - $1::interval)::date AND body IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM inbox i WHERE i.id = message.id) LIMIT $2)) RETURNING id"
)
"""Never one that still waits, for a person perhaps: it can be tried again as long as it can be read."""
ANSWERS: Final = (
    "DELETE FROM idempotency WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency "
    "WHERE created_at < now() - interval '2 days' ORDER BY created_at LIMIT $1))"
)
# Behind the ledger's start nothing is looked at again. What was not told, parked or refused, may be sent again.
POSTINGS: Final = (
    "DELETE FROM stock_posting WHERE ctid = ANY(ARRAY(SELECT p.ctid FROM stock_posting p "
    "LEFT JOIN stock_posting_start s ON s.connection_id = p.connection_id WHERE p.planned_at < now() - $1::interval "
    "AND (s.ledger_id IS NULL OR p.ledger_id <= s.ledger_id) AND NOT EXISTS (SELECT FROM effect e "
    "WHERE e.connection_id = p.connection_id AND e.key = p.key AND (EXISTS (SELECT FROM outbox o WHERE o.id = e.id) "
    "OR NOT EXISTS (SELECT FROM attempt a WHERE a.effect_id = e.id AND a.outcome = 'done'))) LIMIT $2))"
)
LOADS: Final = "DELETE FROM node_load WHERE day < current_date - 7"
_BLANK: Final = (
    "((l.document::jsonb - 'url') || CASE WHEN l.document::jsonb ? 'more' THEN jsonb_build_object('more', "
    "(SELECT coalesce(jsonb_agg(box - 'url'), '[]') FROM jsonb_array_elements(l.document::jsonb -> 'more') AS box)) "
    "ELSE '{}' END)::text"
)
PEOPLE: Final = (
    "WITH theirs AS (SELECT id, merchant, number, (state IN ('closed', 'cancelled') OR NOT acting) AS over "
    "FROM customer_order WHERE account_id = $1 AND ($2::text[] IS NULL OR external_id = ANY($2::text[]))), "
    "gone AS (UPDATE contact SET document = NULL WHERE document IS NOT NULL "
    "AND order_id IN (SELECT id FROM theirs WHERE over)), "
    "marks AS (DELETE FROM contact_mark WHERE order_id IN (SELECT id FROM theirs WHERE over)), "
    f"labels AS (UPDATE label l SET document = {_BLANK} WHERE order_id IN (SELECT id FROM theirs WHERE over)), "
    f"back AS (UPDATE return_label l SET document = {_BLANK} WHERE order_id IN (SELECT id FROM theirs WHERE over)), "
    "seen AS (DELETE FROM scan s USING parcel p JOIN theirs t ON t.id = p.order_id AND t.over "
    "WHERE s.merchant = t.merchant AND s.tracking = p.tracking AND NOT EXISTS (SELECT FROM parcel q "
    "JOIN customer_order o ON o.id = q.order_id AND o.merchant = s.merchant WHERE q.tracking = s.tracking "
    "AND o.id NOT IN (SELECT id FROM theirs WHERE over))) "
    "SELECT number FROM theirs WHERE NOT over ORDER BY number"
)
"""Every revision of the contacts of orders that are over, the digests by which equals are counted, the pictures of
labels, on which an address is printed, and the carriers' own words, which may name who signed and where: but not those
about a parcel that carries somebody else's goods, too."""
SCANS: Final = (
    "DELETE FROM scan WHERE ctid = ANY(ARRAY(SELECT ctid FROM scan WHERE at < now() - $1::interval LIMIT $2))"
)
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
    """Forget raw bodies past their retention, and what their messages did."""
    gone = [row["id"] for row in await connection.fetch(BODIES, raw_retention, BATCH)]
    if gone:
        await connection.execute(MOVED, gone)


async def forget_scans(connection: PooledConnection, retention: timedelta) -> None:
    """Forget the carriers' own words, but none of a parcel that is still watched; its status stays."""
    await connection.execute(SCANS, max(retention, LOST_AFTER), BATCH)


async def forget_postings(connection: PooledConnection, retention: timedelta) -> None:
    """Forget which rows of the ledger made up a document of adjustments that the books have had for so long."""
    await connection.execute(POSTINGS, retention, BATCH)


async def forget_people(connection: PooledConnection, account: int, orders: Sequence[str] | None) -> list[str]:
    """Forget the people of an account's orders (all of them when None); the numbers of orders that are not over."""
    rows = await connection.fetch(PEOPLE, account, None if orders is None else list(orders))
    return [row["number"] for row in rows]
