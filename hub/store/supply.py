"""Rows of expected supply: read, promised and received; locked by their ids, after stock."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from hub.flow.ledger_ports import SupplyRow
from hub.flow.ports import LostRace
from hub.flow.stock_ports import AllowedDay
from hub.stock.supply import Expected
from hub.store.database import PooledConnection

OF_ITEMS: Final = (
    "SELECT id, reference, node_id, item_id, quantity, confidence, due, promised FROM supply "
    "WHERE item_id = ANY($1::bigint[]) ORDER BY id"
)
LOCK: Final = (
    "SELECT id, quantity::bigint * confidence / 100 - promised FROM supply WHERE id = ANY($1::bigint[]) "
    "ORDER BY id FOR UPDATE"
)
PROMISE: Final = (
    "UPDATE supply s SET promised = s.promised + u.units FROM unnest($1::bigint[], $2::bigint[]) AS u(id, units) "
    "WHERE s.id = u.id"
)
LOCK_RECEIVED: Final = (
    "SELECT s.id FROM supply s JOIN unnest($2::text[], $3::bigint[], $4::bigint[]) AS u(reference, node, item) "
    "ON s.reference = u.reference AND s.node_id = u.node AND s.item_id = u.item WHERE s.merchant = $1 "
    "ORDER BY s.id FOR UPDATE OF s"
)
RECEIVE: Final = (
    "UPDATE supply s SET quantity = greatest(0, s.quantity - u.units) FROM (SELECT reference, node, item, sum(units) "
    "AS units FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS r(reference, node, item, units) "
    "GROUP BY 1, 2, 3) AS u "
    "WHERE s.merchant = $1 AND s.reference = u.reference AND s.node_id = u.node AND s.item_id = u.item"
)
ALLOWED: Final = (
    "SELECT item_id, account_id, kind, ships_on FROM allowance WHERE item_id = ANY($1::bigint[]) AND ships_on >= $2 "
    "ORDER BY 1, 2, 4"
)
# The most urgent, who are served first, and the least urgent who hold a promise, who give way first.
LINE: Final = (
    "(SELECT order_id FROM waiting WHERE merchant = $1 AND cause = ANY($2::text[]) "
    "ORDER BY rank, promise, order_id LIMIT $3) UNION "
    "(SELECT order_id FROM waiting WHERE merchant = $1 AND cause = ANY($2::text[]) AND queue = 'backordered' "
    "ORDER BY rank DESC, promise DESC, order_id DESC LIMIT $3) ORDER BY order_id"
)
OPENED: Final = (
    "SELECT i.merchant, i.id FROM item i WHERE i.id = ANY(ARRAY(SELECT DISTINCT split_part(cause, ':', 2)::bigint "
    "FROM waiting WHERE queue = 'preorder')) "
    "AND coalesce((i.document ->> 'available_from')::date <= $1, true) ORDER BY 1, 2"
)


async def supply_of(connection: PooledConnection, items: Iterable[int], *, lock: bool) -> list[Expected]:
    """What is expected of items. With `lock` every row is locked first, in order."""
    sql = OF_ITEMS + " FOR UPDATE" if lock else OF_ITEMS
    return [Expected(*row) for row in await connection.fetch(sql, sorted(items))]


async def promise_supply(connection: PooledConnection, changes: Sequence[tuple[int, int, int]]) -> None:
    """Change what is promised: (supply, item, units). Raises `LostRace` when more would be than is expected."""
    if not changes:
        return
    ids, units = [row[0] for row in changes], [row[2] for row in changes]
    free = {row[0]: row[1] for row in await connection.fetch(LOCK, ids)}
    for id, item, wanted in changes:
        if wanted > 0 and wanted > free.get(id, 0):
            raise LostRace(f"item {item}, supply {id}: {wanted} wanted, {free.get(id, 0)} free")
    await connection.execute(PROMISE, ids, units)


async def receive_supply(
    connection: PooledConnection, merchant: str, received: Sequence[tuple[str, int, int, int]]
) -> None:
    """Goods came in: (reference, node, item, units). So much less is expected; nothing is expected below zero."""
    columns = [list(column) for column in zip(*received, strict=True)]
    if columns:
        await connection.execute(LOCK_RECEIVED, merchant, *columns[:3])
        await connection.execute(RECEIVE, merchant, *columns)
        await connection.execute("DELETE FROM supply WHERE merchant = $1 AND quantity = 0", merchant)


OF_REFERENCES: Final = (
    "SELECT DISTINCT item_id FROM supply WHERE merchant = $1 AND reference = ANY($2::text[]) ORDER BY 1"
)
CALLED_OFF: Final = (
    "DELETE FROM supply s WHERE s.merchant = $1 AND s.reference = ANY($2::text[]) AND NOT EXISTS (SELECT 1 FROM "
    "unnest($3::text[], $4::bigint[], $5::bigint[]) AS u(reference, node, item) WHERE u.reference = s.reference "
    "AND u.node = s.node_id AND u.item = s.item_id)"
)
# What somebody said of how sure it is stays so.
EXPECT: Final = (
    "INSERT INTO supply (merchant, reference, node_id, item_id, quantity, due, confidence) "
    "SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::date[], $7::smallint[]) "
    "AS u(reference, node, item, quantity, due, confidence) ORDER BY u.reference, u.node, u.item "
    "ON CONFLICT (merchant, reference, node_id, item_id) DO UPDATE SET quantity = EXCLUDED.quantity, due = EXCLUDED.due"
)
MARK: Final = "INSERT INTO dirty (item_id) SELECT unnest($1::bigint[])"


async def items_of_supply(connection: PooledConnection, merchant: str, references: Sequence[str]) -> list[int]:
    """Items that are expected under these references."""
    return [row[0] for row in await connection.fetch(OF_REFERENCES, merchant, list(references))]


async def replace_supply(connection: PooledConnection, merchant: str, told: Mapping[str, Sequence[SupplyRow]]) -> None:
    """Write what is expected by reference, whole: what a reference does not name any more is called off."""
    rows = [row for reference in sorted(told) for row in told[reference]]
    before = await items_of_supply(connection, merchant, sorted(told))
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], [], [], []]
    await connection.execute(CALLED_OFF, merchant, sorted(told), *columns[:3])
    if rows:
        await connection.execute(EXPECT, merchant, *columns)
    await connection.execute(MARK, sorted({*before, *(row[2] for row in rows)}))


async def allowed_days(connection: PooledConnection, items: Iterable[int], today: date) -> list[AllowedDay]:
    """Days from which allowances ship."""
    return [AllowedDay(*row) for row in await connection.fetch(ALLOWED, sorted(items), today)]


async def in_line(connection: PooledConnection, merchant: str, causes: Iterable[str], limit: int) -> list[str]:
    """Orders that wait for these causes; not locked."""
    return [row[0] for row in await connection.fetch(LINE, merchant, list(causes), limit)]


async def opened_items(connection: PooledConnection, now: datetime) -> list[tuple[str, int]]:
    """(merchant, item) of pre-ordered items whose day has come."""
    return [(row[0], row[1]) for row in await connection.fetch(OPENED, now.date())]
