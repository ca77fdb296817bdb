"""Routing decisions as stored: input, outcome, and the policies they name."""

from datetime import datetime
from typing import NamedTuple

from hub.store.database import PooledConnection


class DecisionRow(NamedTuple):
    """A stored decision."""

    order: str
    no: int
    group: str
    at: datetime
    policy: str
    engine: str
    cost: int
    gap: int
    proven: bool
    input: bytes
    document: bytes


COLUMNS = (
    "d.order_id, d.no, d.group_key, d.at, d.policy, d.engine, d.cost, d.gap, d.proven, d.input, d.document "
    "FROM decision d "
)


async def decisions_of(connection: PooledConnection, order: str) -> list[DecisionRow]:
    """Decisions of an order, the first first."""
    rows = await connection.fetch("SELECT " + COLUMNS + "WHERE d.order_id = $1 ORDER BY d.no", order)
    return [DecisionRow(*row) for row in rows]


async def demand_skus(connection: PooledConnection, order: str) -> dict[int, str | None]:
    """SKU of each demand of an order."""
    rows = await connection.fetch(
        "SELECT d.no, coalesce(i.sku, d.sku) AS sku FROM demand d LEFT JOIN item i ON i.id = d.item_id "
        "WHERE d.order_id = $1",
        order,
    )
    return {row["no"]: row["sku"] for row in rows}
