"""Open purchase orders: what is still to come, to which location, and when."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Final

from adapters.business_central.amounts import ITEM
from adapters.business_central.client import BusinessCentral
from adapters.business_central.records import AT_ONCE
from adapters.business_central.schemas import CatalogueItem, Location, PurchaseLine, PurchaseOrder
from adapters.business_central.settings import Settings
from adapters.business_central.translate import equals
from hub.domain.facts import SupplyLine
from hub.sdk.capabilities import Context, Page
from hub.sdk.outcomes import blocked
from hub.sdk.supply_reads import supply_pages, whole_units

RELEASED: Final = "Open"
UNRELEASED: Final = ("Draft", "In Review")
LINES: Final = "purchaseOrderLines"
NO_LOCATION: Final = "no location"


async def pull_supply(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """All purchase orders that are released, told where they changed. What is invoiced is deleted there."""
    central = BusinessCentral(context)
    orders = [one for one in await central.rows(PurchaseOrder, "", expand=LINES) if _released(one)]
    open_lines = [(order, line) for order in orders for line in order.purchase_order_lines if _left(line) > 0]
    places = {one.id: one.code for one in await central.rows(Location, "")} if open_lines else {}
    units = await _base_units(central, sorted({line.line_object_number for _, line in open_lines}))
    told: dict[str, list[SupplyLine]] = defaultdict(list)
    for order, line in open_lines:
        number, unit = line.line_object_number, line.unit_of_measure_code
        told[order.number].append(
            SupplyLine(
                location=places.get(line.location_id, context.settings.stock_location or NO_LOCATION),
                sku=number,
                quantity=_left(line),
                due=_due(order, line),
                unit=None if unit in ("", units.get(number)) else unit,
            )
        )
    for page in supply_pages(told, cursor, context.now()):
        yield page


def _released(order: PurchaseOrder) -> bool:
    """Whether the supplier was told of it. Raises NeedsPerson for a status that we do not know."""
    if order.status != RELEASED and order.status not in UNRELEASED:
        raise blocked(f"purchase order {order.number} has the status {order.status!r}", "look at it there")
    return order.status == RELEASED and not order.fully_received


def _left(line: PurchaseLine) -> int:
    """Whole units, in the line's own unit, of items only: a charge or a G/L account brings no goods."""
    return whole_units(line.quantity - line.received_quantity) if line.line_type == ITEM else 0


def _due(order: PurchaseOrder, line: PurchaseLine) -> date:
    """0001-01-01 is no date; without any the line is expected, and as overdue supply never promised."""
    stated = line.expected_receipt_date
    return stated if stated > date.min else order.requested_receipt_date


async def _base_units(central: BusinessCentral, numbers: list[str]) -> Mapping[str, str]:
    """Unit that each item is kept in: the hub's own, whatever either calls it."""
    found: dict[str, str] = {}
    for start in range(0, len(numbers), AT_ONCE):
        part = numbers[start : start + AT_ONCE]
        items = await central.rows(CatalogueItem, equals("number", part))
        found |= {item.number: item.base_unit_of_measure_code for item in items}
    return found
