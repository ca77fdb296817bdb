"""JSON-RPC is another wrapping of the same calls: the outcomes are those of JSON-2, errors inside a 200 among them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.odoo import jsonrpc
from adapters.odoo.client import Odoo
from adapters.odoo.harness import BOOKS, HARNESS, books, settings
from adapters.odoo.harness_warehouse import SUBMIT
from adapters.odoo.schemas import Product
from adapters.odoo.settings import Settings
from adapters.odoo.simulated.books import OdooError, user_error
from adapters.odoo.simulator import OdooSimulator
from adapters.odoo.tests.depot import Depot, F, kinds
from adapters.odoo.tests.shop import CREDIT, DELIVERY, INVOICE, SALE, Shop
from adapters.odoo.transfers import address_reference
from hub.domain.posting import DocumentKind
from hub.sdk.capabilities import Command
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Unauthorised, Uncertain
from hub.sdk.testkit import reads, writes
from hub.sdk.testkit.harness import AnyHarness
from hub.sdk.testkit.samples import POSTING
from hub.sdk.wire import Request, Response

NOW = datetime(2026, 11, 22, 1, 12, 14, tzinfo=UTC)


def spoken(make: Callable[[OdooSimulator], Settings]) -> Callable[[OdooSimulator], Settings]:
    return lambda odoo: msgspec.structs.replace(make(odoo), protocol="jsonrpc", login=odoo.login)


def eighteen() -> OdooSimulator:
    odoo = HARNESS.simulator()
    odoo.json2, odoo.version = False, (18, 0, 0, "final", 0, "")
    return odoo


def known(odoo: OdooSimulator, capability: str, request: Command) -> Command:
    """The address is known already: of an operation only so many requests are tried in turn."""
    odoo.books.tables["res.partner"].insert({"name": "Zoë", "ref": address_reference(SUBMIT.ship_to)})
    return HARNESS.prepare(odoo, capability, request)


RPC = msgspec.structs.replace(HARNESS, settings=spoken(settings), simulator=eighteen, prepare=known)
RPC_BOOKS = msgspec.structs.replace(BOOKS, settings=spoken(books), simulator=eighteen)


# --- the suite, once more --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("capability", ["submit_fulfilment", "cancel_fulfilment"])
@pytest.mark.parametrize(
    "check",
    [
        writes.request_built,
        writes.answer_read,
        writes.error_read,
        writes.unauthorised,
        writes.nonsense,
        writes.duplicate,
        writes.throttled,
        writes.redaction,
        writes.repeat_after_uncertain,
    ],
    ids=lambda check: check.__name__,
)
async def test_a_warehouse_before_19_keeps_the_same_rules(
    check: Callable[[AnyHarness, str], Awaitable[None]], capability: str
) -> None:
    await check(RPC, capability)


@pytest.mark.parametrize("kind", list(DocumentKind))
@pytest.mark.parametrize("check", [writes.request_built, writes.repeat_after_uncertain, writes.duplicate])
async def test_books_before_19_keep_the_same_rules(
    check: Callable[[AnyHarness, str], Awaitable[None]], kind: DocumentKind
) -> None:
    requests = {"post": msgspec.structs.replace(POSTING, kind=kind)}
    await check(msgspec.structs.replace(RPC_BOOKS, requests=requests), "post")


@pytest.mark.parametrize("name", ["status", "returns", "movements", "stock"])
async def test_pulls_bring_the_same(name: str) -> None:
    await reads.pulled(RPC, name)


async def test_the_connection_test_passes() -> None:
    await reads.probed(RPC)
    await reads.probe_refused(RPC)


# --- found out -------------------------------------------------------------------------------------------------------


async def test_a_server_without_json2_is_found_out_and_spoken_to(depot: Depot) -> None:
    depot.odoo.json2 = False
    depot.set(login=depot.odoo.login)
    depot.stock(MUG_RED=5, TEE_M=5)
    assert kinds((await depot.done()).facts) == ["FulfilmentAccepted"]
    assert [one["state"] for one in depot.floor.transfers(F)] == ["assigned"]
    assert [path for path in depot.odoo.calls if path.startswith("/json/2/")] == ["/json/2/stock.picking/search_read"]
    assert (await depot.done()).found


async def test_without_a_login_the_next_step_is_named(depot: Depot) -> None:
    depot.odoo.json2 = False
    depot.stock(MUG_RED=5, TEE_M=5)
    assert "set login in the connection" in (await depot.blocked()).next_step
    depot.set(protocol="jsonrpc")
    assert (await depot.blocked()).next_step == "set login in the connection"


async def test_json2_is_not_left_for_an_unknown_method_or_when_it_is_asked_for(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    depot.set(login=depot.odoo.login)
    depot.odoo.refuse["stock.picking.search_read"] = OdooError(404, "werkzeug.exceptions.NotFound", "no such model")
    assert "no such model" in (await depot.blocked()).reason
    depot.odoo.json2 = False
    depot.set(protocol="json2")
    assert "HTTP 404 and not a word of Odoo's" in (await depot.blocked()).reason
    assert depot.odoo.calls["/jsonrpc"] == 0


async def test_a_move_has_a_name_where_the_version_wants_one(depot: Depot) -> None:
    depot.set(login=depot.odoo.login, protocol="jsonrpc")
    depot.stock(MUG_RED=5, TEE_M=5)
    moves = depot.odoo.books.tables["stock.move"]
    moves.fields = {**moves.fields, "name": moves.fields["reference"]}
    await depot.done()
    assert [row["name"] for row in moves.rows.values()] == ["Mug, red", "T-shirt, M"]


async def test_books_are_written_in_the_words_of_17(shop: Shop) -> None:
    tables = shop.odoo.books.tables
    lines, products = tables["sale.order.line"], tables["product.product"]
    lines.fields = {name: field for name, field in lines.fields.items() if name != "tax_ids"}
    lines.fields["tax_id"] = lines.fields["invoice_lines"]
    products.fields = {name: field for name, field in products.fields.items() if name != "is_storable"}
    products.fields["detailed_type"] = products.fields["type"]
    by_json2 = await shop.blocked(SALE)
    assert "Invalid field 'tax_ids'" in by_json2.reason
    shop.set(protocol="jsonrpc", login=shop.odoo.login)
    new = msgspec.structs.replace(SALE.lines[0], sku="NEW")
    await shop.done(msgspec.structs.replace(SALE, lines=(new, *SALE.lines[1:])))
    assert [row["tax_id"] for row in lines.rows.values()] == [[[6, 0, []]]] * len(lines.rows)
    (made,) = [row for row in products.rows.values() if row["default_code"] == "NEW"]
    assert made["detailed_type"] == "product"
    async with shop.bench.context() as context:
        assert BOOKS.adapter.probe is not None
        probe = await BOOKS.adapter.probe(msgspec.structs.replace(context, settings=shop.settings))
    assert [check for check in probe.checks if not check.ok] == []


async def test_the_version_is_what_it_needs_at_least(depot: Depot) -> None:
    found = []
    for version in ((16, 0), (17, 0), ("saas~18", 1), ("next", 0)):
        depot.odoo.version = version
        async with depot.bench.context() as context:
            chosen = msgspec.structs.replace(depot.settings, protocol="jsonrpc", login=depot.odoo.login)
            assert HARNESS.adapter.probe is not None
            probe = await HARNESS.adapter.probe(msgspec.structs.replace(context, settings=chosen))
        (check,) = [one for one in probe.checks if one.name == "version"]
        found.append((check.ok, check.detail))
    assert found == [
        (False, "Odoo 16.0 by JSON-RPC"),
        (True, "Odoo 17.0 by JSON-RPC"),
        (True, "Odoo saas~18.1 by JSON-RPC"),
        (False, "Odoo next.0 by JSON-RPC"),
    ]


async def test_a_life_of_an_order_is_booked(shop: Shop) -> None:
    shop.set(protocol="jsonrpc", login=shop.odoo.login)
    await shop.done(SALE, DELIVERY, INVOICE, CREDIT)
    posted = shop.odoo.posted(SALE.order)
    assert (posted.confirmed, posted.deliveries, posted.invoices, posted.credit_notes) == (1, 1, 1, 1)
    assert set(shop.odoo.calls) == {"/jsonrpc"}


# --- answers ---------------------------------------------------------------------------------------------------------


async def test_a_wrong_key_or_login_stops_the_connection(depot: Depot) -> None:
    depot.set(protocol="jsonrpc", login="somebody-else")
    assert isinstance(await depot.submit(), Unauthorised)


def unwrapped(body: bytes, status: int = 200, *, write: bool = True) -> Outcome | bytes:
    request = Request(method="POST", path="/jsonrpc", operation="sale.order.create", write=write)
    response = Response(status=status, headers={}, body=body)
    try:
        return jsonrpc.unwrap(response, request, NOW).body
    except Interrupted as interrupted:
        return interrupted.outcome


def error(name: str, message: str = "Said so") -> bytes:
    data: dict[str, Any] = {"name": name, "message": message, "arguments": [], "context": {}, "debug": "Traceback X"}
    envelope = {"jsonrpc": "2.0", "id": 1, "error": {"code": 0, "message": "Odoo Server Error", "data": data}}
    return msgspec.json.encode(envelope)


@pytest.mark.parametrize(
    ("body", "write", "kind", "part"),
    [
        (error("odoo.exceptions.UserError"), True, NeedsPerson, "UserError (422): Said so"),
        (error("odoo.exceptions.UserError", "violates the lock date"), True, NeedsPerson, "lock date"),
        (error("odoo.exceptions.AccessError"), True, NeedsPerson, "AccessError (403)"),
        (error("builtins.AttributeError"), True, NeedsPerson, "AttributeError (404)"),
        (error("builtins.ValueError"), True, NeedsPerson, "ValueError (500)"),
        (error("odoo.exceptions.AccessDenied"), True, Unauthorised, "refused"),
        (error("odoo.http.SessionExpiredException"), True, Unauthorised, "refused"),
        (error("psycopg2.errors.SerializationFailure"), True, RetryLater, "SerializationFailure"),
        (error("psycopg2.OperationalError", 'database "x" does not exist'), True, NeedsPerson, "does not exist"),
        (b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 404, "message": "404: Not Found"}}', True, NeedsPerson, "404"),
        (b"<html>We are back at noon.</html>", True, Uncertain, "a web page"),
        (b"<html>We are back at noon.</html>", False, RetryLater, "a web page"),
        (b'{"jsonrpc": "2.0", "id": 1, "resu', True, Uncertain, "half an answer"),
    ],
)
def test_an_error_inside_a_200_is_an_error(body: bytes, write: bool, kind: type, part: str) -> None:
    outcome = unwrapped(body, write=write)
    assert isinstance(outcome, kind)
    reason = getattr(outcome, "reason", "")
    assert part in reason
    assert "Traceback" not in reason


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RetryLater), (502, Uncertain), (503, RetryLater), (404, NeedsPerson)]
)
def test_a_proxys_status_means_the_same_as_ever(status: int, kind: type) -> None:
    assert isinstance(unwrapped(b"<html></html>", status), kind)


def test_a_result_of_nothing_is_left_out() -> None:
    assert unwrapped(b'{"jsonrpc": "2.0", "id": 1}') == b"null"
    assert unwrapped(b'{"jsonrpc": "2.0", "id": 1, "result": [47]}') == b"[47]"


async def test_a_refusal_by_odoo_is_worded_alike_in_both(shop: Shop) -> None:
    shop.odoo.refuse["sale.order.create"] = user_error("No\nmore")
    by_json2 = await shop.blocked(SALE)
    shop.set(protocol="jsonrpc", login=shop.odoo.login)
    assert await shop.blocked(SALE) == by_json2


async def test_the_users_id_is_asked_once_an_operation(shop: Shop) -> None:
    shop.set(protocol="jsonrpc", login=shop.odoo.login)
    async with shop.bench.context() as context:
        odoo = Odoo(msgspec.structs.replace(context, settings=shop.settings))
        for _ in range(2):
            assert len(await odoo.rows(Product, [["default_code", "=", "MUG-RED"]], limit=1)) == 1
    assert shop.odoo.calls["/jsonrpc"] == 3
    assert isinstance(await shop.post(SALE), Done)
