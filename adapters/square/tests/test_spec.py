"""Every request of the adapter and every answer of the simulator, against Square's own OpenAPI document."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
import pytest

from adapters.square.availability import publish_availability
from adapters.square.cancels import cancel_order
from adapters.square.client import probe, pull_orders
from adapters.square.counts import fetch, pull_stock
from adapters.square.harness import given_back, samples, two_lines
from adapters.square.payments import capture_payment, refund_payment, void_payment
from adapters.square.settings import Settings
from adapters.square.shipments import confirm_shipment
from adapters.square.simulator import SquareSimulator
from adapters.square.tests.test_writes import cancel, counts, level, refund, shipment, uids
from hub.sdk.capabilities import Context, PaymentCapture, PaymentVoid
from hub.sdk.testkit.recorder import Exchange, Recorder
from tests.contract.specification import Specification


@pytest.fixture(scope="session")
def spec(contracts: Path) -> Specification:
    document = msgspec.json.decode((contracts / "openapi.trimmed.json").read_bytes())
    return Specification(document, document["components"]["schemas"])


@pytest.fixture
async def exchanges(seller: SquareSimulator, context: Context[Settings]) -> list[Exchange]:
    """All that the adapter ever sends, in all the states an order can be in."""
    recorder = Recorder(context.client)
    context = msgspec.structs.replace(context, client=recorder)
    order = two_lines(seller, tax_percent=8, shipping=500)
    mugs, tee = uids(order)
    await confirm_shipment(context, shipment(order, {mugs: 1}, "1Z1", "1Z2"))
    await confirm_shipment(context, shipment(order, {mugs: 1, tee: 1}, "1Z3", key="O1-confirm-2"))
    await refund_payment(context, refund(order, 1000))
    await refund_payment(context, refund(order, 1000, (order["tenders"][0]["id"], 1000), look_first=True))
    await cancel_order(context, cancel(two_lines(seller, paid=False)))
    for act in (capture_payment, void_payment):
        held = two_lines(seller, captured=False, kind="PICKUP")
        name, amount = held["tenders"][0]["id"], held["total_money"]["amount"]
        if act is capture_payment:
            asked = PaymentCapture(
                key="c",
                order_external_id=held["id"],
                payment=name,
                amount=amount,
                currency="USD",
                final=True,
                asked_at=context.now(),
            )
            await capture_payment(context, asked)
        else:
            await void_payment(context, PaymentVoid(key="v", order_external_id=held["id"], payment=name))
    await publish_availability(context, counts(level("MUG-RED", 7), level("TEE-M", 1, "L99")))
    about, body = given_back(seller)
    await fetch(context, "refund.created", about, body)
    _ = [page async for page in pull_orders(context, None)]
    _ = [page async for page in pull_stock(context, None)]
    await probe(context)
    return recorder.exchanges


def test_every_operation_was_exchanged(exchanges: list[Exchange]) -> None:
    assert {(request.operation, response.status) for request, response in exchanges} == {
        ("GET /v2/merchants/{id}", 200),
        ("GET /v2/locations", 200),
        ("POST /v2/orders/search", 200),
        ("POST /v2/orders/batch-retrieve", 200),
        ("GET /v2/orders/{id}", 200),
        ("PUT /v2/orders/{id}", 200),
        ("GET /v2/payments/{id}", 200),
        ("POST /v2/payments/{id}/complete", 200),
        ("POST /v2/payments/{id}/cancel", 200),
        ("GET /v2/refunds", 200),
        ("GET /v2/refunds/{id}", 200),
        ("POST /v2/refunds", 200),
        ("POST /v2/catalog/batch-retrieve", 200),
        ("POST /v2/catalog/search", 200),
        ("POST /v2/inventory/changes/batch-create", 200),
        ("POST /v2/inventory/changes/batch-create", 404),
        ("POST /v2/inventory/counts/batch-retrieve", 200),
    }


def test_requests_are_as_specified(spec: Specification, exchanges: list[Exchange]) -> None:
    for request, _ in exchanges:
        operation = spec.operation(request)
        declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        assert {name for name, _ in parse_qsl(request.path.partition("?")[2])} <= declared, request.operation
        stated = operation.get("requestBody")
        assert (request.body is None) == (stated is None), request.operation
        if request.body is not None and stated is not None:
            schema = stated["content"]["application/json"]["schema"]
            assert spec.faults(schema, msgspec.json.decode(request.body)) == [], request.operation


def test_answers_are_as_specified(spec: Specification, exchanges: list[Exchange]) -> None:
    for request, response in exchanges:
        stated = spec.operation(request)["responses"]
        schema = stated["200"]["content"]["application/json"]["schema"]
        assert spec.faults(schema, msgspec.json.decode(response.body)) == [], request.operation


def test_events_are_as_specified(spec: Specification) -> None:
    told = [sample for sample in samples() if sample.signed]
    assert len(told) == 8
    for sample in told:
        name = "".join(part.capitalize() for part in re.split(r"[._]", sample.topic)) + "Event"
        schema = {"$ref": f"#/components/schemas/{name}"}
        assert spec.faults(schema, msgspec.json.decode(sample.body)) == [], sample.topic
