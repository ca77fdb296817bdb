"""Requests as EasyPost wants them, answers as they are meant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.easypost import calls
from adapters.easypost.harness import settings, simulator
from adapters.easypost.schemas import CarrierMessage, PostageLabel, Shipment, VendorRate
from adapters.easypost.settings import LIST_SHIPMENTS, LISTS_PER_SECOND, Settings, transport
from hub.domain.shipping import Rate
from hub.sdk.capabilities import ParcelToShip
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.redaction import hidden_fields
from hub.sdk.testkit.samples import CUSTOMER, LABEL, PARCEL, WAREHOUSE
from hub.sdk.wire import Basic, Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
SETTINGS = settings(simulator())


def offer(carrier: str, service: str, rate: str, currency: str = "USD") -> VendorRate:
    return VendorRate(
        id=f"rate_{carrier}_{service}", carrier=carrier, service=service, rate=Decimal(rate), currency=currency
    )


def shipment(*offers: VendorRate, **changes: Any) -> Shipment:
    return Shipment(id="shp_1", created_at=NOW, rates=list(offers), **changes)


def error(status: int, code: str, message: object = "words", **headers: str) -> Response:
    body = msgspec.json.encode({"error": {"code": code, "message": message, "errors": ["text", {"field": "zip"}]}})
    return Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=body)


def test_a_purchase_begins_with_a_shipment_under_our_key() -> None:
    sent = calls.create_request(WAREHOUSE, CUSTOMER, PARCEL, LABEL.key, SETTINGS)
    body = msgspec.json.decode(sent.body or b"")["shipment"]
    assert (sent.method, sent.path, sent.write) == ("POST", "/v2/shipments", True)
    assert body["reference"] == LABEL.key
    assert body["options"] == {"label_format": "PDF"}
    assert body["to_address"]["street2"] == "Floor 5"
    assert (body["to_address"]["zip"], body["to_address"]["country"]) == ("94104", "US")
    assert "carrier_accounts" not in body


def test_a_quote_has_no_reference_and_may_be_asked_twice() -> None:
    chosen = msgspec.structs.replace(SETTINGS, carrier_accounts=("ca_ups",))
    sent = calls.create_request(WAREHOUSE, CUSTOMER, PARCEL, None, chosen)
    body = msgspec.json.decode(sent.body or b"")["shipment"]
    assert "reference" not in body
    assert body["carrier_accounts"] == ["ca_ups"]
    assert not sent.write


@pytest.mark.parametrize(("grams", "ounces"), [(1, "0.1"), (28, "1.0"), (29, "1.1"), (1240, "43.8"), (17463, "616.0")])
def test_weight_is_ounces_rounded_up(grams: int, ounces: str) -> None:
    assert calls.measured(ParcelToShip(weight_g=grams)) == {"weight": Decimal(ounces)}


def test_sizes_are_inches_rounded_up() -> None:
    found = calls.measured(ParcelToShip(weight_g=28, length_mm=254, width_mm=255, height_mm=1))
    assert (found["length"], found["width"], found["height"]) == (Decimal("10.0"), Decimal("10.1"), Decimal("0.1"))


def test_offers_are_exact_minor_units_cheapest_first() -> None:
    found = calls.read_offers(shipment(offer("UPS", "Ground", "9.10"), offer("USPS", "Priority", "8.2")))
    assert [(rate.carrier, rate.amount, rate.currency) for rate in found] == [("usps", 820, "USD"), ("ups", 910, "USD")]
    (yen,) = calls.read_offers(shipment(offer("Yamato", "TA-Q-BIN", "1050", "JPY")))
    assert (yen.carrier, yen.amount) == ("Yamato", 1050)


@pytest.mark.parametrize(("amount", "currency"), [("8.205", "USD"), ("8.20", "XXX")])
def test_an_amount_that_cannot_be_booked_is_not_rounded(amount: str, currency: str) -> None:
    with pytest.raises(Interrupted) as caught:
        calls.read_offers(shipment(offer("USPS", "Priority", amount, currency)))
    assert isinstance(caught.value.outcome, NeedsPerson)


class TestChoice:
    OFFERS = (offer("USPS", "Priority", "8.20"), offer("UPS", "Ground", "7.90"), offer("UPS", "Priority", "9.90"))

    @pytest.mark.parametrize(
        ("service", "chosen"),
        [
            (None, "rate_UPS_Ground"),
            ("priority", "rate_USPS_Priority"),
            ("ups priority", "rate_UPS_Priority"),
        ],
    )
    def test_the_cheapest_of_what_is_asked_for(self, service: str | None, chosen: str) -> None:
        found = calls.choose(shipment(*self.OFFERS), msgspec.structs.replace(LABEL, service=service))
        assert isinstance(found, Rate)
        assert found.id == chosen

    def test_a_service_nobody_offers_is_not_replaced_by_a_slower_one(self) -> None:
        found = calls.choose(shipment(*self.OFFERS), msgspec.structs.replace(LABEL, service="Express"))
        assert isinstance(found, NeedsPerson)
        assert "'Express'" in found.reason

    def test_no_offer_says_what_the_carriers_said(self) -> None:
        silent = shipment(messages=[CarrierMessage(carrier="UPS", message="Invalid account")])
        found = calls.choose(silent, LABEL)
        assert isinstance(found, NeedsPerson)
        assert "UPS: Invalid account" in found.reason

    def test_currencies_are_not_compared(self) -> None:
        mixed = shipment(offer("USPS", "Priority", "8.20"), offer("CanadaPost", "Regular", "8.00", "CAD"))
        found = calls.choose(mixed, LABEL)
        assert isinstance(found, NeedsPerson)
        assert "CAD and USD" in found.reason


class TestLabel:
    RATE = offer("USPS", "Priority", "8.20")
    PRINT = PostageLabel(label_url="https://labels.example/1.pdf", label_file_type="application/pdf")

    def test_what_was_bought(self) -> None:
        bought = shipment(postage_label=self.PRINT, selected_rate=self.RATE, tracking_code="9400")
        outcome = calls.read_label(bought, LABEL, found=False)
        assert isinstance(outcome, Done)
        assert outcome.label is not None
        assert (outcome.label.external_id, outcome.label.tracking) == ("shp_1", "9400")
        assert (outcome.label.amount, outcome.label.currency, outcome.label.carrier) == (820, "USD", "usps")
        assert (outcome.label.url, outcome.label.media_type) == ("https://labels.example/1.pdf", "application/pdf")
        assert [(one.kind, one.ours, one.theirs) for one in outcome.learned] == [("shipment", LABEL.key, "shp_1")]

    def test_without_a_tracking_code_it_is_looked_at_again(self) -> None:
        bought = shipment(postage_label=self.PRINT, selected_rate=self.RATE)
        assert isinstance(calls.read_label(bought, LABEL, found=False), Uncertain)


def test_rates_live_for_a_day() -> None:
    assert not calls.stale(shipment(), NOW + timedelta(hours=23))
    assert calls.stale(shipment(), NOW + timedelta(hours=25))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("submitted", Done),
        ("refunded", Done),
        ("not_applicable", Done),
        ("rejected", NeedsPerson),
        ("pondering", NeedsPerson),
        (None, type(None)),
    ],
)
def test_refund_statuses(status: str | None, outcome: type) -> None:
    assert type(calls.read_refund(shipment(refund_status=status), found=False)) is outcome


@pytest.mark.parametrize(
    ("response", "write", "outcome"),
    [
        (error(401, "APIKEY.INACTIVE"), True, Unauthorised),
        (error(402, "BILLING.FUNDS.INSUFFICIENT"), True, NeedsPerson),
        (error(403, "MODE.UNAUTHORIZED"), False, Unauthorised),
        (error(404, "NOT_FOUND"), True, Refused),
        (error(408, "TIMEOUT"), True, Uncertain),
        (error(422, "SHIPMENT.POSTAGE.TIMED_OUT"), True, Uncertain),
        (error(422, "SHIPMENT.POSTAGE.NO_RESPONSE"), True, Uncertain),
        (error(422, "SHIPMENT.PURCHASE.IN_PROGRESS"), True, Uncertain),
        (error(422, "SHIPMENT.POSTAGE.FAILURE", ["alternative", "format"]), True, NeedsPerson),
        (error(429, "RATE_LIMITED"), True, RetryLater),
        (Response(status=500, headers={}, body=b"<html>"), True, Uncertain),
        (Response(status=503, headers={}, body=b"<html>"), False, RetryLater),
    ],
)
def test_errors(response: Response, write: bool, outcome: type) -> None:
    found = calls.refusal(response, "POST /shipments/buy", "key", NOW, write=write)
    assert type(found) is outcome


def test_a_throttled_call_comes_back_when_it_was_told_to() -> None:
    found = calls.refusal(error(429, "RATE_LIMITED", retry_after="7"), "x", "key", NOW, write=True)
    assert isinstance(found, RetryLater)
    assert found.at == NOW + timedelta(seconds=7)


def test_words_about_an_address_stay_out_of_the_reason() -> None:
    said = error(422, "ADDRESS.VERIFY.FAILURE", "417 Montgomery Street is unknown")
    found = calls.refusal(said, "POST /shipments", "key", NOW, write=True)
    assert isinstance(found, NeedsPerson)
    assert "ADDRESS.VERIFY.FAILURE" in found.reason
    assert "Montgomery" not in found.reason


def test_the_carrier_is_named_in_easyposts_words() -> None:
    for ours, theirs in (("ups", "UPS"), ("fedex", "FedEx"), ("dhl_express", "DHLExpress"), ("Owl", "Owl")):
        sent = calls.track_request(ours, "1Z")
        assert msgspec.json.decode(sent.body or b"")["tracker"] == {"tracking_code": "1Z", "carrier": theirs}
        assert not sent.write


def test_the_key_is_a_user_name_and_lists_are_limited() -> None:
    found = transport(SETTINGS)
    assert found.auth == Basic(username=SETTINGS.api_key, password="")
    (limit,) = found.limits
    assert limit.operations == (LIST_SHIPMENTS,)
    assert limit.capacity + limit.per_second <= LISTS_PER_SECOND
    assert hidden_fields(Settings) == {"api_key", "webhook_secret", "previous_webhook_secret"}
