"""Load orders whole, each locked first. Lock order: orders before anything else, sorted by id."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import asyncpg
import msgspec

from hub.domain.demand import Demand, Hold, Slice
from hub.domain.fulfilment import CancelRequest, FulfilmentOrder, NodeHold
from hub.domain.order import ManagedBy, OrderContent
from hub.domain.purchase import Purchase
from hub.domain.shipping import Shipment
from hub.domain.states import CancelState, Handoff, OrderState, SliceState
from hub.flow.aggregate import Order, Parcelled, Wait
from hub.store.database import PooledConnection

HEAD: Final = (
    "SELECT o.id, o.merchant, o.account_id, o.connection_id, o.external_id, o.number, o.state, o.currency, "
    "o.placed_at, o.version, o.revision, o.acting, o.test FROM customer_order o "
)
BY_ID: Final = HEAD + "WHERE o.id = ANY($1::text[]) ORDER BY o.id"
BY_EXTERNAL: Final = (
    HEAD + "JOIN unnest($1::bigint[], $2::text[]) AS u(account, external) "
    "ON o.account_id = u.account AND o.external_id = u.external ORDER BY o.id FOR UPDATE OF o"
)
_content = msgspec.json.Decoder(OrderContent)
_shipment = msgspec.json.Decoder(Shipment)
_lines = msgspec.json.Decoder(dict[str, int])
_purchase = msgspec.json.Decoder(Purchase)
_node_hold = msgspec.json.Decoder(NodeHold)


async def by_id(connection: PooledConnection, ids: Iterable[str], *, lock: bool = True) -> dict[str, Order]:
    """Load orders by id; locked first, unless they are only looked at."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return await _load(connection, await connection.fetch(BY_ID + " FOR UPDATE OF o" if lock else BY_ID, wanted))


async def by_external(connection: PooledConnection, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Order]:
    """Lock and load the orders that exist, by (account, external id)."""
    heads = await connection.fetch(BY_EXTERNAL, [key[0] for key in keys], [key[1] for key in keys])
    loaded = await _load(connection, heads)
    return {(order.account, order.external_id): order for order in loaded.values()}


async def _load(connection: PooledConnection, heads: Sequence[asyncpg.Record]) -> dict[str, Order]:
    orders = {head["id"]: _order(head) for head in heads}
    if orders:
        ids = list(orders)
        for sql, attach in PARTS:
            for row in await connection.fetch(sql, ids):
                attach(orders[row[0]], row)
        for order in orders.values():
            order.remember()
    return orders


def _order(row: asyncpg.Record) -> Order:
    return Order(
        id=row["id"],
        merchant=row["merchant"],
        account=row["account_id"],
        connection=row["connection_id"],
        external_id=row["external_id"],
        number=row["number"],
        state=OrderState(row["state"]),
        currency=row["currency"],
        placed_at=row["placed_at"],
        version=row["version"],
        revision=row["revision"],
        acting=row["acting"],
        test=row["test"],
    )


def _attach_revision(order: Order, row: asyncpg.Record) -> None:
    order.content = _content.decode(row["document"])


def _attach_demand(order: Order, row: asyncpg.Record) -> None:
    order.demands[row["no"]] = Demand(
        no=row["no"],
        line=row["line"],
        group=row["group_key"],
        sku=row["sku"],
        item=row["item_id"],
        quantity=row["quantity"],
        per_unit=row["per_unit"],
        kit_version=row["kit_version"],
        managed_by=ManagedBy(row["managed_by"]),
        tracked=row["tracked"],
        ships=row["ships"],
    )


def _attach_slice(order: Order, row: asyncpg.Record) -> None:
    order.slices[row["no"]] = Slice(
        no=row["no"],
        demand=row["demand_no"],
        quantity=row["quantity"],
        state=SliceState(row["state"]),
        node=row["node_id"],
        fulfilment=row["fulfilment_no"],
        reason=row["reason"],
        promised_at=row["promised_at"],
        supply=row["supply"],
    )


def _attach_hold(order: Order, row: asyncpg.Record) -> None:
    order.holds[row["no"]] = Hold(
        no=row["no"],
        scope=row["scope"],
        kind=row["kind"],
        owner=row["owner"],
        reason=row["reason"],
        lift_rule=row["lift_rule"],
        placed_at=row["placed_at"],
        lifted_at=row["lifted_at"],
        stops=tuple(row["stops"].split(",")),
        lift_at=row["lift_at"],
        lift_role=row["lift_role"],
        lifted_by=row["lifted_by"],
        policy=row["policy"],
    )


def _attach_fulfilment(order: Order, row: asyncpg.Record) -> None:
    order.fulfilments[row["no"]] = FulfilmentOrder(
        order=order.id,
        no=row["no"],
        group=row["group_key"],
        node=row["node_id"],
        connection=row["connection_id"],
        handoff=Handoff(row["handoff"]),
        partner_reference=row["partner_reference"],
        created_at=row["created_at"],
        ship_by=row["ship_by"],
        destination=row["destination_id"],
        accept_by=row["accept_by"],
        collect_by=row["collect_by"],
        purchase=_purchase.decode(row["purchase"]) if row["purchase"] else None,
        node_hold=_node_hold.decode(row["node_hold"]) if row["node_hold"] else None,
    )


def _attach_cancel(order: Order, row: asyncpg.Record) -> None:
    order.cancels[row["no"]] = CancelRequest(
        order=order.id,
        no=row["no"],
        fulfilment=row["fulfilment_no"],
        lines=_lines.decode(row["lines"]),
        asked_by=row["asked_by"],
        reason=row["reason"],
        state=CancelState(row["state"]),
        asked_at=row["asked_at"],
    )


def _attach_shipment(order: Order, row: asyncpg.Record) -> None:
    order.shipments[row["no"]] = _shipment.decode(row["document"])


def _attach_parcel(order: Order, row: asyncpg.Record) -> None:
    order.parcels[row["shipment_no"], row["no"]] = Parcelled(
        row["shipment_no"], row["no"], row["tracking"], row["carrier"], row["status"], row["status_at"]
    )


def _attach_exclusion(order: Order, row: asyncpg.Record) -> None:
    order.exclusions[row["demand_no"], row["node_id"]] = row["until"]


def _attach_wait(order: Order, row: asyncpg.Record) -> None:
    order.waits[row["demand_no"]] = Wait(row["queue"], row["cause"])


def _attach_decisions(order: Order, row: asyncpg.Record) -> None:
    order.decisions = row["last"]


OF_ORDERS = " WHERE order_id = ANY($1::text[])"
BY_NO = OF_ORDERS + " ORDER BY order_id, no"

PARTS: Final[tuple[tuple[str, Callable[[Order, asyncpg.Record], None]], ...]] = (
    (
        "SELECT DISTINCT ON (order_id) order_id, document FROM order_revision"
        + OF_ORDERS
        + " ORDER BY order_id, no DESC",
        _attach_revision,
    ),
    ("SELECT * FROM demand" + BY_NO, _attach_demand),
    ("SELECT * FROM slice" + BY_NO, _attach_slice),
    ("SELECT * FROM hold" + BY_NO, _attach_hold),
    ("SELECT * FROM fulfilment_order" + BY_NO, _attach_fulfilment),
    ("SELECT * FROM cancel_request" + BY_NO, _attach_cancel),
    ("SELECT order_id, no, document FROM shipment" + BY_NO, _attach_shipment),
    ("SELECT * FROM parcel" + OF_ORDERS, _attach_parcel),
    ("SELECT * FROM exclusion" + OF_ORDERS, _attach_exclusion),
    ("SELECT * FROM waiting" + OF_ORDERS, _attach_wait),
    ("SELECT order_id, max(no) AS last FROM decision" + OF_ORDERS + " GROUP BY order_id", _attach_decisions),
)
"""The parts of an order, one statement each whatever the number of orders. The order's id comes first in every row."""
