"""What the conformance suite needs to know of a supplier: one by files, and one by API (in the tests)."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from adapters.supplier.adapter import ADAPTER
from adapters.supplier.settings import Settings
from adapters.supplier.simulator import SupplierApi, SupplierFiles, posted
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.testkit.samples import FULFILMENT_ID
from hub.sdk.webhook import Delivery

ACTIONS: Final = {"submit_fulfilment": "new", "cancel_fulfilment": "cancel"}


def settings(supplier: SupplierFiles) -> Settings:
    """A connection to its file server, which also takes what it posts."""
    return Settings(
        supplier="acme-supply",
        sends="file",
        currency="USD",
        base_url=supplier.base_url,
        username=supplier.username,
        password=supplier.password,
        host_keys=(supplier.host_key,),
        webhook_secret=supplier.secret,
        settle_seconds=0,
    )


def api_settings(supplier: SupplierApi) -> Settings:
    """A connection to its API."""
    return Settings(
        supplier="acme-supply",
        sends="api",
        currency="USD",
        base_url=supplier.base_url,
        signing_secret=supplier.signing,
        webhook_secret=supplier.secret,
    )


def sign(settings: Settings, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A message that it posts."""
    headers = posted(event, body, at, settings.webhook_secret or "")
    url = "https://hub.example/webhooks/acme"
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


def effects(supplier: SupplierFiles, capability: str, request: Any) -> int:
    """How many files say it."""
    return supplier.asked(request.fulfilment, ACTIONS[capability])


def api_effects(supplier: SupplierApi, capability: str, request: Any) -> int:
    """How often it is in the books."""
    number = supplier.fulfilments.get(request.fulfilment, "PO-000001")
    if capability == "cancel_fulfilment":
        return int(number in supplier.books.cancels)
    return int(number in supplier.books.orders)


def fill(supplier: SupplierFiles) -> int:
    """Three files."""
    for units in range(3):
        supplier.say(supplier.books.levels({"MUG": units}))
    return 3


def message(supplier: SupplierFiles) -> tuple[str, bytes]:
    """A message that came."""
    return (
        "2026-01-16T12:00:00+00:00 msg_1",
        b'{"says":"acknowledged","purchase_order":"PO-000001","status":"accepted"}',
    )


def file(supplier: SupplierFiles) -> tuple[str, bytes]:
    """A file that was taken in."""
    return "2026-01-16T12:00:00+00:00 ack.csv", b"purchase_order,status,ships_on\nPO-000001,accepted,2026-01-20\n"


ACKNOWLEDGED: Final = {
    "notice": {
        "says": "acknowledged",
        "purchase_order": "PO-000001",
        "status": "accepted",
        "currency": "USD",
        "lines": [{"line": "1", "refused": 1, "reason": "out_of_stock", "unit_cost": "12.50"}],
    },
    "fulfilment": FULFILMENT_ID,
    "at": "2026-01-16T12:00:00Z",
    "leaves_at": "2026-01-20T23:59:59Z",
}
LEVELS: Final = {
    "notice": {"says": "levels", "lines": [{"sku": "MUG", "quantity": 4, "location": "acme"}]},
    "at": "2026-01-16T12:00:00Z",
}

HARNESS: Final = Harness[SupplierFiles, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=SupplierFiles,
    settings=settings,
    effects=effects,
    sign=sign,
    samples=(
        Sample(topic="message", body=message(SupplierFiles())[1], event="msg_1"),
        Sample(topic="file", body=b"sku,quantity\nMUG,2\n", event="file", signed=False),
        json_sample(
            "answer", ACKNOWLEDGED, identity="fulfilment", status="notice.status", event="answer", signed=False
        ),
        json_sample("levels", LEVELS, identity="notice.lines", event="levels", signed=False),
    ),
    fill={"status": fill},
    fetched={"message": message, "file": file},
)
