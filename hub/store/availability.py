"""Levels to tell channels: marks fanned out, leased per connection, computed when sent."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from hub.domain.network import Purpose
from hub.flow.directory import Directory
from hub.stock.ats import for_sink
from hub.stock.buffer import remembered_delay
from hub.store.database import PooledConnection
from hub.store.sellable import Scope, gather, scopes_of_points, sellables_by_id


class Mark(NamedTuple):
    """A level that a channel has to be told, in a worker's hands."""

    stock_point: int
    item: int
    sku: str
    location: str
    sent: int | None
    tries: int
    fence: int
    marked_at: datetime
    """Since when the channel has not known better."""


class Point(NamedTuple):
    """A selling stock point and the connection that speaks for its account."""

    id: int
    connection: str
    merchant: str


# What waits after a failure waits on, whatever changes meanwhile; what was refused may be taken now that it changed.
_DUE: Final = "CASE WHEN a.refused THEN EXCLUDED.due_at ELSE coalesce(a.due_at, EXCLUDED.due_at) END"
# Marks are deleted before the number is computed: a sale in between makes a new mark, never a lost one. By their place,
# for they never move: by id, a plan made while the table was small read it once for every mark.
FAN_OUT: Final = (
    "WITH taken AS (DELETE FROM dirty WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM dirty ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING item_id), "
    "items AS (SELECT DISTINCT item_id FROM taken UNION SELECT DISTINCT c.item_id FROM taken t "
    "JOIN item_component c ON c.component_id = t.item_id), "
    "points AS (SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[]) "
    "AS u(stock_point_id, connection_id, merchant)) "
    "INSERT INTO availability AS a (stock_point_id, item_id, connection_id, due_at, marked_at) "
    "SELECT p.stock_point_id, i.item_id, p.connection_id, now(), now() FROM items i JOIN item x ON x.id = i.item_id "
    "JOIN points p ON p.merchant = x.merchant ORDER BY p.stock_point_id, i.item_id "
    f"ON CONFLICT (stock_point_id, item_id) DO UPDATE SET due_at = {_DUE}, "
    "marked_at = coalesce(a.marked_at, EXCLUDED.marked_at), connection_id = EXCLUDED.connection_id"
)
# What has stock, is made of what has, may be sold without any, or was told before.
EVERYTHING: Final = (
    "WITH points AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) "
    "AS u(stock_point_id, connection_id, merchant)) "
    "INSERT INTO availability AS a (stock_point_id, item_id, connection_id, due_at, marked_at) "
    "SELECT p.stock_point_id, i.id, p.connection_id, now(), now() FROM points p JOIN item i ON i.merchant = p.merchant "
    "WHERE ($4::bigint[] IS NULL OR i.id = ANY($4)) AND (EXISTS (SELECT 1 FROM stock s WHERE s.item_id = i.id) "
    "OR EXISTS (SELECT 1 FROM item_component c JOIN stock s ON s.item_id = c.component_id WHERE c.item_id = i.id) "
    "OR EXISTS (SELECT 1 FROM allowance l WHERE l.item_id = i.id) OR EXISTS (SELECT 1 FROM availability t "
    "WHERE t.stock_point_id = p.stock_point_id AND t.item_id = i.id)) ORDER BY p.stock_point_id, i.id "
    f"ON CONFLICT (stock_point_id, item_id) DO UPDATE SET due_at = {_DUE}, "
    "marked_at = coalesce(a.marked_at, EXCLUDED.marked_at), connection_id = EXCLUDED.connection_id, sent = NULL"
)
NEW_POINTS: Final = (
    "INSERT INTO told_point AS t (stock_point_id, connection_id) "
    "SELECT * FROM unnest($1::bigint[], $2::text[]) AS u(point, connection) ORDER BY 1 "
    "ON CONFLICT (stock_point_id) DO UPDATE SET connection_id = EXCLUDED.connection_id "
    "WHERE t.connection_id <> EXCLUDED.connection_id RETURNING stock_point_id"
)
OLD_POINTS: Final = "DELETE FROM told_point WHERE stock_point_id <> ALL($1::bigint[])"
READY: Final = (
    "SELECT DISTINCT connection_id FROM availability WHERE due_at <= now() "
    "AND (lease_until IS NULL OR lease_until < now())"
)
CLAIM: Final = (
    "WITH ready AS (SELECT stock_point_id, item_id, marked_at FROM availability WHERE connection_id = $1 "
    "AND due_at <= now() AND (lease_until IS NULL OR lease_until < now()) ORDER BY due_at LIMIT $2 "
    "FOR UPDATE SKIP LOCKED), "
    "taken AS (UPDATE availability a SET due_at = NULL, marked_at = NULL, "
    "lease_until = now() + $3::float8 * interval '1 second', fence = a.fence + 1 FROM ready r "
    "WHERE a.stock_point_id = r.stock_point_id AND a.item_id = r.item_id "
    "RETURNING a.stock_point_id, a.item_id, a.sent, a.tries, a.fence, coalesce(r.marked_at, now()) AS marked_at) "
    "SELECT t.stock_point_id, t.item_id, i.sku, p.external_location, t.sent, t.tries, t.fence, t.marked_at "
    "FROM taken t JOIN item i ON i.id = t.item_id JOIN stock_point p ON p.id = t.stock_point_id "
    "ORDER BY t.stock_point_id, t.item_id"
)
RENEW: Final = (
    "UPDATE availability a SET lease_until = now() + $4::float8 * interval '1 second' "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u(stock_point, item, fence) "
    "WHERE a.stock_point_id = u.stock_point AND a.item_id = u.item AND a.fence = u.fence AND a.lease_until IS NOT NULL"
)
# A worker that died between claim and record left neither a due time nor a record: its lease tells.
ABANDONED: Final = (
    "UPDATE availability SET due_at = now(), lease_until = NULL WHERE due_at IS NULL AND lease_until < now()"
)
# What the channel's own orders hold there by its own count: it takes them off until it is told that they have left.
# From what is open and what it still has to be told, never from the SKU: that would read all that was ever sold of it.
# The fence keeps the planner from doing so where it takes a hot SKU for one like the others.
OWN_OPEN: Final = (
    "WITH telling AS (SELECT b.id FROM connection c JOIN outbox b ON b.connection_id = c.id AND NOT b.parked "
    "WHERE c.account_id = $1 UNION ALL SELECT b.id FROM connection c JOIN outbox b ON b.connection_id = c.id "
    "AND b.parked WHERE c.account_id = $1), "
    "untold AS MATERIALIZED (SELECT e.order_id, h.fulfilment_no FROM telling t "
    "JOIN effect e ON e.id = t.id AND e.kind = 'ConfirmShipment' "
    "JOIN shipment h ON h.order_id = e.order_id AND h.no = (e.document::jsonb ->> 'shipment')::smallint), "
    "held AS (SELECT id FROM customer_order WHERE account_id = $1 AND state = 'open' "
    "UNION SELECT order_id FROM untold) "
    "SELECT d.sku, s.node_id, max(d.per_unit), d.order_id, d.line, sum(s.quantity)::bigint FROM held "
    "CROSS JOIN LATERAL (SELECT * FROM demand WHERE order_id = held.id OFFSET 0) d "
    "JOIN slice s ON s.order_id = d.order_id AND s.demand_no = d.no "
    "WHERE d.sku = ANY($2::text[]) AND d.managed_by = 'hub' AND (s.state NOT IN ('shipped', 'delivered', 'collected', "
    "'cancelled', 'returned') OR s.state <> 'cancelled' AND EXISTS (SELECT 1 FROM untold u "
    "WHERE u.order_id = s.order_id AND u.fulfilment_no = s.fulfilment_no)) "
    "GROUP BY d.sku, s.node_id, d.order_id, d.line, d.no"
)
SHIPPED: Final = (
    "INSERT INTO dirty (item_id) SELECT DISTINCT item_id FROM demand WHERE order_id = ANY($1::text[]) "
    "AND item_id IS NOT NULL"
)
SENT: Final = (
    "UPDATE availability a SET sent = u.sent, "
    "before = CASE WHEN a.sent IS DISTINCT FROM u.sent THEN a.sent ELSE a.before END, "
    "sent_at = CASE WHEN a.sent IS DISTINCT FROM u.sent THEN $5 ELSE a.sent_at END, "
    "tries = 0, lease_until = NULL, last_error = NULL, refused = false, trouble = NULL "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u(stock_point, item, fence, sent) "
    "WHERE a.stock_point_id = u.stock_point AND a.item_id = u.item AND a.fence = u.fence"
)
LET_GO: Final = (
    "UPDATE availability a SET lease_until = NULL, last_error = NULL, refused = false, trouble = NULL "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u(stock_point, item, fence) "
    " WHERE a.stock_point_id = u.stock_point AND a.item_id = u.item AND a.fence = u.fence"
)
AGAIN: Final = (
    "UPDATE availability a SET due_at = least(a.due_at, $5), tries = least(a.tries + 1, 30000), lease_until = NULL, "
    "last_error = $6, refused = $8, trouble = coalesce($9, a.trouble), "
    "marked_at = least(a.marked_at, u.marked_at), sent = CASE WHEN $7 THEN NULL ELSE a.sent END "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) "
    "AS u(stock_point, item, fence, marked_at) "
    "WHERE a.stock_point_id = u.stock_point AND a.item_id = u.item AND a.fence = u.fence"
)
TRY_AGAIN: Final = (
    "WITH held AS (SELECT stock_point_id, item_id FROM availability WHERE connection_id = ANY($1::text[]) "
    "AND trouble IS NOT NULL ORDER BY stock_point_id, item_id FOR UPDATE) "
    "UPDATE availability a SET due_at = least(a.due_at, now()) FROM held h "
    "WHERE a.stock_point_id = h.stock_point_id AND a.item_id = h.item_id"
)
DELAY: Final = (
    "INSERT INTO publishing_delay (connection_id, delay_ms, measured_at) VALUES ($1, $2, $3) "
    "ON CONFLICT (connection_id) DO UPDATE SET delay_ms = EXCLUDED.delay_ms, measured_at = EXCLUDED.measured_at"
)
PUBLICATION: Final = (
    "INSERT INTO publication (made_on, connection_id, at, outcome, reason, levels) "
    "VALUES (($1::timestamptz AT TIME ZONE 'UTC')::date, $2, $1, $3, $4, $5::jsonb)"
)


def selling_points(directory: Directory, merchant: str | None = None, account: int | None = None) -> list[Point]:
    """Stock points that are told what may be sold; of a merchant or an account only, if one is named."""
    found = []
    for point in directory.stock_points:
        link = directory.speaker(point.account)
        if point.purpose is not Purpose.SELL or link is None or not link.live("publish_availability"):
            continue
        if merchant in (None, link.connection.merchant) and account in (None, point.account):
            found.append(Point(point.id, link.connection.id, link.connection.merchant))
    return found


async def fan_out(connection: PooledConnection, points: Sequence[Point], limit: int) -> int:
    """Turn marks of items into due levels at every point of their merchant; returns how many levels that is."""
    return _count(await connection.execute(FAN_OUT, limit, *_columns(points)))


async def tell_everything(connection: PooledConnection, points: Sequence[Point], items: Sequence[int] | None) -> int:
    """Make every level due and forget what was told last: it is told whatever it is. How many levels that is."""
    return _count(await connection.execute(EVERYTHING, *_columns(points), items)) if points else 0


async def meet_points(connection: PooledConnection, points: Sequence[Point]) -> int:
    """Tell everything to points that are new, or whose account is spoken for by another connection now."""
    await connection.execute(OLD_POINTS, [point.id for point in points])
    rows = await connection.fetch(NEW_POINTS, [p.id for p in points], [p.connection for p in points]) if points else []
    new = {row[0] for row in rows}
    return await tell_everything(connection, [point for point in points if point.id in new], None)


def _columns(points: Sequence[Point]) -> tuple[list[int], list[str], list[str]]:
    return [p.id for p in points], [p.connection for p in points], [p.merchant for p in points]


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])


async def ready(connection: PooledConnection) -> list[str]:
    """Connections with levels to tell now."""
    return [row[0] for row in await connection.fetch(READY)]


async def claim(connection: PooledConnection, link: str, limit: int, lease_seconds: float) -> list[Mark]:
    """Lease due levels of one connection."""
    return [Mark(*row) for row in await connection.fetch(CLAIM, link, limit, lease_seconds)]


async def renew(connection: PooledConnection, marks: Sequence[Mark], lease_seconds: float) -> None:
    """Keep the leases that are still ours."""
    await connection.execute(
        RENEW, [m.stock_point for m in marks], [m.item for m in marks], [m.fence for m in marks], lease_seconds
    )


async def recover(connection: PooledConnection) -> None:
    """Make levels due again whose sender died."""
    await connection.execute(ABANDONED)


async def levels(
    connection: PooledConnection, marks: Sequence[Mark], account: int | None, today: date
) -> dict[tuple[int, int], int]:
    """What to tell of each (stock point, item); nothing of items that nobody counts.

    `account` is named when its channel subtracts its own open orders: exactly what it takes off is added back.
    """
    items = await sellables_by_id(connection, {mark.item for mark in marks})
    scopes = await scopes_of_points(connection, {mark.stock_point for mark in marks})
    shelves = await gather(connection, items.values(), scopes.values(), today)
    own = await _own_open(connection, marks, scopes, account) if account is not None else {}
    answer = {}
    for mark in marks:
        item, scope = items[mark.item], scopes.get(mark.stock_point)
        if scope is not None and (item.counted or item.parts):
            found = shelves.answer(item, scope).ats.available
            answer[mark.stock_point, mark.item] = for_sink(found, own.get((mark.stock_point, mark.sku), 0))
    return answer


async def _own_open(
    connection: PooledConnection, marks: Sequence[Mark], scopes: Mapping[int, Scope], account: int
) -> dict[tuple[int, str], int]:
    """Units that the account's own open orders take off at each point, in sold units of the channel's SKU.

    Units at no node yet are the only point's, where there is only one; of several, nobody knows which.
    """
    alone = await connection.fetchval(
        "SELECT count(*) = 1 FROM stock_point WHERE account_id = $1 AND purpose = 'sell'", account
    )
    lines: dict[tuple[int, str, str, str], int] = {}
    for sku, node, each, order, line, units in await connection.fetch(
        OWN_OPEN, account, sorted({mark.sku for mark in marks})
    ):
        for point, scope in scopes.items():
            if node in scope.nodes or (node is None and alone):
                # A kit's line is open as long as one of its components is.
                at, sold = (point, sku, order, line), -(-units // each)
                lines[at] = max(lines.get(at, 0), sold)
    found: dict[tuple[int, str], int] = {}
    for (point, sku, _, _), units in lines.items():
        found[point, sku] = found.get((point, sku), 0) + units
    return found


async def record_sent(
    connection: PooledConnection, marks: Sequence[Mark], sent: dict[tuple[int, int], int], now: datetime
) -> None:
    """The channel was told."""
    await connection.execute(
        SENT,
        [m.stock_point for m in marks],
        [m.item for m in marks],
        [m.fence for m in marks],
        [sent[m.stock_point, m.item] for m in marks],
        now,
    )


async def mark_shipped(connection: PooledConnection, orders: Sequence[str]) -> None:
    """A channel that takes its own orders off what it was told was told that these have left: it has less than it was
    told last, and a level that was on its way meanwhile may have put them on again. It is told anew.
    """
    if orders:
        await connection.execute(SHIPPED, orders)


async def let_go(connection: PooledConnection, marks: Sequence[Mark]) -> None:
    """There is nothing to tell of these: nobody counts them, or their place is gone."""
    if marks:
        await connection.execute(
            LET_GO, [m.stock_point for m in marks], [m.item for m in marks], [m.fence for m in marks]
        )


async def tell_again(
    connection: PooledConnection,
    marks: Sequence[Mark],
    at: datetime,
    error: str,
    *,
    refused: bool = False,
    trouble: str | None = None,
    forget: bool = False,
) -> None:
    """The channel was not told, or we cannot be sure: a level is absolute, so telling it again is harmless.

    `refused`: any change of the level is tried before `at`. `trouble` is the cause of the exception that stays open
    until the levels were taken. `forget` is for channels that take changes, when nobody knows whether the last one
    arrived.
    """
    await connection.execute(
        AGAIN,
        [m.stock_point for m in marks],
        [m.item for m in marks],
        [m.fence for m in marks],
        [m.marked_at for m in marks],
        at,
        error,
        forget,
        refused,
        trouble,
    )


async def try_again(connection: PooledConnection, links: Sequence[str]) -> None:
    """Somebody mended something about these connections: what they did not take is due at once."""
    await connection.execute(TRY_AGAIN, links)


async def measure_delay(connection: PooledConnection, link: str, since: datetime, now: datetime) -> None:
    """A channel learned now what had changed at `since`."""
    latest = int((now - since).total_seconds() * 1000)
    kept = await connection.fetchval("SELECT delay_ms FROM publishing_delay WHERE connection_id = $1", link)
    await connection.execute(DELAY, link, remembered_delay(kept, latest), now)


async def keep_publication(
    connection: PooledConnection,
    link: str,
    at: datetime,
    outcome: str,
    reason: str,
    told: Sequence[tuple[str, str, int]],
) -> None:
    """Keep what was said, with the attempt: (SKU, location, quantity)."""
    await connection.execute(PUBLICATION, at, link, outcome, reason, msgspec.json.encode(told).decode())
