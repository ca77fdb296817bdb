"""Schedules of pulls: claimed with leases, never two at once, cursors advanced with the pages they brought."""

from datetime import timedelta
from typing import Final, NamedTuple

from hub.store.database import PooledConnection


class Due(NamedTuple):
    """A pull in a worker's hands."""

    connection: str
    operation: str
    every_seconds: int
    cursor: str | None
    fence: int


CLAIM_LOCK: Final = 7_203_517
"""One claims at a time: of two that look at two pulls of one connection the second sees the first one's lease."""

# The choice is made once: as a plain subquery it was made anew for every row it was compared with, each time passing
# over what had just been leased, and one claim leased every pull there was (where the table had been analysed small).
CLAIM: Final = (
    "WITH due AS MATERIALIZED (SELECT d.connection_id, d.operation FROM schedule d JOIN connection c "
    "ON c.id = d.connection_id WHERE d.enabled AND c.enabled AND NOT c.paused AND d.next_due_at <= now() "
    "AND NOT EXISTS (SELECT 1 FROM schedule o WHERE o.connection_id = d.connection_id AND o.lease_until >= now()) "
    "ORDER BY d.next_due_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED) "
    "UPDATE schedule s SET lease_until = now() + $1::float8 * interval '1 second', fence = s.fence + 1, "
    "started_at = now() FROM due WHERE s.connection_id = due.connection_id AND s.operation = due.operation "
    "RETURNING s.connection_id, s.operation, s.every_seconds, s.cursor, s.fence"
)
ADVANCE: Final = (
    "UPDATE schedule SET cursor = $4, lease_until = now() + $5::float8 * interval '1 second' "
    "WHERE connection_id = $1 AND operation = $2 AND fence = $3 RETURNING true"
)
RENEW: Final = (
    "UPDATE schedule SET lease_until = now() + $4::float8 * interval '1 second' "
    "WHERE connection_id = $1 AND operation = $2 AND fence = $3 AND lease_until IS NOT NULL"
)
# A window that was missed is caught up at once; the next one is counted from when this one was due to start.
FINISH: Final = (
    "UPDATE schedule SET lease_until = NULL, finished_at = now(), last_error = $4, "
    "next_due_at = coalesce(now() + $5::interval, greatest(now(), started_at + every_seconds * interval '1 second')) "
    "WHERE connection_id = $1 AND operation = $2 AND fence = $3"
)


async def claim_due(connection: PooledConnection, lease_seconds: float) -> Due | None:
    """Lease the pull that is longest due, if any, of a connection that nobody pulls. In a transaction of its own."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", CLAIM_LOCK)
    row = await connection.fetchrow(CLAIM, lease_seconds)
    return Due(*row) if row else None


async def advance(connection: PooledConnection, due: Due, cursor: str, lease_seconds: float) -> bool:
    """Move the cursor and keep the lease; False when the lease was given away, and the page must not be stored."""
    moved = await connection.fetchval(ADVANCE, due.connection, due.operation, due.fence, cursor, lease_seconds)
    return bool(moved)


async def renew(connection: PooledConnection, due: Due, lease_seconds: float) -> None:
    """Keep the lease while it is still ours."""
    await connection.execute(RENEW, due.connection, due.operation, due.fence, lease_seconds)


async def finish(connection: PooledConnection, due: Due, error: str | None, again_in: timedelta | None) -> None:
    """End a pull; after a failure `again_in` overrides the schedule, counted by the database's clock."""
    await connection.execute(FINISH, due.connection, due.operation, due.fence, error, again_in)
