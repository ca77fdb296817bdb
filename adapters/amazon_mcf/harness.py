"""What the conformance suite needs to try Multi-Channel Fulfillment: once for each version of its API."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.amazon_mcf.adapter import ADAPTER
from adapters.amazon_mcf.settings import Settings
from adapters.amazon_mcf.simulator import McfSimulator
from adapters.amazon_mcf.simulator_books import Line, Order, Pace
from adapters.amazon_mcf.simulator_documents import order_2020, order_2026, summary
from hub.sdk.capabilities import Command, FulfilmentCancel, FulfilmentRequest
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.testkit.samples import FULFILMENT, FULFILMENT_ID

NOON: Final = datetime(2026, 1, 16, 12, tzinfo=UTC)


def simulator() -> McfSimulator:
    """Stock for the sample orders, and a network that stands still until a test moves it."""
    still = Pace(process_after_ms=None, ship_after_ms=None)
    sim = McfSimulator(
        client_secret="amzn1.oa2-cs.v1.conformance",
        refresh_token="Atzr|conformance-refresh",
        stock={"MUG-RED": 5000, "TEE-M": 5000},
        pace=still,
    )
    # The suite reads three times in a row with clients that do not know of each other.
    sim.plans["getInventorySummaries"] = (2.0, 6)
    return sim


def settings(sim: McfSimulator, version: str = "2026-07-04") -> Settings:
    """Settings that the simulator accepts."""
    known = Settings(
        seller_id=sim.seller_id,
        marketplace_id=sim.marketplace,
        client_id=sim.client_id,
        client_secret=sim.client_secret,
        refresh_token=sim.refresh_token,
        base_url=sim.base_url,
    )
    return msgspec.convert({**msgspec.structs.asdict(known), "version": version}, Settings)


def place(sim: McfSimulator, wanted: FulfilmentRequest, version: str = "2026-07-04") -> Order:
    """Put the order of a request into the books."""
    now = sim.now()
    return sim.books.add(
        Order(
            id=wanted.fulfilment,
            number=wanted.order_number,
            policy="FillOrKill",
            speed="Standard",
            version=version,
            placed=now,
            received=now,
            changed=now,
            address={"name": "N", "addressLine1": "1", "postalCode": "1", "countryCode": "US"},
            lines=[Line(id=line.line, sku=line.sku, quantity=line.quantity) for line in wanted.lines],
        )
    )


def effects(sim: McfSimulator, capability: str, request: Any) -> int:
    """What the books say."""
    if capability == "submit_fulfilment":
        return sim.books.created[request.fulfilment]
    return int(sim.books.orders[request.fulfilment].status == "CANCELLED")


def fill_stock(sim: McfSimulator) -> int:
    """Nothing: a first pull without a cursor reads everything, one with it only what changed, so the suite's second
    and third reading differ. What the pull brings is asked in `tests/test_pulls.py`."""
    sim.books.stock = {}
    return 0


def samples() -> tuple[Sample, ...]:
    """A shipped order of each version, what one falls short of, and a page of inventory; written by the simulator."""
    sim = simulator()
    sim.now = lambda: NOON
    sim.books.pace = Pace()
    order = place(sim, FULFILMENT)
    sim.books.advance(NOON)
    short = {"fulfilment": FULFILMENT_ID, "status": "COMPLETE_PARTIAL", "at": "2026-01-16T12:00:00Z"}
    page = {"as_of": "2026-01-16T12:00:00Z", "location": "AMAZON", "summaries": [summary(sim.books, "MUG-RED", NOON)]}
    old = order_2020(order, sim.marketplace)
    return (
        json_sample(
            "order_2020",
            old,
            identity="payload.fulfillmentOrder.sellerFulfillmentOrderId",
            status="payload.fulfillmentOrder.fulfillmentOrderStatus",
            event="order-2020",
            signed=False,
        ),
        json_sample(
            "order_2026",
            {"order": order_2026(order)},
            identity="order.orderId",
            status="order.shipments.0.status",
            event="order-2026",
            signed=False,
        ),
        json_sample(
            "shortfall",
            {**short, "lines": [["1", 2]]},
            identity="fulfilment",
            status="status",
            event="short",
            signed=False,
        ),
        json_sample("inventory", page, identity="summaries.0.inventoryDetails", event="inventory", signed=False),
    )


def harness(version: str, orders: int) -> Harness[McfSimulator, Settings]:
    """The harness of one version, whose pull of status brings so many orders."""

    def prepare(sim: McfSimulator, capability: str, request: Any) -> Command:
        """A cancel presupposes an order."""
        if isinstance(request, FulfilmentCancel):
            place(sim, FULFILMENT, version)
        command: Command = request
        return command

    def fill_status(sim: McfSimulator) -> int:
        """Orders of ours, and one of somebody else's that is none of our news."""
        for number in range(1, orders + 1):
            place(sim, msgspec.structs.replace(FULFILMENT, fulfilment=f"{FULFILMENT_ID[:-2]}-{number}"), version)
        place(sim, msgspec.structs.replace(FULFILMENT, fulfilment="SOMEBODY-ELSES"), version)
        return orders

    return Harness(
        adapter=ADAPTER,
        folder=Path(__file__).parent,
        simulator=simulator,
        settings=lambda sim: settings(sim, version),
        prepare=prepare,
        effects=effects,
        samples=samples(),
        fill={"status": fill_status, "stock": fill_stock},
    )


HARNESS: Final = harness("2026-07-04", orders=60)
# Each of them is read by itself, three times in a row, out of one burst of 30.
HARNESS_2020: Final = harness("2020-07-01", orders=9)
