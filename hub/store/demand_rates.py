"""How fast items sell, measured now and then for computed buffers: never on the way of an order."""

from datetime import datetime, timedelta
from typing import Final

from hub.domain.ids import make_id
from hub.store.database import PooledConnection

# The faster of the last day and the mean of the last week. Orders carry their time in their id, so that this reads a
# range of the demands and not all of them.
MEASURE: Final = (
    "INSERT INTO demand_rate AS r (item_id, units_per_day, measured_at) SELECT d.item_id, "
    "greatest(coalesce(sum(d.quantity) FILTER (WHERE d.order_id >= $2), 0), ceil(sum(d.quantity) / 7.0))::bigint, $3 "
    "FROM demand d WHERE d.order_id >= $1 AND d.item_id IS NOT NULL GROUP BY d.item_id ORDER BY d.item_id "
    "ON CONFLICT (item_id) DO UPDATE SET units_per_day = EXCLUDED.units_per_day, measured_at = EXCLUDED.measured_at"
)
STALE: Final = "DELETE FROM demand_rate WHERE measured_at < $1"
ASKED: Final = "SELECT EXISTS (SELECT 1 FROM stock_point WHERE oversell_ppm IS NOT NULL)"


async def measure_demand(connection: PooledConnection, now: datetime) -> bool:
    """Measure, if some stock point's buffer asks for it; whether it did."""
    if not await connection.fetchval(ASKED):
        return False
    week, day = now - timedelta(days=7), now - timedelta(days=1)
    await connection.execute(MEASURE, make_id(week, 0), make_id(day, 0), now)
    await connection.execute(STALE, now)
    return True
