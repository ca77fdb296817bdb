"""Are the books right? Rebuild balances from the ledger and counters from the slices, and name every difference."""

from typing import Final, NamedTuple

from hub.domain.states import HOLDING
from hub.store.database import PooledConnection


class Drift(NamedTuple):
    """A figure that differs from what it is made of."""

    kind: str
    item: int
    node: int | None
    kept: int
    rebuilt: int


_HOLDING: Final = ", ".join(f"'{state.value}'" for state in sorted(HOLDING))

SELLABLE: Final = (
    "SELECT 'sellable', s.item_id, s.node_id, s.sellable, coalesce(l.total, 0) FROM stock s LEFT JOIN "
    "(SELECT item_id, node_id, sum(delta)::bigint AS total FROM stock_ledger WHERE condition = 'sellable' "
    "GROUP BY item_id, node_id) AS l USING (item_id, node_id) WHERE s.sellable <> coalesce(l.total, 0)"
)
CLAIMING: Final = (
    "FROM slice s JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no "
    "JOIN customer_order o ON o.id = s.order_id "
    "WHERE o.acting AND d.tracked AND d.item_id IS NOT NULL AND d.managed_by = 'hub' "
)
PINNED: Final = (
    "SELECT 'pinned', coalesce(k.item_id, r.item_id), coalesce(k.node_id, r.node_id), coalesce(k.pinned, 0), "
    "coalesce(r.total, 0) FROM (SELECT item_id, node_id, pinned FROM stock WHERE pinned <> 0) AS k FULL JOIN "
    f"(SELECT d.item_id, s.node_id, sum(s.quantity)::bigint AS total {CLAIMING} AND s.state IN ({_HOLDING}) "
    "GROUP BY d.item_id, s.node_id) AS r USING (item_id, node_id) WHERE coalesce(k.pinned, 0) <> coalesce(r.total, 0)"
)
LOOSE: Final = (
    "SELECT '{name}', coalesce(k.item_id, r.item_id), NULL::bigint, coalesce(k.{name}, 0), coalesce(r.total, 0) "
    "FROM (SELECT item_id, {name} FROM item_promise WHERE {name} <> 0) AS k FULL JOIN "
    f"(SELECT d.item_id, sum(s.quantity)::bigint AS total {CLAIMING} AND s.state = '{{state}}' GROUP BY d.item_id) "
    "AS r USING (item_id) WHERE coalesce(k.{name}, 0) <> coalesce(r.total, 0)"
)


async def verify_stock(connection: PooledConnection) -> list[Drift]:
    """Every difference between a kept figure and what it is made of; empty when the books are right."""
    queries = (
        SELLABLE,
        PINNED,
        LOOSE.format(name="unpinned", state="unallocated"),
        LOOSE.format(name="backordered", state="backordered"),
    )
    return [Drift(*row) for query in queries for row in await connection.fetch(query)]
