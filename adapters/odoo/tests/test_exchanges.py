"""Every exchange recorded from a real Odoo 19, replayed against the client: it sends that request and reads that
answer, or the exchange is left out for a reason that is given here. The recordings are read in place.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import respx

from adapters.odoo.answers import failure
from adapters.odoo.client import Odoo
from adapters.odoo.schemas import AccountMove, Picking, Product, Row, SaleOrder, StockMove
from adapters.odoo.settings import Settings, account, transport
from adapters.odoo.tests.seen import (
    Anybody,
    LineSeen,
    MethodSeen,
    Misnamed,
    Nameless,
    PurchaseSeen,
    QuantSeen,
    ReturnSeen,
    TransferSeen,
    WarehouseSeen,
)
from adapters.odoo.warehouse_rows import Quant
from hub.domain.network import Connection
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, NeedsPerson, Unauthorised
from hub.sdk.wire import Response

CONTRACTS = Path(__file__).resolve().parents[3].parent / "shared" / "contracts" / "odoo"
SAMPLES = CONTRACTS / "samples"
NOW = datetime(2026, 11, 22, 1, 12, 14, tzinfo=UTC)
KEY = "0" * 40

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded exchanges are not beside this repository")

Play = Callable[[Odoo], Awaitable[object]]


def search(kind: type[Row], domain: list[Any], limit: int = 1000) -> Play:
    return lambda odoo: odoo.rows(kind, domain, limit=limit)


def look(kind: type[Row], *ids: int) -> Play:
    return search(kind, [["id", "in", list(ids)]])


def create(name: str, model: str) -> Play:
    return lambda odoo: odoo.create(model, asked(name)["vals_list"])


def write(name: str, model: str) -> Play:
    async def play(odoo: Odoo) -> None:
        (record,) = asked(name)["ids"]
        await odoo.write(model, record, asked(name)["vals"])

    return play


def act(model: str, method: str, record: int, **context: object) -> Play:
    return lambda odoo: odoo.act(model, method, record, **context)


REPRODUCED: Mapping[str, tuple[Play, object]] = {
    "00_version": (lambda odoo: odoo.version(), {"version": "19.0", "version_info": (19, 0, 0, "final", 0, "")}),
    "20_products_page1": (search(Product, [["is_storable", "=", True]], 10), {"id": 49, "default_code": "FURN_0001"}),
    "22_sale_orders": (
        search(SaleOrder, [["state", "in", ["draft", "sent", "sale", "cancel"]]], 12),
        {"id": 1, "state": "draft", "currency_id": (1, "USD")},
    ),
    "24_quants_internal": (
        search(Quant, [["location_id.usage", "=", "internal"]], 20),
        {"product_id": (36, "[FURN_0789] Individual Workplace"), "lot_id": False, "quantity": 16},
    ),
    "25_warehouses": (
        search(WarehouseSeen, []),
        {"code": "WH", "lot_stock_id": (5, "WH/Stock"), "delivery_steps": "ship_only"},
    ),
    "26_pickings": (search(TransferSeen, [], 12), {"name": "WH/OUT/00001", "origin": "outgoing shipment"}),
    "27_write_date_delta": (
        search(QuantSeen, [["write_date", ">", "2020-01-01 00:00:00"], ["location_id.usage", "=", "internal"]], 5),
        {"id": 1, "quantity": 16.0, "write_date": "2026-11-22 01:06:38"},
    ),
    "30_partner_create": (create("30_partner_create", "res.partner"), [47]),
    "31_sale_order_create": (create("31_sale_order_create", "sale.order"), [26]),
    "33_sale_order_confirm": (act("sale.order", "action_confirm", 26), True),
    "39_move_write_partial": (write("39_move_write_partial", "stock.move"), None),
    "40_picking_set_tracking": (write("40_picking_set_tracking", "stock.picking"), None),
    "42c_button_validate_skip_backorder_and_sms": (
        act("stock.picking", "button_validate", 54, skip_backorder=True, skip_sms=True),
        True,
    ),
    "50_invoice_wizard_create": (create("50_invoice_wizard_create", "sale.advance.payment.inv"), [2]),
    "55_invoice_lines": (
        search(LineSeen, [["move_id", "=", 57]]),
        {"display_type": "product", "price_subtotal": 19.99},
    ),
    "62_return_action": (
        act("stock.return.picking", "action_create_returns", 1),
        {
            "name": "Returned Picking",
            "view_mode": "form",
            "res_model": "stock.picking",
            "res_id": 56,
            "type": "ir.actions.act_window",
            "context": {},
        },
    ),
    "64_order_over_stock": (create("64_order_over_stock", "sale.order"), [27]),
    "66_order_cancel": (act("sale.order", "action_cancel", 27), True),
    "70_purchase_create": (create("70_purchase_create", "purchase.order"), [12]),
    "71_purchase_confirm": (act("purchase.order", "button_confirm", 12), True),
    "76_inventory_adjust_write": (write("76_inventory_adjust_write", "stock.quant"), None),
    "79_delivery_carriers": (search(MethodSeen, []), {"id": 1, "name": "Standard delivery"}),
}
"""What the client sends, and what it makes of the answer: of records the first one's fields."""

LOOKED_UP: Mapping[str, tuple[Play, object]] = {
    "32_sale_order_read_draft": (look(SaleOrder, 26), {"name": "S00026", "state": "draft"}),
    "34_sale_order_read_confirmed": (look(SaleOrder, 26), {"name": "S00026", "state": "sale"}),
    "36_picking_read_assigned": (look(ReturnSeen, 54), {"name": "WH/OUT/00048", "state": "assigned"}),
    "37_moves_read": (look(StockMove, 83, 84), {"product_id": (20, "[E-COM07] Large Cabinet"), "product_uom_qty": 3}),
    "43_picking_read_done": (
        look(TransferSeen, 54),
        {
            "state": "done",
            "date_done": "2026-11-22 01:12:15",
            "carrier_tracking_ref": "1Z999AA10123456784,1Z999AA10123456785",
        },
    ),
    "44_sale_order_partial_delivery": (look(SaleOrder, 26), {"name": "S00026", "state": "sale"}),
    "45_backorder_picking": (look(ReturnSeen, 55), {"backorder_id": (54, "WH/OUT/00048"), "state": "assigned"}),
    "52_invoice_read_draft": (look(AccountMove, 57), {"name": False, "state": "draft", "ref": "#1001"}),
    "54_invoice_read_posted": (look(AccountMove, 57), {"name": "INV/2026/00010", "state": "posted"}),
    "58_invoice_read_partial_paid": (look(AccountMove, 57), {"name": "INV/2026/00010", "amount_total": 20}),
    "63_return_picking_read": (
        look(ReturnSeen, 56),
        {"origin": "Return of WH/OUT/00048", "return_id": (54, "WH/OUT/00048"), "state": "assigned"},
    ),
    "72_purchase_read": (look(PurchaseSeen, 12), {"name": "P00012", "state": "purchase", "picking_ids": (58,)}),
    "73_receipt_read": (look(Picking, 58), {"name": "WH/IN/00008", "carrier_tracking_ref": False}),
}
"""Records that were asked for by `read`: the client asks for the same ones by `search_read`, which answers alike."""

REFUSALS: Mapping[str, tuple[Play, str]] = {
    "02_json2_no_auth": (search(Anybody, []), "the vendor refused the credentials (401)"),
    "07_json2_unknown_model": (search(Nameless, []), "NotFound (404): the model 'no.such.model' does not exist"),
    "08_json2_unknown_method": (act("sale.order", "fly", 1), "NotFound (404): The method 'sale.order.fly' does not"),
    "10_json2_private_method": (act("sale.order", "_create_invoices", 1), "AccessError (403): Private methods"),
    "11_json2_bad_field": (search(Misnamed, [], 1), "ValueError (500): Invalid field 'no_such_field'"),
    "35_sale_order_confirm_again_error": (
        act("sale.order", "action_confirm", 26),
        "UserError (422): Some orders are not in a state requiring confirmation.",
    ),
    "47_picking_cancel_done_error": (
        act("stock.picking", "action_cancel", 54),
        "UserError (422): You cannot cancel a stock move that has been set to 'Done'.",
    ),
    "69_order_missing_partner_error": (
        create("69_order_missing_partner_error", "sale.order"),
        "ValidationError (422): The operation cannot be completed: Missing required value",
    ),
}
"""What Odoo refuses, and the outcome's words."""

BY_RPC: Mapping[str, tuple[Play, object]] = {
    "80_jsonrpc_version": (lambda odoo: odoo.version(), {"version": "19.0"}),
    "82_jsonrpc_authenticate_fail": (lambda odoo: odoo.user(), "Odoo refused the log-in or the API key"),
    "83_jsonrpc_search_read": (
        search(TransferSeen, [["state", "=", "done"]], 3),
        {"id": 31, "name": "WH/OUT/00025", "carrier_tracking_ref": False},
    ),
    "85_jsonrpc_validation_error": (
        act("sale.order", "action_confirm", 26),
        "UserError (422): Some orders are not in a state requiring confirmation.",
    ),
    "87_jsonrpc_unknown_method": (
        act("sale.order", "fly", 26),
        "AttributeError (404): The method 'sale.order.fly' does not exist",
    ),
    "88_jsonrpc_returns_none": (act("sale.order", "message_unsubscribe", 26), True),
}
"""The same by JSON-RPC, whose errors come with status 200."""

UNSENT: Mapping[str, tuple[str, str]] = {
    "01_json2_bad_path": ("the client always names a method", "NotFound (404): Did you mean"),
    "04_json2_get_not_allowed": ("the client always posts", "NotFound (404): Did you mean"),
    "09_json2_bad_kwarg": ("the client names no argument that Odoo does not have", "TypeError (500): BaseModel."),
}
"""Requests that the client cannot be brought to send, with the reason; their answers are read all the same."""

REFUSED: Mapping[str, str] = {
    "56_payment_register_create": "the client names no records in `active_ids`: it books payments as entries",
    "91_xmlrpc_version": "XML-RPC: a third wrapping of what JSON-2 and JSON-RPC both do",
    "92_xmlrpc_search_read": "XML-RPC",
    "95_xmlrpc_fault_user_error": "XML-RPC",
}
"""Exchanges that are not replayed, with the reason."""


def load(path: Path) -> Any:
    return msgspec.json.decode(path.read_bytes())


def asked(name: str) -> Any:
    return load(SAMPLES / f"{name}.request.json")


def names() -> set[str]:
    return {path.name.removesuffix(".http.json") for path in SAMPLES.glob("*.http.json")}


def test_every_exchange_is_accounted_for() -> None:
    kinds = (REPRODUCED, LOOKED_UP, REFUSALS, BY_RPC, UNSENT, REFUSED)
    told = [name for kind in kinds for name in kind]
    assert len(told) == len(set(told))
    assert set(told) == names()
    assert {len(names()): [len(kind) for kind in kinds]} == {56: [22, 13, 8, 6, 3, 4]}


class Heard(msgspec.Struct, frozen=True):
    path: str
    method: str
    body: Any
    result: object


async def replay(name: str, play: Play, **changes: Any) -> Heard:
    """Answer the client as Odoo did, and see what it asked. `result` is what it made of it, or what it gave up with."""
    exchange = load(SAMPLES / f"{name}.http.json")
    body = (SAMPLES / f"{name}.response.json").read_bytes()
    known = {"host": "odoo.example.com", "database": "hub", "api_key": KEY}
    settings = msgspec.convert({**known, **changes}, Settings)
    with respx.mock(base_url="https://odoo.example.com", assert_all_called=False) as server:
        if not name.startswith("82"):
            known_user = server.post("/jsonrpc", content__contains=b'"authenticate"')
            known_user.respond(json={"jsonrpc": "2.0", "id": 1, "result": 2})
        answered = server.route(path__regex=".*")
        answered.respond(exchange["status"], content=body, headers={"content-type": "application/json"})
        connection = Connection(
            id="c", merchant="m", account=1, account_name=account(settings), adapter="odoo", name="Odoo"
        )
        async with HttpClient(transport(settings), clock=lambda: NOW) as client:
            odoo = Odoo(Context(connection=connection, settings=settings, client=client, now=lambda: NOW))
            try:
                result: object = await play(odoo)
            except Interrupted as interrupted:
                result = interrupted.outcome
        sent: httpx.Request = answered.calls.last.request
    return Heard(sent.url.path, sent.method, load_body(sent.content), result)


def load_body(content: bytes) -> Any:
    return msgspec.json.decode(content) if content else {}


def agrees(result: object, expected: object) -> None:
    """Of records the first one's fields, of a refusal the beginning of its reason, else the value itself."""
    first = result[0] if isinstance(result, list) and result and isinstance(result[0], Row) else result
    if isinstance(first, msgspec.Struct) and isinstance(expected, dict):
        assert {name: getattr(first, name) for name in expected} == expected
    else:
        assert first == expected


def same_arguments(ours: dict[str, Any], theirs: dict[str, Any], *but: str) -> None:
    """Everything that was asked for is asked for. We add a language, a limit and an order, and ask for fewer fields."""
    said = ours.pop("context")
    assert said == {"lang": "en_US", **theirs.pop("context", {})}
    assert set(ours.pop("fields", ())) <= set(theirs.pop("fields", ())) | {"no_such_field"}
    ours.pop("order", None)
    if "limit" not in theirs:
        ours.pop("limit", None)
    theirs.pop("order", None)
    assert theirs.pop("offset", 0) == 0
    for name in but:
        ours.pop(name, None)
        theirs.pop(name, None)
    assert ours == theirs


@pytest.mark.parametrize("name", REPRODUCED)
async def test_the_client_sends_what_was_sent_and_reads_what_came(name: str) -> None:
    play, expected = REPRODUCED[name]
    heard = await replay(name, play)
    exchange = load(SAMPLES / f"{name}.http.json")
    assert (heard.method, heard.path) == (exchange["method"], exchange["path"])
    if exchange["method"] == "POST":
        same_arguments(heard.body, asked(name))
    agrees(heard.result, expected)


@pytest.mark.parametrize("name", LOOKED_UP)
async def test_the_client_looks_records_up_and_reads_what_came(name: str) -> None:
    play, expected = LOOKED_UP[name]
    heard = await replay(name, play)
    exchange = load(SAMPLES / f"{name}.http.json")
    assert heard.path == exchange["path"].removesuffix("read") + "search_read"
    assert heard.body["domain"] == [["id", "in", asked(name)["ids"]]]
    assert set(heard.body["fields"]) <= set(asked(name)["fields"])
    agrees(heard.result, expected)


@pytest.mark.parametrize("name", REFUSALS)
async def test_the_client_says_what_odoo_refused(name: str) -> None:
    play, words = REFUSALS[name]
    heard = await replay(name, play)
    exchange = load(SAMPLES / f"{name}.http.json")
    assert (heard.method, heard.path) == (exchange["method"], exchange["path"])
    # A request that asked for nothing in particular was refused for its path.
    same_arguments(heard.body, asked(name), *(("domain", "ids", "limit") if asked(name) == {} else ()))
    kind = Unauthorised if exchange["status"] == 401 else NeedsPerson
    assert isinstance(heard.result, kind)
    assert words in heard.result.reason
    assert "Traceback" not in heard.result.reason


@pytest.mark.parametrize("name", BY_RPC)
async def test_the_client_sends_and_reads_the_same_by_json_rpc(name: str) -> None:
    play, expected = BY_RPC[name]
    key = "wrong-wrong" if name == "82_jsonrpc_authenticate_fail" else KEY
    heard = await replay(name, play, protocol="jsonrpc", login="admin", api_key=key)
    ours, theirs = heard.body["params"], asked(name)["params"]
    assert (heard.path, ours["service"], ours["method"]) == ("/jsonrpc", theirs["service"], theirs["method"])
    if ours["method"] == "execute_kw":
        assert ours["args"][:5] == theirs["args"][:5]
        same_arguments(named(ours["args"]), named(theirs["args"]), *(("ids",) if "unknown" in name else ()))
    else:
        assert [len(ours["args"]), *ours["args"][:2]] == [len(theirs["args"]), *theirs["args"][:2]]
    if isinstance(expected, str):
        assert isinstance(heard.result, NeedsPerson | Unauthorised)
        assert expected in heard.result.reason
        assert "Traceback" not in heard.result.reason
    else:
        agrees(heard.result, expected)


def named(args: list[Any]) -> dict[str, Any]:
    """Arguments of `execute_kw` by name, whichever of the two ways they went."""
    positional, rest = args[5], args[6] if len(args) > 6 else {}
    names = ("domain",) if args[4] == "search_read" else ("ids", "vals")
    found = {**dict(zip(names, positional, strict=False)), **rest}
    return {"context": {}, **found}


@pytest.mark.parametrize("name", UNSENT)
def test_the_answer_to_what_the_client_would_not_send_is_read(name: str) -> None:
    _, words = UNSENT[name]
    status = load(SAMPLES / f"{name}.http.json")["status"]
    response = Response(status=status, headers={}, body=(SAMPLES / f"{name}.response.json").read_bytes())
    outcome = failure(response, "op", write=False, now=NOW).outcome
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason.startswith(f"op: {words}")
