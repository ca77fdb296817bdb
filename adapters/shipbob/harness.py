"""What the conformance suite needs to try ShipBob: a simulator with known books, and genuine deliveries."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.shipbob.adapter import ADAPTER
from adapters.shipbob.calls import OBJECT, submit_request
from adapters.shipbob.returns import OBJECT as RETURN
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from adapters.shipbob.simulator_books import Order, Pace, Return
from hub.sdk.capabilities import Command, FulfilmentCancel, FulfilmentRequest, StockAdvice
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.testkit.samples import ADVICE, FULFILMENT, FULFILMENT_ID
from hub.sdk.webhook import Delivery, standard_key

CICERO: Final = 3
TOKEN: Final = "pat-7Q2m9X4kd81z"
SECRET: Final = "whsec_" + base64.b64encode(b"a secret of the harness alone").decode()

SUBMIT: Final = msgspec.structs.replace(FULFILMENT, location=str(CICERO))
ADVISE: Final = msgspec.structs.replace(ADVICE, location=str(CICERO))


def simulator() -> ShipBobSimulator:
    """Stock for the sample orders, and a warehouse that stands still until a test moves it."""
    stock = {CICERO: {"MUG-RED": 50, "TEE-M": 50}}
    return ShipBobSimulator(token=TOKEN, channel_id=77, stock=stock, pace=Pace(ship_after_ms=None))


def settings(simulated: ShipBobSimulator) -> Settings:
    """Settings that the simulator accepts."""
    return Settings(
        account="harness", token=TOKEN, channel_id=77, webhook_secret=SECRET, base_url=simulated.base_url or None
    )


def place(simulated: ShipBobSimulator, wanted: FulfilmentRequest) -> Order:
    """Put the order of a request into the books, as our client would have posted it."""
    body = submit_request(wanted, settings(simulated)).body
    document: dict[str, Any] = msgspec.json.decode(body or b"")
    return simulated.books.add(document, 77, CICERO, simulated.now())


def prepare(simulated: ShipBobSimulator, capability: str, request: Any) -> Command:
    """A cancel presupposes an order, an announcement the products."""
    for sku in simulated.books.stock[CICERO]:
        simulated.books.product(sku)
    if not isinstance(request, FulfilmentCancel):
        command: Command = request
        return command
    order = place(simulated, SUBMIT)
    return msgspec.structs.replace(request, partner_reference=str(order.id))


def effects(simulated: ShipBobSimulator, capability: str, request: Any) -> int:
    """What the books say."""
    if capability == "submit_fulfilment":
        return simulated.orders_created[request.fulfilment]
    if capability == "advise_stock":
        return sum(one.number == request.key for one in simulated.books.announced)
    return int(simulated.books.by_reference[request.fulfilment].status == "Cancelled")


def sign(known: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A delivery by Standard Webhooks, with ShipBob's topic header."""
    stamp = str(int(at.timestamp()))
    mac = hmac.digest(standard_key(known.webhook_secret or ""), f"{event}.{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "content-type": "application/json",
        "webhook-id": event,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        "x-webhook-topic": topic,
    }
    url = "https://hub.example/webhooks/shipbob"
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


def fill_status(simulated: ShipBobSimulator) -> int:
    """Two orders."""
    for number in (1, 2):
        place(simulated, msgspec.structs.replace(SUBMIT, fulfilment=f"{FULFILMENT_ID[:-2]}-{number}"))
    return 2


def fill_stock(simulated: ShipBobSimulator) -> int:
    """Nothing: a page of stock is true at one moment only, so unlike an order it gets a new key each time it is read.

    What the pull brings is asked in `tests/test_client.py`.
    """
    simulated.books.stock = {CICERO: {}}
    return 0


def fill_returns(simulated: ShipBobSimulator) -> int:
    """One parcel that came back."""
    take_back(simulated)
    return 1


def fill_receiving(simulated: ShipBobSimulator) -> int:
    """A transfer that came, all but a mug of it, and a purchase that is nobody's news here."""
    now = simulated.now()
    arrives = now + timedelta(days=1)
    transfer = simulated.books.announce(CICERO, {"MUG-RED": 4}, arrives, now, ADVISE.key)
    simulated.books.stow(transfer, {"MUG-RED": 3}, now)
    simulated.books.close(transfer, now)
    simulated.books.close(simulated.books.announce(CICERO, {"TEE-M": 9}, arrives, now, "PO-77"), now)
    return 1


def fill_supply(simulated: ShipBobSimulator) -> int:
    """A purchase on its way, and a transfer of ours, which the hub knows of already."""
    now = simulated.now()
    arrives = now + timedelta(days=30)
    simulated.books.announce(CICERO, {"TEE-M": 9}, arrives, now, "PO-77")
    simulated.books.announce(CICERO, {"MUG-RED": 4}, arrives, now, ADVISE.key)
    return 1


def fill_history(simulated: ShipBobSimulator) -> int:
    """A receipt and a correction."""
    now = simulated.now()
    simulated.books.receive(CICERO, "MUG-RED", 5, now)
    simulated.books.move("InventoryAdjusted", CICERO, "TEE-M", -1, now)
    return 2


def take_back(simulated: ShipBobSimulator) -> Return:
    """The order left, and two mugs and a shirt of it came back: one mug is broken."""
    order = place(simulated, SUBMIT)
    now = simulated.now()
    simulated.books.ship(order.shipments[0], now)
    done = {("MUG-RED", "Restock"): 1, ("MUG-RED", "Dispose"): 1, ("TEE-M", "Quarantine"): 1}
    return simulated.books.take_back(order.shipments[0], done, now)


def fill_returned(simulated: ShipBobSimulator) -> tuple[str, bytes]:
    """A return, and the body that names it."""
    made = take_back(simulated)
    return f"{RETURN}{made.id}", msgspec.json.encode({"id": made.id})


def fill_fetched(simulated: ShipBobSimulator) -> tuple[str, bytes]:
    """An order, and the body that names it."""
    order = place(simulated, SUBMIT)
    return f"{OBJECT}{order.id}", msgspec.json.encode({"id": 1, "order_id": order.id})


ORDER: Final[dict[str, Any]] = {
    "id": 4242,
    "created_date": "2026-01-15T09:31:00.1234567+00:00",
    "reference_id": FULFILMENT_ID,
    "order_number": "#1001",
    "status": "PartiallyFulfilled",
    "products": [
        {"id": 1, "reference_id": "MUG-RED", "sku": "MUG-RED", "quantity": 2, "external_line_id": 1},
        {"id": 2, "reference_id": "TEE-M", "sku": "TEE-M", "quantity": 1, "external_line_id": 2},
    ],
    "tags": [{"name": "hub-line-1", "value": "1"}, {"name": "hub-line-2", "value": "2"}],
    "shipments": [
        {
            "id": 901,
            "status": "Completed",
            "created_date": "2026-01-15T09:31:00.1234567+00:00",
            "last_update_at": "2026-01-16T14:02:03.7654321+00:00",
            "actual_fulfillment_date": "2026-01-16T14:00:00.0000000+00:00",
            "products": [{"id": 1, "reference_id": "MUG-RED", "inventory_items": [{"id": 5, "quantity": 2}]}],
            "tracking": {"carrier": "UPS", "carrier_service": "Ground", "tracking_number": "1Z999AA10123456784"},
            "measurements": {"total_weight_oz": 35},
        },
        {
            "id": 902,
            "status": "Exception",
            "created_date": "2026-01-15T09:31:00.1234567+00:00",
            "products": [{"id": 2, "reference_id": "TEE-M", "inventory_items": [{"id": 6, "quantity": 1}]}],
            "status_details": [{"id": 303, "name": "OutOfStock"}],
        },
    ],
}
STOPPED: Final[dict[str, Any]] = {
    "fulfilment": FULFILMENT_ID,
    "shipment": 902,
    "status": "Exception",
    "at": "2026-01-15T09:31:00.123457Z",
    "lines": [{"line": "2", "quantity": 1}],
}
LEVELS: Final[dict[str, Any]] = {
    "as_of": "2026-01-16T12:00:00Z",
    "items": [
        {
            "inventory_id": 1_007_000,
            "sku": "MUG-RED",
            "locations": [{"location_id": CICERO, "name": "Cicero (IL)", "on_hand_quantity": 50}],
        }
    ],
}
RETURNED: Final[dict[str, Any]] = {
    "id": 700_001,
    "status": "Completed",
    "store_order_id": FULFILMENT_ID,
    "completed_date": "2026-01-20T10:00:00.0000000+00:00",
    "fulfillment_center": {"id": CICERO},
    "inventory": [
        {
            "id": 5,
            "sku": "MUG-RED",
            "quantity": 1,
            "action_taken": [{"action": "Restock", "quantity_processed": 1}],
        }
    ],
}
RECEIVED: Final[dict[str, Any]] = {
    "receiving": 800_001,
    "fulfilment": FULFILMENT_ID,
    "status": "Completed",
    "at": "2026-01-20T10:00:00Z",
    "lines": [{"sku": "MUG-RED", "expected": 4, "stowed": 3}],
}
MOVED: Final[dict[str, Any]] = {
    "inventory_audit_event_id": 9_000_001,
    "inventory_id": 1_007_000,
    "event_category": "InventoryAdjusted",
    "event_datetime": "2026-01-20T10:00:00.1234567",
    "decrement": {"facility_id": CICERO, "quantity_change": -2, "sku": "MUG-RED"},
}
SUPPLY: Final[dict[str, Any]] = {
    "type": "SupplyReported",
    "at": "1970-01-01T00:00:00Z",
    "reference": "WRO 800001",
    "lines": [{"location": str(CICERO), "sku": "MUG-RED", "quantity": 4, "due": "2026-02-01"}],
}
THIN: Final = tuple(name for name, topic in ADAPTER.topics.items() if topic.thin)

SAMPLES: Final = (
    json_sample("order", ORDER, identity="id", status="shipments.0.status", event="order", signed=False),
    json_sample("shipment_stopped", STOPPED, identity="fulfilment", status="status", event="stopped", signed=False),
    json_sample(
        "return",
        RETURNED,
        identity="fulfillment_center.id",
        status="inventory.0.action_taken.0.action",
        event="return",
        signed=False,
    ),
    json_sample("received", RECEIVED, identity="fulfilment", status="status", event="received", signed=False),
    json_sample(
        "inventory_history",
        MOVED,
        identity="inventory_audit_event_id",
        status="event_category",
        event="history",
        signed=False,
    ),
    json_sample("supply", SUPPLY, identity="reference", event="supply", signed=False),
    json_sample("inventory_level", LEVELS, identity="items.0.inventory_id", event="levels", signed=False),
    *(
        Sample(topic=topic, event=f"msg-{topic}", body=msgspec.json.encode({"id": 901, "order_id": 4242}))
        for topic in THIN
    ),
)


def elsewhere(simulator: ShipBobSimulator, request: FulfilmentRequest | StockAdvice) -> Command:
    """To a location that ShipBob does not have."""
    return msgspec.structs.replace(request, location="999999")


HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    requests={"submit_fulfilment": SUBMIT, "advise_stock": ADVISE},
    prepare=prepare,
    effects=effects,
    declined={"submit_fulfilment": elsewhere, "advise_stock": elsewhere},
    sign=sign,
    samples=SAMPLES,
    fill={
        "status": fill_status,
        "returns": fill_returns,
        "stock": fill_stock,
        "receiving": fill_receiving,
        "supply": fill_supply,
        "history": fill_history,
    },
    fetched={**dict.fromkeys(THIN, fill_fetched), "return.completed": fill_returned},
)
