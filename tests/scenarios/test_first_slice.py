"""The thinnest slice: a signed webhook becomes an order, a decision, an instruction at a node, a confirmation back."""

from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shopify.simulator import ShopifySimulator
from tests.scenarios.house import House


async def test_an_order_travels_from_its_webhook_to_the_channels_confirmation(house: House) -> None:
    shop = ShopifySimulator(client_secret="hush", access_token="tok", shop="acme.myshopify.com")
    depot = ShipHeroSimulator(
        username="u", password="p", webhook_secret="whs", account="depot", warehouses={"76733": "Primary"}
    )
    async with shop, depot:
        hub = await house.serve()
        await house.connect(
            "shop",
            "shopify",
            {"shop": shop.shop, "client_secret": "hush", "access_token": "tok", "base_url": shop.base_url},
        )
        await house.connect(
            "depot",
            "shiphero",
            {
                "account": "depot",
                "username": "u",
                "password": "p",
                "webhook_secret": "whs",
                "base_url": depot.base_url,
            },
        )
        shop.hub_url, depot.hub_url = f"{hub}/webhooks/shop", f"{hub}/webhooks/depot"
        node = await house.node("EAST-1", latitude=40.7, longitude=-74.0)
        await house.bind(node, "depot", "76733")
        item = await house.item("MUG")
        await house.shelf(node, item, 10)
        shop.sell("MUG", available=10)
        depot.stock("76733", "MUG", 10)

        placed = shop.place_order([("MUG", 3)])
        await shop.delivered()
        await house.everything()

        (order,) = await house.rows("SELECT * FROM customer_order")
        assert order["external_id"] == str(placed.id)
        (fulfilment,) = await house.rows("SELECT * FROM fulfilment_order")
        assert fulfilment["handoff"] == "accepted"
        reference = f"{order['id']}-1"
        assert depot.orders_created[reference] == 1
        (decision,) = await house.rows("SELECT * FROM decision")
        assert decision["proven"]

        (sent,) = depot.found(reference)
        depot.ship(sent)
        await depot.delivered()
        await house.everything()

        assert await house.value("SELECT state FROM customer_order") == "closed"
        assert [row["state"] for row in await house.rows("SELECT state FROM slice")] == ["shipped"]
        (stock,) = await house.rows("SELECT sellable, pinned FROM stock")
        assert (stock["sellable"], stock["pinned"]) == (7, 0)
        (fulfilled,) = shop.fulfilments[placed.id]
        assert sum(fulfilled.lines.values()) == 3
