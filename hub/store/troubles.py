"""Exceptions: one open row per cause, counted, with what waits for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from hub.flow.trouble import Trouble
from hub.store.database import PooledConnection

UPSERT: Final = (
    "INSERT INTO exception AS e (merchant, kind, cause, next_step, connection_id, external_id, order_id, count, "
    "opened_at, last_at, since) SELECT u.*, $9::timestamptz, $9::timestamptz, $9::timestamptz "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[]) "
    "AS u(merchant, kind, cause, next_step, connection_id, external_id, order_id, count) "
    "ORDER BY merchant, kind, cause ON CONFLICT (merchant, kind, cause) WHERE closed_at IS NULL "
    "DO UPDATE SET count = e.count + EXCLUDED.count, last_at = EXCLUDED.last_at "
    "RETURNING id, merchant, kind, cause, xmax = 0 AS fresh"
)
# A cause that was only tried again, and is back within a day, is the same trouble: its age goes on.
GO_ON: Final = (
    "UPDATE exception e SET since = p.since, retries = p.retries + 1, owner = p.owner, snoozed_until = p.snoozed_until "
    "FROM exception n CROSS JOIN LATERAL (SELECT b.* FROM exception b WHERE b.merchant = n.merchant "
    "AND b.kind = n.kind AND b.cause = n.cause AND b.id < n.id ORDER BY b.id DESC LIMIT 1) p "
    "WHERE n.id = ANY($1::bigint[]) AND e.id = n.id AND p.retried AND p.closed_at > n.opened_at - interval '1 day'"
)
WAITERS: Final = (
    "INSERT INTO exception_waiter (exception_id, what, ref) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) "
    "ON CONFLICT DO NOTHING"
)


async def raise_troubles(
    connection: PooledConnection, troubles: Sequence[tuple[str, str | None, Trouble]], now: datetime
) -> None:
    """Open or count exceptions: (merchant, order id or None, trouble)."""
    if not troubles:
        return
    causes: dict[tuple[str, str, str], tuple[Trouble, str | None, int]] = {}
    waiters: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for merchant, order, trouble in troubles:
        key = (merchant, trouble.kind, trouble.cause)
        first, first_order, count = causes.get(key, (trouble, order, 0))
        causes[key] = (first, first_order, count + 1)
        if trouble.waiter is not None:
            waiters.setdefault(key, set()).add(trouble.waiter)
    rows = [
        (*key, trouble.next_step, trouble.connection, trouble.external_id, order, count)
        for key, (trouble, order, count) in sorted(causes.items(), key=lambda entry: entry[0])
    ]
    made = await connection.fetch(UPSERT, *zip(*rows, strict=True), now)
    fresh = [row["id"] for row in made if row["fresh"]]
    if fresh:
        await connection.execute(GO_ON, fresh)
    waiting = [
        (row["id"], *waiter)
        for row in made
        for waiter in sorted(waiters.get((row["merchant"], row["kind"], row["cause"]), ()))
    ]
    if waiting:
        await connection.execute(WAITERS, *zip(*waiting, strict=True))


# The exceptions are locked before their waiters go: of two that leave together the second sees that it is the last.
OF_ORDERS: Final = (
    "SELECT e.id, u.ref FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS u(merchant, ref, kind, cause) "
    "JOIN exception e ON e.merchant = u.merchant AND e.kind = u.kind AND (u.cause = '' OR e.cause = u.cause) "
    "JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'order' AND w.ref = u.ref "
    "WHERE e.closed_at IS NULL ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e"
)
OF_EFFECTS: Final = (
    "SELECT e.id, w.ref FROM exception_waiter w JOIN exception e ON e.id = w.exception_id "
    "WHERE w.what = 'effect' AND w.ref = ANY($1::text[]) AND e.closed_at IS NULL "
    "ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e"
)
LEAVE: Final = (
    "DELETE FROM exception_waiter w USING unnest($2::bigint[], $3::text[]) AS u(id, ref) "
    "WHERE w.exception_id = u.id AND w.what = $1 AND w.ref = u.ref"
)
CLOSE: Final = (
    "UPDATE exception e SET closed_at = $2, closed_by = 'cause gone' WHERE e.id = ANY($1::bigint[]) "
    "AND e.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM exception_waiter w WHERE w.exception_id = e.id)"
)


async def mend(connection: PooledConnection, mended: Sequence[tuple[str, str, str, str]], now: datetime) -> None:
    """Orders that wait no more: (merchant, order, kind, cause). An exception closes with its last waiter."""
    if mended:
        await _leave(
            connection, "order", await connection.fetch(OF_ORDERS, *zip(*sorted(set(mended)), strict=True)), now
        )


async def effects_over(connection: PooledConnection, effects: Sequence[int], now: datetime) -> None:
    """These effects are done, refused or taken back: they wait for nobody any more."""
    if effects:
        waited = await connection.fetch(OF_EFFECTS, [str(effect) for effect in effects])
        await _leave(connection, "effect", waited, now)


async def leave(connection: PooledConnection, what: str, waited: Sequence[asyncpg.Record]) -> None:
    """Take waiters, (exception, ref), off exceptions that are locked; each closes with its last one."""
    if waited:
        await _leave(connection, what, waited, await connection.fetchval("SELECT now()"))


async def _leave(connection: PooledConnection, what: str, waited: Sequence[asyncpg.Record], now: datetime) -> None:
    if waited:
        await connection.execute(LEAVE, what, [row[0] for row in waited], [row[1] for row in waited])
        await connection.execute(CLOSE, sorted({row[0] for row in waited}), now)
