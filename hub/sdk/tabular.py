"""Delimited text files as rows with their line numbers. Pure; what a partner's files look like is data."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.sdk.translate import Malformed

Character = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]

LONGEST_NUMBER: Final = 28


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a partner writes tables, numbers and times."""

    delimiter: Character = ","
    quote: Character = '"'
    encoding: str = "utf-8"
    header: bool = True
    """Whether the first line names the columns; without one `columns` does, in order."""
    columns: tuple[str, ...] = ()
    names: Mapping[str, str] = {}
    """Our name of a field -> the partner's column. What is not named here goes by its own name."""
    several_lines: bool = False
    """Whether a quoted cell may hold line breaks. If not, a quote that is never closed spoils one line only."""
    decimal: Character = "."
    thousands: str = ""
    """Characters between thousands, left out."""
    time_zone: str = "UTC"
    """Where times without an offset are local."""
    time_formats: tuple[str, ...] = ()
    """As strptime takes them, tried in order; RFC 3339 and ISO 8601 are always understood."""

    def __post_init__(self) -> None:
        if not self.header and not self.columns:
            raise ValueError("without a header line, columns must name the columns in order")
        try:
            "".encode(self.encoding)
            ZoneInfo(self.time_zone)
        except (LookupError, ZoneInfoNotFoundError, ValueError) as fault:
            raise ValueError(f"encoding {self.encoding!r} or time zone {self.time_zone!r} is not known") from fault


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a table: its cells by name, or why they cannot be told apart."""

    line: int
    """Of the file, counted from 1; the header's is 1 too."""
    cells: Mapping[str, str]
    fault: str | None = None
    """Then `cells` are what was read of it as far as the columns go."""


def table(body: bytes, layout: Layout) -> Iterator[Row]:
    """The rows of a file, empty lines left out. Raises `Malformed` when there is no table: no text, no header."""
    records = _records(_text(body, layout), layout)
    columns = layout.columns
    if layout.header:
        line, cells, fault = next(records, (1, [], "an empty file"))
        columns = tuple(cell.strip() for cell in cells)
        if fault or len(set(columns)) != len(columns):
            raise Malformed("header", f"line {line}", fault or f"a column twice: {', '.join(columns)}")
    ours = {theirs: name for name, theirs in layout.names.items()}
    absent = [theirs for theirs in ours if theirs not in columns]
    if absent:
        raise Malformed("header", "line 1", f"no column {', '.join(absent)}")
    columns = tuple(ours.get(column, column) for column in columns)
    for line, cells, fault in records:
        wrong = len(cells) != len(columns) and f"{len(cells)} cells where {len(columns)} columns are"
        stripped = (cell.strip() for cell in cells)
        yield Row(line=line, cells=dict(zip(columns, stripped, strict=False)), fault=fault or wrong or None)


def _text(body: bytes, layout: Layout) -> str:
    """The file as text. Bytes that are none in an encoding that grows from ASCII spoil their line only."""
    try:
        text = body.decode(layout.encoding)
    except UnicodeDecodeError:
        try:
            text = body.decode(layout.encoding, errors="surrogateescape")
        except UnicodeDecodeError as fault:
            raise Malformed("file", f"byte {fault.start}", f"no text in {layout.encoding}") from fault
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _records(text: str, layout: Layout) -> Iterator[tuple[int, list[str], str | None]]:
    """(first line, cells, fault), by the rules of RFC 4180 with the layout's characters."""
    lines = text.split("\n")
    if not layout.several_lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, *_cells([line], layout)
        return
    first = 1
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=layout.delimiter, quotechar=layout.quote, strict=True
    )
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first, [], f"lines {first} to {reader.line_num}: {error}"
        else:
            if any(cell.strip() for cell in cells):
                yield first, cells, _unreadable(cells, layout)
        first = reader.line_num + 1


def _cells(lines: list[str], layout: Layout) -> tuple[list[str], str | None]:
    try:
        cells = next(csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote, strict=True))
    except csv.Error as error:
        return [], str(error)
    return cells, _unreadable(cells, layout)


def _unreadable(cells: list[str], layout: Layout) -> str | None:
    spoilt = any(character == "\0" or "\ud800" <= character <= "\udfff" for cell in cells for character in cell)
    return f"bytes that are no text in {layout.encoding}" if spoilt else None


def number(text: str, layout: Layout) -> Decimal | None:
    """The exact number that a cell states, None when it states none: "1.234,50" with decimal "," and thousands "."."""
    for character in layout.thousands:
        text = text.replace(character, "")
    plain = text.replace(layout.decimal, ".") if layout.decimal != "." else text
    if not plain or len(plain) > LONGEST_NUMBER or (layout.decimal != "." and "." in text):
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def time(text: str, layout: Layout) -> datetime | None:
    """The aware time that a cell states, None when it states none. Without an offset it is local to the layout's zone;
    in the hour that a clock lives twice it is the first."""
    found = None
    for form in layout.time_formats:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - a format may or may not have an offset
        except ValueError:
            continue
        break
    else:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None
    return found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(layout.time_zone))
