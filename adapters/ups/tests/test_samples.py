"""UPS's published examples, read in place. Requests are sent to the simulator, and what it answers is read.

What no capability of ours touches is listed with the reason; everything else must come to a value or a named refusal.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from adapters.ups import calls, labels
from adapters.ups.harness import ACCOUNT
from adapters.ups.settings import Settings
from adapters.ups.simulator import UpsSimulator
from adapters.ups.tests.specification import Specification
from adapters.ups.translate import alert_facts, track_facts
from hub.domain.facts import ParcelScanned
from hub.domain.shipping import TrackingStatus
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Unauthorised, Uncertain
from hub.sdk.testkit.bench import outcome_of
from hub.sdk.testkit.samples import LABEL
from hub.sdk.wire import Response

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)

UNTOUCHED: Final = {
    "AddressValidation.": "UPS checks addresses when it rates and ships; we ask for no separate check",
    "Shipping.LabelRecovery.": "of the same-day partner Roadie, whose services we do not sell",
    "TimeInTransit.": "days in transit come with the rates",
    "UPSTrackAlert.createAccountSubscription.": "parcels are subscribed one by one, when somebody follows them",
    "UPSTrackAlert.unsubscribeAccountSubscription.": "the account is not subscribed",
    "ups_document_upload": "customs papers are printed by UPS from the declaration, none are uploaded",
}
ANSWERS: Final = {
    "error_429.json",
    "tracking_not_found_200.json",
    "ups_shipping_cancel_response.json",
    "ups_shipping_response.json",
}


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture
def samples(contracts: Path) -> Mapping[str, Path]:
    """All files by name."""
    return {path.name: path for path in sorted((contracts / "samples").rglob("*.json"))}


def answer(path: Path, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=path.read_bytes())


async def exchanged(context: Context[Settings], path: str, operation: str, document: Any) -> Response:
    asked = calls.request("POST", path, operation, document, write=True)
    return await context.client.send(msgspec.structs.replace(asked, headers={**asked.headers, "transId": "sample"}))


def rating(samples: Mapping[str, Path]) -> dict[str, Any]:
    return {name: read(path) for name, path in samples.items() if "RateRequest" in read(path)}


def shipping(samples: Mapping[str, Path]) -> dict[str, Any]:
    names = ("ShipmentRequest", "Shipment")
    return {name: found for name, path in samples.items() if any(one in (found := read(path)) for one in names)}


def test_every_sample_is_read_or_left_for_a_reason(samples: Mapping[str, Path]) -> None:
    read_here = {*rating(samples), *shipping(samples), *ANSWERS}
    read_here |= {name for name in samples if name.startswith("UPSTrackAlert.processSubscription")}
    left = {name for name in samples if name.startswith(tuple(UNTOUCHED))}
    assert read_here | left == set(samples)
    assert not read_here & left
    assert len(samples) == 59


RATED: Final = {
    "Rating.DeprecatedRate.request.10.json": "3 from Standard",
    "Rating.DeprecatedRate.request.3.json": "3 from Standard",
    # The sample is cut off after the shipper.
    "Rating.DeprecatedRate.request.6.json": "NeedsPerson 110208",
    "Rating.Rate.request.10.json": "3 from Standard",
}
"""What becomes of a request for rates; of every other, four domestic offers."""


async def test_requests_for_rates(samples: Mapping[str, Path], context: Context[Settings]) -> None:
    found: dict[str, str] = {}
    for name, document in rating(samples).items():
        response = await exchanged(context, "rating/v2409/Shop", "POST /rating", document)
        try:
            offers = calls.read_offers(response, name, NOW)
        except Interrupted as refused:
            found[name] = f"{type(refused.outcome).__name__} {calls.error_of(response).code}"
            continue
        assert all(offer.amount > 0 and offer.currency == "USD" and offer.carrier == "ups" for offer in offers)
        assert [offer.amount for offer in offers] == sorted(offer.amount for offer in offers)
        found[name] = f"{len(offers)} from {offers[0].service}"
    assert len(found) == 15
    assert found == {name: RATED.get(name, "4 from Ground") for name in found}


NO_FORMAT: Final = "NeedsPerson 120600"
"""The sample names no label format."""
NOT_THERE: Final = "NeedsPerson 121210"
"""The simulator does not sell the sample's service between its addresses."""
SHIPPED: Final = {
    "Shipping.DeprecatedShipment.request.1.json": "Ground image/gif 1",
    "Shipping.DeprecatedShipment.request.10.json": "Ground image/gif 1",
    "Shipping.DeprecatedShipment.request.12.json": NO_FORMAT,
    "Shipping.DeprecatedShipment.request.13.json": NO_FORMAT,
    "Shipping.DeprecatedShipment.request.3.json": "Worldwide Expedited image/gif 1",
    "Shipping.DeprecatedShipment.request.4.json": "Ground image/gif 2",
    "Shipping.DeprecatedShipment.request.6.json": NOT_THERE,
    "Shipping.DeprecatedShipment.request.7.json": NOT_THERE,
    "Shipping.DeprecatedShipment.request.9.json": NOT_THERE,
    "Shipping.Shipment.request.1.json": "Ground image/gif 1",
    "Shipping.Shipment.request.10.json": "Ground image/gif 1",
    "Shipping.Shipment.request.11.json": NO_FORMAT,
    "Shipping.Shipment.request.13.json": NO_FORMAT,
    # A freight master: no boxes.
    "Shipping.Shipment.request.14.json": "NeedsPerson 120602",
    "Shipping.Shipment.request.16.json": NOT_THERE,
    # Printed without the ShipmentRequest around it.
    "Shipping.Shipment.request.17.json": "NeedsPerson 9300001",
    "Shipping.Shipment.request.2.json": NO_FORMAT,
    "Shipping.Shipment.request.4.json": "Ground image/gif 2",
    "Shipping.Shipment.request.5.json": "Ground image/gif 1",
    "Shipping.Shipment.request.7.json": NOT_THERE,
    "Shipping.Shipment.request.8.json": "Standard image/gif 1",
    # Domestic, with a reference on the shipment.
    "ups_shipping_request.json": "NeedsPerson 120541",
}


async def test_requests_for_labels(samples: Mapping[str, Path], context: Context[Settings], sim: UpsSimulator) -> None:
    found: dict[str, str] = {}
    for name, document in shipping(samples).items():
        shipment = (document.get("ShipmentRequest") or document)["Shipment"]
        shipment["Shipper"]["ShipperNumber"] = ACCOUNT
        response = await exchanged(context, "shipments/v2409/ship", labels.SHIP, document)
        outcome = await outcome_of(_shipped(response, (shipment.get("Service") or {}).get("Code")))
        if isinstance(outcome, Done):
            assert outcome.label is not None
            assert outcome.label.tracking in sim.books.parcels
            assert outcome.label.amount > 0
            found[name] = f"{outcome.label.service} {outcome.label.media_type} {1 + len(outcome.label.more)}"
        else:
            found[name] = f"{type(outcome).__name__} {calls.error_of(response).code}"
    assert found == SHIPPED


async def _shipped(response: Response, code: str) -> Outcome:
    return labels.read_ship(response, LABEL, code, NOW)


async def test_placeholders_for_answers_are_refused_by_name(samples: Mapping[str, Path]) -> None:
    """Every value in these two is the word "string"."""
    shipped = await outcome_of(_shipped(answer(samples["ups_shipping_response.json"]), "03"))
    assert isinstance(shipped, Uncertain)
    assert "ended with status 'string'" in shipped.reason
    voided = calls.read_void(answer(samples["ups_shipping_cancel_response.json"]), "1Z", "key", NOW)
    assert isinstance(voided, NeedsPerson)
    assert "voided not all of 1Z: string" in voided.reason


def test_an_unknown_number_is_no_scan(samples: Mapping[str, Path], tables: CodeTables) -> None:
    response = answer(samples["tracking_not_found_200.json"])
    assert calls.read_tracked(response, "GET /track/details", "1Z", NOW) is None
    assert track_facts(response.body, tables) == ()


def test_their_429_means_later(samples: Mapping[str, Path]) -> None:
    outcome = calls.refusal(answer(samples["error_429.json"], 429), "POST /rating", "key", NOW, write=False)
    assert isinstance(outcome, RetryLater)
    assert outcome.at == NOW + calls.BREATH


PROCESS: Final = "UPSTrackAlert.processSubscriptionTypeForTrackingNumber"


@pytest.mark.parametrize(("status", "outcome"), [(400, NeedsPerson), (404, NeedsPerson), (500, RetryLater)])
def test_refused_subscriptions(samples: Mapping[str, Path], status: int, outcome: type) -> None:
    response = answer(samples[f"{PROCESS}.{status}.example.json"], status)
    with pytest.raises(Interrupted) as caught:
        calls.read_subscription(response, "1Z1234567$8", NOW)
    assert type(caught.value.outcome) is outcome
    assert calls.error_of(response).code in {"VSS300", "404", "10004"}


def test_a_subscription_is_for_the_numbers_it_names(samples: Mapping[str, Path]) -> None:
    response = answer(samples[f"{PROCESS}.200.CompleteSuccessExample.json"])
    calls.read_subscription(response, "1Z1234567891234556", NOW)
    with pytest.raises(Interrupted) as caught:
        calls.read_subscription(response, "1Z1234567891234557", NOW)
    assert isinstance(caught.value.outcome, NeedsPerson)


def test_our_subscription_has_the_shape_of_theirs(samples: Mapping[str, Path]) -> None:
    ours = json.loads(calls.subscribe_request("1ZCIETST0111111114").body or b"")
    for number in (1, 2):
        theirs = read(samples[f"{PROCESS}.request.{number}.json"])
        assert set(ours) <= set(theirs)
        assert ours["locale"] == theirs["locale"]
        assert ours["trackingNumberList"][0] == theirs["trackingNumberList"][0]


def test_the_alerts_in_the_specification(contracts: Path, tables: CodeTables) -> None:
    operation = Specification(contracts).document("UPSTrackAlert")["webhooks"]["TrackingEvent"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    facts = [
        fact for number in ("1", "2") for fact in alert_facts(msgspec.json.encode(examples[number]["value"]), tables)
    ]
    leaving, delivered = (fact for fact in facts if isinstance(fact, ParcelScanned))
    assert leaving.tracking == delivered.tracking == "1Z204W4R0308071865"
    assert (leaving.event.status, leaving.event.place) == (TrackingStatus.OUT_FOR_DELIVERY, "Charlotte, NC, US")
    assert leaving.at == datetime(2024, 4, 23, 13, 15, 19, tzinfo=UTC)
    assert delivered.event.status is TrackingStatus.DELIVERED
    assert delivered.at == datetime(2024, 4, 23, 13, 50, 4, tzinfo=UTC)


def test_a_refused_token_is_for_a_person(samples: Mapping[str, Path]) -> None:
    response = answer(samples["UPSTrackAlert.unsubscribeAccountSubscription.401.example.json"], 401)
    outcome = calls.refusal(response, "DELETE", "key", NOW, write=False)
    assert isinstance(outcome, Unauthorised)
    assert "250002" in outcome.reason
