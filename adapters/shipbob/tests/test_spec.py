"""Every request of the client and every answer of the simulator, against ShipBob's OpenAPI 2026-01."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from adapters.shipbob import calls, client
from adapters.shipbob.harness import ADVISE, CICERO, SUBMIT, fill_receiving, settings, take_back
from adapters.shipbob.history import pull_history
from adapters.shipbob.receiving import advise_stock, pull_receiving, pull_supply
from adapters.shipbob.returns import pull_returns
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from adapters.shipbob.simulator_books import Pace
from adapters.shipbob.translate import order_facts
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, FulfilmentCancel
from hub.sdk.outcomes import RetryLater
from hub.sdk.testkit.recorder import Exchange, Recorder
from hub.sdk.wire import Request, Response


class Spec:
    """The OpenAPI document, asked by method and path."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.registry: Registry[Any] = Registry().with_resource(
            "urn:shipbob", Resource(contents=document, specification=DRAFT202012)
        )

    def operation(self, request: Request) -> tuple[str, dict[str, Any]]:
        by_precision = sorted(self.document["paths"].items(), key=lambda found: found[0].count("{"))
        for template, methods in by_precision:
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/:]+", re.escape(template))
            if re.fullmatch(pattern, request.path) and request.method.lower() in methods:
                return template, methods[request.method.lower()]
        raise AssertionError(f"{request.method} {request.path} is not in the specification")

    def errors(self, pointer: list[str], body: bytes) -> list[str]:
        escaped = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
        validator = Draft202012Validator({"$ref": f"urn:shipbob#/{escaped}"}, registry=self.registry)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(json.loads(body))]


@pytest.fixture
def spec(contracts: Path) -> Spec:
    return Spec(json.loads((contracts / "shipbob-2026-01.openapi.json").read_text("utf-8")))


@pytest.fixture
async def exchanges(sim: ShipBobSimulator, context: Context[Settings]) -> list[Exchange]:
    """All that the adapter ever sends, in all the states an order can be in."""
    recorder = Recorder(context.client)
    context = msgspec.structs.replace(context, client=recorder)
    sim.books.pace = Pace(ship_after_ms=0, deliver_after_ms=0, split_rate=1)
    await client.submit_fulfilment(context, SUBMIT)
    await client.submit_fulfilment(context, SUBMIT)
    _ = [page async for page in client.pull_status(context, None)]
    sim.books.pace = Pace(ship_after_ms=None)
    waiting = msgspec.structs.replace(SUBMIT, fulfilment="F-2", location=None, service="Express")
    await client.submit_fulfilment(context, waiting)
    cancel = FulfilmentCancel(key="c", fulfilment="F-2", partner_reference=None, reason="asked")
    await client.cancel_fulfilment(context, cancel)
    await client.cancel_fulfilment(context, msgspec.structs.replace(cancel, look_first=True))
    await client.cancel_fulfilment(context, cancel)
    sim.books.stock[CICERO]["TEE-M"] = 0
    await client.submit_fulfilment(context, msgspec.structs.replace(SUBMIT, fulfilment="F-3"))
    _ = [page async for page in client.pull_status(context, None)]
    _ = [page async for page in client.pull_stock(context, None)]
    await client.fetch(context, "order.shipped", "order:100000", b"")
    sim.books.pace = Pace(ship_after_ms=None)
    made = take_back(sim)
    _ = [page async for page in pull_returns(context, None)]
    await client.fetch(context, "return.completed", f"return:{made.id}", b"")
    fill_receiving(sim)
    await advise_stock(context, ADVISE)
    await advise_stock(context, msgspec.structs.replace(ADVISE, look_first=True))
    for pages in (pull_receiving(context, None), pull_supply(context, None), pull_history(context, None)):
        _ = [page async for page in pages]
    await client.probe(context)
    return recorder.exchanges


def test_every_operation_was_exchanged(exchanges: list[Exchange]) -> None:
    seen = {(request.operation, response.status) for request, response in exchanges}
    assert seen == {
        ("POST /order", 201),
        ("POST /order", 422),
        ("GET /order", 200),
        ("GET /order/{id}", 200),
        ("POST /order:cancel", 200),
        ("POST /order:cancel", 422),
        ("GET /inventory-level", 200),
        ("GET /return", 200),
        ("GET /return/{id}", 200),
        ("POST /receiving", 201),
        ("GET /receiving", 200),
        ("POST /inventory/history", 200),
        ("GET /location", 200),
        ("GET /channel", 200),
    }


def test_requests_are_as_specified(spec: Spec, exchanges: list[Exchange]) -> None:
    for request, _ in exchanges:
        path, operation = spec.operation(request)
        declared = {(one["in"], one["name"]) for one in operation.get("parameters", ())}
        assert {("query", name) for name in request.query} <= declared, request.operation
        if request.body is not None:
            pointer = ["paths", path, request.method.lower(), "requestBody", "content", "application/json", "schema"]
            assert spec.errors(pointer, request.body) == []
        assert (request.body is not None) == ("requestBody" in operation), request.operation


def test_answers_are_as_specified(spec: Spec, exchanges: list[Exchange]) -> None:
    for request, response in exchanges:
        path, operation = spec.operation(request)
        assert str(response.status) in operation["responses"], f"{request.operation} never answers {response.status}"
        place = ["paths", path, request.method.lower(), "responses", str(response.status), "content"]
        assert spec.errors([*place, "application/json", "schema"], response.body) == []


def test_the_simulator_invents_no_field(spec: Spec, exchanges: list[Exchange]) -> None:
    orders = [json.loads(response.body) for request, response in exchanges if request.operation == "GET /order/{id}"]
    listed = [
        one for request, response in exchanges if request.operation == "GET /order" for one in json.loads(response.body)
    ]
    known = spec.document["components"]["schemas"]
    (order_schema,) = [
        schema
        for schema in known.values()
        if _is(schema, "shipments", "retailer_program_data", "financials", "created_date")
    ]
    (shipment_schema,) = [
        schema for schema in known.values() if _is(schema, "status_details", "estimated_fulfillment_date")
    ]
    assert orders
    for order in [*orders, *listed]:
        assert set(order) <= set(order_schema["properties"])
        for shipment in order["shipments"]:
            assert set(shipment) <= set(shipment_schema["properties"])


def _is(schema: dict[str, Any], *names: str) -> bool:
    return set(names) <= set(schema.get("properties", ()))


class TestSamples:
    """What ShipBob's documentation prints. `product_create` is a call we never make, and so not read."""

    def test_the_order_of_the_guide_has_the_fields_of_ours(self, contracts: Path, sim: ShipBobSimulator) -> None:
        printed = json.loads((contracts / "samples" / "order_create.request.json").read_text("utf-8"))
        ours = json.loads(calls.submit_request(SUBMIT, settings(sim)).body or b"")
        assert set(printed) <= set(ours)
        assert set(printed["recipient"]["address"]) <= set(ours["recipient"]["address"])
        assert set(printed["products"][0]) <= set(ours["products"][0])

    async def test_it_is_taken_and_read_as_an_order_that_is_not_ours(
        self, contracts: Path, sim: ShipBobSimulator, context: Context[Settings], tables: CodeTables
    ) -> None:
        body = (contracts / "samples" / "order_create.request.json").read_bytes()
        post = calls.request(settings(sim), "POST", "order", operation="POST /order", body=body, write=True)
        assert (await context.client.send(post)).status == 201
        pages = [page async for page in client.pull_status(context, None)]
        (item,) = pages[-1].items
        assert order_facts(item.body, tables) == ()

    def test_their_429_means_later(self, contracts: Path, context: Context[Settings]) -> None:
        body = (contracts / "samples" / "error_429.json").read_bytes()
        throttled = Response(status=429, headers={"x-retry-after": "25", "x-remaining-calls": "0"}, body=body)
        outcome = calls.refusal(throttled, "GET /order", "pull", context.now(), write=False)
        assert isinstance(outcome, RetryLater)
        assert outcome.at is not None
