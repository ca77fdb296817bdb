"""The simulated shop itself: its webhooks are genuine, its books add up, its limits are enforced."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.shopify import documents
from adapters.shopify.harness import settings, simulator
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.webhook import check
from hub.sdk.testkit.simulator import Sent
from hub.sdk.webhook import Delivery, Store

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    found: list[Sent] = []
    monkeypatch.setattr(ShopifySimulator, "deliver", lambda self, one: found.append(one))
    return found


@pytest.fixture
def quiet_shop(sent: list[Sent]) -> ShopifySimulator:
    shop = simulator()
    shop.now = lambda: NOW
    shop.hub_url = "http://127.0.0.1:9/webhooks/c1"
    return shop


def stored(shop: ShopifySimulator, one: Sent) -> Store:
    headers = {name.lower(): value for name, value in one.headers.items()}
    given = Delivery(method="POST", url=one.url, headers=headers, query={}, body=one.body, received_at=NOW)
    verdict = check(given, settings(shop))
    assert isinstance(verdict, Store)
    return verdict


def post(shop: ShopifySimulator, operation: documents.Operation, **variables: object) -> dict[str, Any]:
    call = {"query": operation.document, "operationName": operation.name, "variables": variables}
    status, body = shop.answer(shop.access_token, shop.api_version, msgspec.json.encode(call))
    assert status == 200
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def test_webhooks_are_genuine(quiet_shop: ShopifySimulator, sent: list[Sent]) -> None:
    order = quiet_shop.place_order([("MUG-RED", 2), ("TEE-M", 1)])
    (one,) = sent
    verdict = stored(quiet_shop, one)
    assert (verdict.topic, verdict.object) == ("orders/create", f"order:{order.id}")
    assert 6_000 < len(one.body) < 10_000


def test_one_action_one_event(quiet_shop: ShopifySimulator, sent: list[Sent]) -> None:
    order = quiet_shop.place_order([("MUG-RED", 2)])
    sent.clear()
    (one,) = order.fulfilment_orders
    quiet_shop.fulfil(one, [(one.lines[0], 1)], numbers=["1Z9"])
    assert [stored(quiet_shop, each).topic for each in sent] == [
        "fulfillments/create",
        "orders/updated",
        "orders/partially_fulfilled",
    ]
    assert len({each.headers["X-Shopify-Event-Id"] for each in sent}) == 1
    assert len({stored(quiet_shop, each).key for each in sent}) == 3
    assert {stored(quiet_shop, each).object for each in sent} == {f"order:{order.id}"}


def test_edit_refund_and_cancel_are_told(quiet_shop: ShopifySimulator, sent: list[Sent]) -> None:
    order = quiet_shop.place_order([("MUG-RED", 3), ("TEE-M", 1)])
    quiet_shop.edit_order(order.id, {"TEE-M": 0}, add=[("MUG-RED", 1)])
    quiet_shop.refund_order(order.id, {order.lines[0].id: 1})
    quiet_shop.cancel_order(order.id)
    assert [each.headers["X-Shopify-Topic"] for each in sent] == [
        "orders/create",
        "orders/edited",
        "orders/updated",
        "refunds/create",
        "orders/updated",
        "orders/cancelled",
        "orders/updated",
    ]
    assert {stored(quiet_shop, each).object for each in sent} == {f"order:{order.id}"}
    last = msgspec.json.decode(sent[-1].body)
    assert [line["current_quantity"] for line in last["line_items"]] == [0, 0, 0]
    assert (last["cancel_reason"], last["current_total_price"]) == ("customer", "0.00")


def test_unsubscribed_topics_are_not_sent(quiet_shop: ShopifySimulator, sent: list[Sent]) -> None:
    quiet_shop.topics = {"orders/create"}
    order = quiet_shop.place_order([("MUG-RED", 1)])
    quiet_shop.update_order(order.id, note="x")
    assert [each.headers["X-Shopify-Topic"] for each in sent] == ["orders/create"]


def test_money_adds_up(quiet_shop: ShopifySimulator) -> None:
    order = quiet_shop.place_order([("MUG-RED", 3), ("TEE-M", 2)], discount=Decimal("7.77"))
    body = msgspec.json.decode(quiet_shop.body(order, "orders/create"))
    lines = [Decimal(line["price"]) * line["quantity"] for line in body["line_items"]]
    discounts = [Decimal(line["discount_allocations"][0]["amount"]) for line in body["line_items"]]
    taxes = [Decimal(line["tax_lines"][0]["price"]) for line in body["line_items"]]
    assert (sum(lines), sum(discounts)) == (Decimal("78.95"), Decimal("7.77"))
    assert sum(taxes) == Decimal(body["total_tax"])
    assert Decimal(body["total_price"]) == sum(lines) - sum(discounts) + Decimal("4.90") + sum(taxes)


def test_versions_never_stand_still_unless_they_may(quiet_shop: ShopifySimulator) -> None:
    order = quiet_shop.place_order([("MUG-RED", 1)])
    quiet_shop.update_order(order.id, note="x")
    assert order.updated_at == NOW + timedelta(seconds=1)
    quiet_shop.ties = True
    tied = quiet_shop.place_order([("MUG-RED", 1)])
    quiet_shop.update_order(tied.id, note="x")
    assert tied.updated_at == NOW


def test_stock_is_committed_and_comes_back(quiet_shop: ShopifySimulator) -> None:
    key = (quiet_shop.variants["MUG-RED"].item, 501)
    order = quiet_shop.place_order([("MUG-RED", 4)])
    assert (quiet_shop.inventory[key], quiet_shop.committed[key]) == (5, 4)
    (one,) = order.fulfilment_orders
    quiet_shop.fulfil(one, [(one.lines[0], 1)])
    assert (quiet_shop.inventory[key], quiet_shop.committed[key]) == (5, 3)
    quiet_shop.refund_order(order.id, {order.lines[0].id: 1})
    assert (quiet_shop.inventory[key], quiet_shop.committed[key]) == (6, 2)


def test_credentials(quiet_shop: ShopifySimulator) -> None:
    assert quiet_shop.answer("wrong", "2026-04", b"{}")[0] == 401
    quiet_shop.access_token = ""
    assert quiet_shop.answer("", "2026-04", b"{}")[0] == 401


def test_unknown_input_fields_are_refused(quiet_shop: ShopifySimulator) -> None:
    given = {"reason": "correction", "name": "available", "ignoreCompareQuantity": True, "quantities": []}
    (error,) = post(quiet_shop, documents.SET_AVAILABLE, input=given, key="k")["errors"]
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    entry = {"inventoryItemId": "gid://shopify/InventoryItem/1", "locationId": "gid://shopify/Location/501"}
    given = {"reason": "correction", "name": "available", "quantities": [{**entry, "quantity": 1}]}
    (error,) = post(quiet_shop, documents.SET_AVAILABLE, input=given, key="k")["errors"]
    assert error["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    (error,) = post(quiet_shop, documents.SET_AVAILABLE, input=given)["errors"]
    assert "$key" in error["message"]


def test_idempotency_key_with_other_numbers(quiet_shop: ShopifySimulator) -> None:
    def set_to(quantity: int) -> list[str]:
        entry = {
            "inventoryItemId": f"gid://shopify/InventoryItem/{quiet_shop.variants['MUG-RED'].item}",
            "locationId": "gid://shopify/Location/501",
            "quantity": quantity,
            "changeFromQuantity": None,
        }
        given = {"reason": "correction", "name": "available", "quantities": [entry]}
        answer = post(quiet_shop, documents.SET_AVAILABLE, input=given, key="k")["data"]["inventorySetQuantities"]
        return [error["code"] for error in answer["userErrors"]]

    assert set_to(5) == []
    assert set_to(5) == []
    assert set_to(6) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert quiet_shop.available("MUG-RED") == 5


def test_empty_bucket_throttles_and_notes_who_does_not_wait(quiet_shop: ShopifySimulator) -> None:
    quiet_shop.bucket = quiet_shop.available_points = 100
    order = quiet_shop.place_order([("MUG-RED", 1)])
    id = f"gid://shopify/Order/{order.id}"
    assert "data" in post(quiet_shop, documents.FULFILLMENT_ORDERS, id=id)
    throttled = post(quiet_shop, documents.FULFILLMENT_ORDERS, id=id)
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert throttled["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 88
    quiet_shop.restore_per_second = 1
    post(quiet_shop, documents.FULFILLMENT_ORDERS, id=id)
    quiet_shop.now = lambda: NOW + timedelta(seconds=20)
    assert "data" in post(quiet_shop, documents.FULFILLMENT_ORDERS, id=id)
    assert quiet_shop.violations == []


def test_coming_back_too_early_is_a_violation(quiet_shop: ShopifySimulator) -> None:
    quiet_shop.bucket, quiet_shop.available_points, quiet_shop.restore_per_second = 100, 10, 1
    post(quiet_shop, documents.FULFILLMENT_ORDERS, id="gid://shopify/Order/1")
    quiet_shop.now = lambda: NOW + timedelta(seconds=5)
    post(quiet_shop, documents.FULFILLMENT_ORDERS, id="gid://shopify/Order/1")
    assert quiet_shop.violations == ["CrossdockFulfillmentOrders came back 83.0 s before the bucket could hold it"]


def test_thousands_of_orders_have_events_of_their_own(quiet_shop: ShopifySimulator, sent: list[Sent]) -> None:
    for _ in range(2000):
        quiet_shop.place_order([("MUG-RED", 1), ("TEE-M", 1)])
    assert len({order.id for order in quiet_shop.orders.values()}) == 2000
    assert len({each.headers["X-Shopify-Event-Id"] for each in sent}) == 2000
