"""Levels to tell channels: marks fanned out, leased per connection, computed when sent."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from hub.stock.ats import Loose, NodeStock, ats
from hub.store.database import PooledConnection


class Mark(NamedTuple):
    """A level that a channel has to be told, in a worker's hands."""

    stock_point: int
    item: int
    sku: str
    location: str
    buffer: int
    sent: int | None
    tries: int
    fence: int


# Marks are deleted before the number is computed: a sale in between makes a new mark, never a lost one. By their place,
# for they never move: by id, a plan made while the table was small read it once for every mark.
FAN_OUT: Final = (
    "WITH taken AS (DELETE FROM dirty WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM dirty ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING item_id), "
    "items AS (SELECT DISTINCT item_id FROM taken UNION SELECT DISTINCT c.item_id FROM taken t "
    "JOIN item_component c ON c.component_id = t.item_id), "
    "points AS (SELECT * FROM unnest($2::bigint[], $3::text[]) AS u(stock_point_id, connection_id)) "
    "INSERT INTO availability AS a (stock_point_id, item_id, connection_id, due_at) "
    "SELECT p.stock_point_id, i.item_id, p.connection_id, now() FROM items i CROSS JOIN points p "
    "ORDER BY p.stock_point_id, i.item_id "
    "ON CONFLICT (stock_point_id, item_id) DO UPDATE SET due_at = coalesce(a.due_at, EXCLUDED.due_at), "
    "connection_id = EXCLUDED.connection_id"
)
READY: Final = (
    "SELECT DISTINCT connection_id FROM availability WHERE due_at <= now() "
    "AND (lease_until IS NULL OR lease_until < now())"
)
CLAIM: Final = (
    "WITH ready AS (SELECT stock_point_id, item_id FROM availability WHERE connection_id = $1 AND due_at <= now() "
    "AND (lease_until IS NULL OR lease_until < now()) ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED), "
    "taken AS (UPDATE availability a SET due_at = NULL, lease_until = now() + $3::float8 * interval '1 second', "
    "fence = a.fence + 1 FROM ready r WHERE a.stock_point_id = r.stock_point_id AND a.item_id = r.item_id "
    "RETURNING a.stock_point_id, a.item_id, a.sent, a.tries, a.fence) "
    "SELECT t.stock_point_id, t.item_id, i.sku, p.external_location, p.buffer, t.sent, t.tries, t.fence "
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
STOCK: Final = (
    "SELECT s.item_id, s.node_id, s.sellable, s.pinned, s.safety FROM stock s WHERE s.item_id = ANY($1::bigint[])"
)
LOOSE: Final = "SELECT item_id, unpinned, backordered, soft FROM item_promise WHERE item_id = ANY($1::bigint[])"
PARTS: Final = (
    "SELECT item_id, component_id, quantity FROM item_component WHERE item_id = ANY($1::bigint[]) ORDER BY 1, 2"
)
SENT: Final = (
    "UPDATE availability a SET sent = u.sent, sent_at = $5, tries = 0, lease_until = NULL, last_error = NULL "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u(stock_point, item, fence, sent) "
    "WHERE a.stock_point_id = u.stock_point AND a.item_id = u.item AND a.fence = u.fence"
)
AGAIN: Final = (
    "UPDATE availability a SET due_at = least(a.due_at, $4), tries = a.tries + 1, lease_until = NULL, last_error = $5 "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u(stock_point, item, fence) "
    "WHERE a.stock_point_id = u.stock_point AND a.item_id = u.item AND a.fence = u.fence"
)
PUBLICATION: Final = (
    "INSERT INTO publication (made_on, connection_id, at, outcome, reason, levels) "
    "VALUES (($1::timestamptz AT TIME ZONE 'UTC')::date, $2, $1, $3, $4, $5::jsonb)"
)


async def fan_out(connection: PooledConnection, points: Sequence[tuple[int, str]], limit: int) -> int:
    """Turn marks of items into due levels at every (stock point, connection); returns how many levels that is."""
    status = await connection.execute(FAN_OUT, limit, [p[0] for p in points], [p[1] for p in points])
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
    connection: PooledConnection, marks: Sequence[Mark], nodes: Mapping[int, Collection[int]]
) -> dict[tuple[int, int], int]:
    """What may be sold now, by (stock point, item); a kit is what its scarcest component allows."""
    items = {mark.item for mark in marks}
    parts: dict[int, list[tuple[int, int]]] = {}
    for item, component, quantity in await connection.fetch(PARTS, sorted(items)):
        parts.setdefault(item, []).append((component, quantity))
    wanted = sorted(items | {component for found in parts.values() for component, _ in found})
    shelves: dict[int, list[NodeStock]] = {}
    for item, *row in await connection.fetch(STOCK, wanted):
        shelves.setdefault(item, []).append(NodeStock(*row))
    loose = {row[0]: Loose(*row[1:]) for row in await connection.fetch(LOOSE, wanted)}

    def single(item: int, point: int) -> int:
        here = [shelf for shelf in shelves.get(item, ()) if shelf.node in nodes[point]]
        return ats(here, loose.get(item, Loose())).available

    answer = {}
    for mark in marks:
        components = parts.get(mark.item)
        if components:
            found = min(single(component, mark.stock_point) // quantity for component, quantity in components)
        else:
            found = single(mark.item, mark.stock_point)
        answer[mark.stock_point, mark.item] = max(0, found - mark.buffer)
    return answer


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


async def tell_again(connection: PooledConnection, marks: Sequence[Mark], at: datetime, error: str) -> None:
    """The channel was not told, or we cannot be sure: a level is absolute, so telling it again is harmless."""
    await connection.execute(
        AGAIN, [m.stock_point for m in marks], [m.item for m in marks], [m.fence for m in marks], at, error
    )


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
