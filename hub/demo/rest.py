"""Has everything come to rest? One look at the database: what is due, and what each order is doing."""

from collections.abc import Mapping
from typing import Final

import msgspec

from hub.store.database import PooledConnection

DUE: Final = (
    "SELECT (SELECT count(*) FROM inbox WHERE NOT parked) AS inbox, "
    "(SELECT count(*) FROM outbox WHERE NOT parked) AS outbox, "
    "(SELECT count(*) FROM dirty) + (SELECT count(*) FROM availability WHERE due_at IS NOT NULL "
    "AND NOT refused OR lease_until IS NOT NULL) AS availability, "
    "(SELECT count(*) FROM inbox WHERE parked) AS parked_inbox, "
    "(SELECT count(*) FROM outbox WHERE parked) AS parked_outbox, "
    "(SELECT coalesce(max(id), 0) FROM timeline) AS last"
)

# An order whose delivery or message stands aside for a person is parked, whatever its goods are doing. One that waits
# does so with everything that is still open of it; what has left meanwhile must arrive first.
ORDERS: Final = """
WITH aside AS (
  SELECT e.order_id AS id FROM outbox b JOIN effect e ON e.id = b.id WHERE b.parked
  UNION SELECT o.id FROM inbox i JOIN customer_order o ON o.account_id = i.account_id
    AND i.object = 'order:' || o.external_id WHERE i.parked
  UNION SELECT split_part(split_part(i.object, ':', 2), '-', 1) FROM inbox i
    WHERE i.parked AND i.object LIKE 'fulfilment:%'
  UNION SELECT order_id FROM hold WHERE lifted_at IS NULL
), parts AS (
  SELECT s.order_id AS id,
    bool_or(s.state IN ('released', 'accepted', 'picked', 'packed', 'ready')) AS at_node,
    bool_or(s.state = 'reserved') AS reserved,
    bool_or(s.state IN ('unallocated', 'backordered') AND w.order_id IS NULL) AS undecided,
    bool_or(w.order_id IS NOT NULL) AS waits,
    bool_or(s.state = 'shipped') AS on_the_way,
    bool_or(s.state IN ('shipped', 'delivered', 'collected')) AS gone
  FROM slice s LEFT JOIN waiting w ON w.order_id = s.order_id AND w.demand_no = s.demand_no
    AND s.state IN ('unallocated', 'backordered')
  GROUP BY s.order_id
)
SELECT CASE
    WHEN o.state = 'cancelled' THEN 'cancelled'
    WHEN a.id IS NOT NULL THEN 'parked'
    WHEN p.at_node OR p.undecided OR p.on_the_way OR p.reserved THEN 'moving'
    WHEN p.waits THEN 'waiting'
    WHEN o.state = 'closed' THEN 'delivered'
    ELSE 'moving' END AS fate,
  coalesce(p.gone AND NOT p.at_node AND NOT p.undecided AND NOT p.waits AND NOT p.reserved, false) AS left_whole,
  o.id, o.account_id, o.external_id, o.number, o.state
FROM customer_order o LEFT JOIN parts p ON p.id = o.id LEFT JOIN aside a ON a.id = o.id
"""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the hub at a moment. Two looks that are equal saw no change between them."""

    due: Mapping[str, int]
    """What is waiting to be done, by queue."""
    parked: int
    """Messages and deliveries that stand aside for a person."""
    fates: Mapping[str, int]
    """Orders by what they are doing: delivered, cancelled, waiting, parked, or moving."""
    left: int
    """Orders of which everything has left."""
    last: int

    @property
    def orders(self) -> int:
        """Orders in the hub."""
        return sum(self.fates.values())

    @property
    def at_rest(self) -> bool:
        """Whether nothing is due and no order moves."""
        return not any(self.due.values()) and not self.fates.get("moving")


async def look(connection: PooledConnection) -> Look:
    """Look once."""
    due = dict(await connection.fetchrow(DUE) or {})
    parked, last = due.pop("parked_inbox") + due.pop("parked_outbox"), due.pop("last")
    rows = await connection.fetch(
        f"SELECT fate, count(*) AS orders, count(*) FILTER (WHERE left_whole) AS gone FROM ({ORDERS}) AS f GROUP BY 1"
    )
    return Look(
        due=due,
        parked=parked,
        fates={row["fate"]: row["orders"] for row in rows},
        left=sum(row["gone"] for row in rows),
        last=last,
    )


async def moving(connection: PooledConnection, limit: int = 20) -> list[str]:
    """What is stuck, for a person: orders that move, with their slices, and the queues' last errors."""
    orders = await connection.fetch(
        "SELECT f.number, f.id, "
        "(SELECT string_agg(DISTINCT s.state, ', ') FROM slice s WHERE s.order_id = f.id) AS at "
        f"FROM ({ORDERS}) AS f WHERE f.fate = 'moving' ORDER BY f.id LIMIT $1",
        limit,
    )
    queues = await connection.fetch(
        "(SELECT 'inbox' AS queue, i.lane || ' ' || coalesce(i.object, '') AS what, i.tries, i.last_error FROM inbox i "
        "WHERE NOT i.parked ORDER BY i.id LIMIT $1) UNION ALL (SELECT 'outbox', e.kind || ' ' || e.key, b.tries, "
        "b.last_error FROM outbox b JOIN effect e ON e.id = b.id WHERE NOT b.parked ORDER BY b.id LIMIT $1) UNION ALL "
        "(SELECT 'availability', connection_id, max(tries), max(last_error) FROM availability WHERE due_at IS NOT NULL "
        "OR lease_until IS NOT NULL GROUP BY connection_id)",
        limit,
    )
    return [f"order {row['number']} ({row['id']}): slices {row['at']}" for row in orders] + [
        f"{row['queue']}: {row['what']}, {row['tries']} tries, {row['last_error'] or 'no error'}" for row in queues
    ]
