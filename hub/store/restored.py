"""A database that was restored to an earlier moment: nothing leaves before it was looked for. See decision 0012."""

from typing import Final, NamedTuple

from hub.flow.hold import RESTORED
from hub.flow.restored import REASON
from hub.store.database import PooledConnection

SKIPPED_NUMBERS: Final = 100_000
"""Control numbers per series that the lost time may have used: a partner drops an interchange whose number it knows."""

BEGIN: Final = "UPDATE configuration SET restored_at = now(), epoch = epoch + 1"
END: Final = "UPDATE configuration SET restored_at = NULL, epoch = epoch + 1 WHERE restored_at IS NOT NULL RETURNING 1"
PAUSE: Final = "UPDATE connection SET paused = true WHERE enabled AND NOT paused"
LOOK_FIRST: Final = "UPDATE outbox SET look_first = true, lease_until = NULL"
SKIP: Final = (
    "INSERT INTO control_number (account_id, series, number, key) SELECT account_id, series, max(number) + $1, "
    "'restored:' || max(number) FROM control_number GROUP BY account_id, series"
)
HOLD: Final = (
    "WITH held AS (INSERT INTO hold (order_id, no, scope, kind, owner, reason, lift_rule, placed_at) "
    "SELECT o.id, coalesce((SELECT max(h.no) FROM hold h WHERE h.order_id = o.id), 0) + 1, 'order', $1, 'operations', "
    "$2, 'person,timer', now() FROM customer_order o WHERE o.acting AND o.state IN ('captured', 'open') "
    "AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.order_id = o.id AND h.kind = $1 AND h.lifted_at IS NULL) "
    "RETURNING order_id, reason) INSERT INTO timeline (on_day, order_id, at, kind, detail) "
    "SELECT current_date, order_id, now(), 'hold_placed', $1 || ': ' || reason FROM held"
)
# Workers lift what is due, in batches, and take the orders on.
LIFT: Final = "UPDATE hold SET lift_at = now() WHERE kind = $1 AND lifted_at IS NULL"


class Prepared(NamedTuple):
    """What was stopped."""

    connections_paused: int
    effects_to_look_first: int
    orders_held: int


async def begin(connection: PooledConnection) -> Prepared:
    """Stop everything that might be done a second time, in the caller's transaction; no other process may run.

    Until `end`, every effect that is written is looked for at the partner before it is sent, and orders placed before
    now that come, or change, are held. Again it does no harm.
    """
    await connection.execute(BEGIN)
    await connection.execute(SKIP, SKIPPED_NUMBERS)
    return Prepared(
        _rows(await connection.execute(PAUSE)),
        _rows(await connection.execute(LOOK_FIRST)),
        _rows(await connection.execute(HOLD, RESTORED, REASON)),
    )


async def end(connection: PooledConnection) -> int | None:
    """Back to ordinary times: the holds that still stand are lifted by the next worker. Returns how many they are.

    None where no restore began. Connections that are paused stay so.
    """
    if await connection.fetchval(END) is None:
        return None
    return _rows(await connection.execute(LIFT, RESTORED))


def _rows(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])
