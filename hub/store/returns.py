"""What stands beside orders: returns, refunds, payment requests, payments; read for orders that are locked already."""

from collections.abc import Iterable
from typing import Final

import msgspec

from hub.domain.payment import Payment, PaymentKind, PaymentRequest
from hub.domain.returns import Refund, Return
from hub.flow.aggregate import Order
from hub.store.database import PooledConnection

OF_ORDERS: Final = "WHERE order_id = ANY($1::text[]) "
RETURNS: Final = f"SELECT order_id, document FROM return_order {OF_ORDERS} ORDER BY id"
REFUNDS: Final = f"SELECT order_id, document FROM refund {OF_ORDERS} ORDER BY order_id, no"
REQUESTS: Final = f"SELECT order_id, document FROM payment_request {OF_ORDERS} ORDER BY order_id, no"
PAYMENTS: Final = f"SELECT * FROM payment {OF_ORDERS} ORDER BY order_id, at, external_id"

_return = msgspec.json.Decoder(Return)
_refund = msgspec.json.Decoder(Refund)
_request = msgspec.json.Decoder(PaymentRequest)


async def attach_peers(connection: PooledConnection, orders: Iterable[Order]) -> None:
    """Read what stands beside orders that do not know it yet."""
    wanted = {order.id: order for order in orders if not order.peers_known}
    if not wanted:
        return
    ids = sorted(wanted)
    for order, document in await connection.fetch(RETURNS, ids):
        one = _return.decode(document)
        wanted[order].returns[one.id] = one
    for order, document in await connection.fetch(REFUNDS, ids):
        refund = _refund.decode(document)
        wanted[order].refunds[refund.id] = refund
    for order, document in await connection.fetch(REQUESTS, ids):
        request = _request.decode(document)
        wanted[order].requests[request.no] = request
    for row in await connection.fetch(PAYMENTS, ids):
        wanted[row["order_id"]].paid.append(
            Payment(
                external_id=row["external_id"],
                kind=PaymentKind(row["kind"]),
                method=row["method"],
                amount=row["amount"],
                currency=row["currency"],
                status=row["status"],
                parent=row["parent"],
                at=row["at"],
                expires_at=row["expires_at"],
                implied=row["implied"],
            )
        )
    for order in wanted.values():
        order.remember_peers()


async def return_told(connection: PooledConnection, merchant: str, source: str) -> bool:
    """Whether something opened a return already."""
    sql = "SELECT EXISTS (SELECT 1 FROM return_order WHERE merchant = $1 AND source = $2)"
    told: bool = await connection.fetchval(sql, merchant, source)
    return told


async def orders_of_returns(connection: PooledConnection, ids: Iterable[str]) -> list[str]:
    """Order ids of returns that have one."""
    sql = "SELECT order_id FROM return_order WHERE id = ANY($1::text[]) AND order_id IS NOT NULL ORDER BY 1"
    return [row[0] for row in await connection.fetch(sql, list(ids))]


async def return_labels(connection: PooledConnection, numbers: Iterable[str]) -> dict[str, tuple[str, str]]:
    """(order, return) by the tracking number of a return's label."""
    sql = "SELECT tracking, order_id, return_id FROM return_label WHERE tracking = ANY($1::text[])"
    return {row[0]: (row[1], row[2]) for row in await connection.fetch(sql, list(numbers))}


async def loose_return(connection: PooledConnection, merchant: str, id: str) -> Return | None:
    """Lock and read a return of which nobody knows the order."""
    sql = "SELECT document FROM return_order WHERE id = $1 AND merchant = $2 AND order_id IS NULL FOR UPDATE"
    document = await connection.fetchval(sql, id, merchant)
    return None if document is None else _return.decode(document)
