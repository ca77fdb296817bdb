"""Connections and their accounts, as rows; secrets stay sealed here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.paging import Cut
from hub.store.availability import try_again
from hub.store.database import PooledConnection

ROW: Final = (
    "SELECT c.*, a.name AS account_name, a.captured_by FROM connection c JOIN account a ON a.id = c.account_id "
    "WHERE c.merchant = $1 "
)


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled pull."""

    every_seconds: int
    enabled: bool
    next_due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_error: str | None


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A connection's row with what hangs on it."""

    id: str
    merchant: str
    adapter: str
    name: str
    account_id: int
    account: str
    captured_by: str
    config: dict[str, Any]
    secrets: bytes | None
    modes: dict[str, str]
    live_from: datetime | None
    enabled: bool
    paused: bool
    health: dict[str, Any]
    schedule: dict[str, ScheduleView]
    cursor: dict[str, str | None]
    created_at: datetime
    updated_at: datetime


async def list_connections(
    connection: PooledConnection, merchant: str, cut: Cut, *, adapter: str | None, enabled: bool | None
) -> list[Stored]:
    """A page's rows and one more, in order of their ids."""
    (after,) = cut.after(str)
    rows = await connection.fetch(
        ROW + "AND ($2::text IS NULL OR c.id > $2) AND ($3::text IS NULL OR c.adapter = $3) "
        "AND ($4::bool IS NULL OR c.enabled = $4) ORDER BY c.id LIMIT $5",
        merchant,
        after,
        adapter,
        enabled,
        cut.limit + 1,
    )
    return await _complete(connection, rows)


async def get_connection(connection: PooledConnection, merchant: str, id: str, *, lock: bool = False) -> Stored:
    """One connection, locked when it is to be changed; raises `Missing`."""
    rows = await connection.fetch(ROW + "AND c.id = $2" + (" FOR UPDATE OF c" if lock else ""), merchant, id)
    if not rows:
        raise Missing(f"no connection {id}")
    (found,) = await _complete(connection, rows)
    return found


async def _complete(connection: PooledConnection, rows: list[asyncpg.Record]) -> list[Stored]:
    ids = [row["id"] for row in rows]
    plans = await connection.fetch("SELECT * FROM schedule WHERE connection_id = ANY($1::text[]) ORDER BY 1, 2", ids)
    schedules: dict[str, dict[str, ScheduleView]] = {id: {} for id in ids}
    cursors: dict[str, dict[str, str | None]] = {id: {} for id in ids}
    for plan in plans:
        schedules[plan["connection_id"]][plan["operation"]] = ScheduleView(
            every_seconds=plan["every_seconds"],
            enabled=plan["enabled"],
            next_due_at=plan["next_due_at"],
            started_at=plan["started_at"],
            finished_at=plan["finished_at"],
            last_error=plan["last_error"],
        )
        cursors[plan["connection_id"]][plan["operation"]] = plan["cursor"]
    return [
        Stored(
            id=row["id"],
            merchant=row["merchant"],
            adapter=row["adapter"],
            name=row["name"],
            account_id=row["account_id"],
            account=row["account_name"],
            captured_by=row["captured_by"],
            config=msgspec.json.decode(row["config"]),
            secrets=row["secrets"],
            modes=msgspec.json.decode(row["modes"]),
            live_from=row["live_from"],
            enabled=row["enabled"],
            paused=row["paused"],
            health=msgspec.json.decode(row["health"]),
            schedule=schedules[row["id"]],
            cursor=cursors[row["id"]],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in rows
    ]


async def claim_account(connection: PooledConnection, merchant: str, adapter: str, name: str) -> int:
    """Make or find an account and lock it. Raises `Conflict` naming the connection that lives on it already."""
    await connection.execute(
        "INSERT INTO account (merchant, adapter, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        merchant,
        adapter,
        name,
    )
    account: int = await connection.fetchval(
        "SELECT id FROM account WHERE merchant = $1 AND adapter = $2 AND name = $3 FOR UPDATE", merchant, adapter, name
    )
    return account


async def refuse_second(connection: PooledConnection, account: int, *, but: str | None = None) -> None:
    """Raise `Conflict` when another live connection has the account: both would act on every order."""
    first = await connection.fetchrow(
        "SELECT id, name FROM connection WHERE account_id = $1 AND enabled AND id IS DISTINCT FROM $2", account, but
    )
    if first is not None:
        raise Conflict(
            "account-connected",
            f"Connection {first['id']} ({first['name']}) is live on this account already; "
            "change that one (PATCH) or disable it (DELETE) first",
            connection=first["id"],
        )


async def insert_connection(
    connection: PooledConnection,
    *,
    id: str,
    merchant: str,
    account: int,
    adapter: str,
    name: str,
    config: Mapping[str, object],
    secrets: bytes | None,
    modes: Mapping[str, str],
    live_from: datetime | None,
    enabled: bool,
) -> None:
    """Write a new connection."""
    await connection.execute(
        "INSERT INTO connection (id, merchant, account_id, adapter, name, config, secrets, modes, live_from, enabled) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id,
        merchant,
        account,
        adapter,
        name,
        encode(config),
        secrets,
        encode(modes),
        live_from,
        enabled,
    )
    if enabled:
        await inherit(connection, id, account)


async def update_connection(connection: PooledConnection, stored: Stored) -> None:
    """Write what may change of a connection; levels that it did not take are tried at once."""
    await connection.execute(
        "UPDATE connection SET name = $2, config = $3, secrets = $4, modes = $5, live_from = $6, enabled = $7, "
        "paused = $8, updated_at = now() WHERE id = $1",
        stored.id,
        stored.name,
        encode(stored.config),
        stored.secrets,
        encode(stored.modes),
        stored.live_from,
        stored.enabled,
        stored.paused,
    )
    if stored.enabled:
        await inherit(connection, stored.id, stored.account_id)
    await try_again(connection, [stored.id])


async def inherit(connection: PooledConnection, id: str, account: int) -> None:
    """What earlier connections of the account were still to be told goes through this one."""
    await connection.execute(
        "WITH left_over AS (UPDATE outbox o SET connection_id = $1 FROM connection c WHERE c.account_id = $2 "
        "AND c.id <> $1 AND NOT c.enabled AND o.connection_id = c.id RETURNING o.id) "
        "UPDATE effect e SET connection_id = $1 FROM left_over WHERE e.id = left_over.id",
        id,
        account,
    )


async def forget_token(connection: PooledConnection, id: str) -> None:
    """Drop the token of other credentials; whoever renews it at this moment keeps it no more."""
    await connection.execute("DELETE FROM connection_token WHERE connection_id = $1", id)


async def declare_capture(connection: PooledConnection, account: int, captured_by: str) -> None:
    """Say who captures an account's payments."""
    await connection.execute("UPDATE account SET captured_by = $2 WHERE id = $1", account, captured_by)


async def plan_pulls(connection: PooledConnection, id: str, plans: Mapping[str, tuple[int, bool]]) -> None:
    """Write schedules: operation -> (seconds between two starts, enabled). What runs keeps its cursor and lease."""
    await connection.execute(
        "INSERT INTO schedule (connection_id, operation, every_seconds, enabled) "
        "SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bool[]) "
        "ON CONFLICT (connection_id, operation) DO UPDATE SET every_seconds = EXCLUDED.every_seconds, "
        "enabled = EXCLUDED.enabled, "
        "next_due_at = least(schedule.next_due_at, now() + make_interval(secs => EXCLUDED.every_seconds))",
        id,
        list(plans),
        [every for every, _ in plans.values()],
        [enabled for _, enabled in plans.values()],
    )


async def pull_now(connection: PooledConnection, id: str, operations: list[str], now: datetime) -> None:
    """Make pulls due."""
    await connection.execute(
        "UPDATE schedule SET next_due_at = $3 WHERE connection_id = $1 AND operation = ANY($2::text[])",
        id,
        operations,
        now,
    )


async def note_health(connection: PooledConnection, id: str, name: str, value: object) -> None:
    """Keep one part of a connection's health."""
    await connection.execute(
        "UPDATE connection SET health = health || jsonb_build_object($2::text, $3::jsonb) WHERE id = $1",
        id,
        name,
        encode(value),
    )


def encode(value: object) -> str:
    """A jsonb parameter."""
    return msgspec.json.encode(value).decode()
