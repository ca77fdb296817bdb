"""What the hub forgets: raw bodies after their retention, answers kept for repeats, rates of old days."""

from datetime import datetime, timedelta
from typing import Final

from hub.store.admin.reservations import expire_reservations
from hub.store.database import PooledConnection

SWEEP_LOCK: Final = 7_203_512
"""One sweeper at a time in the whole installation: an advisory lock, for it guards nothing but double work."""

BATCH: Final = 5000

BODIES: Final = (
    "UPDATE message SET body = NULL, headers = NULL WHERE ctid = ANY(ARRAY(SELECT ctid FROM message "
    "WHERE received_on < (now() - $1::interval)::date AND body IS NOT NULL LIMIT $2))"
)
ANSWERS: Final = "DELETE FROM idempotency WHERE created_at < now() - interval '2 days'"
LOADS: Final = "DELETE FROM node_load WHERE day < current_date - 7"
EXCLUSIONS: Final = "DELETE FROM exclusion WHERE until < now()"


async def forget(connection: PooledConnection, raw_retention: timedelta, now: datetime) -> bool:
    """Forget what is over; False when another process is at it. Runs inside one transaction."""
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", SWEEP_LOCK):
        return False
    await expire_reservations(connection, now)
    await connection.execute(EXCLUSIONS)
    await connection.execute(ANSWERS)
    await connection.execute(LOADS)
    await connection.execute(BODIES, raw_retention, BATCH)
    return True
