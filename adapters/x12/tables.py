"""Partners that send rows instead of X12: shipments, levels and changes by a layout that is data only. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from adapters.x12.settings import Table
from hub.domain.facts import FactLine, GoodsShipped, StockLine, StockMeaning, StockReported, UnitsShort
from hub.domain.shipping import Parcel, ParcelLine
from hub.domain.stock import ReportKind
from hub.sdk.adapter import Message
from hub.sdk.capabilities import Pulled
from hub.sdk.files import digest
from hub.sdk.tabular import Layout, Row, number, table, time
from hub.sdk.translate import Malformed, Tables


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row that was read: the columns of README.md, each as its type."""

    quantity: int
    at: datetime
    fulfilment: str = ""
    shipment: str = ""
    line_id: str = ""
    sku: str = ""
    short: int = 0
    carrier: str = ""
    service: str = ""
    tracking: str = ""
    location: str = ""
    lot: str = ""
    unit: str = ""
    reason: str = ""


class _Rows(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows that are stored together, or why a row is not read."""

    says: str
    rows: tuple[_Line, ...] = ()
    refused: str | None = None


_rows: Final = msgspec.json.Decoder(_Rows)
TEXTS: Final = ("fulfilment", "shipment", "line_id", "sku", "carrier", "service", "tracking", "lot", "unit", "reason")


def table_of(name: str, tables: Sequence[Table]) -> Table | None:
    """How a file of a name is written in rows; None for X12."""
    return next((one for one in tables if fnmatchcase(name, one.pattern)), None)


def rows_of(name: str, body: bytes, one: Table, location: str | None, sent_at: datetime) -> tuple[Pulled, ...]:
    """What a file of rows holds: a shipment together, a change alone, all levels together, a bad row alone.

    Raises `Malformed` when the file is no table.
    """
    good: dict[str, list[_Line]] = {}
    found: list[Pulled] = []
    for row in table(body, one.layout):
        try:
            line = _line(row, one, location or "", sent_at)
        except Malformed as fault:
            refused = _Rows(says=one.says, refused=f"{name}, line {row.line}: {fault.value}")
            found.append(_stored(f"{one.says}:{digest(body)}:{row.line}", one.says, refused))
            continue
        if one.says == "shipped":
            known = f"{line.fulfilment}:{line.shipment or digest(body)}"
        elif one.says == "changes":
            known = row.cells.get("id") or f"{digest(body)}:{row.line}"
        else:
            known = f"{sent_at.isoformat()}:{name}"
        good.setdefault(known, []).append(line)
    for known, lines in good.items():
        found.append(_stored(f"{one.says}:{known}", one.says, _Rows(says=one.says, rows=tuple(lines))))
    return tuple(found)


def _stored(key: str, says: str, rows: _Rows) -> Pulled:
    body = msgspec.json.encode(rows)
    about = f"order:{rows.rows[0].fulfilment}" if says == "shipped" and rows.rows else None
    topic = "rows.shipped" if says == "shipped" else "rows.stock"
    return Pulled(key=f"rows:{key}:{digest(body)}", topic=topic, object=about, body=body)


def _line(row: Row, one: Table, location: str, sent_at: datetime) -> _Line:
    if row.fault:
        raise Malformed("row", f"line {row.line}", row.fault)
    cells = row.cells
    said = cells.get("at", "")
    at = time(said, one.layout) if said else sent_at
    if at is None:
        raise Malformed("at", f"line {row.line}", f"{said!r} is no time")
    texts = {name: cells[name] for name in TEXTS if cells.get(name)}
    line = _Line(
        quantity=_whole(cells, "quantity", one.layout),
        short=_whole(cells, "short", one.layout) if cells.get("short") else 0,
        at=at,
        location=cells.get("location") or location,
        **texts,
    )
    needed = ("fulfilment",) if one.says == "shipped" else ("sku", "location")
    absent = [name for name in needed if not getattr(line, name)]
    if absent or not (line.sku or line.line_id) or (one.says == "shipped" and min(line.quantity, line.short) < 0):
        raise Malformed("row", f"line {row.line}", f"no {', '.join(absent) or 'line_id or sku'}, or less than nothing")
    return line


def _whole(cells: Mapping[str, str], name: str, layout: Layout) -> int:
    written = cells.get(name, "")
    found = number(written, layout)
    if found is None or found != int(found):
        raise Malformed(name, "row", f"{name} {written!r} is no whole number")
    return int(found)


def read_rows(body: bytes, tables: Tables) -> Sequence[Message]:
    """Stored rows as facts. Raises `Malformed`, `Unmapped`."""
    try:
        found = _rows.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Malformed("rows", "$", str(fault)) from fault
    if found.refused is not None or not found.rows:
        raise Malformed(found.says, "row", found.refused or "no rows")
    if found.says == "shipped":
        return tuple(_shipped(found.rows, tables))
    return tuple(_stock(found))


def _shipped(rows: Sequence[_Line], tables: Tables) -> Iterator[Message]:
    first = rows[0]
    boxes: dict[str, list[_Line]] = {}
    for row in rows:
        if row.quantity:
            boxes.setdefault(row.tracking, []).append(row)
    parcels = tuple(
        Parcel(
            tracking=tracking or None,
            carrier=(tables.find("carrier", held[0].carrier) or held[0].carrier) or None,
            service=held[0].service or None,
            lines=tuple(ParcelLine(line=row.line_id or f"sku:{row.sku}", quantity=row.quantity) for row in held),
        )
        for tracking, held in boxes.items()
    )
    if parcels:
        shipment = first.shipment or digest(msgspec.json.encode(rows))
        yield GoodsShipped(at=first.at, fulfilment=first.fulfilment, shipment=shipment, parcels=parcels)
    missing = tuple(
        FactLine(line=row.line_id or None, sku=None if row.line_id else row.sku, quantity=row.short)
        for row in rows
        if row.short
    )
    if missing:
        yield UnitsShort(at=first.at, fulfilment=first.fulfilment, lines=missing, stock=StockMeaning.QUANTITY)


def _stock(found: _Rows) -> Iterator[StockReported]:
    levels = found.says == "levels"
    together: dict[tuple[datetime, str], list[_Line]] = {}
    for row in found.rows:
        together.setdefault((row.at, row.reason), []).append(row)
    for (at, reason), rows in together.items():
        lines = tuple(
            StockLine(
                location=row.location,
                sku=row.sku,
                on_hand=row.quantity if levels else None,
                delta=None if levels else row.quantity,
                lot=row.lot,
                unit=row.unit or None,
            )
            for row in rows
        )
        kind = ReportKind.SNAPSHOT if levels else ReportKind.DELTA
        yield StockReported(at=at, kind=kind, lines=lines, reason=reason or None)
