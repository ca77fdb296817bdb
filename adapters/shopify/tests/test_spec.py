"""Documents, variables, the simulator's answers and the readers, held against what the vendor publishes."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from graphql import GraphQLSchema

from adapters.shopify import documents, documents_bulk
from adapters.shopify.answers import read
from adapters.shopify.availability import publish_availability
from adapters.shopify.cancels import cancel_order
from adapters.shopify.client import probe, pull_orders
from adapters.shopify.fetches import fetch
from adapters.shopify.harness import changed_level
from adapters.shopify.history import pull_history
from adapters.shopify.levels import SetAnswer, sort_errors
from adapters.shopify.line_cancels import cancel_lines
from adapters.shopify.messages import Fulfilled, Moved
from adapters.shopify.operation import Operation
from adapters.shopify.payments import capture_payment, refund_payment, void_payment
from adapters.shopify.settings import Settings
from adapters.shopify.shipments import confirm_shipment
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopLocation
from adapters.shopify.stock import pull_stock
from adapters.shopify.subscriptions import keep_subscriptions
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    CancelledLine,
    ChannelCancel,
    ChannelLineCancel,
    ConfirmedLine,
    Context,
    Level,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    ShipmentConfirmation,
)
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson
from hub.sdk.wire import Response


def _sdl() -> ModuleType:
    # Test folders are no packages.
    spec = importlib.util.spec_from_file_location("shopify_sdl", Path(__file__).with_name("sdl.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["shopify_sdl"] = module
    spec.loader.exec_module(module)
    return module


sdl = _sdl()
SAMPLES = sdl.CONTRACTS / "samples" / "graphql"
NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)

published = pytest.mark.skipif(not sdl.SDL.exists(), reason="published contracts are not beside the repository")


@pytest.fixture(scope="module", params=sdl.VERSIONS)
def schema(request: pytest.FixtureRequest) -> GraphQLSchema:
    return sdl.load(request.param)


@published
@pytest.mark.parametrize("operation", documents.OPERATIONS, ids=lambda operation: operation.name)
def test_document_is_valid_and_affordable(operation: Operation, schema: GraphQLSchema) -> None:
    judge = sdl.Judge(schema, operation.document)
    assert judge.errors == []
    assert judge.mutation is operation.write
    assert judge.cost() == operation.worst
    assert operation.cost <= operation.worst <= 1000


@published
def test_the_bulk_query_is_valid(schema: GraphQLSchema) -> None:
    assert sdl.Judge(schema, documents_bulk.history(NOW.date())).errors == []


@published
async def test_everything_sent_and_answered_fits_the_schema(
    schema: GraphQLSchema, shop: ShopifySimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[Operation, dict[str, Any], Any]] = []
    run = shop._run

    def listening(operation: Operation, variables: dict[str, Any]) -> dict[str, Any]:
        answer = run(operation, variables)
        heard.append((operation, variables, answer.get("data")))
        return answer

    monkeypatch.setattr(shop, "_run", listening)
    await everything(shop, context)
    assert {operation.name for operation, _, _ in heard} == {operation.name for operation in documents.OPERATIONS}
    for operation, variables, data in heard:
        judge = sdl.Judge(schema, operation.document)
        assert judge.variable_errors(variables) == [], operation.name
        assert judge.answer_errors(data) == [], operation.name


async def move_money(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Capture, refund and void."""
    held = shop.place_order([("SKU-3", 2)], financial="authorized")
    capture = PaymentCapture(
        key="k-capture-1",
        order_external_id=str(held.id),
        payment=None,
        amount=1000,
        currency="USD",
        final=False,
        asked_at=shop.now(),
    )
    assert isinstance(await capture_payment(context, capture), Done)
    refund = PaymentRefund(
        key="k-refund-1",
        order_external_id=str(held.id),
        amount=700,
        currency="USD",
        lines=(ConfirmedLine(line=str(held.lines[0].id), quantity=1),),
        shipping=100,
        reason="damaged",
    )
    assert isinstance(await refund_payment(context, refund), Done)
    other = shop.place_order([("SKU-3", 1)], financial="authorized")
    void = PaymentVoid(key="k-void-1", order_external_id=str(other.id), payment=None)
    assert isinstance(await void_payment(context, void), Done)


async def everything(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Every operation, on orders to which everything happened."""
    shop.locations[502] = ShopLocation(id=502, name="Oak Street store")
    for number in range(60):
        sku = shop.sell(f"SKU-{number}", available=9).sku
        shop.inventory[shop.variants[sku].item, 502] = 9
    order = shop.place_order([(f"SKU-{number}", 2) for number in range(60)], discount=Decimal(5), tags=["vip"])
    shop.refund_order(order.id, {line.id: 1 for line in order.lines})
    confirmed = tuple(ConfirmedLine(line=str(line.id), quantity=1) for line in order.lines)
    shipment = ShipmentConfirmation(
        key="k-confirm-1",
        order_external_id=str(order.id),
        lines=confirmed[:55],
        parcels=(Parcel(tracking="A", carrier="ups", url="https://ups.example/A"), Parcel(tracking="B")),
        location="502",
        shipped_at=NOW,
    )
    assert isinstance(await confirm_shipment(context, shipment), Done)
    shop.edit_order(order.id, {}, add=[("SKU-1", 1)])
    shop.place_order([("SKU-1", 1)], at_till=501)
    cancelled = shop.place_order([("SKU-2", 1)])
    wish = ChannelCancel(key="k-cancel-1", order_external_id=str(cancelled.id), reason="fraud")
    assert isinstance(await cancel_order(context, wish), Done)
    fewer = shop.place_order([("SKU-2", 3)])
    off = CancelledLine(line=str(fewer.lines[0].id), quantity=1, remaining=2)
    less = ChannelLineCancel(key="k-lines-1", order_external_id=str(fewer.id), lines=(off,), reason="one less")
    assert isinstance(await cancel_lines(context, less), Done)
    await move_money(shop, context)
    order.company, order.terms_days = 4711, 30
    companies = msgspec.structs.replace(context.settings, companies=True)
    await fetch(msgspec.structs.replace(context, settings=companies), "orders/edited", f"order:{order.id}", b"{}")
    assert [len(page.items) async for page in pull_orders(context, None)] == [6]
    levels = tuple(Level(sku=sku, location="501", quantity=3, previous=99) for sku in ("SKU-3", "GONE"))
    assert isinstance(
        await publish_availability(context, AvailabilityUpdate(key="k-level-1", levels=levels)), NeedsPerson
    )
    unknown = shop.place_order([("SKU-4", 1)])
    nowhere = msgspec.structs.replace(
        shipment,
        order_external_id=str(unknown.id),
        lines=(ConfirmedLine(line=str(unknown.lines[0].id), quantity=1),),
        location="503",
    )
    assert isinstance(await confirm_shipment(context, nowhere), NeedsPerson)
    await probe(context)
    shelf = msgspec.structs.replace(context.settings, stock_locations=("502",))
    counting = msgspec.structs.replace(context, settings=shelf)
    assert [len(page.items) async for page in pull_stock(counting, None)] == [1]
    about, body = changed_level(shop)
    assert await fetch(counting, "inventory_levels/update", about, body) != ()
    (work,) = order.fulfilment_orders[:1]
    assert await fetch(context, "fulfillment_orders/placed_on_hold", f"work:{work.id}", b"{}") != ()
    await by_hand(shop, context)
    await subscribe(shop, context)
    past = msgspec.structs.replace(context.settings, history_from=NOW.date())
    assert [len(page.items) async for page in pull_history(msgspec.structs.replace(context, settings=past), None)]


async def by_hand(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Fulfilled in the shop without a number."""
    order = shop.place_order([("SKU-5", 1)])
    (one,) = order.fulfilment_orders
    shop.fulfil(one, [(one.lines[0], 1)])
    shipment = ShipmentConfirmation(
        key="k-confirm-2",
        order_external_id=str(order.id),
        lines=(ConfirmedLine(line=str(order.lines[0].id), quantity=1),),
        parcels=(Parcel(tracking="C", carrier="ups", url="https://ups.example/C"),),
        location=None,
        shipped_at=NOW,
    )
    assert isinstance(await confirm_shipment(context, shipment), Done)


async def subscribe(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Make all subscriptions, and mend one."""
    told = msgspec.structs.replace(context, webhooks="https://hub.example.com/webhooks/c1")
    assert [page.items async for page in keep_subscriptions(told, None)] == [()]
    next(iter(shop.subscriptions.values())).include_fields = ["id"]
    assert [page.items async for page in keep_subscriptions(told, None)] == [()]


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a recorded file."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(inner)


def recorded(name: str, root: str) -> Iterator[Response]:
    """Answers of calls of one root field in a recorded file."""
    for call in walk(json.loads((SAMPLES / name).read_text("utf-8"))):
        answer = call.get("response")
        if isinstance(answer, dict) and isinstance(call.get("variables"), dict):
            answer = answer.get("payload") or answer
            named = {str(error.get("path", [""])[0]) for error in answer.get("errors", [])}
            if root in (answer.get("data") or {}) or root in named:
                yield Response(status=200, headers={}, body=json.dumps(answer).encode())


@published
def test_cost_rule_follows_recorded_costs(schema: GraphQLSchema) -> None:
    told = {}
    for name in ("fulfillment-create-multi-group", "return-reverse-logistics-recorded"):
        for call in walk(json.loads((SAMPLES / f"2026-04__orders__{name}.json").read_text("utf-8"))):
            answer = call.get("response")
            document = call.get("query")
            if isinstance(document, str) and "first: $" not in document and isinstance(answer, dict):
                told[document] = (answer.get("payload") or answer).get("extensions", {}).get("cost")
    judges = {document: sdl.Judge(schema, document) for document, cost in told.items() if cost}
    # The trimmed schema lacks a few roots, such as orderDelete.
    known = {document: judge.cost() for document, judge in judges.items() if not judge.errors}
    assert len(known) == 14
    assert known == {document: told[document]["requestedQueryCost"] for document in known}


@published
def test_recorded_shipments_are_read() -> None:
    calls = recorded("2026-04__orders__fulfillment-create-multi-group.json", "fulfillmentCreate")
    made, refused = 0, []
    for response in calls:
        answer = read(response, documents.FULFILL, "fulfillmentCreate", Fulfilled, NOW)
        assert answer is not None
        made += answer.fulfillment is not None
        refused += [error.message.partition(". Multiple")[0] for error in answer.user_errors]
    assert made == 1
    assert sorted(set(refused)) == [
        "All fulfillment orders must be assigned to a single location",
        "All fulfillment orders must belong to the same order",
        "Fulfillment order does not exist.",
        "Fulfillment order line item does not exist.",
        "Invalid fulfillment order line item quantity requested.",
        "Quantity must be greater than 0",
    ]


@published
def test_recorded_moves_are_read() -> None:
    calls = recorded("2026-04__shipping-fulfillments__fulfillment-order-move-multi-line.json", "fulfillmentOrderMove")
    (answer,) = (read(response, documents.MOVE, "fulfillmentOrderMove", Moved, NOW) for response in calls)
    assert answer is not None
    assert answer.moved_fulfillment_order is not None
    assert answer.user_errors == ()


@published
def test_recorded_level_contracts_are_read() -> None:
    """What 2026-04 answers to a set without idempotency key, without changeFromQuantity, to wrong ids and values."""
    accepted, codes, demands = 0, set(), []
    for response in recorded("2026-04__products__inventory-quantity-contracts-2026-04.json", "inventorySetQuantities"):
        try:
            answer = read(response, documents.SET_AVAILABLE, "inventorySetQuantities", SetAnswer, NOW)
        except Interrupted as interrupted:
            demands.append(interrupted.outcome.reason)
            continue
        assert answer is not None
        accepted += not answer.user_errors
        codes |= {(error.code, (error.field or ())[-1]) for error in answer.user_errors}
        assert sort_errors(answer, [])[2] == list(answer.user_errors)
    assert accepted == 1
    assert codes == {("INVALID_INVENTORY_ITEM", "inventoryItemId"), ("INVALID_LOCATION", "locationId")}
    assert [demand.partition(": ")[2] for demand in demands] == [
        "The @idempotent directive is required for this mutation but was not provided. (BAD_REQUEST)",
        "InventoryQuantityInput must include the following argument: changeFromQuantity. (INVALID_FIELD_ARGUMENTS)",
    ]


@published
def test_ignored_search_terms_are_recognised() -> None:
    name = "2026-04__products__inventory-item-levels-connection-windowing-2026-04.json"
    answers = [response for response in recorded(name, "inventoryItem") if b'"warnings"' in response.body]
    assert answers
    for response in answers:
        with pytest.raises(Interrupted, match="Invalid search field for this query"):
            read(response, documents.VARIANTS, "inventoryItem", dict[str, Any], NOW)
