"""Against exchanges recorded from a real Odoo 19: they are read in place, and the simulator answers them alike."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.odoo import warehouse_rows
from adapters.odoo.answers import failure, read_rows
from adapters.odoo.harness import HARNESS, simulator
from adapters.odoo.schemas import AccountMove, Picking, Product, Row, SaleOrder, StockMove, needed
from adapters.odoo.simulated import documents, transfers
from adapters.odoo.simulator import EVERY_MODEL, METHODS, OdooSimulator
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import NeedsPerson
from hub.sdk.testkit.reading import tables_of
from hub.sdk.wire import Client, Request, Response

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT.parent / "shared" / "contracts" / "odoo"
SAMPLES = CONTRACTS / "samples"
NOW = datetime(2026, 11, 22, 1, 12, 14, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded exchanges are not beside this repository")


def load(path: Path) -> Any:
    return msgspec.json.decode(path.read_bytes())


def recorded(name: str) -> Response:
    status = load(SAMPLES / f"{name}.http.json")["status"]
    return Response(status=status, headers={}, body=(SAMPLES / f"{name}.response.json").read_bytes())


# --- our readers over their answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "count", "first"),
    [
        ("22_sale_orders", SaleOrder, 12, {"id": 1, "state": "draft", "currency_id": (1, "USD")}),
        ("34_sale_order_read_confirmed", SaleOrder, 1, {"name": "S00026", "state": "sale"}),
        ("26_pickings", Picking, 12, {"id": 1, "state": "assigned", "carrier_tracking_ref": False}),
        ("43_picking_read_done", Picking, 1, {"state": "done"}),
        ("37_moves_read", StockMove, 2, {"id": 83, "product_id": (20, "[E-COM07] Large Cabinet")}),
        ("52_invoice_read_draft", AccountMove, 1, {"name": False, "state": "draft", "ref": "#1001"}),
        ("54_invoice_read_posted", AccountMove, 1, {"name": "INV/2026/00010", "state": "posted"}),
        ("20_products_page1", Product, 10, {"id": 49, "default_code": "FURN_0001"}),
    ],
)
def test_recorded_answers_are_read(name: str, kind: type[Row], count: int, first: dict[str, object]) -> None:
    rows = read_rows(kind, recorded(name), name)
    assert len(rows) == count
    assert {field: getattr(rows[0], field) for field in first} == first


def test_a_recorded_total_is_exact() -> None:
    (order,) = read_rows(SaleOrder, recorded("34_sale_order_read_confirmed"), "x")
    assert str(order.amount_total) == "59.98"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("07_json2_unknown_model", "NotFound (404): the model 'no.such.model' does not exist"),
        ("08_json2_unknown_method", "NotFound (404): The method 'sale.order.fly' does not exist"),
        ("09_json2_bad_kwarg", "TypeError (500): BaseModel._read_format() got an unexpected keyword"),
        ("10_json2_private_method", "AccessError (403): Private methods"),
        ("11_json2_bad_field", "ValueError (500): Invalid field 'no_such_field' on 'sale.order'"),
        ("35_sale_order_confirm_again_error", "UserError (422): Some orders are not in a state requiring"),
        ("47_picking_cancel_done_error", "UserError (422): You cannot cancel a stock move"),
        ("69_order_missing_partner_error", "ValidationError (422): The operation cannot be completed: Missing"),
    ],
)
def test_recorded_errors_need_a_person_and_tell_no_traceback(name: str, said: str) -> None:
    response = recorded(name)
    assert b"Traceback" in response.body
    outcome = failure(response, "op", write=True, now=NOW).outcome
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason.startswith(f"op: {said}")
    assert "Traceback" not in outcome.reason
    assert "\n" not in outcome.reason


# --- what we depend on exists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["sale.order", "stock.picking", "stock.move", "account.move"])
def test_fields_exist_in_the_recorded_database(model: str) -> None:
    fields = load(CONTRACTS / "fields_get" / f"{model.replace('.', '_')}.json")
    assert needed()[model] <= fields.keys()


@pytest.mark.parametrize("model", ["sale.order.line", "account.move.line", "product.product", "res.partner"])
def test_fields_exist_in_the_recorded_index(model: str) -> None:
    index = {entry["model"]: entry for entry in load(CONTRACTS / "doc-bearer.index.trimmed.json")["models"]}
    assert needed()[model] <= index[model]["fields"].keys()


@pytest.mark.parametrize("model", ["stock.picking", "stock.move", "stock.quant"])
def test_fields_of_inventory_exist_in_the_recorded_database(model: str) -> None:
    fields = load(CONTRACTS / "fields_get" / f"{model.replace('.', '_')}.json")
    assert warehouse_rows.needed()[model] <= fields.keys()


@pytest.mark.parametrize("model", ["stock.warehouse", "stock.location", "stock.move.line", "res.partner"])
def test_fields_of_inventory_exist_in_the_recorded_index(model: str) -> None:
    index = {entry["model"]: entry for entry in load(CONTRACTS / "doc-bearer.index.trimmed.json")["models"]}
    assert warehouse_rows.needed()[model] <= index[model]["fields"].keys()


@pytest.mark.parametrize("model", ["stock.picking", "stock.move"])
def test_every_state_that_odoo_names_is_in_the_table(model: str) -> None:
    fields = load(CONTRACTS / "fields_get" / f"{model.replace('.', '_')}.json")
    states = {word for word, _ in fields["state"]["selection"]}
    assert {tables_of(HARNESS).find("status", word) for word in states} <= {"draft", "open", "shipped", "cancelled"}


@pytest.mark.parametrize("model", ["sale.order", "stock.picking", "account.move"])
def test_methods_exist_in_the_recorded_documentation(model: str) -> None:
    documented = load(CONTRACTS / "doc-bearer" / f"doc_{model.replace('.', '_')}.json")["methods"]
    own = {name.removeprefix(f"{model}.") for name in METHODS if name.rpartition(".")[0] == model}
    assert own | EVERY_MODEL.keys() <= documented.keys()
    # What they take is what we send: search_read's arguments are the client's.
    assert {"domain", "fields", "limit", "order"} <= documented["search_read"]["parameters"].keys()
    assert {"allfields", "attributes"} <= documented["fields_get"]["parameters"].keys()
    assert documented["create"]["parameters"].keys() == {"vals_list"}
    assert documented["write"]["parameters"].keys() == {"vals"}


# --- the simulator answers like the recorded one ----------------------------------------------------------------------


@pytest.fixture
async def odoo() -> AsyncIterator[OdooSimulator]:
    """A database numbered so that the recorded requests find their records: two products sold by delivery."""
    async with simulator() as running:
        tables = running.books.tables
        for number, sku, name in (
            (18, "DESK0006", "Customizable Desk (Black, Custom)"),
            (20, "E-COM07", "Large Cabinet"),
        ):
            tables["product.product"].next_id = number
            product = running.add_product(sku, name)
            tables["product.product"].update(product, {"invoice_policy": "delivery"})
        tables["res.country"].next_id = 999
        for model, first in {
            "res.partner": 47,
            "sale.order": 26,
            "sale.order.line": 53,
            "stock.picking": 54,
            "stock.move": 83,
            "account.move": 57,
            "account.move.line": 135,
        }.items():
            tables[model].next_id = first
        yield running


async def replay(odoo: OdooSimulator, client: Client, name: str) -> tuple[Response, Response]:
    exchange = load(SAMPLES / f"{name}.http.json")
    sent = SAMPLES / f"{name}.request.json"
    body = sent.read_bytes() if sent.exists() else None
    request = Request(method=exchange["method"], path=exchange["path"], operation=name, body=body)
    return recorded(name), await client.send(request)


def shape(value: object) -> object:
    """The kind of a value on the wire; a many2one is a kind of its own, and false is told from true."""
    match value:
        case bool():
            return value
        case [int(), str()]:
            return "many2one"
        case _:
            return type(value).__name__


EXACT = """
id state client_order_ref origin order_line picking_ids invoice_ids invoice_status delivery_status picking_policy
amount_untaxed amount_tax amount_total amount_residual carrier_tracking_ref move_ids backorder_ids sale_id
products_availability product_id product_uom_qty quantity picked sale_line_id ref move_type payment_state
invoice_origin invoice_line_ids price_unit price_subtotal price_total debit credit balance sale_line_ids
currency_id partner_id tax_ids display_type picking_type_code discount priority
"""
SAME = frozenset(EXACT.split())
"""Fields whose very values must agree; of the others, only the kind."""

UNKNOWN = {"tax_totals", "move_line_ids"}
"""What the simulator leaves empty."""


def agree(theirs: Response, ours: Response) -> None:
    assert ours.status == theirs.status
    expected, got = msgspec.json.decode(theirs.body), msgspec.json.decode(ours.body)
    assert type(got) is type(expected)
    for one, other in zip(expected, got, strict=True):
        assert list(other) == list(one)
        assert {f: shape(v) for f, v in other.items() if f not in UNKNOWN} == {
            f: shape(v) for f, v in one.items() if f not in UNKNOWN
        }
        assert {f: other[f] for f in SAME if f in other} == {f: one[f] for f in SAME if f in one}


def refused_alike(theirs: Response, ours: Response) -> None:
    expected, got = msgspec.json.decode(theirs.body), msgspec.json.decode(ours.body)
    assert (ours.status, got["name"], got["message"]) == (theirs.status, expected["name"], expected["message"])


async def test_the_recorded_life_of_an_order(odoo: OdooSimulator) -> None:
    settings = HARNESS.settings(odoo)
    async with HttpClient(HARNESS.adapter.transport(settings), clock=lambda: NOW) as client:

        async def same(name: str) -> None:
            theirs, ours = await replay(odoo, client, name)
            assert (ours.status, msgspec.json.decode(ours.body)) == (200, msgspec.json.decode(theirs.body))

        async def alike(name: str) -> None:
            agree(*await replay(odoo, client, name))

        odoo.books.tables["res.country"].rows[233] = {"id": 233, "name": "United States", "code": "US"}
        await same("30_partner_create")
        await same("31_sale_order_create")
        await alike("32_sale_order_read_draft")
        await same("33_sale_order_confirm")
        await alike("34_sale_order_read_confirmed")
        await alike("36_picking_read_assigned")
        await alike("37_moves_read")
        await same("39_move_write_partial")
        # The second line was picked in full by a request that is not among the recorded ones.
        odoo.books.tables["stock.move"].rows[84]["picked"] = True
        await same("40_picking_set_tracking")
        for context in ({}, {"skip_backorder": True}):
            answer = transfers.validate(odoo.books, "stock.picking", [54], context)
            assert isinstance(answer, dict)
        await same("42c_button_validate_skip_backorder_and_sms")
        await alike("43_picking_read_done")
        for refused in ("35_sale_order_confirm_again_error", "47_picking_cancel_done_error"):
            refused_alike(*await replay(odoo, client, refused))
        await alike("44_sale_order_partial_delivery")
        await alike("45_backorder_picking")
        _invoice_as_recorded(odoo)
        await alike("52_invoice_read_draft")
        assert documents.post(odoo.books, "account.move", [57], {}) is False
        await alike("54_invoice_read_posted")
        theirs, ours = await replay(odoo, client, "55_invoice_lines")
        products = msgspec.json.encode([x for x in msgspec.json.decode(theirs.body) if x["display_type"] == "product"])
        agree(msgspec.structs.replace(theirs, body=products), ours)
    assert odoo.violations == ["account.move.line.search_read without a limit"]


def _invoice_as_recorded(odoo: OdooSimulator) -> None:
    """What the invoicing wizard made of one cabinet and two desks, as a creation of the same."""
    lines = [
        {"product_id": 20, "quantity": 1, "price_unit": Decimal("19.99"), "sale_line_ids": [[6, 0, [53]]]},
        {"product_id": 18, "quantity": 2, "price_unit": Decimal("0.005"), "sale_line_ids": [[6, 0, [54]]]},
    ]
    values = {
        "move_type": "out_invoice",
        "partner_id": 47,
        "currency_id": 1,
        "ref": "#1001",
        "invoice_origin": "S00026",
    }
    documents.create_document(odoo.books, {**values, "invoice_line_ids": [[0, 0, line] for line in lines]})


@pytest.mark.parametrize(
    "name",
    [
        "01_json2_bad_path",
        "04_json2_get_not_allowed",
        "07_json2_unknown_model",
        "08_json2_unknown_method",
        "10_json2_private_method",
        "11_json2_bad_field",
        "69_order_missing_partner_error",
    ],
)
async def test_recorded_refusals(odoo: OdooSimulator, name: str) -> None:
    async with HttpClient(HARNESS.adapter.transport(HARNESS.settings(odoo)), clock=lambda: NOW) as client:
        theirs, ours = await replay(odoo, client, name)
    assert ours.status == theirs.status
    expected, got = msgspec.json.decode(theirs.body), msgspec.json.decode(ours.body)
    assert got.keys() == expected.keys()
    assert (got["name"], got["message"].splitlines()[0]) == (expected["name"], expected["message"].splitlines()[0])


async def test_an_unknown_keyword_is_refused_with_the_recorded_status(odoo: OdooSimulator) -> None:
    async with HttpClient(HARNESS.adapter.transport(HARNESS.settings(odoo)), clock=lambda: NOW) as client:
        theirs, ours = await replay(odoo, client, "09_json2_bad_kwarg")
    assert (ours.status, theirs.status) == (500, 500)
    assert msgspec.json.decode(ours.body)["name"] == msgspec.json.decode(theirs.body)["name"]
