"""Exceptions whose cause is gone although nobody said so: found by the clock, closed, what waits tried again.

Handlers close what they mend in their own transaction; here are the causes that end elsewhere: a message that was
replayed by hand, a level that the channel took after all, an order that was cancelled with its question still open, a
parcel that came to be known after its scans were set aside, goods that left a shelf whose count had them gone already.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hub.flow.hold import MONEY, NEXT_STEPS, UNMAPPED_PAYMENT
from hub.flow.stock_levels import COLLAPSED
from hub.store.database import PooledConnection
from hub.store.inbox import unpark
from hub.store.troubles import leave

BATCH: Final = 1000

MESSAGES_DONE: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'message' "
    "WHERE e.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.id = w.ref::bigint) "
    "ORDER BY e.merchant, e.kind, e.cause LIMIT $1 FOR UPDATE OF e SKIP LOCKED"
)
# A question about goods that nobody wants any more; the books of a cancelled order still want their answers.
ORDERS_CANCELLED: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'order' "
    "JOIN customer_order o ON o.id = w.ref AND o.state = 'cancelled' WHERE e.closed_at IS NULL "
    "AND (e.kind = ANY($2::text[]) OR (starts_with(e.kind, 'unmapped_') AND NOT starts_with(e.kind, $3))) "
    "ORDER BY e.merchant, e.kind, e.cause LIMIT $1 FOR UPDATE OF e SKIP LOCKED"
)
LEVELS_TAKEN: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'levels' "
    "WHERE e.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM availability a "
    "WHERE a.connection_id = w.ref AND a.trouble = e.cause) "
    "ORDER BY e.merchant, e.kind, e.cause LIMIT $1 FOR UPDATE OF e SKIP LOCKED"
)
# What left, was cancelled or was taken back since: a partner may count a shelf before it tells what left it.
SHELVES_LEVEL: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'shelf' "
    "JOIN stock s ON s.item_id = split_part(w.ref, ':', 1)::bigint AND s.node_id = split_part(w.ref, ':', 2)::bigint "
    "WHERE e.closed_at IS NULL AND s.pinned <= greatest(s.sellable, 0) "
    "ORDER BY e.merchant, e.kind, e.cause LIMIT $1 FOR UPDATE OF e SKIP LOCKED"
)
PARCELS_KNOWN: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'message' "
    "CROSS JOIN LATERAL (SELECT ARRAY[e.external_id, split_part(e.external_id, ':', 2)] AS names) t "
    "WHERE e.kind = 'unknown_parcel' AND e.closed_at IS NULL AND e.external_id <> '' "
    "AND (EXISTS (SELECT 1 FROM parcel p WHERE p.tracking = ANY(t.names)) "
    "OR EXISTS (SELECT 1 FROM return_label l WHERE l.tracking = ANY(t.names))) "
    "ORDER BY e.merchant, e.kind, e.cause LIMIT $1 FOR UPDATE OF e SKIP LOCKED"
)
# A later report that is whole says what the one that was not believed could not.
COLLAPSE_OVER: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'message' "
    "JOIN message m ON m.id = w.ref::bigint JOIN node n ON e.cause = m.connection_id || ': ' || n.code "
    "JOIN stock_whole s ON s.merchant = e.merchant AND s.node_id = n.id AND s.as_of > m.received_at "
    "WHERE e.kind = $2 AND e.closed_at IS NULL "
    "ORDER BY e.merchant, e.kind, e.cause LIMIT $1 FOR UPDATE OF e SKIP LOCKED"
)
QUESTIONS: Final = sorted(NEXT_STEPS.keys() - MONEY)
OF_MESSAGES: Final = (
    "SELECT e.id, w.ref FROM exception e JOIN exception_waiter w ON w.exception_id = e.id AND w.what = 'message' "
    "WHERE e.closed_at IS NULL AND w.ref = ANY($1::text[]) ORDER BY e.merchant, e.kind, e.cause FOR UPDATE OF e"
)


async def leave_messages(connection: PooledConnection, messages: Sequence[int]) -> None:
    """These messages wait for nobody any more: others took their place. An exception closes with its last one."""
    await leave(connection, "message", await connection.fetch(OF_MESSAGES, [str(message) for message in messages]))


async def close_mended(connection: PooledConnection, now: datetime) -> int:
    """Take off what waits no more, and close what nothing waits for; how many waiters went. In one transaction.

    What another transaction holds is left for the next time.
    """
    known = await connection.fetch(PARCELS_KNOWN, BATCH)
    known += await connection.fetch(COLLAPSE_OVER, BATCH, COLLAPSED)
    if known:
        await unpark(connection, [int(row["ref"]) for row in known])
    done = [*known, *await connection.fetch(MESSAGES_DONE, BATCH)]
    await leave(connection, "message", done)
    over = await connection.fetch(ORDERS_CANCELLED, BATCH, QUESTIONS, UNMAPPED_PAYMENT)
    await leave(connection, "order", over)
    taken = await connection.fetch(LEVELS_TAKEN, BATCH)
    await leave(connection, "levels", taken)
    level = await connection.fetch(SHELVES_LEVEL, BATCH)
    await leave(connection, "shelf", level)
    return len(done) + len(over) + len(taken) + len(level)
