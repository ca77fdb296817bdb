"""Sends; what to send and what the answers mean is in `calls.py`."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.shipbob import calls, returns
from adapters.shipbob.schemas import Order, channels_decoder
from adapters.shipbob.settings import Settings
from adapters.shipbob.units import CANCELLED
from hub.sdk.capabilities import Check, Context, FulfilmentCancel, FulfilmentRequest, Page, Probe, Pulled
from hub.sdk.outcomes import NeedsPerson, Outcome, Uncertain

NARROWEST: Final = timedelta(seconds=1)


async def submit_fulfilment(context: Context[Settings], wanted: FulfilmentRequest) -> Outcome:
    """Create the order, once: ShipBob refuses a second one with our reference, and then we look at the first."""
    now, settings = context.now, context.settings
    if wanted.look_first:
        found = await _find(context, wanted.fulfilment)
        if found is not None:
            return calls.read_found(found, wanted)
    problem = calls.unsendable(wanted)
    if problem is not None:
        return problem
    response = await context.client.send(calls.submit_request(wanted, settings))
    if not calls.is_duplicate(response):
        return calls.read_submit(response, wanted, now())
    found = await _find(context, wanted.fulfilment)
    if found is None:
        return Uncertain(reason=f"{wanted.fulfilment}: ShipBob calls the reference a duplicate and does not list it")
    return calls.read_found(found, wanted)


async def cancel_fulfilment(context: Context[Settings], wanted: FulfilmentCancel) -> Outcome:
    """Cancel the order. One that is cancelled already, by an earlier try or by hand, is Done."""
    order = wanted.partner_reference or wanted.references.get(f"order:{wanted.fulfilment}")
    if order is None:
        found = await _find(context, wanted.fulfilment)
        if found is None:
            return NeedsPerson(
                reason=f"{wanted.fulfilment}: ShipBob has no order with this reference, so nothing can be cancelled",
                next_step="see whether the order was submitted at all",
            )
        order = str(found.id)
    if wanted.look_first and await _is_cancelled(context, order):
        return calls.stopped_now(wanted, context.now(), found=True)
    response = await context.client.send(calls.cancel_request(order, context.settings))
    if response.status == 422 and await _is_cancelled(context, order):
        return calls.stopped_now(wanted, context.now(), found=True)
    return calls.read_cancel(response, wanted, context.now())


async def pull_status(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Orders that changed since the cursor (a moment), by windows of time that fit into one page.

    A window that fills a page is narrowed instead of paged through: offsets shift while orders change, and the order
    that slips over a page's edge would never be seen. Only a second with more than a page of changes is paged.
    """
    until = context.now()
    start = calls.since(context, cursor, until)
    width = until - start
    while start < until:
        end = min(start + width, until)
        # The last window stays open: what changes while it is read need not wait for the next pull.
        limit = end if end < until else None
        orders = await _changes(context, start, limit, 1)
        if len(orders) >= calls.PAGE and width > NARROWEST:
            width = max(width / 2, NARROWEST)
            continue
        page = 1
        while len(orders) >= calls.PAGE:
            yield _page(orders, start)
            page += 1
            orders = await _changes(context, start, limit, page)
        yield _page(orders, end)
        start, width = end, width if page > 1 or len(orders) > calls.PAGE // 2 else width * 2


async def pull_stock(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """All levels of all locations, from the beginning each time; a page is true as of the moment it was asked for."""
    query: dict[str, str] = {}
    while True:
        as_of = context.now()
        response = await context.client.send(calls.stock_request(query, context.settings))
        page = calls.read_stock(response, context.now())
        body = msgspec.json.encode({"as_of": as_of, "items": page.items or []})
        key = f"inventory:{calls.iso(as_of)}:{hashlib.sha256(body).hexdigest()[:20]}"
        item = Pulled(key=key, topic="inventory_level", object=None, body=body)
        yield Page(items=(item,) if page.items else (), cursor=calls.iso(as_of))
        following = calls.following(page.next, query)
        if following is None:
            return
        query = following


async def fetch(context: Context[Settings], topic: str, subject: str, body: bytes) -> Pulled:
    """Read the order, or the return, that a delivery names."""
    if subject.startswith(returns.OBJECT):
        return await returns.fetch_return(context, subject)
    order = subject.removeprefix(calls.OBJECT)
    response = await context.client.send(calls.order_request(order, context.settings))
    calls.expect_ok(response, "GET /order/{id}", order, context.now())
    return calls.pulled(response.body)[0]


async def probe(context: Context[Settings]) -> Probe:
    """Whether the token is good, and whether the channel exists and may be written through."""
    settings = context.settings
    wanted = calls.request(
        settings, "GET", "channel", operation="GET /channel", query={"RecordsPerPage": str(calls.PAGE)}
    )
    response = await context.client.send(wanted)
    calls.expect_ok(response, "GET /channel", "connection test", context.now())
    channels = channels_decoder.decode(response.body).items or []
    ours = next((channel for channel in channels if channel.id == settings.channel_id), None)
    writable = ours is not None and any(scope.endswith("orders_write") for scope in ours.scopes or ())
    names = ", ".join(f"{channel.id} ({channel.name})" for channel in channels)
    return Probe(
        account=settings.account,
        checks=(
            Check(name="token", ok=True, detail=f"sees {len(channels)} channels"),
            Check(name="channel", ok=ours is not None, detail=f"{settings.channel_id} among: {names}"),
            Check(name="orders_write", ok=writable, detail="orders can be submitted" if writable else "no such scope"),
        ),
    )


async def _find(context: Context[Settings], fulfilment: str) -> Order | None:
    response = await context.client.send(calls.find_request(fulfilment, context.settings))
    return calls.read_find(response, fulfilment, context.now())


async def _is_cancelled(context: Context[Settings], order: str) -> bool:
    response = await context.client.send(calls.order_request(order, context.settings))
    return calls.read_order(response, order, context.now()).status == CANCELLED


async def _changes(context: Context[Settings], start: datetime, end: datetime | None, page: int) -> list[bytes]:
    response = await context.client.send(calls.changes_request(start, end, page, context.settings))
    return calls.read_changes(response, context.now())


def _page(orders: list[bytes], cursor: datetime) -> Page:
    return Page(items=tuple(item for raw in orders for item in calls.pulled(raw)), cursor=calls.iso(cursor))
