"""Requests as ShipBob wants them, answers as they are meant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.shipbob import calls
from adapters.shipbob.harness import ORDER, SUBMIT, settings, simulator
from adapters.shipbob.schemas import order_decoder
from adapters.shipbob.settings import Settings, read_rates, transport
from hub.domain.contact import Contact
from hub.sdk.capabilities import FulfilmentCancel
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.redaction import hidden_fields
from hub.sdk.wire import Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
SETTINGS = settings(simulator())
CANCEL = FulfilmentCancel(key="c", fulfilment=SUBMIT.fulfilment, partner_reference="4242", reason="asked")


def answer(status: int, document: Any = None, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=names, body=msgspec.json.encode(document))


def test_a_submission_carries_reference_channel_and_lines() -> None:
    sent = calls.submit_request(SUBMIT, SETTINGS)
    assert (sent.method, sent.path, sent.write) == ("POST", "/2026-01/order", True)
    assert sent.headers["shipbob_channel_id"] == "77"
    body = msgspec.json.decode(sent.body or b"")
    assert body["reference_id"] == SUBMIT.fulfilment
    assert (body["type"], body["shipping_method"], body["location_id"]) == ("DTC", "Standard", 3)
    assert [(row["reference_id"], row["quantity"], row["external_line_id"]) for row in body["products"]] == [
        ("MUG-RED", 2, 1),
        ("TEE-M", 1, 2),
    ]
    assert body["tags"] == [{"name": "hub-line-1", "value": "1"}, {"name": "hub-line-2", "value": "2"}]
    assert body["recipient"]["address"]["address2"] == "Floor 5"
    assert body["recipient"]["address"]["country"] == "US"


def test_a_service_and_a_free_choice_of_location() -> None:
    wanted = msgspec.structs.replace(SUBMIT, service="Express", location=None)
    body = msgspec.json.decode(calls.submit_request(wanted, SETTINGS).body or b"")
    assert (body["shipping_method"], body["location_id"]) == ("Express", None)


def test_what_shipbob_would_not_take_is_said_without_asking() -> None:
    nowhere = msgspec.structs.replace(SUBMIT, ship_to=Contact(name="Zoë Quimby", city="Bergen"))
    problem = calls.unsendable(nowhere)
    assert problem is not None
    assert "no street, no country" in problem.reason
    assert "Quimby" not in problem.reason
    elsewhere = calls.unsendable(msgspec.structs.replace(SUBMIT, location="loc-1"))
    assert elsewhere is not None
    assert "'loc-1'" in elsewhere.reason
    assert calls.unsendable(SUBMIT) is None


def test_a_created_order_is_learned_and_accepted() -> None:
    outcome = calls.read_submit(answer(201, ORDER), SUBMIT, NOW)
    assert isinstance(outcome, Done)
    assert outcome.reference == "4242"
    assert [(one.kind, one.ours, one.theirs) for one in outcome.learned] == [("order", SUBMIT.fulfilment, "4242")]
    assert not outcome.found


def test_a_created_order_whose_answer_cannot_be_read_is_uncertain() -> None:
    assert isinstance(calls.read_submit(answer(201, {"id": "no number"}), SUBMIT, NOW), Uncertain)


def test_a_reference_in_use_for_something_else_needs_a_person() -> None:
    order = order_decoder.decode(msgspec.json.encode({**ORDER, "products": ORDER["products"][:1]}))
    outcome = calls.read_found(order, SUBMIT)
    assert isinstance(outcome, NeedsPerson)
    assert "4242" in outcome.reason


@pytest.mark.parametrize(
    ("response", "write", "outcome"),
    [
        (answer(400, {"shipping_method": ["required"]}), True, NeedsPerson),
        (answer(401, {"message": "No access"}), False, Unauthorised),
        (answer(403, {"message": "No access"}), True, Unauthorised),
        (answer(404, "gone"), False, NeedsPerson),
        (answer(422, {"products[0].reference_id": ["Product is inactive"]}), True, Refused),
        (answer(422, {"shipping_method": ["Unknown shipping method"]}), True, NeedsPerson),
        (answer(429, {"statusCode": 429}), True, RetryLater),
        (answer(500, "oops"), True, Uncertain),
        (answer(503, "oops"), False, RetryLater),
        (answer(302, ""), True, NeedsPerson),
    ],
)
def test_errors(response: Response, write: bool, outcome: type) -> None:
    found = calls.refusal(response, "POST /order", SUBMIT.fulfilment, NOW, write=write)
    assert type(found) is outcome
    if outcome is not Unauthorised:
        assert SUBMIT.fulfilment in found.reason  # type: ignore[union-attr]


def test_shipbobs_words_about_the_recipient_stay_out_of_the_reason() -> None:
    body = {"recipient.email": ["zoe.quimby@example.com is not valid"], "shipping_method": ["unknown"]}
    outcome = calls.refusal(answer(400, body), "POST /order", "F", NOW, write=True)
    assert isinstance(outcome, NeedsPerson)
    assert "recipient.email; shipping_method: unknown" in outcome.reason
    assert "quimby" not in outcome.reason


@pytest.mark.parametrize("said", [{"reference_id": ["Duplicate reference ID"]}, "Duplicate reference ID"])
def test_a_duplicate_is_known_by_its_words(said: Any) -> None:
    assert calls.is_duplicate(answer(422, said))
    assert not calls.is_duplicate(answer(422, {"reference_id": ["too long"]}))
    assert not calls.is_duplicate(answer(400, said))


@pytest.mark.parametrize(
    ("document", "outcome", "words"),
    [
        ({"status": "Success", "canceled_shipment_results": [{"is_success": True}]}, Done, ""),
        (
            {"status": "Failure", "canceled_shipment_results": [{"is_success": False, "reason": "picked"}]},
            Refused,
            "1 of 1 shipments could not be stopped: picked",
        ),
        (
            {"status": "PartialSuccess", "canceled_shipment_results": [{"is_success": False}, {"is_success": True}]},
            Refused,
            "1 of 2",
        ),
        ({"status": "Perhaps"}, Uncertain, "Perhaps"),
        ({"order_id": 1}, Uncertain, "cannot be read"),
    ],
)
def test_answers_to_a_cancel(document: Any, outcome: type, words: str) -> None:
    found = calls.read_cancel(answer(200, document), CANCEL, NOW)
    assert type(found) is outcome
    assert words in getattr(found, "reason", "")


def test_a_read_that_does_not_fit_the_contract_stops_with_a_next_step() -> None:
    with pytest.raises(Interrupted) as caught:
        calls.read_find(answer(200, {"orders": []}), "F", NOW)
    assert isinstance(caught.value.outcome, NeedsPerson)


def test_shipbobs_own_headers_say_when_to_come_back() -> None:
    throttled = answer(429, {}, x_retry_after="25", x_remaining_calls="0")
    (reading,) = read_rates(throttled, NOW)
    assert (reading.remaining, reading.not_before) == (0, NOW + timedelta(seconds=25))
    outcome = calls.refusal(throttled, "GET /order", "pull", NOW, write=False)
    assert isinstance(outcome, RetryLater)
    assert outcome.at == NOW + timedelta(seconds=25)
    assert read_rates(answer(200), NOW) == ()


@pytest.mark.parametrize("allowed", [150, 600, 6])
def test_the_bucket_fits_into_a_sliding_minute(allowed: int) -> None:
    (limit,) = transport(msgspec.structs.replace(SETTINGS, requests_per_minute=allowed)).limits
    assert limit.capacity + 60 * limit.per_second <= allowed


def test_settings_refuse_a_secret_that_cannot_be_a_key_and_hide_those_that_can() -> None:
    with pytest.raises(ValueError, match="base64"):
        Settings(account="a", token="t", channel_id=1, webhook_secret="whsec_x")
    assert hidden_fields(Settings) == {"token", "webhook_secret", "previous_webhook_secret"}


@pytest.mark.parametrize("version", ["2026-01", "2026-07"])
def test_every_call_goes_to_the_dated_version_of_the_connection(version: str) -> None:
    known = msgspec.structs.replace(SETTINGS, version=version)
    made = (calls.find_request("F-1", known), calls.order_request("1", known), calls.stock_request({}, known))
    assert {request.path.split("/")[1] for request in made} == {version}
