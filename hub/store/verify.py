"""Are the books right? Rebuild balances from the ledger and counters from the slices, and name every difference."""

from collections.abc import Mapping
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

# Both ways: a balance without its ledger, and a ledger whose balance was lost.
LEDGER: Final = (
    "SELECT '{name}', coalesce(s.item_id, l.item_id), coalesce(s.node_id, l.node_id), coalesce(s.{name}, 0), "
    "coalesce(l.total, 0) FROM (SELECT item_id, node_id, {name} FROM stock) AS s FULL JOIN "
    "(SELECT item_id, node_id, sum(delta)::bigint AS total FROM stock_ledger WHERE condition = '{name}' "
    "GROUP BY item_id, node_id) AS l USING (item_id, node_id) WHERE coalesce(s.{name}, 0) <> coalesce(l.total, 0)"
)
CLAIMING: Final = (
    "FROM slice s JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no "
    "JOIN customer_order o ON o.id = s.order_id "
    "WHERE o.acting AND d.tracked AND d.item_id IS NOT NULL AND d.managed_by = 'hub' "
)
PINNED: Final = (
    "SELECT 'pinned', coalesce(k.item_id, r.item_id), coalesce(k.node_id, r.node_id), coalesce(k.pinned, 0), "
    "coalesce(r.total, 0) FROM (SELECT item_id, node_id, pinned FROM stock WHERE pinned <> 0) AS k FULL JOIN "
    "(SELECT item_id, node_id, sum(units)::bigint AS total FROM "
    f"(SELECT d.item_id, s.node_id, s.quantity AS units {CLAIMING} AND s.state IN ({_HOLDING}) "
    "UNION ALL SELECT l.item_id, l.node_id, l.quantity FROM cart_line l JOIN cart_reservation c "
    "ON c.id = l.reservation_id WHERE c.ended IS NULL AND l.node_id <> 0) AS held "
    "GROUP BY item_id, node_id) AS r USING (item_id, node_id) WHERE coalesce(k.pinned, 0) <> coalesce(r.total, 0)"
)
LOOSE: Final = (
    "SELECT '{name}', coalesce(k.item_id, r.item_id), NULL::bigint, coalesce(k.{name}, 0), coalesce(r.total, 0) "
    "FROM (SELECT item_id, {name} FROM item_promise WHERE {name} <> 0) AS k FULL JOIN "
    f"(SELECT d.item_id, sum(s.quantity)::bigint AS total {CLAIMING} AND s.state = '{{state}}' GROUP BY d.item_id) "
    "AS r USING (item_id) WHERE coalesce(k.{name}, 0) <> coalesce(r.total, 0)"
)


SOFT: Final = (
    "SELECT 'soft', coalesce(k.item_id, r.item_id), NULL::bigint, coalesce(k.soft, 0), coalesce(r.total, 0) "
    "FROM (SELECT item_id, soft FROM item_promise WHERE soft <> 0) AS k FULL JOIN "
    "(SELECT l.item_id, sum(l.quantity)::bigint AS total FROM cart_line l JOIN cart_reservation c "
    "ON c.id = l.reservation_id WHERE c.ended IS NULL AND l.node_id = 0 GROUP BY l.item_id) AS r USING (item_id) "
    "WHERE coalesce(k.soft, 0) <> coalesce(r.total, 0)"
)
UNRELEASED: Final = (
    "SELECT 'unreleased', coalesce(k.item_id, r.item_id), coalesce(k.node_id, r.node_id), coalesce(k.orders, 0), "
    "coalesce(r.orders, 0) FROM (SELECT item_id, node_id, count(*) AS orders FROM unreleased GROUP BY 1, 2) AS k "
    "FULL JOIN (SELECT d.item_id, s.node_id, count(DISTINCT s.order_id) AS orders FROM slice s JOIN demand d "
    "ON d.order_id = s.order_id AND d.no = s.demand_no JOIN customer_order o ON o.id = s.order_id "
    "WHERE o.acting AND d.tracked AND d.item_id IS NOT NULL AND s.state = 'reserved' GROUP BY 1, 2) AS r "
    "USING (item_id, node_id) WHERE coalesce(k.orders, 0) <> coalesce(r.orders, 0)"
)
# Goods between two nodes are kept at the one they go to.
UNDER_WAY: Final = (
    "SELECT 'under_way', coalesce(k.item_id, r.item_id), coalesce(k.node_id, r.node_id), coalesce(k.in_transit, 0), "
    "coalesce(r.total, 0) FROM (SELECT item_id, node_id, in_transit FROM stock WHERE in_transit <> 0) AS k FULL JOIN "
    f"(SELECT d.item_id, s.node_id, sum(s.quantity)::bigint AS total {CLAIMING} AND s.state = 'in_transit' "
    "GROUP BY d.item_id, s.node_id) AS r USING (item_id, node_id) "
    "WHERE coalesce(k.in_transit, 0) <> coalesce(r.total, 0)"
)
SUPPLY: Final = (
    "SELECT 'supply', k.item_id, k.node_id, k.promised, coalesce(r.total, 0) FROM supply k LEFT JOIN "
    f"(SELECT s.supply AS id, sum(s.quantity)::bigint AS total {CLAIMING} AND s.supply IS NOT NULL GROUP BY 1) AS r "
    "USING (id) WHERE k.promised <> coalesce(r.total, 0)"
)
CONDITIONS: Final = ("sellable", "damaged", "quarantine", "in_transit")

QUERIES: Final = (
    *(LEDGER.format(name=name) for name in CONDITIONS),
    PINNED,
    LOOSE.format(name="unpinned", state="unallocated"),
    LOOSE.format(name="backordered", state="backordered"),
    SOFT,
    UNRELEASED,
    UNDER_WAY,
    SUPPLY,
)

REBUILD: Final[Mapping[str, str]] = {
    **{
        name: f"UPDATE stock SET {name} = $3 + {name} - $4 WHERE item_id = $1 AND node_id = $2"
        for name in (*CONDITIONS, "pinned")
    },
    **{
        name: f"UPDATE item_promise SET {name} = $3 + {name} - $4 WHERE item_id = $1 AND $2::bigint IS NULL"
        for name in ("unpinned", "backordered", "soft")
    },
}
"""By the difference, not to the figure: what moved since the books were read is kept."""


async def verify_stock(connection: PooledConnection) -> list[Drift]:
    """Every difference between a kept figure and what it is made of; empty when the books are right.

    Each figure is compared inside one statement, so that orders under way do not show as drifts.
    """
    return [Drift(*row) for query in QUERIES for row in await connection.fetch(query)]


async def rebuild(connection: PooledConnection, drift: Drift) -> bool:
    """Bring a kept figure to what it is made of; False when nothing of the kind is kept there.

    The ledger and the slices are the truth: the same drift found again leads to the same change.
    """
    sql = REBUILD.get(drift.kind)
    if sql is None:
        return False
    if drift.node is not None:
        await connection.execute(
            "INSERT INTO stock (item_id, node_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", drift.item, drift.node
        )
    else:
        await connection.execute("INSERT INTO item_promise (item_id) VALUES ($1) ON CONFLICT DO NOTHING", drift.item)
    await connection.execute(sql, drift.item, drift.node, drift.rebuilt, drift.kept)
    return True
