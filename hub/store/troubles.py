"""Exceptions: one open row per cause, counted, with what waits for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hub.flow.aggregate import Trouble
from hub.store.database import PooledConnection

UPSERT: Final = (
    "INSERT INTO exception AS e (merchant, kind, cause, next_step, connection_id, external_id, order_id, count, "
    "opened_at, last_at) SELECT u.*, $9::timestamptz, $9::timestamptz FROM unnest($1::text[], $2::text[], $3::text[], "
    "$4::text[], $5::text[], $6::text[], $7::text[], $8::int[]) AS u(merchant, kind, cause, next_step, connection_id, "
    "external_id, order_id, count) ORDER BY merchant, kind, cause "
    "ON CONFLICT (merchant, kind, cause) WHERE closed_at IS NULL "
    "DO UPDATE SET count = e.count + EXCLUDED.count, last_at = EXCLUDED.last_at RETURNING id, merchant, kind, cause"
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
    waiting = [
        (row["id"], *waiter)
        for row in made
        for waiter in sorted(waiters.get((row["merchant"], row["kind"], row["cause"]), ()))
    ]
    if waiting:
        await connection.execute(WAITERS, *zip(*waiting, strict=True))


LEAVE: Final = (
    "DELETE FROM exception_waiter w USING exception e, unnest($1::text[], $2::text[], $3::text[], $4::text[]) "
    "AS u(merchant, ref, kind, cause) WHERE e.merchant = u.merchant AND e.kind = u.kind "
    "AND (u.cause = '' OR e.cause = u.cause) AND e.closed_at IS NULL AND w.exception_id = e.id "
    "AND w.what = 'order' AND w.ref = u.ref RETURNING w.exception_id"
)
CLOSE: Final = (
    "UPDATE exception e SET closed_at = $2, closed_by = 'cause gone' WHERE e.id = ANY($1::bigint[]) "
    "AND e.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM exception_waiter w WHERE w.exception_id = e.id)"
)


async def mend(connection: PooledConnection, mended: Sequence[tuple[str, str, str, str]], now: datetime) -> None:
    """Orders that wait no more: (merchant, order, kind, cause). An exception closes with its last waiter."""
    if mended:
        rows = await connection.fetch(LEAVE, *zip(*sorted(set(mended)), strict=True))
        await connection.execute(CLOSE, sorted({row[0] for row in rows}), now)
