"""What others say they have, against what we say: read in a fixed number of statements a batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.domain.ids import make_id
from hub.stock.reconcile import Move, Told
from hub.store.database import PooledConnection


class Stated(NamedTuple):
    """A figure that was not compared yet."""

    merchant: str
    party: str
    source: str
    item: int
    sku: str
    node: int
    stock_point: int
    place: str
    """Code of the node or location of the stock point, for people."""
    quantity: int
    as_of: datetime


DUE: Final = (
    "SELECT f.merchant, f.party, f.source, f.item_id, i.sku, f.node_id, f.stock_point_id, "
    "coalesce(n.code, p.external_location, 'all nodes'), f.quantity, f.as_of FROM figure f "
    "JOIN item i ON i.id = f.item_id LEFT JOIN node n ON n.id = f.node_id "
    "LEFT JOIN stock_point p ON p.id = f.stock_point_id WHERE NOT f.compared ORDER BY f.as_of LIMIT $1 "
    "FOR UPDATE OF f SKIP LOCKED"
)
COMPARED: Final = (
    "UPDATE figure f SET compared = true FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) "
    "AS u(merchant, source, item, node, point) WHERE f.merchant = u.merchant AND f.source = u.source "
    "AND f.item_id = u.item AND f.node_id = u.node AND f.stock_point_id = u.point"
)
# The balance less what moved since: never the whole ledger of a shelf.
OURS: Final = (
    "SELECT u.at, (SELECT coalesce(sum(s.sellable), 0) FROM stock s WHERE s.item_id = u.item "
    "AND u.node IN (0, s.node_id)) - (SELECT coalesce(sum(l.delta), 0) FROM stock_ledger l WHERE l.item_id = u.item "
    "AND u.node IN (0, l.node_id) AND l.true_at > u.as_of AND l.condition = 'sellable') "
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS u(at, item, node, as_of)"
)
MOVES: Final = (
    "SELECT u.at, m.delta, m.true_at, m.cause FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[]) "
    "AS u(at, item, node, as_of) CROSS JOIN LATERAL (SELECT l.delta, l.true_at, l.cause FROM stock_ledger l "
    "WHERE l.item_id = u.item AND u.node IN (0, l.node_id) AND l.condition = 'sellable' "
    "AND l.true_at BETWEEN u.as_of - interval '3 days' AND u.as_of + interval '1 hour' "
    "ORDER BY l.true_at DESC LIMIT 50) AS m"
)
ASKED: Final = (
    "SELECT u.at, f.order_id || '-' || f.no, sum(s.quantity)::bigint "
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS u(at, item, node) "
    "JOIN fulfilment_order f ON f.node_id = u.node AND f.order_id >= $4 "
    "JOIN slice s ON s.order_id = f.order_id AND s.fulfilment_no = f.no "
    "JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no AND d.item_id = u.item "
    "WHERE s.state IN ('accepted', 'picked', 'packed') GROUP BY 1, 2 ORDER BY 1, 2"
)
HORIZON: Final = timedelta(days=60)
TOLD: Final = (
    "SELECT u.at, a.sent, a.before, a.sent_at, a.due_at IS NOT NULL OR a.lease_until > now() "
    "OR EXISTS (SELECT 1 FROM dirty d WHERE d.item_id = u.item) OR EXISTS (SELECT 1 FROM inbox i "
    "WHERE i.account_id = p.account_id AND i.lane = 'orders' AND NOT i.parked) "
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS u(at, item, point) "
    "JOIN stock_point p ON p.id = u.point LEFT JOIN availability a ON a.stock_point_id = u.point AND a.item_id = u.item"
)
CORRECTED: Final = (
    "SELECT l.id, l.merchant, l.source, l.item_id, i.sku, l.node_id, n.code, l.delta, l.true_at, l.cause "
    "FROM stock_ledger l JOIN item i ON i.id = l.item_id JOIN node n ON n.id = l.node_id "
    "WHERE l.id > $1 AND l.reason IN ('snapshot', 'count') AND EXISTS (SELECT 1 FROM stock_ledger e "
    "WHERE e.item_id = l.item_id AND e.node_id = l.node_id AND e.true_at < l.true_at) ORDER BY l.id LIMIT $2"
)


async def due_figures(connection: PooledConnection, limit: int) -> list[Stated]:
    """Claim figures that were not compared yet; they count as compared when this transaction commits."""
    found = [Stated(*row) for row in await connection.fetch(DUE, limit)]
    if found:
        keys = [(f.merchant, f.source, f.item, f.node, f.stock_point) for f in found]
        await connection.execute(COMPARED, *zip(*keys, strict=True))
    return found


async def balances_at(connection: PooledConnection, places: Sequence[tuple[int, int, datetime]]) -> list[int]:
    """Our sellable units of (item, node; 0 is all) as of a moment."""
    rows = await connection.fetch(OURS, list(range(len(places))), *_columns(places)) if places else []
    found = {row[0]: int(row[1]) for row in rows}
    return [found[at] for at in range(len(places))]


async def moves_around(connection: PooledConnection, places: Sequence[tuple[int, int, datetime]]) -> list[list[Move]]:
    """Our movements of the days before and the hour after each moment."""
    found: list[list[Move]] = [[] for _ in places]
    if places:
        for at, *row in await connection.fetch(MOVES, list(range(len(places))), *_columns(places)):
            found[at].append(Move(*row))
    return found


async def asked_of(
    connection: PooledConnection, places: Sequence[tuple[int, int, datetime]], now: datetime
) -> list[list[tuple[str, int]]]:
    """Units of each fulfilment order that a node works on, by (item, node)."""
    found: list[list[tuple[str, int]]] = [[] for _ in places]
    if places:
        items, nodes, _ = _columns(places)
        since = make_id(now - HORIZON, 0)
        for at, fulfilment, units in await connection.fetch(ASKED, list(range(len(places))), items, nodes, since):
            found[at].append((fulfilment, units))
    return found


async def told_levels(connection: PooledConnection, places: Sequence[tuple[int, int]]) -> list[Told]:
    """What channels were told of (item, stock point). A point that is gone was told nothing, and will not be."""
    found = dict.fromkeys(range(len(places)), Told(None, None, None, True))
    if places:
        rows = await connection.fetch(TOLD, list(found), [item for item, _ in places], [point for _, point in places])
        found |= {row[0]: Told(row[1], row[2], row[3], bool(row[4])) for row in rows}
    return [found[at] for at in range(len(places))]


def _columns(places: Sequence[tuple[int, int, datetime]]) -> tuple[list[int], list[int], list[datetime]]:
    return [p[0] for p in places], [p[1] for p in places], [p[2] for p in places]
