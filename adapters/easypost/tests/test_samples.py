"""EasyPost's published payloads and recorded traffic, read in place.

Objects that no capability of ours touches are listed with the reason; everything else must be read.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from adapters.easypost import calls
from adapters.easypost.harness import settings, simulator
from adapters.easypost.schemas import Shipment, VendorRate, shipment_decoder
from adapters.easypost.translate import event_facts, tracker_facts
from adapters.easypost.webhook import check
from hub.domain.facts import ParcelScanned
from hub.domain.shipping import TrackingStatus
from hub.mapping.tables import CodeTables
from hub.sdk.outcomes import Done, NeedsPerson
from hub.sdk.testkit.samples import LABEL
from hub.sdk.webhook import Delivery, Store
from hub.sdk.wire import Request, Response

NOW = datetime(2025, 5, 9, 21, tzinfo=UTC)

UNTOUCHED = {
    "addresses": "addresses are verified by the rating itself",
    "batches": "labels are bought one by one, each under its own key",
    "carrier-accounts": "set up by people at EasyPost",
    "carrier-metadata": "set up by people at EasyPost",
    "claim": "insurance is not bought",
    "customs-infos": "customs papers go out with their shipment, none are made on their own",
    "customs-items": "customs papers go out with their shipment, none are made on their own",
    "events": "events come by webhook; the printed ones carry no result",
    "insurance": "insurance is not bought",
    "orders": "one parcel, one shipment",
    "parcels": "parcels are posted with their shipment",
    "payloads": "a log of deliveries for people",
    "pickups": "the carrier comes anyway",
    "refunds": "refunds are asked for by shipment",
    "scan-form": "manifests are made at the dock",
    "smartrate": "promises are made by the hub",
    "webhooks": "set up by people at EasyPost",
}
READ = {"shipments", "rates", "trackers"}


def objects(node: Any, kind: str) -> Iterator[dict[str, Any]]:
    """All objects of a kind, at any depth."""
    if isinstance(node, dict):
        if node.get("object") == kind:
            yield node
        for value in node.values():
            yield from objects(value, kind)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value, kind)


@pytest.fixture
def documents(samples: Path) -> dict[str, Any]:
    """All printed responses, by file name."""
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted((samples / "docs").glob("*.json"))}


@pytest.fixture
def exchanges(samples: Path) -> list[dict[str, Any]]:
    """All recorded requests with their responses."""
    files = sorted((samples / "cassettes").glob("*.yaml"))
    return [row for path in files for row in yaml.safe_load(path.read_text("utf-8"))["interactions"]]


def answer(exchange: dict[str, Any]) -> Response:
    response = exchange["response"]
    body = response["body"]["string"]
    headers = {name.lower(): values[0] for name, values in response["headers"].items()}
    return Response(
        status=response["status"]["code"], headers=headers, body=body if isinstance(body, bytes) else body.encode()
    )


def test_every_kind_is_read_or_refused_for_a_reason(documents: dict[str, Any]) -> None:
    kinds = {name.split("__")[0] for name in documents}
    assert kinds == READ | set(UNTOUCHED)


def test_every_shipment_is_read(documents: dict[str, Any], exchanges: list[dict[str, Any]]) -> None:
    found = Counter[str]()
    bodies = [*documents.values(), *(json.loads(answer(exchange).body) for exchange in exchanges)]
    for document in (one for body in bodies for one in objects(body, "Shipment")):
        shipment = shipment_decoder.decode(msgspec.json.encode(document))
        offers = calls.read_offers(shipment)
        assert all(offer.carrier == "usps" and offer.amount > 0 for offer in offers)
        assert [offer.amount for offer in offers] == sorted(offer.amount for offer in offers)
        if shipment.postage_label is None:
            found["not bought"] += 1
            continue
        outcome = calls.read_label(shipment, LABEL, found=True)
        # Bought through a batch or an order: EasyPost shows no selected rate, or no code yet.
        found[type(outcome).__name__] += 1
    assert found["not bought"] >= 5
    assert found["Done"] >= 8


def test_every_rate_is_read(documents: dict[str, Any], exchanges: list[dict[str, Any]]) -> None:
    bodies = [*documents.values(), *(json.loads(answer(exchange).body) for exchange in exchanges)]
    rates = [msgspec.convert(one, VendorRate) for body in bodies for one in objects(body, "Rate")]
    assert len(rates) == 110
    shipment = Shipment(id="shp", created_at=NOW, rates=rates)
    assert {offer.currency for offer in calls.read_offers(shipment)} == {"USD"}


def test_every_tracker_is_read(documents: dict[str, Any], exchanges: list[dict[str, Any]], tables: CodeTables) -> None:
    statuses = Counter[TrackingStatus]()
    bodies = [*documents.values(), *(json.loads(answer(exchange).body) for exchange in exchanges)]
    trackers = [one for body in bodies for one in objects(body, "Tracker")]
    for document in trackers:
        for fact in tracker_facts(msgspec.json.encode(document), tables):
            assert isinstance(fact, ParcelScanned)
            assert fact.tracking == document["tracking_code"]
            assert fact.carrier == "usps"
            statuses[fact.event.status] += 1
    assert len(trackers) == 23
    assert statuses[TrackingStatus.PRE_TRANSIT] == 30


def test_the_recorded_purchase(exchanges: list[dict[str, Any]]) -> None:
    (buy,) = [one for one in exchanges if one["request"]["uri"].endswith("shp_16578f588f9546ec914afd2474e24ff5/buy")]
    shipment = calls.read_shipment(answer(buy), "POST /shipments/buy", "key", NOW, write=True)
    outcome = calls.read_label(shipment, LABEL, found=False)
    assert isinstance(outcome, Done)
    assert outcome.label is not None
    assert outcome.label.external_id == "shp_16578f588f9546ec914afd2474e24ff5"
    assert (outcome.label.carrier, outcome.label.currency) == ("usps", "USD")
    assert outcome.label.media_type == "image/png"
    ours = calls.buy_request(shipment.id, "rate_1")
    _same_shape(ours, buy)


def test_the_recorded_refund(exchanges: list[dict[str, Any]]) -> None:
    (refund,) = [one for one in exchanges if one["request"]["uri"].endswith("/refund")]
    shipment = calls.read_shipment(answer(refund), "POST /shipments/refund", "key", NOW, write=True)
    assert calls.read_refund(shipment, found=False) == Done(reference=shipment.id)
    _same_shape(calls.refund_request(shipment.id), refund)


def test_the_recorded_tracker(exchanges: list[dict[str, Any]]) -> None:
    (track,) = [
        one for one in exchanges if one["request"]["uri"].endswith("/trackers") and one["request"]["method"] == "POST"
    ]
    item = calls.read_track(answer(track), "EZ1000000001", NOW)
    assert item is not None
    assert item.object == "tracker:EZ1000000001"
    _same_shape(calls.track_request("usps", "EZ1000000001"), track)


def test_recorded_errors_say_what_to_do(exchanges: list[dict[str, Any]]) -> None:
    failed = [exchange for exchange in exchanges if answer(exchange).status >= 400]
    codes = {}
    for exchange in failed:
        response = answer(exchange)
        outcome = calls.refusal(response, "call", "key", NOW, write=True)
        codes[calls.error_of(response).code] = type(outcome).__name__
    assert codes == {
        "PARAMETER.REQUIRED": "NeedsPerson",
        "ADDRESS.VERIFY.FAILURE": "NeedsPerson",
        "PAYLOAD.NOT_FOUND": "Refused",
    }


def test_the_published_event_is_signed_and_read_by_its_bytes(samples: Path, tables: CodeTables) -> None:
    body = (samples / "webhook" / "event-body.json").read_bytes().rstrip(b"\n")
    # The known answer that EasyPost's own client libraries test with.
    known_answer = json.loads((samples / "client-library-fixtures.json").read_text("utf-8"))["webhooks"]
    signature = known_answer["hmac_signature"]
    known = msgspec.structs.replace(settings(simulator()), webhook_secret=known_answer["secret"])
    delivery = Delivery(
        method="POST",
        url="https://hub.example",
        headers={"x-hmac-signature": signature},
        query={},
        body=body,
        received_at=NOW,
    )
    assert check(delivery, known) == Store(key="evt_1", topic="tracker.updated", object="tracker:1")
    facts = event_facts(body, tables)
    assert len(facts) == 7
    first = facts[0]
    assert isinstance(first, ParcelScanned)
    assert (first.carrier, first.event.status, first.event.place) == ("fedex", TrackingStatus.PRE_TRANSIT, "US")
    assert all(isinstance(fact, ParcelScanned) and fact.carrier == "fedex" for fact in facts)


def test_our_shipment_has_the_shape_of_the_recorded_ones(exchanges: list[dict[str, Any]]) -> None:
    ours = calls.create_request(LABEL.ship_from, LABEL.ship_to, LABEL.parcel, LABEL.key, settings(simulator()))
    posted = json.loads(ours.body or b"")["shipment"]
    recorded = [
        json.loads(one["request"]["body"])["shipment"]
        for one in exchanges
        if one["request"]["uri"].endswith("/v2/shipments") and answer(one).status == 201
    ]
    fields = {name for shipment in recorded for name in shipment}
    addresses = {name for shipment in recorded for name in shipment["to_address"]}
    parcels = {name for shipment in recorded for name in shipment["parcel"]}
    assert set(posted) - {"reference"} <= fields
    assert set(posted["to_address"]) - {"company"} <= addresses
    assert set(posted["parcel"]) <= parcels


def _same_shape(ours: Request, exchange: dict[str, Any]) -> None:
    """Same method and path, and no field of ours that the recording does not have."""
    recorded = exchange["request"]
    assert ours.method == recorded["method"]
    assert recorded["uri"].endswith(ours.path)
    assert set(json.loads(ours.body or b"{}")) <= set(json.loads(recorded["body"]))


def test_an_unverified_address_names_no_street(exchanges: list[dict[str, Any]]) -> None:
    (failed,) = [one for one in exchanges if "/verify" in one["request"]["uri"] and answer(one).status == 422]
    outcome = calls.refusal(answer(failed), "call", "key", NOW, write=False)
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == "key: call answered 422 ADDRESS.VERIFY.FAILURE"
