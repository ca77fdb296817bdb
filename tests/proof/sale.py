"""A sale: a hundred lamps on three shelves, and many more who want one, by every way that an order can come in."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from adapters.order_files.simulator import OrderFilesPartner
from adapters.shopify.simulator import ShopifySimulator
from hub.store.admin.tokens import Role, create_token
from hub.store.verify import verify_stock
from tests.proof.crowd import http, send_all, webhook
from tests.scenarios.house import House

SHELVES: Final = (34, 33, 33)
LAMP: Final = "LAMP"
OTHER: Final = "BULB"
"""What is bought before an edit adds the lamp; there is enough of it."""
REST_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Sale:
    """A furnished hub that is running, and the shop that sells."""

    house: House
    shop: ShopifySimulator
    url: str
    token: str

    @property
    def webhooks(self) -> str:
        """Where the shop's deliveries go."""
        return f"{self.url}/webhooks/shop"

    def quietly(self, sku: str, count: int) -> list[int]:
        """Orders of one unit each that the shop tells nobody of."""
        self.shop.hub_url = None
        return [self.shop.place_order([(sku, 1)]).id for _ in range(count)]

    def deliveries(self, orders: Iterable[int], topic: str) -> list[bytes]:
        """A webhook for each order, shuffled."""
        self.shop.hub_url = self.webhooks
        books = self.shop.orders
        made = [webhook(self.shop.signed(topic, self.shop.body(books[one], topic), self.shop.uuid())) for one in orders]
        self.shop.hub_url = None
        random.Random(len(made)).shuffle(made)
        return made

    async def pull(self, connection: str) -> None:
        """Run a connection's pull of orders once, to its end."""
        await self.house.run(
            "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ($1, 'orders', 3600)", connection
        )
        loop = asyncio.get_running_loop()
        until = loop.time() + REST_SECONDS
        # A long pull ends its turn and is due again at once, until it has read everything.
        under_way = "SELECT finished_at IS NULL OR next_due_at <= now() FROM schedule WHERE connection_id = $1"
        while await self.house.value(under_way, connection):
            assert loop.time() < until, "the pull does not end"
            await asyncio.sleep(0.05)

    async def at_rest(self) -> None:
        """Wait until everything that came in is worked on."""
        loop = asyncio.get_running_loop()
        until = loop.time() + REST_SECONDS
        while await self.house.value("SELECT count(*) FROM inbox WHERE NOT parked"):
            assert loop.time() < until, "the hub does not come to rest"
            await asyncio.sleep(0.05)


async def furnish(house: House, shop: ShopifySimulator, url: str) -> Sale:
    """Three nodes of one paused partner, lamps on their shelves, an operator's token."""
    await house.connect(
        "shop",
        "shopify",
        {"shop": shop.shop, "client_secret": shop.client_secret, "access_token": "tok", "base_url": shop.base_url},
    )
    await house.connect(
        "depot", "shiphero", {"account": "depot", "username": "u", "password": "p", "webhook_secret": "whs"}
    )
    await house.run("UPDATE connection SET paused = true WHERE id = 'depot'")
    lamp, other = await house.item(LAMP), await house.item(OTHER)
    shop.sell(LAMP, available=1_000_000)
    shop.sell(OTHER, available=1_000_000)
    for number, units in enumerate(SHELVES):
        node = await house.node(f"NODE-{number}", latitude=40.0 + number, longitude=-74.0 - number)
        await house.bind(node, "depot", f"7673{number}")
        await house.shelf(node, lamp, units)
        await house.shelf(node, other, 1_000_000)
    async with house.parts.database.transaction() as connection:
        made = await create_token(
            connection, name="proof", role=Role.ADMIN, merchant="default", new_id=house.parts.new_id
        )
    return Sale(house=house, shop=shop, url=url, token=made.token)


# --- ways in ---------------------------------------------------------------------------------------------------------

Way = Callable[[Sale, int, int], Awaitable[Counter[int]]]
"""(sale, orders, connections) -> answers by status. Every order wants one lamp."""


async def by_webhook(sale: Sale, count: int, connections: int) -> Counter[int]:
    """The shop's deliveries."""
    requests = sale.deliveries(sale.quietly(LAMP, count), "orders/create")
    return await send_all(sale.url, requests, connections)


async def by_api(sale: Sale, count: int, connections: int) -> Counter[int]:
    """Direct capture."""
    headers = {"Authorization": f"Bearer {sale.token}", "Content-Type": "application/json"}
    line = {"external_id": "1", "sku": LAMP, "quantity": 1}
    contacts = {"ship": {"name": "Ada", "lines": ["12 Mill Lane"], "city": "Portland", "country": "US"}}
    bodies = [
        msgspec.json.encode({"external_id": f"A-{number}", "currency": "USD", "lines": [line], "contacts": contacts})
        for number in range(count)
    ]
    requests = [http("POST", f"{sale.url}/api/v1/orders", body, headers) for body in bodies]
    return await send_all(sale.url, requests, connections)


async def by_pull(sale: Sale, count: int, connections: int) -> Counter[int]:
    """No webhook comes: the scheduled pull finds them."""
    sale.quietly(LAMP, count)
    await sale.pull("shop")
    return Counter()


async def by_file(sale: Sale, count: int, connections: int) -> Counter[int]:
    """Files are dropped at a file server: 32, or a hundred for a crowd."""
    files = min(connections, 100)
    async with OrderFilesPartner() as partner:
        await sale.house.connect(
            "files",
            "order_files",
            {
                "channel": "wholesale",
                "base_url": partner.base_url,
                "username": partner.username,
                "password": partner.password,
                "host_keys": [partner.host_key],
                "settle_seconds": 0,
            },
        )
        orders = [partner.place_order([(LAMP, 1)]) for _ in range(count)]
        for number in range(files):
            partner.drop_orders(f"{number}.csv", orders[number::files])
        await sale.pull("files")
        assert partner.violations == []
        assert len(partner.within("orders/archive")) == files
    return Counter()


async def by_edit(sale: Sale, count: int, connections: int) -> Counter[int]:
    """Something else was ordered; the merchant adds the lamp."""
    orders = sale.quietly(OTHER, count)
    found = await send_all(sale.url, sale.deliveries(orders, "orders/create"), connections)
    await sale.at_rest()
    for order in orders:
        sale.shop.edit_order(order, {}, [(LAMP, 1)])
    return found + await send_all(sale.url, sale.deliveries(orders, "orders/updated"), connections)


WAYS: Final[Mapping[str, Way]] = {
    "webhook": by_webhook,
    "api": by_api,
    "pull": by_pull,
    "file": by_file,
    "edit": by_edit,
}


# --- the books -------------------------------------------------------------------------------------------------------


async def check(sale: Sale, count: int, answers: Counter[int]) -> None:
    """All orders are stored; what there is is promised, exactly, shelf by shelf; the others wait under a name."""
    assert not [status for status in answers if not 200 <= status < 300], answers
    value, rows = sale.house.value, sale.house.rows
    demanded = (
        "FROM slice s JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no "
        f"WHERE d.sku = '{LAMP}' AND s.state <> 'cancelled'"
    )
    assert await value(f"SELECT count(DISTINCT s.order_id) {demanded}") == count
    promised = min(count, sum(SHELVES))
    assert await value(f"SELECT sum(s.quantity)::int {demanded} AND s.state <> 'unallocated'") == promised
    assert await value(f"SELECT coalesce(sum(s.quantity), 0)::int {demanded} AND s.state = 'unallocated'") == (
        count - promised
    )
    shelves = await rows(
        "SELECT s.sellable, s.pinned FROM stock s JOIN item i ON i.id = s.item_id WHERE i.sku = $1 ORDER BY s.node_id",
        LAMP,
    )
    assert [(row["sellable"], row["pinned"]) for row in shelves] == [(units, units) for units in SHELVES]
    queues = await rows("SELECT queue, count(*) AS waiting FROM waiting GROUP BY 1")
    assert [(row["queue"], row["waiting"]) for row in queues] == [("shortage", count - promised)]
    async with sale.house.parts.database.connection() as connection:
        assert await verify_stock(connection) == []
