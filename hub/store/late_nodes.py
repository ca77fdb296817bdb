"""What nodes have not sent in time: found by the clock, however far they say they are.

One exception per node and day on which it was due, with every order behind it. An order leaves it when nothing of it is
late any more: sent, cancelled, taken back, or moved to a later time. One that a person closed is not opened again.
"""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

from hub.flow.trouble import Trouble
from hub.store.database import PooledConnection
from hub.store.troubles import leave, raise_troubles

LATE_AFTER: Final = timedelta(hours=12)
"""After the ship-by time. Many partners tell of a day's parcels at once, in the night after it."""

KIND: Final = "node_late"

NEXT_STEP: Final = (
    "The node has orders that should have left by their ship-by time, and does not say that they did. Ask it for them; "
    "cancel what it cannot send, to have it decided anew; tell the customers whose promise is broken."
)

# What a supplier was asked for has dates and exceptions of its own.
LATE: Final = """
WITH late AS (
  SELECT DISTINCT o.merchant, o.id AS order_id, o.external_id,
    n.code || ': due to leave on ' || (f.ship_by AT TIME ZONE n.timezone)::date AS cause
  FROM customer_order o
  JOIN fulfilment_order f ON f.order_id = o.id
  JOIN node n ON n.id = f.node_id
  WHERE o.state = 'open' AND o.acting AND f.purchase IS NULL AND f.ship_by < $1::timestamptz - $2::interval
    AND EXISTS (SELECT FROM slice s WHERE s.order_id = f.order_id AND s.fulfilment_no = f.no
      AND s.state IN ('released', 'accepted', 'picked', 'packed'))
)
"""
TO_RAISE: Final = (
    LATE + "SELECT * FROM late l WHERE NOT EXISTS (SELECT 1 FROM exception e WHERE e.merchant = l.merchant "
    "AND e.kind = $3 AND e.cause = l.cause AND (e.closed_by IS DISTINCT FROM 'cause gone' AND e.closed_at IS NOT NULL "
    "OR e.closed_at IS NULL AND EXISTS (SELECT 1 FROM exception_waiter w WHERE w.exception_id = e.id "
    "AND w.what = 'order' AND w.ref = l.order_id))) ORDER BY l.order_id, l.cause LIMIT 500"
)
TO_LEAVE: Final = (
    LATE + "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'order' "
    "WHERE e.closed_at IS NULL AND e.kind = $3 AND NOT EXISTS (SELECT 1 FROM late l WHERE l.merchant = e.merchant "
    "AND l.cause = e.cause AND l.order_id = w.ref) ORDER BY e.merchant, e.cause FOR UPDATE OF e SKIP LOCKED"
)


async def watch_nodes(connection: PooledConnection, now: datetime) -> int:
    """Raise what is late at its node, close what is over; returns how many were raised. In one transaction."""
    rows = await connection.fetch(TO_RAISE, now, LATE_AFTER, KIND)
    await raise_troubles(connection, [(row["merchant"], row["order_id"], _trouble(row)) for row in rows], now)
    await leave(connection, "order", await connection.fetch(TO_LEAVE, now, LATE_AFTER, KIND))
    return len(rows)


def _trouble(row: asyncpg.Record) -> Trouble:
    return Trouble(
        kind=KIND,
        cause=row["cause"],
        next_step=NEXT_STEP,
        external_id=row["external_id"],
        waiter=("order", row["order_id"]),
    )
