"""Every request of the adapter and every answer of the simulator, against the vendor's OpenAPI of 2.4.8 and 2.4.9."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
import pytest
import yaml

from adapters.magento.availability import publish_availability
from adapters.magento.cancels import cancel_order
from adapters.magento.captures import capture_payment
from adapters.magento.client import probe, pull_open_orders, pull_orders
from adapters.magento.harness import two_lines
from adapters.magento.refunds import refund_payment
from adapters.magento.settings import Settings
from adapters.magento.shipments import confirm_shipment
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.tests.conftest import with_settings
from adapters.magento.tests.requests import cancel, confirmation, level, update
from adapters.magento.tests.test_payments import capture, refund
from hub.domain.money import minor
from hub.sdk.capabilities import Context
from hub.sdk.testkit.recorder import Exchange, Recorder
from tests.contract.specification import Specification

NOT_LISTED = {"fields"}
"""Documented for every GET, and named in none of the operations."""


@pytest.fixture(scope="session", params=["2.4.8", "2.4.9"])
def spec(request: pytest.FixtureRequest, contracts: Path) -> Specification:
    text = (contracts / "openapi" / f"admin-schema-{request.param}.yaml").read_text("utf-8")
    document = yaml.load(text, Loader=yaml.CSafeLoader)
    return Specification(document, document["definitions"], "/V1")


@pytest.fixture
async def exchanges(store: MagentoSimulator, context: Context[Settings]) -> list[Exchange]:
    """All that the adapter ever sends, in all the states an order can be in."""
    recorder = Recorder(context.client)
    context = msgspec.structs.replace(context, client=recorder)
    store.sell("TEE-S", quantity=9)
    store.sell("TEE", kind="configurable", child="TEE-S")
    store.sell("KIT", kind="bundle", parts=(("TEE-S", 2),))
    order = store.place_order([("MUG-RED", 2), ("TEE", 1), ("KIT", 1)], tax_rate=Decimal("0.08"), gift_card=Decimal(5))
    mugs, tee, _, _, part = order.items
    await confirm_shipment(context, confirmation(order, {mugs.id: 1, tee.id: 1, part.id: 2}))
    await confirm_shipment(context, confirmation(order, {mugs.id: 1, tee.id: 1, part.id: 2}, look_first=True))
    await capture_payment(context, capture(order, minor(order.grand_total, "USD"), look_first=True))
    await refund_payment(context, refund(order, 1000, {mugs.id: 1}, look_first=True))
    offline = with_settings(context, refunds="offline")
    await refund_payment(offline, refund(order, 250, key="O1-refund-2"))
    held = store.place_order([("MUG-RED", 1)])
    store.set_stock("MUG-RED", "default", 0)
    await confirm_shipment(context, confirmation(held, {held.items[0].id: 1}))
    await cancel_order(context, cancel(two_lines(store)))
    paid = store.place_order([("MUG-RED", 1)], paid=True, pickup="harbour")
    await cancel_order(with_settings(context, refund_on_cancel=True), cancel(paid))
    await publish_availability(context, update(level("MUG-RED", 7, None), level("TEE-M", 0)))
    await publish_availability(context, update(level("MUG-RED", 7, source="attic")))
    _ = [page async for page in pull_orders(context, None)]
    _ = [page async for page in pull_open_orders(context, None)]
    await probe(context)
    return recorder.exchanges


def test_every_operation_was_exchanged(exchanges: list[Exchange]) -> None:
    assert {(request.operation, response.status) for request, response in exchanges} == {
        ("GET /orders", 200),
        ("GET /orders/{id}", 200),
        ("GET /shipments", 200),
        ("GET /invoices", 200),
        ("GET /creditmemos", 200),
        ("GET /products", 200),
        ("GET /inventory/sources", 200),
        ("GET /inventory/source-items", 200),
        ("GET /store/storeConfigs", 200),
        ("POST /order/{id}/ship", 200),
        ("POST /order/{id}/ship", 400),
        ("POST /order/{id}/invoice", 200),
        ("POST /order/{id}/refund", 200),
        ("POST /invoice/{id}/refund", 200),
        ("POST /orders/{id}/cancel", 200),
        ("POST /inventory/source-items", 200),
        ("POST /inventory/source-items", 400),
    }


def test_requests_are_as_specified(spec: Specification, exchanges: list[Exchange]) -> None:
    for request, _ in exchanges:
        operation = spec.operation(request)
        declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        names = {re.sub(r"\[\d+\]", "[0]", name) for name, _ in parse_qsl(request.path.partition("?")[2])}
        assert names - NOT_LISTED <= declared, request.operation
        (schema, *_) = [one["schema"] for one in operation.get("parameters", ()) if one["in"] == "body"] or [None]
        assert (request.body is not None) == (schema is not None), request.operation
        if request.body is not None and schema is not None:
            body = msgspec.json.decode(request.body)
            assert spec.errors(schema, body) == [], request.operation
            assert spec.strangers(schema, body) == [], request.operation


def test_answers_are_as_specified(spec: Specification, exchanges: list[Exchange]) -> None:
    for request, response in exchanges:
        answers = spec.operation(request)["responses"]
        answer = answers.get(str(response.status), answers["default"] if response.status != 200 else {})
        body = msgspec.json.decode(response.body)
        if "schema" not in answer:
            assert body == [], f"{request.operation} answers nothing"
            continue
        if response.status != 200:
            # The specification has them as objects {resources, fieldName, fieldValue}; the store writes a list of
            # values, or an object of names and values.
            body.pop("parameters", None)
        partly = "fields=" in request.path
        errors = [one for one in spec.errors(answer["schema"], body) if not (partly and "required" in one)]
        assert errors == [], request.operation
        assert spec.strangers(answer["schema"], body) == [], request.operation


def test_the_specification_would_notice(spec: Specification, exchanges: list[Exchange]) -> None:
    """The checks above can fail."""
    request, response = next(one for one in exchanges if one[0].operation == "GET /orders/{id}")
    schema = spec.operation(request)["responses"]["200"]["schema"]
    body = msgspec.json.decode(response.body)
    del body["customer_email"]
    body["items"][0] |= {"sku": 4, "colour": "red"}
    assert len(spec.errors(schema, body)) == 2
    assert spec.strangers(schema, body) == ["$.items[].colour"]


def test_the_fields_that_are_read_exist(spec: Specification, read_fields: Callable[[], set[str]]) -> None:
    known = set()
    for name in ("order", "order-extension", "order-payment"):
        known |= set(spec.document["definitions"][f"sales-data-{name}-interface"]["properties"])
    assert read_fields() - known == {"invoices", "creditmemos", "shipped_together"}


@pytest.fixture
def read_fields() -> Callable[[], set[str]]:
    """Keys of the order document that the mapping file names."""
    text = (Path(__file__).resolve().parents[3] / "mappings" / "magento" / "order.toml").read_text("utf-8")

    def find() -> set[str]:
        lets = text.partition("[content]")[0]
        called = [
            name for found in re.findall(r"args = \[([^\]]*)\]", text) for name in re.findall(r'"([^"]*)"', found)
        ]
        paths = [name for name in called if not name.startswith("@")]
        paths += re.findall(r'^\w+ = "([a-z_][\w.]*)"', text.partition("[lines]")[0].partition("[content]")[2], re.M)
        assert "extension_attributes.shipping_assignments" in lets
        return {part for path in paths for part in path.split(".")}

    return find
