"""A merchant's overlay on a mapping, per connection: fields set by CEL expressions, and code tables of their own.

    [set]
    "content.customer_group" = 'raw.customer.tags.contains("wholesale") ? "b2b" : "b2c"'
    "lines[].sku" = 'line.sku.upperAscii()'
    [tables.method]
    "Abholung Mitte" = "pick_up"

Expressions see `raw` (the vendor's document) and `order` (what the mapping made of it, by the same paths as the
targets), for `lines[]` also `line` and `item` (the line, and its raw row). All see the result before any `[set]`, so
their order in the file does not matter. Numbers with a fraction, and whole ones beyond 63 bits, are text in `raw`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from hub.cel import Engine, Expression, ExpressionFault
from hub.domain.contact import Contact
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine
from hub.mapping.errors import MappingFault
from hub.mapping.spec import CONTACT, CONTENT, GROUP, LINE
from hub.mapping.tables import check_tables

LONGEST_OVERLAY: Final = 256 * 1024
"""Bytes of the whole text, code tables included."""

_SETTABLE: Final[Mapping[str, Mapping[str, str]]] = {
    "content": {
        name: CONTENT[name]
        for name in (
            *("number", "source", "customer_group", "tags", "financial_status", "cancel_reason", "test", "risk"),
            *("company", "purchase_order", "terms", "ship_complete", "approval_asked", "locale"),
        )
    },
    "lines[]": {name: LINE[name] for name in ("sku", "variant", "title", "group", "ships", "gift_card", "managed_by")},
    "groups": {name: GROUP[name] for name in GROUP if name != "contact"},
    "contacts": {name: CONTACT[name] for name in CONTACT},
}
"""What a merchant may set, with its type. Identity, versions, quantities and money are the channel's facts."""

_STRUCTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "content": OrderContent,
    "lines[]": OrderLine,
    "groups": DeliveryGroup,
    "contacts": Contact,
}
_GIVES: Final[Mapping[str, tuple[str, ...]]] = {
    "flag": ("BOOL",),
    "words": ("LIST", "STRING"),
    "lines": ("LIST", "STRING"),
    "time": ("STRING", "TIMESTAMP"),
    "coordinate": ("DOUBLE", "INT", "UINT"),
}
"""What the compiler may say an expression gives, by target type; text for all others."""
_TEXT: Final = ("STRING", "INT", "UINT")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class OverlayFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why an overlay cannot be saved."""

    position: str
    message: str


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A field to set: part "content", "lines[]", "groups" or "contacts", the key of a group or contact, the field."""

    part: str
    key: str
    field: str
    type: str

    @property
    def text(self) -> str:
        """As the overlay writes it."""
        return ".".join(filter(None, (self.part, self.key, self.field)))

    @property
    def optional(self) -> bool:
        """Whether null is a value of it."""
        infos = msgspec.structs.fields(_STRUCTS[self.part])
        return next(info.default is None for info in infos if info.name == self.field)


class Overlay:
    """A compiled overlay. `version` is whatever the store counts; it is not read here."""

    def __init__(
        self,
        settings: tuple[tuple[Target, Expression], ...],
        tables: Mapping[str, Mapping[str, str]],
        order_engine: Engine,
        line_engine: Engine,
    ) -> None:
        self.settings = settings
        self.tables = tables
        self.order_engine = order_engine
        self.line_engine = line_engine


def compile_overlay(text: str) -> Overlay:
    """Compile an overlay. Raises `MappingFault` with the first of its faults."""
    overlay, faults = _read(text)
    if faults:
        raise MappingFault(faults[0].position, faults[0].message)
    return overlay


def check_overlay(text: str) -> list[OverlayFault]:
    """All that is wrong with an overlay; empty when it can be saved."""
    return _read(text)[1]


def _read(text: str) -> tuple[Overlay, list[OverlayFault]]:
    faults: list[OverlayFault] = []
    order_engine, line_engine = Engine("raw", "order"), Engine("raw", "order", "line", "item")
    settings = []
    tables: Mapping[str, Mapping[str, str]] = {}
    try:
        document = _document(text)
        tables = check_tables(_section(document, "tables"), "tables.")
        written = tuple(_flat(_section(document, "set"), ""))
    except MappingFault as fault:
        return Overlay((), {}, order_engine, line_engine), [
            OverlayFault(position=fault.position, message=fault.message)
        ]
    for path, source in written:
        try:
            target = _target(path)
            if not isinstance(source, str):
                raise MappingFault(f"set.{path}", f"{source!r} is not an expression in quotes")
            expression = (line_engine if target.part == "lines[]" else order_engine).compile(source)
            _check_type(target, expression)
            settings.append((target, expression))
        except ExpressionFault as fault:
            position = f"set.{path}, line {fault.line}, column {fault.column}"
            faults.append(OverlayFault(position=position, message=fault.message))
        except MappingFault as fault:
            faults.append(OverlayFault(position=fault.position, message=fault.message))
    return Overlay(tuple(settings), tables, order_engine, line_engine), faults


def _document(text: str) -> Mapping[str, Any]:
    if len(text.encode(errors="replace")) > LONGEST_OVERLAY:
        raise MappingFault("overlay", f"is longer than {LONGEST_OVERLAY} bytes")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise MappingFault("overlay", str(fault)) from None
    for name in document:
        if name not in ("set", "tables"):
            raise MappingFault(name, "no such section; there are [set] and [tables.<name>]")
    return document


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise MappingFault(name, "must be a section")
    return section


def _flat(section: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    """Targets may be written as quoted keys or as nested sections."""
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _target(path: str) -> Target:
    part, _, rest = path.partition(".")
    fields = _SETTABLE.get(part)
    if fields is None:
        raise MappingFault(f"set.{path}", f"no such target; targets begin with {', '.join(_SETTABLE)}")
    key = ""
    if part in ("groups", "contacts"):
        key, _, rest = rest.partition(".")
        if not _NAME.fullmatch(key):
            raise MappingFault(f"set.{path}", f"write {part}.<key>.<field>")
    if rest not in fields:
        raise MappingFault(f"set.{path}", f"no field {rest!r} that may be set; there are: {', '.join(fields)}")
    return Target(part=part, key=key, field=rest, type=fields[rest])


def _check_type(target: Target, expression: Expression) -> None:
    gives = expression.type.partition("<")[0]
    accepted = _GIVES.get(target.type, _TEXT)
    if gives not in (*accepted, "DYN") and not (gives == "NULL" and target.optional):
        raise MappingFault(f"set.{target.text}", f"gives {gives}, the field takes {' or '.join(accepted)}")
