"""Every published or recorded body beside the repository: read as an order, as an answer, or refused by name."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.shopify import documents
from adapters.shopify.adapter import ADAPTER
from adapters.shopify.answers import read
from hub.domain.order import OrderSnapshot
from hub.mapping.compile import Mapping, compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.translate import Malformed
from hub.sdk.wire import Response

ROOT = Path(__file__).resolve().parents[3]
MAPPINGS = ROOT / "mappings" / "shopify"
SAMPLES = ROOT.parent / "shared" / "contracts" / "shopify" / "samples"
NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
NAMED = (NeedsPerson, RetryLater, Uncertain, Unauthorised)

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not beside this repository")

FILES = sorted(path for path in SAMPLES.rglob("*") if path.is_file()) if SAMPLES.is_dir() else []
BODIES = [path for path in FILES if path.parent.name not in ("graphql", "webhooks")]
RECORDED = [path for path in FILES if path.parent.name == "graphql"]
ORDERS = {
    "go-shopify/order.json": 2,
    "go-shopify/order_with_transaction.json": 2,
    "recorded-2017/order-fulfilled.json": 2,
    "recorded-2017/order-with-refund.json": 2,
    "rest/order-cancel.json": 3,
    "rest/order-closed.json": 3,
    "rest/order-create-custom-line-taxes.json": 1,
    "rest/order-create-fulfilled.json": 1,
    "rest/order-create-with-new-customer.json": 1,
    "rest/order-full.json": 3,
    "rest/order-note-attributes.json": 3,
}
"""Bodies that are a whole order, with their lines; lists of orders and requests to make one are not."""

ONLY_AN_ID = {
    "go-shopify/lineitem-valid.json",
    "go-shopify/shippingline-requested_fulfillment_service_id_null.json",
}
"""Parts of an order with an id: an order would exist, held, with everything named that it lacks."""


def name_of(path: Path) -> str:
    return str(path.relative_to(SAMPLES))


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text("utf-8")))
    return compile_mapping((MAPPINGS / "order.toml").read_text("utf-8"), ADAPTER.functions, tables)


def outcome(mapping: Mapping, body: bytes) -> OrderSnapshot | Malformed:
    """What a body is taken for."""
    try:
        return mapping(body)
    except Malformed as refused:
        return refused


def test_there_are_as_many_as_were_looked_through() -> None:
    assert len(FILES) == len(BODIES) + len(RECORDED) + 1
    assert len(FILES) >= 140


def test_every_body_is_an_order_or_refused_by_the_name_of_what_it_lacks(mapping: Mapping) -> None:
    found = {name_of(path): outcome(mapping, path.read_bytes()) for path in BODIES}
    refused = {name: one.field for name, one in found.items() if isinstance(one, Malformed)}
    taken = {name: one for name, one in found.items() if isinstance(one, OrderSnapshot)}
    assert set(refused.values()) == {"external_id", "document"}
    assert {name: len(one.content.lines) for name, one in taken.items() if name not in ONLY_AN_ID} == ORDERS
    for name in ONLY_AN_ID:
        assert {"version", "currency", "lines"} <= {problem.field for problem in taken[name].problems}


DIFFERENCES = {
    "go-shopify/order.json": {"placed": 0, "edited": -50},
    "go-shopify/order_with_transaction.json": {"placed": 0, "edited": -50},
    "recorded-2017/order-fulfilled.json": {"placed": 0},
    "recorded-2017/order-with-refund.json": {"placed": 0, "refunded": 0},
    "rest/order-cancel.json": {"placed": 0, "edited": 0, "refunded": -19029},
    "rest/order-closed.json": {"placed": 0, "edited": 0, "refunded": -19029},
    "rest/order-create-custom-line-taxes.json": {"placed": 0},
    "rest/order-create-fulfilled.json": {"placed": 0},
    "rest/order-create-with-new-customer.json": {"placed": 0},
    "rest/order-full.json": {"placed": 0, "edited": 0, "refunded": -19029},
    "rest/order-note-attributes.json": {"placed": 0, "edited": 0, "refunded": -19029},
    "rest/orders-by-ids-minimal.json": {"placed": 0},
    "rest/orders-list.json": {"placed": 0, "edited": 0, "refunded": -19029},
}
"""The vendor's total less the sum of the parts, in minor units, by set. Two are invented numbers:
9.50 is stated of an order of 10.00 of which nothing was taken off; 209.00 went back of lines worth 399.29. What is not
nought is shown, and holds posting."""


def orders_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every order that was placed, alone or in a list; no request, and no draft."""
    if isinstance(node, dict):
        if "line_items" in node and "financial_status" in node and "id" in node:
            yield node
        for inner in node.values():
            yield from orders_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from orders_in(inner)


def decoded(path: Path) -> Any:
    """A body; None for the two that their authors broke."""
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        return None


def test_every_order_comes_to_the_vendors_own_totals_or_shows_the_difference(mapping: Mapping) -> None:
    found = {}
    for path in BODIES:
        for order in orders_in(decoded(path)):
            content = mapping(json.dumps(order).encode()).content
            sets = {"placed": content.amounts, "edited": content.edited, "refunded": content.refunded}
            assert name_of(path) not in found, "one order in each file"
            found[name_of(path)] = {name: one.difference for name, one in sets.items() if one is not None}
            assert all(one.stated_total is not None for one in sets.values() if one is not None)
    assert found == DIFFERENCES
    assert set(ORDERS) <= set(found)


def answers(node: Any) -> Iterator[dict[str, Any]]:
    """Every GraphQL answer inside a recorded file."""
    if isinstance(node, dict):
        if isinstance(node.get("data"), dict) or isinstance(node.get("errors"), list):
            yield node
        for inner in node.values():
            yield from answers(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from answers(inner)


def told(answer: dict[str, Any], root: str) -> object:
    """What our reader makes of an answer: a value, None, or an outcome."""
    response = Response(status=200, headers={}, body=json.dumps(answer).encode())
    try:
        return read(response, documents.ORDER, root, msgspec.Raw, NOW)
    except Interrupted as interrupted:
        return interrupted.outcome


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
def test_every_recorded_answer_is_read_or_ends_in_a_named_outcome(path: Path) -> None:
    recorded = [
        (answer, root)
        for answer in answers(json.loads(path.read_text("utf-8")))
        for root in answer.get("data") or {"order": None}
    ]
    assert recorded
    for answer, root in recorded:
        outcome = told(answer, root)
        assert outcome is None or isinstance(outcome, (msgspec.Raw, *NAMED))
        assert not isinstance(outcome, NAMED) or outcome.reason.startswith("CrossdockOrder: ")
