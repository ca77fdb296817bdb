"""Capacity of nodes: fulfilment orders released per node and local day, counted only where there is a limit."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from hub.flow.ports import LostRace
from hub.flow.writes import Load
from hub.store.database import PooledConnection

ENSURE: Final = (
    "INSERT INTO node_load (node_id, day, orders) SELECT node, day, 0 FROM unnest($1::bigint[], $2::date[]) "
    "AS u(node, day) ORDER BY node, day ON CONFLICT DO NOTHING"
)
READ: Final = (
    "SELECT l.node_id, l.orders FROM node_load l JOIN unnest($1::bigint[], $2::date[]) AS u(node, day) "
    "ON l.node_id = u.node AND l.day = u.day"
)
ADD: Final = (
    "INSERT INTO node_load AS l (node_id, day, orders) SELECT node, day, more FROM unnest($1::bigint[], $2::date[], "
    "$3::int[]) AS u(node, day, more) ORDER BY node, day "
    "ON CONFLICT (node_id, day) DO UPDATE SET orders = l.orders + EXCLUDED.orders RETURNING l.node_id, l.day, l.orders"
)


async def node_loads(connection: PooledConnection, days: Mapping[int, date], *, lock: bool) -> dict[int, int]:
    """Fulfilment orders of each node on its day. With `lock` the rows are locked, in (node, day) order."""
    keys = sorted(days.items())
    arguments = [key[0] for key in keys], [key[1] for key in keys]
    sql = READ
    if lock:
        await connection.execute(ENSURE, *arguments)
        sql += " ORDER BY l.node_id, l.day FOR UPDATE OF l"
    return {row[0]: row[1] for row in await connection.fetch(sql, *arguments)}


async def add_loads(connection: PooledConnection, loads: Sequence[Load]) -> None:
    """Count released fulfilment orders. Raises `LostRace` when others filled a day since a decision looked at it."""
    if not loads:
        return
    rows = await connection.fetch(ADD, *list(zip(*loads, strict=True))[:3])
    added = {(load.node, load.day): load for load in loads}
    for node, day, orders in rows:
        _, _, more, capacity, seen = added[node, day]
        if orders > capacity and seen is not None and orders - more > seen:
            raise LostRace(f"node {node} on {day}: {orders} fulfilment orders, {capacity} fit")
