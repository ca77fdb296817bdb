"""What Tryton's answers mean, from our own bodies and from recorded ones of a Tryton 8.2."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from adapters.tryton.answers import read
from adapters.tryton.schemas import Invoice, Move, Sale, Shipment
from adapters.tryton.settings import Settings
from adapters.tryton.translate import booked_lines, reference
from hub.domain.posting import DocumentKind
from hub.sdk.outcomes import Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain
from hub.sdk.posting import PostingLine
from hub.sdk.testkit.samples import POSTING
from hub.sdk.wire import Response

NOW = datetime(2026, 11, 22, 1, 12, 14, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "contracts" / "tryton" / "samples"
recorded = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded exchanges are not beside this repository")
SETTINGS = Settings(
    host="t.example",
    database="d",
    username="u",
    password="secret-1",
    receivable_account="1",
    revenue_account="4",
    tax_account="2",
)


def outcome(status: int, document: object, *, write: bool = True) -> Outcome:
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    response = Response(status=status, headers={"retry-after": "7"}, body=body)
    with pytest.raises(Interrupted) as caught:
        read(object, response, "model.x.post", write=write, now=NOW)
    return caught.value.outcome


def refused(*error: object) -> Outcome:
    return outcome(200, {"id": 1, "error": list(error)})


def test_words_of_trytons_own_need_a_person_and_tell_no_traceback() -> None:
    closed = refused("UserError", ['The period "2026-01" is closed.', "", None])
    assert isinstance(closed, NeedsPerson)
    assert "open the period" in closed.next_step
    asked = refused("UserWarning", ["key", "Are you sure?", ""])
    assert isinstance(asked, NeedsPerson)
    assert "Are you sure?" in asked.reason
    crashed = refused("KeyError", "Traceback (most recent call last): secret")
    assert isinstance(crashed, NeedsPerson)
    assert "Traceback" not in crashed.reason
    assert isinstance(refused("ConcurrencyException", ["x"]), RetryLater)
    assert isinstance(outcome(200, b"<html>"), NeedsPerson)
    assert isinstance(outcome(200, {"id": 1, "error": []}), NeedsPerson)


def test_other_answers_are_weather() -> None:
    throttled = outcome(429, b"")
    assert isinstance(throttled, RetryLater)
    assert throttled.at == NOW + timedelta(seconds=7)
    assert isinstance(outcome(503, b""), RetryLater)
    assert isinstance(outcome(504, b""), Uncertain)
    assert isinstance(outcome(504, b"", write=False), RetryLater)
    assert isinstance(outcome(403, b""), NeedsPerson)
    assert isinstance(outcome(404, b""), NeedsPerson)


@recorded
@pytest.mark.parametrize(
    ("name", "kind", "first"),
    [
        ("12_sale_read_processing", Sale, {"state": "processing", "number": "3"}),
        ("21_shipment_read_done", Shipment, {"state": "done", "reference": None}),
        ("22_outgoing_moves_done", Move, {"quantity": Decimal("3.0"), "state": "done"}),
        ("29_invoice_read_posted", Invoice, {"number": "3", "state": "posted"}),
    ],
)
def test_recorded_answers_are_read(name: str, kind: type[msgspec.Struct], first: dict[str, object]) -> None:
    document = msgspec.json.decode((SAMPLES / f"{name}.response.json").read_bytes())
    # The recorded questions did not ask for every field that ours do.
    rows = [{"party": 2, "inventory_moves": [], **row} for row in document["result"]]
    body = msgspec.json.encode({"id": 1, "result": rows})
    found = read(list[kind], Response(status=200, headers={}, body=body), name, write=False, now=NOW)  # type: ignore[valid-type]
    assert {field: getattr(found[0], field) for field in first} == first


@recorded
def test_a_recorded_refusal_and_a_recorded_page_need_a_person() -> None:
    body = (SAMPLES / "17_pick_partial_write_quantity.response.json").read_bytes()
    said = outcome(200, body)
    assert isinstance(said, NeedsPerson)
    assert "not allowed to modify" in said.reason
    assert isinstance(outcome(400, (SAMPLES / "33_bad_json.response.html").read_bytes()), NeedsPerson)


def test_cents_that_four_places_cannot_say_are_a_line_of_their_own() -> None:
    many = PostingLine(line="1", sku="PIN", title="Pin", quantity=30_000, amount=100_01)
    request = msgspec.structs.replace(POSTING, lines=(many,), shipping=0, total=100_01)
    pins, rest = booked_lines(request, SETTINGS)
    assert (pins.price, rest.sku, rest.price) == (Decimal("0.0033"), None, Decimal("1.01"))


def test_documents_that_do_not_add_up_are_stopped_here() -> None:
    with pytest.raises(Interrupted, match="total"):
        booked_lines(msgspec.structs.replace(POSTING, total=1), SETTINGS)
    with pytest.raises(Interrupted, match="currency"):
        booked_lines(msgspec.structs.replace(POSTING, currency="XXQ"), SETTINGS)


def test_prices_that_include_tax_are_booked_net() -> None:
    line = PostingLine(line="1", sku="MUG", title="Mug", quantity=1, amount=1200, tax=200)
    request = msgspec.structs.replace(POSTING, lines=(line,), shipping=0, total=1200, tax_included=True)
    assert [(one.price, one.account, one.tax) for one in booked_lines(request, SETTINGS)] == [
        (Decimal("10.0000"), "4", False),
        (Decimal("2.00"), "2", True),
    ]


def test_references() -> None:
    credit = msgspec.structs.replace(POSTING, kind=DocumentKind.CREDIT_NOTE)
    assert reference(credit) == POSTING.key
    assert reference(msgspec.structs.replace(POSTING, shipment=f"{POSTING.order}-S2")) == f"{POSTING.order}-S2"
