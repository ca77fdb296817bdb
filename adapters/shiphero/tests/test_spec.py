"""Documents, variables and the simulator's answers, checked against ShipHero's own schema."""

from functools import cache
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from graphql import GraphQLSchema, build_schema, execute, parse, validate
from graphql.execution import ExecutionResult

from adapters.shiphero import requests
from adapters.shiphero.harness import SUBMIT, order_input
from adapters.shiphero.operations import (
    ACCOUNT,
    CANCEL_ORDER,
    CREATE_ORDER,
    FIND_ORDERS,
    OPERATIONS,
    ORDER_LINES,
    ORDER_STATE,
    ORDERS_UPDATED,
    RETURNS,
    SHIPMENT,
    SHIPMENTS,
    SNAPSHOT,
    SNAPSHOT_ASKED,
    STOCK,
    Operation,
)
from adapters.shiphero.schemas import OrderHead
from adapters.shiphero.settings import Settings
from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_documents import global_id
from hub.sdk.capabilities import FulfilmentCancel

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT.parent / "shared" / "contracts" / "shiphero" / "shiphero-2022-04.schema.graphql"
SINCE = "extend type Order { updated_at: ISODateTime }"
"""Added by ShipHero after this schema was written (developer.shiphero.com, object Order)."""
SETTINGS = Settings(
    account="northwind",
    username="hub@example.com",
    password="p" * 8,
    webhook_secret="",
    customer_account_id="Q3VzdG9tZXJBY2NvdW50OjE=",
)

pytestmark = pytest.mark.skipif(not SCHEMA.is_file(), reason="the vendor's schema is not beside this repository")


@cache
def schema() -> GraphQLSchema:
    return build_schema(f"{SCHEMA.read_text('utf-8')}\n{SINCE}")


def run(operation: Operation, root: object, variables: dict[str, Any]) -> ExecutionResult:
    result = execute(schema(), parse(operation.document), root_value=root, variable_values=variables)
    assert isinstance(result, ExecutionResult)
    return result


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_document_is_valid(operation: Operation) -> None:
    assert validate(schema(), parse(operation.document)) == []


def sent(body: bytes | None) -> dict[str, Any]:
    assert body is not None
    found: dict[str, Any] = msgspec.json.decode(body)["variables"]
    return found


def test_the_order_we_create_is_one_that_shiphero_takes() -> None:
    request = msgspec.structs.replace(SUBMIT, service="express", ship_by=SUBMIT.ordered_at)
    variables = sent(requests.submit_request(request, SETTINGS).body)

    assert run(CREATE_ORDER, {"order_create": None}, variables).errors is None


def test_the_cancel_we_send_is_one_that_shiphero_takes() -> None:
    cancel = FulfilmentCancel(key="c", fulfilment="A-1", partner_reference=None, reason="customer asked")
    variables = sent(requests.cancel_request(OrderHead(id="o1"), cancel, SETTINGS).body)

    assert run(CANCEL_ORDER, {"order_cancel": None}, variables).errors is None


def test_a_field_that_shiphero_does_not_take_would_be_seen() -> None:
    variables = sent(requests.submit_request(SUBMIT, SETTINGS).body)
    variables["data"]["warehouse"] = "76733"

    assert run(CREATE_ORDER, {"order_create": None}, variables).errors is not None


async def answers(simulator: ShipHeroSimulator) -> list[tuple[Operation, dict[str, Any], dict[str, Any]]]:
    """Every operation once, with an order that is partly shipped, and what the simulator answers."""
    simulator.stock("76733", "MUG", 10)
    order = simulator.take_order(order_input("A-1", {"MUG": 3}))
    other = simulator.take_order(order_input("A-2", {"MUG": 1}))
    shipment = simulator.ship(order, part=True)
    simulator.take_back(order, {"MUG": (1, 1)})
    assert shipment is not None
    simulator.snapshots["5e70d213ec6c5e62d4bf7170"] = "76733"
    calls: list[tuple[Operation, dict[str, Any]]] = [
        (CREATE_ORDER, {"data": order_input("A-3", {"MUG": 1})}),
        (CANCEL_ORDER, {"data": {"order_id": other.id, "reason": "customer asked"}}),
        (FIND_ORDERS, {"partner_order_id": "A-1"}),
        (ORDER_STATE, {"id": order.id}),
        (ORDER_LINES, {"id": order.id}),
        (ORDERS_UPDATED, {"shop_name": "Crossdock", "updated_from": "2026-01-01T00:00:00"}),
        (SHIPMENTS, {"date_from": "2026-01-01T00:00:00"}),
        (SHIPMENT, {"id": shipment.id}),
        (STOCK, {}),
        (SNAPSHOT_ASKED, {"data": {"warehouse_id": global_id("Warehouse", "76733"), "new_format": True}}),
        (SNAPSHOT, {"snapshot_id": "5e70d213ec6c5e62d4bf7170"}),
        (RETURNS, {"date_from": "2026-01-01T00:00:00"}),
        (ACCOUNT, {}),
    ]
    async with httpx.AsyncClient(base_url=simulator.base_url) as client:
        login = {"username": simulator.username, "password": simulator.password}
        token = (await client.post("/auth/token", json=login)).json()["access_token"]
        found = []
        for operation, variables in calls:
            call = {"query": operation.document, "operationName": operation.name, "variables": variables}
            answer = await client.post("/graphql", json=call, headers={"authorization": f"Bearer {token}"})
            found.append((operation, variables, answer.json()))
    return found


async def test_the_simulator_answers_what_was_asked_in_shipheros_types(simulator: ShipHeroSimulator) -> None:
    found = await answers(simulator)

    assert [operation for operation, _, _ in found] == list(OPERATIONS)
    for operation, variables, answer in found:
        result = run(operation, answer["data"], variables)
        assert result.errors is None, operation.name
        assert result.data == answer["data"], operation.name
