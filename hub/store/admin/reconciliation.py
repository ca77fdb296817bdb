"""Drifts as people see them: the report, the list, and what to do about one."""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from hub.store.admin.errors import Conflict, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class DriftView(msgspec.Struct, frozen=True, kw_only=True):
    """A difference between what somebody says and what we say."""

    id: str
    party: str
    """hub, channel, node, erp."""
    source: str
    """Who says so: a connection's id, the name of a source, hub."""
    sku: str
    node: str | None
    stock_point: int | None
    figure: str
    """What differs: stock, or the name of a counter of ours."""
    theirs: int
    ours: int
    kind: str = msgspec.field(name="class")
    """late, lost, doubled, wrong."""
    because: str
    action: str
    """wait, retell, pull_status, rebuild, taken_over, ask."""
    state: str
    """waiting, repaired, raised, gone, dismissed."""
    count: int
    as_of: datetime
    found_at: datetime
    last_at: datetime
    closed_at: datetime | None


class TallyView(msgspec.Struct, frozen=True, kw_only=True):
    """How many drifts of a sort."""

    party: str
    kind: str = msgspec.field(name="class")
    state: str
    open: int
    closed: int


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One reconciliation."""

    started_at: datetime
    compared: int
    found: int
    repaired: int
    raised: int


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparisons came to."""

    since: datetime
    tallies: list[TallyView]
    runs: list[RunView]
    """The newest twenty."""


SELECT: Final = (
    "SELECT d.*, i.sku, n.code AS node FROM drift d JOIN item i ON i.id = d.item_id "
    "LEFT JOIN node n ON n.id = d.node_id WHERE d.merchant = $1 "
)


async def list_drifts(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    *,
    party: str | None,
    kind: str | None,
    state: str | None,
    sku: str | None,
) -> Page[DriftView]:
    """Drifts, the newest first; `state` is open, closed, or one of a drift's own."""
    (before,) = cut.after(int)
    rows = await connection.fetch(
        SELECT + "AND ($2::bigint IS NULL OR d.id < $2) AND ($3::text IS NULL OR d.party = $3) "
        "AND ($4::text IS NULL OR d.class = $4) AND ($5::text IS NULL OR d.state = $5 "
        "OR $5 = 'open' AND d.closed_at IS NULL OR $5 = 'closed' AND d.closed_at IS NOT NULL) "
        "AND ($6::text IS NULL OR i.sku = $6) ORDER BY d.id DESC LIMIT $7",
        merchant,
        before,
        party,
        kind,
        state,
        sku,
        cut.limit + 1,
    )
    return page([_view(row) for row in rows], cut, lambda row: (int(row.id),))


async def get_drift(connection: PooledConnection, merchant: str, id: str, *, lock: bool = False) -> asyncpg.Record:
    """One drift's row; raises `Missing`."""
    if not (id.isascii() and id.isdigit()) or len(id) > 18:
        raise Missing(f"no drift {id!r}")
    row = await connection.fetchrow(SELECT + "AND d.id = $2" + (" FOR UPDATE OF d" if lock else ""), merchant, int(id))
    if row is None:
        raise Missing(f"no drift {id}")
    return row


async def read_drift(connection: PooledConnection, merchant: str, id: str) -> DriftView:
    """One drift; raises `Missing`."""
    return _view(await get_drift(connection, merchant, id))


async def open_drift(connection: PooledConnection, merchant: str, id: str) -> asyncpg.Record:
    """Lock a drift that is still open; raises `Missing`, `Conflict`."""
    row = await get_drift(connection, merchant, id, lock=True)
    if row["closed_at"] is not None:
        raise Conflict("drift-closed", f"The drift is {row['state']} since {row['closed_at'].isoformat()}")
    return row


async def report(connection: PooledConnection, merchant: str, since: datetime) -> ReportView:
    """Drifts found since a moment, by party, class and state; and the newest runs."""
    tallies = await connection.fetch(
        "SELECT party, class, state, count(*) FILTER (WHERE closed_at IS NULL) AS open, "
        "count(*) FILTER (WHERE closed_at IS NOT NULL) AS closed FROM drift WHERE merchant = $1 AND last_at >= $2 "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        merchant,
        since,
    )
    runs = await connection.fetch(
        "SELECT started_at, compared, found, repaired, raised FROM reconciliation ORDER BY id DESC LIMIT 20"
    )
    return ReportView(
        since=since,
        tallies=[
            TallyView(party=r["party"], kind=r["class"], state=r["state"], open=r["open"], closed=r["closed"])
            for r in tallies
        ],
        runs=[RunView(**row) for row in runs],
    )


def _view(row: asyncpg.Record) -> DriftView:
    return DriftView(
        id=str(row["id"]),
        party=row["party"],
        source=row["source"],
        sku=row["sku"],
        node=row["node"],
        stock_point=row["stock_point_id"] or None,
        figure=row["figure"],
        theirs=row["theirs"],
        ours=row["ours"],
        kind=row["class"],
        because=row["because"],
        action=row["action"],
        state=row["state"],
        count=row["count"],
        as_of=row["as_of"],
        found_at=row["found_at"],
        last_at=row["last_at"],
        closed_at=row["closed_at"],
    )
