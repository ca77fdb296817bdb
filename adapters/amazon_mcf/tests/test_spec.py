"""Every request of the adapter and every answer of the simulator, and every sample, against Amazon's models."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from adapters.amazon_mcf.client import cancel_fulfilment, probe, submit_fulfilment
from adapters.amazon_mcf.harness import place
from adapters.amazon_mcf.limits import PLANS
from adapters.amazon_mcf.pulls import pull_status, pull_stock
from adapters.amazon_mcf.settings import Settings
from adapters.amazon_mcf.simulator import McfSimulator
from adapters.amazon_mcf.simulator_books import Pace
from adapters.amazon_mcf.translate import V2020, V2026, facts_2020, facts_2026, read, short_facts, stock_facts
from hub.domain.facts import FulfilmentAccepted, GoodsShipped
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, RequestLine
from hub.sdk.testkit.recorder import Exchange, Recorder
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_CANCEL, FULFILMENT_ID
from hub.sdk.translate import Malformed
from hub.sdk.wire import Request, Response

FILES = ("fulfillmentOutbound_2020-07-01.json", "fulfillmentOutbound_2026-07-04.json", "fbaInventory.json")


class Models:
    """The models, asked by method and path."""

    def __init__(self, folder: Path) -> None:
        self.documents = {name: json.loads((folder / name).read_text("utf-8")) for name in FILES}
        registry: Registry[Any] = Registry()
        for name, document in self.documents.items():
            registry = registry.with_resource(f"urn:{name}", Resource(contents=document, specification=DRAFT4))
        self.registry = registry

    def operation(self, request: Request) -> tuple[str, dict[str, Any]]:
        for name, document in self.documents.items():
            for template, methods in sorted(document["paths"].items(), key=lambda found: found[0].count("{")):
                pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
                if re.fullmatch(pattern, request.path) and request.method.lower() in methods:
                    return name, methods[request.method.lower()]
        raise AssertionError(f"{request.method} {request.path} is in no model")

    def errors(self, name: str, schema: dict[str, Any], body: bytes) -> list[str]:
        whole = {"$ref": f"urn:{name}{schema['$ref']}"} if "$ref" in schema else schema
        validator = Draft4Validator(whole, registry=self.registry)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(json.loads(body))]


@pytest.fixture(scope="module")
def models(contracts: Path) -> Models:
    return Models(contracts)


@pytest.fixture
async def exchanges(sim: McfSimulator, context: Context[Settings], version: str) -> list[Exchange]:
    """All that the adapter sends by one version, in all the states an order can be in."""
    recorder = Recorder(context.client)
    context = msgspec.structs.replace(context, client=recorder)
    await submit_fulfilment(context, FULFILMENT)
    await submit_fulfilment(context, FULFILMENT)
    await cancel_fulfilment(context, FULFILMENT_CANCEL)
    unknown = msgspec.structs.replace(
        FULFILMENT, fulfilment=f"{FULFILMENT_ID[:-1]}2", lines=(RequestLine(line="1", sku="NOPE", quantity=1),)
    )
    await submit_fulfilment(context, unknown)
    sim.page = 2
    sim.answers_whole = True
    for number, pace in (
        (3, Pace(split=True, fulfiller_cancels=True, deliver_after_ms=0)),
        (4, Pace(ship_after_ms=None)),
    ):
        sim.books.pace = pace
        wanted = msgspec.structs.replace(FULFILMENT, fulfilment=f"{FULFILMENT_ID[:-1]}{number}")
        await submit_fulfilment(context, wanted)
        _ = [page async for page in pull_status(context, None)]
        cancel = msgspec.structs.replace(FULFILMENT_CANCEL, fulfilment=wanted.fulfilment)
        await cancel_fulfilment(context, cancel)
    sim.books.stock["TEE-M"] = 0
    place(sim, msgspec.structs.replace(FULFILMENT, fulfilment=f"{FULFILMENT_ID[:-1]}5"), version)
    _ = [page async for page in pull_status(context, None)]
    _ = [page async for page in pull_stock(context, None)]
    await probe(context)
    return recorder.exchanges


WORDS = {
    "2020-07-01": (
        "createFulfillmentOrder",
        "getFulfillmentOrder",
        "listAllFulfillmentOrders",
        "cancelFulfillmentOrder",
    ),
    "2026-07-04": ("createOrder", "getOrder", "listOrders", "cancelOrder"),
}


def test_every_operation_was_exchanged(exchanges: list[Exchange], version: str) -> None:
    create, get, listed, cancel = WORDS[version]
    old = version == "2020-07-01"
    assert {(request.operation, response.status) for request, response in exchanges} == {
        *((create, 200), (create, 400), *(() if old else ((create, 202),))),
        *((get, 200), (get, 400 if old else 404), (listed, 200)),
        *((cancel, 200 if old else 202), (cancel, 400), ("getInventorySummaries", 200)),
    }


def test_requests_are_as_modelled(models: Models, exchanges: list[Exchange]) -> None:
    for request, _ in exchanges:
        name, operation = models.operation(request)
        declared = {one["name"]: one for one in operation["parameters"] if one.get("in") == "query"}
        assert set(request.query) <= set(declared), request.operation
        assert {key for key, one in declared.items() if one.get("required")} <= set(request.query), request.operation
        bodies = [one for one in operation["parameters"] if one.get("in") == "body"]
        assert (request.body is not None) == bool(bodies), request.operation
        for one in bodies:
            assert models.errors(name, one["schema"], request.body or b"") == [], request.operation


def test_answers_are_as_modelled(models: Models, exchanges: list[Exchange]) -> None:
    for request, response in exchanges:
        name, operation = models.operation(request)
        declared = operation["responses"].get(str(response.status))
        assert declared is not None, f"{request.operation} never answers {response.status}"
        assert models.errors(name, declared["schema"], response.body) == [], request.operation


def test_usage_plans_are_the_models_own(models: Models) -> None:
    stated = {}
    for document in models.documents.values():
        for methods in document["paths"].values():
            for operation in methods.values():
                if isinstance(operation, dict) and operation.get("operationId") in PLANS:
                    rows = [line for line in operation["description"].splitlines() if line[:3].strip("| ").isdigit()]
                    rate, burst = (cell.strip() for cell in rows[0].strip("|").split("|")[:2])
                    stated[operation["operationId"]] = (float(rate), int(burst))
    assert stated == PLANS


class TestSamples:
    """Every file: read as an order of a named version, or refused by name."""

    ORDERS = {  # noqa: RUF012
        "v2020-07-01/getFulfillmentOrder.200.json": (
            V2020,
            "FBATestOrder-1",
            [("OrderItemID2", 1), ("OrderItemID1", 3)],
        ),
        "v2026-07-04/getOrder.200.json": (V2026, "ABC123XYZ", [("someLineItemId", 1)]),
        "v2026-07-04/createOrder.200.json": (V2026, "ABC123XYZ", [("someLineItemId", 1)]),
    }

    @pytest.mark.parametrize("name", sorted(ORDERS))
    def test_orders(self, contracts: Path, tables: CodeTables, name: str) -> None:
        version, identity, lines = self.ORDERS[name]
        body = (contracts / "samples" / name).read_bytes()
        # The samples of 2020-07-01 come without the payload that every answer has.
        body = b'{"payload":' + body + b"}" if version is V2020 else body
        order = read(version, body)
        assert order.id == identity
        assert [(line.id, line.quantity) for line in order.lines] == lines
        facts = facts_2020 if version is V2020 else facts_2026
        assert facts(body, tables) == ()

    def test_as_one_of_ours_an_order_says_what_left(self, contracts: Path, tables: CodeTables) -> None:
        body = (contracts / "samples" / "v2026-07-04" / "getOrder.200.json").read_bytes()
        # Its package is DELIVERED, but when is not said: the shipment's time of delivery is an estimate.
        accepted, shipped = facts_2026(body.replace(b"ABC123XYZ", FULFILMENT_ID.encode()), tables)
        assert isinstance(accepted, FulfilmentAccepted)
        assert isinstance(shipped, GoodsShipped)
        (parcel,) = shipped.parcels
        assert (shipped.shipment, parcel.carrier, parcel.tracking) == ("SHIP901234", "fedex", "123456789")
        assert [(line.line, line.quantity) for line in parcel.lines] == [("LI789012", 1)]

    def test_recipes(self, contracts: Path, tables: CodeTables) -> None:
        folder = contracts.parent / "amazon" / "samples" / "code-recipes"
        old = (folder / "mcf-v1-getFulfillmentOrder.json").read_bytes()
        order = read(V2020, old)
        assert (order.status, order.shipments[0].packages[0].tracking) == (
            "Complete",
            "cf28ebcb-be19-4f4c-b7d4-99486bd2ad6c",
        )
        ours = old.replace(b"SidOMSTestOrder_MCF_11", FULFILMENT_ID.encode())
        _, shipped = facts_2020(ours, tables)
        assert isinstance(shipped, GoodsShipped)
        assert shipped.parcels[0].carrier == "amazon_logistics"
        new = (folder / "mcf-v2-getOrder.json").read_bytes().replace(b"MCF-V2-TEST-ORDER-001", FULFILMENT_ID.encode())
        _, left = facts_2026(new, tables)
        assert isinstance(left, GoodsShipped)
        assert [(part.line, part.quantity) for part in left.parcels[0].lines] == [("item-001", 1)]
        page = V2026.changes((folder / "mcf-v2-listOrders.json").read_bytes())
        assert ([one.id for one in page.orders], page.token) == (["MCF-V2-TEST-ORDER-001"], "nextPageToken")

    def test_a_page_of_orders(self, contracts: Path) -> None:
        page = V2026.changes((contracts / "samples" / "v2026-07-04" / "listOrders.200.json").read_bytes())
        assert ([one.id for one in page.orders], page.token) == (["ABC123XYZ", "DEF456UVW"], "token123")
        assert read(V2026, page.orders[1].body or b"").lines[0].quantity == 2

    def test_a_create_that_was_taken_on_says_no_more(self, contracts: Path) -> None:
        for name, told in (("createOrder.202.json", False), ("createOrder.200.json", True)):
            body = (contracts / "samples" / "v2026-07-04" / name).read_bytes()
            order = V2026.created(Response(status=202, headers={}, body=body))
            assert (order is not None) == told

    def test_every_other_file_is_refused_by_name(self, contracts: Path, tables: CodeTables, sim: McfSimulator) -> None:
        read_above = {*self.ORDERS, "v2026-07-04/listOrders.200.json", "v2026-07-04/createOrder.202.json"}
        folder = contracts / "samples"
        rest = [path for path in sorted(folder.rglob("*.json")) if str(path.relative_to(folder)) not in read_above]
        assert len(rest) == 13
        readers: list[Callable[[bytes, CodeTables], Any]] = [facts_2020, facts_2026, short_facts, stock_facts]
        for path in rest:
            for reader in readers:
                with pytest.raises(Malformed) as caught:
                    reader(path.read_bytes(), tables)
                assert caught.value.field, path.name
