"""Subscriptions as people set them up: made, changed, paused, told again."""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from hub.store.admin.errors import Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection
from hub.store.events import Secrets, Subscriber, seal_secrets, subscriber_of
from hub.store.vault import Vault

SELECT: Final = (
    "SELECT s.*, (SELECT count(*) FROM outbox o WHERE o.connection_id = s.id) AS waiting FROM subscription s "
    "WHERE s.merchant = $1 "
)
# Numbers of tries go on where they stopped, so that every attempt keeps its row.
REPLAY: Final = (
    "INSERT INTO outbox AS o (id, connection_id, subject, due_at, tries) SELECT e.id, e.connection_id, e.subject, "
    "now(), (SELECT count(*) FROM attempt a WHERE a.effect_id = e.id) FROM effect e WHERE e.connection_id = $1 "
    "AND e.id >= coalesce($2::bigint, 0) AND ($3::timestamptz IS NULL OR e.created_at >= $3) ORDER BY e.id "
    "ON CONFLICT (id) DO UPDATE SET parked = false, due_at = now() WHERE o.parked"
)

MENDED: Final = (
    "UPDATE exception SET closed_at = $3, closed_by = $4 WHERE kind = ANY($2::text[]) AND cause LIKE $1 || ':%' "
    "AND closed_at IS NULL"
)


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription without its secrets."""

    id: str
    name: str
    channel: str
    types: list[str]
    """Empty is every type."""
    connections: list[str]
    config: dict[str, str | int | None]
    paused: bool
    paused_because: str | None
    failing_since: datetime | None
    told_at: datetime | None
    """When it last took something."""
    waiting: int
    """What it is still to be told."""
    created_at: datetime


async def list_subscriptions(connection: PooledConnection, merchant: str, cut: Cut) -> Page[SubscriptionView]:
    """Subscriptions of a merchant, the newest first."""
    (before,) = cut.after(str)
    rows = await connection.fetch(
        SELECT + "AND ($2::text IS NULL OR s.id < $2) ORDER BY s.id DESC LIMIT $3", merchant, before, cut.limit + 1
    )
    return page([_view(row) for row in rows], cut, lambda found: (found.id,))


async def get_subscription(connection: PooledConnection, merchant: str, id: str) -> SubscriptionView:
    """One subscription; raises `Missing`."""
    return _view(await _row(connection, merchant, id))


async def find_subscriber(connection: PooledConnection, merchant: str, id: str, vault: Vault) -> Subscriber:
    """One subscription as it is reached, secrets included; raises `Missing` and `SealBroken`."""
    return subscriber_of(await _row(connection, merchant, id), vault)


async def put_subscription(
    connection: PooledConnection, one: Subscriber, types: list[str], connections: list[str], vault: Vault
) -> None:
    """Make or change a subscription."""
    await connection.execute(
        "INSERT INTO subscription (id, merchant, name, channel, types, connections, config, secrets) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, "
        "types = EXCLUDED.types, connections = EXCLUDED.connections, config = EXCLUDED.config, "
        "secrets = EXCLUDED.secrets",
        one.id,
        one.merchant,
        one.name,
        one.channel.value,
        types,
        connections,
        msgspec.json.encode(one.config).decode(),
        seal_secrets(one.secrets, one.id, vault),
    )


async def put_secrets(connection: PooledConnection, id: str, secrets: Secrets, vault: Vault) -> None:
    """Other secrets from now on."""
    await connection.execute("UPDATE subscription SET secrets = $2 WHERE id = $1", id, seal_secrets(secrets, id, vault))


async def set_paused(connection: PooledConnection, id: str, paused: bool, who: str, now: datetime) -> None:
    """Pause, or tell it everything that it missed, and close what was raised about it."""
    await connection.execute(
        "UPDATE subscription SET paused = $2, paused_because = $3, failing_since = NULL WHERE id = $1",
        id,
        paused,
        f"paused by {who}" if paused else None,
    )
    if not paused:
        await connection.execute("UPDATE outbox SET due_at = now() WHERE connection_id = $1 AND NOT parked", id)
        await connection.execute(MENDED, id, ["subscription_paused"], now, who)


async def remove(connection: PooledConnection, id: str, who: str, now: datetime) -> None:
    """It is told nothing more; what it was told stays in the books."""
    await connection.execute("DELETE FROM outbox WHERE connection_id = $1", id)
    await connection.execute(MENDED, id, ["subscription_paused", "dead_letter", "delivery_needs_person"], now, who)
    await connection.execute("DELETE FROM subscription WHERE id = $1", id)


async def replay(connection: PooledConnection, id: str, since: datetime | None, event: str | None) -> int:
    """Tell it again what it was told since a time, or from an event on; returns how much. Raises `Missing`."""
    first: int | None = None
    if event is not None:
        first = await connection.fetchval("SELECT id FROM effect WHERE connection_id = $1 AND key = $2", id, event)
        if first is None:
            raise Missing(f"subscription {id} was never to be told of an event {event}")
    status = await connection.execute(REPLAY, id, first, since)
    return int(status.rsplit(" ", 1)[1])


async def _row(connection: PooledConnection, merchant: str, id: str) -> asyncpg.Record:
    row = await connection.fetchrow(SELECT + "AND s.id = $2", merchant, id)
    if row is None:
        raise Missing(f"no subscription {id}")
    return row


def _view(row: asyncpg.Record) -> SubscriptionView:
    return SubscriptionView(
        id=row["id"],
        name=row["name"],
        channel=row["channel"],
        types=list(row["types"]),
        connections=list(row["connections"]),
        config=msgspec.json.decode(row["config"], type=dict[str, str | int | None]),
        paused=row["paused"],
        paused_because=row["paused_because"],
        failing_since=row["failing_since"],
        told_at=row["told_at"],
        waiting=row["waiting"],
        created_at=row["created_at"],
    )
