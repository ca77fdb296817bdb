"""Reading: thin events, sales that come late, returns that stand for their sale, and answers that are none."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from adapters.square.answers import faults, read
from adapters.square.client import Scan, probe, pull_orders
from adapters.square.counts import fetch
from adapters.square.harness import given_back, ordered, paid, settings, two_lines
from adapters.square.settings import Settings, transport
from adapters.square.simulator import TOKEN_LIFE, SquareSimulator
from adapters.square.simulator_books import thin
from adapters.square.tests.conftest import CONNECTION, Read
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.http import HttpClient
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import Response

Here = Context[Settings]


async def pull(context: Here, cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_orders(context, cursor)]


def bodies(pages: list[Page]) -> dict[str, dict[str, Any]]:
    documents = [msgspec.json.decode(item.body) for page in pages for item in page.items]
    return {document["id"]: document for document in documents}


async def test_a_fetched_order_has_its_payments_and_skus(seller: SquareSimulator, context: Here, mapped: Read) -> None:
    about, body = ordered(seller)
    item = await fetch(context, "order.created", about, body)
    assert (item.topic, item.object) == ("order", about)
    content = mapped(item.body).content
    assert [line.sku for line in content.lines] == ["MUG-RED", "TEE-M"]
    assert [one.external_id for one in content.payments] == list(seller.payments)


async def test_an_event_of_another_location_brings_nothing(seller: SquareSimulator, context: Here) -> None:
    """A subscription hears of every location of the seller; a pull asks for the connection's alone."""
    about, body = ordered(seller)
    elsewhere = msgspec.structs.replace(context.settings, location_ids=("L2",))
    assert await fetch(msgspec.structs.replace(context, settings=elsewhere), "order.created", about, body) == ()
    here = msgspec.structs.replace(context.settings, location_ids=("L1",))
    item = await fetch(msgspec.structs.replace(context, settings=here), "order.created", about, body)
    assert isinstance(item, Pulled)
    assert item.object == about


async def test_a_payment_leads_to_its_order(seller: SquareSimulator, context: Here) -> None:
    about, body = paid(seller)
    assert (await fetch(context, "payment.updated", about, body)).object == about


async def test_a_refund_and_a_return_lead_to_the_sale(seller: SquareSimulator, context: Here, mapped: Read) -> None:
    about, body = given_back(seller)
    sale, back = seller.orders.values()
    for name in (about, f"order:{back['id']}"):
        item = await fetch(context, "refund.created", name, body)
        assert item.object == f"order:{sale['id']}"
        content = mapped(item.body).content
        assert [line.refunded for line in content.lines] == [1]
        assert content.refunded is not None
        assert content.refunded.difference == 0


async def test_a_fresh_order_may_not_be_there_yet(seller: SquareSimulator, context: Here) -> None:
    about, body = ordered(seller)
    seller.hidden[about.removeprefix("order:")] = 1
    with pytest.raises(Interrupted) as missing:
        await fetch(context, "order.created", about, body)
    assert isinstance(missing.value.outcome, RetryLater)
    assert (await fetch(context, "order.created", about, body)).object == about


async def test_an_order_that_stays_away_needs_a_person(seller: SquareSimulator, context: Here) -> None:
    order = two_lines(seller)
    now = seller.now
    seller.now = lambda: now() - timedelta(hours=2)
    body = seller.event("order.created", "gone", thin({**order, "id": "gone"}, "created"))
    seller.now = now
    with pytest.raises(Interrupted) as missing:
        await fetch(context, "order.created", "order:gone", body)
    assert isinstance(missing.value.outcome, NeedsPerson)


async def test_a_late_offline_sale_arrives_by_its_change(seller: SquareSimulator, context: Here) -> None:
    seller.ring_up([("MUG-RED", 1)])
    pages = await pull(context)
    made = seller.now() - timedelta(hours=71)
    late = seller.ring_up([("TEE-M", 1)], at=made)
    found = bodies(await pull(context, pages[-1].cursor))
    assert late["id"] in found
    assert found[late["id"]]["created_at"].startswith(made.strftime("%Y-%m-%dT%H:%M"))


async def test_pages_and_locations_are_read_to_the_end(seller: SquareSimulator, context: Here) -> None:
    seller.locations |= {f"L{number}": "Store" for number in range(2, 24)}
    wanted = set()
    for number, location in enumerate(seller.locations):
        wanted |= {seller.ring_up([("MUG-RED", 1)], location=location)["id"] for _ in range(3 if number < 10 else 1)}
    pages = await pull(context)
    assert set(bodies(pages)) == wanted
    assert [len(page.items) for page in pages] == [20, 10, 10, 3]
    assert seller.calls["/v2/locations"] == 1


async def test_a_pull_goes_on_where_it_stopped_also_when_the_cursor_is_gone(
    seller: SquareSimulator, context: Here
) -> None:
    wanted = {two_lines(seller)["id"] for _ in range(50)}
    first = await anext(pull_orders(context, None))
    rest = await pull(context, first.cursor)
    assert set(bodies([first, *rest])) == wanted
    assert sum(len(page.items) for page in (first, *rest)) == 50
    seller.cursors.clear()
    assert set(bodies(await pull(context, first.cursor))) == wanted


async def test_a_return_in_a_page_brings_its_old_sale(seller: SquareSimulator, context: Here, mapped: Read) -> None:
    sale = seller.ring_up([("MUG-RED", 2)])
    cursor = msgspec.json.encode(Scan(at=seller.now(), seen=seller.now() + timedelta(minutes=16))).decode()
    sale["updated_at"] = sale["created_at"] = (seller.now() - timedelta(days=9)).isoformat()
    seller.return_goods(sale, {sale["line_items"][0]["uid"]: 1})
    later = seller.now
    seller.now = lambda: later() + timedelta(minutes=2)
    back = list(seller.orders.values())[1]
    back["updated_at"] = seller.stamp()
    (page,) = await pull(context, cursor)
    (item,) = page.items
    assert item.object == f"order:{sale['id']}"
    assert mapped(item.body).content.lines[0].refunded == 1


async def test_an_exchange_is_an_order_and_returns_another(seller: SquareSimulator, context: Here) -> None:
    sale = seller.ring_up([("MUG-RED", 1)])
    swap = seller.ring_up([("TEE-M", 1)])
    line = {"source_line_item_uid": sale["line_items"][0]["uid"], "quantity": "1", "uid": "R1"}
    swap["returns"] = [{"uid": "X", "source_order_id": sale["id"], "return_line_items": [line]}]
    found = bodies(await pull(context))
    assert set(found) == {sale["id"], swap["id"]}
    assert [one["id"] for one in found[sale["id"]]["return_orders"]] == [swap["id"]]


async def test_the_token_is_fetched_once_and_again_when_it_ends(seller: SquareSimulator, context: Here) -> None:
    await probe(context)
    await probe(context)
    assert seller.calls["/oauth2/token"] == 1
    seller.tokens.clear()
    await probe(context)
    assert seller.calls["/oauth2/token"] == 2


async def test_a_token_of_another_seller_fails_the_test(seller: SquareSimulator, context: Here) -> None:
    seller.merchant_id = "MOTHER"
    found = await probe(context)
    assert [(one.name, one.ok) for one in found.checks if not one.ok] == [("merchant", False)]


@pytest.mark.parametrize("fault", ["html", "truncated", "error_inside"])
async def test_answers_that_are_none_are_put_off(seller: SquareSimulator, context: Here, fault: str) -> None:
    """HTML for JSON, half a document, 200 with errors inside."""
    await probe(context)
    two_lines(seller)
    setattr(seller, fault, 1)
    with pytest.raises(Interrupted) as stopped:
        await pull(context)
    assert isinstance(stopped.value.outcome, RetryLater)
    assert len(bodies(await pull(context))) == 1


@pytest.mark.parametrize(
    ("status", "body", "write", "expected"),
    [
        (200, b"", False, RetryLater),
        (200, b'{"order"', True, Uncertain),
        (200, b"<html>", True, Uncertain),
        (200, b'{"order":{"id":7}}', False, RetryLater),
        (200, b'{"errors":[{"category":"AUTHENTICATION_ERROR","code":"ACCESS_TOKEN_REVOKED"}]}', False, Unauthorised),
        (403, b'{"errors":[{"category":"AUTHENTICATION_ERROR","code":"INSUFFICIENT_SCOPES"}]}', True, NeedsPerson),
        (400, b'{"errors":[{"category":"RATE_LIMIT_ERROR","code":"RATE_LIMITED"}]}', True, RetryLater),
        (400, b"nonsense", True, NeedsPerson),
        (500, b"\xff\xfe", True, Uncertain),
        (502, b"<html>", False, RetryLater),
    ],
)
def test_what_answers_mean(status: int, body: bytes, write: bool, expected: type, context_free: Any) -> None:
    decoder, now = context_free
    with pytest.raises(Interrupted) as stopped:
        read(Response(status=status, headers={}, body=body), decoder, "order", now, write=write)
    assert type(stopped.value.outcome) is expected


def test_errors_say_code_field_and_detail() -> None:
    body = (
        b'{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"VALUE_TOO_LONG","field":"order.note","detail":"no"}]}'
    )
    (fault,) = faults(body)
    assert (fault.code, fault.field, fault.detail) == ("VALUE_TOO_LONG", "order.note", "no")


async def test_a_token_is_renewed_before_it_ends(seller: SquareSimulator) -> None:
    """Square tells the end as a time; a day before nothing happens, half a minute before there is a new one."""
    given, start = settings(seller), seller.now()
    clock = [start]
    seller.now = lambda: clock[0]
    async with HttpClient(transport(given), clock=lambda: clock[0]) as client:
        here = Context(connection=CONNECTION, settings=given, client=client, now=lambda: clock[0])
        fetched = []
        for later in (timedelta(), TOKEN_LIFE - timedelta(days=1), TOKEN_LIFE - timedelta(seconds=30)):
            clock[0] = start + later
            await probe(here)
            fetched.append(seller.calls["/oauth2/token"])
    assert fetched == [1, 1, 2]
