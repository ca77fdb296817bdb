"""Apply stock reports: rows locked in (item, node) order, ledger and balance changed together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hub.flow.ports import StockReport
from hub.flow.writes import LedgerRow
from hub.store.database import PooledConnection

ENSURE: Final = (
    "INSERT INTO stock (item_id, node_id, safety) SELECT u.item, u.node, i.safety "
    "FROM unnest($1::bigint[], $2::bigint[]) AS u(item, node) JOIN item i ON i.id = u.item "
    "ORDER BY u.item, u.node ON CONFLICT DO NOTHING"
)
LOCK: Final = (
    "SELECT s.item_id, s.node_id, s.sellable, s.pinned, s.safety, s.counted_at FROM stock s "
    "JOIN unnest($1::bigint[], $2::bigint[]) AS u(item, node) ON s.item_id = u.item AND s.node_id = u.node "
    "ORDER BY s.item_id, s.node_id FOR UPDATE OF s"
)
# What moved after a snapshot was taken is not in the snapshot: it is added to it. What it tells again is not.
SINCE: Final = (
    "SELECT u.at, coalesce((SELECT sum(l.delta) FROM stock_ledger l WHERE l.item_id = u.item AND l.node_id = u.node "
    "AND l.true_at > u.as_of AND l.condition = 'sellable'), 0), "
    "EXISTS (SELECT 1 FROM stock_ledger l WHERE l.item_id = u.item AND l.node_id = u.node AND l.cause = u.cause) "
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[]) "
    "AS u(at, item, node, as_of, cause)"
)
CHANGE: Final = (
    "UPDATE stock s SET sellable = u.sellable, counted_at = coalesce(u.counted_at, s.counted_at) "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS u(item, node, sellable, counted_at) "
    "WHERE s.item_id = u.item AND s.node_id = u.node"
)


async def apply_reports(
    connection: PooledConnection, merchant: str, reports: Sequence[StockReport], now: datetime
) -> tuple[list[LedgerRow], list[tuple[int, int]]]:
    """Change balances; returns the ledger rows to write, and (item, node) where more is available than before.

    A snapshot older than the last one at its place changes nothing. A change that was applied already, under the same
    cause, changes nothing. Balances may go below what is promised: it is a fact.
    """
    keys = sorted({(report.item, report.node) for report in reports})
    items, nodes = [key[0] for key in keys], [key[1] for key in keys]
    await connection.execute(ENSURE, items, nodes)
    held = {(row[0], row[1]): list(row[2:]) for row in await connection.fetch(LOCK, items, nodes)}
    since = {
        row[0]: (row[1], row[2])
        for row in await connection.fetch(
            SINCE,
            list(range(len(reports))),
            [r.item for r in reports],
            [r.node for r in reports],
            [r.as_of for r in reports],
            [r.cause for r in reports],
        )
    }
    before = {key: values[0] for key, values in held.items()}
    ledger = []
    for position, report in enumerate(reports):
        moved, told = since[position]
        row = _apply(merchant, report, held[report.item, report.node], int(moved), told=told)
        if row is not None:
            ledger.append(row)
    await connection.execute(CHANGE, items, nodes, [held[key][0] for key in keys], [held[key][3] for key in keys])
    return ledger, [key for key in keys if held[key][0] > before[key]]


def _apply(merchant: str, report: StockReport, held: list[object], moved: int, *, told: bool) -> LedgerRow | None:
    """Change `held` (sellable, pinned, safety, counted at) in place; the ledger row, or None when nothing changes."""
    sellable, counted_at = held[0], held[3]
    assert isinstance(sellable, int)
    if report.kind == "delta":
        if told:
            return None
        delta = report.units
    else:
        if isinstance(counted_at, datetime) and report.as_of < counted_at:
            return None
        held[3] = report.as_of
        delta = report.units + moved - sellable
    held[0] = sellable + delta
    if delta == 0:
        return None
    return LedgerRow(merchant, report.node, report.item, delta, report.kind, report.source, report.cause, report.as_of)
