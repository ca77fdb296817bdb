"""Who reports stock: what sources declared of themselves, what they name, and what they say that is only compared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from hub.flow.stock_ports import Figure, StockItem, StockSource
from hub.sdk.adapter import Subtracts
from hub.store.database import PooledConnection


class _Units(msgspec.Struct, frozen=True):
    base_unit: str = "each"
    conversions: dict[str, int] = {}


_units = msgspec.json.Decoder(_Units)

ITEMS: Final = (
    "SELECT i.sku, i.id, EXISTS (SELECT 1 FROM item_component c WHERE c.item_id = i.id) AS kit, i.document "
    "FROM item i WHERE i.merchant = $1 AND i.sku = ANY($2::text[])"
)
SOURCES: Final = (
    "SELECT source, kinds, subtracts, largest_drop FROM stock_source "
    "WHERE merchant = $1 AND source = ANY($2::text[]) ORDER BY source"
)
PUT_SOURCE: Final = (
    "INSERT INTO stock_source (merchant, source, kinds, subtracts, largest_drop) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (merchant, source) DO UPDATE SET kinds = EXCLUDED.kinds, subtracts = EXCLUDED.subtracts, "
    "largest_drop = EXCLUDED.largest_drop"
)
STOCKED: Final = (
    "SELECT s.item_id, s.node_id FROM stock s JOIN item i ON i.id = s.item_id "
    "WHERE i.merchant = $1 AND s.node_id = ANY($2::bigint[]) AND s.sellable <> 0 ORDER BY 1, 2"
)
WHOLE: Final = "SELECT node_id, as_of FROM stock_whole WHERE merchant = $1 AND node_id = ANY($2::bigint[])"
TOLD_WHOLE: Final = (
    "INSERT INTO stock_whole AS w (merchant, node_id, as_of) SELECT $1, u.* FROM unnest($2::bigint[], "
    "$3::timestamptz[]) AS u(node, as_of) ORDER BY 2 ON CONFLICT (merchant, node_id) DO UPDATE SET "
    "as_of = greatest(w.as_of, EXCLUDED.as_of)"
)
KEEP: Final = (
    "INSERT INTO figure AS f (merchant, party, source, item_id, node_id, stock_point_id, quantity, as_of, cause) "
    "SELECT $1, u.* FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], "
    "$8::timestamptz[], $9::text[]) AS u(party, source, item, node, point, quantity, as_of, cause) "
    "ORDER BY source, item, node, point ON CONFLICT (merchant, source, item_id, node_id, stock_point_id) DO UPDATE SET "
    "party = EXCLUDED.party, quantity = EXCLUDED.quantity, as_of = EXCLUDED.as_of, cause = EXCLUDED.cause, "
    "compared = false WHERE f.as_of <= EXCLUDED.as_of"
)
REMEMBER: Final = (
    "INSERT INTO stock_reference (merchant, source, reference, learned_at) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING true"
)


async def stock_items(connection: PooledConnection, merchant: str, skus: Iterable[str]) -> dict[str, StockItem]:
    """What stock reports have to know of items, by SKU."""
    found = {}
    for sku, id, kit, document in await connection.fetch(ITEMS, merchant, sorted(set(skus))):
        units = _units.decode(document)
        found[sku] = StockItem(id, kit, units.base_unit, units.conversions)
    return found


async def stock_sources(connection: PooledConnection, merchant: str, names: Iterable[str]) -> Mapping[str, StockSource]:
    """Declared sources by name."""
    return {
        name: StockSource(frozenset(kinds), subtracts == Subtracts.OWN_OPEN_ORDERS.value, drop)
        for name, kinds, subtracts, drop in await connection.fetch(SOURCES, merchant, sorted(set(names)))
    }


async def put_source(
    connection: PooledConnection,
    merchant: str,
    source: str,
    kinds: Sequence[str],
    subtracts: Subtracts,
    largest_drop: int,
) -> None:
    """Declare a source; what it reported before stays as it was understood."""
    await connection.execute(PUT_SOURCE, merchant, source, sorted(set(kinds)), subtracts.value, largest_drop)


async def stocked(connection: PooledConnection, merchant: str, nodes: Iterable[int]) -> list[tuple[int, int]]:
    """(item, node) of a merchant's balances that are not zero."""
    return [(row[0], row[1]) for row in await connection.fetch(STOCKED, merchant, sorted(set(nodes)))]


async def whole_as_of(connection: PooledConnection, merchant: str, nodes: Iterable[int]) -> dict[int, datetime]:
    """As of when all that a merchant has at nodes was told last."""
    return {row[0]: row[1] for row in await connection.fetch(WHOLE, merchant, sorted(set(nodes)))}


async def told_whole(connection: PooledConnection, merchant: str, nodes: Mapping[int, datetime]) -> None:
    """Remember as of when all that a merchant has at nodes was told."""
    if nodes:
        await connection.execute(TOLD_WHOLE, merchant, *zip(*sorted(nodes.items()), strict=True))


async def keep_figures(connection: PooledConnection, merchant: str, figures: Sequence[Figure]) -> None:
    """Keep the newest figure of each source; an older one changes nothing."""
    newest: dict[tuple[str, int, int, int], Figure] = {}
    for figure in sorted(figures, key=lambda one: one.as_of):
        newest[figure.source, figure.item, figure.node, figure.stock_point] = figure
    if newest:
        await connection.execute(KEEP, merchant, *zip(*newest.values(), strict=True))


async def remember(connection: PooledConnection, merchant: str, source: str, reference: str, now: datetime) -> bool:
    """Keep a report's own reference; False when it was told before."""
    return bool(await connection.fetchval(REMEMBER, merchant, source, reference, now))
