"""A small world for scenarios: a shop, a partner with two warehouses, goods on their shelves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_documents import Order as DepotOrder
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.house import House

EAST, WEST = "76733", "76734"
"""The partner's names of the two nodes."""

TILL = 501
"""The shop's only location."""

Lines = Sequence[tuple[str, int]]


@dataclass(kw_only=True)
class Town:
    """Handles on everything a scenario touches."""

    house: House
    shop: ShopifySimulator
    depot: ShipHeroSimulator
    east: int = 0
    west: int = 0
    items: dict[str, int] = field(default_factory=dict)

    async def close(self) -> None:
        """Close shop and depot."""
        await self.shop.stop()
        await self.depot.stop()

    def shop_config(self, **changes: object) -> dict[str, object]:
        """What a connection to the shop is configured with."""
        return {
            "shop": self.shop.shop,
            "client_secret": self.shop.client_secret,
            "access_token": self.shop.access_token,
            "base_url": self.shop.base_url,
            **changes,
        }

    async def goods(self, sku: str, east: int = 0, west: int = 0, **columns: object) -> int:
        """An item for sale, with units on the shelves of both warehouses."""
        self.shop.sell(sku, available=east + west)
        item = self.items[sku] = await self.house.item(sku, **columns)
        for node, location, units in ((self.east, EAST, east), (self.west, WEST, west)):
            if units:
                await self.house.shelf(node, item, units)
                self.depot.stock(location, sku, units)
        return item

    async def settle(self) -> None:
        """Deliver every webhook and do all work, until nothing moves."""
        await self.shop.delivered()
        await self.depot.delivered()
        await self.house.everything()

    async def buy(self, lines: Lines, **how: Any) -> tuple[ShopOrder, dict[str, Any]]:
        """A customer orders, and the hub does what it can about it."""
        placed = self.shop.place_order(lines, **how)
        await self.settle()
        return placed, await self.order(placed)

    async def transfer(self, counter: Counter, to: str, units: int) -> str:
        """Units of the passer-by's goods have left the eastern node for another; the order that is."""
        lines = [{"sku": "PASS", "quantity": units}]
        asked = await counter.capture("/transfers", {"from": "EAST", "to": to, "lines": lines, "reference": "T-1"})
        order: str = asked.json()["id"]
        await self.settle()
        self.depot.ship(self.asked(order))
        await self.settle()
        return order

    async def order(self, placed: ShopOrder) -> dict[str, Any]:
        """The hub's row of a shop's order; there is exactly one."""
        (row,) = await self.house.rows("SELECT * FROM customer_order WHERE external_id = $1", str(placed.id))
        return row

    async def slices(self, order: str) -> list[tuple[int, str, int | None]]:
        """(units, state, node) of an order's slices, cancelled ones left out."""
        rows = await self.house.rows(
            "SELECT quantity, state, node_id FROM slice WHERE order_id = $1 AND state <> 'cancelled' ORDER BY no", order
        )
        return [(row["quantity"], row["state"], row["node_id"]) for row in rows]

    async def stock(self, sku: str, node: int) -> tuple[int, int]:
        """(sellable, pinned) of an item at a node."""
        (row,) = await self.house.rows(
            "SELECT sellable, pinned FROM stock WHERE item_id = $1 AND node_id = $2", self.items[sku], node
        )
        return row["sellable"], row["pinned"]

    async def fulfilments(self, order: str) -> list[dict[str, Any]]:
        """Fulfilment orders of an order."""
        return await self.house.rows("SELECT * FROM fulfilment_order WHERE order_id = $1 ORDER BY no", order)

    async def timeline(self, order: str) -> list[str]:
        """What happened to an order, in order."""
        rows = await self.house.rows("SELECT kind FROM timeline WHERE order_id = $1 ORDER BY id", order)
        return [row["kind"] for row in rows]

    async def waiting(self) -> list[tuple[str, str]]:
        """(queue, cause) of everything that waits."""
        rows = await self.house.rows("SELECT queue, cause FROM waiting ORDER BY order_id, demand_no")
        return [(row["queue"], row["cause"]) for row in rows]

    async def trouble(self) -> dict[str, Any]:
        """The only open exception."""
        (row,) = await self.house.open_exceptions()
        return row

    def asked(self, order: str, no: int = 1) -> DepotOrder:
        """What the depot was asked under a fulfilment order's number; asked once."""
        (found,) = self.depot.found(f"{order}-{no}")
        assert self.depot.orders_created[f"{order}-{no}"] == 1
        return found

    def passer_by(self) -> ShopOrder:
        """A good order beside the troubled one."""
        return self.shop.place_order([("PASS", 1)])

    async def passed(self, placed: ShopOrder) -> None:
        """The good order was not held up."""
        order = await self.order(placed)
        assert self.asked(order["id"]).status == "pending"
        assert await self.slices(order["id"]) == [(1, "accepted", self.east)]


async def build_town(house: House) -> Town:
    """Open shop and depot, connect them, and put a hundred units of a passer-by's goods on the eastern shelf."""
    shop = ShopifySimulator(client_secret="hush", access_token="tok", shop="acme.myshopify.com")
    depot = ShipHeroSimulator(
        username="u", password="p", webhook_secret="whs", account="depot", warehouses={EAST: "East", WEST: "West"}
    )
    town = Town(house=house, shop=shop, depot=depot)
    await shop.start()
    await depot.start()
    hub = await house.serve()
    await house.connect("shop", "shopify", town.shop_config())
    await house.connect(
        "depot",
        "shiphero",
        {"account": "depot", "username": "u", "password": "p", "webhook_secret": "whs", "base_url": depot.base_url},
    )
    shop.hub_url, depot.hub_url = f"{hub}/webhooks/shop", f"{hub}/webhooks/depot"
    town.east = await house.node("EAST", latitude=40.7, longitude=-74.0)
    town.west = await house.node("WEST", latitude=45.5, longitude=-122.7)
    await house.bind(town.east, "depot", EAST)
    await house.bind(town.west, "depot", WEST)
    await town.goods("PASS", east=100)
    return town
