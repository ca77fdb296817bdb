"""Authorisations that run out while goods wait: found by the clock, told once."""

from datetime import datetime, timedelta
from typing import Final

from hub.flow.pay import EXPIRES, expires
from hub.store.database import PooledConnection
from hub.store.troubles import raise_troubles

AHEAD: Final = timedelta(days=1)
"""How long before its end an authorisation is told of, whatever was promised."""
LATELY: Final = timedelta(days=7)
"""How long after its end it still is: what ended before that was told of while it did, or the hub was away."""

# A newer authorisation, a capture or a void of it takes its place; who was told of it is not told again.
ENDING: Final = (
    "SELECT o.merchant, o.id, o.connection_id, o.external_id, min(p.expires_at) AS ends FROM payment p "
    "JOIN customer_order o ON o.id = p.order_id JOIN account a ON a.id = o.account_id AND a.captured_by = 'hub' "
    "WHERE p.kind = 'authorise' AND p.status = 'done' AND p.expires_at < $1 AND p.expires_at > $3 "
    "AND o.acting AND o.state = 'open' "
    "AND NOT EXISTS (SELECT 1 FROM payment l WHERE l.order_id = p.order_id AND (l.kind = 'sale' OR (l.kind IN "
    "('capture', 'void') AND l.parent IS NOT DISTINCT FROM p.external_id) OR (l.kind = 'authorise' "
    "AND l.expires_at > p.expires_at))) "
    "AND NOT EXISTS (SELECT 1 FROM exception e JOIN exception_waiter w ON w.exception_id = e.id "
    "WHERE e.merchant = o.merchant AND e.kind = $2 AND e.closed_at IS NULL AND w.what = 'order' AND w.ref = o.id) "
    "GROUP BY o.merchant, o.id, o.connection_id, o.external_id ORDER BY o.id LIMIT 500"
)


async def watch_authorisations(connection: PooledConnection, now: datetime) -> int:
    """Raise authorisations that end within a day on orders that still have goods to leave; returns how many."""
    rows = await connection.fetch(ENDING, now + AHEAD, EXPIRES, now - LATELY)
    troubles = [
        (
            row["merchant"],
            row["id"],
            expires(row["connection_id"], row["external_id"], row["id"], row["ends"].isoformat()),
        )
        for row in rows
    ]
    await raise_troubles(connection, troubles, now)
    return len(troubles)
