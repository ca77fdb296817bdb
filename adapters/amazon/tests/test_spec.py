"""Every request of the adapter and every answer of the simulator, against Amazon's models."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from adapters.amazon import client
from adapters.amazon.cancels import cancel_order
from adapters.amazon.feeds import running, unpacked
from adapters.amazon.harness import prepare, two_lines
from adapters.amazon.limits import PLANS
from adapters.amazon.listings import KIND, publish_availability
from adapters.amazon.refunds import refund_payment
from adapters.amazon.settings import Settings
from adapters.amazon.shipments import confirm_shipment
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.simulator_documents import order_change
from adapters.amazon.statements import pull_refunds
from adapters.amazon.tests.swagger import Models
from hub.sdk.capabilities import AvailabilityUpdate, ChannelCancel, Context, Level, PaymentRefund
from hub.sdk.outcomes import Interrupted
from hub.sdk.testkit.recorder import Exchange, Recorder
from hub.sdk.testkit.samples import CONFIRMATION

MODELS = (
    "orders_2026-01-01.json",
    "ordersV0.json",
    "feeds_2021-06-30.json",
    "listingsItems_2021-08-01.json",
    "notifications.json",
    "sellers.json",
    "finances_2024-06-19.json",
)


@pytest.fixture(scope="module")
def models(contracts: Path) -> Models:
    return Models(*(contracts / "openapi" / name for name in MODELS))


@pytest.fixture
async def exchanges(sim: AmazonSimulator, context: Context[Settings]) -> list[Exchange]:
    """All that the adapter ever sends, in all the states that answers differ by."""
    recorder = Recorder(context.client)
    context = msgspec.structs.replace(context, client=recorder)
    for status in ("PENDING", "UNSHIPPED", "SHIPPED", "CANCELLED"):
        two_lines(sim).status = status
    wishing = two_lines(sim)
    sim.books.wish(wishing, sim.now())
    sim.page = 3
    _ = [page async for page in client.pull_orders(context, None)]
    confirmation: Any = prepare(sim, "confirm_shipment", CONFIRMATION)
    await confirm_shipment(context, confirmation)
    await confirm_shipment(context, msgspec.structs.replace(confirmation, look_first=True))
    await confirm_shipment(context, msgspec.structs.replace(confirmation, key="O-confirm-9"))
    await cancel_order(context, ChannelCancel(key="c", order_external_id=wishing.id, reason="no stock"))
    await client.fetch(context, "ORDER_CHANGE", f"order:{wishing.id}", b"")
    levels = [Level(sku="MUG-RED", location="DEFAULT", quantity=3), Level(sku="GONE", location="DEFAULT", quantity=1)]
    await publish_availability(context, AvailabilityUpdate(key="a", levels=tuple(levels)))
    sim.books.listings["TEE-M"].refuses = "no"
    refused = (Level(sku="TEE-M", location="DEFAULT", quantity=3),)
    await publish_availability(context, AvailabilityUpdate(key="a", levels=refused))
    await publish_availability(context, AvailabilityUpdate(key="b", levels=tuple(levels * 5)))
    await running(context, KIND)
    bought = sim.books.orders[confirmation.order_external_id]
    refund = PaymentRefund(key="r", order_external_id=bought.id, amount=1299, currency="USD", reason="return")
    await refund_payment(context, refund)
    await refund_payment(context, msgspec.structs.replace(refund, look_first=True))
    _ = [page async for page in pull_refunds(context, None)]
    await client.probe(context)
    sim.subscribed = False
    await client.probe(context)
    with pytest.raises(Interrupted):
        await client.fetch(context, "ORDER_CHANGE", "order:111-1111111-1111111", b"")
    return [(request, response) for request, response in recorder.exchanges if not request.foreign]


def test_every_operation_was_exchanged(exchanges: list[Exchange]) -> None:
    assert {(request.operation, response.status) for request, response in exchanges} == {
        ("searchOrders", 200),
        ("getOrder", 200),
        ("getOrder", 404),
        ("confirmShipment", 204),
        ("confirmShipment", 400),
        ("getListingsItem", 200),
        ("getListingsItem", 404),
        ("patchListingsItem", 200),
        ("createFeedDocument", 201),
        ("createFeed", 202),
        ("getFeed", 200),
        ("getFeeds", 200),
        ("getFeedDocument", 200),
        ("listTransactions", 200),
        ("getMarketplaceParticipations", 200),
        ("getSubscription", 200),
        ("getSubscription", 404),
    }


def test_requests_are_as_modelled(models: Models, exchanges: list[Exchange]) -> None:
    faults = {request.operation: models.request_faults(request) for request, _ in exchanges}
    assert {name: found for name, found in faults.items() if found} == {}


def test_answers_are_as_modelled(models: Models, exchanges: list[Exchange]) -> None:
    faults = {request.operation: models.answer_faults(request, response) for request, response in exchanges}
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_simulator_invents_no_field_of_an_order(models: Models, exchanges: list[Exchange]) -> None:
    known = models.documents["orders_2026-01-01.json"]["definitions"]
    got = [
        response.body for request, response in exchanges if (request.operation, response.status) == ("getOrder", 200)
    ]
    orders = [json.loads(body)["order"] for body in got]
    assert orders
    for order in orders:
        assert set(order) <= set(known["Order"]["properties"])
        for item in order["orderItems"]:
            assert set(item) <= set(known["OrderItem"]["properties"])
            assert set(item["product"]) <= set(known["ItemProduct"]["properties"])


def test_usage_plans_are_the_models_own(models: Models) -> None:
    stated = {}
    for document in models.documents.values():
        for methods in document["paths"].values():
            for operation in methods.values():
                if isinstance(operation, dict) and operation.get("operationId") in PLANS:
                    rows = [line for line in operation["description"].splitlines() if line[:3].strip("| ").isdigit()]
                    rate, burst = (cell.strip() for cell in rows[0].strip("|").split("|")[:2])
                    stated[operation["operationId"]] = (float(rate), int(burst))
    assert stated == {name: PLANS[name] for name in stated}
    assert set(PLANS) - set(stated) <= {"searchListingsItems"}


def test_listings_feeds_follow_their_schema(contracts: Path, sim: AmazonSimulator, exchanges: list[Exchange]) -> None:
    folder = contracts / "schemas" / "feeds"
    feed, message, report = (
        json.loads((folder / f"listings-feed-{name}schema-v2.json").read_text("utf-8"))
        for name in ("", "message-", "processing-report-")
    )
    registry: Registry[Any] = Registry().with_resource("", Resource(contents=message, specification=DRAFT7))
    (job,) = (job for job in sim.books.feeds.values() if job.kind == KIND)
    document = json.loads(sim.books.documents[job.document].body or b"")
    assert list(Draft7Validator(feed, registry=registry).iter_errors(document)) == []
    for one in document["messages"]:
        assert list(Draft7Validator(message, registry=registry).iter_errors(one)) == []
    result = sim.books.documents[job.result or ""]
    body = unpacked(result.body or b"", "GZIP" if result.gzip else None)
    assert list(Draft7Validator(report).iter_errors(json.loads(body))) == []


def test_notifications_follow_their_schema(contracts: Path, sim: AmazonSimulator) -> None:
    path = contracts / "schemas" / "notifications" / "OrderChangeNotification.json"
    schema = json.loads(path.read_text("utf-8"))
    document = order_change(two_lines(sim), sim.seller_id, "n-1")
    assert [f"{e.json_path}: {e.message[:200]}" for e in Draft7Validator(schema).iter_errors(document)] == []
