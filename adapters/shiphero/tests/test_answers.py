"""What ShipHero's answers mean: the table of errors, credits, HTTP statuses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from adapters.shiphero.answers import credits_back_at, failure, read, read_rates
from adapters.shiphero.schemas import Answer, ApiError, Created
from hub.sdk.outcomes import Interrupted, NeedsPerson, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.wire import RateReading, Response

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT.parent / "shared" / "contracts" / "shiphero" / "samples" / "error_order_not_found.json"
NOW = datetime(2026, 1, 16, 12, 0, tzinfo=UTC)
CREATED = msgspec.json.Decoder(Answer[Created])
LACKING = (
    "There are not enough credits to perform the requested operation, which requires 1301 credits, but there are "
    "only 263 left. In 18 seconds you will have enough credits to perform the operation"
)


def answer(body: object, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(status=status, headers=headers, body=raw)


def outcome(response: Response, *, write: bool = True) -> object:
    with pytest.raises(Interrupted) as caught:
        read(response, CREATED, write=write, now=NOW)
    return caught.value.outcome


def errors(message: str, code: int | None = None) -> Response:
    return answer({"errors": [{"message": message, "code": code, "request_id": "r1"}], "data": {"order_create": None}})


@pytest.mark.parametrize(
    ("message", "code", "write", "kind"),
    [
        (LACKING, 30, True, RetryLater),
        (LACKING, None, True, RetryLater),
        ("Order is already fulfilled", 1, True, Refused),
        ("Order can't be canceled", None, True, Refused),
        ("Invalid token", None, True, Unauthorised),
        ("You don't have permission to do this", 3, True, NeedsPerson),
        ("Order not found", 5, True, NeedsPerson),
        ("Unexpected Error", 1, True, Uncertain),
        ("Unexpected Error", 1, False, RetryLater),
        ("Something that nobody has read before", 99, True, NeedsPerson),
        ("", None, True, NeedsPerson),
    ],
)
def test_an_error_means_what_the_table_says(message: str, code: int | None, write: bool, kind: type) -> None:
    found = outcome(errors(message, code), write=write)

    assert type(found) is kind


def test_the_request_id_is_kept_for_support() -> None:
    found = failure(ApiError(message="Odd", code=7, request_id="5da7"), write=True, now=NOW)

    assert "request 5da7" in found.reason
    assert "Odd" in found.reason


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ApiError(message=LACKING, code=30, time_remaining="4 seconds"), 4),
        (ApiError(message=LACKING, code=30, time_remaining="2 minutes"), 120),
        (ApiError(message=LACKING, code=30), 18),
        (ApiError(message="credits", code=30, required_credits=1200, remaining_credits=600), 10),
        (ApiError(message="credits", code=30), 1),
        (ApiError(message="credits", code=30, time_remaining="0 seconds"), 1),
    ],
)
def test_credits_are_back_when_shiphero_says_so(error: ApiError, seconds: int) -> None:
    assert credits_back_at(error, NOW) == NOW + timedelta(seconds=seconds)


def test_a_lack_of_credits_is_told_to_the_bucket() -> None:
    lacking = {"message": LACKING, "code": 30, "remaining_credits": 263, "time_remaining": "18 seconds"}
    response = answer({"errors": [lacking], "data": {"order_create": None}})

    assert read_rates(response, NOW) == (
        RateReading(scope="account", remaining=263, not_before=NOW + timedelta(seconds=18)),
    )
    assert read_rates(answer({"data": {"note": "credits"}}), NOW) == ()


@pytest.mark.parametrize(
    ("response", "write", "kind"),
    [
        (answer(b"<html>", 503), True, Uncertain),
        (answer(b"<html>", 502), True, Uncertain),
        (answer(b"<html>", 503), False, RetryLater),
        (answer(b"", 403), True, NeedsPerson),
        (answer(b"", 401), True, Unauthorised),
        (answer(b"", 404), True, NeedsPerson),
        (answer({"errors": [{"message": "Cannot query field"}]}, 400), True, NeedsPerson),
        (answer(b"<html>not JSON", 200), True, Uncertain),
        (answer(b"<html>not JSON", 200), False, RetryLater),
        (answer({"data": None}), True, Uncertain),
        (answer({"data": {"order_create": "odd"}}), True, Uncertain),
    ],
)
def test_what_is_no_answer_is_never_taken_for_done(response: Response, write: bool, kind: type) -> None:
    assert type(outcome(response, write=write)) is kind


def test_too_many_requests_are_waited_for() -> None:
    found = outcome(answer(b"", 429, **{"retry-after": "30"}))

    assert isinstance(found, RetryLater)
    assert found.at == NOW + timedelta(seconds=30)


def test_data_beside_a_warning_is_a_success() -> None:
    body = {"errors": [{"message": "a scope will be needed"}], "data": {"order_create": {"order": {"id": "o1"}}}}

    created = read(answer(body), CREATED, write=True, now=NOW).order_create

    assert created is not None
    assert created.order is not None
    assert created.order.id == "o1"


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the vendor's published samples are not beside this repository")
def test_the_published_error_asks_for_a_person() -> None:
    found = outcome(answer(SAMPLE.read_bytes()))

    assert isinstance(found, NeedsPerson)
    assert "Order not found" in found.reason
