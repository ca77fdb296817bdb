"""Shopify orders that are wrong, and real ones: the order exists, and what it lacks is named."""

import contextlib
import json
from pathlib import Path

import pytest

from adapters.shopify.translate import FUNCTIONS
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from tests.unit.mapping.shopify_orders import order_bytes, shopify_order

ROOT = Path(__file__).resolve().parents[3]
MAPPINGS = ROOT / "mappings" / "shopify"
SAMPLES = ROOT.parent / "shared" / "contracts" / "shopify" / "samples"


@pytest.fixture(scope="module")
def mapping():
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    return compile_mapping((MAPPINGS / "order.toml").read_text(), FUNCTIONS, tables)


@pytest.mark.parametrize(
    ("place", "fields", "told"),
    [
        ((), {"financial_status": "weird"}, ("unmapped_status", "financial_status", "financial_status", "weird")),
        ((), {"updated_at": "soon"}, ("bad_time", "version", "updated_at", "soon")),
        ((), {"taxes_included": "yes"}, ("bad_flag", "amounts.shop.tax_included", "taxes_included", "yes")),
        ((), {"currency": "EURO"}, ("bad_money", "currency", "currency", "EURO")),
        ((), {"line_items": []}, ("missing_field", "lines", "line_items", "")),
        ((), {"fulfillments": [5]}, ("bad_value", "let.fulfilled", "fulfillments", "[5]")),
        (
            ("billing_address",),
            {"country_code": "XQ", "country": None},
            ("unmapped_country", "contacts.bill.country", "billing_address.country_code", "XQ"),
        ),
        (
            ("line_items", 0),
            {"quantity": -1},
            ("bad_quantity", "lines.quantity", "line_items[].quantity", "-1"),
        ),
        (("line_items", 0), {"quantity": 0}, ("bad_quantity", "lines.quantity", "line_items[].quantity", "0")),
        (("line_items", 0), {"quantity": 1.5}, ("bad_quantity", "lines.quantity", "line_items[].quantity", "1.5")),
        (
            ("line_items", 0),
            {"price": "12,50"},
            ("bad_money", "lines.subtotal", "line_items[].price, @quantity", '["12,50",1]'),
        ),
        (
            ("line_items", 0),
            {"price": None},
            ("missing_field", "lines.subtotal", "line_items[].price | @quantity", ""),
        ),
        (
            ("line_items", 0, "tax_lines", 0),
            {"price": "0.001"},
            ("bad_money", "lines.tax", "line_items[].tax_lines[].price", '["0.001"] EUR'),
        ),
    ],
)
def test_a_problem_names_kind_field_path_value_and_line(mapping, place, fields, told):
    order = shopify_order(1, lines=2)
    holder = order
    for key in place:
        holder = holder[key]
    holder |= fields
    snapshot = mapping(order_bytes(order))
    (problem,) = snapshot.problems
    assert (problem.kind, problem.field, problem.path, problem.value) == told
    assert problem.line == (snapshot.content.lines[0].external_id if place[:1] == ("line_items",) else None)


# --- real payloads ----------------------------------------------------------------------------------------------------

EXPLAINED = {
    ("go-shopify/order.json", "edited"): -50,
    ("go-shopify/order_with_transaction.json", "edited"): -50,
    ("rest/order-cancel.json", "refunded"): -19029,
    ("rest/order-closed.json", "refunded"): -19029,
    ("rest/order-full.json", "refunded"): -19029,
    ("rest/order-note-attributes.json", "refunded"): -19029,
    ("rest/orders-list.json", "refunded"): -19029,
}
"""Samples whose own sums do not come out: a made-up `current_total_price`, and two refunded lines of 399.29 with a
transaction of 209.00. `placed` comes out in all of them."""

UNADDRESSED = {"rest/order-create-custom-line-taxes.json", "rest/orders-by-ids-minimal.json"}
"""Samples with goods to send and no address at all: made through the API, with an email or nothing."""


def sample_orders():
    """Every order resource among the samples; requests and filtered lists are none."""
    found = []
    for folder in ("rest", "go-shopify", "recorded-2017"):
        for path in sorted((SAMPLES / folder).glob("order*.json")):
            document = json.loads(path.read_text())
            orders = document.get("orders") or [document.get("order")]
            name = f"{folder}/{path.name}"
            found += [(name, order) for order in orders if order and {"id", "line_items"} <= set(order)]
    return found


def test_carriers_translate_there_and_back():
    tables = load_tables((MAPPINGS / "tables.toml").read_text())
    assert {company: ours for ours, company in tables["tracking_company"].items()} == tables["carrier"]


needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no samples of Shopify's payloads at {SAMPLES}")


@needs_samples
def test_there_are_samples():
    assert len(sample_orders()) >= 12


@needs_samples
@pytest.mark.parametrize(("name", "order"), sample_orders(), ids=[name for name, _ in sample_orders()])
def test_a_real_order_maps_and_its_sums_come_out(mapping, name, order):
    raw = json.dumps(order).encode()
    snapshot = mapping(raw)
    content = snapshot.content
    assert mapping(json.dumps({"order": order}).encode()) == snapshot == mapping.read_with_care(raw)
    assert [problem.kind for problem in snapshot.problems] == (["missing_address"] if name in UNADDRESSED else [])
    assert len(content.lines) == len(order["line_items"])
    differences = {"placed": content.amounts.difference}
    differences |= {"edited": content.edited.difference} if content.edited else {}
    differences |= {"refunded": content.refunded.difference} if content.refunded else {}
    assert differences == {part: EXPLAINED.get((name, part), 0) for part in differences}
    for line in content.lines:
        assert line.subtotal >= line.discount >= 0


def sample_lines():
    """Lines of a client library's fixtures, with properties of every broken kind; one of the files is no JSON."""
    found = []
    for path in sorted((SAMPLES / "go-shopify").glob("lineitem-*.json")):
        with contextlib.suppress(ValueError):
            found.append(json.loads(path.read_text()))
    return found


@needs_samples
def test_a_broken_line_of_a_real_client_is_read_all_the_same(mapping):
    lines = sample_lines()
    assert len(lines) == 2
    for line in lines:
        order = shopify_order(1, lines=1)
        order["line_items"][0] |= line
        (read_line,) = mapping(order_bytes(order)).content.lines
        assert read_line.external_id == str(order["line_items"][0]["id"])
