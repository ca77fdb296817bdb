"""Pure: which of our lines' units are in which of ShipBob's shipments, and what a stopped shipment leaves undone."""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.shipbob.schemas import Order, OrderProduct, Shipment, ShipmentProduct, Stopped, StoppedLine
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.ids import LENGTH
from hub.domain.shipping import ParcelLine
from hub.sdk.translate import Unmapped, utc

LINE_TAG: Final = "hub-line-"
"""ShipBob's `external_line_id` is a number, ours is a word: the word of line n is kept in the tag `hub-line-n`."""

BY_SKU: Final = "sku:"

CANCELLED: Final = "Cancelled"
EXCEPTION: Final = "Exception"

PASSING: Final = frozenset({"InternalTransferInProgress", "BinTransferInProgress"})
"""Exceptions that pass by themselves: the stock is there and under way inside ShipBob (status reference, 305, 306)."""


def ours(order: Order) -> bool:
    """Whether the hub made this order. A channel may hold orders of an earlier integration: they are not our news.

    One of our tags says so, or a reference that reads like a fulfilment order's id when somebody removed the tags.
    """
    if not order.reference_id:
        return False
    return any(tag.name.startswith(LINE_TAG) for tag in order.tags or ()) or reads_like_ours(order.reference_id)


def reads_like_ours(reference: str) -> bool:
    """Whether a reference is a fulfilment order's id."""
    try:
        parent, _ = split_fulfilment_id(reference)
    except ValueError:
        return False
    return len(parent) == LENGTH


class _Line(msgspec.Struct):
    line: str
    product: OrderProduct
    left: int


def by_shipment(order: Order) -> dict[int, tuple[ParcelLine, ...]]:
    """Units of our lines per shipment.

    Shipments name products, not lines, so a product's units go to its lines in their order; shipments that live come
    before cancelled ones, the older before the younger, so that the answer stays the same as they progress. Units
    beyond what was ordered are a fact all the same and stay with the product's last line, in shipments that live.
    Products that no line of ours asked for (the merchant's inserts) are nobody's line and left out.
    Raises `Unmapped` for a bundle in parts.
    """
    lines = [_Line(_name(order, product), product, product.quantity) for product in order.products or ()]
    shipments = sorted(order.shipments or (), key=lambda shipment: (shipment.status == CANCELLED, shipment.id))
    alone = sum(shipment.status != CANCELLED for shipment in shipments) <= 1
    return {shipment.id: _units(shipment, lines, alone) for shipment in shipments}


def stopped(order: Order) -> list[Stopped]:
    """Shipments of a living order that will not leave: out of stock, or cancelled with nothing in their place.

    Each is told once per (shipment, status), whatever else happens to the order: a shortage carries no number of the
    sender's by which it could be counted once, so it gets a message of its own.
    """
    if order.status == CANCELLED or order.reference_id is None or not ours(order):
        return []
    units = by_shipment(order)
    return [
        Stopped(
            fulfilment=order.reference_id,
            shipment=shipment.id,
            status=shipment.status,
            at=utc(shipment.created_date),
            lines=[StoppedLine(line=part.line, quantity=part.quantity) for part in units[shipment.id]],
        )
        for shipment in order.shipments or ()
        if _stops(shipment) and units[shipment.id]
    ]


def _stops(shipment: Shipment) -> bool:
    if shipment.status == EXCEPTION:
        return not shipment.details or not PASSING.issuperset(shipment.details)
    return shipment.status == CANCELLED


def _units(shipment: Shipment, lines: Sequence[_Line], alone: bool) -> tuple[ParcelLine, ...]:
    found: dict[str, int] = {}
    for product in shipment.products or ():
        matching = [line for line in lines if _same(product, line.product)]
        if not matching:
            continue
        units = _quantity(product, sum(line.left for line in matching) if alone else None)
        for line in matching:
            taken = min(units, line.left)
            line.left -= taken
            units -= taken
            if taken:
                found[line.line] = found.get(line.line, 0) + taken
        if units and shipment.status != CANCELLED:
            last = matching[-1].line
            found[last] = found.get(last, 0) + units
    return tuple(ParcelLine(line=line, quantity=quantity) for line, quantity in found.items())


def _quantity(product: ShipmentProduct, left: int | None) -> int:
    """Units of a product. A bundle lists its parts, which says nothing of its own number: then it is all of them."""
    items = product.inventory_items or ()
    if items and len({item.id for item in items}) == 1:
        return sum(item.quantity for item in items)
    if left is None:
        raise Unmapped("split bundle", product.reference_id or product.sku or str(product.id))
    return left


def _same(shipped: ShipmentProduct, ordered: OrderProduct) -> bool:
    pairs = ((shipped.id, ordered.id), (shipped.reference_id, ordered.reference_id), (shipped.sku, ordered.sku))
    return any(one is not None and one == other for one, other in pairs)


def _name(order: Order, product: OrderProduct) -> str:
    """Our line; by SKU, as "sku:<sku>", where its tag is gone."""
    for tag in order.tags or ():
        if tag.name == f"{LINE_TAG}{product.external_line_id}":
            return tag.value
    return f"{BY_SKU}{product.reference_id or product.sku or product.id}"
