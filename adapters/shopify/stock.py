"""Stock of locations whose shelves Shopify counts, such as the stores of Shopify POS.

What is there is `available` and `committed` together: units that open orders wait for are still on the shelf, damaged
and reserved ones are not for sale. Our own number never goes to such a location, so nothing read here is an echo of it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from adapters.shopify import documents_stock as documents
from adapters.shopify import orders
from adapters.shopify.client import Shop, call, gid
from adapters.shopify.levels import Quantity
from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Malformed, Tables

TOPIC: Final = "stock"
"""Of what is read here; no webhook has it."""


class Stocked(orders.Shape, frozen=True):
    """What is held of an item at a location."""

    quantities: tuple[Quantity, ...]


class Item(orders.Shape, frozen=True):
    """An inventory item; untracked ones have no stock to speak of."""

    sku: str | None
    tracked: bool


class ItemAt(Item, frozen=True):
    """Answer of `documents.LEVEL`."""

    inventory_level: Stocked | None


class LevelOf(Stocked, frozen=True):
    """One of `documents.SHELF`."""

    item: Item


class Shelf(orders.Shape, frozen=True):
    """Answer of `documents.SHELF`."""

    inventory_levels: orders.Paged[LevelOf]


class Counted(msgspec.Struct, frozen=True):
    """Units of a SKU."""

    sku: str
    units: int


class Count(msgspec.Struct, frozen=True):
    """What is stored: a location's figures, true when they were asked for."""

    at: datetime
    location: str
    counted: tuple[Counted, ...]


class _Changed(msgspec.Struct):
    """Body of inventory_levels/update."""

    inventory_item_id: int
    location_id: int


_changed = msgspec.json.Decoder(_Changed)
_count = msgspec.json.Decoder(Count)


def units(quantities: Iterable[Quantity]) -> int:
    """Units on the shelf that are for sale or sold. Pure."""
    return sum(one.quantity for one in quantities if one.name in ("available", "committed"))


def stock_report(body: bytes, tables: Tables) -> Sequence[StockReported]:
    """The stored figures as a fact; raises `Malformed`. Pure."""
    try:
        count = _count.decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed("stock", "$", str(error)) from error
    lines = tuple(StockLine(location=count.location, sku=one.sku, on_hand=one.units) for one in count.counted)
    return (StockReported(at=count.at, kind=ReportKind.SNAPSHOT, lines=lines),) if lines else ()


async def fetch_level(context: Shop, body: bytes) -> Pulled | tuple[Pulled, ...]:
    """The level that a webhook is about, read anew; nothing for locations that are not declared to be counted here."""
    try:
        about = _changed.decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed("inventory_level", "$", str(error)) from error
    place = str(about.location_id)
    if place not in context.settings.stock_locations:
        return ()
    at = context.now()
    variables = {"item": gid("InventoryItem", about.inventory_item_id), "location": gid("Location", place)}
    found = await call(context, documents.LEVEL, variables, "inventoryItem", ItemAt)
    if found is None or found.inventory_level is None or not found.tracked or not found.sku:
        return ()
    return _pulled(at, place, (Counted(found.sku, units(found.inventory_level.quantities)),), str(variables["item"]))


async def pull_stock(context: Shop, cursor: str | None, /) -> AsyncIterator[Page]:
    """All that is at the locations declared to be counted at Shopify; a walk that was broken off begins anew."""
    for place in context.settings.stock_locations:
        after = None
        while True:
            at = context.now()
            variables = {"location": gid("Location", place), "after": after}
            shelf = await call(context, documents.SHELF, variables, "location", Shelf)
            if shelf is None:
                step = "correct stock_locations in the connection's config; the connection test lists the locations"
                raise Interrupted(NeedsPerson(reason=f"location {place} is not known to the shop", next_step=step))
            levels = shelf.inventory_levels
            counted = tuple(
                Counted(level.item.sku, units(level.quantities))
                for level in levels.nodes
                if level.item.sku and level.item.tracked
            )
            items = (_pulled(at, place, counted, after or "first"),) if counted else ()
            yield Page(items=items, cursor=at.astimezone(UTC).isoformat())
            after = levels.page_info.end_cursor
            if not levels.page_info.has_next_page:
                break
    if not context.settings.stock_locations:
        yield Page(items=(), cursor=cursor or "")


def _pulled(at: datetime, place: str, counted: tuple[Counted, ...], part: str) -> Pulled:
    body = msgspec.json.encode(Count(at, place, counted))
    return Pulled(key=f"stock:{place}:{part}:{at.isoformat()}", topic=TOPIC, object=f"location:{place}", body=body)
