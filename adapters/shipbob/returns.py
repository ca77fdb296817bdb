"""What customers sent back to ShipBob, once it has been looked at: read by pull, or when a delivery names it."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.shipbob import calls, units
from adapters.shipbob.schemas import RawPage, malformed, raw_page_decoder
from adapters.shipbob.settings import Settings
from hub.domain.facts import GoodsReturned, ReturnedLine
from hub.domain.returns import Disposition
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.translate import Malformed, Tables, utc
from hub.sdk.wire import Request

TOPIC: Final = "return"
OBJECT: Final = "return:"
LIMIT: Final = 100


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with units."""

    quantity_processed: int
    action: str | None = None


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that came back."""

    id: int
    quantity: int
    sku: str | None = None
    action_taken: list[Taken] | None = None


class Centre(msgspec.Struct, frozen=True, kw_only=True):
    """Where it arrived."""

    id: int


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A return order."""

    id: int
    status: str | None = None
    store_order_id: str | None = None
    shipment_tracking_number: str | None = None
    tracking_number: str | None = None
    completed_date: datetime | None = None
    fulfillment_center: Centre | None = None
    inventory: list[Inventory] | None = None


class _Id(msgspec.Struct, frozen=True):
    id: int


_return: Final = msgspec.json.Decoder(Return)
_id: Final = msgspec.json.Decoder(_Id)


# --- reading: pure ----------------------------------------------------------------------------------------------------


def returned_facts(body: bytes, tables: Tables) -> Sequence[GoodsReturned]:
    """Goods that came back and were looked at, with what was done with them; nothing before ShipBob has finished.

    Counts once per return order. Raises `Malformed`, or `Unmapped` for an action that no table knows.
    """
    try:
        found = _return.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("return", error) from error
    if found.completed_date is None or found.status == units.CANCELLED:
        return ()
    if found.fulfillment_center is None:
        raise Malformed("fulfillment_center", "return.fulfillment_center", "null")
    lines = tuple(line for item in found.inventory or () for line in _lines(item, tables))
    if not lines:
        return ()
    order = found.store_order_id
    ours = order if order and units.reads_like_ours(order) else None
    fact = GoodsReturned(
        at=utc(found.completed_date),
        receipt=f"{OBJECT}{found.id}",
        location=str(found.fulfillment_center.id),
        lines=lines,
        order=ours,
        tracking=found.shipment_tracking_number or found.tracking_number or None,
    )
    return (fact,)


def _lines(item: Inventory, tables: Tables) -> list[ReturnedLine]:
    """Units by what was done with them; what nothing was done with has only been counted."""
    sku = item.sku or f"inventory:{item.id}"
    made = [
        ReturnedLine(
            sku=sku,
            quantity=taken.quantity_processed,
            disposition=Disposition(tables.require("return_action", taken.action)) if taken.action else None,
        )
        for taken in item.action_taken or ()
        if taken.quantity_processed > 0
    ]
    if item.action_taken is None and item.quantity > 0:
        return [ReturnedLine(sku=sku, quantity=item.quantity)]
    return made


# --- asking -----------------------------------------------------------------------------------------------------------


async def pull_returns(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Returns completed since the cursor (a moment), oldest first. A pull that broke off begins again at its moment."""
    until = context.now()
    start = calls.since(context, cursor, until)
    # Without an end: what is completed while pages are turned comes last.
    query = {"CompletedStartDate": calls.iso(start), "SortOrder": "Asc", "Limit": str(LIMIT)}
    while True:
        page = await _page(context, query)
        following = calls.following(page.next, query)
        items = tuple(_pulled(bytes(raw)) for raw in page.items or ())
        yield Page(items=items, cursor=calls.iso(until if following is None else start))
        if following is None:
            return
        query = following


async def _page(context: Context[Settings], query: dict[str, str]) -> RawPage:
    wanted = calls.request(context.settings, "GET", "return", operation="GET /return", query=query)
    response = await context.client.send(wanted)
    calls.expect_ok(response, "GET /return", "pull of returns", context.now())
    try:
        return raw_page_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        raise calls.unreadable("GET /return", error) from error


async def fetch_return(context: Context[Settings], subject: str) -> Pulled:
    """The return that a delivery names."""
    number = subject.removeprefix(OBJECT)
    response = await context.client.send(_one(number, context.settings))
    calls.expect_ok(response, "GET /return/{id}", f"return {number}", context.now())
    return _pulled(response.body)


def _one(number: str, settings: Settings) -> Request:
    return calls.request(settings, "GET", f"return/{number}", operation="GET /return/{id}")


def _pulled(raw: bytes) -> Pulled:
    digest = hashlib.sha256(raw).hexdigest()[:20]
    try:
        subject = f"{OBJECT}{_id.decode(raw).id}"
    except msgspec.MsgspecError:
        # `returned_facts` meets the same difficulty with the stored bytes, and says so where it can be mended.
        return Pulled(key=f"{OBJECT}unread:{digest}", topic=TOPIC, object=None, body=raw)
    return Pulled(key=f"{subject}:{digest}", topic=TOPIC, object=subject, body=raw)
