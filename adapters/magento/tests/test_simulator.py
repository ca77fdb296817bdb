"""The simulated store keeps the rules that clients stumble over, and tells who breaks its limits."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from adapters.magento import simulator_search as search
from adapters.magento.harness import settings, simulator, two_lines
from adapters.magento.settings import transport
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.tests.conftest import encoded, now
from hub.sdk.http import HttpClient
from hub.sdk.wire import Request


async def ask(store: MagentoSimulator, path: str, body: Any = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    async with HttpClient(transport(settings(store)), clock=now) as client:
        given = None if body is None else encoded(body)
        answer = await client.send(Request(method=method, path=path, operation="x", body=given))
    return answer.status, msgspec.json.decode(answer.body)


def criteria(**parts: str) -> str:
    return "&".join(f"{quote(f'searchCriteria[{name}]')}={quote(value)}" for name, value in parts.items())


def by(field: str, condition: str, value: str) -> str:
    name = "searchCriteria[filter_groups][0][filters][0]"
    pairs = {"field": field, "condition_type": condition, "value": value}
    return "&".join(f"{quote(f'{name}[{part}]')}={quote(text)}" for part, text in pairs.items())


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (by("updated_at", "from", "2026-01-01 00:00:00"), "The condition type %1"),
        (by("colour", "eq", "red"), "Unknown column '%1'"),
        (criteria(pageSize="301"), "Maximum SearchCriteria pageSize is %max"),
    ],
)
async def test_bad_queries_are_refused_and_counted(query: str, words: str) -> None:
    async with simulator() as store:
        two_lines(store)
        status, said = await ask(store, f"/orders?{query}")
        assert status == 400
        assert words in said["message"]
        assert len(store.violations) == 1


async def test_too_many_source_items_are_refused_and_none_is_set() -> None:
    async with simulator() as store:
        items = [{"sku": f"S{n}", "source_code": "default", "quantity": 1, "status": 1} for n in range(21)]
        status, said = await ask(store, "/inventory/source-items", {"sourceItems": items})
        assert (status, said["parameters"]["max"]) == (400, "20")
        assert ("S0", "default") not in store.source_items
        assert store.violations == ["21 source items in one call"]


async def test_snake_case_is_as_good_and_fields_choose() -> None:
    async with simulator() as store:
        order = two_lines(store)
        path = (
            f"/orders?{by('entity_id', 'eq', str(order.id))}&fields={quote('items[entity_id,items[sku]],total_count')}"
        )
        assert await ask(store, path) == (
            200,
            {"items": [{"entity_id": order.id, "items": [{"sku": "MUG-RED"}, {"sku": "TEE-M"}]}], "total_count": 1},
        )


async def test_what_is_not_there() -> None:
    async with simulator() as store:
        assert (await ask(store, "/orders/999"))[0] == 404
        assert (await ask(store, "/nothing"))[1] == {"message": "Request does not match any route."}
        assert (await ask(store, "/invoice/9/refund", {}))[0] == 404


def test_a_look_up_by_sku_is_no_walk() -> None:
    pairs = [
        ("searchCriteria[filterGroups][0][filters][0][field]", "sku"),
        ("searchCriteria[filterGroups][0][filters][0][value]", "mug-red"),
        ("searchCriteria[filterGroups][0][filters][0][conditionType]", "eq"),
    ]
    asked = search.named(pairs, "sku")
    assert asked == ["mug-red"]
    assert [product.sku for product in simulator().of_skus(asked)] == ["MUG-RED"]
    assert search.named(pairs, "name") is None


def test_parts_of_a_document_add_up_to_the_whole() -> None:
    store = simulator()
    order = store.place_order(
        [("MUG-RED", 7)], tax_rate=Decimal("0.0725"), prices_include_tax=True, discount_percent=Decimal("33.3")
    )
    for units in (1, 3, 2, 1):
        store.invoice(order, {order.items[0].id: units}, capture=True, note=None)
    assert order.paid == order.grand_total
    for units in (2, 5):
        store.refund(order, {order.items[0].id: units})
    assert (order.refunded, order.state) == (order.grand_total, "closed")


def test_stock_follows_reservation_and_shipment() -> None:
    store = simulator()
    order = store.place_order([("MUG-RED", 4)])
    assert (store.source_items["MUG-RED", "default"], store.salable("MUG-RED")) == (40, 36)
    store.ship(order, {order.items[0].id: 3}, [])
    assert (store.source_items["MUG-RED", "default"], store.salable("MUG-RED")) == (37, 36)
    store.cancel(order)
    assert (store.source_items["MUG-RED", "default"], store.salable("MUG-RED")) == (37, 37)
