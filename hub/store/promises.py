"""What promises before purchase read beside stock and configuration. Nothing here locks or writes."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from hub.promise.confidence import Travelled
from hub.store.database import PooledConnection

LOOSE: Final = (
    "SELECT item_id, unpinned + backordered + soft AS units FROM item_promise WHERE item_id = ANY($1::bigint[])"
)
CART: Final = (
    "SELECT l.item_id, l.quantity FROM cart_line l JOIN cart_reservation r ON r.id = l.reservation_id "
    "WHERE r.id = $1 AND r.merchant = $2 AND r.ended IS NULL"
)
RULES: Final = "SELECT text FROM policy WHERE merchant = $1 AND kind = 'promise' AND state = 'active'"
REMEMBERED: Final = timedelta(days=180)
MOST: Final = 400
"""Newest fulfilment orders looked at for each node: a promise is answered while a customer waits."""
# Order ids rise with time, so the newest come first off the node's own index.
TRAVELLED: Final = (
    "SELECT f.node_id, s.shipped_at - f.ship_by AS late_out, p.status_at - s.shipped_at AS under_way "
    "FROM unnest($1::bigint[]) AS wanted(node) CROSS JOIN LATERAL ("
    "SELECT order_id, no, node_id, ship_by FROM fulfilment_order WHERE node_id = wanted.node "
    "ORDER BY order_id DESC, no DESC LIMIT $2) f "
    "JOIN shipment s ON s.order_id = f.order_id AND s.fulfilment_no = f.no "
    "JOIN parcel p ON p.order_id = s.order_id AND p.shipment_no = s.no "
    "WHERE p.status = 'delivered' AND f.ship_by IS NOT NULL AND p.status_at >= s.shipped_at AND s.shipped_at >= $3"
)


async def promised_elsewhere(
    connection: PooledConnection, merchant: str, items: Iterable[int], *, cart: str | None = None
) -> dict[int, int]:
    """Units by item that are promised without a node yet; what the asker's own cart holds is not among them."""
    rows = await connection.fetch(LOOSE, sorted(items))
    units: dict[int, int] = {row["item_id"]: row["units"] for row in rows}
    if cart is not None:
        for row in await connection.fetch(CART, cart, merchant):
            units[row["item_id"]] = units.get(row["item_id"], 0) - row["quantity"]
    return units


async def active_rules(connection: PooledConnection, merchant: str) -> str | None:
    """Text of a merchant's own promise rules; None when it has none."""
    text: str | None = await connection.fetchval(RULES, merchant)
    return text


async def travelled(connection: PooledConnection, nodes: Sequence[int], now: datetime) -> list[Travelled]:
    """Parcels of these nodes that have arrived, of the newest fulfilment orders of each."""
    return [Travelled(*row) for row in await connection.fetch(TRAVELLED, list(nodes), MOST, now - REMEMBERED)]
