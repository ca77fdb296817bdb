"""What customers sent back to the warehouse, once it has been looked at: told by webhook, and by a pull.

A return grows while it is worked on, and neither the webhook nor the list says what is new in it. So it counts when it
is finished, once, under its own id; until then a person sees it at ShipHero.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.shiphero.answers import read
from adapters.shiphero.operations import RETURNS
from adapters.shiphero.pulls import versioned
from adapters.shiphero.requests import graphql
from adapters.shiphero.schemas import Answer, Edges, Id, Number, Result, ShippedLineItem
from adapters.shiphero.settings import Settings, wire_time
from adapters.shiphero.translate import UNSTATED, decoded, global_id, location, required, whole
from hub.domain.facts import GoodsReturned, ReturnedLine
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.ids import LENGTH
from hub.domain.returns import Disposition
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Tables

TOPIC: Final = "return"
LOOK_BACK: Final = timedelta(days=60)
"""The list knows when a return was made, not when goods arrived: parcels take weeks."""

FINISHED: Final = "finished"


class Item(msgspec.Struct, frozen=True):
    """Units of a line that are to come back, have come, and are on the shelf again."""

    quantity: Number | None = None
    quantity_received: Number | None = None
    restock: Number | None = None
    sku: str | None = None
    warehouse_id: Id | None = None
    line_item: ShippedLineItem | None = None


class Update(msgspec.Struct, frozen=True):
    """Webhook "Return Update"."""

    status: str | None = None
    return_id: Id | None = None
    return_uuid: str | None = None
    partner_order_id: Id | None = None
    tracking_number: str | None = None
    items: tuple[Item, ...] = ()
    test: Id | None = None


class Ordered(msgspec.Struct, frozen=True):
    """The order that goods come back from."""

    partner_order_id: str | None = None


class Node(msgspec.Struct, frozen=True):
    """A return as the list has it."""

    id: str
    status: str | None = None
    order: Ordered | None = None
    line_items: tuple[Item, ...] | None = None


class ReturnPage(msgspec.Struct, frozen=True):
    """Data of a page of returns, nodes raw."""

    returns: Result[Edges[msgspec.Raw]] | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cursor: the page that is next, and since when returns are listed in this run."""

    since: datetime | None = None
    after: str | None = None


_update: Final = msgspec.json.Decoder(Update)
_node: Final = msgspec.json.Decoder(Node)
_page: Final = msgspec.json.Decoder(Answer[ReturnPage])


# --- reading: pure ----------------------------------------------------------------------------------------------------


def return_update(body: bytes, tables: Tables) -> Sequence[GoodsReturned]:
    """Webhook "Return Update"; nothing before the return is finished, nor of other shops' orders."""
    told = decoded(_update, body)
    if str(told.test) == "1":
        return ()
    name = global_id("Return", told.return_uuid, told.return_id, "return_id")
    return _facts(name, told.status, str(told.partner_order_id or ""), told.items, told.tracking_number, tables)


def listed_return(body: bytes, tables: Tables) -> Sequence[GoodsReturned]:
    """A return as the pull brings it: the same facts, under the same receipts."""
    node = decoded(_node, body)
    order = (node.order.partner_order_id if node.order else None) or ""
    return _facts(node.id, node.status, order, node.line_items or (), None, tables)


def _facts(
    name: str, status: str | None, order: str, items: Sequence[Item], tracking: str | None, tables: Tables
) -> Sequence[GoodsReturned]:
    if not _ours(order):
        return ()
    if tables.require("return_status", required(status, "status")) != FINISHED:
        return ()
    by_place: dict[str, list[ReturnedLine]] = {}
    for item in items:
        units = _units(item)
        if units:
            by_place.setdefault(location(item.warehouse_id, "items[].warehouse_id"), []).extend(units)
    return tuple(
        GoodsReturned(
            at=UNSTATED,
            receipt=f"{name}:{place}",
            location=place,
            lines=tuple(lines),
            order=order,
            tracking=tracking or None,
        )
        for place, lines in by_place.items()
    )


def _ours(order: str) -> bool:
    """Whether the order is one that the hub made: its reference is a fulfilment order's id."""
    try:
        parent, _ = split_fulfilment_id(order)
    except ValueError:
        return False
    return len(parent) == LENGTH


def _units(item: Item) -> list[ReturnedLine]:
    """What is on the shelf again, and what has only arrived: nobody has said yet what becomes of that."""
    sku = required(item.sku or (item.line_item.sku if item.line_item else None), "items[].sku")
    received = whole(item.quantity_received or 0, "items[].quantity_received")
    restocked = min(received, whole(item.restock or 0, "items[].restock"))
    found = ((restocked, Disposition.RESTOCK), (received - restocked, None))
    return [ReturnedLine(sku=sku, quantity=units, disposition=made) for units, made in found if units > 0]


# --- asking -----------------------------------------------------------------------------------------------------------


async def return_pages(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Every return of the last weeks, as it is now: one that has not changed comes under the key it had."""
    place = Place() if cursor is None else msgspec.json.decode(cursor, type=Place)
    since = place.since or context.now() - LOOK_BACK
    while True:
        variables = {
            "customer_account_id": context.settings.customer_account_id,
            "date_from": wire_time(since),
            "after": place.after,
        }
        response = await context.client.send(graphql(RETURNS, variables, context.settings))
        found = read(response, _page, write=False, now=context.now()).returns
        edges = (found.data if found else None) or Edges[msgspec.Raw]()
        more = edges.page_info.has_next_page and edges.page_info.end_cursor
        place = Place(since=since, after=edges.page_info.end_cursor) if more else Place()
        items = (_pulled(node) for node in edges.nodes)
        told = tuple(item for item in items if item)
        yield Page(items=told, cursor=msgspec.json.encode(place).decode(), last=not more)
        if not more:
            return


def _pulled(raw: msgspec.Raw) -> Pulled | None:
    """A return of ours as stored; of other shops' orders nothing."""
    try:
        node = _node.decode(raw)
    except msgspec.MsgspecError as error:
        reason = f"a return in ShipHero's list cannot be read: {error}"
        step = "Compare ShipHero's schema with this version."
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from error
    order = (node.order.partner_order_id if node.order else None) or ""
    if not _ours(order):
        return None
    body = bytes(raw)
    return Pulled(key=versioned(TOPIC, node.id, body), topic=TOPIC, object=f"fulfilment:{order}", body=body)
