"""A file of orders, taken apart: one document per order, one per row that belongs to none. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from adapters.order_files.settings import Settings
from hub.sdk.capabilities import Pulled
from hub.sdk.files import digest
from hub.sdk.tabular import Layout, Row, number, table, time
from hub.sdk.translate import Malformed

NUMBER: Final = "order_number"
LINE_FIELDS: Final = ("line_id", "sku", "quantity", "title", "unit_price", "line_total", "line_tax", "line_discount")
"""Columns that speak of a line; all others speak of the order, and say the same in each of its rows."""
TIMES: Final = frozenset(("placed_at", "updated_at", "cancelled_at", "not_before", "deliver_by"))
AMOUNTS: Final = frozenset(
    (
        *("order_total", "shipping", "discount", "tax", "duties", "fees"),
        *("unit_price", "line_total", "line_tax", "line_discount"),
    )
)
FLAGS: Final = frozenset(("tax_included", "test", "keep_together", "ships"))
PARTIES: Final = ("ship", "bill")
"""Columns that begin so ("ship_city") make an object of that name, as JSON files may write it."""
WORDS: Final[Mapping[str, bool]] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Document = dict[str, Any]

_json: Final = msgspec.json.Decoder(float_hook=Decimal)


def split(name: str, body: bytes, settings: Settings, sent_at: datetime) -> tuple[Pulled, ...]:
    """What a file holds. An order is stored under its number and content, so a file that comes again, under whatever
    name, changes nothing. `sent_at` is the version of orders that state no `updated_at`.

    Raises `Malformed` when the file as a whole is no table and no JSON.
    """
    looks_json = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    found = _from_json(body, settings) if looks_json else _from_table(body, settings)
    return tuple(_stored(name, where, document, settings, sent_at) for where, document in found)


def _stored(name: str, where: str, document: Document | str, settings: Settings, sent_at: datetime) -> Pulled:
    if isinstance(document, str):
        # No identity, so it is parked by its mapping; what stands in the number's place says where and why.
        body = msgspec.json.encode({NUMBER: [f"{name}, {where}: {document}"]})
        return Pulled(key=f"row:{name}:{where}:{digest(body)}", topic="order", object=None, body=body)
    if not document.get("updated_at"):
        document["file_time"] = sent_at.astimezone(UTC)
    for party in PARTIES:
        flat = {name: document.pop(name) for name in tuple(document) if name.startswith(f"{party}_")}
        if flat:
            nested = document.get(party)
            own = {name.removeprefix(f"{party}_"): value for name, value in flat.items()}
            document[party] = {**nested, **own} if isinstance(nested, dict) else own
    if document.get("tax_included") is None:
        document["tax_included"] = settings.tax_included
    if document.get("currency") is None:
        document["currency"] = settings.currency
    if not settings.priced:
        document["lines"] = [{**line, "line_total": "0"} for line in document["lines"]]
    body, identity = msgspec.json.encode(document), document[NUMBER]
    return Pulled(key=f"order:{identity}:{digest(body)}", topic="order", object=f"order:{identity}", body=body)


# --- tables ----------------------------------------------------------------------------------------------------------


def _from_table(body: bytes, settings: Settings) -> Iterator[tuple[str, Document | str]]:
    """Orders in the order of their first rows, then the rows that belong to none."""
    rows = list(table(body, settings.layout))
    known = {row.cells.get(NUMBER, "") for row in rows if not row.fault} - {""}
    orders: dict[str, list[Row]] = {}
    strays = []
    for row in rows:
        identity = row.cells.get(NUMBER, "")
        if identity in known:
            orders.setdefault(identity, []).append(row)
        else:
            strays.append(row)
    for lines in orders.values():
        yield f"line {lines[0].line}", _order(lines, settings.layout)
    for row in strays:
        yield f"line {row.line}", row.fault or "no order number"


def _order(rows: Sequence[Row], layout: Layout) -> Document:
    """An order of its rows. Where they differ about the order itself, the field holds both, which none can read."""
    order: Document = {}
    lines: list[Document] = []
    for ordinal, row in enumerate(rows, 1):
        if row.fault:
            said = f"line {row.line}: {row.fault}"
            lines.append({"line_id": str(ordinal), "quantity": said})
            continue
        line: Document = {"line_id": str(ordinal)}
        for name, text in row.cells.items():
            if not text:
                continue
            value = typed(name, text, layout, f"line {row.line}: ")
            if name in LINE_FIELDS:
                line[name] = value
            elif order.setdefault(name, value) != value:
                order[name] = [order[name], value]
        lines.append(line)
    order["lines"] = lines
    return order


def typed(name: str, value: object, layout: Layout, where: str = "") -> object:
    """A value as the mapping reads it; text that is not what its field holds stays, with its place, to be told."""
    if not isinstance(value, str) or not value:
        return int(value) if name == "quantity" and isinstance(value, Decimal) and value == int(value) else value
    read: object = value
    if name in TIMES:
        at = time(value, layout)
        read = at.isoformat() if at else None
    elif name in AMOUNTS or name == "quantity":
        amount = number(value, layout)
        whole = name == "quantity" and amount is not None and amount == int(amount)
        read = int(amount) if whole and amount is not None else None if amount is None else f"{amount:f}"
    elif name in FLAGS:
        read = WORDS.get(value.lower())
    return f"{where}{value}" if read is None else read


# --- JSON ------------------------------------------------------------------------------------------------------------


def _from_json(body: bytes, settings: Settings) -> Iterator[tuple[str, Document | str]]:
    """One order, a list of them, `{"orders": [...]}`, or an order a line."""
    for where, value in _values(body.removeprefix(b"\xef\xbb\xbf")):
        if isinstance(value, str):
            yield where, value
            continue
        order = _named(value, settings.layout)
        lines = dig(value, settings.lines)
        named = order.get(NUMBER)
        if not isinstance(named, str | int) or isinstance(named, bool) or named == "":
            yield where, "no order number"
            continue
        found = lines if isinstance(lines, list) else []
        order["lines"] = [_line(line, ordinal, settings.layout) for ordinal, line in enumerate(found, 1)]
        yield where, order


def _line(line: object, ordinal: int, layout: Layout) -> object:
    return {"line_id": str(ordinal), **_named(line, layout)} if isinstance(line, dict) else line


def _values(body: bytes) -> Iterator[tuple[str, Document | str]]:
    try:
        document = _json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        first, _, rest = body.strip().partition(b"\n")
        if not rest or isinstance(_decoded(first), str):
            raise Malformed("file", "$", f"no JSON: {fault}") from fault
        for number_of, text in enumerate(body.split(b"\n"), 1):
            if text.strip():
                yield f"line {number_of}", _decoded(text)
        return
    listed = document.get("orders") if isinstance(document, dict) and NUMBER not in document else document
    several = listed if isinstance(listed, list) else [document]
    for ordinal, value in enumerate(several, 1):
        yield f"order {ordinal}", value if isinstance(value, dict) else "no JSON object"


def _decoded(text: bytes) -> Document | str:
    try:
        found = _json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return f"no JSON: {fault}"
    return found if isinstance(found, dict) else "no JSON object"


def _named(value: Mapping[str, Any], layout: Layout) -> Document:
    """An object under our names, each value as its field wants it."""
    found = {ours: dig(value, theirs) for ours, theirs in layout.names.items()}
    renamed = {**value, **{ours: inner for ours, inner in found.items() if inner is not None}}
    return {name: typed(name, inner, layout) for name, inner in renamed.items()}


def dig(value: object, path: str) -> object:
    """What stands at "a.b"; None as soon as something on the way is no object."""
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def written(rows: Iterable[Mapping[str, object]], columns: Sequence[str], layout: Layout) -> bytes:
    """A table as bytes, by the layout's characters; the columns under the partner's own names where it has some."""
    quote, out = layout.quote, [[layout.names.get(column, column) for column in columns]]
    out += [["" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    special = (layout.delimiter, quote, "\n", "\r")

    def cell(text: str) -> str:
        needs = any(character in text for character in special)
        return f"{quote}{text.replace(quote, quote * 2)}{quote}" if needs else text

    text = "".join(f"{layout.delimiter.join(map(cell, cells))}\r\n" for cells in out)
    return text.encode(layout.encoding, errors="replace")
