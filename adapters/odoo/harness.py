"""What the conformance suite needs to try this adapter against its simulator."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from adapters.odoo import harness_warehouse
from adapters.odoo.adapter import ADAPTER
from adapters.odoo.settings import Settings
from adapters.odoo.simulated import documents, orders
from adapters.odoo.simulated.database import ADJUSTMENT, STOCK
from adapters.odoo.simulator import OdooSimulator
from hub.domain.posting import DocumentKind
from hub.sdk.capabilities import Command, FulfilmentCancel, FulfilmentRequest
from hub.sdk.posting import EntryRequest, PostingRequest, StockAdjustment
from hub.sdk.testkit.harness import Harness
from hub.sdk.testkit.ledger import DAY_SAMPLE, ITEM_SAMPLE, SUPPLY_SAMPLE, days

RECEIVABLE: Final = 2
CLEARING: Final = 3
"""Accounts of the simulator's chart."""

INTERNAL: Final = 2
"""Any operation type will do for the simulator."""

API_KEY: Final = "5f0c8a4e2b7d9136"


def simulator() -> OdooSimulator:
    """An empty database."""
    return OdooSimulator(api_key=API_KEY, database="acme")


def settings(simulator: OdooSimulator) -> Settings:
    """A connection to it, for the books and the warehouse."""
    return msgspec.structs.replace(books(simulator), warehouses=(harness_warehouse.WAREHOUSE,))


def books(simulator: OdooSimulator) -> Settings:
    """A connection to it, for the books only."""
    return Settings(
        host="odoo.example.com",
        database=simulator.database,
        api_key=simulator.api_key,
        base_url=simulator.base_url,
        create_products=True,
        receivable_account_id=RECEIVABLE,
        payments_account_id=CLEARING,
        adjustment_type_id=INTERNAL,
        adjustment_location_id=ADJUSTMENT,
        stock_location_ids={"loc-1": STOCK, "EAST": STOCK},
    )


def prepare(simulator: OdooSimulator, capability: str, request: Command) -> Command:
    """The catalogue, and the documents that come before the requested one; what a fulfilment order needs."""
    if isinstance(request, FulfilmentRequest | FulfilmentCancel):
        return harness_warehouse.prepare(simulator, request)
    if isinstance(request, EntryRequest):
        return request
    if isinstance(request, StockAdjustment):
        for sku in sorted({line.sku for line in request.lines}):
            simulator.add_product(sku, sku)
        return request
    assert isinstance(request, PostingRequest)
    for line in request.lines:
        if line.sku is not None:
            simulator.add_product(line.sku, line.title)
    if request.kind is not DocumentKind.ORDER:
        _sell(simulator, request)
    if request.kind is DocumentKind.CREDIT_NOTE:
        _invoice(simulator, request)
    return request


def effects(simulator: OdooSimulator, capability: str, request: Command) -> int:
    """How often the books hold the document; a draft besides the posted one is a second. Or how many transfers."""
    if isinstance(request, FulfilmentRequest | FulfilmentCancel):
        return harness_warehouse.effects(simulator, request)
    if isinstance(request, EntryRequest):
        entries = simulator.books.tables["account.move"].where("ref", request.key)
        return len(entries) if any(one["state"] == "posted" for one in entries) else 0
    if isinstance(request, StockAdjustment):
        return _adjusted(simulator, request)
    assert isinstance(request, PostingRequest)
    posted = simulator.posted(request.order)
    done, besides = {
        DocumentKind.ORDER: (posted.confirmed, posted.orders - posted.confirmed),
        DocumentKind.DELIVERY: (posted.deliveries, 0),
        DocumentKind.INVOICE: (posted.invoices, posted.drafts),
        DocumentKind.CREDIT_NOTE: (posted.credit_notes, posted.drafts),
    }[request.kind]
    return done and done + besides


def _adjusted(simulator: OdooSimulator, request: StockAdjustment) -> int:
    """A transfer each way that is done is the whole document, once; one more is a second."""
    tables = simulator.books.tables
    ways = [tables["stock.picking"].where("origin", f"{request.key}/{side}") for side in ("in", "out")]
    done = all(any(one["state"] == "done" for one in way) for way in ways)
    return max(len(way) for way in ways) if done else 0


def _sell(simulator: OdooSimulator, request: PostingRequest) -> None:
    """A confirmed sale order under our reference."""
    books = simulator.books
    partner = books.tables["res.partner"].insert({"name": "Customer"})
    skus = {record["default_code"]: product for product, record in simulator.products.items()}
    lines = [
        {"product_id": skus[line.sku], "product_uom_qty": line.quantity, "price_unit": Decimal(1), "name": line.title}
        for line in request.lines
        if line.sku is not None
    ]
    values = {"partner_id": partner, "client_order_ref": request.order, "order_line": [[0, 0, line] for line in lines]}
    orders.confirm(books, "sale.order", [orders.create_order(books, values)], {})


def _invoice(simulator: OdooSimulator, request: PostingRequest) -> None:
    """A posted invoice of all of it."""
    (order,) = simulator.books.tables["sale.order"].where("client_order_ref", request.order)
    document = documents.invoice_by_hand(simulator.books, order["id"])
    dated = datetime(2026, 1, 16, tzinfo=UTC).date()
    simulator.books.tables["account.move"].update(document, {"ref": f"{request.order}/1", "invoice_date": dated})
    documents.post(simulator.books, "account.move", [document], {})


HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    requests={"submit_fulfilment": harness_warehouse.SUBMIT},
    prepare=prepare,
    effects=effects,
    declined={"submit_fulfilment": harness_warehouse.elsewhere},
    in_part={"submit_fulfilment": harness_warehouse.emptied},
    samples=(DAY_SAMPLE, ITEM_SAMPLE, SUPPLY_SAMPLE, *harness_warehouse.SAMPLES),
    fill={
        "books": days,
        "items": harness_warehouse.fill_items,
        "supply": harness_warehouse.fill_supply,
        "status": harness_warehouse.fill_status,
        "returns": harness_warehouse.fill_returns,
        "movements": harness_warehouse.fill_movements,
        "stock": harness_warehouse.fill_stock,
    },
)
BOOKS: Final = msgspec.structs.replace(HARNESS, settings=books)
