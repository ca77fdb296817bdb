"""Odoo's stored words to facts: transfers, what they fell short of, returns, stock and its movements. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final, TypeVar

import msgspec

from adapters.odoo.marks import Group, groups
from adapters.odoo.schemas import display, record_id
from adapters.odoo.warehouse_rows import Move, Transfer
from hub.domain.facts import (
    AnyFact,
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    GoodsReturned,
    GoodsShipped,
    ReturnedLine,
    StockLine,
    StockMeaning,
    StockReported,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.sdk.translate import Malformed, Tables, Unmapped, utc

T = TypeVar("T")


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a lot that left with a move."""

    move: int
    lot: str
    quantity: Decimal


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that Odoo says of a fulfilment order: one stored body of the topic `transfer`."""

    fulfilment: str
    transfers: tuple[Transfer, ...]
    moves: tuple[Move, ...]
    lots: tuple[Lot, ...] = ()


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """What a fulfilment order that has ended did not bring: one stored body of `shortfall`."""

    fulfilment: str
    at: str
    transfers: str
    lines: tuple[tuple[str, int], ...]


class Units(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a SKU, in the product's own unit; those of a lot where there are lots."""

    sku: str
    quantity: Decimal
    lot: str = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A return that arrived: one stored body of `receipt`."""

    receipt: str
    at: str
    warehouse: str
    fulfilment: str
    lines: tuple[Units, ...]


class Quants(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the shelves of a warehouse: one stored body of `quants`."""

    as_of: str
    warehouse: str
    levels: tuple[Units, ...]


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Units that came to a warehouse's shelves or left them: one stored body of `movement`. What left is negative."""

    at: str
    sku: str
    quantity: Decimal
    warehouse: str
    lot: str = ""
    reference: str = ""


def _decoder(kind: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(kind).decode


_snapshot: Final = _decoder(Snapshot)
_shortfall: Final = _decoder(Shortfall)
_receipt: Final = _decoder(Receipt)
_quants: Final = _decoder(Quants)
_movement: Final = _decoder(Movement)


# --- transfers -------------------------------------------------------------------------------------------------------


def transfer_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """What Odoo says of a fulfilment order: accepted once all of it is reserved, picked, each transfer that left, or
    that all of it was cancelled.

    True however often it is read: a shipment counts once under its transfer's id. Raises `Malformed`, or `Unmapped`
    for a state that no table knows.
    """
    found = _read(_snapshot, body, "transfer")
    states = {one.id: tables.require("status", one.state) for one in found.transfers}
    for move in found.moves:
        tables.require("status", move.state)
    if states and set(states.values()) == {"cancelled"}:
        at = max(moment(one.write_date) for one in found.transfers)
        return (CancelConfirmed(at=at, fulfilment=found.fulfilment),)
    return (*_accepted(found, states), *_picked(found, states), *progress(found, tables))


def progress(found: Snapshot, tables: Tables | None = None) -> tuple[GoodsShipped, ...]:
    """Each transfer that left, with the units of our lines in it. Of a kit those that became whole with it."""
    done = sorted((one for one in found.transfers if one.state == "done"), key=lambda one: (str(one.date_done), one.id))
    shipped: list[GoodsShipped] = []
    told: dict[int, int] = {}
    left: set[int] = set()
    kinds = groups(found.fulfilment, found.moves)
    for transfer in done:
        left.add(transfer.id)
        lines: list[ParcelLine] = []
        for group in kinds:
            before = told.get(group.asked.product, 0)
            now = group.whole(
                move for move in group.moves if move.state == "done" and record_id(move.picking_id) in left
            )
            told[group.asked.product] = now
            lines += _by_lot(_lines(group, before, now), _lots(found, group, transfer))
        if lines:
            parcels = _parcels(transfer, tuple(lines), tables)
            at = moment(str(transfer.date_done))
            shipped.append(GoodsShipped(at=at, fulfilment=found.fulfilment, shipment=str(transfer.id), parcels=parcels))
    return tuple(shipped)


def _lines(group: Group, before: int, now: int) -> list[ParcelLine]:
    """Units number `before` to `now` of a product by our lines, served in their order; the last takes any surplus."""
    found, start = [], 0
    for place, (line, wanted) in enumerate(group.asked.lines):
        last = place == len(group.asked.lines) - 1
        end = max(now, start) if last else start + wanted
        units = min(now, end) - max(before, start)
        if units > 0:
            found.append(ParcelLine(line=line, quantity=units))
        start += wanted
    return found


def _lots(found: Snapshot, group: Group, transfer: Transfer) -> list[tuple[str, int]]:
    """Units of each lot that left with a transfer. The lots of a kit's components are not the kit's."""
    of_itself = {move.id for move in group.moves if record_id(move.product_id) == group.asked.product}
    left = {move.id for move in group.moves if record_id(move.picking_id) == transfer.id and move.id in of_itself}
    return [(one.lot, int(one.quantity)) for one in found.lots if one.move in left]


def _by_lot(lines: Sequence[ParcelLine], lots: Sequence[tuple[str, int]]) -> list[ParcelLine]:
    """The same units, a lot each as far as lots are named."""
    waiting, found = list(lots), []
    for line in lines:
        left = line.quantity
        while left and waiting:
            lot, there = waiting.pop(0)
            units = min(left, there)
            if units:
                found.append(ParcelLine(line=line.line, quantity=units, lot=lot))
            if there > units:
                waiting.insert(0, (lot, there - units))
            left -= units
        if left:
            found.append(ParcelLine(line=line.line, quantity=left))
    return found


def _parcels(transfer: Transfer, lines: tuple[ParcelLine, ...], tables: Tables | None) -> tuple[Parcel, ...]:
    """One box per tracking number: Odoo has one field for all, and says of none what is in it."""
    numbers = str(transfer.carrier_tracking_ref or "").replace(";", ",").split(",")
    trackings = [number.strip() for number in numbers if number.strip()]
    method = display(transfer.carrier_id)
    # Delivery methods are the merchant's own words; one that no table knows goes on as it is.
    carrier = (tables.find("carrier", method) or method) if tables is not None and method else method
    url = transfer.carrier_tracking_url if isinstance(transfer.carrier_tracking_url, str) else None
    first = Parcel(
        tracking=trackings[0] if trackings else None,
        carrier=carrier,
        service=method,
        url=url if len(trackings) == 1 else None,
        lines=lines,
    )
    return (first, *(Parcel(tracking=number, carrier=carrier, service=method) for number in trackings[1:]))


def _accepted(found: Snapshot, states: dict[int, str]) -> list[FulfilmentAccepted]:
    """Odoo has taken it on when it has put all of it aside. A transfer's own word for that is also said of a part."""
    waiting = {transfer for transfer, state in states.items() if state == "open"}
    living = [move for move in found.moves if record_id(move.picking_id) in waiting and move.state != "cancel"]
    if "draft" in states.values() or any(move.quantity < move.product_uom_qty for move in living):
        return []
    first = min(found.transfers, key=lambda one: one.id, default=None)
    if first is None:
        return []
    at = moment(first.create_date)
    return [FulfilmentAccepted(at=at, fulfilment=found.fulfilment, partner_reference=first.name)]


def _picked(found: Snapshot, states: dict[int, str]) -> list[UnitsPicked]:
    """Said only when it is true of everything that still lives, and nothing has left: the fact names no lines then."""
    if set(states.values()) - {"cancelled"} != {"open"}:
        return []
    living = [move for move in found.moves if move.state != "cancel" and move.product_uom_qty]
    if not living or not all(move.picked and move.quantity >= move.product_uom_qty for move in living):
        return []
    return [UnitsPicked(at=max(moment(move.write_date) for move in living), fulfilment=found.fulfilment)]


def shortfall(found: Snapshot) -> Shortfall | None:
    """What was asked for and will not come: a part left, the rest was cancelled or left without a backorder.

    Computed from units, not from what the transfers say of themselves; None while something may still come.
    """
    states = {one.state for one in found.transfers}
    if "done" not in states or states - {"done", "cancel"}:
        return None
    lines: list[tuple[str, int]] = []
    for group in groups(found.fulfilment, found.moves):
        came = group.whole(move for move in group.moves if move.state == "done")
        for line, wanted in group.asked.lines:
            if wanted > came:
                lines.append((line, wanted - max(came, 0)))
            came -= wanted
    ended = [one.name for one in found.transfers]
    at = max(one.write_date for one in found.transfers)
    return (
        Shortfall(fulfilment=found.fulfilment, at=at, transfers=", ".join(ended), lines=tuple(lines)) if lines else None
    )


def shortfall_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """Units of a fulfilment order that stayed behind for good. Whether they are on the shelf, the stock figures say."""
    found = _read(_shortfall, body, "shortfall")
    return (
        UnitsShort(
            at=moment(found.at),
            fulfilment=found.fulfilment,
            lines=tuple(FactLine(line=line, quantity=units) for line, units in found.lines),
            reason=f"Odoo closed {found.transfers} without them",
            stock=StockMeaning.NOTHING,
        ),
    )


# --- returns and stock -----------------------------------------------------------------------------------------------


def receipt_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """Goods that came back to a warehouse, of one of our fulfilment orders. Counts once under the transfer's name."""
    found = _read(_receipt, body, "receipt")
    lines = tuple(ReturnedLine(quantity=_whole(one.quantity, one.sku), sku=one.sku) for one in found.lines)
    return (
        GoodsReturned(
            at=moment(found.at), receipt=found.receipt, location=found.warehouse, lines=lines, order=found.fulfilment
        ),
    )


def quants_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """Everything on a warehouse's shelves, reserved or not: what is not listed is not there.

    Of a part of a unit the whole units below it are told: so many can be sold.
    """
    found = _read(_quants, body, "quants")
    lines = tuple(
        StockLine(
            location=found.warehouse,
            sku=one.sku,
            on_hand=int(one.quantity.to_integral_value(ROUND_FLOOR)),
            lot=one.lot,
        )
        for one in found.levels
    )
    at = moment(found.as_of)
    return (StockReported(at=at, kind=ReportKind.SNAPSHOT, lines=lines, complete=True),)


def movement_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """A change of a warehouse's stock that none of our transfers made. Raises `Unmapped` for a part of a unit."""
    found = _read(_movement, body, "movement")
    delta = _whole(found.quantity, found.sku)
    line = StockLine(location=found.warehouse, sku=found.sku, delta=delta, lot=found.lot)
    return (StockReported(at=moment(found.at), kind=ReportKind.DELTA, lines=(line,), reason=found.reference or None),)


def moment(text: str) -> datetime:
    """Odoo's date and time, which is UTC without saying so. Raises `Malformed`."""
    try:
        stated = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("date and time", "body", text) from None
    return utc(stated)


def _whole(quantity: Decimal, sku: str) -> int:
    if quantity != quantity.to_integral_value():
        raise Unmapped("whole units", f"{quantity} of {sku}")
    return int(quantity)


def _read(decode: Callable[[bytes], T], body: bytes, topic: str) -> T:
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed(topic, "body", str(error)) from None
