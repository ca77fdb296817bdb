"""Orders captured by the hub's own interface, revision by revision, for scenarios that need more than a shop says."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.store.admin.direct import capture_direct
from hub.store.contacts import contacts as stored_contacts
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


async def direct(
    town: Town,
    name: str,
    *lines: tuple[str, int] | OrderLine,
    groups: tuple[DeliveryGroup, ...] = (),
    contacts: Mapping[str, Contact] | None = None,
    deliver_by: datetime | None = None,
    **content: Any,
) -> dict[str, Any]:
    """Capture an order and do everything about it, deliveries included; the hub's row."""
    bought = tuple(
        one if isinstance(one, OrderLine) else OrderLine(external_id=one[0], sku=one[0], quantity=one[1])
        for one in lines
    )
    home = DeliveryGroup(contact="ship", place=HOME.place, deliver_by=deliver_by)
    fields = {"lines": bought, "groups": groups or (home,), "amounts": AmountSet(shop=Amounts(currency="USD"))}
    await _captured(town, name, fields | content, contacts or {"ship": HOME})
    await town.settle()
    return await _row(town, name)


async def told(
    town: Town,
    name: str,
    *lines: OrderLine,
    ship: Contact | None = HOME,
    bill: Contact | None = None,
    group: dict[str, Any] | None = None,
    shipping: int = 0,
    **content: Any,
) -> dict[str, Any]:
    """Tell a revision of an order and take it as far as it goes without sending anything; the order's row."""
    total = sum(one.subtotal for one in lines)
    fields = {
        "placed_at": datetime.now(UTC) - timedelta(minutes=5),
        "amounts": AmountSet(shop=Amounts(currency="USD", subtotal=total, shipping=shipping)),
        "lines": lines,
        "groups": (DeliveryGroup(contact="ship", place=ship.place if ship else None, **(group or {})),),
    }
    people = {key: one for key, one in (("ship", ship), ("bill", bill)) if one is not None}
    await _captured(town, name, fields | content, people)
    await town.house.path()
    return await _row(town, name)


async def _captured(town: Town, name: str, content: Mapping[str, Any], people: Mapping[str, Contact]) -> None:
    now = datetime.now(UTC)
    fields = {"external_id": name, "version": 1, "number": name, "placed_at": now, "currency": "USD", **content}
    snapshot = OrderSnapshot(content=OrderContent(**fields), contacts=dict(people))
    parts = town.house.parts
    async with parts.database.transaction() as connection:
        await capture_direct(connection, "default", snapshot, now, parts.new_id)


async def _row(town: Town, name: str) -> dict[str, Any]:
    (row,) = await town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", name)
    return row


async def newest_street(town: Town, order: dict[str, Any]) -> list[str]:
    """The street that requests to nodes are built with now."""
    async with town.house.parts.database.connection() as connection:
        people = await stored_contacts(connection, [order["id"]])
    return list(people[order["id"]]["ship"].lines)
