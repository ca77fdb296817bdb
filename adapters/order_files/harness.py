"""What the conformance suite needs to know of order files."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from adapters.order_files.adapter import ADAPTER
from adapters.order_files.settings import Settings
from adapters.order_files.simulator import OrderFilesPartner, signature
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.webhook import Delivery

ORDER: Final = {
    "order_number": "F-1001",
    "placed_at": "2026-01-15T09:30:00+01:00",
    "updated_at": "2026-01-15T09:31:00+01:00",
    "currency": "EUR",
    "tax_included": True,
    "financial_status": "paid",
    "order_total": "51.98",
    "ship": {
        "name": "Zoë Quimby",
        "address_1": "417 Montgomery Street",
        "city": "San Francisco",
        "postal_code": "94104",
        "country": "US",
    },
    "lines": [{"line_id": "1", "sku": "MUG-RED", "quantity": 2, "line_total": "51.98", "line_tax": "8.30"}],
}
"""A stored order, as files are taken apart into."""


def settings(partner: OrderFilesPartner) -> Settings:
    """A connection to its server, with uploads."""
    return Settings(
        channel="wholesale",
        webhook_secret=partner.secret,
        base_url=partner.base_url,
        username=partner.username,
        password=partner.password,
        host_keys=(partner.host_key,),
        settle_seconds=0,
    )


def sign(settings: Settings, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """An upload of a file named after the event."""
    headers = signature(settings.webhook_secret or "", f"{event}.csv", str(int(at.timestamp())), body)
    url = "https://hub.example/webhooks/files"
    return Delivery(method="POST", url=url, headers=headers, query={}, body=body, received_at=at)


def effects(partner: OrderFilesPartner, capability: str, request: Any) -> int:
    """How many files say it."""
    folder = {"confirm_shipment": "confirmations", "publish_availability": "stock"}[capability]
    return sum(request.key in name for name in partner.within(folder))


def fill(partner: OrderFilesPartner) -> int:
    """Three files."""
    for number in range(3):
        partner.drop_orders(f"{number}.csv", [partner.place_order([("MUG", number + 1)])])
    return 3


def stored(partner: OrderFilesPartner) -> tuple[str, bytes]:
    """A file that was taken in."""
    return "2026-01-16T12:00:00Z orders.csv", partner.table([partner.place_order([("MUG", 1)])])


HARNESS: Final = Harness[OrderFilesPartner, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=OrderFilesPartner,
    settings=settings,
    effects=effects,
    sign=sign,
    samples=(
        Sample(topic="file", body=b"order_number,sku,quantity,line_total\n1,MUG,1,19.99\n", event="file-1"),
        json_sample("order", ORDER, identity="order_number", status="financial_status", event="order-1", signed=False),
    ),
    fill={"orders": fill},
    fetched={"file": stored},
)
