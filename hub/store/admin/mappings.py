"""Overlays and code tables of connections: every save is a new version."""

from datetime import datetime
from typing import Final

import msgspec

from hub.store.database import PooledConnection


class OverlayView(msgspec.Struct, frozen=True, kw_only=True):
    """A connection's overlay on the shipped mapping. Version 0 is none."""

    version: int
    text: str
    """TOML: `[set]` with CEL expressions, `[tables.<name>]`."""
    author: str | None
    created_at: datetime | None


class TableView(msgspec.Struct, frozen=True, kw_only=True):
    """A code table of a connection, over the shipped one. Version 0 is none."""

    name: str
    version: int
    entries: dict[str, str]
    """The vendor's word -> the canonical word."""
    author: str | None
    created_at: datetime | None


LATEST_TABLES: Final = (
    "SELECT DISTINCT ON (name) * FROM code_table WHERE connection_id = $1 AND ($2::text IS NULL OR name = $2) "
    "ORDER BY name, version DESC"
)


async def get_overlay(connection: PooledConnection, link: str) -> OverlayView:
    """The newest version."""
    row = await connection.fetchrow(
        "SELECT * FROM overlay WHERE connection_id = $1 ORDER BY version DESC LIMIT 1", link
    )
    if row is None:
        return OverlayView(version=0, text="", author=None, created_at=None)
    return OverlayView(version=row["version"], text=row["text"], author=row["author"], created_at=row["created_at"])


async def put_overlay(connection: PooledConnection, link: str, text: str, author: str) -> OverlayView:
    """Keep a new version. The caller holds the connection's row: versions count up without a gap."""
    await connection.execute(
        "INSERT INTO overlay (connection_id, version, text, author) SELECT $1, coalesce(max(version), 0) + 1, $2, $3 "
        "FROM overlay WHERE connection_id = $1",
        link,
        text,
        author,
    )
    return await get_overlay(connection, link)


async def get_tables(connection: PooledConnection, link: str, name: str | None = None) -> list[TableView]:
    """The newest version of every table, or of one."""
    return [
        TableView(
            name=row["name"],
            version=row["version"],
            entries=msgspec.json.decode(row["entries"], type=dict[str, str]),
            author=row["author"],
            created_at=row["created_at"],
        )
        for row in await connection.fetch(LATEST_TABLES, link, name)
    ]


async def put_table(
    connection: PooledConnection, link: str, name: str, entries: dict[str, str], author: str
) -> TableView:
    """Keep a new version. The caller holds the connection's row."""
    await connection.execute(
        "INSERT INTO code_table (connection_id, name, version, entries, author) "
        "SELECT $1, $2, coalesce(max(version), 0) + 1, $3::jsonb, $4 FROM code_table "
        "WHERE connection_id = $1 AND name = $2",
        link,
        name,
        msgspec.json.encode(entries).decode(),
        author,
    )
    return (await get_tables(connection, link, name))[0]
