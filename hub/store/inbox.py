"""The inbox: deliveries deduplicated, messages kept, a narrow queue that workers claim with row locks."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hub.flow.directory import Link
from hub.flow.ports import Inbound
from hub.flow.receive import accept_pulled
from hub.flow.trouble import Trouble
from hub.sdk.capabilities import Pulled
from hub.store.database import PooledConnection
from hub.store.troubles import raise_troubles


class Arrival(NamedTuple):
    """A delivery to store. Column order is that of the statement."""

    account: int
    key: str
    hash: bytes
    merchant: str
    connection: str
    topic: str
    object: str | None
    lane: str | None
    """None is kept and acknowledged, of no consequence."""
    received_at: datetime
    headers: str | None
    body: bytes


# One statement stores a whole group: dedupe, keep, queue. The sort keeps two groups from locking keys crosswise.
STORE: Final = (
    "WITH arrived AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::text[], $9::timestamptz[], $10::text[], $11::bytea[]) AS u(account_id, key, hash, merchant, "
    "connection_id, topic, object, lane, received_at, headers, body)), "
    "fresh AS (INSERT INTO delivery (account_id, key, hash, message_id) SELECT account_id, key, hash, "
    "nextval('message_id') FROM (SELECT account_id, key, hash FROM arrived ORDER BY account_id, key) AS sorted "
    "ON CONFLICT (account_id, key) DO NOTHING RETURNING account_id, key, message_id), "
    "stored AS (INSERT INTO message (id, received_on, merchant, connection_id, account_id, topic, object, key, "
    "received_at, headers, body) SELECT f.message_id, (a.received_at AT TIME ZONE 'UTC')::date, a.merchant, "
    "a.connection_id, a.account_id, a.topic, a.object, a.key, a.received_at, a.headers, a.body "
    "FROM fresh f JOIN arrived a USING (account_id, key)), "
    "queued AS (INSERT INTO inbox (id, received_on, lane, account_id, object, due_at) "
    "SELECT f.message_id, (a.received_at AT TIME ZONE 'UTC')::date, a.lane, a.account_id, a.object, now() "
    "FROM fresh f JOIN arrived a USING (account_id, key) WHERE a.lane IS NOT NULL) "
    "SELECT account_id, key, message_id FROM fresh"
)
KNOWN: Final = (
    "SELECT d.account_id, d.key, d.hash, d.message_id FROM delivery d "
    "JOIN unnest($1::bigint[], $2::text[]) AS u(account, key) ON d.account_id = u.account AND d.key = u.key"
)


async def store_arrivals(
    connection: PooledConnection, arrivals: Sequence[Arrival], now: datetime
) -> list[tuple[int, bool]]:
    """Store a group in one statement; for each arrival (message id, whether it is new).

    A known key with another body is not stored: it raises one exception per key, and the first body stands.
    """
    unique = {(arrival.account, arrival.key): arrival for arrival in reversed(arrivals)}
    fresh = {
        (account, key): message
        for account, key, message in await connection.fetch(STORE, *zip(*unique.values(), strict=True))
    }
    others = [arrival for arrival in arrivals if (arrival.account, arrival.key) not in fresh]
    known: dict[tuple[int, str], tuple[bytes, int]] = {}
    if others:
        rows = await connection.fetch(KNOWN, [a.account for a in others], [a.key for a in others])
        known = {(row[0], row[1]): (row[2], row[3]) for row in rows}
        await _question(connection, [a for a in others if known[a.account, a.key][0] != a.hash], now)
    answers = []
    seen: set[tuple[int, str]] = set()
    for arrival in arrivals:
        identity = (arrival.account, arrival.key)
        new = identity in fresh and identity not in seen
        seen.add(identity)
        answers.append((fresh[identity] if identity in fresh else known[identity][1], new))
    return answers


def pulled_arrival(pulled: Pulled, link: Link, now: datetime) -> Arrival:
    """What to store of an object that a pull, a fetch or a call brought."""
    accepted = accept_pulled(pulled, link)
    return Arrival(
        account=link.connection.account,
        key=accepted.key,
        hash=accepted.hash,
        merchant=link.connection.merchant,
        connection=link.connection.id,
        topic=accepted.topic,
        object=accepted.object,
        lane=accepted.lane,
        received_at=now,
        headers=accepted.headers,
        body=pulled.body,
    )


async def _question(connection: PooledConnection, changed: Sequence[Arrival], now: datetime) -> None:
    troubles = [
        (
            arrival.merchant,
            None,
            Trouble(
                kind="delivery_changed",
                cause=f"{arrival.connection}:{arrival.key}",
                next_step="The sender repeated a delivery with another body. The first one stands; "
                "read the object again with a pull if the second should.",
                connection=arrival.connection,
                external_id=arrival.object,
            ),
        )
        for arrival in changed
    ]
    await raise_troubles(connection, troubles, now)


CLAIM: Final = "SELECT id, received_on, tries FROM inbox_due($1, $2)"
CLAIM_ONLY: Final = (
    "SELECT i.id, i.received_on, i.tries FROM inbox i WHERE i.lane = $1 AND i.id = ANY($3::bigint[]) AND NOT i.parked "
    "ORDER BY i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED"
)
READ: Final = (
    "SELECT m.id, m.merchant, m.connection_id, m.account_id, m.topic, m.object, m.received_at, u.tries, m.body "
    "FROM unnest($1::bigint[], $2::date[], $3::smallint[]) AS u(id, received_on, tries) "
    "JOIN message m ON m.id = u.id AND m.received_on = u.received_on ORDER BY m.id"
)


async def claim(
    connection: PooledConnection, lane: str, limit: int, only: Sequence[int] | None = None
) -> list[Inbound]:
    """Lock due messages of a lane that nobody holds, the oldest of each object only, and read them."""
    if only is None:
        rows = await connection.fetch(CLAIM, lane, limit)
    else:
        rows = await connection.fetch(CLAIM_ONLY, lane, limit, list(only))
    if not rows:
        return []
    return [Inbound(*row) for row in await connection.fetch(READ, *zip(*rows, strict=True))]


async def finish(connection: PooledConnection, ids: Iterable[int]) -> None:
    """Take messages out of the queue: they are done."""
    await connection.execute("DELETE FROM inbox WHERE id = ANY($1::bigint[])", list(ids))


async def postpone(connection: PooledConnection, ids: Iterable[int], until: datetime, error: str) -> None:
    """Leave messages in the queue until a time."""
    await connection.execute(
        "UPDATE inbox SET due_at = $2, tries = tries + 1, last_error = $3 WHERE id = ANY($1::bigint[])",
        list(ids),
        until,
        error,
    )


# Whoever changes the configuration after this waits for us, and finds the exceptions that it mends; whoever is changing
# it already is not waited for: it may hold what we need, and we what it needs.
STEADY: Final = "SELECT 1 FROM configuration WHERE epoch = $1 FOR SHARE SKIP LOCKED"


async def park(
    connection: PooledConnection, parked: Sequence[tuple[Inbound, Trouble]], now: datetime, epoch: int | None = None
) -> None:
    """Set messages aside for a person, each waiting for its exception. What was judged by a configuration, that of
    `epoch`, which is changing or has changed since, is taken again instead: perhaps that mended it."""
    if not parked:
        return
    if epoch is not None and await connection.fetchval(STEADY, epoch) is None:
        await postpone(connection, sorted({message.id for message, _ in parked}), now, "the configuration changed")
        return
    await connection.execute(
        "UPDATE inbox i SET parked = true, last_error = u.error FROM unnest($1::bigint[], $2::text[]) AS u(id, error) "
        "WHERE i.id = u.id",
        [message.id for message, _ in parked],
        [f"{trouble.kind}: {trouble.cause}" for _, trouble in parked],
    )
    troubles = [
        (message.merchant, None, trouble._replace(connection=message.connection, waiter=("message", str(message.id))))
        for message, trouble in parked
    ]
    await raise_troubles(connection, troubles, now)


async def unpark(connection: PooledConnection, ids: Iterable[int]) -> int:
    """Try parked messages again; returns how many there were."""
    status = await connection.execute(
        "UPDATE inbox SET parked = false, due_at = now(), tries = 0 WHERE id = ANY($1::bigint[]) AND parked", list(ids)
    )
    return int(status.rsplit(" ", 1)[1])
