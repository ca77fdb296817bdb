"""Pure: ShipBob's stored bodies to facts. Requests and answers of our own calls are in `calls.py`."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from adapters.shipbob import units
from adapters.shipbob.schemas import Order, Shipment, malformed, order_decoder, stock_decoder, stopped_decoder
from hub.domain.facts import (
    AnyFact,
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    FulfilmentHeld,
    GoodsShipped,
    ParcelScanned,
    StockLine,
    StockMeaning,
    StockReported,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine, ScanEvent, TrackingStatus
from hub.domain.stock import ReportKind
from hub.sdk.translate import Tables, utc

GRAMS_PER_OUNCE: Final = Decimal("28.349523125")

_OVER: Final = frozenset({"shipped", "cancelled", "short"})
"""Meanings of a shipment that nobody works on any more."""

_STAGES: Final = {"picked": 1, "packed": 2, "shipped": 3}


def order_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """What an order says: accepted, held or not, how far it is, each shipment that left, or that all was cancelled.

    True however often it is read: a shipment counts once under its id. What fell short is not said here but by
    `stopped_facts`. Raises `Malformed`, or `Unmapped` for a status or carrier that no table knows.
    """
    try:
        order = order_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("order", error) from error
    reference = order.reference_id
    state = tables.require("order_status", order.status)
    if reference is None or not units.ours(order):
        return ()
    if state == "review":
        return (FulfilmentHeld(at=order.changed_at, fulfilment=reference, reasons=(order.status,)),)
    shipments = sorted(order.shipments or (), key=lambda shipment: shipment.id)
    states = {shipment.id: tables.require("status", shipment.status) for shipment in shipments}
    if state == "cancelled" and "shipped" not in states.values():
        return (CancelConfirmed(at=order.changed_at, fulfilment=reference),)
    accepted = FulfilmentAccepted(at=utc(order.created_date), fulfilment=reference, partner_reference=str(order.id))
    facts: list[AnyFact] = [accepted, *_held(order, reference, states), *_progress(order, reference, states, tables)]
    left = [shipment for shipment in shipments if states[shipment.id] == "shipped"]
    contents = units.by_shipment(order) if left else {}
    for shipment in left:
        lines = contents[shipment.id]
        # No lines would mean "all that is left": true only for a shipment that ShipBob lists nothing of.
        if lines or not shipment.products:
            facts.append(_shipped(shipment, reference, lines, tables))
        facts.extend(_scans(shipment, tables))
    return facts


def stopped_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """What a stopped shipment will not bring: the node's shortage, or a part that was cancelled at ShipBob.

    All units of the shipment are named, those that are there too: ShipBob holds it back as a whole. It would send it
    when stock arrives, so whoever sends the units from elsewhere has to cancel them here first.
    """
    try:
        stop = stopped_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("stopped shipment", error) from error
    short = tables.require("status", stop.status) == "short"
    return (
        UnitsShort(
            at=utc(stop.at),
            fulfilment=stop.fulfilment,
            lines=tuple(_line(part.line, part.quantity) for part in stop.lines),
            reason=f"shipment {stop.shipment} is {stop.status} at ShipBob",
            stock=StockMeaning.QUANTITY if short else StockMeaning.NOTHING,
        ),
    )


def stock_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """Physical stock per fulfilment centre: `on_hand_quantity`, of which ShipBob subtracts nothing.

    A thing without SKU is reported as "inventory:<id>", so that it is asked about instead of overlooked.
    """
    try:
        page = stock_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("inventory level", error) from error
    lines = tuple(
        StockLine(
            location=str(place.location_id),
            sku=level.sku or f"inventory:{level.inventory_id}",
            on_hand=place.on_hand_quantity,
        )
        for level in page.items
        for place in level.locations or ()
    )
    return (StockReported(at=utc(page.as_of), kind=ReportKind.SNAPSHOT, lines=lines),) if lines else ()


def _line(name: str, quantity: int) -> FactLine:
    if name.startswith(units.BY_SKU):
        return FactLine(sku=name.removeprefix(units.BY_SKU), quantity=quantity)
    return FactLine(line=name, quantity=quantity)


def _held(order: Order, reference: str, states: dict[int, str]) -> list[AnyFact]:
    """What its shipments on hold are held for, while there is anything to hold; for nothing where they all go on."""
    living = [shipment for shipment in order.shipments or () if states[shipment.id] not in _OVER]
    if not living:
        return []
    reasons = [
        f"{shipment.status}: {', '.join(shipment.details)}" if shipment.details else shipment.status
        for shipment in living
        if states[shipment.id] == "held"
    ]
    return [FulfilmentHeld(at=order.changed_at, fulfilment=reference, reasons=tuple(dict.fromkeys(reasons)))]


def _progress(order: Order, reference: str, states: dict[int, str], tables: Tables) -> list[AnyFact]:
    """Picked or packed, said only when it is true of everything that still lives: the fact names no lines then."""
    living = [shipment for shipment in order.shipments or () if states[shipment.id] != "cancelled"]
    stage = min((_stage(shipment, states[shipment.id], tables) for shipment in living), default=0)
    if stage == _STAGES["picked"]:
        return [UnitsPicked(at=order.changed_at, fulfilment=reference)]
    if stage == _STAGES["packed"]:
        return [UnitsPacked(at=order.changed_at, fulfilment=reference)]
    return []


def _stage(shipment: Shipment, state: str, tables: Tables) -> int:
    # Details are remarks beside the status; ShipBob adds new ones, and one that no table knows says nothing here.
    said = (state, *(tables.find("stage", name) for name in shipment.details)) if state != "short" else ()
    return max((_STAGES.get(word or "", 0) for word in said), default=0)


def _shipped(shipment: Shipment, reference: str, lines: tuple[ParcelLine, ...], tables: Tables) -> GoodsShipped:
    tracking = shipment.tracking
    ounces = shipment.measurements.total_weight_oz if shipment.measurements else None
    cost, currency = shipment.invoice_amount, shipment.invoice_currency_code
    priced = cost is not None and currency is not None
    parcel = Parcel(
        tracking=(tracking.tracking_number or None) if tracking else None,
        carrier=_carrier(shipment, tables),
        service=tracking.carrier_service if tracking else None,
        url=tracking.tracking_url if tracking else None,
        weight_g=_grams(ounces) if ounces else None,
        lines=lines,
        cost=cost if priced else None,
        cost_currency=currency if priced else None,
    )
    at = utc(shipment.actual_fulfillment_date) if shipment.actual_fulfillment_date else shipment.changed_at
    return GoodsShipped(at=at, fulfilment=reference, shipment=str(shipment.id), parcels=(parcel,))


def _scans(shipment: Shipment, tables: Tables) -> list[ParcelScanned]:
    """What ShipBob retells of the carrier; only with the moment that belongs to it."""
    tracking, carrier = shipment.tracking, _carrier(shipment, tables)
    if tracking is None or not tracking.tracking_number or carrier is None:
        return []
    scans = []
    for name in shipment.details:
        word = tables.find("tracking", name)
        at = shipment.delivery_date if word == TrackingStatus.DELIVERED else shipment.last_tracking_update_at
        if word is not None and at is not None:
            event = ScanEvent(at=utc(at), status=TrackingStatus(word), raw=name)
            scans.append(ParcelScanned(at=utc(at), tracking=tracking.tracking_number, carrier=carrier, event=event))
    return scans


def _carrier(shipment: Shipment, tables: Tables) -> str | None:
    word = shipment.tracking.carrier if shipment.tracking else None
    return tables.require("carrier", word) if word else None


def _grams(ounces: Decimal) -> int:
    return int((ounces * GRAMS_PER_OUNCE).to_integral_value(ROUND_CEILING))
