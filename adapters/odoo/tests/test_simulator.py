"""The simulator's quirks are Odoo's, so that an adapter that passes here is safe there."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from adapters.odoo.harness import HARNESS, simulator
from adapters.odoo.simulator import OdooSimulator
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, Unauthorised
from hub.sdk.wire import Client, Request, Response


@pytest.fixture
async def odoo() -> AsyncIterator[OdooSimulator]:
    async with simulator() as running:
        running.add_product("MUG-RED", "Mug, red")
        yield running


@pytest.fixture
async def client(odoo: OdooSimulator) -> AsyncIterator[Client]:
    transport = HARNESS.adapter.transport(HARNESS.settings(odoo))
    async with HttpClient(transport, clock=odoo.now) as client:
        yield client


async def call(client: Client, path: str, body: object) -> Response:
    request = Request(method="POST", path=f"/json/2/{path}", operation=path, body=msgspec.json.encode(body))
    return await client.send(request)


async def answer(client: Client, path: str, body: object) -> Any:
    response = await call(client, path, body)
    assert response.status == 200, response.body
    return msgspec.json.decode(response.body)


async def order(client: Client, quantity: int = 3) -> int:
    line = {"product_id": 1, "product_uom_qty": quantity, "price_unit": 12.995}
    values = {"partner_id": 1, "client_order_ref": "R", "order_line": [[0, 0, line]]}
    (made,) = await answer(client, "sale.order/create", {"vals_list": [values]})
    assert await answer(client, "sale.order/action_confirm", {"ids": [made]}) is True
    return int(made)


async def test_a_list_for_a_body_means_no_arguments_and_breaks_a_rule(odoo: OdooSimulator, client: Client) -> None:
    found = await answer(client, "product.product/search_read", [{"domain": [["id", "=", 99]], "limit": 1}])
    assert [product["default_code"] for product in found] == ["MUG-RED"]
    assert len(odoo.violations) == 2


async def test_a_missing_record_is_no_error_to_read(client: Client) -> None:
    assert await answer(client, "sale.order/read", {"ids": [404], "fields": ["name"]}) == []


async def test_a_reference_may_be_used_twice(odoo: OdooSimulator, client: Client) -> None:
    assert [await order(client), await order(client)] == [1, 2]
    assert odoo.posted("R").orders == 2


async def test_a_second_confirmation_is_refused(client: Client) -> None:
    again = await call(client, "sale.order/action_confirm", {"ids": [await order(client)]})
    assert again.status == 422
    assert "not in a state requiring confirmation" in msgspec.json.decode(again.body)["message"]


async def test_validating_asks_before_it_ships(odoo: OdooSimulator, client: Client) -> None:
    await order(client)
    await answer(client, "stock.move/write", {"ids": [1], "vals": {"quantity": 2, "picked": True}})
    asked = [
        (await answer(client, "stock.picking/button_validate", {"ids": [1], "context": context}))["res_model"]
        for context in ({}, {"skip_backorder": True})
    ]
    assert asked == ["stock.backorder.confirmation", "confirm.stock.sms"]
    assert odoo.posted("R").deliveries == 0
    told = {"ids": [1], "context": {"skip_backorder": True, "skip_sms": True}}
    assert await answer(client, "stock.picking/button_validate", told) is True
    assert await answer(client, "stock.picking/button_validate", told) is True
    assert odoo.posted("R").deliveries == 1
    assert [move["product_uom_qty"] for move in odoo.books.tables["stock.move"].rows.values()] == [2, 1]


async def test_nothing_picked_ships_what_is_reserved(odoo: OdooSimulator, client: Client) -> None:
    await order(client)
    assert await answer(client, "stock.picking/button_validate", {"ids": [1], "context": {"skip_sms": True}}) is True
    assert len(odoo.pickings) == 1


async def test_a_half_cent_price_is_rounded_by_the_line(odoo: OdooSimulator, client: Client) -> None:
    await order(client, quantity=1)
    fields = {"ids": [1], "fields": ["amount_total", "partner_id", "commitment_date", "date_order"]}
    (found,) = await answer(client, "sale.order/read", fields)
    assert found["amount_total"] == 13.0
    assert found["partner_id"] == [1, "My Company"]
    assert found["commitment_date"] is False
    assert len(found["date_order"]) == len("2026-11-22 01:12:14")


async def test_a_wrong_key_is_refused(odoo: OdooSimulator) -> None:
    settings = msgspec.structs.replace(HARNESS.settings(odoo), api_key="another-key")
    async with HttpClient(HARNESS.adapter.transport(settings), clock=odoo.now) as client:
        with pytest.raises(Interrupted) as raised:
            await call(client, "sale.order/read", {"ids": [1]})
    assert isinstance(raised.value.outcome, Unauthorised)


async def test_another_database_is_not_found(odoo: OdooSimulator) -> None:
    settings = msgspec.structs.replace(HARNESS.settings(odoo), database="other")
    async with HttpClient(HARNESS.adapter.transport(settings), clock=odoo.now) as client:
        assert (await call(client, "sale.order/read", {"ids": [1]})).status == 404


async def test_a_failed_creation_leaves_nothing(odoo: OdooSimulator, client: Client) -> None:
    good = {"partner_id": 1, "order_line": []}
    bad = {"partner_id": 1, "order_line": [[0, 0, {"product_id": 1, "colour": "red"}]]}
    response = await call(client, "sale.order/create", {"vals_list": [good, bad]})
    assert response.status == 500
    assert odoo.sale_orders == {}
