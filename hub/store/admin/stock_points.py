"""Locations as channels and partners know them, and the nodes behind each."""

from collections.abc import Sequence

import msgspec

from hub.domain.network import Purpose
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class StockPointView(msgspec.Struct, frozen=True, kw_only=True):
    """A location of an account, standing for one or more nodes."""

    id: int
    account: str
    adapter: str
    external_location: str
    purpose: Purpose
    nodes: list[str]
    buffer: int
    """Units that this sink is never told of."""
    buffer_percent: int
    oversell_ppm: int | None
    supply_days: int


class StockPointWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A stock point as it shall be; without nodes it is taken away."""

    account: int
    external_location: str
    purpose: Purpose
    nodes: tuple[int, ...]
    buffer: int
    buffer_percent: int = 0
    oversell_ppm: int | None = None
    supply_days: int = 0


SELECT = (
    "SELECT p.id, a.name AS account, a.adapter, p.external_location, p.purpose, p.buffer, p.buffer_percent, "
    "p.oversell_ppm, p.supply_days, "
    "ARRAY(SELECT n.code FROM stock_point_node l JOIN node n ON n.id = l.node_id WHERE l.stock_point_id = p.id "
    "ORDER BY n.code) AS nodes FROM stock_point p JOIN account a ON a.id = p.account_id WHERE a.merchant = $1 "
)


async def list_stock_points(
    connection: PooledConnection, merchant: str, cut: Cut, account: int | None
) -> Page[StockPointView]:
    """Stock points by id."""
    (after,) = cut.after(int)
    rows = await connection.fetch(
        SELECT
        + "AND ($2::bigint IS NULL OR p.account_id = $2) AND ($3::bigint IS NULL OR p.id > $3) ORDER BY p.id LIMIT $4",
        merchant,
        account,
        after,
        cut.limit + 1,
    )
    return page([StockPointView(**{**row, "purpose": Purpose(row["purpose"])}) for row in rows], cut, lambda p: (p.id,))


async def put_stock_points(
    connection: PooledConnection, merchant: str, writes: Sequence[StockPointWrite]
) -> list[StockPointView]:
    """Write stock points, each identified by (account, location, purpose)."""
    ids = []
    for write in writes:
        point: int = await connection.fetchval(
            "INSERT INTO stock_point AS p (account_id, external_location, purpose, buffer, buffer_percent, "
            "oversell_ppm, supply_days) VALUES ($1, $2, $3, $4, $5, $6, $7) "
            "ON CONFLICT (account_id, external_location, purpose) DO UPDATE SET buffer = EXCLUDED.buffer, "
            "buffer_percent = EXCLUDED.buffer_percent, oversell_ppm = EXCLUDED.oversell_ppm, "
            "supply_days = EXCLUDED.supply_days RETURNING p.id",
            write.account,
            write.external_location,
            write.purpose.value,
            write.buffer,
            write.buffer_percent,
            write.oversell_ppm,
            write.supply_days,
        )
        await connection.execute("DELETE FROM stock_point_node WHERE stock_point_id = $1", point)
        if not write.nodes:
            await connection.execute("DELETE FROM availability WHERE stock_point_id = $1", point)
            await connection.execute("DELETE FROM stock_point WHERE id = $1", point)
            continue
        await connection.execute(
            "INSERT INTO stock_point_node (stock_point_id, node_id) SELECT DISTINCT $1::bigint, unnest($2::bigint[])",
            point,
            list(write.nodes),
        )
        ids.append(point)
    rows = await connection.fetch(SELECT + "AND p.id = ANY($2::bigint[]) ORDER BY p.id", merchant, ids)
    return [StockPointView(**{**row, "purpose": Purpose(row["purpose"])}) for row in rows]
