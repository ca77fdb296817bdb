"""An order that has left, from which something may come back."""

from datetime import UTC, datetime
from typing import Any

from hub.domain.facts import ParcelScanned
from hub.domain.shipping import ScanEvent, TrackingStatus
from tests.scenarios.town import Town


async def sold(town: Town, units: int = 3, sku: str = "PASS") -> tuple[Any, dict[str, Any], str]:
    """An order that has left: the shop's, the hub's, and its line."""
    placed, order = await town.buy([(sku, units)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    return placed, await town.order(placed), str(placed.lines[0].id)


async def shelf(town: Town, sku: str = "PASS") -> tuple[int, int, int, int]:
    """Sellable, pinned, damaged and in quarantine at the eastern node."""
    (row,) = await town.house.rows(
        "SELECT sellable, pinned, damaged, quarantine FROM stock WHERE item_id = $1 AND node_id = $2",
        town.items[sku],
        town.east,
    )
    return row["sellable"], row["pinned"], row["damaged"], row["quarantine"]


async def states(town: Town, order: str) -> dict[str, int]:
    """Units of an order by state."""
    rows = await town.house.rows(
        "SELECT state, sum(quantity)::int AS units FROM slice WHERE order_id = $1 GROUP BY state", order
    )
    return {row["state"]: row["units"] for row in rows}


def scanned(tracking: str, status: TrackingStatus) -> ParcelScanned:
    """What a carrier says of a parcel now."""
    at = datetime.now(UTC)
    return ParcelScanned(
        at=at, tracking=tracking, carrier="ups", event=ScanEvent(at=at, status=status, raw=status.value)
    )
