"""Stored answers to facts. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from adapters.supplier.answers import Answer, Notice, SaidLine
from hub.domain.facts import (
    UNSTATED,
    CancelConfirmed,
    CancelRefused,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsShipped,
    StockLine,
    StockMeaning,
    StockReported,
    UnitsShort,
)
from hub.domain.money import MINOR_UNITS
from hub.domain.purchase import UnitCost
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.sdk.adapter import Message
from hub.sdk.files import digest
from hub.sdk.translate import Malformed, Tables, Unmapped

_answer: Final = msgspec.json.Decoder(Answer)
_word: Final = {word.value: word for word in StockMeaning}


def read_answer(body: bytes, tables: Tables) -> Sequence[Message]:
    """Facts of a stored answer. Raises `Malformed`, `Unmapped`."""
    found, notice = _decoded(body)
    if not found.fulfilment:
        raise Malformed("purchase_order", "$.fulfilment", notice.purchase_order)
    match notice.says:
        case "acknowledged":
            return tuple(_acknowledged(found, notice, tables))
        case "shipped":
            return (_shipped(found, notice, tables),)
        case "cancel_answered":
            return (_cancel_answered(found, notice, tables),)
        case _:
            raise Malformed("says", "$.notice.says", notice.says)


def read_levels(body: bytes, tables: Tables) -> Sequence[Message]:
    """The stock that a supplier says it has. Raises `Malformed`."""
    found, notice = _decoded(body)
    lines = []
    for line in notice.lines:
        if not line.sku or line.quantity is None or line.quantity < 0:
            raise Malformed("lines", "$.notice.lines", f"{line.sku or 'no sku'}: {line.quantity}")
        lines.append(StockLine(location=line.location or "", sku=line.sku, on_hand=line.quantity))
    if not lines:
        raise Malformed("lines", "$.notice.lines", "no levels")
    at = found.at or UNSTATED
    return (StockReported(at=at, kind=ReportKind.SNAPSHOT, lines=tuple(lines), complete=notice.complete),)


def _decoded(body: bytes) -> tuple[Answer, Notice]:
    try:
        found = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Malformed("answer", "$", str(fault)) from fault
    if found.fault is not None or found.notice is None:
        raise Malformed("answer", "$", found.fault or "nothing is said")
    return found, found.notice


def _acknowledged(found: Answer, notice: Notice, tables: Tables) -> Iterator[Message]:
    """What is refused comes first: the cost is that of what is left."""
    at = found.at or UNSTATED
    if tables.require("acknowledgement", notice.status or "") == "refused":
        meaning = _meaning(notice.reason, tables)
        reason = notice.reason or "refused"
        yield FulfilmentRefused(at=at, fulfilment=found.fulfilment, reason=reason, stock=meaning)
        return
    if notice.currency is not None and notice.currency not in MINOR_UNITS:
        raise Unmapped("currency", notice.currency)
    for line in notice.lines:
        if line.refused:
            short = FactLine(line=line.line, sku=None if line.line else line.sku, quantity=line.refused)
            said = line.reason or notice.reason
            meaning = _meaning(said, tables)
            yield UnitsShort(
                at=at, fulfilment=found.fulfilment, lines=(short,), reason=said or "refused", stock=meaning
            )
    yield FulfilmentAccepted(
        at=at,
        fulfilment=found.fulfilment,
        ships_on=found.leaves_at,
        costs=tuple(_cost(line) for line in notice.lines if line.unit_cost is not None),
        currency=notice.currency,
    )


def _meaning(reason: str | None, tables: Tables) -> StockMeaning:
    """What a reason says of the shelf; none says nothing of it."""
    if not reason:
        return StockMeaning.NOTHING
    word = tables.require("refusal", reason)
    if word not in _word:
        raise Malformed("refusal", f"table refusal, {reason!r}", word)
    return _word[word]


def _cost(line: SaidLine) -> UnitCost:
    assert line.unit_cost is not None
    return UnitCost(line=line.line, sku=None if line.line else line.sku, unit_cost=line.unit_cost)


def _shipped(found: Answer, notice: Notice, tables: Tables) -> GoodsShipped:
    parcels = tuple(
        Parcel(
            tracking=box.tracking,
            carrier=(tables.find("carrier", box.carrier) or box.carrier) if box.carrier else None,
            service=box.service,
            lines=tuple(
                ParcelLine(line=line.line or f"sku:{line.sku}", quantity=line.quantity or 0) for line in box.lines
            ),
        )
        for box in notice.parcels
    )
    shipment = notice.shipment or digest(msgspec.json.encode(notice))
    return GoodsShipped(at=found.at or UNSTATED, fulfilment=found.fulfilment, shipment=shipment, parcels=parcels)


def _cancel_answered(found: Answer, notice: Notice, tables: Tables) -> Message:
    at = found.at or UNSTATED
    if tables.require("cancel", notice.status or "") == "cancelled":
        return CancelConfirmed(at=at, fulfilment=found.fulfilment)
    return CancelRefused(at=at, fulfilment=found.fulfilment, reason=notice.reason or "too late")
