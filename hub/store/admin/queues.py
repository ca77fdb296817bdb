"""Named waiting places, and what waits in each."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from hub.store.database import PooledConnection


class WaitingView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an order that is not moving, and the event that would move it."""

    order: str
    number: str
    sku: str | None
    quantity: int
    cause: str
    since: datetime
    due_at: datetime


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A waiting place."""

    name: str
    """Of demands: "shortage", "unresolved", ...; of messages: "inbox:orders", "outbox:<connection>"."""
    kind: Literal["orders", "messages_in", "messages_out"]
    count: int
    parked: int
    """Of these, how many wait for a person."""
    oldest: datetime | None
    waiting: list[WaitingView]
    """The longest waiting ones; `count` says how many there are."""


SHOWN: Final = 100

DEMANDS: Final = (
    "SELECT w.queue, w.order_id, o.number, coalesce(i.sku, d.sku) AS sku, w.cause, w.since, w.due_at, "
    "(SELECT coalesce(sum(s.quantity), 0)::int FROM slice s WHERE s.order_id = w.order_id "
    "AND s.demand_no = w.demand_no "
    "AND s.state IN ('unallocated', 'backordered')) AS quantity "
    "FROM (SELECT *, row_number() OVER (PARTITION BY queue ORDER BY since, order_id, demand_no) AS place FROM waiting "
    "WHERE merchant = $1) w JOIN customer_order o ON o.id = w.order_id "
    "JOIN demand d ON d.order_id = w.order_id AND d.no = w.demand_no LEFT JOIN item i ON i.id = d.item_id "
    "WHERE w.place <= $2 ORDER BY w.queue, w.place"
)
COUNTS: Final = (
    "SELECT queue, count(DISTINCT order_id), min(since) FROM waiting WHERE merchant = $1 GROUP BY queue ORDER BY 1"
)
INBOX: Final = (
    "SELECT 'inbox:' || i.lane, count(*), count(*) FILTER (WHERE i.parked), min(i.due_at) FROM inbox i "
    "JOIN account a ON a.id = i.account_id WHERE a.merchant = $1 GROUP BY 1 ORDER BY 1"
)
OUTBOX: Final = (
    "SELECT 'outbox:' || o.connection_id, count(*), count(*) FILTER (WHERE o.parked), min(o.due_at) FROM outbox o "
    "JOIN connection c ON c.id = o.connection_id WHERE c.merchant = $1 GROUP BY 1 ORDER BY 1"
)


async def list_queues(connection: PooledConnection, merchant: str) -> list[QueueView]:
    """All waiting places that are not empty."""
    waiting: dict[str, list[WaitingView]] = {}
    for row in await connection.fetch(DEMANDS, merchant, SHOWN):
        waiting.setdefault(row["queue"], []).append(
            WaitingView(
                order=row["order_id"],
                number=row["number"],
                sku=row["sku"],
                quantity=row["quantity"],
                cause=row["cause"],
                since=row["since"],
                due_at=row["due_at"],
            )
        )
    found = [
        QueueView(name=name, kind="orders", count=count, parked=0, oldest=oldest, waiting=waiting.get(name, []))
        for name, count, oldest in await connection.fetch(COUNTS, merchant)
    ]
    for name, count, parked, oldest in await connection.fetch(INBOX, merchant):
        found.append(QueueView(name=name, kind="messages_in", count=count, parked=parked, oldest=oldest, waiting=[]))
    for name, count, parked, oldest in await connection.fetch(OUTBOX, merchant):
        found.append(QueueView(name=name, kind="messages_out", count=count, parked=parked, oldest=oldest, waiting=[]))
    return found
