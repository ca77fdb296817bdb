"""What rules of holds ask of the store: earlier orders of the same people, and holds whose time has come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from hub.flow.ports import Mark
from hub.flow.risk_facts import Seen, marks_of
from hub.store.contacts import contacts
from hub.store.database import PooledConnection

COUNTED: Final = 200
"""An address may have been ordered to a hundred thousand times: nobody needs to know more than that it was often."""

# Ids rise with time, so that the newest come first out of the primary key.
HISTORY: Final = (
    "SELECT u.order_id, u.kind, count(m.at) AS before, count(m.at) FILTER (WHERE m.at > u.since) AS recent, "
    "EXISTS (SELECT 1 FROM contact_mark o WHERE o.merchant = u.merchant AND o.kind = u.kind AND o.mark = u.mark "
    "AND o.order_id = u.order_id) AS known "
    "FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[], $6::timestamptz[]) "
    "AS u(merchant, kind, mark, order_id, at, since) LEFT JOIN LATERAL (SELECT c.at FROM contact_mark c "
    "WHERE c.merchant = u.merchant AND c.kind = u.kind AND c.mark = u.mark AND c.order_id <> u.order_id "
    "ORDER BY c.order_id DESC LIMIT $7) m ON m.at <= u.at GROUP BY u.merchant, u.kind, u.mark, u.order_id"
)
KEEP: Final = (
    "INSERT INTO contact_mark (merchant, kind, mark, order_id, at) SELECT * FROM "
    "unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[]) ON CONFLICT DO NOTHING"
)
DUE: Final = (
    "SELECT o.id FROM customer_order o WHERE o.id IN (SELECT h.order_id FROM hold h WHERE h.lifted_at IS NULL "
    "AND h.lift_at <= $1 ORDER BY h.lift_at LIMIT $2) ORDER BY o.id FOR UPDATE OF o SKIP LOCKED"
)
ENDING: Final = (
    "SELECT o.id FROM customer_order o WHERE o.merchant = $1 AND o.acting AND o.state = 'open' "
    "AND o.id IN (SELECT p.order_id FROM payment p WHERE p.kind = 'authorise' AND p.status = 'done' "
    "AND p.expires_at > $2 AND p.expires_at <= $3) "
    "AND EXISTS (SELECT 1 FROM slice s WHERE s.order_id = o.id "
    "AND s.state IN ('unallocated', 'backordered', 'reserved')) "
    "AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.order_id = o.id AND h.kind = ANY($4::text[])) "
    "ORDER BY o.id LIMIT $5 FOR UPDATE OF o SKIP LOCKED"
)
UNMARKED: Final = (
    "SELECT o.id, o.placed_at FROM customer_order o WHERE o.merchant = $1 AND o.created_at > $2 "
    "AND NOT EXISTS (SELECT 1 FROM contact_mark m WHERE m.order_id = o.id) ORDER BY o.id DESC LIMIT $3"
)
FORGET: Final = (
    "DELETE FROM contact_mark WHERE ctid = ANY(ARRAY(SELECT ctid FROM contact_mark WHERE at < $1 LIMIT 5000))"
)

REMEMBERED: Final = timedelta(days=400)
"""How long earlier orders count; then their marks are deleted."""

NOBODY: Final = "nobody"
"""Kind of the mark of an order that has no people to mark, so that it is looked at once."""


async def history(connection: PooledConnection, marks: Sequence[Mark]) -> dict[tuple[str, str], Seen]:
    """See `OrdersUnit.history`."""
    rows = await connection.fetch(HISTORY, *zip(*marks, strict=True), COUNTED)
    return {(row["order_id"], row["kind"]): Seen(row["before"], row["recent"], row["known"]) for row in rows}


async def keep_marks(connection: PooledConnection, marks: Sequence[Mark]) -> None:
    """See `OrdersUnit.keep_marks`."""
    if marks:
        await connection.execute(KEEP, *list(zip(*marks, strict=True))[:5])


async def due_holds(connection: PooledConnection, now: datetime, limit: int) -> list[str]:
    """Ids of orders with a hold whose timer has run out, locked."""
    return [row["id"] for row in await connection.fetch(DUE, now, limit)]


async def ending_authorisations(
    connection: PooledConnection, merchant: str, now: datetime, within: timedelta, kinds: Sequence[str], limit: int
) -> list[str]:
    """Ids of orders whose goods rest while their authorisation runs out, locked; without those held for it before."""
    rows = await connection.fetch(ENDING, merchant, now, now + within, list(kinds), limit)
    return [row["id"] for row in rows]


async def mark_earlier(connection: PooledConnection, merchant: str, now: datetime, limit: int = 500) -> int:
    """Mark orders that came before any rule asked; returns how many were looked at, 0 when all are marked."""
    orders = await connection.fetch(UNMARKED, merchant, now - REMEMBERED, limit)
    people = await contacts(connection, [row["id"] for row in orders])
    marks = []
    for row in orders:
        named = people.get(row["id"], {})
        found = marks_of(named.get("customer"), named.get("ship")) or {NOBODY: b""}
        at = row["placed_at"]
        marks += [Mark(merchant, kind, mark, row["id"], at, at) for kind, mark in found.items()]
    await keep_marks(connection, marks)
    return len(orders)


async def forget_marks(connection: PooledConnection, now: datetime) -> None:
    """Delete marks that count no longer."""
    await connection.execute(FORGET, now - REMEMBERED)
