"""What a person must know of, one row per cause, and trying again what waits for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg
import msgspec

from hub.flow.hold import NEXT_STEPS
from hub.store import inbox, outbox
from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection
from hub.store.replay import replay


class ExceptionView(msgspec.Struct, frozen=True, kw_only=True):
    """An exception: one cause, however many orders it stops."""

    id: str
    kind: str
    cause: str
    next_step: str
    state: Literal["open", "closed"]
    order: str | None
    """The first order it concerned."""
    connection: str | None
    external_id: str | None
    count: int
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    waiting: int
    """Messages, effects and orders that are tried again when it closes."""


SELECT: Final = (
    "SELECT e.*, (SELECT count(*) FROM exception_waiter w WHERE w.exception_id = e.id) AS waiting FROM exception e "
    "WHERE e.merchant = $1 "
)


async def list_exceptions(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    *,
    kind: str | None,
    state: str | None,
    link: str | None,
    order: str | None,
) -> Page[ExceptionView]:
    """Exceptions, the newest first."""
    (before,) = cut.after(int)
    rows = await connection.fetch(
        SELECT + "AND ($2::bigint IS NULL OR e.id < $2) AND ($3::text IS NULL OR e.kind = $3) "
        "AND ($4::text IS NULL OR (e.closed_at IS NULL) = ($4 = 'open')) "
        "AND ($5::text IS NULL OR e.connection_id = $5) AND ($6::text IS NULL OR e.order_id = $6 OR EXISTS (SELECT 1 "
        "FROM exception_waiter w WHERE w.exception_id = e.id AND w.what = 'order' AND w.ref = $6)) "
        "ORDER BY e.id DESC LIMIT $7",
        merchant,
        before,
        kind,
        state,
        link,
        order,
        cut.limit + 1,
    )
    return page([_view(row) for row in rows], cut, lambda found: (int(found.id),))


async def of_orders(connection: PooledConnection, orders: Sequence[str]) -> dict[str, list[ExceptionView]]:
    """Exceptions by order, of those that name it or that it waits for."""
    rows = await connection.fetch(
        "SELECT u.id AS of_order, e.*, 0 AS waiting FROM unnest($1::text[]) AS u(id) JOIN exception e "
        "ON e.order_id = u.id OR e.id IN (SELECT w.exception_id FROM exception_waiter w "
        "WHERE w.what = 'order' AND w.ref = u.id) ORDER BY e.id",
        list(orders),
    )
    found: dict[str, list[ExceptionView]] = {order: [] for order in orders}
    for row in rows:
        found[row["of_order"]].append(_view(row))
    return found


async def get_exception(connection: PooledConnection, merchant: str, id: str) -> ExceptionView:
    """One exception; raises `Missing`."""
    row = await connection.fetchrow(SELECT + "AND e.id = $2", merchant, _number(id))
    if row is None:
        raise Missing(f"no exception {id}")
    return _view(row)


async def close(
    connection: PooledConnection, merchant: str, id: str, *, who: str, now: datetime, retry: bool
) -> ExceptionView:
    """Close an exception; with `retry`, what waits for it goes on, and opens it anew if nothing was mended."""
    found = await get_exception(connection, merchant, id)
    if found.state == "closed":
        raise Conflict("already-closed", f"The exception was closed by {found.closed_by} at {found.closed_at}")
    await close_all(connection, [int(found.id)], who=who, now=now)
    if retry:
        await retry_all(connection, {int(found.id): found.kind}, now)
    return await get_exception(connection, merchant, id)


async def close_all(connection: PooledConnection, ids: Sequence[int], *, who: str, now: datetime) -> None:
    """Close exceptions."""
    await connection.execute(
        "UPDATE exception SET closed_at = $2, closed_by = $3 WHERE id = ANY($1::bigint[]) AND closed_at IS NULL",
        list(ids),
        now,
        who,
    )


async def retry_all(connection: PooledConnection, kinds: dict[int, str], now: datetime) -> None:
    """Try again what waits for these exceptions: id -> kind."""
    waiters = await connection.fetch(
        "SELECT exception_id, what, ref FROM exception_waiter WHERE exception_id = ANY($1::bigint[])", list(kinds)
    )
    messages = [int(row["ref"]) for row in waiters if row["what"] == "message"]
    effects = [int(row["ref"]) for row in waiters if row["what"] == "effect"]
    orders = sorted({row["ref"] for row in waiters if row["what"] == "order"})
    asked = sorted(
        {row["ref"] for row in waiters if row["what"] == "order" and _asks_again(kinds[row["exception_id"]])}
    )
    if messages:
        await inbox.unpark(connection, messages)
    if effects:
        await outbox.unpark(connection, effects)
    await connection.execute("UPDATE waiting SET due_at = $2 WHERE order_id = ANY($1::text[])", orders, now)
    await read_again(connection, asked)


def _asks_again(kind: str) -> bool:
    """Whether a snapshot raised it: then the stored snapshot is read again, under today's mapping."""
    return kind in NEXT_STEPS or kind.startswith("unmapped_")


async def read_again(connection: PooledConnection, orders: Sequence[str]) -> None:
    """Queue the message behind each order's newest revision again."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (order_id) order_id, message_id FROM order_revision WHERE order_id = ANY($1::text[]) "
        "ORDER BY order_id, no DESC",
        list(orders),
    )
    for row in rows:
        if row["message_id"] is not None:
            await replay(connection, row["message_id"])


async def open_of_connection(connection: PooledConnection, merchant: str, link: str) -> list[asyncpg.Record]:
    """Open exceptions of a connection: id, kind, cause."""
    rows: list[Any] = await connection.fetch(
        "SELECT id, kind, cause FROM exception WHERE merchant = $1 AND closed_at IS NULL "
        "AND (connection_id = $2 OR cause LIKE $2 || ':%')",
        merchant,
        link,
    )
    return rows


def _number(id: str) -> int:
    if not (id.isascii() and id.isdigit()) or len(id) > 18:
        raise Missing(f"no exception {id!r}")
    return int(id)


def _view(row: asyncpg.Record) -> ExceptionView:
    return ExceptionView(
        id=str(row["id"]),
        kind=row["kind"],
        cause=row["cause"],
        next_step=row["next_step"],
        state="open" if row["closed_at"] is None else "closed",
        order=row["order_id"],
        connection=row["connection_id"],
        external_id=row["external_id"],
        count=row["count"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        waiting=row["waiting"],
    )
