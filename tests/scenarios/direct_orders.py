"""Canonical orders told to the town's hub directly, revision after revision."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.store.admin.direct import capture_direct
from hub.store.contacts import contacts
from tests.scenarios.town import Town

HOME = Contact(
    name="Ada Byron",
    email="ada@example.org",
    lines=("1 Main St",),
    city="Springfield",
    region="IL",
    postal_code="62704",
    country="US",
)
AWAY = msgspec.structs.replace(HOME, lines=("99 New Road",))


def line(name: str, quantity: int, sku: str = "PASS", each: int = 1000) -> OrderLine:
    """A line, paid for by the unit."""
    return OrderLine(external_id=name, quantity=quantity, sku=sku, subtotal=quantity * each)


async def told(
    town: Town,
    name: str,
    *lines: OrderLine,
    version: int = 1,
    ship: Contact | None = HOME,
    bill: Contact | None = None,
    group: dict[str, Any] | None = None,
    shipping: int = 0,
    **content: Any,
) -> dict[str, Any]:
    """Tell a revision of an order and take it as far as it goes without sending anything; the order's row."""
    total = sum(one.subtotal for one in lines)
    placed_at = datetime.now(UTC) - timedelta(minutes=5)
    fields: dict[str, Any] = {
        "external_id": name,
        "version": version,
        "number": name,
        "placed_at": placed_at,
        "currency": "USD",
        "amounts": AmountSet(shop=Amounts(currency="USD", subtotal=total, shipping=shipping)),
        "lines": lines,
        "groups": (DeliveryGroup(contact="ship", place=ship.place if ship else None, **(group or {})),),
    }
    contacts = {key: one for key, one in (("ship", ship), ("bill", bill)) if one is not None}
    snapshot = OrderSnapshot(content=OrderContent(**{**fields, **content}), contacts=contacts)
    parts = town.house.parts
    async with parts.database.transaction() as connection:
        await capture_direct(connection, "default", snapshot, datetime.now(UTC), parts.new_id)
    await town.house.path()
    (row,) = await town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", name)
    return row


async def newest_street(town: Town, order: dict[str, Any]) -> list[str]:
    """The street that requests to nodes are built with now."""
    async with town.house.parts.database.connection() as connection:
        people = await contacts(connection, [order["id"]])
    return list(people[order["id"]]["ship"].lines)
