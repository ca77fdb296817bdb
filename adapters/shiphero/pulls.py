"""Scheduled reads: what webhooks failed to tell. ShipHero does not promise their delivery.

Status reads shipments created and then orders updated since the last run; stock reads what changed, and once a day
everything. Cursors are our own small documents, so a pull that is interrupted goes on at its page.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from adapters.shiphero import holds
from adapters.shiphero.answers import read
from adapters.shiphero.longer import whole_order, whole_shipment
from adapters.shiphero.operations import ORDERS_UPDATED, SHIPMENTS, STOCK
from adapters.shiphero.requests import graphql
from adapters.shiphero.schemas import (
    Answer,
    Edges,
    OrderPage,
    PageInfo,
    ShipmentOrder,
    ShipmentPage,
    StockAsOf,
    StockPage,
)
from adapters.shiphero.settings import FullStock, Settings, wire_time
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson

OVERLAP: Final = timedelta(minutes=5)
"""ShipHero's lists lag behind its events."""

FULL_STOCK_EVERY: Final = timedelta(hours=24)

UNFINISHED_FOR: Final = timedelta(days=3)
MOST_UNFINISHED: Final = 20
"""Shipments that were still being made when they were listed are looked at again in each run: the list knows when a
shipment was begun, not when it was completed. So long, and so many at once; each look wants its credits."""


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a pull stands. `run` is when this run began; absent between runs."""

    since: datetime | None = None
    run: datetime | None = None
    feed: Literal["shipments", "orders"] = "shipments"
    after: str | None = None
    full_at: datetime | None = None
    """When stock was last begun to be read as a whole."""
    unfinished: dict[str, datetime] = {}
    """Shipments that were not completed, and when that was first seen."""


class Glance(msgspec.Struct, frozen=True):
    """What a pull looks at before it stores an object as it came."""

    id: str
    partner_order_id: str | None = None
    completed: bool | None = None
    order: ShipmentOrder | None = None
    line_items: Edges[msgspec.Raw] = Edges()


_place: Final = msgspec.json.Decoder(Place)
_glance: Final = msgspec.json.Decoder(Glance)
_shipments: Final = msgspec.json.Decoder(Answer[ShipmentPage])
_orders: Final = msgspec.json.Decoder(Answer[OrderPage])
_stock: Final = msgspec.json.Decoder(Answer[StockPage])


def begin(cursor: str | None, live_from: datetime | None, now: datetime) -> Place:
    """The place to read on from. A new run looks back over the end of the last one."""
    place = Place(since=live_from) if cursor is None else _place.decode(cursor)
    if cursor is not None and place.since is not None and place.since > now - OVERLAP:
        # The last run began by a clock that was ahead: what it skipped lies behind us.
        place = msgspec.structs.replace(place, since=now - OVERLAP)
    return place if place.run else msgspec.structs.replace(place, run=now)


def onward(place: Place, info: PageInfo) -> Place:
    """The place after a page: the next page, the next feed, or the next run."""
    if info.has_next_page and info.end_cursor:
        return msgspec.structs.replace(place, after=info.end_cursor)
    if place.feed == "shipments":
        return msgspec.structs.replace(place, feed="orders", after=None)
    return _ended(place)


def _ended(place: Place) -> Place:
    since = place.since if place.run is None else place.run - OVERLAP
    return Place(since=since, full_at=place.full_at, unfinished=place.unfinished)


async def status_pages(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Shipments that left and orders that were closed or cancelled, of our own shop only."""
    place = begin(cursor, context.connection.live_from, context.now())
    if place.unfinished and place.feed == "shipments" and place.after is None:
        place, items = await _finished(context, place)
        yield Page(items=tuple(items), cursor=_written(place))
    while place.run is not None:
        if place.feed == "shipments":
            nodes, info = await _shipment_page(context, place)
            topic = "shipment"
            place = _with_unfinished(context, place, nodes)
        else:
            nodes, info = await _order_page(context, place)
            topic = "order"
        place = onward(place, info)
        items = [item for node in nodes for item in await _items(context, topic, node)]
        yield Page(items=tuple(items), cursor=_written(place), last=place.run is None)


async def _shipment_page(context: Context[Settings], place: Place) -> tuple[tuple[msgspec.Raw, ...], PageInfo]:
    variables = {"date_from": _since(place), "after": place.after}
    response = await context.client.send(graphql(SHIPMENTS, variables, context.settings))
    page = read(response, _shipments, write=False, now=context.now()).shipments
    edges = (page.data if page else None) or Edges()
    return edges.nodes, edges.page_info


async def _order_page(context: Context[Settings], place: Place) -> tuple[tuple[msgspec.Raw, ...], PageInfo]:
    variables = {
        "shop_name": context.settings.shop_name,
        "customer_account_id": context.settings.customer_account_id,
        "updated_from": _since(place),
        "after": place.after,
    }
    response = await context.client.send(graphql(ORDERS_UPDATED, variables, context.settings))
    page = read(response, _orders, write=False, now=context.now()).orders
    edges = (page.data if page else None) or Edges()
    return edges.nodes, edges.page_info


def _with_unfinished(context: Context[Settings], place: Place, nodes: Sequence[msgspec.Raw]) -> Place:
    """The place with the shipments of ours on a page that are not completed; the newest, where they are many."""
    seen = (_glanced(node) for node in nodes)
    ours = (one for one in seen if (one.order or ShipmentOrder()).shop_name == context.settings.shop_name)
    began = place.run or context.now()
    known = {one.id: place.unfinished.get(one.id, began) for one in ours if one.completed is False}
    together = {**place.unfinished, **known}
    return msgspec.structs.replace(place, unfinished=dict(list(together.items())[-MOST_UNFINISHED:]))


async def _finished(context: Context[Settings], place: Place) -> tuple[Place, list[Pulled]]:
    """What was completed of the unfinished shipments, and the place without it and without what takes too long."""
    items: list[Pulled] = []
    left: dict[str, datetime] = {}
    for identity, began in place.unfinished.items():
        node = await whole_shipment(context, identity)
        if node is None:
            continue
        items += await _items(context, "shipment", node)
        if _glanced(node).completed is False and context.now() - began < UNFINISHED_FOR:
            left[identity] = began
    return msgspec.structs.replace(place, unfinished=left), items


async def _items(context: Context[Settings], topic: str, node: msgspec.Raw) -> list[Pulled]:
    """The object as stored, an order's holds apart; none for another shop's, or a shipment that is being made."""
    seen = _glanced(node)
    order = seen.order or ShipmentOrder()
    if seen.completed is False or (topic == "shipment" and order.shop_name != context.settings.shop_name):
        return []
    if not seen.line_items.whole:
        node = await _whole(context, topic, seen.id)
    fulfilment = seen.partner_order_id or order.partner_order_id
    about = f"fulfilment:{fulfilment}" if fulfilment else f"{topic}:{seen.id}"
    node, held = holds.apart(node) if topic == "order" else (node, None)
    stored = [(topic, bytes(node)), *([] if held is None else [(holds.TOPIC, held)])]
    return [Pulled(key=versioned(name, seen.id, body), topic=name, object=about, body=body) for name, body in stored]


async def _whole(context: Context[Settings], topic: str, identity: str) -> msgspec.Raw:
    """An object with more lines than a page of many shows, read on its own."""
    found = await (whole_shipment if topic == "shipment" else whole_order)(context, identity)
    if found is None:
        reason = f"ShipHero lists {topic} {identity} and does not show it"
        raise Interrupted(NeedsPerson(reason=reason, next_step=f"Look the {topic} up at ShipHero."))
    return found


async def stock_pages(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Stock of every warehouse product that changed, the first time of all. ShipHero does not say what counts as a
    change of a product, so once a day the whole sets things right: read here, or from a file (`snapshots.py`)."""
    place = begin(cursor, None, context.now())
    by_pages = context.settings.full_stock is FullStock.PAGES
    if by_pages and place.after is None and place.run is not None and _stale(place, place.run):
        place = msgspec.structs.replace(place, since=None, full_at=place.run)
    while place.run is not None:
        as_of = context.now()
        variables = {
            "customer_account_id": context.settings.customer_account_id,
            "updated_from": _since(place),
            "after": place.after,
        }
        response = await context.client.send(graphql(STOCK, variables, context.settings))
        page = read(response, _stock, write=False, now=context.now()).warehouse_products
        edges = (page.data if page else None) or Edges()
        items: tuple[Pulled, ...] = ()
        if edges.nodes:
            body = msgspec.json.encode(StockAsOf(as_of=as_of.isoformat(), products=edges.nodes))
            key = f"stock:{as_of.isoformat()}:{place.after or 'first'}"
            items = (Pulled(key=key, topic="inventory_snapshot", object=None, body=body),)
        more = edges.page_info.has_next_page and edges.page_info.end_cursor
        place = msgspec.structs.replace(place, after=edges.page_info.end_cursor) if more else _ended(place)
        yield Page(items=items, cursor=_written(place), last=place.run is None)


def _stale(place: Place, now: datetime) -> bool:
    return place.full_at is None or now - place.full_at >= FULL_STOCK_EVERY


def versioned(kind: str, identity: str, body: bytes) -> str:
    """Key of one version of an object. ShipHero's objects carry no version of their own, so their content is it."""
    return f"{kind}:{identity}:{hashlib.sha256(body).hexdigest()[:16]}"


def _since(place: Place) -> str | None:
    return None if place.since is None else wire_time(place.since)


def _written(place: Place) -> str:
    return msgspec.json.encode(place).decode()


def _glanced(node: msgspec.Raw) -> Glance:
    try:
        return _glance.decode(node)
    except msgspec.MsgspecError as error:
        reason = f"an object in ShipHero's list cannot be read: {error}"
        raise Interrupted(
            NeedsPerson(reason=reason, next_step="Compare ShipHero's schema with this version.")
        ) from error
