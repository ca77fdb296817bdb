"""Purchase orders as they go out, and what an API's answers mean."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.supplier.client import cancel_fulfilment, pull_files, submit_fulfilment
from adapters.supplier.purchase_order import file_body, mail_text, new_order
from adapters.supplier.settings import Settings, transport
from hub.domain.facts import PurchaseOrdered
from hub.domain.network import Connection
from hub.sdk.capabilities import Context
from hub.sdk.mail import MailServer
from hub.sdk.numbers import MemoryNumbers
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.testkit.samples import CUSTOMER, FULFILMENT, FULFILMENT_CANCEL
from hub.sdk.webhook import Delivery, signed_standard
from hub.sdk.wire import NoAuth, Request, Response, Ssh

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
SECRET = "whsec_c3VwcGxpZXItc2lnbmluZy1zZWNyZXQ="
API = Settings(supplier="acme", sends="api", currency="USD", base_url="https://acme.example/v1", signing_secret=SECRET)
LINE = msgspec.structs.replace(FULFILMENT.lines[0], unit_costs={"USD": Decimal("12.50"), "EUR": Decimal(11)})
ORDER = msgspec.structs.replace(FULFILMENT, lines=(LINE, *FULFILMENT.lines[1:]))


class Wire:
    """Answers every request with the next of `answers`."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        status, body = self.answers.pop(0)
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return Response(status=status, headers={"retry-after": "60"}, body=raw)


def context(settings: Settings, wire: Wire | None = None, **more: Any) -> Context[Settings]:
    here = Connection(id="c", merchant="default", account=1, account_name="acme", adapter="supplier", name="c")
    numbers = MemoryNumbers(lambda: NOW)
    fields = {"client": wire or Wire(), "now": lambda: NOW, "numbers": numbers, **more}
    return Context(connection=here, settings=settings, **fields)


def taken(**more: str) -> dict[str, str]:
    return {"purchase_order": "PO-000001", **more}


async def test_an_order_is_put_under_its_number_signed_with_what_was_agreed() -> None:
    wire = Wire((201, taken()))
    outcome = await submit_fulfilment(context(API, wire), ORDER)
    (request,) = wire.sent
    assert (request.method, request.path) == ("PUT", "/purchase-orders/PO-000001")
    delivery = Delivery(
        method="PUT", url="", headers=request.headers, query={}, body=request.body or b"", received_at=NOW
    )
    assert signed_standard(delivery, [SECRET])
    assert isinstance(outcome, Done)
    (fact,) = outcome.facts
    assert isinstance(fact, PurchaseOrdered)
    assert (fact.number, fact.currency, fact.at) == ("PO-000001", "USD", NOW)
    assert [(cost.line, cost.unit_cost) for cost in fact.costs] == [("1", Decimal("12.50"))]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, taken(), Done),
        (200, b"<html>", Uncertain),
        (200, taken() | {"purchase_order": "PO-000002"}, Uncertain),
        (401, {}, Unauthorised),
        (403, {}, Unauthorised),
        (409, taken(reason="no such item"), Refused),
        (409, b"no", Refused),
        (422, {"detail": "ship_to"}, NeedsPerson),
        (429, {}, RetryLater),
        (503, {}, RetryLater),
    ],
)
async def test_what_an_answer_means(status: int, body: object, kind: type[Outcome]) -> None:
    outcome = await submit_fulfilment(context(API, Wire((status, body))), ORDER)
    assert isinstance(outcome, kind)
    if isinstance(outcome, RetryLater):
        assert outcome.at == datetime(2026, 1, 16, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "check"),
    [
        ("cancelled", lambda o: isinstance(o, Done) and not o.answered_later),
        ("asked", lambda o: isinstance(o, Done) and o.answered_later),
        ("too_late", lambda o: isinstance(o, Refused) and o.reason == "gone"),
        ("sleeping", lambda o: isinstance(o, Uncertain)),
    ],
)
async def test_a_cancel_ends_as_the_supplier_says(state: str, check: Callable[[Outcome], bool]) -> None:
    wire = Wire((200, taken(state=state, reason="gone")))
    assert check(await cancel_fulfilment(context(API, wire), FULFILMENT_CANCEL))


async def test_numbers_never_repeat_and_a_repeat_has_its_own() -> None:
    here = context(API, Wire(*((201, taken(purchase_order=f"PO-00000{no}")) for no in (1, 2, 1))))
    other = msgspec.structs.replace(ORDER, fulfilment="01KF0X5B3GCDEFGHJKMN-2", key="k2")
    again = msgspec.structs.replace(ORDER, key="after-a-replay")
    found = [await submit_fulfilment(here, one) for one in (ORDER, other, again)]
    assert [one.reference for one in found if isinstance(one, Done)] == ["PO-000001", "PO-000002", "PO-000001"]


def test_a_file_of_rows_has_the_columns_and_the_words_that_the_supplier_wants() -> None:
    own = msgspec.convert(
        {
            "supplier": "acme",
            "sends": "file",
            "base_url": "sftp://acme",
            "currency": "USD",
            "columns": ["purchase_order", "sku", "quantity", "unit_cost", "ship_name", "ship_city"],
            "layout": {"delimiter": ";", "names": {"purchase_order": "Bestellung", "quantity": "Menge"}},
        },
        Settings,
    )
    semicolon = msgspec.structs.replace(CUSTOMER, city="San; Francisco")
    order = new_order(msgspec.structs.replace(ORDER, ship_to=semicolon), own, "PO-7", NOW)
    lines = file_body(order, own).decode().split("\r\n")
    assert lines == [
        "Bestellung;sku;Menge;unit_cost;ship_name;ship_city",
        'PO-7;MUG-RED;2;12.50;Zoë Quimby-O\'Hara;"San; Francisco"',
        'PO-7;TEE-M;1;;Zoë Quimby-O\'Hara;"San; Francisco"',
        "",
    ]


def test_a_mail_has_no_people_and_no_goods() -> None:
    subject, text = mail_text(new_order(ORDER, API, "PO-7", NOW), "https://hub.example/s/x")
    assert subject == "Purchase order PO-7"
    assert "3 units in 2 lines" in text
    assert "https://hub.example/s/x" in text
    assert not any(word in text for word in ("MUG", "Mug", "Quimby", "Montgomery", "San Francisco", "12.50"))


async def test_without_a_mail_server_a_person_is_asked() -> None:
    mail = MailServer(host="h", sender="orders@shop.example")
    settings = Settings(supplier="a", sends="mail", currency="USD", mail=mail, to="x@y.example")
    outcome = await submit_fulfilment(context(settings), ORDER)
    assert isinstance(outcome, NeedsPerson)


async def test_a_supplier_without_a_file_server_has_no_files_to_pull() -> None:
    assert [page async for page in pull_files(context(API), None)] == []


def test_the_way_in_follows_from_the_address() -> None:
    assert isinstance(transport(API).auth, NoAuth)
    files = Settings(supplier="a", sends="file", currency="USD", base_url="sftp://acme.example")
    assert isinstance(transport(files).auth, Ssh)
    mail = MailServer(host="h", sender="a@b.example")
    feed = Settings(supplier="a", sends="mail", currency="USD", mail=mail, to="x@y.example", base_url="sftp://acme")
    assert isinstance(transport(feed).auth, Ssh), "mail goes out, and a stock feed comes in by file"


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "DOLLAR"},
        {"tolerance_percent": "-1"},
        {"sends": "mail"},
        {"sends": "file", "base_url": None},
        {"sends": "pigeon"},
        {"time_zone": "Mars/Olympus"},
        {"columns": ["colour"]},
        {"base_url": "ftp://acme"},
        {"surprise": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    good = {"supplier": "acme", "sends": "api", "currency": "USD", "base_url": "https://acme.example"}
    msgspec.convert(good, Settings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(good | wrong, Settings)
