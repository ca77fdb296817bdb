"""A warehouse that is kept in Odoo: an order becomes a transfer there, and what people do with it comes back."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from adapters.odoo.simulated import purchases
from adapters.odoo.simulator import OdooSimulator
from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.town import Town


@pytest.fixture
async def odoo(town: Town) -> AsyncIterator[OdooSimulator]:
    """A third warehouse of the town, the only one that has VASE and JAR. It keeps no books for the merchant."""
    async with OdooSimulator(api_key="odoo-api-key-1") as made:
        config = {"host": "odoo.example", "database": made.database, "api_key": made.api_key, "warehouses": ["WH"]}
        await town.house.connect("wms", "odoo", {**config, "base_url": made.base_url}, modes={"post": "off"})
        node = await town.house.node("SOUTH", latitude=29.7, longitude=-95.4)
        await town.house.bind(node, "wms", "WH")
        await town.house.bind(node, "wms", "WH", role="stock_master")
        for sku in ("VASE", "JAR"):
            await town.house.shelf(node, await town.goods(sku), 10)
            made.add_product(sku)
            made.floor.stock(sku, 10)
        await town.house.run("UPDATE stock_ledger SET true_at = true_at - interval '1 day'")
        yield made
        assert made.violations == []


async def heard(town: Town, *pulls: str) -> None:
    """The hub asks Odoo what is new."""
    await town.house.pull("wms", *(pulls or ("status",)))
    await town.settle()


async def bought(town: Town, *lines: tuple[str, int]) -> tuple[ShopOrder, str, str]:
    """(the shop's order, ours, its fulfilment order's number)."""
    placed, order = await town.buy(lines)
    await town.settle()
    asked = await town.fulfilments(order["id"])
    return placed, order["id"], f"{order['id']}-{asked[0]['no']}"


async def where(town: Town, order: str) -> list[tuple[int, str]]:
    return sorted((units, state) for units, state, _ in await town.slices(order))


async def shelf(town: Town, sku: str) -> int:
    return (await town.stock(sku, await town.house.value("SELECT id FROM node WHERE code = 'SOUTH'")))[0]


async def test_an_order_leaves_in_two_parts_and_the_shop_is_told_of_both(town: Town, odoo: OdooSimulator) -> None:
    placed, order, asked = await bought(town, ("VASE", 2), ("JAR", 1))
    assert await where(town, order) == [(1, "accepted"), (2, "accepted")]
    odoo.floor.pick(asked, {"VASE": 1})
    assert isinstance(odoo.floor.validate(asked, tracking="1Z1"), dict)
    await heard(town)
    assert await where(town, order) == [(1, "accepted"), (2, "accepted")]
    odoo.floor.validate(asked, "backorder", tracking="1Z1")
    await heard(town)
    assert await where(town, order) == [(1, "accepted"), (1, "accepted"), (1, "shipped")]
    odoo.floor.pick(asked)
    odoo.floor.validate(asked, tracking="1Z2")
    await heard(town)
    assert {state for _, state in await where(town, order)} == {"shipped"}
    assert [told.numbers for told in town.shop.fulfilments[placed.id]] == [("1Z1",), ("1Z2",)]
    assert await town.house.open_exceptions() == []
    await heard(town, "movements", "stock")
    assert await shelf(town, "VASE") == int(odoo.floor.on_hand("VASE")) == 8


async def test_what_odoo_has_not_is_short_at_once(town: Town, odoo: OdooSimulator) -> None:
    odoo.floor.stock("VASE", -9)
    _, order, asked = await bought(town, ("VASE", 3))
    assert (1, "accepted") in await where(town, order)
    assert "short" in await town.timeline(order)
    odoo.floor.stock("VASE", 20)
    odoo.floor.pick(asked)
    odoo.floor.validate(asked)
    await heard(town)
    assert (1, "shipped") in await where(town, order)


async def test_a_cancel_stops_the_transfer_and_is_refused_once_it_left(town: Town, odoo: OdooSimulator) -> None:
    stopped, order, asked = await bought(town, ("VASE", 1))
    town.shop.cancel_order(stopped.id)
    await town.settle()
    assert [one["state"] for one in odoo.floor.transfers(asked)] == ["cancel"]
    assert await town.house.value("SELECT state FROM customer_order WHERE id = $1", order) == "cancelled"
    late, order, asked = await bought(town, ("VASE", 1))
    odoo.floor.pick(asked)
    odoo.floor.validate(asked)
    town.shop.cancel_order(late.id)
    await town.settle()
    assert await town.house.value("SELECT state FROM cancel_request WHERE order_id = $1", order) == "refused"
    await heard(town)
    assert await where(town, order) == [(1, "shipped")]


async def test_a_transfer_that_odoo_drops_goes_elsewhere_or_waits(town: Town, odoo: OdooSimulator) -> None:
    _, order, asked = await bought(town, ("VASE", 1))
    odoo.floor.cancel(asked)
    await heard(town)
    assert "accepted" not in {state for _, state in await where(town, order)}
    assert "cancel_confirmed" in await town.timeline(order)


async def test_a_return_and_a_count_reach_the_hub(town: Town, odoo: OdooSimulator) -> None:
    _, order, asked = await bought(town, ("VASE", 2))
    odoo.floor.pick(asked)
    odoo.floor.validate(asked)
    await heard(town)
    odoo.floor.take_back(odoo.floor.transfers(asked)[0]["name"], {"VASE": 1})
    odoo.floor.count("JAR", -4)
    await heard(town, "returns", "movements")
    assert await shelf(town, "JAR") == 6
    south = await town.house.value("SELECT id FROM node WHERE code = 'SOUTH'")
    (made,) = await town.house.rows("SELECT state, node_id FROM return_order WHERE order_id = $1", order)
    assert made == {"state": "received", "node_id": south}


async def test_what_was_ordered_of_a_supplier_there_is_expected_here_once_that_is_switched_on(
    town: Town, odoo: OdooSimulator
) -> None:
    order = purchases.order(odoo.books, {odoo.floor.product("VASE"): 2}, date(2099, 2, 1), pack=6)
    supply = "SELECT reference, quantity, due FROM supply"
    await heard(town, "supply")
    assert await town.house.rows(supply) == []
    await town.house.run("UPDATE connection SET modes = modes || '{\"pull_supply\": \"live\"}' WHERE id = 'wms'")
    for left in (12, 6):
        await heard(town, "supply")
        expected = {"reference": order["name"], "quantity": left, "due": date(2099, 2, 1)}
        assert [dict(row) for row in await town.house.rows(supply)] == [expected]
        purchases.receive(odoo.books, order["name"], 1)
    await heard(town, "supply")
    assert await town.house.rows(supply) == []
    assert await town.house.open_exceptions() == []
