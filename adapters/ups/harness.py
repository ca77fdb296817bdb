"""What the conformance suite needs to try UPS: a simulator whose parcels lie still, and genuine alerts."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.ups.adapter import ADAPTER
from adapters.ups.calls import TRACK_TOPIC
from adapters.ups.labels import reference, ship_request
from adapters.ups.settings import Settings
from adapters.ups.simulator import UpsSimulator
from adapters.ups.simulator_books import TARIFFS, Journey, Shipment
from adapters.ups.webhook import CREDENTIAL, TOPIC
from hub.domain.facts import ParcelScanned
from hub.domain.shipping import ScanEvent, TrackingStatus
from hub.sdk.capabilities import Command, LabelRequest, LabelVoid
from hub.sdk.testkit.harness import Harness, json_sample
from hub.sdk.testkit.samples import LABEL
from hub.sdk.webhook import Delivery

ACCOUNT: Final = "A1B2C3"
CLIENT: Final = "client-harness"
SECRET: Final = "app-secret-77c0ffee"
CREDENTIALS: Final = "alert-credential-40d1"
NUMBER: Final = "1ZA1B2C30300000077"
STILL: Final = Journey(in_transit_ms=None, out_for_delivery_ms=None, delivered_ms=None)


def simulator() -> UpsSimulator:
    """Empty books."""
    return UpsSimulator(
        account=ACCOUNT, client_id=CLIENT, client_secret=SECRET, webhook_secret=CREDENTIALS, journey=STILL
    )


def settings(simulated: UpsSimulator) -> Settings:
    """Settings that the simulator accepts."""
    return Settings(
        account=ACCOUNT,
        client_id=CLIENT,
        client_secret=SECRET,
        webhook_secret=CREDENTIALS,
        base_url=simulated.base_url or None,
    )


def bought(simulated: UpsSimulator, wanted: LabelRequest) -> Shipment:
    """Put a shipment with its labels into the books, as our client would have bought it."""
    ship = ship_request(wanted, "03", settings(simulated), simulated.now().date())
    document: dict[str, Any] = msgspec.json.decode(ship.body or b"")
    shipment = document["ShipmentRequest"]["Shipment"]
    return simulated.books.buy(shipment, TARIFFS[0], "GIF", simulated.now())


def prepare(simulated: UpsSimulator, capability: str, request: Any) -> Command:
    """A void presupposes a label."""
    if not isinstance(request, LabelVoid):
        command: Command = request
        return command
    return msgspec.structs.replace(request, external_id=bought(simulated, LABEL).id)


def effects(simulated: UpsSimulator, capability: str, request: Any) -> int:
    """What the books say."""
    if capability == "buy_label":
        return simulated.labels_bought[reference(request.key)]
    return int(simulated.books.shipments[request.external_id].voided)


def sign(known: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """An alert as UPS sends it: with the credential, without a signature."""
    headers = {
        "content-type": "application/json",
        "user-agent": "UPSPubSubTrackingService",
        CREDENTIAL: known.webhook_secret or "",
    }
    url = "https://hub.example/webhooks/ups"
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


def tracked(simulated: UpsSimulator) -> tuple[str, str]:
    """A parcel that somebody else shipped."""
    simulated.books.follow(NUMBER, simulated.now())
    return "ups", NUMBER


ALERT: Final[dict[str, Any]] = {
    "trackingNumber": NUMBER,
    "localActivityDate": "20260116",
    "localActivityTime": "093000",
    "activityLocation": {"city": "Orlando", "stateProvince": "FL", "postalCode": "", "country": "US"},
    "activityStatus": {"type": "I", "code": "OT", "description": "Out for Delivery", "descriptionCode": "021"},
    "gmtActivityDate": "20260116",
    "gmtActivityTime": "143000",
    "scheduledDeliveryDate": "20260116",
    "actualDeliveryDate": "",
}
TRACK: Final[dict[str, Any]] = {
    "trackResponse": {
        "shipment": [
            {
                "inquiryNumber": NUMBER,
                "package": [
                    {
                        "trackingNumber": NUMBER,
                        "activity": [
                            {
                                "location": {
                                    "address": {"city": "ORLANDO", "stateProvince": "FL", "countryCode": "US"}
                                },
                                "status": {
                                    "type": "D",
                                    "code": "FS",
                                    "statusCode": "011",
                                    "description": "DELIVERED ",
                                },
                                "date": "20260117",
                                "time": "023000",
                                "gmtDate": "20260117",
                                "gmtOffset": "-05:00",
                                "gmtTime": "73000",
                            }
                        ],
                    }
                ],
            }
        ]
    }
}


def scanned(moment: str, status: TrackingStatus, raw: str, place: str) -> ParcelScanned:
    """What a sample means."""
    at = datetime.fromisoformat(moment)
    event = ScanEvent(at=at, status=status, raw=raw, place=place)
    return ParcelScanned(at=at, tracking=NUMBER, carrier="ups", event=event)


HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
    sign=sign,
    unsigned_body="UPS shows a credential that was left with it and signs nothing",
    samples=(
        json_sample(
            TOPIC,
            ALERT,
            identity="trackingNumber",
            status="activityStatus.type",
            event="alert",
            expect=(
                scanned(
                    "2026-01-16T14:30:00+00:00",
                    TrackingStatus.OUT_FOR_DELIVERY,
                    "I OT 021: Out for Delivery",
                    "Orlando, FL, US",
                ),
            ),
        ),
        json_sample(
            TRACK_TOPIC,
            TRACK,
            identity="trackResponse.shipment.0.package.0.trackingNumber",
            status="trackResponse.shipment.0.package.0.activity.0.status.type",
            event="track",
            signed=False,
            expect=(
                scanned(
                    "2026-01-17T07:30:00+00:00", TrackingStatus.DELIVERED, "D FS 011: DELIVERED", "ORLANDO, FL, US"
                ),
            ),
        ),
    ),
    tracked=tracked,
)
