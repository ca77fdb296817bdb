"""Returns as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from hub.domain.returns import Disposition, RefundWhen, Return
from hub.domain.shipping import Label
from hub.domain.states import ReturnState
from hub.store.admin.errors import Missing, no_such
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class GradedView(msgspec.Struct, frozen=True, kw_only=True):
    """Units that somebody looked at."""

    disposition: Disposition
    quantity: int
    note: str | None


class ReturnLineView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an order's line that come, or came, back."""

    line: str
    """The channel's line id; "sku:" and the SKU for goods without an order."""
    sku: str | None
    quantity: int
    reason: str
    received: int
    outstanding: int
    disposition: Disposition | None
    """That of all graded units; null when there are none, or several."""
    graded: list[GradedView]


class ReturnLabelView(msgspec.Struct, frozen=True, kw_only=True):
    """Postage for the way back."""

    tracking: str
    carrier: str
    service: str
    url: str | None


class ReturnView(msgspec.Struct, frozen=True, kw_only=True):
    """A return."""

    id: str
    order: str | None
    """null for goods of which nobody knows the order yet."""
    state: ReturnState
    disposition: Disposition | None
    """That of everything graded; null when there is nothing, or several."""
    lines: list[ReturnLineView]
    node: str | None
    """Where it goes to; once received, where it is."""
    refund: RefundWhen
    """When its money falls due."""
    refunds: list[str]
    label: ReturnLabelView | None
    exchange: str | None
    """External id of the order that replaces the goods."""
    blind: bool
    asked_by: str
    refused_because: str | None
    policy: str
    created_at: datetime


SELECT: Final = (
    "SELECT r.document, r.id, n.code AS node, l.document AS label, "
    "(SELECT array_agg(f.id ORDER BY f.no) FROM refund f WHERE f.return_id = r.id) AS refunds FROM return_order r "
    "LEFT JOIN node n ON n.id = r.node_id LEFT JOIN return_label l ON l.return_id = r.id WHERE r.merchant = $1 "
)
SKUS: Final = (
    "SELECT d.order_id, d.line, min(coalesce(d.sku, i.sku)) AS sku FROM demand d LEFT JOIN item i ON i.id = d.item_id "
    "WHERE d.order_id = ANY($1::text[]) GROUP BY 1, 2"
)
_return = msgspec.json.Decoder(Return)
_label = msgspec.json.Decoder(Label)


async def list_returns(
    connection: PooledConnection, merchant: str, cut: Cut, *, order: str | None, state: str | None, node: str | None
) -> Page[ReturnView]:
    """Returns, the newest first."""
    (before,) = cut.after(str)
    rows = await connection.fetch(
        SELECT + "AND ($2::text IS NULL OR r.id < $2) AND ($3::text IS NULL OR r.order_id = $3) "
        "AND ($4::text IS NULL OR r.state = $4) AND ($5::text IS NULL OR n.code = $5) ORDER BY r.id DESC LIMIT $6",
        merchant,
        before,
        order,
        state,
        node,
        cut.limit + 1,
    )
    return page(await _views(connection, rows), cut, lambda found: (found.id,))


async def get_return(connection: PooledConnection, merchant: str, id: str) -> ReturnView:
    """One return; raises `Missing`."""
    rows = await connection.fetch(SELECT + "AND r.id = $2", merchant, id)
    if not rows:
        raise no_such("return", id)
    return (await _views(connection, rows))[0]


async def order_of_return(connection: PooledConnection, merchant: str, id: str) -> str | None:
    """The order of a return, None while nobody knows it; raises `Missing`."""
    row = await connection.fetchrow("SELECT order_id FROM return_order WHERE id = $1 AND merchant = $2", id, merchant)
    if row is None:
        raise no_such("return", id)
    found: str | None = row[0]
    return found


async def order_meant(connection: PooledConnection, merchant: str, name: str) -> str:
    """The order that a person means: by our id, the channel's id or the number. Raises `Missing`, also for several."""
    rows = await connection.fetch(
        "SELECT id FROM customer_order WHERE merchant = $1 AND (id = $2 OR id IN (SELECT c.id FROM account a "
        "JOIN customer_order c ON c.account_id = a.id AND c.external_id = $2 WHERE a.merchant = $1) "
        "OR number = $2) ORDER BY (id = $2) DESC LIMIT 3",
        merchant,
        name,
    )
    if not rows:
        raise Missing(f"no order has the id, the channel's id or the number {name}")
    if len(rows) > 1 and rows[0]["id"] != name:
        raise Missing(f"several orders are called {name}; name it by its id")
    found: str = rows[0]["id"]
    return found


async def _views(connection: PooledConnection, rows: Sequence[asyncpg.Record]) -> list[ReturnView]:
    found = [(row, _return.decode(row["document"])) for row in rows]
    orders = sorted({one.order for _, one in found if one.order is not None})
    skus = {(row[0], row[1]): row[2] for row in await connection.fetch(SKUS, orders)}
    return [_view(row, one, skus) for row, one in found]


def _view(row: asyncpg.Record, one: Return, skus: dict[tuple[str, str], str | None]) -> ReturnView:
    label = None if row["label"] is None else _label.decode(row["label"])
    return ReturnView(
        id=one.id,
        order=one.order,
        state=one.state,
        disposition=one.disposition,
        lines=[
            ReturnLineView(
                line=line.line,
                sku=skus.get((one.order, line.line)) if one.order else line.line.removeprefix("sku:"),
                quantity=line.quantity,
                reason=line.reason,
                received=line.received,
                outstanding=line.outstanding if one.open else 0,
                disposition=line.disposition,
                graded=[
                    GradedView(disposition=part.disposition, quantity=part.quantity, note=part.note)
                    for part in line.graded
                ],
            )
            for line in one.lines
        ],
        node=row["node"],
        refund=one.refund,
        refunds=list(row["refunds"] or ()),
        label=None
        if label is None
        else ReturnLabelView(tracking=label.tracking, carrier=label.carrier, service=label.service, url=label.url),
        exchange=one.exchange,
        blind=one.blind,
        asked_by=one.asked_by,
        refused_because=one.refused_because,
        policy=one.policy,
        created_at=one.created_at,
    )
