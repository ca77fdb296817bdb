"""The outbox: effects claimed with leases and fencing, one subject at a time, every try kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hub.flow.ports import Claimed
from hub.flow.trouble import Trouble
from hub.sdk.outcomes import Learned
from hub.store.database import PooledConnection
from hub.store.troubles import raise_troubles

# A range where "equals" is meant: only the index (connection, id) can answer it. With "equals" the planner took another
# order and read a paused partner's whole backlog for every other connection.
READY: Final = (
    "SELECT c.id FROM connection c CROSS JOIN LATERAL (SELECT FROM outbox o "
    "WHERE o.connection_id BETWEEN c.id AND c.id AND NOT o.parked AND o.due_at <= now() "
    "AND (o.lease_until IS NULL OR o.lease_until < now()) ORDER BY o.connection_id, o.id LIMIT 1) AS due "
    "WHERE c.enabled AND NOT c.paused"
)
# Per connection, so that a dead partner's backlog is never scanned for the others.
CLAIM: Final = (
    "WITH ready AS (SELECT id FROM outbox_due($1, $2)), "
    "taken AS (UPDATE outbox o SET lease_until = now() + $3::float8 * interval '1 second', fence = o.fence + 1, "
    # A lease that ran out may have acted: whoever takes over looks first.
    "look_first = o.look_first OR o.lease_until IS NOT NULL FROM ready r WHERE o.id = r.id "
    "RETURNING o.id, o.fence, o.tries, o.waits, o.look_first) "
    "SELECT t.id, t.fence, t.tries, t.waits, t.look_first, e.connection_id, e.merchant, e.subject, e.key, e.order_id, "
    "e.document FROM taken t JOIN effect e ON e.id = t.id ORDER BY t.id"
)
RENEW: Final = (
    "UPDATE outbox o SET lease_until = now() + $3::float8 * interval '1 second' "
    "FROM unnest($1::bigint[], $2::bigint[]) AS u(id, fence) WHERE o.id = u.id AND o.fence = u.fence "
    "RETURNING o.id, o.fence"
)


async def ready_connections(connection: PooledConnection) -> list[str]:
    """Connections with something to send now."""
    return [row[0] for row in await connection.fetch(READY)]


async def claim(connection: PooledConnection, link: str, limit: int, lease_seconds: float) -> list[Claimed]:
    """Lease due effects of one connection, the first of each subject."""
    return [Claimed(*row) for row in await connection.fetch(CLAIM, link, limit, lease_seconds)]


async def renew(connection: PooledConnection, held: Sequence[Claimed], lease_seconds: float) -> set[tuple[int, int]]:
    """Keep leases that are still ours; returns which, as (id, fence)."""
    rows = await connection.fetch(RENEW, [c.id for c in held], [c.fence for c in held], lease_seconds)
    return {(row[0], row[1]) for row in rows}


class Tried(NamedTuple):
    """The record of one try."""

    claimed: Claimed
    started_at: datetime
    finished_at: datetime
    outcome: str
    reason: str
    reference: str | None
    over: bool
    """It needs no further try: done or refused."""
    next_at: datetime | None
    """When to try again, by the clock of `finished_at`; None parks it for a person."""
    waits: bool
    """That time was named by the partner, or by its breaker."""
    look_first: bool


OVER: Final = (
    "DELETE FROM outbox o USING unnest($1::bigint[], $2::bigint[]) AS u(id, fence) "
    "WHERE o.id = u.id AND o.fence = u.fence RETURNING o.id"
)
AGAIN: Final = (
    # A pause, not a time: clocks of processes jump and differ, and the database's own is who asks whether it is due.
    "UPDATE outbox o SET due_at = coalesce(now() + u.pause * interval '1 second', o.due_at), parked = u.pause IS NULL, "
    "tries = o.tries + 1, waits = o.waits + u.waits::int, look_first = u.look_first, lease_until = NULL, "
    "last_error = u.error FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::bool[], $5::bool[], $6::text[]) "
    "AS u(id, fence, pause, waits, look_first, error) WHERE o.id = u.id AND o.fence = u.fence RETURNING o.id"
)
ATTEMPTS: Final = (
    "INSERT INTO attempt (effect_id, no, made_on, connection_id, started_at, finished_at, outcome, reason, reference) "
    "SELECT u.id, u.no, u.started_at::date, u.connection, u.started_at, u.finished_at, u.outcome, u.reason, "
    "u.reference FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::timestamptz[], $5::timestamptz[], "
    "$6::text[], $7::text[], $8::text[]) AS u(id, no, connection, started_at, finished_at, outcome, reason, reference) "
    "ON CONFLICT DO NOTHING"
)


async def record(connection: PooledConnection, tried: Sequence[Tried]) -> set[int]:
    """Record tries; returns the effects whose lease was still ours. A stale try leaves only its attempt row."""
    over = [t for t in tried if t.over]
    again = [t for t in tried if not t.over]
    ours: set[int] = set()
    if over:
        rows = await connection.fetch(OVER, [t.claimed.id for t in over], [t.claimed.fence for t in over])
        ours |= {row[0] for row in rows}
    if again:
        rows = await connection.fetch(
            AGAIN,
            [t.claimed.id for t in again],
            [t.claimed.fence for t in again],
            [None if t.next_at is None else (t.next_at - t.finished_at).total_seconds() for t in again],
            [t.waits for t in again],
            [t.look_first for t in again],
            [t.reason for t in again],
        )
        ours |= {row[0] for row in rows}
    await connection.execute(
        ATTEMPTS,
        [t.claimed.id for t in tried],
        [t.claimed.tries + 1 for t in tried],
        [t.claimed.connection for t in tried],
        [t.started_at for t in tried],
        [t.finished_at for t in tried],
        [t.outcome for t in tried],
        [t.reason for t in tried],
        [t.reference for t in tried],
    )
    return ours


LEARN: Final = (
    "INSERT INTO external_reference (account_id, kind, ours, theirs) SELECT * FROM unnest($1::bigint[], $2::text[], "
    "$3::text[], $4::text[]) AS u(account, kind, ours, theirs) ORDER BY account, kind, ours "
    "ON CONFLICT (account_id, kind, ours) DO UPDATE SET theirs = EXCLUDED.theirs"
)
KNOWN: Final = "SELECT kind, ours, theirs FROM external_reference WHERE account_id = $1 AND ours = ANY($2::text[])"


async def learn(connection: PooledConnection, learned: Sequence[tuple[int, Learned]]) -> None:
    """Keep partners' ids of our things: (account, learned)."""
    unique = {(account, one.kind, one.ours): one.theirs for account, one in learned}
    rows = [(*key, theirs) for key, theirs in sorted(unique.items())]
    if rows:
        await connection.execute(LEARN, *zip(*rows, strict=True))


async def known(connection: PooledConnection, account: int, ours: Sequence[str]) -> dict[tuple[str, str], str]:
    """Partners' ids: (kind, ours) -> theirs."""
    return {(row[0], row[1]): row[2] for row in await connection.fetch(KNOWN, account, list(ours))}


async def question(connection: PooledConnection, troubles: Sequence[tuple[Claimed, Trouble]], now: datetime) -> None:
    """Exceptions of deliveries that need a person."""
    rows = [
        (claimed.merchant, claimed.order, trouble._replace(waiter=("effect", str(claimed.id))))
        for claimed, trouble in troubles
    ]
    await raise_troubles(connection, rows, now)


async def unpark(connection: PooledConnection, effects: Sequence[int]) -> int:
    """Try parked effects again, looking first; returns how many there were."""
    status = await connection.execute(
        "UPDATE outbox SET parked = false, due_at = now(), look_first = true WHERE id = ANY($1::bigint[]) AND parked",
        list(effects),
    )
    return int(status.rsplit(" ", 1)[1])
