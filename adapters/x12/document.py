"""A transaction as it is stored, and how its elements are read under the partner's code tables. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from adapters.x12.interchange import Segment, element
from hub.domain.facts import UNSTATED
from hub.sdk.translate import Malformed, Tables, Unmapped

LONGEST_NUMBER: Final = 20
LARGEST_POWER: Final = 9
"""Of ten: a quantity has at most ten digits, however short it is written ("1e400")."""
PLAIN_ID: Final = 20
"""Characters of an order's id; a fulfilment order's is that, a dash and a number."""


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transaction with what its envelope and the partner's profile say about it."""

    set: str
    segments: tuple[Segment, ...]
    where: str
    """Where it stood, for people: "ISA 000000123, GS 123, ST 0001"."""
    sent: str | None = None
    """Date and time of the envelope, as written: "202601151030"."""
    zone: str = "UTC"
    location: str | None = None
    """The warehouse, where the document names none."""
    refused: str | None = None
    """Why it is not read: it is told to a person instead."""


_document: Final = msgspec.json.Decoder(Document)


def opened(body: bytes) -> Document:
    """A stored document. Raises `Malformed` when it is none, or was refused."""
    try:
        found = _document.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Malformed("document", "$", str(fault)) from fault
    if found.refused is not None:
        raise Malformed(found.set, found.where, found.refused)
    return found


def first(document: Document, name: str) -> Segment:
    """The first segment of a name. Raises `Malformed`."""
    for segment in document.segments:
        if segment[0] == name:
            return segment
    raise Malformed(document.set, document.where, f"no {name} segment")


def moment(document: Document, date: str, time: str = "") -> datetime:
    """When something was true: the date and time stated, else of the envelope, else `UNSTATED`.

    A date alone has the envelope's time when it is the envelope's date, and begins its day otherwise. Raises
    `Malformed` for a date that is none.
    """
    sent = document.sent or ""
    if not date:
        return _parsed(document, sent) if sent else UNSTATED
    whole = f"20{date}" if len(date) == 6 else date
    if not time and sent.startswith(whole):
        time = sent[8:]
    return _parsed(document, whole + (time or "0000"))


def _parsed(document: Document, written: str) -> datetime:
    # Eight digits of date, then four, six (seconds) or eight (hundredths) of time.
    form = "%Y%m%d%H%M" if len(written) < 14 else "%Y%m%d%H%M%S"
    try:
        local = datetime.strptime(written[:14], form)  # noqa: DTZ007 - its zone is the profile's
        return local.replace(tzinfo=ZoneInfo(document.zone)).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise Malformed("date", document.where, written) from fault


class Amount(NamedTuple):
    """A quantity, and its unit where that is not the base unit."""

    quantity: int
    unit: str | None


def amount(document: Document, written: str, code: str, tables: Tables) -> Amount:
    """A quantity under `[unit]`: a number there is how many base units one is, a word is the item's own unit.

    Raises `Malformed` for what is no whole quantity, `Unmapped` for an unknown unit.
    """
    try:
        found = Decimal(written) if len(written) <= LONGEST_NUMBER else Decimal("nan")
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite() or found.adjusted() > LARGEST_POWER:
        raise Malformed("quantity", document.where, written)
    word = tables.require("unit", code)
    if word.isdigit():
        found, word = found * int(word), ""
    if found != found.to_integral_value():
        raise Malformed("quantity", document.where, f"{written} {code}, which is no whole number of units")
    return Amount(int(found), word or None)


def units(document: Document, written: str, code: str, tables: Tables) -> int:
    """A quantity in base units, where no item's own units can be asked: `[unit_shipped]`, else a number in `[unit]`."""
    factor = tables.find("unit_shipped", code) or tables.require("unit", code)
    if not factor.isdigit():
        raise Unmapped("unit_shipped", code)
    return amount(document, written, code, _Factor(code, factor)).quantity


class _Factor(NamedTuple):
    """One word of the unit table."""

    code: str
    factor: str

    def find(self, table: str, word: str) -> str | None:
        return self.factor if word == self.code else None

    def require(self, table: str, word: str) -> str:
        return self.factor


class Goods(NamedTuple):
    """Which goods a segment is about, and of which lot."""

    sku: str
    lot: str


def goods(document: Document, segment: Segment, start: int, tables: Tables, lot_after: int = 1) -> Goods:
    """The SKU of a segment: of its pairs of qualifier and id, the one that `[sku_qualifier]` ranks lowest.

    Pairs are looked for from element `start` on, because partners shift them; the code before the first pair is a UPC.
    The lot stands `lot_after` elements after the first id. Raises `Malformed` when no goods are named, `Unmapped` when
    only under qualifiers that the table does not know.
    """
    pairs: list[tuple[int, str]] = []
    lot, place, upc = "", start, element(segment, start)
    while place < len(segment) - 1:
        qualifier, named = element(segment, place), element(segment, place + 1)
        rank = tables.find("sku_qualifier", qualifier) if qualifier and named else None
        if rank is None:
            place += 1
            continue
        if not pairs:
            lot = element(segment, place + 1 + lot_after)
            upc = element(segment, place - 1) if place > start else ""
        pairs.append((_rank(rank), named))
        place += 2
    barcode = tables.find("sku_qualifier", "UP")
    if upc.isdigit() and len(upc) >= 8 and barcode is not None:
        pairs.append((_rank(barcode), upc))
    if pairs:
        return Goods(min(pairs)[1], lot)
    words = [element(segment, number) for number in range(start, len(segment) - 1)]
    unknown = next((word for word in words if len(word) == 2 and word.isalpha()), None)
    if unknown is None:
        raise Malformed(segment[0], document.where, "no goods are named")
    raise Unmapped("sku_qualifier", unknown)


def _rank(word: str) -> int:
    if not word.isdigit():
        raise Unmapped("sku_qualifier", word)
    return int(word)


def warehouse(document: Document, tables: Tables, segments: Sequence[Segment] | None = None) -> str:
    """The partner's name of the place: of the N1 that `[party]` calls its warehouse, else of the profile."""
    for segment in document.segments if segments is None else segments:
        if segment[0] == "N1" and tables.find("party", element(segment, 1)) == "warehouse":
            return element(segment, 4) or element(segment, 2)
    if document.location is None:
        raise Malformed(document.set, document.where, "no warehouse is named, and the profile has no location")
    return document.location


def fulfilment(reference: str) -> str:
    """A fulfilment order's id as the hub writes it: the longest ones travel without their dash."""
    long = len(reference) > PLAIN_ID and reference.isalnum() and reference[PLAIN_ID:].isdigit()
    return f"{reference[:PLAIN_ID]}-{reference[PLAIN_ID:]}" if long else reference
