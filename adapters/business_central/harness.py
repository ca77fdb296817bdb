"""What the conformance suite needs to try this adapter against its simulator."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.business_central import simulator_purchases
from adapters.business_central.adapter import ADAPTER
from adapters.business_central.amounts import booked_lines
from adapters.business_central.payments import document_number
from adapters.business_central.settings import Settings
from adapters.business_central.simulator import COMPANY, LIFE, BusinessCentralSimulator
from adapters.business_central.stock import LEVELS
from adapters.business_central.translate import order_values, reference
from adapters.business_central.webhook import TOPIC
from hub.domain.facts import StockLine, StockReported
from hub.domain.posting import DocumentKind
from hub.domain.stock import ReportKind
from hub.sdk.capabilities import Command
from hub.sdk.posting import EntryRequest, PostingRequest
from hub.sdk.testkit.harness import Harness, json_sample
from hub.sdk.testkit.ledger import DAY_SAMPLE, ITEM_SAMPLE, SUPPLY_SAMPLE, days
from hub.sdk.webhook import Delivery

SECRET: Final = "app-secret-8c1f0d"
WEBHOOK: Final = "https://hub.example/webhooks/business_central"
CLIENT_STATE: Final = "client-state-5ab0e2"


def simulator() -> BusinessCentralSimulator:
    """An empty company."""
    return BusinessCentralSimulator(client_secret=SECRET)


def settings(simulated: BusinessCentralSimulator) -> Settings:
    """A connection to it."""
    return Settings(
        tenant=simulated.tenant,
        environment=simulated.environment,
        company=COMPANY,
        client_id=simulated.client_id,
        client_secret=SECRET,
        base_url=simulated.base_url or None,
        shipping_account="6810",
        charges_account="6820",
        tax_account="5610",
        untaxed_code="NONTAXABLE",
        returns_account="6130",
        customers_account="2310",
        payments_account="2990",
        stock_location="MAIN",
        webhook_url=WEBHOOK,
        webhook_secret=CLIENT_STATE,
        previous_webhook_secret="client-state-older-1",
    )


def prepare(simulated: BusinessCentralSimulator, capability: str, request: Command) -> Command:
    """The catalogue, and the documents that come before the requested one."""
    if isinstance(request, EntryRequest):
        return request
    assert isinstance(request, PostingRequest)
    for line in request.lines:
        if line.sku is not None:
            simulated.books.add_item(line.sku, line.title, inventory=Decimal(100))
    if request.kind is not DocumentKind.ORDER:
        order = sell(simulated, request)
    if request.kind is DocumentKind.CREDIT_NOTE:
        order["externalDocumentNumber"] = f"{request.order}-S1"
        simulated.books.ship_and_invoice(order)
    return request


def sell(simulated: BusinessCentralSimulator, request: PostingRequest) -> dict[str, Any]:
    """The order of a document, as our client would have made it."""
    sale = msgspec.structs.replace(request, kind=DocumentKind.ORDER)
    known = settings(simulated)
    customer = simulated.books.add_customer({"displayName": "Customer"})
    values = order_values(sale, known, booked_lines(sale, known), customer["number"])
    return simulated.books.add_order(values)


def effects(simulated: BusinessCentralSimulator, capability: str, request: Command) -> int:
    """How often the books hold the document; a draft besides the posted one is a second."""
    if isinstance(request, EntryRequest):
        number = document_number(request)
        sides = [one for one in simulated.books.entries.values() if one["documentNumber"] == number]
        return len(sides) // len(request.lines)
    assert isinstance(request, PostingRequest)
    name, books = reference(request), simulated.books
    match request.kind:
        case DocumentKind.ORDER:
            return sum(one["externalDocumentNumber"] == name for one in books.orders.values())
        case DocumentKind.DELIVERY:
            return sum(one["externalDocumentNumber"] == name for one in books.shipments.values())
        case DocumentKind.INVOICE:
            return sum(one["externalDocumentNumber"] == name for one in books.invoices.values())
        case DocumentKind.CREDIT_NOTE:
            ours = [one["status"] for one in books.memos.values() if one["externalDocumentNumber"] == name]
            return len(ours) if "Open" in ours else 0


def sign(known: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A delivery as it comes: the secret is in the body already."""
    headers = {"content-type": "application/json"}
    return Delivery(method="POST", url=WEBHOOK, headers=headers, query={}, body=body, received_at=at)


def changed(simulated: BusinessCentralSimulator) -> tuple[str, bytes]:
    """An item, and the notification of its change."""
    item = simulated.books.add_item("MUG-RED", inventory=Decimal(7))
    return "items", msgspec.json.encode({"value": [notification(item["id"])]})


def notification(item: str, change: str = "updated") -> dict[str, Any]:
    """One notification."""
    return {
        "subscriptionId": "sub1",
        "clientState": CLIENT_STATE,
        "expirationDateTime": "2026-01-18T07:52:31Z",
        "resource": f"api/v2.0/companies({COMPANY})/items({item})",
        "changeType": change,
        "lastModifiedDateTime": "2026-01-15T12:54:20.467Z",
    }


def stock(simulated: BusinessCentralSimulator) -> int:
    """Three items on two pages, which are two objects."""
    simulated.page = 2
    for sku in ("MUG-RED", "TEE-M", "HAT"):
        simulated.books.add_item(sku, inventory=Decimal(5))
    return 2


def catalogue(simulated: BusinessCentralSimulator) -> int:
    """Three items on two pages; a service is none that is kept in stock."""
    simulated.page = 2
    for sku in ("MUG-RED", "TEE-M", "HAT", "HELP"):
        simulated.books.add_item(sku)
    simulated.books.change_item("HELP", type="Service")
    return 3


def purchased(simulated: BusinessCentralSimulator) -> int:
    """Three released orders on two pages; a draft is none."""
    simulated.page = 2
    simulated.books.add_item("MUG-RED")
    for status in ("Open", "Draft", "Open", "Open"):
        simulator_purchases.order(simulated.books, {"MUG-RED": 5}, date(2026, 2, 1), status=status)
    return 3


def subscribed(simulated: BusinessCentralSimulator) -> int:
    """A subscription that lives long enough: there is nothing to bring, and nothing to do."""
    simulated.subscriptions["sub1"] = {
        "subscriptionId": "sub1",
        "notificationUrl": WEBHOOK,
        "resource": f"/api/v2.0/companies({COMPANY})/items",
        "expirationDateTime": (simulated.now() + LIFE).isoformat(),
        "@odata.etag": 'W/"1"',
    }
    return 0


ITEM: Final = "02a6738a-44e3-ea11-bb43-000d3a2feca1"
LEVEL: Final[dict[str, Any]] = {
    "as_of": "2026-01-15T12:55:00Z",
    "location": "MAIN",
    "items": [{"id": ITEM, "number": "MUG-RED", "inventory": 7}],
}

HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare,
    effects=effects,
    sign=sign,
    unsigned_body="Business Central shows a secret that was left with it and signs nothing",
    samples=(
        DAY_SAMPLE,
        ITEM_SAMPLE,
        SUPPLY_SAMPLE,
        json_sample(TOPIC, {"value": [notification(ITEM)]}, identity="value.0.resource", event="notification"),
        json_sample(
            LEVELS,
            LEVEL,
            identity="items.0.number",
            event="level",
            signed=False,
            expect=(
                StockReported(
                    at=datetime.fromisoformat("2026-01-15T12:55:00+00:00"),
                    kind=ReportKind.SNAPSHOT,
                    lines=(StockLine(location="MAIN", sku="MUG-RED", on_hand=7),),
                ),
            ),
        ),
    ),
    fill={"books": days, "items": catalogue, "supply": purchased, "stock": stock, "subscriptions": subscribed},
    fetched={TOPIC: changed},
)
