"""What the conformance suite needs to try this adapter: a real Tryton, made and started when it is first asked for."""

import atexit
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from adapters.tryton.adapter import ADAPTER
from adapters.tryton.company import ACCOUNTS, add_product
from adapters.tryton.harness_stock import adjusted, adjustment_of, fill_items, fill_supply
from adapters.tryton.peer import DATABASE, PASSWORD, USERNAME, Peer, Rpc, prepare
from adapters.tryton.schemas import Product
from adapters.tryton.settings import Settings
from adapters.tryton.simulator import TrytonBehindFaults
from adapters.tryton.translate import booked_lines, reference, sale_values
from hub.domain.posting import DocumentKind
from hub.sdk.capabilities import Command
from hub.sdk.posting import EntryRequest, PostingRequest, StockAdjustment
from hub.sdk.testkit.harness import Harness
from hub.sdk.testkit.ledger import DAY_SAMPLE, ITEM_SAMPLE, SUPPLY_SAMPLE, days

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = ROOT / "requirements" / "tryton.txt"
KEPT: Final = ROOT / ".crossdock" / "test"
"""Where the environment and the empty company are kept between runs; the project's own ignored folder."""
CLEARING: Final = "1.1.4"
GIFT_CARDS: Final = "1.1.3"
"""Two more accounts of Tryton's universal chart, which stand for clearing accounts."""

_numbers: Final = count(1)


@cache
def peer() -> Peer:
    """This process's Tryton, ended with the process. Raises what `prepare` raises."""
    running = Peer(prepare(REQUIREMENTS, KEPT), Path(tempfile.mkdtemp(prefix="tryton-")))
    running.__enter__()
    atexit.register(running.stop)
    return running


@cache
def rpc() -> Rpc:
    """One session for all looks into the books."""
    return peer().session()


def simulator() -> TrytonBehindFaults:
    """The peer, under an order number that nothing in its books has."""
    return TrytonBehindFaults(peer().url, rpc(), f"01TRYTON{next(_numbers):012d}")


def settings(simulated: TrytonBehindFaults) -> Settings:
    """A connection to it."""
    return Settings(
        host="tryton.example.com",
        database=DATABASE,
        username=USERNAME,
        password=PASSWORD,
        base_url=simulated.base_url,
        receivable_account=ACCOUNTS["receivable"],
        revenue_account=ACCOUNTS["revenue"],
        tax_account=ACCOUNTS["tax"],
        shipping_account=ACCOUNTS["shipping"],
        payments_account=CLEARING,
        gift_card_account=GIFT_CARDS,
        adjustment_warehouses={"loc-1": "WH"},
    )


def entry_of_order(request: EntryRequest, order: str) -> EntryRequest:
    """The entry of another order."""
    return msgspec.structs.replace(request, order=order, key=request.key.replace(request.order, order))


def of_order(request: PostingRequest, order: str) -> PostingRequest:
    """The document of another order."""
    return msgspec.structs.replace(
        request,
        order=order,
        key=request.key.replace(request.order, order),
        shipment=request.shipment and request.shipment.replace(request.order, order),
    )


def prepare_books(simulated: TrytonBehindFaults, capability: str, request: Command) -> Command:
    """The catalogue, and the sale that comes before the requested document."""
    if isinstance(request, EntryRequest):
        return entry_of_order(request, simulated.order)
    if isinstance(request, StockAdjustment):
        return adjustment_of(request, simulated)
    assert isinstance(request, PostingRequest)
    ours = of_order(request, simulated.order)
    for line in ours.lines:
        if line.sku is not None:
            add_product(simulated.rpc, line.sku, line.title)
    if ours.kind is not DocumentKind.ORDER:
        sell(simulated, ours)
    return ours


def sell(simulated: TrytonBehindFaults, request: PostingRequest) -> int:
    """A sale as our client would have made it: one that waits to be shipped for a delivery. Invoices only name it."""
    rpc = simulated.rpc
    sale = msgspec.structs.replace(request, kind=DocumentKind.ORDER)
    lines = booked_lines(sale, settings(simulated))
    fields = ["code", "default_uom"]
    codes = [line.sku for line in lines if line.sku]
    found = rpc.call("model.product.product.search_read", [["code", "in", codes]], 0, 99, None, fields)
    products = {row["code"]: msgspec.convert(row, Product) for row in found}
    (party,) = rpc.call("model.party.party.create", [{"name": "Customer", "addresses": [["create", [{}]]]}])
    (address,) = rpc.call("model.party.address.search", [["party", "=", party]], 0, 1, None)
    (dollar,) = rpc.call("model.currency.currency.search", [["code", "=", "USD"]], 0, 1, None)
    (warehouse,) = rpc.call("model.stock.location.search", [["type", "=", "warehouse"]], 0, 1, None)
    head = {
        "company": 1,
        "party": party,
        "currency": dollar,
        "warehouse": warehouse,
        "invoice_address": address,
        "shipment_address": address,
    }
    made: list[int] = rpc.call("model.sale.sale.create", [sale_values(sale, lines, products, head)])
    for button in ("quote", "confirm", "process") if request.kind is DocumentKind.DELIVERY else ():
        rpc.call(f"model.sale.sale.{button}", made)
    return made[0]


def effects(simulated: TrytonBehindFaults, capability: str, request: Command) -> int:
    """How often the peer's own books hold the document; a draft besides the posted one is a second."""
    if isinstance(request, EntryRequest):
        terms, fields = [["description", "=", request.key]], ["state"]
        entries = simulated.rpc.call("model.account.move.search_read", terms, 0, 99, None, fields)
        return len(entries) if any(one["state"] == "posted" for one in entries) else 0
    if isinstance(request, StockAdjustment):
        return adjusted(simulated.rpc, request)
    assert isinstance(request, PostingRequest)
    rpc, name = simulated.rpc, reference(request)
    match request.kind:
        case DocumentKind.ORDER:
            found = rpc.call("model.sale.sale.search_read", [["reference", "=", name]], 0, 99, None, ["state"])
            done = any(one["state"] in ("processing", "done") for one in found)
        case DocumentKind.DELIVERY:
            found = rpc.call("model.stock.shipment.out.search_read", [["reference", "=", name]], 0, 99, None, ["state"])
            done = any(one["state"] == "done" for one in found)
        case _:
            found = rpc.call("model.account.invoice.search_read", [["reference", "=", name]], 0, 99, None, ["state"])
            done = any(one["state"] == "posted" for one in found)
    return len(found) if done else 0


HARNESS: Final = Harness(
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=simulator,
    settings=settings,
    prepare=prepare_books,
    effects=effects,
    samples=(DAY_SAMPLE, ITEM_SAMPLE, SUPPLY_SAMPLE),
    fill={"books": days, "items": fill_items, "supply": fill_supply},
)
