"""A seller with a till: what goes over the counter, what is ordered at it from elsewhere, what is brought back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from adapters.odoo.harness import settings as odoo_settings
from adapters.odoo.harness import simulator as odoo_simulator
from adapters.square.simulator import SquareSimulator
from tests.scenarios.counter import Counter
from tests.scenarios.seller import open_seller
from tests.scenarios.test_refunds import vars_of
from tests.scenarios.town import Town


@dataclass(kw_only=True)
class Till:
    """The seller, connected to the town's hub; its store is the eastern node."""

    town: Town
    seller: SquareSimulator

    def counted(self, sku: str) -> int:
        """What Square believes may be sold of an item in the store."""
        (item,) = (one.id for one in self.seller.variations.values() if one.sku == sku)
        return self.seller.counts[item, "L1"]

    async def order(self, placed: dict[str, Any]) -> dict[str, Any]:
        """The hub's row of an order, when all has been told and done."""
        await self.seller.delivered()
        await self.town.settle()
        (row,) = await self.town.house.rows("SELECT * FROM customer_order WHERE external_id = $1", placed["id"])
        return row


@pytest.fixture
async def till(town: Town) -> AsyncIterator[Till]:
    async with open_seller(town) as seller:
        await town.house.stock_point("till", "L1", town.east)
        await town.goods("MUG-RED", east=10, west=10)
        yield Till(town=town, seller=seller)


async def test_a_sale_made_offline_takes_its_stock_at_the_store_when_it_arrives(till: Till) -> None:
    made = till.seller.now() - timedelta(hours=70)
    sale = till.seller.ring_up([("MUG-RED", 2)], at=made, tip=100)
    order = await till.order(sale)
    assert order["state"] == "closed"
    assert abs(order["placed_at"] - made) < timedelta(seconds=1)
    assert await till.town.slices(order["id"]) == [(2, "collected", till.town.east)]
    assert await till.town.stock("MUG-RED", till.town.east) == (8, 0)
    assert len(till.town.depot.orders) == 0
    assert till.counted("MUG-RED") == 8


async def test_an_open_ticket_sells_nothing_until_it_is_closed(till: Till) -> None:
    ticket = till.seller.ring_up([("MUG-RED", 3)])
    ticket["state"] = "OPEN"
    order = await till.order(ticket)
    assert await till.town.slices(order["id"]) == []
    assert await till.town.stock("MUG-RED", till.town.east) == (10, 0)
    ticket["state"] = "COMPLETED"
    till.seller.edit(ticket)
    order = await till.order(ticket)
    assert await till.town.slices(order["id"]) == [(3, "collected", till.town.east)]
    assert await till.town.stock("MUG-RED", till.town.east) == (7, 0)
    assert order["state"] == "closed"


async def test_an_endless_aisle_order_is_fulfilled_and_told_like_any_other(till: Till) -> None:
    placed = till.seller.place_order([("MUG-RED", 2)])
    order = await till.order(placed)
    asked = till.town.asked(order["id"])
    till.town.depot.ship(asked)
    await till.order(placed)
    (way,) = placed["fulfillments"]
    assert (way["state"], placed["state"]) == ("COMPLETED", "COMPLETED")
    assert way["shipment_details"]["tracking_number"]
    assert [state for _, state, _ in await till.town.slices(order["id"])] == ["shipped"]
    assert await till.town.house.open_exceptions() == []


async def test_goods_brought_back_are_told_on_their_sale(till: Till) -> None:
    sale = till.seller.ring_up([("MUG-RED", 2)])
    await till.order(sale)
    till.seller.return_goods(sale, {sale["line_items"][0]["uid"]: 1})
    order = await till.order(sale)
    kinds = await till.town.house.rows(
        "SELECT kind, amount FROM payment WHERE order_id = $1 ORDER BY kind", order["id"]
    )
    assert [(row["kind"], row["amount"]) for row in kinds] == [("capture", 2598), ("refund", 1299)]
    assert await till.town.house.value("SELECT count(*) FROM customer_order") == 1
    assert await till.town.house.open_exceptions() == []


async def test_an_endless_aisle_order_is_sent_from_any_node_while_the_rest_is_carried_out(till: Till) -> None:
    town = till.town
    till.seller.sell("LAMP", price=1999)
    await town.goods("LAMP", west=5)
    await town.house.stock_point("till", "aisle", town.east, town.west, purpose="fulfil")
    placed = till.seller.place_order([("LAMP", 2)], carried=[("MUG-RED", 1)])
    order = await till.order(placed)
    states = {(units, state, node) for units, state, node in await town.slices(order["id"])}
    assert states == {(2, "accepted", town.west), (1, "collected", town.east)}
    assert (await town.stock("MUG-RED", town.east), await town.stock("LAMP", town.west)) == ((9, 0), (5, 2))
    town.depot.ship(town.asked(order["id"]))
    order = await till.order(placed)
    assert (order["state"], placed["fulfillments"][0]["state"]) == ("closed", "COMPLETED")
    assert await town.stock("LAMP", town.west) == (3, 0)
    assert await town.house.open_exceptions() == []


async def test_what_is_collected_is_told_to_the_channel_and_to_the_books(till: Till, counter: Counter) -> None:
    town = till.town
    await town.house.run("DELETE FROM node_binding WHERE node_id = $1", town.east)
    await town.house.run("UPDATE node SET kind = 'store', capabilities = '{ship,pick_up}' WHERE id = $1", town.east)
    async with odoo_simulator() as books:
        config = {k: v for k, v in vars_of(odoo_settings(books)).items() if v not in (None, (), {}, "")}
        await town.house.connect("books", "odoo", config)
        placed = till.seller.place_order([("MUG-RED", 2)], kind="PICKUP")
        order = await till.order(placed)
        assert await town.slices(order["id"]) == [(2, "released", town.east)]
        (way,) = placed["fulfillments"]
        work = f"/fulfilment-orders/{order['id']}-1"
        await counter.ok("POST", f"{work}/ready")
        await till.order(placed)
        told = "SELECT count(*) FROM effect WHERE kind IN ('ConfirmShipment', 'PostInvoice', 'PostDelivery')"
        assert (way["state"], await town.house.value(told)) == ("PROPOSED", 0)
        code = (await counter.ok("POST", f"/orders/{order['id']}/pick-up-code"))["code"]
        await counter.ok("POST", f"{work}/collect", {"code": code})
        order = await till.order(placed)
        assert (order["state"], way["state"]) == ("closed", "COMPLETED")
        posted = await town.house.rows("SELECT kind, shipment_no FROM posting WHERE order_id = $1", order["id"])
        assert ("invoice", 1) in {(row["kind"], row["shipment_no"]) for row in posted}
        assert await town.stock("MUG-RED", town.east) == (8, 0)
        assert await town.house.open_exceptions() == []
