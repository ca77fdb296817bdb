"""Suppliers in the town: one by files, one by API, one by mail. Only they have VASE and JAR."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

from adapters.supplier.simulator import SupplierApi, SupplierFiles
from hub.domain.order import OrderLine
from tests.scenarios.direct import direct
from tests.scenarios.listeners import MailServer
from tests.scenarios.town import Town

S = TypeVar("S")

COST = """UPDATE item SET document = jsonb_set(document, '{unit_cost}', '{"USD": "12.00"}') WHERE sku = 'VASE'"""


def soon(days: int) -> date:
    """So many days from today."""
    return (datetime.now(UTC) + timedelta(days=days)).date()


@dataclass(kw_only=True)
class Dropship(Generic[S]):
    """A supplier of the town and what the hub knows of it."""

    town: Town
    supplier: S
    node: int

    async def bought(self, name: str, *lines: tuple[str, int], days: int = 10, **content: Any) -> tuple[str, str]:
        """An order that only the supplier can send: (its id, its fulfilment order)."""
        sold = [OrderLine(external_id=sku, sku=sku, quantity=units, subtotal=units * 2000) for sku, units in lines]
        order = await direct(self.town, name, *sold, deliver_by=datetime.now(UTC) + timedelta(days=days), **content)
        asked = await self.town.fulfilments(order["id"])
        return order["id"], f"{order['id']}-{asked[-1]['no']}"

    async def where(self, order: str) -> list[tuple[int, str]]:
        """(units, state) of an order."""
        return sorted((units, state) for units, state, _ in await self.town.slices(order))

    async def kinds(self) -> dict[str, dict[str, Any]]:
        """Open exceptions by kind."""
        return {row["kind"]: row for row in await self.town.house.open_exceptions()}

    async def promised(self, order: str) -> list[date | None]:
        """Days that units of an order are promised by instead of the channel's."""
        rows = await self.town.house.rows("SELECT promised_at FROM slice WHERE order_id = $1 ORDER BY no", order)
        return [row["promised_at"].date() if row["promised_at"] else None for row in rows]


async def settled(town: Town, config: dict[str, object], supplier: S) -> Dropship[S]:
    """Connect a supplier, with ten of VASE and JAR at its node; a unit of VASE costs 12 dollars."""
    await town.house.connect("acme", "supplier", {"supplier": "acme-supply", "currency": "USD", **config})
    node = await town.house.node("ACME", kind="supplier", latitude=41.8, longitude=-87.6)
    await town.house.bind(node, "acme", "acme-supply")
    await town.house.bind(node, "acme", "acme-supply", role="stock_master")
    for sku in ("VASE", "JAR"):
        await town.house.shelf(node, await town.goods(sku), 10)
    await town.house.run(COST)
    return Dropship(town=town, supplier=supplier, node=node)


@asynccontextmanager
async def by_files(town: Town, **config: object) -> AsyncIterator[Dropship[SupplierFiles]]:
    """A supplier that reads and writes files."""
    async with SupplierFiles(password="supplier-password") as made:
        login = {"base_url": made.base_url, "username": made.username, "password": made.password}
        terms = {"sends": "file", "host_keys": [made.host_key], "settle_seconds": 0}
        yield await settled(town, {**login, **terms, **config}, made)
        assert made.violations == []


@asynccontextmanager
async def by_api(town: Town, **config: object) -> AsyncIterator[Dropship[SupplierApi]]:
    """A supplier with an API, which posts its answers."""
    async with SupplierApi() as made:
        made.hub_url = f"{town.house.url}/webhooks/acme"
        secrets = {"signing_secret": made.signing, "webhook_secret": made.secret}
        yield await settled(town, {"sends": "api", "base_url": made.base_url, **secrets, **config}, made)
        assert made.violations == []


@asynccontextmanager
async def by_mail(town: Town, **config: object) -> AsyncIterator[Dropship[MailServer]]:
    """A supplier that reads mail."""
    made = MailServer()
    await made.start()
    server = {"host": "127.0.0.1", "port": made.port, "security": "none", "sender": "orders@shop.example"}
    try:
        yield await settled(town, {"sends": "mail", "mail": server, "to": "desk@acme.example", **config}, made)
    finally:
        await made.stop()


async def heard(shop: Dropship[SupplierFiles]) -> None:
    """The supplier reads its files, and the hub the supplier's."""
    shop.supplier.work()
    await shop.town.house.pull("acme", "status")
    await shop.town.settle()


async def posted(shop: Dropship[SupplierApi]) -> None:
    """The hub takes what the supplier posted."""
    await shop.supplier.delivered()
    await shop.town.settle()
