"""Ledgers and the hub, day by day, as people see them: the tally, and each difference."""

from datetime import date, datetime
from typing import Final

import asyncpg
import msgspec

from hub.store.admin.errors import Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class BookTally(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of document of one day in one currency, on both sides. Amounts in minor units."""

    connection: str
    day: date
    kind: str
    """invoice, credit_note, entry."""
    currency: str
    ours: int
    """How many we posted."""
    ours_amount: int
    theirs: int
    """How many the ledger holds of ours."""
    theirs_amount: int
    read_at: datetime | None
    """When the ledger was last asked for that day; None: not yet."""


class BookDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A document on which a ledger and the hub differ."""

    id: str
    connection: str
    kind: str
    number: str
    """The ledger's own."""
    drift: str = msgspec.field(name="class")
    """missing_there, missing_here, doubled, amount_wrong."""
    ours: int | None
    theirs: int | None
    currency: str
    day: date
    state: str
    """raised, posted_again, repaired, gone, dismissed."""
    count: int
    found_at: datetime
    last_at: datetime
    closed_at: datetime | None


TALLY: Final = (
    "WITH ours AS (SELECT p.connection_id, p.dated, CASE WHEN p.kind IN ('invoice', 'credit_note') THEN p.kind ELSE "
    "'entry' END AS kind, p.currency, count(*) AS n, sum(p.amount)::bigint AS amount FROM posting p "
    "JOIN connection c ON c.id = p.connection_id WHERE c.merchant = $1 AND p.dated >= $2 "
    "AND p.kind NOT IN ('order', 'delivery') GROUP BY 1, 2, 3, 4), "
    "theirs AS (SELECT l.connection_id, l.dated, l.kind, l.currency, count(*) AS n, sum(l.amount)::bigint AS amount "
    "FROM ledger_document l JOIN connection c ON c.id = l.connection_id WHERE c.merchant = $1 AND l.dated >= $2 "
    "GROUP BY 1, 2, 3, 4) "
    "SELECT connection_id AS connection, dated AS day, kind, currency, coalesce(o.n, 0) AS ours, "
    "coalesce(o.amount, 0) AS ours_amount, coalesce(t.n, 0) AS theirs, coalesce(t.amount, 0) AS theirs_amount, "
    "d.read_at FROM ours o FULL JOIN theirs t USING (connection_id, dated, kind, currency) "
    "LEFT JOIN ledger_day d USING (connection_id, dated) ORDER BY dated DESC, connection_id, kind, currency LIMIT 5000"
)
SELECT: Final = (
    "SELECT id, connection_id AS connection, kind, number, key, class, ours, theirs, currency, dated AS day, state, "
    "count, found_at, last_at, closed_at FROM book_drift WHERE merchant = $1 "
)


async def tally(connection: PooledConnection, merchant: str, since: date) -> list[BookTally]:
    """Counts and amounts of both sides since a day, the newest first."""
    return [BookTally(**row) for row in await connection.fetch(TALLY, merchant, since)]


async def list_differences(
    connection: PooledConnection, merchant: str, cut: Cut, *, state: str | None, kind: str | None
) -> Page[BookDifference]:
    """Differences, the newest first; `state` is open, closed, or one of a difference's own."""
    (before,) = cut.after(int)
    rows = await connection.fetch(
        SELECT + "AND ($2::bigint IS NULL OR id < $2) AND ($3::text IS NULL OR state = $3 OR $3 = 'open' AND closed_at "
        "IS NULL OR $3 = 'closed' AND closed_at IS NOT NULL) AND ($4::text IS NULL OR class = $4) "
        "ORDER BY id DESC LIMIT $5",
        merchant,
        before,
        state,
        kind,
        cut.limit + 1,
    )
    return page([view(row) for row in rows], cut, lambda row: (int(row.id),))


async def difference(connection: PooledConnection, merchant: str, id: str, *, lock: bool = False) -> asyncpg.Record:
    """One difference's row; raises `Missing`."""
    if not (id.isascii() and id.isdigit()) or len(id) > 18:
        raise Missing(f"no difference {id!r}")
    row = await connection.fetchrow(SELECT + "AND id = $2" + (" FOR UPDATE" if lock else ""), merchant, int(id))
    if row is None:
        raise Missing(f"no difference {id!r}")
    return row


def view(row: asyncpg.Record) -> BookDifference:
    """A difference as the API shows it."""
    return BookDifference(
        id=str(row["id"]),
        connection=row["connection"],
        kind=row["kind"],
        number=row["number"],
        drift=row["class"],
        ours=row["ours"],
        theirs=row["theirs"],
        currency=row["currency"],
        day=row["day"],
        state=row["state"],
        count=row["count"],
        found_at=row["found_at"],
        last_at=row["last_at"],
        closed_at=row["closed_at"],
    )
