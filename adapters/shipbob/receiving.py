"""Goods that go to ShipBob: receiving orders are announced, and read again when they are closed or still expected.

A receiving order carries one free field, the number of a purchase order. It holds the key of our announcement, which
begins with the fulfilment order that moves the goods: so a second one is noticed, and the receipt finds its transfer.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from adapters.shipbob import calls, units
from adapters.shipbob.schemas import malformed
from adapters.shipbob.settings import Settings
from hub.domain.facts import AnyFact, FactLine, GoodsArrived, GoodsLost, SupplyLine
from hub.sdk.capabilities import Context, Page, Pulled, StockAdvice
from hub.sdk.outcomes import Done, Learned, NeedsPerson, Outcome, Uncertain
from hub.sdk.supply_reads import supply_pages
from hub.sdk.translate import Malformed, Tables, utc
from hub.sdk.wire import Request, Response

TOPIC: Final = "received"
OBJECT: Final = "receiving:"
LIMIT: Final = 100
EVERY_SECONDS: Final = 900
"""ShipBob's own advice is to ask every 15 to 30 minutes (developer.shipbob.com, receiving, 2026-02)."""
CANCELLED: Final = "Cancelled"
EXPECTED: Final = (
    "Awaiting",
    "PartiallyArrivedAtHub",
    "ArrivedAtHub",
    "ProcessingAtHub",
    "InternalTransfer",
    "PartiallyArrived",
    "Arrived",
    "Processing",
)
"""States in which units are still to come (OpenAPI 2026-01). Incomplete is explained nowhere and promises nothing."""


class Centre(msgspec.Struct, frozen=True, kw_only=True):
    """Where goods are received."""

    id: int


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one thing. Stowed ones are on the shelf and for sale."""

    inventory_id: int
    sku: str | None = None
    expected_quantity: int = 0
    stowed_quantity: int = 0


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A state it was in, and since when."""

    timestamp: datetime
    status: str | None = None


class Receiving(msgspec.Struct, frozen=True, kw_only=True):
    """A receiving order."""

    id: int
    status: str
    last_updated_date: datetime
    purchase_order_number: str | None = None
    fulfillment_center: Centre | None = None
    expected_arrival_date: datetime | None = None
    inventory_quantities: list[Quantity] | None = None
    status_history: list[Stage] | None = None


class ReceivedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the units of one thing."""

    sku: str
    expected: int
    stowed: int


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A closed receiving order of a transfer, reduced to what does not change any more. Written by us."""

    receiving: int
    fulfilment: str
    status: str
    at: datetime
    lines: list[ReceivedLine]


_order: Final = msgspec.json.Decoder(Receiving)
_received: Final = msgspec.json.Decoder(Received)
_thing: Final = msgspec.json.Decoder(Quantity)


# --- announcing -------------------------------------------------------------------------------------------------------


async def advise_stock(context: Context[Settings], wanted: StockAdvice) -> Outcome:
    """Create the receiving order. ShipBob keeps its number unique nowhere, so an uncertain try is looked for."""
    if wanted.look_first:
        found = await _find(context, wanted.key)
        if found is not None:
            return _announced(found, wanted, found=True)
    problem = calls.misplaced(wanted.reference, wanted.location)
    if problem is None and wanted.location is None:
        problem = NeedsPerson(
            reason=f"{wanted.reference}: ShipBob has to be told at which of its locations the goods arrive",
            next_step="bind the node to the location id that GET /location shows",
        )
    if problem is not None:
        return problem
    numbers = {sku: await _inventory_ids(context, sku) for sku in sorted({line.sku for line in wanted.lines})}
    unclear = sorted(sku for sku, ids in numbers.items() if len(ids) != 1)
    if unclear:
        return NeedsPerson(
            reason=f"{wanted.reference}: ShipBob has no product, or several, with SKU {', '.join(unclear)}",
            next_step="make each SKU the one of a single active product at ShipBob, then retry the delivery",
        )
    ids = {sku: found[0] for sku, found in numbers.items()}
    response = await context.client.send(advice_request(wanted, ids, context.settings, context.now()))
    return read_advice(response, wanted, context.now())


def advice_request(wanted: StockAdvice, ids: Mapping[str, int], settings: Settings, now: datetime) -> Request:
    """POST /receiving: one box, for the contents of several are not known here. Its arrival has to lie ahead."""
    expected = wanted.expected_on or wanted.shipped_at + timedelta(days=settings.inbound_days)
    document = {
        "fulfillment_center": {"id": int(wanted.location or "0")},
        "package_type": "Package",
        "box_packaging_type": "EverythingInOneBox",
        "expected_arrival_date": calls.iso(max(expected, now + timedelta(days=1))),
        "purchase_order_number": wanted.key,
        "boxes": [
            {
                "tracking_number": wanted.tracking,
                "box_items": [{"inventory_id": ids[line.sku], "quantity": line.quantity} for line in wanted.lines],
            }
        ],
    }
    body = msgspec.json.encode(document)
    return calls.request(settings, "POST", "receiving", operation="POST /receiving", body=body, write=True)


def read_advice(response: Response, wanted: StockAdvice, now: datetime) -> Outcome:
    """The answer to POST /receiving."""
    if response.status not in (200, 201):
        return calls.refusal(response, "POST /receiving", wanted.reference, now, write=True)
    try:
        made = _order.decode(response.body)
    except msgspec.MsgspecError as error:
        return Uncertain(reason=f"{wanted.reference}: ShipBob took it, but its answer cannot be read: {error}")
    return _announced(made, wanted, found=False)


def _announced(order: Receiving, wanted: StockAdvice, *, found: bool) -> Done:
    theirs = str(order.id)
    return Done(reference=theirs, learned=(Learned(kind="receiving", ours=wanted.key, theirs=theirs),), found=found)


async def _find(context: Context[Settings], key: str) -> Receiving | None:
    """The receiving order of an announcement; one that was cancelled since is none."""
    orders = await _page(context, {"PurchaseOrderNumbers": key, "Limit": str(LIMIT)}, f"advice {key}")
    matching = (read(raw) for raw in orders)
    return next((one for one in matching if one.purchase_order_number == key and one.status != CANCELLED), None)


async def _inventory_ids(context: Context[Settings], sku: str) -> list[int]:
    """ShipBob's numbers of the things with this SKU: its search finds parts of names, too."""
    query = {"SearchBy": sku, "IsActive": "true"}
    found: set[int] = set()
    while True:
        page = calls.read_stock(await context.client.send(calls.stock_request(query, context.settings)), context.now())
        for raw in page.items or ():
            thing = _read_thing(bytes(raw))
            if thing.sku == sku:
                found.add(thing.inventory_id)
        following = calls.following(page.next, query)
        if following is None:
            return sorted(found)
        query = following


def _read_thing(raw: bytes) -> Quantity:
    try:
        return _thing.decode(raw)
    except msgspec.MsgspecError as error:
        raise calls.unreadable("GET /inventory-level", error) from error


# --- reading: pure ----------------------------------------------------------------------------------------------------


def read(raw: bytes) -> Receiving:
    """A receiving order. Raises `Interrupted` where it does not fit its contract."""
    try:
        return _order.decode(raw)
    except msgspec.MsgspecError as error:
        raise calls.unreadable("GET /receiving", error) from error


def received(raw: bytes) -> Pulled | None:
    """The message of a closed receiving order that moves goods of ours, told once; None for anybody else's."""
    try:
        order = _order.decode(raw)
        ended = [utc(stage.timestamp) for stage in order.status_history or () if stage.status == order.status]
        at = max(ended) if ended else utc(order.last_updated_date)
    except (msgspec.MsgspecError, Malformed):
        # `received_facts` meets the same difficulty with the stored bytes, and says so where it can be mended.
        digest = hashlib.sha256(raw).hexdigest()[:20]
        return Pulled(key=f"{OBJECT}unread:{digest}", topic=TOPIC, object=None, body=raw)
    fulfilment = fulfilment_of(order.purchase_order_number or "")
    if fulfilment is None:
        return None
    body = Received(
        receiving=order.id,
        fulfilment=fulfilment,
        status=order.status,
        at=at,
        lines=[
            ReceivedLine(sku=_sku(one), expected=one.expected_quantity, stowed=one.stowed_quantity)
            for one in order.inventory_quantities or ()
        ],
    )
    subject = f"{OBJECT}{order.id}"
    return Pulled(key=f"{subject}:{order.status}", topic=TOPIC, object=subject, body=msgspec.json.encode(body))


def received_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """What arrived of a transfer, and what did not.

    Closed does not mean complete: only stowed units are on the shelf, and the rest of what was announced is not waited
    for any more. Raises `Malformed`, or `Unmapped` for a state that no table knows.
    """
    try:
        closed = _received.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("receiving order", error) from error
    if tables.require("receiving_status", closed.status) != "received":
        return ()
    at, fulfilment = utc(closed.at), closed.fulfilment
    stowed = tuple(FactLine(sku=one.sku, quantity=one.stowed) for one in closed.lines if one.stowed > 0)
    missing = tuple(
        FactLine(sku=one.sku, quantity=one.expected - one.stowed) for one in closed.lines if one.expected > one.stowed
    )
    facts: list[AnyFact] = []
    if stowed:
        facts.append(GoodsArrived(at=at, fulfilment=fulfilment, lines=stowed))
    if missing:
        reason = f"not in receiving order {closed.receiving} when ShipBob closed it"
        facts.append(GoodsLost(at=at, fulfilment=fulfilment, lines=missing, reason=reason))
    return facts


def expected(order: Receiving) -> list[SupplyLine]:
    """What is still to come of a receiving order that others made; transfers of ours are on their way already."""
    if order.fulfillment_center is None or order.expected_arrival_date is None:
        return []
    if order.status not in EXPECTED or fulfilment_of(order.purchase_order_number or "") is not None:
        return []
    place, due = str(order.fulfillment_center.id), _due(order.expected_arrival_date)
    return [
        SupplyLine(location=place, sku=_sku(one), quantity=one.expected_quantity - one.stowed_quantity, due=due)
        for one in order.inventory_quantities or ()
        if one.expected_quantity > one.stowed_quantity
    ]


def _due(stated: datetime) -> date:
    """The day in UTC. The year 1 or 9999, which stands for no date, stays as it is: it promises nothing."""
    try:
        return utc(stated).date()
    except Malformed:
        return stated.date()


def fulfilment_of(number: str) -> str | None:
    """The fulfilment order that a purchase order's number speaks of: our key, or its id written by hand."""
    named = (number, number.rsplit("-", 2)[0])
    return next((one for one in named if units.reads_like_ours(one)), None)


def _sku(one: Quantity) -> str:
    return one.sku or f"inventory:{one.inventory_id}"


# --- asking -----------------------------------------------------------------------------------------------------------


async def pull_receiving(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Receiving orders completed since the cursor (a moment)."""
    until = context.now()
    start = calls.since(context, cursor, until)
    async for orders in _listed(context, {"CompletedStartDate": calls.iso(start)}, "pull of receiving"):
        items = tuple(item for item in map(received, orders) if item is not None)
        yield Page(items=items, cursor=calls.iso(start))
    yield Page(items=(), cursor=calls.iso(until))


async def pull_supply(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """What is expected by receiving orders of others, told where it changed. The cursor keeps what was told."""
    open_orders: dict[str, list[SupplyLine]] = {}
    async for orders in _listed(context, {"Statuses": ",".join(EXPECTED)}, "pull of supply"):
        open_orders |= {f"WRO {order.id}": expected(order) for order in map(read, orders)}
    for page in supply_pages(open_orders, cursor, context.now()):
        yield page


async def _listed(context: Context[Settings], query: Mapping[str, str], subject: str) -> AsyncIterator[list[bytes]]:
    """Pages of receiving orders. ShipBob names no largest page and no last one: an empty page is the end."""
    number = 1
    while True:
        orders = await _page(context, {**query, "Page": str(number), "Limit": str(LIMIT)}, subject)
        if not orders:
            return
        yield orders
        number += 1


async def _page(context: Context[Settings], query: Mapping[str, str], subject: str) -> list[bytes]:
    wanted = calls.request(context.settings, "GET", "receiving", operation="GET /receiving", query=query)
    response = await context.client.send(wanted)
    calls.expect_ok(response, "GET /receiving", subject, context.now())
    return calls.rows(response.body, "GET /receiving")
