"""Stock adjustments for the books: rows of the ledger, gathered into one document per node and day.

What leaves with a sale or arrives with a receipt is not among them: the books know it by its own document. Nor is what
happens on shelves of which a connection tells levels: their master keeps the count, and the ledger may be that master.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

import msgspec

from hub.domain.effects import PostStock
from hub.flow.ports import Claimed
from hub.sdk.posting import AdjustedLine
from hub.store.database import PooledConnection
from hub.store.flush import EFFECTS, write

RECEIPT: Final = ":receipt"
"""How the cause of a change ends that receives expected supply."""

LIVE: Final = "SELECT id FROM connection WHERE modes->>'post_stock' = 'live'"
FORGET: Final = f"DELETE FROM stock_posting_start WHERE connection_id NOT IN ({LIVE})"
BEGIN: Final = (
    "INSERT INTO stock_posting_start (connection_id, ledger_id) "
    f"SELECT c.id, (SELECT coalesce(max(l.id), 0) FROM stock_ledger l) FROM ({LIVE}) c ON CONFLICT DO NOTHING"
)
# A row may be seen later than rows with higher numbers: its own mark decides, and the start follows far behind.
GO_ON: Final = (
    "UPDATE stock_posting_start s SET ledger_id = p.last FROM (SELECT connection_id, max(ledger_id) AS last "
    "FROM stock_posting WHERE planned_at < $1 GROUP BY connection_id) p "
    "WHERE p.connection_id = s.connection_id AND p.last > s.ledger_id"
)
BEHIND: Final = timedelta(days=3)

REASON: Final = "CASE l.reason WHEN 'delta' THEN 'adjustment' WHEN 'return' THEN 'scrap' ELSE l.reason END"
"""Goods that come back enter quarantine, which is a receipt; what grading takes out and puts nowhere is scrapped."""

DUE: Final = (
    f"SELECT c.id AS connection_id, c.merchant, l.id, l.node_id, l.item_id, {REASON} AS reason, l.delta, "
    "(l.true_at AT TIME ZONE 'UTC')::date AS day FROM stock_posting_start s JOIN connection c ON c.id = "
    "s.connection_id AND c.enabled JOIN stock_ledger l ON l.id > s.ledger_id AND l.merchant = c.merchant "
    "AND l.reason IN ('count', 'delta', 'short', 'lost', 'correction', 'return') WHERE l.learned_at < $1 "
    f"AND (l.reason <> 'delta' OR (l.cause LIKE 'api:%' AND l.cause NOT LIKE '%{RECEIPT}')) "
    "AND NOT (l.reason = 'return' AND l.condition = 'quarantine' AND l.delta > 0) "
    "AND NOT EXISTS (SELECT 1 FROM stock_posting p WHERE p.connection_id = c.id AND p.ledger_id = l.id) "
    "AND NOT EXISTS (SELECT 1 FROM node_binding b WHERE b.node_id = l.node_id AND b.connection_id = c.id) "
    "AND NOT EXISTS (SELECT 1 FROM stock_ledger m JOIN connection k ON k.id = m.source WHERE m.item_id = l.item_id "
    "AND m.node_id = l.node_id AND m.reason = 'snapshot') ORDER BY l.id"
)
# Looked up where nothing is forgotten, too: a number that is given twice would be a document that nobody sends.
# Keys read stock-{node}-{yyyy}-{mm}-{dd}-{number}; "." follows "-".
EARLIER: Final = (
    "SELECT coalesce(max(split_part(k.key, '-', 6)::int), 0) FROM (SELECT key FROM effect WHERE connection_id = $1 "
    "AND key >= $2::text || '-' AND key < $2::text || '.' UNION ALL SELECT key FROM stock_posting "
    "WHERE connection_id = $1 AND key >= $2::text || '-' AND key < $2::text || '.') k"
)
MARK: Final = (
    "INSERT INTO stock_posting (connection_id, ledger_id, key, planned_at) "
    "SELECT $1, u.id, $3, $4 FROM unnest($2::bigint[]) AS u(id)"
)
LINES: Final = (
    f"SELECT p.connection_id, p.key, i.sku, {REASON} AS reason, sum(l.delta)::bigint AS units "
    "FROM unnest($1::text[], $2::text[]) AS u(connection, key) "
    "JOIN stock_posting p ON p.connection_id = u.connection AND p.key = u.key "
    "JOIN stock_ledger l ON l.id = p.ledger_id JOIN item i ON i.id = l.item_id "
    "GROUP BY 1, 2, 3, 4 HAVING sum(l.delta) <> 0 ORDER BY 1, 2, 3, 4"
)


class _Batch(NamedTuple):
    """What one document is about."""

    connection: str
    merchant: str
    node: int
    day: date


async def plan_stock_postings(connection: PooledConnection, now: datetime) -> int:
    """Plan the documents of days that are over, in UTC; returns how many.

    Ledger rows are marked with the document in the same transaction, so none is told twice. Rows of a day that was
    told before make another document of that day. Only one process may run this at a time.
    """
    await connection.execute(FORGET)
    await connection.execute(BEGIN)
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    batches: dict[_Batch, list[tuple[int, int, str, int]]] = {}
    for row in await connection.fetch(DUE, midnight):
        batch = _Batch(row["connection_id"], row["merchant"], row["node_id"], row["day"])
        batches.setdefault(batch, []).append((row["id"], row["item_id"], row["reason"], row["delta"]))
    planned = [await _plan(connection, batch, rows, now) for batch, rows in batches.items()]
    await connection.execute(GO_ON, now - BEHIND)
    return sum(planned)


async def _plan(
    connection: PooledConnection, batch: _Batch, rows: Sequence[tuple[int, int, str, int]], now: datetime
) -> bool:
    subject = f"stock-{batch.node}-{batch.day.isoformat()}"
    earlier: int = await connection.fetchval(EARLIER, batch.connection, subject)
    key = f"{subject}-{earlier + 1}"
    await connection.execute(MARK, batch.connection, [row[0] for row in rows], key, now)
    sums: dict[tuple[int, str], int] = {}
    for _, item, reason, units in rows:
        sums[item, reason] = sums.get((item, reason), 0) + units
    if not any(sums.values()):
        return False
    effect = PostStock(node=batch.node, day=batch.day)
    document = msgspec.json.encode(effect).decode()
    made = (batch.merchant, batch.connection, subject, key, type(effect).__name__, None, document)
    await write(connection, EFFECTS, [made])
    return True


async def lines(connection: PooledConnection, claimed: Sequence[Claimed]) -> dict[str, tuple[AdjustedLine, ...]]:
    """What the claimed documents of one connection tell of, by key."""
    asked = [one for one in claimed if isinstance(one.effect, PostStock)]
    found: dict[str, tuple[AdjustedLine, ...]] = {}
    if asked:
        told = await connection.fetch(LINES, [one.connection for one in asked], [one.key for one in asked])
        for row in told:
            line = AdjustedLine(sku=row["sku"], quantity=row["units"], reason=row["reason"])
            found[row["key"]] = (*found.get(row["key"], ()), line)
    return found
