"""Messages that must be read again from their source: leased, because reading is a remote call."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.flow.ports import Inbound
from hub.flow.trouble import Trouble
from hub.store.database import PooledConnection
from hub.store.inbox import park


class Leased(NamedTuple):
    """A message in a fetcher's hands."""

    message: Inbound
    fence: int


CLAIM: Final = (
    "WITH ready AS (SELECT i.id FROM inbox i WHERE i.lane = 'fetch' AND NOT i.parked AND i.due_at <= now() "
    "AND (i.lease_until IS NULL OR i.lease_until < now()) ORDER BY i.id LIMIT $1 FOR UPDATE OF i SKIP LOCKED), "
    "taken AS (UPDATE inbox i SET lease_until = now() + $2::float8 * interval '1 second', fence = i.fence + 1 "
    "FROM ready r WHERE i.id = r.id RETURNING i.id, i.received_on, i.tries, i.fence) "
    "SELECT m.id, m.merchant, m.connection_id, m.account_id, m.topic, m.object, m.received_at, t.tries, m.body, "
    "t.fence FROM taken t JOIN message m ON m.id = t.id AND m.received_on = t.received_on ORDER BY m.id"
)
RENEW: Final = (
    "UPDATE inbox i SET lease_until = now() + $3::float8 * interval '1 second' "
    "FROM unnest($1::bigint[], $2::bigint[]) AS u(id, fence) "
    "WHERE i.id = u.id AND i.fence = u.fence AND i.lease_until IS NOT NULL"
)
FINISH: Final = "DELETE FROM inbox WHERE id = $1 AND fence = $2 RETURNING true"
AGAIN: Final = (
    "UPDATE inbox SET lease_until = NULL, due_at = now() + $3::interval, tries = tries + $5::int, last_error = $4 "
    "WHERE id = $1 AND fence = $2"
)


async def claim_fetches(connection: PooledConnection, limit: int, lease_seconds: float) -> list[Leased]:
    """Lease messages that only name an object."""
    rows = await connection.fetch(CLAIM, limit, lease_seconds)
    return [Leased(Inbound(*row[:-1]), row[-1]) for row in rows]


async def renew_fetches(connection: PooledConnection, leased: Sequence[Leased], lease_seconds: float) -> None:
    """Keep the leases that are still ours."""
    await connection.execute(RENEW, [one.message.id for one in leased], [one.fence for one in leased], lease_seconds)


async def finish_fetch(connection: PooledConnection, leased: Leased) -> bool:
    """The answer is stored; False when the lease was given away."""
    return bool(await connection.fetchval(FINISH, leased.message.id, leased.fence))


async def fetch_again(
    connection: PooledConnection, leased: Leased, pause: timedelta, error: str, *, counts: bool
) -> None:
    """Try again after a pause, counted by the database's clock: it is the one that is asked whether it is due.

    `counts` says whether this try adds up to giving up.
    """
    await connection.execute(AGAIN, leased.message.id, leased.fence, pause, error, int(counts))


async def park_fetch(connection: PooledConnection, leased: Sequence[tuple[Leased, Trouble]], now: datetime) -> None:
    """Set aside for a person."""
    await park(connection, [(one.message, trouble) for one, trouble in leased], now)
