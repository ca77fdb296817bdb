"""What a supplier says, as one document for page-less ways: posted, dropped as JSON, or dropped as rows.

A message or file is taken apart into answers that are stored one by one; one that is bad is stored with the reason, and
parked alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from adapters.supplier.settings import Settings, Table
from hub.sdk.capabilities import Pulled
from hub.sdk.files import digest
from hub.sdk.tabular import Layout, Row, number, table, time
from hub.sdk.translate import Malformed

ORDER_SAYS: Final = ("acknowledged", "shipped", "cancel_answered")
SAYS: Final = (*ORDER_SAYS, "levels")
LINE_FIELDS: Final = ("line", "sku", "quantity", "refused", "reason", "unit_cost")
BOX_FIELDS: Final = ("carrier", "service", "tracking")

Document = dict[str, Any]
_json: Final = msgspec.json.Decoder(float_hook=Decimal)


class SaidLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line, by our reference or by SKU."""

    line: str | None = None
    sku: str | None = None
    quantity: int | None = None
    """Of a shipment: what left. Of levels: what is there."""
    refused: int = 0
    """Of an acknowledgement: what will not be sent."""
    reason: str | None = None
    unit_cost: Decimal | None = None
    location: str | None = None


class Box(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parcel; without lines it holds what no other names."""

    carrier: str | None = None
    service: str | None = None
    tracking: str | None = None
    lines: tuple[SaidLine, ...] = ()


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a supplier writes. `says` and, but for levels, `purchase_order` must be there."""

    says: str
    purchase_order: str = ""
    at: datetime | None = None
    status: str | None = None
    reason: str | None = None
    reference: str | None = None
    """The supplier's own number of it."""
    ships_on: date | None = None
    currency: str | None = None
    shipment: str | None = None
    parcels: tuple[Box, ...] = ()
    lines: tuple[SaidLine, ...] = ()
    complete: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notice as it is stored: about one of our fulfilment orders, its times whole; or why it is not read."""

    notice: Notice | None = None
    fulfilment: str = ""
    at: datetime | None = None
    leaves_at: datetime | None = None
    fault: str | None = None


Holders = Mapping[int, str]
"""Fulfilment order by the counter of its purchase order."""


# --- a message -------------------------------------------------------------------------------------------------------


def notices_in(name: str, body: bytes, settings: Settings) -> list[tuple[str, Notice | str]]:
    """(where, notice or what is wrong with it), of JSON or of rows. Raises `Malformed` when it is neither."""
    looks_json = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    if looks_json:
        return [(f"{name}, document {no}", _notice(one)) for no, one in enumerate(_documents(body), 1)]
    kind = table_of(name, settings.tables)
    if kind is None:
        raise Malformed("file", name, "no JSON, and no pattern of the connection's tables fits its name")
    return [(f"{name}, {where}", one) for where, one in _from_rows(body, kind)]


def table_of(name: str, tables: Sequence[Table]) -> Table | None:
    """How a file of a name is written in rows."""
    return next((one for one in tables if fnmatchcase(name.lower(), one.pattern.lower())), None)


def counters_in(found: Iterable[tuple[str, Notice | str]], settings: Settings) -> set[int]:
    """Counters of the purchase orders that notices are about."""
    named = {settings.number_of(one.purchase_order) for _, one in found if isinstance(one, Notice)}
    return {number for number in named if number is not None}


def stored(
    found: Iterable[tuple[str, Notice | str]], settings: Settings, holders: Holders, sent_at: datetime
) -> tuple[Pulled, ...]:
    """Answers to store, each once, whatever file it came in."""
    items: dict[str, Pulled] = {}
    for where, one in found:
        if isinstance(one, Notice) and one.says == "levels":
            item = _levels(one, settings, sent_at)
        else:
            item = _answer(one, where, settings, holders, sent_at)
        items.setdefault(item.key, item)
    return tuple(items.values())


def _levels(one: Notice, settings: Settings, sent_at: datetime) -> Pulled:
    at, here = one.at or sent_at, settings.location or settings.supplier
    lines = tuple(msgspec.structs.replace(line, location=line.location or here) for line in one.lines)
    body = msgspec.json.encode(Answer(notice=msgspec.structs.replace(one, lines=lines), at=at))
    # Levels that are as they were once before are news.
    return Pulled(key=f"levels:{at.isoformat()}:{digest(body)}", topic="levels", object=None, body=body)


def _answer(one: Notice | str, where: str, settings: Settings, holders: Holders, sent_at: datetime) -> Pulled:
    fault = one if isinstance(one, str) else _fault(one, settings)
    if fault is not None or isinstance(one, str):
        return _refused(where, fault or "unreadable")
    counter = settings.number_of(one.purchase_order)
    fulfilment = holders.get(counter) if counter is not None else None
    if fulfilment is None:
        said = f"purchase order {one.purchase_order!r} was never sent to {settings.supplier}. Ask what it means."
        return _refused(where, said)
    leaves_at = settings.end_of(one.ships_on) if one.ships_on else None
    answer = Answer(notice=one, fulfilment=fulfilment, at=one.at or sent_at, leaves_at=leaves_at)
    # The same again is the same, whenever it comes; who changes his mind says when (`at`).
    key = f"{one.says}:{fulfilment}:{digest(msgspec.json.encode(one))}"
    return Pulled(key=key, topic="answer", object=f"order:{fulfilment}", body=msgspec.json.encode(answer))


def _refused(where: str, fault: str) -> Pulled:
    body = msgspec.json.encode(Answer(fault=f"{where}: {fault}"))
    return Pulled(key=f"refused:{digest(body)}", topic="answer", object=None, body=body)


def _fault(one: Notice, settings: Settings) -> str | None:
    """What makes a notice unbelievable on its own, before any order is looked at."""
    if one.says not in SAYS:
        return f"says is {one.says!r}, and is one of {', '.join(SAYS)}"
    boxed = [line for box in one.parcels for line in box.lines]
    for line in (*one.lines, *boxed):
        named = line.line or line.sku or "a line"
        if not (line.line or line.sku):
            return "a line names neither line nor sku"
        if line.unit_cost is not None and (not line.unit_cost.is_finite() or line.unit_cost < 0):
            return f"{named} costs {line.unit_cost}: a cost is not below zero"
        if line.refused < 0:
            return f"{named}: {line.refused} refused"
    if one.says == "shipped" and any((line.quantity or 0) <= 0 for line in (*one.lines, *boxed)):
        return "a line of a shipment is without a quantity above zero"
    return None


# --- JSON ------------------------------------------------------------------------------------------------------------


def _documents(body: bytes) -> list[object]:
    try:
        document = _json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed("message", "$", f"no JSON: {fault}") from fault
    return document if isinstance(document, list) else [document]


def _notice(document: object) -> Notice | str:
    try:
        return msgspec.convert(document, Notice, strict=False)
    except msgspec.ValidationError as fault:
        return str(fault)


# --- rows ------------------------------------------------------------------------------------------------------------


def _from_rows(body: bytes, kind: Table) -> Iterator[tuple[str, Notice | str]]:
    """Rows of one purchase order, and of one shipment, are one notice; levels are one for the file."""
    together: dict[tuple[str, str], list[Row]] = {}
    for row in table(body, kind.layout):
        order = row.cells.get("purchase_order", "")
        if row.fault or (kind.says in ORDER_SAYS and not order):
            yield f"line {row.line}", row.fault or "no purchase_order"
            continue
        together.setdefault((order, row.cells.get("shipment", "")), []).append(row)
    for rows in together.values():
        try:
            yield f"line {rows[0].line}", _of_rows(rows, kind)
        except Malformed as fault:
            yield fault.path, f"{fault.field}: {fault.value}"


def _of_rows(rows: Sequence[Row], kind: Table) -> Notice | str:
    """A notice of its rows. Raises `Malformed` where they contradict each other or a cell is not what it should be."""
    head: Document = {"says": kind.says, "complete": kind.complete}
    lines: list[Document] = []
    boxes: dict[tuple[tuple[str, object], ...], Document] = {}
    for row in rows:
        cells: Document = {name: _typed(name, text, kind.layout, row.line) for name, text in row.cells.items() if text}
        line: Document = {name: cells.pop(name) for name in (*LINE_FIELDS, "location") if name in cells}
        box: Document = {name: cells.pop(name) for name in BOX_FIELDS if name in cells}
        for name, value in cells.items():
            if name in Notice.__struct_fields__ and head.setdefault(name, value) != value:
                raise Malformed(name, f"line {row.line}", f"{value!r} here and {head[name]!r} above, of one order")
        if kind.says == "shipped":
            boxes.setdefault(tuple(sorted(box.items())), {**box, "lines": []})["lines"].append(line)
        elif "line" in line or "sku" in line:
            lines.append(line)
        elif line:
            head |= {name: value for name, value in line.items() if name == "reason"}
    if kind.says == "shipped":
        head["parcels"] = [{**box, "lines": [one for one in box["lines"] if one]} for box in boxes.values()]
    return _notice({**head, "lines": lines})


def _typed(name: str, text: str, layout: Layout, line: int) -> object:
    where = f"line {line}"
    if name in ("quantity", "refused", "unit_cost"):
        found = number(text, layout)
        if found is None or (name != "unit_cost" and found != int(found)):
            raise Malformed(name, where, f"{text!r} is no number")
        return found if name == "unit_cost" else int(found)
    if name in ("at", "ships_on"):
        at = time(text, layout)
        if at is None:
            raise Malformed(name, where, f"{text!r} is no time")
        return at if name == "at" else at.date()
    return text
