"""Agreed prices as people and systems write them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class SupplierPriceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit costs at a supplier."""

    node: str
    sku: str
    currency: str
    unit_cost: Decimal


class PriceWrite(NamedTuple):
    """A price as it shall be; None takes it away."""

    node: int
    item: int
    currency: str
    unit_cost: Decimal | None


LIST: Final = (
    "SELECT n.code AS node, i.sku, p.currency, p.unit_cost FROM supplier_price p JOIN node n ON n.id = p.node_id "
    "JOIN item i ON i.id = p.item_id WHERE p.merchant = $1 AND ($2::text IS NULL OR n.code = $2) "
    "AND ($3::text IS NULL OR i.sku = $3) AND ($4::text IS NULL OR (n.code, i.sku, p.currency) > ($4, $5, $6)) "
    "ORDER BY n.code, i.sku, p.currency LIMIT $7"
)
PUT: Final = (
    "INSERT INTO supplier_price (merchant, node_id, item_id, currency, unit_cost) SELECT $1, * FROM "
    "unnest($2::bigint[], $3::bigint[], $4::text[], $5::numeric[]) "
    "ON CONFLICT (merchant, node_id, item_id, currency) DO UPDATE SET unit_cost = EXCLUDED.unit_cost"
)
TAKE: Final = (
    "DELETE FROM supplier_price p USING unnest($2::bigint[], $3::bigint[], $4::text[]) AS u(node, item, currency) "
    "WHERE p.merchant = $1 AND p.node_id = u.node AND p.item_id = u.item AND p.currency = u.currency"
)


async def list_prices(
    connection: PooledConnection, merchant: str, cut: Cut, *, node: str | None, sku: str | None
) -> Page[SupplierPriceView]:
    """Prices by node, SKU and currency."""
    at_node, at_sku, at_currency = cut.after(str, str, str)
    rows = await connection.fetch(LIST, merchant, node, sku, at_node, at_sku, at_currency, cut.limit + 1)
    return page([SupplierPriceView(**row) for row in rows], cut, lambda row: (row.node, row.sku, row.currency))


async def put_prices(connection: PooledConnection, merchant: str, writes: Sequence[PriceWrite]) -> None:
    """Write prices. What was sent already keeps the price that was agreed then."""
    kept = [write for write in writes if write.unit_cost is not None]
    gone = [write[:3] for write in writes if write.unit_cost is None]
    if kept:
        await connection.execute(PUT, merchant, *map(list, zip(*kept, strict=True)))
    if gone:
        await connection.execute(TAKE, merchant, *map(list, zip(*gone, strict=True)))
