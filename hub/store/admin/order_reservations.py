"""What orders have reserved and no node was told of: who holds the stock, and what may be moved."""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from hub.store.admin.errors import no_such
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class OrderReservationView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an order at a node."""

    id: str
    """"<order>.<slice>"."""
    order: str
    number: str
    sku: str
    node: str | None
    quantity: int
    state: str
    reason: str | None
    placed_at: datetime


SELECT: Final = (
    "SELECT s.order_id || '.' || s.no AS id, s.order_id AS order, o.number, i.sku, n.code AS node, s.quantity, "
    "s.state, s.reason, o.placed_at FROM slice s JOIN customer_order o ON o.id = s.order_id "
    "JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no JOIN item i ON i.id = d.item_id "
    "LEFT JOIN node n ON n.id = s.node_id "
)
UNRELEASED: Final = (
    SELECT + "JOIN unreleased u ON u.item_id = d.item_id AND u.node_id = s.node_id AND u.order_id = s.order_id "
    "WHERE s.state = 'reserved' AND o.merchant = $1 AND ($2::text IS NULL OR i.sku = $2) "
    "AND ($3::text IS NULL OR n.code = $3) AND ($4::text IS NULL OR s.order_id || '.' || s.no > $4) "
    "ORDER BY s.order_id || '.' || s.no LIMIT $5"
)


async def list_order_reservations(
    connection: PooledConnection, merchant: str, cut: Cut, *, sku: str | None, node: str | None
) -> Page[OrderReservationView]:
    """Reserved units that no node was told of."""
    (after,) = cut.after(str)
    rows = await connection.fetch(UNRELEASED, merchant, sku, node, after, cut.limit + 1)
    return page([_view(row) for row in rows], cut, lambda row: (row.id,))


async def get_order_reservation(
    connection: PooledConnection, merchant: str, order: str, slice: int
) -> OrderReservationView:
    """What a slice of an order holds; raises `Missing`."""
    row = await connection.fetchrow(
        SELECT + "WHERE s.order_id = $1 AND s.no = $2 AND o.merchant = $3", order, slice, merchant
    )
    if row is None:
        raise no_such("reservation", f"{order}.{slice}")
    return _view(row)


def _view(row: asyncpg.Record) -> OrderReservationView:
    return OrderReservationView(**row)
