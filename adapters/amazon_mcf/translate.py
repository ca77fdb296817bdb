"""Pure: stored orders of either version and pages of inventory to facts."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from adapters.amazon_mcf.outbound import Item, Order, Outbound, Package, Shipment
from adapters.amazon_mcf.v2020 import Outbound2020
from adapters.amazon_mcf.v2026 import Outbound2026
from hub.domain.facts import (
    AnyFact,
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsShipped,
    ParcelScanned,
    StockLine,
    StockMeaning,
    StockReported,
    UnitsShort,
)
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.ids import LENGTH
from hub.domain.shipping import Parcel, ParcelLine, ScanEvent, TrackingStatus
from hub.domain.stock import ReportKind
from hub.sdk.translate import Malformed, Tables, utc

V2020: Final[Outbound] = Outbound2020()
V2026: Final[Outbound] = Outbound2026()
VERSIONS: Final = {"2020-07-01": V2020, "2026-07-04": V2026}

OVER: Final = frozenset({"partial", "cancelled"})
"""States in which what has not left never will."""


def ours(order: str) -> bool:
    """Whether the hub made an order: the seller's own and other tools' share the list."""
    try:
        parent, _ = split_fulfilment_id(order)
    except ValueError:
        return False
    return len(parent) == LENGTH


# --- orders -----------------------------------------------------------------------------------------------------------


def facts_2020(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """An order of 2020-07-01."""
    return order_facts(read(V2020, body), tables)


def facts_2026(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """An order of 2026-07-04."""
    return order_facts(read(V2026, body), tables)


def read(version: Outbound, body: bytes) -> Order:
    """The order of a stored body. Raises `Malformed`."""
    try:
        order = version.order(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Malformed("order", "$", str(error)[:200]) from None
    return msgspec.structs.replace(order, received_at=utc(order.received_at), changed_at=utc(order.changed_at))


def order_facts(order: Order, tables: Tables) -> Sequence[AnyFact]:
    """What an order says, true however often it is read: a shipment counts once under its id.

    What fell short is not said here but by `short_facts`. Raises `Unmapped` for a status or carrier nobody mapped.
    """
    if not ours(order.id):
        return ()
    state = tables.require("order_status", order.status)
    states = {shipment.id: tables.require("status", shipment.status) for shipment in order.shipments}
    left = [shipment for shipment in order.shipments if states[shipment.id] == "shipped"]
    if state == "cancelled" and not left:
        return (CancelConfirmed(at=utc(order.changed_at), fulfilment=order.id),)
    if state in ("unfulfillable", "invalid") and not left:
        meaning = StockMeaning.QUANTITY if state == "unfulfillable" else StockMeaning.NOTHING
        reason = f"Amazon calls the order {order.status}"
        return (FulfilmentRefused(at=utc(order.changed_at), fulfilment=order.id, reason=reason, stock=meaning),)
    accepted = FulfilmentAccepted(at=utc(order.received_at), fulfilment=order.id, partner_reference=order.id)
    facts: list[AnyFact] = [accepted]
    for shipment in left:
        facts.append(_shipped(order, shipment, tables))
        facts.extend(_scans(shipment, tables))
    return tuple(facts)


def _shipped(order: Order, shipment: Shipment, tables: Tables) -> GoodsShipped:
    """A shipment that left. Units whose package nobody names are in its only one, or in a parcel without tracking."""
    sole = shipment.packages[0].id if len(shipment.packages) == 1 else None
    parcels = [
        _parcel(package, [item for item in shipment.items if (item.package or sole) == package.id], tables)
        for package in shipment.packages
    ]
    known = {package.id for package in shipment.packages}
    loose = [item for item in shipment.items if (item.package or sole) not in known]
    if loose:
        parcels.append(Parcel(lines=_lines(loose)))
    at = shipment.at or order.changed_at
    return GoodsShipped(at=utc(at), fulfilment=order.id, shipment=shipment.id, parcels=tuple(parcels))


def _parcel(package: Package, items: Sequence[Item], tables: Tables) -> Parcel:
    carrier = tables.require("carrier", package.carrier) if package.carrier else None
    return Parcel(tracking=package.tracking or None, carrier=carrier, url=package.url, lines=_lines(items))


def _lines(items: Sequence[Item]) -> tuple[ParcelLine, ...]:
    units: Counter[str] = Counter()
    for item in items:
        units[item.line] += item.quantity
    return tuple(ParcelLine(line=line, quantity=quantity) for line, quantity in units.items())


def _scans(shipment: Shipment, tables: Tables) -> list[ParcelScanned]:
    """Arrivals: of all that Amazon says about a package only this has a time of its own."""
    found = []
    for package in shipment.packages:
        word = tables.require("tracking", package.status) if package.status else None
        carrier = tables.require("carrier", package.carrier) if package.carrier else None
        if word == "delivered" and package.delivered_at and package.tracking and carrier:
            at = utc(package.delivered_at)
            event = ScanEvent(at=at, status=TrackingStatus.DELIVERED, raw=package.status or word)
            found.append(ParcelScanned(at=at, tracking=package.tracking, carrier=carrier, event=event))
    return found


# --- what fell short --------------------------------------------------------------------------------------------------


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an order that is over, and that never left. Made by the pull: told once, whatever else changes."""

    fulfilment: str
    status: str
    at: datetime
    lines: tuple[tuple[str, int], ...]


_shortfall = msgspec.json.Decoder(Shortfall)


def shortfall(order: Order, tables_state: str | None) -> Shortfall | None:
    """What an order will not bring, once it is over; None while it lives, or when all of it left or none did.

    An order that was cancelled whole says so itself.
    """
    if tables_state not in OVER or not ours(order.id):
        return None
    lines = tuple((line.id, line.cancelled + line.unfulfillable) for line in order.lines)
    lines = tuple((name, units) for name, units in lines if units > 0)
    whole = sum(units for _, units in lines) == sum(line.quantity for line in order.lines)
    if not lines or (tables_state == "cancelled" and whole):
        return None
    return Shortfall(fulfilment=order.id, status=order.status, at=utc(order.changed_at), lines=lines)


def short_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """Units that never left, as the node's shortage, or as a part that was cancelled at Amazon."""
    try:
        short = _shortfall.decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed("shortfall", "$", str(error)[:200]) from None
    state = tables.require("order_status", short.status)
    lines = tuple(FactLine(line=line, quantity=units) for line, units in short.lines)
    meaning = StockMeaning.NOTHING if state == "cancelled" else StockMeaning.QUANTITY
    reason = f"Amazon calls the order {short.status}"
    return (UnitsShort(at=utc(short.at), fulfilment=short.fulfilment, lines=lines, reason=reason, stock=meaning),)


# --- inventory --------------------------------------------------------------------------------------------------------


class _Details(msgspec.Struct, frozen=True, rename="camel"):
    fulfillable_quantity: int


class _Summary(msgspec.Struct, frozen=True, rename="camel"):
    inventory_details: _Details
    seller_sku: str | None = None
    fn_sku: str | None = None


class StockPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of inventory, with the moment it was asked for and our name of the place."""

    as_of: datetime
    location: str
    summaries: tuple[msgspec.Raw, ...]


class _ReadPage(msgspec.Struct, frozen=True):
    as_of: datetime
    location: str
    summaries: tuple[_Summary, ...]


_stock = msgspec.json.Decoder(_ReadPage)


def stock_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """What can be picked now: `fulfillableQuantity`, off which Amazon has taken all that orders reserve, ours too.

    A thing without SKU is reported as "fnsku:<id>", so that it is asked about instead of overlooked.
    """
    try:
        page = _stock.decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed("inventory", "$", str(error)[:200]) from None
    lines = tuple(
        StockLine(
            location=page.location,
            sku=one.seller_sku or f"fnsku:{one.fn_sku}",
            on_hand=one.inventory_details.fulfillable_quantity,
        )
        for one in page.summaries
    )
    return (StockReported(at=utc(page.as_of), kind=ReportKind.SNAPSHOT, lines=lines),) if lines else ()
