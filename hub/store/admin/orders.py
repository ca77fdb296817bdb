"""Read orders whole, a page at a time: a fixed number of statements whatever the page holds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from hub.domain.contact import Contact, is_told_key
from hub.domain.fulfilment import fulfilment_id, split_fulfilment_id
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import ManagedBy, OrderContent, OrderLine
from hub.domain.returns import Refund
from hub.domain.states import GONE, OrderState, SliceState
from hub.store.admin.errors import no_such
from hub.store.admin.exceptions import of_orders
from hub.store.admin.order_fulfilments import Rows, fulfilment_views, pick
from hub.store.admin.order_views import (
    AmountSets,
    AmountSetView,
    AmountsView,
    BusinessView,
    DemandView,
    GroupView,
    HoldView,
    LineView,
    OrderView,
    PaymentView,
    ProgressView,
    SliceView,
    WaitView,
)
from hub.store.admin.paging import Cut, Page, encode_cursor
from hub.store.database import PooledConnection

# Each by an index of its own: an OR over them would read every order there is.
ANY_ID: Final = (
    "o.id IN (SELECT unnest({ids}::text[]) "
    "UNION ALL SELECT c.id FROM account a JOIN customer_order c ON c.account_id = a.id AND c.external_id = {value} "
    "WHERE a.merchant = $1 "
    "UNION ALL SELECT c.id FROM customer_order c WHERE c.number = {value} "
    "UNION ALL SELECT p.order_id FROM parcel p WHERE p.tracking = {value} "
    "UNION ALL SELECT f.order_id FROM fulfilment_order f WHERE f.partner_reference = {value})"
)
OF_SKU: Final = (
    "o.id IN (SELECT d.order_id FROM demand d WHERE d.sku = {value} UNION ALL SELECT d.order_id FROM item i "
    "JOIN demand d ON d.item_id = i.id WHERE i.merchant = $1 AND i.sku = {value})"
)
OF_EXTERNAL: Final = "o.account_id IN (SELECT a.id FROM account a WHERE a.merchant = $1) AND o.external_id = {value}"
HEADS: Final = (
    "SELECT o.*, a.name AS account FROM customer_order o JOIN account a ON a.id = o.account_id "
    "WHERE o.id = ANY($1::text[])"
)
BY_ORDER: Final = " WHERE order_id = ANY($1::text[]) ORDER BY order_id, no"
PARTS: Final[Mapping[str, str]] = {
    "revision": "SELECT DISTINCT ON (order_id) order_id, document FROM order_revision WHERE order_id = ANY($1::text[]) "
    "ORDER BY order_id, no DESC",
    "demand": "SELECT d.*, i.sku AS item_sku FROM demand d LEFT JOIN item i ON i.id = d.item_id "
    "WHERE d.order_id = ANY($1::text[]) ORDER BY d.order_id, d.no",
    "slice": "SELECT s.*, n.code AS node FROM slice s LEFT JOIN node n ON n.id = s.node_id "
    "WHERE s.order_id = ANY($1::text[]) ORDER BY s.order_id, s.no",
    "hold": "SELECT * FROM hold" + BY_ORDER,
    "fulfilment": "SELECT f.*, n.code AS node, d.code AS destination FROM fulfilment_order f "
    "JOIN node n ON n.id = f.node_id LEFT JOIN node d ON d.id = f.destination_id "
    "WHERE f.order_id = ANY($1::text[]) ORDER BY f.order_id, f.no",
    "cancel": "SELECT * FROM cancel_request" + BY_ORDER,
    "shipment": "SELECT * FROM shipment" + BY_ORDER,
    "parcel": "SELECT * FROM parcel WHERE order_id = ANY($1::text[]) ORDER BY order_id, shipment_no, no",
    "payment": "SELECT * FROM payment WHERE order_id = ANY($1::text[]) ORDER BY order_id, at, external_id",
    "refund": "SELECT order_id, document FROM refund WHERE order_id = ANY($1::text[]) AND state = 'done' "
    "ORDER BY order_id, no",
    "waiting": "SELECT * FROM waiting WHERE order_id = ANY($1::text[]) ORDER BY order_id, demand_no",
}
_content = msgspec.json.Decoder(OrderContent)
_refund = msgspec.json.Decoder(Refund)


async def list_orders(
    connection: PooledConnection,
    merchant: str,
    cut: Cut,
    *,
    external_id: str | None = None,
    number: str | None = None,
    link: str | None = None,
    state: str | None = None,
    sku: str | None = None,
    query: str | None = None,
) -> Page[OrderView]:
    """Orders, the newest first. `query` is any id of it: ours, the channel's, a partner's, a tracking number."""
    (before,) = cut.after(str)
    wanted = (
        ("o.id < {value}", before),
        (OF_EXTERNAL, external_id),
        ("o.number = {value}", number),
        ("o.connection_id = {value}", link),
        ("o.state = {value}", state),
        (OF_SKU, sku),
    )
    ids = await _find(connection, merchant, [(sql, value) for sql, value in wanted if value is not None], query, cut)
    kept = ids[: cut.limit]
    return Page(
        items=await read_orders(connection, kept), next=encode_cursor((kept[-1],)) if len(ids) > cut.limit else None
    )


async def _find(
    connection: PooledConnection, merchant: str, wanted: Sequence[tuple[str, str]], query: str | None, cut: Cut
) -> list[str]:
    """Ids of a page's orders and one more. The statement holds the given filters only: others would cost the index."""
    values: list[object] = [merchant]

    def bind(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    conditions = ["o.merchant = $1", *(sql.format(value=bind(value)) for sql, value in wanted)]
    if query is not None:
        conditions.append(ANY_ID.format(ids=bind(_ids_in(query)), value=bind(query)))
    found = await connection.fetch(
        f"SELECT o.id FROM customer_order o WHERE {' AND '.join(conditions)} "
        f"ORDER BY o.id DESC LIMIT {bind(cut.limit + 1)}",
        *values,
    )
    return [row["id"] for row in found]


def _ids_in(query: str) -> list[str]:
    """The order that an id names, be it the order's own or its fulfilment order's."""
    try:
        return [query.upper(), split_fulfilment_id(query.upper())[0]]
    except ValueError:
        return [query.upper()]


async def get_order(connection: PooledConnection, merchant: str, id: str, *, people: bool = False) -> OrderView:
    """One order; with its contacts if the asker may see people. Raises `Missing`."""
    owner = await connection.fetchval("SELECT merchant FROM customer_order WHERE id = $1", id)
    if owner != merchant:
        raise no_such("order", id)
    (order,) = await read_orders(connection, [id])
    if not people:
        return order
    rows = await connection.fetch(
        "SELECT DISTINCT ON (key) key, document FROM contact WHERE order_id = $1 ORDER BY key, revision DESC", id
    )
    shown = [row for row in rows if row["document"] and not is_told_key(row["key"])]
    contacts = {row["key"]: msgspec.json.decode(row["document"], type=Contact) for row in shown}
    return msgspec.structs.replace(order, contacts=contacts)


async def read_orders(connection: PooledConnection, ids: Sequence[str]) -> list[OrderView]:
    """Orders in the order of their ids given."""
    parts: dict[str, Rows] = {id: defaultdict(list) for id in ids}
    for name, sql in PARTS.items():
        for row in await connection.fetch(sql, list(ids)):
            parts[row["order_id"]][name].append(row)
    heads = {row["id"]: row for row in await connection.fetch(HEADS, list(ids))}
    troubles = await of_orders(connection, ids)
    return [_order(heads[id], parts[id], troubles[id]) for id in ids]


def _order(head: asyncpg.Record, rows: Rows, troubles: list[Any]) -> OrderView:
    content = _content.decode(rows["revision"][0]["document"])
    holds = [
        HoldView(
            active=row["lifted_at"] is None,
            stops=row["stops"].split(","),
            policy=row["policy"] or None,
            **pick(row, "no scope kind owner reason lift_rule placed_at lift_at lift_role lifted_at lifted_by"),
        )
        for row in rows["hold"]
    ]
    return OrderView(
        **pick(head, "id account external_id number currency placed_at created_at revision acting test"),
        connection=head["connection_id"],
        state=OrderState(head["state"]),
        progress=_progress(rows, held=any(hold.active for hold in holds)),
        cancelled_at=content.cancelled_at,
        source=content.source,
        tags=list(content.tags),
        amounts=AmountSets(
            placed=_amounts(content.amounts),
            edited=_amounts(content.edited),
            refunded=_amounts(content.refunded or _refunded(content, rows)),
        ),
        lines=_lines(head["id"], content, rows),
        groups=msgspec.convert(content.groups, list[GroupView], from_attributes=True),
        fulfilments=fulfilment_views(head["id"], rows),
        holds=holds,
        payments=[
            PaymentView(**pick(row, "external_id kind method amount currency status parent at expires_at"))
            for row in rows["payment"]
        ],
        exceptions=troubles,
        business=BusinessView.of(content),
        waiting=[WaitView(demand=row["demand_no"], **pick(row, "queue cause since")) for row in rows["waiting"]],
    )


def _amounts(given: AmountSet | None) -> AmountSetView | None:
    if given is None:
        return None
    shop = _view_of(given.shop)
    presentment = _view_of(given.presentment) if given.presentment else shop
    return AmountSetView(shop=shop, presentment=presentment, stated_total=given.stated_total)


def _refunded(content: OrderContent, rows: Rows) -> AmountSet | None:
    """What went back by our own books, where the channel says nothing of it."""
    refunds = [_refund.decode(row["document"]) for row in rows["refund"]]
    if not refunds:
        return None
    lines = [line for refund in refunds for line in refund.lines]
    shop = Amounts(
        currency=content.currency,
        subtotal=sum(line.amount for line in lines),
        tax=sum(line.tax for line in lines),
        shipping=sum(refund.shipping for refund in refunds),
        rounding=sum(refund.adjustment for refund in refunds),
        tax_included=content.amounts.shop.tax_included,
    )
    return AmountSet(shop=shop)


def _view_of(amounts: Amounts) -> AmountsView:
    return AmountsView(total=amounts.total, **msgspec.structs.asdict(amounts))


def _lines(order: str, content: OrderContent, rows: Rows) -> list[LineView]:
    slices: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in rows["slice"]:
        slices[row["demand_no"]].append(row)
    demands: dict[str, list[DemandView]] = defaultdict(list)
    for row in rows["demand"]:
        demands[row["line"]].append(
            DemandView(
                **pick(row, "no quantity per_unit tracked"),
                item=row["item_id"],
                sku=row["item_sku"] or row["sku"],
                managed_by=ManagedBy(row["managed_by"]),
                slices=[_slice(order, part) for part in slices[row["no"]]],
            )
        )
    return [_line(line, demands[line.external_id]) for line in content.lines]


def _line(line: OrderLine, demands: list[DemandView]) -> LineView:
    return LineView(
        id=line.external_id,
        sku=line.sku,
        variant=line.variant,
        title=line.title,
        quantity=line.quantity,
        group=line.group,
        shipped=min((_left(demand) // demand.per_unit for demand in demands), default=0),
        subtotal=line.subtotal,
        discount=line.discount,
        tax=line.tax,
        demands=demands,
    )


def _left(demand: DemandView) -> int:
    return sum(part.quantity for part in demand.slices if part.state in GONE)


def _slice(order: str, row: asyncpg.Record) -> SliceView:
    asked = None if row["fulfilment_no"] is None else fulfilment_id(order, row["fulfilment_no"])
    state = SliceState(row["state"])
    return SliceView(state=state, fulfilment=asked, **pick(row, "quantity node reason promised_at"))


def _progress(rows: Rows, *, held: bool) -> ProgressView:
    units: dict[str, int] = {}
    for row in rows["slice"]:
        units[row["state"]] = units.get(row["state"], 0) + row["quantity"]
    return ProgressView(status=status_of(units), units=sum(units.values()), by_state=units, held=held)


def status_of(units: Mapping[str, int]) -> Any:
    """One word for where the units are; cancelled ones do not count beside others."""
    states = {SliceState(name) for name in units}
    live = states - {SliceState.CANCELLED}
    if not states:
        return "recorded"
    if not live:
        return "cancelled"
    if live == {SliceState.RETURNED}:
        return "returned"
    if live <= {SliceState.DELIVERED, SliceState.COLLECTED, SliceState.RETURNED}:
        return "delivered"
    if live <= GONE:
        return "shipped"
    if live & GONE:
        return "partially_shipped"
    for word, having in STAGES:
        if live & having:
            return word
    return "in_progress"


STAGES: Final = (
    ("waiting", {SliceState.UNALLOCATED, SliceState.BACKORDERED, SliceState.EXPIRED}),
    ("reserved", {SliceState.RESERVED}),
    ("released", {SliceState.RELEASED}),
)
"""The least advanced units give an order its word, as long as nothing has left."""
