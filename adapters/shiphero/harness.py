"""ShipHero under the conformance suite."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from adapters.shiphero.adapter import ADAPTER
from adapters.shiphero.harness_samples import REFERENCE, SAMPLES, WAREHOUSE
from adapters.shiphero.settings import Settings
from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_documents import order_packed_out
from adapters.shiphero.snapshots import AT_ONCE
from adapters.shiphero.webhook import MESSAGE_ID, SIGNATURE
from hub.sdk.capabilities import Command, FulfilmentCancel, FulfilmentRequest
from hub.sdk.testkit import samples
from hub.sdk.testkit.harness import Harness
from hub.sdk.webhook import Delivery
from hub.sdk.wire import PasswordToken

SUBMIT: Final = msgspec.structs.replace(samples.FULFILMENT, location=WAREHOUSE)
MANY: Final = 22
"""More than a page."""


def settings(simulator: ShipHeroSimulator) -> Settings:
    """Settings that this simulator accepts."""
    return Settings(
        account=simulator.account,
        username=simulator.username,
        password=simulator.password,
        webhook_secret=simulator.webhook_secret,
        previous_webhook_secret="shared-signature-0",
        base_url=simulator.base_url,
    )


def order_input(reference: str, lines: Mapping[str, int], shop_name: str = "Crossdock") -> dict[str, object]:
    """An order as `order_create` takes it, with one line per SKU."""
    return {
        "partner_order_id": reference,
        "order_number": f"#{reference}",
        "shop_name": shop_name,
        "shipping_address": {"first_name": "Zoë", "country": "US"},
        "line_items": [
            {"sku": sku, "partner_line_item_id": str(place), "quantity": quantity, "price": "0.00"}
            for place, (sku, quantity) in enumerate(lines.items(), 1)
        ],
    }


def prepare(simulator: ShipHeroSimulator, capability: str, request: Command) -> Command:
    """The order to cancel."""
    if isinstance(request, FulfilmentCancel):
        order = simulator.take_order(order_input(request.fulfilment, {"MUG-RED": 2}))
        return msgspec.structs.replace(request, references={f"fulfilment:{request.fulfilment}": order.id})
    return request


def effects(simulator: ShipHeroSimulator, capability: str, request: Command) -> int:
    """Orders made under our reference; for a cancel, whether none of them is open."""
    if isinstance(request, FulfilmentCancel):
        return int(all(order.status == "canceled" for order in simulator.found(request.fulfilment)))
    assert isinstance(request, FulfilmentRequest)
    return simulator.orders_created[request.fulfilment]


def fill_status(simulator: ShipHeroSimulator) -> int:
    """Shipped orders of ours, and one of another shop, of which we want to hear nothing."""
    simulator.stock(WAREHOUSE, "MUG-RED", 1000)
    for number in range(MANY):
        simulator.ship(simulator.take_order(order_input(f"{samples.ORDER}-{number}", {"MUG-RED": 2})))
    simulator.ship(simulator.take_order(order_input("by-hand", {"MUG-RED": 1}, shop_name="Manual Order")))
    return 2 * MANY


def fill_stock(simulator: ShipHeroSimulator) -> int:
    """Two pages of stock."""
    for number in range(150):
        simulator.stock(WAREHOUSE, f"SKU-{number}", number)
    return 2


def fill_snapshot(simulator: ShipHeroSimulator) -> int:
    """A file of two messages for the one warehouse that has anything."""
    for number in range(AT_ONCE + 1):
        simulator.stock(WAREHOUSE, f"SKU-{number}", number)
    return 2


def fill_returns(simulator: ShipHeroSimulator) -> int:
    """More than a page of returns, and one of another shop's order."""
    simulator.stock(WAREHOUSE, "MUG-RED", 1000)
    for number in range(MANY):
        order = simulator.take_order(order_input(f"{samples.ORDER}-{number}", {"MUG-RED": 2}))
        simulator.ship(order)
        simulator.take_back(order, {"MUG-RED": (2, 1)})
    other = simulator.take_order(order_input("by-hand", {"MUG-RED": 1}, shop_name="Manual Order"))
    simulator.take_back(other, {"MUG-RED": (1, 1)})
    return MANY


def packed_out(simulator: ShipHeroSimulator) -> tuple[str, bytes]:
    """A packed order and its notice."""
    simulator.stock(WAREHOUSE, "MUG-RED", 10)
    order = simulator.take_order(order_input(REFERENCE, {"MUG-RED": 2}))
    shipment = simulator.ship(order)
    assert shipment is not None
    return f"order:{order.id}", msgspec.json.encode(order_packed_out(shipment))


def sign(settings: Settings, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A delivery as ShipHero sends it: the topic is in the body only."""
    signer = ShipHeroSimulator(webhook_secret=settings.webhook_secret)
    headers = signer.signed(body, event)
    assert SIGNATURE in headers
    assert headers[MESSAGE_ID] == event
    return Delivery(method="POST", url="https://hub/in", headers=headers, query={}, body=body, received_at=at)


def refused(simulator: ShipHeroSimulator) -> Settings:
    """The right user with the wrong password."""
    good = settings(simulator)
    assert isinstance(ADAPTER.transport(good).auth, PasswordToken)
    return msgspec.structs.replace(good, password="warehouse-key-2")


def nowhere(simulator: ShipHeroSimulator, request: FulfilmentRequest) -> Command:
    """The account has no such warehouse: 200 with an error inside."""
    simulator.warehouses.clear()
    return request


def too_late(simulator: ShipHeroSimulator, request: FulfilmentCancel) -> Command:
    """The warehouse will not stop: 200 with an error inside."""
    simulator.refuse_cancel = 1.0
    return request


HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=ShipHeroSimulator,
    settings=settings,
    requests={"submit_fulfilment": SUBMIT},
    prepare=prepare,
    effects=effects,
    declined={"submit_fulfilment": nowhere, "cancel_fulfilment": too_late},
    refused=refused,
    sign=sign,
    samples=SAMPLES,
    fill={"status": fill_status, "stock": fill_stock, "returns": fill_returns, "snapshot": fill_snapshot},
    fetched={"Order Packed Out": packed_out},
)
