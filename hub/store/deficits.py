"""Shelves that hold less than was promised of them, and the orders that may give way there."""

from collections.abc import Sequence
from typing import Final

from hub.store.database import PooledConnection
from hub.store.troubles import leave

Shelves = Sequence[tuple[int, int]]
"""(item, node), sorted where rows are locked."""

MARK: Final = (
    "INSERT INTO deficit (item_id, node_id, since) SELECT u.item, u.node, now() "
    "FROM unnest($1::bigint[], $2::bigint[]) AS u(item, node) ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)
CLAIM: Final = (
    "DELETE FROM deficit WHERE ctid = ANY(ARRAY(SELECT ctid FROM deficit ORDER BY since, item_id, node_id LIMIT $1 "
    "FOR UPDATE SKIP LOCKED)) RETURNING item_id, node_id"
)
YIELDING: Final = (
    "SELECT DISTINCT r.order_id FROM unnest($1::bigint[], $2::bigint[]) AS u(item, node) CROSS JOIN LATERAL "
    "(SELECT n.order_id FROM unreleased n WHERE n.item_id = u.item AND n.node_id = u.node "
    "ORDER BY n.rank DESC, n.promise DESC, n.order_id DESC LIMIT $3) AS r"
)
# Every shelf of the items, for what gives way at one may be reserved at another: locked now, in everybody's order.
MISSING: Final = (
    "SELECT s.item_id, s.node_id, least(s.pinned, s.pinned - s.sellable) FROM stock s "
    "WHERE s.item_id = ANY($1::bigint[]) ORDER BY s.item_id, s.node_id FOR UPDATE OF s"
)
OF_SHELVES: Final = (
    "SELECT e.id, w.ref FROM exception_waiter w JOIN exception e ON e.id = w.exception_id "
    "WHERE w.what = 'shelf' AND w.ref = ANY($1::text[]) AND e.closed_at IS NULL "
    "ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e"
)


async def mark_deficits(connection: PooledConnection, shelves: Shelves) -> None:
    """Have somebody give way at these shelves."""
    if shelves:
        await connection.execute(MARK, [item for item, _ in shelves], [node for _, node in shelves])


async def claim_deficits(connection: PooledConnection, limit: int) -> list[tuple[int, int]]:
    """Take marks that nobody holds; they are gone when this transaction commits."""
    return sorted((row[0], row[1]) for row in await connection.fetch(CLAIM, limit))


async def yielding(connection: PooledConnection, shelves: Shelves, limit: int) -> list[str]:
    """Orders that may give way at these shelves, the least urgent `limit` of each; not locked."""
    rows = await connection.fetch(YIELDING, [item for item, _ in shelves], [node for _, node in shelves], limit)
    return sorted(row[0] for row in rows)


async def missing(connection: PooledConnection, shelves: Shelves) -> dict[tuple[int, int], int]:
    """Lock shelves; by how many units each holds less than is promised of it, where it does."""
    rows = await connection.fetch(MISSING, sorted({item for item, _ in shelves}))
    return {(item, node): units for item, node, units in rows if units > 0 and (item, node) in shelves}


async def covered(connection: PooledConnection, shelves: Shelves) -> None:
    """All that was promised of these shelves is there: nobody has to be told of them any more."""
    if shelves:
        refs = [f"{item}:{node}" for item, node in shelves]
        await leave(connection, "shelf", await connection.fetch(OF_SHELVES, refs))
