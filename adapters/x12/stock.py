"""846 (what is there), 947 (what was corrected) and 944 (what was received). Pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from adapters.x12.document import Amount, Document, amount, first, fulfilment, goods, moment, opened, units, warehouse
from adapters.x12.interchange import Segment, element
from hub.domain.facts import (
    FactLine,
    GoodsArrived,
    GoodsLost,
    GoodsReturned,
    ReturnedLine,
    StockLine,
    StockReported,
)
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.ids import LENGTH
from hub.domain.returns import Disposition
from hub.domain.stock import ReportKind
from hub.sdk.adapter import Message
from hub.sdk.translate import Malformed, Tables


def inventory(body: bytes, tables: Tables) -> Sequence[Message]:
    """846 as a snapshot. `[inventory]` says by BIA01 whether what is not listed is not there: complete or partial."""
    document = opened(body)
    head = first(document, "BIA")
    extent = tables.require("inventory", element(head, 1))
    lines: list[StockLine] = []
    place = None
    before = list(takewhile(lambda segment: segment[0] != "LIN", document.segments))
    for block in _blocks(document, "LIN"):
        if any(s[0] == "N1" for s in block):
            place = warehouse(document, tables, block)
        elif place is None:
            place = warehouse(document, tables, before)
        line = _level(document, block, place, tables)
        if line is not None:
            lines.append(line)
    if not lines:
        raise Malformed("846", document.where, "no quantity that the table [quantity] calls on_hand")
    at = moment(document, element(head, 4), element(head, 5))
    return (StockReported(at=at, kind=ReportKind.SNAPSHOT, lines=tuple(lines), complete=extent == "complete"),)


def _level(document: Document, block: Sequence[Segment], here: str, tables: Tables) -> StockLine | None:
    """The level that a LIN states; None when its quantities are of other kinds. Raises `Unmapped` for an unknown."""
    named = goods(document, block[0], 2, tables)
    total, unit, found = 0, None, False
    for segment in block:
        if segment[0] != "QTY" or tables.require("quantity", element(segment, 1)) != "on_hand":
            continue
        measured = amount(document, element(segment, 2), element(segment, 3) or "EA", tables)
        if found and measured.unit != unit:
            raise Malformed("QTY", document.where, f"{named.sku} in two units")
        total, unit, found = total + measured.quantity, measured.unit, True
    lot = next((element(s, 2) for s in block if s[0] in ("REF", "N9") and element(s, 1) in ("LT", "LS")), "")
    return StockLine(location=here, sku=named.sku, on_hand=total, lot=lot, unit=unit) if found else None


def adjustment(body: bytes, tables: Tables) -> Sequence[Message]:
    """947 as changes, a fact per reason. `[adjustment]` names W1901: "count", "damaged" and the like, or "ignore"."""
    document = opened(body)
    head = first(document, "W15")
    here = warehouse(document, tables)
    changes: dict[str, list[StockLine]] = {}
    for segment in document.segments:
        if segment[0] != "W19":
            continue
        reason = tables.require("adjustment", element(segment, 1))
        named = goods(document, segment, 4, tables, lot_after=3)
        measured = amount(document, element(segment, 2), element(segment, 3), tables)
        changes.setdefault(reason, []).append(
            StockLine(location=here, sku=named.sku, delta=measured.quantity, lot=named.lot, unit=measured.unit)
        )
    if not changes:
        raise Malformed("947", document.where, "no W19 segment")
    at = moment(document, element(head, 1))
    return tuple(
        StockReported(at=at, kind=ReportKind.DELTA, lines=tuple(lines), reason=reason)
        for reason, lines in changes.items()
        if reason != "ignore"
    )


def receipt(body: bytes, tables: Tables) -> Sequence[Message]:
    """944: a transfer that arrived, goods that came back, or goods that were bought, by what the document refers to.

    Units that W13 calls damaged are part of what W07 counts, and not for sale. Those that it calls short are not: of a
    transfer they are lost, and nobody waits for them.
    """
    document = opened(body)
    head = first(document, "W17")
    at, number = moment(document, element(head, 2)), element(head, 3)
    here = warehouse(document, tables)
    received = [_Received(document, block, tables) for block in _blocks(document, "W07")]
    if not received:
        raise Malformed("944", document.where, "no lines (W07)")
    refers = receipt_of(document.segments)
    if refers == "return":
        return (_came_back(document, at, number, here, received, tables),)
    asked = fulfilment(element(head, 4))
    if refers == "transfer":
        return _arrived(document, at, asked, received, tables)
    lines = []
    for one in received:
        whole = one.whole_in_its_unit(tables)
        lines.append(StockLine(location=here, sku=one.sku, delta=whole.quantity, lot=one.lot, unit=whole.unit))
    reason = f"receipt {number}" if number else "receipt"
    return (StockReported(at=at, kind=ReportKind.DELTA, lines=tuple(lines), reason=reason),)


def receipt_of(segments: Sequence[Segment]) -> str:
    """What a receipt is of: "transfer" (it names a fulfilment order), "return" (it names an RMA) or "purchase"."""
    if any(segment[0] == "N9" and element(segment, 1) in ("RZ", "RMA") for segment in segments):
        return "return"
    named = next((fulfilment(element(segment, 4)) for segment in segments if segment[0] == "W17"), "")
    try:
        order, _ = split_fulfilment_id(named)
    except ValueError:
        return "purchase"
    return "transfer" if len(order) == LENGTH else "purchase"


class _Received:
    """A W07 with what follows it. Raises `Malformed` for less than nothing, or more damaged than came."""

    def __init__(self, document: Document, block: Sequence[Segment], tables: Tables) -> None:
        segment = block[0]
        self._document = document
        self._written, self._code = element(segment, 1), element(segment, 2)
        found = goods(document, segment, 3, tables, lot_after=3)
        self.sku, self.lot = found.sku, found.lot
        lines = (s for s in block if s[0] == "N9" and tables.find("reference", f"N9 {element(s, 1)}") == "line")
        self.line = next((element(s, 2) for s in lines), None)
        self._said: list[tuple[str, str, str]] = []
        """Of each W13: what it means, the quantity and its unit, which is W07's where it states none."""
        for said in block:
            if said[0] == "W13":
                meaning = tables.require("receipt_condition", element(said, 3))
                self._said.append((meaning, element(said, 1), element(said, 2) or self._code))

    def units(self, tables: Tables) -> tuple[int, int, int]:
        """Base units that came whole, that came damaged, and that did not come."""
        came = units(self._document, self._written, self._code, tables)
        said = {"damaged": 0, "short": 0}
        for meaning, quantity, code in self._said:
            if meaning in said:
                said[meaning] += self._counted(units(self._document, quantity, code, tables))
        return self._counted(came - said["damaged"]), said["damaged"], said["short"]

    def whole_in_its_unit(self, tables: Tables) -> Amount:
        """What came whole, in W07's unit: W13 must be in the same, for only the item could tell how they compare."""
        came = amount(self._document, self._written, self._code, tables)
        whole = came.quantity
        for meaning, quantity, code in self._said:
            if meaning == "damaged":
                damaged = amount(self._document, quantity, code, tables)
                if damaged.unit != came.unit:
                    raise Malformed(
                        "W13", self._document.where, f"{self.sku} is damaged in {code}, W07 is {self._code}"
                    )
                whole -= self._counted(damaged.quantity)
        return Amount(self._counted(whole), came.unit)

    def _counted(self, quantity: int) -> int:
        if quantity < 0:
            text = f"{self.sku}: less than nothing, or more damaged (W13) than received"
            raise Malformed("W07", self._document.where, text)
        return quantity

    def fact_line(self, quantity: int) -> FactLine:
        """Units of it."""
        if self.line is not None:
            return FactLine(line=self.line, quantity=quantity)
        return FactLine(sku=self.sku, quantity=quantity)


def _arrived(
    document: Document, at: datetime, asked: str, received: Sequence[_Received], tables: Tables
) -> tuple[Message, ...]:
    counts = [(one, one.units(tables)) for one in received]
    good, broken, short = (
        tuple(one.fact_line(count[place]) for one, count in counts if count[place]) for place in range(3)
    )
    facts: list[Message] = []
    if good:
        facts.append(GoodsArrived(at=at, fulfilment=asked, lines=good))
    if broken:
        facts.append(GoodsLost(at=at, fulfilment=asked, lines=broken, reason="damaged on arrival"))
    if short:
        facts.append(GoodsLost(at=at, fulfilment=asked, lines=short, reason="short on arrival"))
    if not facts:
        raise Malformed("944", document.where, "nothing was received")
    return tuple(facts)


def _came_back(
    document: Document, at: datetime, number: str, here: str, received: Sequence[_Received], tables: Tables
) -> GoodsReturned:
    lines: list[ReturnedLine] = []
    for one in received:
        whole, broken, _ = one.units(tables)
        for quantity, disposition in ((whole, Disposition.RESTOCK), (broken, Disposition.REFURBISH)):
            if quantity > 0:
                lines.append(ReturnedLine(sku=one.sku, quantity=quantity, disposition=disposition))
    named = next((s for s in document.segments if s[0] == "N9" and element(s, 1) in ("RZ", "RMA")), ())
    return GoodsReturned(
        at=at, receipt=number or document.where, location=here, lines=tuple(lines), return_id=element(named, 2)
    )


def _blocks(document: Document, name: str) -> list[list[Segment]]:
    """Each segment of a name with those after it, to the next of its name or the totals."""
    found: list[list[Segment]] = []
    for segment in document.segments:
        if segment[0] in ("CTT", "W14"):
            break
        if segment[0] == name:
            found.append([segment])
        elif found:
            found[-1].append(segment)
    return found
