"""Balances, expected supply, and who reports them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from hub.sdk.adapter import Subtracts
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """Stock of an item at a node, in base units."""

    node: str
    sku: str
    on_hand: int
    """Sellable units on the shelf, promised ones included."""
    reserved: int
    safety: int
    available: int
    """on_hand - reserved - safety; below zero when more is promised than is there."""
    damaged: int
    quarantine: int
    counted_at: datetime | None
    """As of when the last snapshot or count was true."""


class SupplyView(msgspec.Struct, frozen=True, kw_only=True):
    """Stock that is expected."""

    reference: str
    node: str
    sku: str
    quantity: int
    due: date
    confidence: int
    """Per cent."""


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A declared source of figures."""

    source: str
    kinds: list[str]
    subtracts: Subtracts
    """What its levels have taken off already."""
    largest_drop: int
    """Percent of what a node has that a complete snapshot may leave out and be believed."""


BALANCES: Final = (
    "SELECT n.code AS node, i.sku, s.sellable AS on_hand, s.pinned AS reserved, s.safety, "
    "s.sellable - s.pinned - s.safety AS available, s.damaged, s.quarantine, s.counted_at "
    "FROM stock s JOIN item i ON i.id = s.item_id JOIN node n ON n.id = s.node_id WHERE i.merchant = $1 "
)


async def list_balances(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None, node: str | None
) -> Page[BalanceView]:
    """Balances by SKU and node."""
    at_sku, at_node = cut.after(str, str)
    rows = await connection.fetch(
        BALANCES + "AND ($2::text IS NULL OR i.sku = $2) AND ($3::text IS NULL OR n.code = $3) "
        "AND ($4::text IS NULL OR (i.sku, n.code) > ($4, $5)) ORDER BY i.sku, n.code LIMIT $6",
        merchant,
        sku,
        node,
        at_sku,
        at_node,
        cut.limit + 1,
    )
    return page([BalanceView(**row) for row in rows], cut, lambda row: (row.sku, row.node))


async def read_balances(
    connection: PooledConnection, merchant: str, pairs: Sequence[tuple[int, int]]
) -> list[BalanceView]:
    """Balances of (item, node)."""
    rows = await connection.fetch(
        BALANCES
        + "AND (s.item_id, s.node_id) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[])) ORDER BY i.sku, n.code",
        merchant,
        [item for item, _ in pairs],
        [node for _, node in pairs],
    )
    return [BalanceView(**row) for row in rows]


async def put_safety(connection: PooledConnection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Keep units back: (item, node, units). The rows exist and are locked by whoever calls."""
    if rows:
        await connection.execute(
            "UPDATE stock s SET safety = u.safety FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) "
            "AS u(item, node, safety) WHERE s.item_id = u.item AND s.node_id = u.node",
            *map(list, zip(*rows, strict=True)),
        )


async def list_supply(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None, node: str | None
) -> Page[SupplyView]:
    """Expected supply by due date."""
    due, reference, at_node, at_sku = cut.after(date, str, str, str)
    rows = await connection.fetch(
        "SELECT u.reference, n.code AS node, i.sku, u.quantity, u.due, u.confidence FROM supply u "
        "JOIN node n ON n.id = u.node_id JOIN item i ON i.id = u.item_id WHERE u.merchant = $1 "
        "AND ($2::text IS NULL OR i.sku = $2) AND ($3::text IS NULL OR n.code = $3) "
        "AND ($4::date IS NULL OR (u.due, u.reference, n.code, i.sku) > ($4, $5, $6, $7)) "
        "ORDER BY u.due, u.reference, n.code, i.sku LIMIT $8",
        merchant,
        sku,
        node,
        due,
        reference,
        at_node,
        at_sku,
        cut.limit + 1,
    )
    views = [SupplyView(**row) for row in rows]
    return page(views, cut, lambda row: (row.due.isoformat(), row.reference, row.node, row.sku))


async def put_supply(
    connection: PooledConnection, merchant: str, rows: Sequence[tuple[str, int, int, int, date, int]]
) -> None:
    """Write expected supply: (reference, node, item, quantity, due, confidence); a quantity of 0 takes it away."""
    gone = [row[:3] for row in rows if row[3] == 0]
    kept = [row for row in rows if row[3] > 0]
    if gone:
        await connection.execute(
            "DELETE FROM supply s USING unnest($2::text[], $3::bigint[], $4::bigint[]) AS u(reference, node, item) "
            "WHERE s.merchant = $1 AND s.reference = u.reference AND s.node_id = u.node AND s.item_id = u.item",
            merchant,
            *map(list, zip(*gone, strict=True)),
        )
    if kept:
        await connection.execute(
            "INSERT INTO supply (merchant, reference, node_id, item_id, quantity, due, confidence) "
            "SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::date[], $7::smallint[]) "
            "ON CONFLICT (merchant, reference, node_id, item_id) DO UPDATE SET quantity = EXCLUDED.quantity, "
            "due = EXCLUDED.due, confidence = EXCLUDED.confidence",
            merchant,
            *map(list, zip(*kept, strict=True)),
        )


async def list_sources(connection: PooledConnection, merchant: str, cut: Cut) -> Page[SourceView]:
    """Declared sources by name."""
    (after,) = cut.after(str)
    rows = await connection.fetch(
        "SELECT * FROM stock_source WHERE merchant = $1 AND ($2::text IS NULL OR source > $2) ORDER BY source LIMIT $3",
        merchant,
        after,
        cut.limit + 1,
    )
    views = [
        SourceView(
            source=row["source"],
            kinds=list(row["kinds"]),
            subtracts=Subtracts(row["subtracts"]),
            largest_drop=row["largest_drop"],
        )
        for row in rows
    ]
    return page(views, cut, lambda row: (row.source,))
