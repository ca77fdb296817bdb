"""945: what left a warehouse. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from adapters.x12.document import LARGEST_POWER, Document, first, fulfilment, goods, moment, opened, units
from adapters.x12.interchange import Segment, element
from hub.domain.facts import FactLine, FulfilmentAccepted, GoodsShipped, StockMeaning, UnitsShort
from hub.domain.shipping import Parcel, ParcelLine
from hub.sdk.adapter import Message
from hub.sdk.translate import Malformed, Tables

Mark = tuple[str, ...]
"""Tracking numbers that speak of a line."""


def shipping_advice(body: bytes, tables: Tables) -> Sequence[Message]:
    """What left, in which parcels, and what will not come. Raises `Malformed`, `Unmapped`."""
    document = opened(body)
    head = first(document, "W06")
    asked = fulfilment(element(head, 2))
    if not asked:
        raise Malformed("945", document.where, "W0602 names no order")
    at = _left_at(document, head)
    lines = [_Line(document, block, marks, tables) for block, marks in _blocks(document, tables)]
    if not lines:
        raise Malformed("945", document.where, "no lines (W12)")
    facts: list[Message] = []
    if any(line.units for line in lines):
        parcels = _parcels(document, [line for line in lines if line.units], tables)
        facts.append(GoodsShipped(at=at, fulfilment=asked, shipment=_shipment(document, head, lines), parcels=parcels))
    short = tuple(line.short_line for line in lines if line.short > 0)
    if short:
        reason = f"945: {', '.join(sorted({line.status for line in lines if line.short > 0}))}"
        facts.append(
            UnitsShort(at=at, fulfilment=asked, lines=short, reason=reason, stock=StockMeaning.QUANTITY),
        )
    return facts or (FulfilmentAccepted(at=at, fulfilment=asked),)


class _Line:
    """A W12 with what follows it."""

    def __init__(self, document: Document, block: Sequence[Segment], marks: Mark, tables: Tables) -> None:
        segment = block[0]
        self.status = element(segment, 1)
        if not self.status:
            raise Malformed("W12", document.where, "W1201 states no status")
        meaning = tables.require("line_status", self.status)
        code = element(segment, 5)
        self.units = units(document, element(segment, 3) or "0", code, tables)
        if self.units < 0:
            raise Malformed("W1203", document.where, element(segment, 3))
        wanted = element(segment, 2)
        asked = units(document, wanted, code, tables) if wanted else self.units
        self.short = max(0, asked - self.units) if meaning == "final" else 0
        found = goods(document, segment, 6, tables)
        self.sku, self.lot = found.sku, found.lot
        self.line = _reference(block[1:], "line", tables)
        own = tuple(_references(block[1:], "tracking", tables))
        self.marks = own or marks

    @property
    def name(self) -> str:
        """As a parcel's line names it."""
        return self.line or f"sku:{self.sku}"

    @property
    def short_line(self) -> FactLine:
        """What is missing of it."""
        if self.line is not None:
            return FactLine(line=self.line, quantity=self.short)
        return FactLine(sku=self.sku, quantity=self.short)


def _blocks(document: Document, tables: Tables) -> list[tuple[list[Segment], Mark]]:
    """Each W12 with the segments after it, and the tracking numbers of the box (LX) that it stands in."""
    found: list[tuple[list[Segment], Mark]] = []
    box: list[Segment] = []
    inside = False
    for segment in document.segments:
        match segment[0]:
            case "LX":
                box, inside = [], False
            case "W12":
                found.append(([segment], tuple(_references(box, "tracking", tables))))
                inside = True
            case "W03":
                break
            case _ if inside:
                found[-1][0].append(segment)
            case _:
                box.append(segment)
    return found


def _references(segments: Sequence[Segment], kind: str, tables: Tables) -> list[str]:
    """What N9 and MAN say under qualifiers that `[reference]` calls by this kind."""
    return [
        value
        for segment in segments
        if segment[0] in ("N9", "MAN")
        for value in (element(segment, 2),)
        if value and tables.find("reference", f"{segment[0]} {element(segment, 1)}") == kind
    ]


def _reference(segments: Sequence[Segment], kind: str, tables: Tables) -> str | None:
    found = _references(segments, kind, tables)
    return found[0] if found else None


def _parcels(document: Document, lines: Sequence[_Line], tables: Tables) -> tuple[Parcel, ...]:
    """Boxes. Units of which several numbers speak lie in one without a number beside those with theirs."""
    general = tuple(dict.fromkeys(_references(_before_lines(document), "tracking", tables)))
    boxes: dict[str | None, list[ParcelLine]] = {}
    for line in lines:
        marks = line.marks or general
        held = boxes.setdefault(marks[0] if len(marks) == 1 else None, [])
        held.append(ParcelLine(line=line.name, quantity=line.units, lot=line.lot or None))
        if len(marks) > 1:
            for mark in marks:
                boxes.setdefault(mark, [])
    carriage = next((segment for segment in document.segments if segment[0] == "W27"), ())
    scac = element(carriage, 2)
    carrier = (tables.find("carrier", scac) or scac) if scac else None
    grams = _grams(document, tables) if len(boxes) == 1 else None
    return tuple(
        Parcel(
            tracking=tracking,
            carrier=carrier,
            service=element(carriage, 3) or None,
            weight_g=grams,
            lines=tuple(held),
        )
        for tracking, held in boxes.items()
    )


def _before_lines(document: Document) -> list[Segment]:
    names = [segment[0] for segment in document.segments]
    end = min((names.index(name) for name in ("LX", "W12") if name in names), default=len(names))
    return list(document.segments[:end])


def _grams(document: Document, tables: Tables) -> int | None:
    """Weight of the whole shipment (W03), by `[weight]`: grams of one unit. None where it is not known."""
    total = next((segment for segment in document.segments if segment[0] == "W03"), ())
    factor = tables.find("weight", element(total, 3))
    try:
        weight = Decimal(element(total, 2)) * Decimal(factor) if factor else Decimal(0)
    except InvalidOperation:
        return None
    return int(weight) or None if weight.is_finite() and weight > 0 and weight.adjusted() <= LARGEST_POWER else None


def _left_at(document: Document, head: Segment) -> datetime:
    for segment in document.segments:
        if segment[0] == "G62" and element(segment, 1) == "11":
            return moment(document, element(segment, 2), element(segment, 4))
    return moment(document, element(head, 3))


def _shipment(document: Document, head: Segment, lines: Sequence[_Line]) -> str:
    """The sender's id of the shipment. Some write the order's number there every time, so what left is part of it: the
    same advice under new control numbers is one shipment, another part of the order is another."""
    stated = element(head, 4)
    if not stated:
        return document.where
    content = "|".join(f"{line.name}={line.units}@{line.lot}{','.join(line.marks)}" for line in lines)
    return f"{stated}#{hashlib.blake2b(content.encode(), digest_size=4).hexdigest()}"
