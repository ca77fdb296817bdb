"""Fulfilment orders across orders: the work of a node."""

from typing import Final

from hub.domain.fulfilment import split_fulfilment_id
from hub.store.admin.errors import no_such
from hub.store.admin.order_views import FulfilmentView
from hub.store.admin.orders import read_orders
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection

RANKS: Final = (
    "ARRAY['released', 'accepted', 'picked', 'packed', 'ready', 'expired', 'in_transit', 'shipped', 'delivered', "
    "'collected']"
)

FIND: Final = (
    "SELECT order_id, no FROM (SELECT f.order_id, f.no, f.handoff, coalesce((" + RANKS + ")[(SELECT "
    "min(array_position("
    + RANKS
    + ", s.state)) FROM slice s WHERE s.order_id = f.order_id AND s.fulfilment_no = f.no)], "
    "CASE WHEN EXISTS (SELECT 1 FROM shipment p WHERE p.order_id = f.order_id AND p.fulfilment_no = f.no) "
    "THEN 'delivered' ELSE 'cancelled' END) AS status FROM fulfilment_order f "
    "JOIN customer_order o ON o.id = f.order_id "
    "JOIN node n ON n.id = f.node_id WHERE o.merchant = $1 AND ($2::text IS NULL OR n.code = $2) "
    "AND ($3::text IS NULL OR f.order_id = $3) AND ($4::bool IS NULL OR (f.connection_id IS NULL) = $4)) AS found "
    "WHERE ($5::text IS NULL OR status = $5 OR (handoff = $5 AND $5 IN ('unsent', 'sent', 'uncertain', 'refused'))) "
    "AND ($6::text IS NULL OR (order_id, no) < ($6, $7)) ORDER BY order_id DESC, no DESC LIMIT $8"
)


async def list_fulfilments(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    *,
    node: str | None,
    order: str | None,
    state: str | None,
    by_hand: bool | None,
) -> Page[FulfilmentView]:
    """Fulfilment orders, the newest first; `state` is a status or a hand-off."""
    at_order, at_no = cut.after(str, int)
    rows = await connection.fetch(FIND, merchant, node, order, by_hand, state, at_order, at_no, cut.limit + 1)
    found = page([(row["order_id"], row["no"]) for row in rows], cut, lambda key: key)
    orders = await read_orders(connection, sorted({key[0] for key in found.items}))
    views = {view.id: view for one in orders for view in one.fulfilments}
    return Page(items=[views[f"{key[0]}-{key[1]}"] for key in found.items], next=found.next)


async def get_fulfilment(connection: PooledConnection, merchant: str, id: str) -> FulfilmentView:
    """One fulfilment order; raises `Missing`."""
    try:
        order, _ = split_fulfilment_id(id)
    except ValueError as error:
        raise no_such("fulfilment order", id) from error
    if await connection.fetchval("SELECT merchant FROM customer_order WHERE id = $1", order) == merchant:
        (found,) = await read_orders(connection, [order])
        for view in found.fulfilments:
            if view.id == id:
                return view
    raise no_such("fulfilment order", id)
