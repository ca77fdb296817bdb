"""Requests as UPS wants them, answers as they are meant, and answers that mean nothing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.ups import calls, labels, parties
from adapters.ups.harness import ACCOUNT, settings, simulator
from adapters.ups.settings import CALLS_PER_SECOND, Settings, transport
from adapters.ups.simulator import PER_SECOND
from hub.domain.shipping import Rate
from hub.sdk.capabilities import ParcelToShip
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.redaction import hidden_fields
from hub.sdk.testkit.samples import CUSTOMER, LABEL, PARCEL, WAREHOUSE
from hub.sdk.wire import ClientCredentials, Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)
SETTINGS = settings(simulator())
MONEY = {"CurrencyCode": "USD", "MonetaryValue": "12.50"}
SUCCESS = {"ResponseStatus": {"Code": "1", "Description": "Success"}}


def rated(code: str, total: str, negotiated: Any = None, currency: str = "USD", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Service": {"Code": code},
        "TotalCharges": {"CurrencyCode": currency, "MonetaryValue": total},
        **more,
    }
    return found if negotiated is None else {**found, "NegotiatedRateCharges": negotiated}


def offers(*found: dict[str, Any]) -> tuple[Rate, ...]:
    document = {"RateResponse": {"Response": SUCCESS, "RatedShipment": list(found)}}
    return calls.read_offers(response(document), "key", NOW)


def response(document: object, status: int = 200, **headers: str) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=body)


def error(status: int, code: str, message: str = "words", **headers: str) -> Response:
    return response({"response": {"errors": [{"code": code, "message": message}]}}, status, **headers)


def shipped(**changes: Any) -> dict[str, Any]:
    results = {
        "ShipmentCharges": {"TotalCharges": MONEY},
        "ShipmentIdentificationNumber": "1ZA1B2C30300000001",
        "PackageResults": {
            "TrackingNumber": "1ZA1B2C30300000001",
            "ShippingLabel": {"ImageFormat": {"Code": "ZPL"}, "GraphicImage": "XlhB"},
        },
    }
    return {"ShipmentResponse": {"Response": SUCCESS, "ShipmentResults": {**results, **changes}}}


class TestOffers:
    def test_the_account_pays_its_own_price_where_ups_tells_one(self) -> None:
        found = offers(
            rated("01", "40.00", {"TotalCharge": {"CurrencyCode": "USD", "MonetaryValue": "21.07"}}),
            rated("03", "12.5", {}),
            rated("Q9", "13"),
        )
        assert [(rate.service, rate.amount) for rate in found] == [
            ("Ground", 1250),
            ("Q9", 1300),
            ("Next Day Air", 2107),
        ]

    def test_days_in_transit(self) -> None:
        transit = {"ServiceSummary": {"EstimatedArrival": {"BusinessDaysInTransit": "3"}}}
        guaranteed = {"BusinessDaysInTransit": "1"}
        found = offers(
            rated("03", "1", TimeInTransit=transit),
            rated("01", "2", GuaranteedDelivery=guaranteed),
            rated("02", "3", GuaranteedDelivery={"BusinessDaysInTransit": ""}),
        )
        assert [rate.delivery_days for rate in found] == [3, 1, None]

    @pytest.mark.parametrize(
        ("amount", "currency"),
        [("12.505", "USD"), ("abc", "USD"), ("", "USD"), ("1", "XXX"), ("1.5", "JPY"), ("NaN", "USD")],
    )
    def test_an_amount_that_cannot_be_booked_is_not_rounded(self, amount: str, currency: str) -> None:
        with pytest.raises(Interrupted) as caught:
            offers(rated("03", amount, currency=currency))
        assert isinstance(caught.value.outcome, NeedsPerson)
        assert "service 03" in caught.value.outcome.reason

    def test_no_service_is_replaced_by_another(self) -> None:
        found = offers(rated("03", "12.50"), rated("01", "40"))
        chosen = calls.choose(found, "next day air", "key")
        assert isinstance(chosen, Rate)
        assert chosen.id == "01"
        assert isinstance(calls.choose(found, "Standard", "key"), NeedsPerson)
        assert isinstance(calls.choose((), None, "key"), NeedsPerson)

    def test_currencies_are_not_compared(self) -> None:
        chosen = calls.choose(offers(rated("11", "12"), rated("65", "11", currency="CAD")), None, "key")
        assert isinstance(chosen, NeedsPerson)
        assert "CAD and USD" in chosen.reason

    def test_every_service_is_found_by_code_and_name(self) -> None:
        for code, name in calls.SERVICES.items():
            assert calls.service_code(code) == calls.service_code(name) == calls.service_code(f"UPS {name}") == code
        assert calls.service_code("Ground Saver") is None


class TestShipping:
    def test_a_label_of_one_box(self) -> None:
        outcome = labels.read_ship(response(shipped()), LABEL, "03", NOW)
        assert isinstance(outcome, Done)
        assert outcome.label is not None
        assert (outcome.label.amount, outcome.label.currency, outcome.label.service) == (1250, "USD", "Ground")
        assert (outcome.label.media_type, outcome.label.url) == ("application/zpl", "data:application/zpl;base64,XlhB")
        assert [(one.kind, one.ours, one.theirs) for one in outcome.learned] == [
            ("shipment", LABEL.key, "1ZA1B2C30300000001")
        ]

    @pytest.mark.parametrize(
        "document",
        [
            shipped(ShipmentCharges=None),
            shipped(PackageResults=[]),
            shipped(ShipmentCharges={"TotalCharges": {"CurrencyCode": "USD", "MonetaryValue": "1.005"}}),
            shipped(ShipmentIdentificationNumber=None),
            {"ShipmentResponse": {**shipped()["ShipmentResponse"], "Response": {"ResponseStatus": {"Code": "0"}}}},
            {},
            json.dumps(shipped()).encode()[:-30],
            b"<html><body>Welcome</body></html>",
            b"",
            b'{"ShipmentResponse":"\xff"}',
        ],
    )
    async def test_what_may_have_been_bought_is_looked_for(self, document: object) -> None:
        try:
            outcome = labels.read_ship(response(document), LABEL, "03", NOW)
        except Interrupted as interrupted:
            outcome = interrupted.outcome
        assert isinstance(outcome, Uncertain)
        assert LABEL.key in outcome.reason

    def test_a_200_with_an_error_inside_was_not_bought(self) -> None:
        with pytest.raises(Interrupted) as caught:
            labels.read_ship(error(200, "120100", "Missing or invalid shipper number"), LABEL, "03", NOW)
        assert isinstance(caught.value.outcome, NeedsPerson)
        assert "120100 Missing or invalid shipper number" in caught.value.outcome.reason

    def test_recovery_without_a_label_stays_uncertain(self) -> None:
        document = {"LabelRecoveryResponse": {"Response": SUCCESS, "LabelResults": []}}
        with pytest.raises(Interrupted) as caught:
            labels.read_recovery(response(document), LABEL, NOW)
        assert isinstance(caught.value.outcome, Uncertain)

    def test_borders(self) -> None:
        def crosses(start: str, end: str) -> bool:
            ends = (msgspec.structs.replace(WAREHOUSE, country=one) for one in (start, end))
            return labels.crosses_border(msgspec.structs.replace(LABEL, ship_from=next(ends), ship_to=next(ends)))

        assert not crosses("US", "US")
        assert not crosses("US", "PR")
        assert not crosses("DE", "FR")
        assert crosses("DE", "CH")
        assert crosses("DE", "GB")
        assert crosses("US", "CA")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b'{"RateResponse":', b"[]", b"\xff\xfe"])
def test_a_read_that_nobody_can_read_names_the_next_step(body: bytes) -> None:
    with pytest.raises(Interrupted) as caught:
        calls.read_offers(response(body), "key", NOW)
    outcome = caught.value.outcome
    assert isinstance(outcome, NeedsPerson)
    assert "POST /rating" in outcome.reason
    assert "base_url" in outcome.next_step


@pytest.mark.parametrize(
    ("answer", "write", "outcome"),
    [
        (error(401, "250002"), True, Unauthorised),
        (error(403, "250003"), False, Unauthorised),
        (error(408, "x"), True, Uncertain),
        (error(429, "10429"), True, RetryLater),
        (error(400, "10429"), True, RetryLater),
        (error(200, "10429"), False, RetryLater),
        (error(400, "10004"), True, Uncertain),
        (error(500, "10004"), False, RetryLater),
        (error(400, "120203", "Invalid ShipTo AddressLine2"), True, NeedsPerson),
        (error(404, "404"), True, NeedsPerson),
        (Response(status=502, headers={}, body=b"<html>"), True, Uncertain),
        (Response(status=503, headers={}, body=b"<html>"), False, RetryLater),
        (Response(status=302, headers={}, body=b""), False, NeedsPerson),
    ],
)
def test_errors(answer: Response, write: bool, outcome: type) -> None:
    assert type(calls.refusal(answer, "POST /x", "key", NOW, write=write)) is outcome


def test_a_time_that_ups_tells_is_believed() -> None:
    found = calls.refusal(error(429, "10429", retry_after="7"), "x", "key", NOW, write=True)
    assert isinstance(found, RetryLater)
    assert found.at == NOW + timedelta(seconds=7)


class TestParties:
    @pytest.mark.parametrize(
        ("grams", "origin", "weight", "unit"),
        [(1, "US", "0.1", "LBS"), (454, "US", "1.1", "LBS"), (453, "PR", "1.0", "LBS"), (1001, "DE", "1.1", "KGS")],
    )
    def test_weights_are_rounded_up_in_the_origins_units(self, grams: int, origin: str, weight: str, unit: str) -> None:
        (box,) = parties.boxes((ParcelToShip(weight_g=grams),), origin)
        assert (box["PackageWeight"]["Weight"], box["PackageWeight"]["UnitOfMeasurement"]["Code"]) == (weight, unit)
        assert "Dimensions" not in box

    def test_sizes_are_whole_and_the_longest_comes_first(self) -> None:
        (box,) = parties.boxes((ParcelToShip(weight_g=1, length_mm=105, width_mm=254, height_mm=255),), "US")
        assert [box["Dimensions"][name] for name in ("Length", "Width", "Height")] == ["11", "10", "5"]
        (box,) = parties.boxes((PARCEL,), "DE")
        assert [box["Dimensions"][name] for name in ("Length", "Width", "Height")] == ["30", "20", "11"]

    def test_long_streets_are_wrapped_and_never_cut(self) -> None:
        long = msgspec.structs.replace(CUSTOMER, lines=("The Old Granary behind the Flower Market", "Gate 5"))
        assert parties.address(long, "key")["AddressLine"] == ["The Old Granary behind the Flower", "Market, Gate 5"]
        endless = msgspec.structs.replace(CUSTOMER, lines=("word " * 40,))
        with pytest.raises(Interrupted) as caught:
            parties.address(endless, "key")
        assert isinstance(caught.value.outcome, NeedsPerson)
        assert "word" not in caught.value.outcome.reason

    @pytest.mark.parametrize(
        ("changes", "missing"),
        [
            ({"city": None, "country": None}, "no city and no country"),
            ({"lines": ()}, "no street"),
            ({"name": None, "company": None}, "neither name nor company"),
        ],
    )
    def test_what_is_missing_is_named(self, changes: dict[str, Any], missing: str) -> None:
        with pytest.raises(Interrupted) as caught:
            parties.party(msgspec.structs.replace(CUSTOMER, **changes), "key")
        assert missing in caught.value.outcome.reason

    def test_phones_regions_and_postal_codes(self) -> None:
        assert parties.phone(CUSTOMER) == "4155550123"
        assert parties.phone(msgspec.structs.replace(CUSTOMER, country="DE", phone="+49 (30) 1234-56")) == "4930123456"
        assert parties.phone(msgspec.structs.replace(CUSTOMER, phone="n/a")) is None
        named = msgspec.structs.replace(CUSTOMER, region="Île-de-France", postal_code="94104-1234")
        found = parties.address(named, "key")
        assert "StateProvinceCode" not in found
        assert found["PostalCode"] == "941041234"


def test_a_number_cannot_leave_its_place_in_the_path() -> None:
    assert calls.track_request("../../x?y").path == "/api/track/v1/details/..%2F..%2Fx%3Fy"
    assert calls.void_request("1Z/../2").path.endswith("/void/cancel/1Z%2F..%2F2")


def test_the_token_is_of_the_client_credentials_and_calls_are_limited() -> None:
    found = transport(SETTINGS)
    assert isinstance(found.auth, ClientCredentials)
    assert found.auth.token_url == "https://onlinetools.ups.com/security/v1/oauth/token"
    (limit,) = found.limits
    assert (limit.key, limit.capacity, limit.per_second) == (ACCOUNT, CALLS_PER_SECOND, CALLS_PER_SECOND)
    assert limit.capacity + limit.per_second <= PER_SECOND
    assert hidden_fields(Settings) == {"client_secret", "webhook_secret", "previous_webhook_secret"}


@pytest.mark.parametrize("changes", [{"account": "123"}, {"label_format": "PDF"}, {"accuont": "A1B2C3"}])
def test_settings_that_cannot_work(changes: dict[str, str]) -> None:
    good = {"account": ACCOUNT, "client_id": "c", "client_secret": "s"}
    assert msgspec.convert(good, Settings).account == ACCOUNT
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**good, **changes}, Settings)
