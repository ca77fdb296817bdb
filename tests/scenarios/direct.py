"""Orders captured by the hub's own interface, for scenarios that need more than a shop can say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.domain.contact import Contact, Place
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.store.admin.direct import capture_direct
from tests.scenarios.town import Town

SHIP_TO = Contact(name="Ann Example", lines=("1 Main St",), city="Austin", postal_code="73301", country="US")
PLACE = Place(country="US", region="TX", postal_code="73301")


async def direct(
    town: Town,
    name: str,
    *lines: tuple[str, int] | OrderLine,
    groups: tuple[DeliveryGroup, ...] = (),
    contacts: Mapping[str, Contact] | None = None,
    deliver_by: datetime | None = None,
    work: bool = True,
    **content: Any,
) -> dict[str, Any]:
    """Capture an order, and do what can be done about it; the hub's row."""
    now = datetime.now(UTC)
    bought = tuple(
        line if isinstance(line, OrderLine) else OrderLine(external_id=line[0], sku=line[0], quantity=line[1])
        for line in lines
    )
    told = OrderContent(
        external_id=name,
        version=content.pop("version", 1),
        number=name,
        placed_at=content.pop("placed_at", now),
        currency="USD",
        amounts=content.pop("amounts", AmountSet(shop=Amounts(currency="USD"))),
        lines=bought,
        groups=groups or (DeliveryGroup(contact="ship", place=PLACE, deliver_by=deliver_by),),
        **content,
    )
    snapshot = OrderSnapshot(content=told, contacts=dict(contacts or {"ship": SHIP_TO}))
    async with town.house.parts.database.transaction() as connection:
        await capture_direct(connection, "default", snapshot, now, town.house.parts.new_id)
    if work:
        await town.settle()
    (row,) = await town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", name)
    return row
