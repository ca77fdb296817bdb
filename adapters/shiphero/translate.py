"""ShipHero's messages to facts. Pure.

ShipHero's times carry no zone and are read as UTC. "Order Canceled" and "Inventory Update" state no time at all:
their facts are dated `UNSTATED`, which stands for the time of receipt.
"""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from adapters.shiphero.schemas import Id, Number, OrderLine, OrderNode, ShipmentNode, ShippedLineItem, StockAsOf
from adapters.shiphero.webhook_schemas import (
    FulfilledLine,
    Fulfilment,
    InventoryChange,
    InventoryUpdate,
    OrderAllocated,
    OrderCanceled,
    Package,
    PackedOrder,
    ShipmentUpdate,
    UpdatedItem,
)
from hub.domain.facts import (
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    GoodsShipped,
    StockLine,
    StockReported,
    UnitsPacked,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.sdk.translate import Malformed, Tables, moment

T = TypeVar("T")

UNSTATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Date of a fact whose message says no time."""

_shipment_update: Final = msgspec.json.Decoder(ShipmentUpdate)
_order_canceled: Final = msgspec.json.Decoder(OrderCanceled)
_order_allocated: Final = msgspec.json.Decoder(OrderAllocated)
_packed_order: Final = msgspec.json.Decoder(PackedOrder)
_inventory_update: Final = msgspec.json.Decoder(InventoryUpdate)
_inventory_change: Final = msgspec.json.Decoder(InventoryChange)
_shipment: Final = msgspec.json.Decoder(ShipmentNode)
_order: Final = msgspec.json.Decoder(OrderNode)
_stock: Final = msgspec.json.Decoder(StockAsOf)


# --- shipments -------------------------------------------------------------------------------------------------------


def shipment_update(body: bytes, tables: Tables) -> Sequence[GoodsShipped]:
    """Webhook "Shipment Update". A test delivery and a shipment that is not completed yet say nothing."""
    message = decoded(_shipment_update, body)
    shipped = message.fulfillment
    if str(message.test) == "1" or shipped.completed is False:
        return ()
    _some(shipped.line_items, "fulfillment.line_items")
    fact = GoodsShipped(
        at=moment(shipped.created_at, "fulfillment.created_at"),
        fulfilment=required(shipped.partner_order_id, "fulfillment.partner_order_id"),
        shipment=global_id("Shipment", shipped.shipment_uuid, shipped.shipment_id, "fulfillment.shipment_id"),
        parcels=_parcels(shipped, message.packages or shipped.packages or (), tables),
    )
    return (fact,)


def _parcels(shipped: Fulfilment, packages: Sequence[Package], tables: Tables) -> tuple[Parcel, ...]:
    """One parcel per package. The legacy fields speak only where there are no packages to mistake them for."""
    boxes = packages if packages else (Package(),)
    by_name: dict[str | None, list[FulfilledLine]] = {box.name: [] for box in boxes}
    loose: list[FulfilledLine] = []
    for line in shipped.line_items:
        by_name.get(line.package, by_name[boxes[0].name] if len(boxes) == 1 else loose).append(line)
    legacy = shipped if len(boxes) == 1 else Fulfilment()
    parcels = [_parcel(box, legacy, by_name.pop(box.name, []), tables) for box in boxes]
    if loose:
        parcels.append(Parcel(lines=_lines(loose)))
    return tuple(parcels)


def _parcel(box: Package, legacy: Fulfilment, lines: Sequence[FulfilledLine], tables: Tables) -> Parcel:
    label = box.shipping_label
    number = box.tracking_number or (label.tracking_number if label else None) or legacy.tracking_number
    carrier = box.shipping_carrier or (label.carrier if label else None) or legacy.shipping_carrier
    service = box.shipping_method or (label.shipping_method if label else None) or legacy.shipping_method
    return Parcel(
        tracking=tracking(number, tables),
        carrier=carrier_word(carrier, tables),
        service=service or None,
        url=(label.tracking_url if label else None) or legacy.custom_tracking_url or None,
        lines=_lines(lines),
    )


def _lines(lines: Iterable[FulfilledLine]) -> tuple[ParcelLine, ...]:
    return tuple(
        ParcelLine(
            line=_reference(line.id, line.sku, "fulfillment.line_items[].id"),
            quantity=whole(line.quantity, "fulfillment.line_items[].quantity"),
        )
        for line in lines
    )


def _reference(line: Id | None, sku: str | None, path: str) -> str:
    """Our line reference; "sku:..." for a line that was added at ShipHero and has none. Raises `Malformed`."""
    return f"sku:{sku}" if line in (None, "") and sku else required(line, path)


def shipment(body: bytes, tables: Tables) -> Sequence[GoodsShipped]:
    """A shipment as the status pull brings it: the same fact, under the same id, as its webhook."""
    node = decoded(_shipment, body)
    if not node.line_items.whole:
        raise Malformed("line_items", "shipment.line_items.pageInfo.hasNextPage", "true")
    if node.completed is False:
        return ()
    _some(node.line_items.nodes, "shipment.line_items")
    fact = GoodsShipped(
        at=moment(node.created_date, "shipment.created_date"),
        fulfilment=required(node.order.partner_order_id if node.order else None, "shipment.order.partner_order_id"),
        shipment=node.id,
        parcels=_labelled(node, tables),
    )
    return (fact,)


def _some(lines: Sequence[object], path: str) -> None:
    """A shipment without lines would stand for all that is left: nothing says that it is."""
    if not lines:
        raise Malformed("line_items", path, "[]")


def _labelled(node: ShipmentNode, tables: Tables) -> tuple[Parcel, ...]:
    """One parcel per label that still stands; units on none, or on a refunded label, in a parcel of their own."""
    labels = [label for label in node.shipping_labels or () if not label.refunded]
    by_label: dict[str | None, list[ParcelLine]] = {label.id: [] for label in labels}
    loose: list[ParcelLine] = []
    for line in node.line_items.nodes:
        item = line.line_item or ShippedLineItem()
        reference = _reference(item.partner_line_item_id, item.sku, "shipment.line_items[].line_item")
        target = by_label[labels[0].id] if len(labels) == 1 else by_label.get(line.shipping_label_id, loose)
        target.append(ParcelLine(line=reference, quantity=line.quantity))
    parcels = [
        Parcel(
            tracking=tracking(label.tracking_number, tables),
            carrier=carrier_word(label.carrier, tables),
            service=label.shipping_method or None,
            lines=tuple(by_label[label.id]),
        )
        for label in labels
    ]
    return (*parcels, Parcel(lines=tuple(loose))) if loose else tuple(parcels)


# --- orders ----------------------------------------------------------------------------------------------------------


def order_canceled(body: bytes, tables: Tables) -> Sequence[CancelConfirmed]:
    """Webhook "Order Canceled"."""
    message = decoded(_order_canceled, body)
    return (CancelConfirmed(at=UNSTATED, fulfilment=required(message.partner_order_id, "partner_order_id")),)


def order_allocated(body: bytes, tables: Tables) -> Sequence[FulfilmentAccepted]:
    """Webhook "Order Allocated": ShipHero has set stock aside, so it has taken the order on."""
    message = decoded(_order_allocated, body)
    fact = FulfilmentAccepted(
        at=moment(message.allocated_at, "allocated_at"),
        fulfilment=required(message.partner_order_id, "partner_order_id"),
        partner_reference=global_id("Order", message.order_uuid, message.order_id, "order_id"),
    )
    return (fact,)


def packed_order(body: bytes, tables: Tables) -> Sequence[UnitsPacked]:
    """ "Order Packed Out" with the order it names.

    A notice lists picks without quantities, so each counts for one unit: never more than was packed, and the shipment
    tells the rest. Dated by the time of the fetch, the notice has none.
    """
    packed = decoded(_packed_order, body)
    lines = {line.legacy_id: line for line in packed.order.line_items.nodes}
    units: dict[int, int] = {}
    for item in packed.notice.items:
        if item.line_item_id is None or item.line_item_id not in lines:
            raise Malformed("line_item_id", "notice.items[].line_item_id", str(item.line_item_id))
        units[item.line_item_id] = units.get(item.line_item_id, 0) + 1
    fact = UnitsPacked(
        at=moment(packed.as_of, "as_of"),
        fulfilment=required(packed.order.partner_order_id, "order.partner_order_id"),
        lines=tuple(_fact_line(lines[number], count) for number, count in units.items()),
    )
    return (fact,) if fact.lines else ()


def order(body: bytes, tables: Tables) -> Sequence[CancelConfirmed | UnitsShort]:
    """An order as the status pull brings it. Closed with units missing is a short pick; cancelled confirms a cancel.

    Status words are free text per account: an unknown one raises `Unmapped`.
    """
    node = decoded(_order, body)
    fulfilment = required(node.partner_order_id, "order.partner_order_id")
    match tables.require("status", required(node.fulfillment_status, "order.fulfillment_status")):
        case "cancelled":
            return (CancelConfirmed(at=UNSTATED, fulfilment=fulfilment),)
        case "shipped":
            short = _missing(node)
            return (UnitsShort(at=UNSTATED, fulfilment=fulfilment, lines=short),) if short else ()
        case _:
            return ()


def _missing(node: OrderNode) -> tuple[FactLine, ...]:
    """Units of a closed order that never left."""
    if not node.line_items.whole:
        raise Malformed("line_items", "order.line_items.pageInfo.hasNextPage", "true")
    found = []
    for line in node.line_items.nodes:
        asked = whole(line.quantity, "order.line_items[].quantity")
        missing = asked - whole(line.quantity_shipped, "order.line_items[].quantity_shipped")
        if missing > 0:
            found.append(_fact_line(line, missing))
    return tuple(found)


def _fact_line(line: OrderLine, quantity: int) -> FactLine:
    if line.partner_line_item_id:
        return FactLine(quantity=quantity, line=line.partner_line_item_id)
    return FactLine(quantity=quantity, sku=required(line.sku, "order.line_items[].sku"))


# --- stock -----------------------------------------------------------------------------------------------------------


def inventory_update(body: bytes, tables: Tables) -> Sequence[StockReported]:
    """Webhook "Inventory Update": physical stock of one warehouse, absolute. Virtual products have no shelf.

    `on_hand` is what is there, allocated or not: ShipHero's own `inventory` subtracts its open orders, which are ours.
    """
    message = decoded(_inventory_update, body)
    lines = tuple(_level(item) for item in message.inventory if not item.virtual)
    return (StockReported(at=UNSTATED, kind=ReportKind.SNAPSHOT, lines=lines),) if lines else ()


def _level(item: UpdatedItem) -> StockLine:
    place = item.updated_warehouse
    if place is None:
        raise Malformed("updated_warehouse", f"inventory[sku={item.sku}].updated_warehouse", "null")
    return StockLine(
        location=location(place.warehouse_id or place.warehouse_uuid, "updated_warehouse.warehouse_id"),
        sku=item.sku,
        on_hand=whole(place.on_hand, f"inventory[sku={item.sku}].updated_warehouse.on_hand"),
    )


def inventory_change(body: bytes, tables: Tables) -> Sequence[StockReported]:
    """Webhook "Inventory Change": how much on hand changed, and why."""
    message = decoded(_inventory_change, body)
    line = StockLine(
        location=location(message.warehouse_id or message.warehouse_uuid, "warehouse_id"),
        sku=message.sku,
        delta=whole(message.quantity, "quantity"),
        lot="" if message.lot_id is None else str(message.lot_id),
    )
    why = ": ".join(part for part in (message.source, message.reason) if part)
    at = moment(message.timestamp, "timestamp")
    return (StockReported(at=at, kind=ReportKind.DELTA, lines=(line,), reason=why or None),)


def inventory_snapshot(body: bytes, tables: Tables) -> Sequence[StockReported]:
    """A page of stock as the stock pull brings it, true when it was asked for."""
    page = decoded(_stock, body)
    lines = tuple(
        StockLine(
            location=location(product.warehouse_id, "products[].warehouse_id"),
            sku=product.sku,
            on_hand=whole(product.on_hand, f"products[sku={product.sku}].on_hand"),
        )
        for product in page.products
    )
    at = moment(page.as_of, "as_of")
    return (StockReported(at=at, kind=ReportKind.SNAPSHOT, lines=lines),) if lines else ()


# --- words and values ------------------------------------------------------------------------------------------------


def carrier_word(raw: str | None, tables: Tables) -> str | None:
    """The carrier's canonical name; None when there is none, "Pickup" included. Raises `Unmapped`."""
    return None if not raw or tables.find("no_tracking", raw) else tables.require("carrier", raw)


def tracking(raw: str | None, tables: Tables) -> str | None:
    """A tracking number. Some words stand in its place: "Pickup" is no number."""
    return None if not raw or tables.find("no_tracking", raw) else raw


def whole(raw: Number | None, path: str) -> int:
    """A count, written as a number or as text. Raises `Malformed`."""
    try:
        return int(raw if raw is not None else "")
    except ValueError:
        raise Malformed("quantity", path, str(raw)) from None


def required(raw: Id | None, path: str) -> str:
    """Text that must be there. Raises `Malformed`."""
    if raw is None or raw == "":
        raise Malformed(path.rpartition(".")[2], path, str(raw))
    return str(raw)


def global_id(kind: str, uuid: str | None, number: Id | None, path: str) -> str:
    """ShipHero's global id, made from the old number where only that came. Raises `Malformed`."""
    return uuid or base64.b64encode(f"{kind}:{required(number, path)}".encode()).decode()


def location(raw: Id | None, path: str) -> str:
    """A warehouse's old number as text, also from its global id: one name per warehouse, whichever way it came."""
    given = required(raw, path)
    if given.isdigit():
        return given
    try:
        decoded = base64.b64decode(given, validate=True).decode()
    except ValueError:
        # binascii.Error, UnicodeDecodeError, and what b64decode says of text that is not ASCII.
        return given
    kind, _, number = decoded.partition(":")
    return number if kind == "Warehouse" and number else given


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """A message as its struct. Raises `Malformed`, naming the path."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at ")
        raise Malformed(sentence, path.strip("`") or "$", "") from error
    except msgspec.DecodeError as error:
        raise Malformed("body", "$", body[:40].decode(errors="replace")) from error
