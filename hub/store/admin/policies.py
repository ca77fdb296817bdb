"""Policies: immutable versions, one active per kind."""

from datetime import datetime
from typing import Final, Literal

import asyncpg
import msgspec

from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection

State = Literal["draft", "active", "retired"]


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a policy. Its text never changes."""

    id: str
    kind: str
    version: str
    text: str
    state: State
    author: str
    created_at: datetime


SELECT: Final = "SELECT * FROM policy WHERE merchant = $1 "


async def list_policies(
    connection: PooledConnection, merchant: str, cut: Cut, *, kind: str | None, state: str | None
) -> Page[PolicyView]:
    """Versions, the newest first."""
    (before,) = cut.after(int)
    rows = await connection.fetch(
        SELECT + "AND ($2::bigint IS NULL OR id < $2) AND ($3::text IS NULL OR kind = $3) "
        "AND ($4::text IS NULL OR state = $4) ORDER BY id DESC LIMIT $5",
        merchant,
        before,
        kind,
        state,
        cut.limit + 1,
    )
    return page([_view(row) for row in rows], cut, lambda policy: (int(policy.id),))


async def get_policy(connection: PooledConnection, merchant: str, id: str) -> PolicyView:
    """One version; raises `Missing`."""
    row = await connection.fetchrow(SELECT + "AND id = $2", merchant, _number(id))
    if row is None:
        raise Missing(f"no policy {id}")
    return _view(row)


async def add_policy(
    connection: PooledConnection, merchant: str, *, kind: str, version: str, text: str, author: str
) -> PolicyView:
    """Keep a new version. Raises `Conflict` when the version exists: versions are immutable."""
    id = await connection.fetchval(
        "INSERT INTO policy (merchant, kind, version, text, author) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT DO NOTHING RETURNING id",
        merchant,
        kind,
        version,
        text,
        author,
    )
    if id is None:
        raise Conflict(
            "version-exists", f"There is a {kind} policy {version!r} already; a version never changes, name a new one"
        )
    return await get_policy(connection, merchant, str(id))


async def activate(connection: PooledConnection, merchant: str, id: str) -> PolicyView:
    """Make a version the active one of its kind; the one before is retired. Raises `Missing`."""
    policy = await get_policy(connection, merchant, id)
    # Serialises two activations of one kind.
    await connection.execute(
        "SELECT 1 FROM policy WHERE merchant = $1 AND kind = $2 ORDER BY id FOR UPDATE", merchant, policy.kind
    )
    await connection.execute(
        "UPDATE policy SET state = 'retired' WHERE merchant = $1 AND kind = $2 AND state = 'active' AND id <> $3",
        merchant,
        policy.kind,
        int(policy.id),
    )
    await connection.execute("UPDATE policy SET state = 'active' WHERE id = $1", int(policy.id))
    return await get_policy(connection, merchant, id)


def _number(id: str) -> int:
    if not (id.isascii() and id.isdigit()) or len(id) > 18:
        raise Missing(f"no policy {id!r}")
    return int(id)


def _view(row: asyncpg.Record) -> PolicyView:
    return PolicyView(
        id=str(row["id"]),
        kind=row["kind"],
        version=row["version"],
        text=row["text"],
        state=row["state"],
        author=row["author"],
        created_at=row["created_at"],
    )
