"""Every kind of answer says what happens next, and tells nothing that is nobody's business."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.odoo.answers import failure, read, read_rows
from adapters.odoo.schemas import SaleOrder
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Uncertain
from hub.sdk.wire import Response

NOW = datetime(2026, 11, 22, 1, 12, 14, tzinfo=UTC)


def answer(status: int, name: str | None = None, message: str = "", **headers: str) -> Response:
    body = b"<html>Bad gateway</html>"
    if name is not None:
        problem = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback SECRET"}
        body = msgspec.json.encode(problem)
    return Response(status=status, headers=headers, body=body)


@pytest.mark.parametrize(
    ("response", "write", "outcome", "hint"),
    [
        (answer(403, "odoo.exceptions.AccessError", "Not allowed"), False, NeedsPerson, "access right"),
        (answer(404, "werkzeug.exceptions.NotFound", "the model 'x' does not exist"), False, NeedsPerson, "installed"),
        (answer(404), False, NeedsPerson, "host and database"),
        (answer(403), False, NeedsPerson, "JSON-RPC"),
        (answer(422, "odoo.exceptions.UserError", "No journal could be found"), True, NeedsPerson, "journal_id"),
        (answer(422, "odoo.exceptions.UserError", "Before the Lock Date"), True, NeedsPerson, "unlock the period"),
        (answer(422, "odoo.exceptions.ValidationError", "Something else"), True, NeedsPerson, "correct it in Odoo"),
        (answer(500, "builtins.ValueError", "Invalid field 'x'"), True, NeedsPerson, "connection test"),
        (answer(303), False, NeedsPerson, "redirects"),
    ],
)
def test_what_repeating_cannot_mend_needs_a_person(response: Response, write: bool, outcome: type, hint: str) -> None:
    found = failure(response, "sale.order.create", write=write, now=NOW).outcome
    assert isinstance(found, NeedsPerson)
    assert hint in found.next_step
    assert found.reason.startswith("sale.order.create: ")


@pytest.mark.parametrize(
    ("response", "write", "outcome"),
    [
        (answer(503), True, RetryLater),
        (answer(500), True, RetryLater),
        (answer(502), False, RetryLater),
        (answer(502), True, Uncertain),
        (answer(504), True, Uncertain),
        (answer(500, "psycopg2.errors.SerializationFailure", "could not serialize access"), True, RetryLater),
        (answer(422, "odoo.exceptions.LockError", "Cannot grab a lock on records"), True, RetryLater),
        (answer(429), True, RetryLater),
    ],
)
def test_weather_is_waited_for(response: Response, write: bool, outcome: type) -> None:
    assert isinstance(failure(response, "sale.order.create", write=write, now=NOW).outcome, outcome)


def test_a_wish_to_wait_is_believed() -> None:
    found = failure(answer(429, **{"retry-after": "30"}), "x", write=False, now=NOW).outcome
    assert isinstance(found, RetryLater)
    assert found.at == NOW + timedelta(seconds=30)


def test_the_traceback_is_never_told() -> None:
    message = "first line\nModel: 'Sales Order'\n" + "x" * 1000
    found = failure(answer(422, "odoo.exceptions.UserError", message), "sale.order.create", write=True, now=NOW).outcome
    assert found.reason == "sale.order.create: UserError (422): first line"


@pytest.mark.parametrize("body", [b"{}", b'[{"id": "one"}]', b'[{"id": 1, "name": "S1"}]'])
def test_an_unknown_shape_needs_a_person(body: bytes) -> None:
    with pytest.raises(Interrupted) as raised:
        read_rows(SaleOrder, Response(status=200, headers={}, body=body), "sale.order.search_read")
    assert isinstance(raised.value.outcome, NeedsPerson)
    assert "sale.order.search_read" in raised.value.outcome.reason


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"<html>login</html>", "a web page"), (b"[1, 2", "half an answer"), (b"", "something else")],
)
def test_what_is_no_json_is_somebody_before_odoo(body: bytes, said: str) -> None:
    response = Response(status=200, headers={}, body=body)
    with pytest.raises(Interrupted) as asked:
        read(list[int], response, "sale.order.search_read")
    assert asked.value.outcome == RetryLater(
        reason=f"sale.order.search_read: answered 200 with {said}, which is no JSON"
    )
    with pytest.raises(Interrupted) as told:
        read(list[int], response, "sale.order.create", write=True)
    assert told.value.outcome == Uncertain(reason=f"sale.order.create: answered 200 with {said}, which is no JSON")


def test_fields_of_tomorrow_are_ignored() -> None:
    row = {"id": 1, "name": "S1", "state": "sale", "currency_id": [1, "USD"], "amount_total": 10.1, "new": {"a": [1]}}
    (found,) = read_rows(SaleOrder, Response(status=200, headers={}, body=msgspec.json.encode([row])), "x")
    assert str(found.amount_total) == "10.1"
    assert read(list[int], Response(status=200, headers={}, body=b"[47]"), "x") == [47]
