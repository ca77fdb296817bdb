"""What suppliers agreed to take for a unit, by merchant, supplier and item."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from hub.store.database import PooledConnection

Prices = Mapping[tuple[str, int, int], Mapping[str, Decimal]]
"""(merchant, node, item) -> price of a unit by currency."""

AGREED: Final = (
    "SELECT merchant, node_id, item_id, currency, unit_cost FROM supplier_price "
    "WHERE node_id = ANY($1::bigint[]) AND item_id = ANY($2::bigint[])"
)


async def agreed_prices(connection: PooledConnection, suppliers: Collection[int], items: Collection[int]) -> Prices:
    """Prices of items at suppliers; asks nothing where there is no supplier."""
    found: dict[tuple[str, int, int], dict[str, Decimal]] = {}
    if suppliers and items:
        for row in await connection.fetch(AGREED, list(suppliers), list(items)):
            at = found.setdefault((row["merchant"], row["node_id"], row["item_id"]), {})
            at[row["currency"]] = row["unit_cost"]
    return found
