"""What the conformance suite needs to try EasyPost: a simulator whose parcels lie still, and genuine deliveries."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.easypost.adapter import ADAPTER
from adapters.easypost.calls import create_request
from adapters.easypost.settings import Settings
from adapters.easypost.simulator import CARRIERS, EasyPostSimulator
from adapters.easypost.simulator_books import Journey, Shipment
from adapters.easypost.webhook import PREFIX
from hub.domain.facts import ParcelScanned
from hub.domain.shipping import ScanEvent, TrackingStatus
from hub.sdk.capabilities import Command, LabelRequest, LabelVoid
from hub.sdk.testkit.harness import Harness, json_sample
from hub.sdk.testkit.samples import LABEL
from hub.sdk.webhook import Delivery, hmac_sha256

API_KEY: Final = "EZTK4b7c19harness"
SECRET: Final = "wh-secret-61f0a9"
STILL: Final = Journey(pre_transit_ms=None, in_transit_ms=None, delivered_ms=None)


def simulator() -> EasyPostSimulator:
    """Empty books."""
    return EasyPostSimulator(api_key=API_KEY, webhook_secret=SECRET, journey=STILL)


def settings(simulated: EasyPostSimulator) -> Settings:
    """Settings that the simulator accepts."""
    return Settings(account="harness", api_key=API_KEY, webhook_secret=SECRET, base_url=simulated.base_url or None)


def bought(simulated: EasyPostSimulator, wanted: LabelRequest) -> Shipment:
    """Put a shipment with a label into the books, as our client would have bought it."""
    create = create_request(wanted.ship_from, wanted.ship_to, wanted.parcel, wanted.key, settings(simulated))
    document: dict[str, Any] = msgspec.json.decode(create.body or b"")
    shipment = simulated.books.create(document["shipment"], CARRIERS, simulated.now())
    simulated.books.buy(shipment, shipment.offers[0], simulated.now())
    return shipment


def prepare(simulated: EasyPostSimulator, capability: str, request: Any) -> Command:
    """A void presupposes a label."""
    if not isinstance(request, LabelVoid):
        command: Command = request
        return command
    return msgspec.structs.replace(request, external_id=bought(simulated, LABEL).id)


def effects(simulated: EasyPostSimulator, capability: str, request: Any) -> int:
    """What the books say."""
    if capability == "buy_label":
        return simulated.labels_bought[request.key]
    return int(simulated.books.shipments[request.external_id].refund == "submitted")


def sign(known: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A delivery with EasyPost's signature; the event's id is in the body."""
    signature = PREFIX + hmac_sha256(known.webhook_secret, body).hex()
    headers = {"content-type": "application/json", "x-hmac-signature": signature}
    url = "https://hub.example/webhooks/easypost"
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


def tracked(simulated: EasyPostSimulator) -> tuple[str, str]:
    """A parcel that somebody else shipped."""
    simulated.track_external("1Z999AA10123456784", "UPS")
    return "ups", "1Z999AA10123456784"


TRACKER: Final[dict[str, Any]] = {
    "id": "trk_harness",
    "object": "Tracker",
    "tracking_code": "1Z999AA10123456784",
    "status": "in_transit",
    "status_detail": "arrived_at_facility",
    "created_at": "2026-01-15T09:00:00Z",
    "updated_at": "2026-01-16T12:00:00Z",
    "weight": 614.4,
    "carrier": "UPS",
    "tracking_details": [
        {
            "status": "in_transit",
            "status_detail": "arrived_at_facility",
            "message": "Arrived",
            "datetime": "2026-01-16T11:30:00-05:00",
            "tracking_location": {"city": "ORLANDO", "state": "FL", "country": "US"},
        }
    ],
}
SCANNED: Final = ParcelScanned(
    at=datetime.fromisoformat("2026-01-16T16:30:00+00:00"),
    tracking="1Z999AA10123456784",
    carrier="ups",
    event=ScanEvent(
        at=datetime.fromisoformat("2026-01-16T16:30:00+00:00"),
        status=TrackingStatus.IN_TRANSIT,
        raw="in_transit: arrived_at_facility: Arrived",
        place="ORLANDO, FL, US",
    ),
)


def _event(name: str) -> dict[str, Any]:
    return {"id": f"evt_{name}", "object": "Event", "description": f"tracker.{name}", "result": TRACKER}


def nobody(simulator: EasyPostSimulator, request: LabelRequest) -> Command:
    """No carrier offers to take it: a shipment is made, without a rate to buy."""
    simulator.refused_carriers |= set(CARRIERS)
    return request


HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
    sign=sign,
    samples=(
        *(
            json_sample(
                f"tracker.{name}",
                _event(name),
                identity="result.tracking_code",
                status="result.tracking_details.0.status",
                event=f"evt_{name}",
                expect=(SCANNED,),
            )
            for name in ("created", "updated")
        ),
        json_sample(
            "tracker",
            TRACKER,
            identity="tracking_code",
            status="status",
            event="tracker",
            signed=False,
            expect=(SCANNED,),
        ),
    ),
    tracked=tracked,
    declined={"buy_label": nobody},
)
