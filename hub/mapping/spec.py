"""A mapping file as values: which of a vendor's fields mean what. Parsed strictly; every fault names its place."""

import re
import tomllib
from collections.abc import Mapping
from typing import Final

import msgspec

from hub.mapping.errors import MappingFault

Steps = tuple[tuple[str, bool], ...]
"""Keys from outside in, each with whether it holds a list that is gone through."""

TYPES: Final = frozenset(
    (
        *("raw", "text", "id", "private", "lines", "words", "count", "quantity", "money", "decimal", "currency"),
        *("time", "microseconds", "flag", "country", "coordinate", "method", "managed_by", "payment_kind"),
    )
)
"""What `as` may say; each is a function in `values.py`. Without `as`, the target field decides."""

CONTENT: Final = {
    "external_id": "id",
    "version": "microseconds",
    "number": "text",
    "placed_at": "time",
    "currency": "currency",
    "presentment_currency": "currency",
    "cancelled_at": "time",
    "cancel_reason": "text",
    "cancel_asked": "flag",
    "closed_at": "time",
    "test": "flag",
    "source": "text",
    "customer_group": "text",
    "tags": "words",
    "financial_status": "text",
    "risk": "text",
    "held": "text",
    "locale": "text",
    "company": "text",
    "purchase_order": "text",
    "terms": "text",
    "terms_days": "count",
    "tax_exempt": "flag",
    "ship_complete": "flag",
    "approval_asked": "flag",
}
AMOUNTS: Final = {
    "currency": "currency",
    "subtotal": "money",
    "discount": "money",
    "shipping": "money",
    "tax": "money",
    "duties": "money",
    "fees": "money",
    "tip": "money",
    "rounding": "money",
    "tax_included": "flag",
}
LINE: Final = {
    "external_id": "id",
    "quantity": "count",
    "ordered": "count",
    "sku": "text",
    "variant": "text",
    "title": "text",
    "group": "text",
    "unit_price": "decimal",
    "subtotal": "money",
    "discount": "money",
    "tax": "money",
    "ships": "flag",
    "gift_card": "flag",
    "managed_by": "managed_by",
    "fulfilled_elsewhere": "count",
    "refunded": "count",
}
GROUP: Final = {
    "method": "method",
    "contact": "text",
    "pickup_location": "text",
    "service": "text",
    "not_before": "time",
    "deliver_by": "time",
    "keep_together": "flag",
}
CONTACT: Final = {
    "name": "private",
    "company": "private",
    "email": "private",
    "phone": "private",
    "lines": "lines",
    "city": "private",
    "region": "private",
    "postal_code": "private",
    "country": "country",
    "latitude": "coordinate",
    "longitude": "coordinate",
}
PAYMENT: Final = {
    "external_id": "id",
    "kind": "payment_kind",
    "method": "text",
    "amount": "money",
    "currency": "currency",
    "status": "text",
    "parent": "text",
    "at": "time",
    "expires_at": "time",
    "implied": "flag",
}
SETS: Final = ("placed", "edited", "refunded")
VIEWS: Final = ("shop", "presentment")

Literal = str | int | bool


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value stands. `root` is "" for the current row, "$" for the document, else the name of a `let`."""

    text: str
    root: str = ""
    steps: Steps = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field comes from: the first of `paths` that is there and readable, or what a function makes of them."""

    paths: tuple[Path, ...] = ()
    call: str | None = None
    total_of: str | None = None
    value: Literal | None = None
    type: str
    table: str | None = None
    unmapped: str = "problem"
    default: Literal | None = None
    required: bool = False


Fields = dict[str, tuple[Source, ...]]
"""By target field: candidates in order."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A struct to make: from the document itself, from the object `at`, or from each row of the lists `each`."""

    fields: Fields
    at: Path | None = None
    each: tuple[Path, ...] = ()
    let: Fields = {}
    unless: tuple[Path, ...] = ()
    when: Path | None = None


class AmountsSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One set of amounts: its views, and the vendor's own total."""

    shop: Record
    presentment: Record | None = None
    stated_total: tuple[Source, ...] = ()
    when: Path | None = None


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping file."""

    unwrap: str | None
    let: Fields
    content: Record
    amounts: dict[str, AmountsSpec]
    lines: Record
    contacts: dict[str, Record]
    groups: dict[str, Record]
    payments: Record | None


_LET = re.compile(r"[a-z_]+")
_PATH = re.compile(r"(?:(\$|@[a-z_]+)(?:\.|$))?((?:[^.\[\]@$]+(?:\[\])?(?:\.|$))*)")
_KEYS = frozenset(("path", "call", "args", "total_of", "value", "as", "table", "unmapped", "default", "required"))


def parse_path(text: object, position: str) -> Path:
    """Read `a.b[].c`, `$.currency` or `@shipping_line.code`."""
    match = _PATH.fullmatch(text) if isinstance(text, str) and text and not text.endswith(".") else None
    if match is None:
        raise MappingFault(position, f"{text!r} is not a path such as a.b[].c, $.a (document) or @name.a (let)")
    names = [name for name in match[2].split(".") if name]
    steps = tuple((name.removesuffix("[]"), name.endswith("[]")) for name in names)
    return Path(text=match[0], root=(match[1] or "").removeprefix("@"), steps=steps)


def parse_spec(text: str) -> Spec:
    """Parse and check a mapping file. Raises `MappingFault` naming the place."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise MappingFault("mapping", str(fault)) from fault
    known = {"format", "makes", "unwrap", "let", "content", "amounts", "lines", "contacts", "groups", "payments"}
    _known_only(document, known, "mapping")
    if document.get("format") != 1 or document.get("makes") != "order":
        raise MappingFault("mapping", 'must begin with format = 1 and makes = "order"')
    content = _record(_section(document, "content", "mapping"), CONTENT, "content")
    lines = _record(_section(document, "lines", "mapping"), LINE, "lines")
    for name, fields, wanted in (("content", content, ("external_id", "currency")), ("lines", lines, ("external_id",))):
        for field in wanted:
            if field not in fields.fields:
                raise MappingFault(f"{name}.{field}", "is missing: without it nothing can be told apart")
    payments = document.get("payments")
    return Spec(
        unwrap=document.get("unwrap"),
        let=_fields(document.get("let", {}), None, "let"),
        content=content,
        amounts=_amounts(_section(document, "amounts", "mapping")),
        lines=lines,
        contacts=_like(document.get("contacts", {}), CONTACT, "contacts"),
        groups=_like(document.get("groups", {}), GROUP, "groups"),
        payments=None if payments is None else _record(payments, PAYMENT, "payments"),
    )


def _amounts(section: Mapping[str, object]) -> dict[str, AmountsSpec]:
    _known_only(section, set(SETS), "amounts")
    if "placed" not in section:
        raise MappingFault("amounts.placed", "is missing: the sale as placed")
    found = {}
    for name in section:
        position = f"amounts.{name}"
        part = _section(section, name, "amounts")
        _known_only(part, {"when", "stated_total", *VIEWS}, position)
        views = {
            view: _record(_section(part, view, position), AMOUNTS, f"{position}.{view}")
            for view in VIEWS
            if view in part
        }
        if "shop" not in views:
            raise MappingFault(f"{position}.shop", "is missing")
        found[name] = AmountsSpec(
            shop=views["shop"],
            presentment=views.get("presentment"),
            stated_total=_sources(part["stated_total"], "money", f"{position}.stated_total")
            if "stated_total" in part
            else (),
            when=parse_path(part["when"], f"{position}.when") if "when" in part else None,
        )
    return found


def _like(section: Mapping[str, object], types: Mapping[str, str], position: str) -> dict[str, Record]:
    """Records by name; `like` takes over another's fields."""
    raw: dict[str, dict[str, object]] = {}
    for name in section:
        part = dict(_section(section, name, position))
        model = part.pop("like", None)
        if model is not None and model not in raw:
            raise MappingFault(f"{position}.{name}.like", f"{model!r} does not stand above")
        raw[name] = {**(raw[str(model)] if model is not None else {}), **part}
    return {name: _record(part, types, f"{position}.{name}") for name, part in raw.items()}


def _record(section: Mapping[str, object], types: Mapping[str, str], position: str) -> Record:
    own = {key: section[key] for key in ("from", "each", "let", "unless", "when") if key in section}
    return Record(
        fields=_fields({key: value for key, value in section.items() if key not in own}, types, position),
        at=parse_path(own["from"], f"{position}.from") if "from" in own else None,
        each=_paths(own.get("each", []), f"{position}.each"),
        let=_fields(own.get("let", {}), None, f"{position}.let"),
        unless=_paths(own.get("unless", []), f"{position}.unless"),
        when=parse_path(own["when"], f"{position}.when") if "when" in own else None,
    )


def _fields(section: object, types: Mapping[str, str] | None, position: str) -> Fields:
    if not isinstance(section, dict):
        raise MappingFault(position, "must be a section of field = source")
    fields: Fields = {}
    for name, written in section.items():
        if types is not None and name not in types:
            raise MappingFault(f"{position}.{name}", f"no such field; there are: {', '.join(types)}")
        if types is None and not _LET.fullmatch(name):
            raise MappingFault(f"{position}.{name}", "a let is named in small letters and underscores")
        fields[name] = _sources(written, "raw" if types is None else types[name], f"{position}.{name}")
    return fields


def _sources(written: object, type: str, position: str) -> tuple[Source, ...]:
    if isinstance(written, list):
        return tuple(source for part in written for source in _sources(part, type, position))
    if isinstance(written, str):
        return (Source(paths=(parse_path(written, position),), type=type),)
    if not isinstance(written, dict):
        raise MappingFault(position, "must be a path, a list of them, or { path | call | total_of | value = ... }")
    _known_only(written, _KEYS, position)
    if sum(key in written for key in ("path", "call", "total_of", "value")) != 1:
        raise MappingFault(position, "needs exactly one of path, call, total_of and value")
    if written.get("as", type) not in TYPES:
        raise MappingFault(f"{position}.as", f"{written['as']!r} is none of: {', '.join(sorted(TYPES))}")
    if written.get("unmapped", "problem") not in ("problem", "keep", "skip"):
        raise MappingFault(f"{position}.unmapped", "is problem, keep or skip")
    paths = _paths(written.get("args", written.get("path", [])), position)
    shared = {key: written[key] for key in ("table", "unmapped", "default", "required") if key in written}
    options = {"type": written.get("as", type), **shared}
    if "path" not in written:
        given = {key: written[key] for key in ("call", "total_of", "value") if key in written}
        return (msgspec.convert({**options, **given, "paths": paths}, Source),)
    return tuple(msgspec.convert({**options, "paths": (path,)}, Source) for path in paths)


def _paths(written: object, position: str) -> tuple[Path, ...]:
    parts = written if isinstance(written, list) else [written]
    return tuple(parse_path(part, position) for part in parts)


def _section(document: Mapping[str, object], name: str, position: str) -> Mapping[str, object]:
    section = document.get(name)
    if not isinstance(section, dict):
        raise MappingFault(position, f"needs a section [{name}]")
    return section


def _known_only(section: Mapping[str, object], known: set[str] | frozenset[str], position: str) -> None:
    for key in section:
        if key not in known:
            raise MappingFault(f"{position}.{key}", f"no such key; there are: {', '.join(sorted(known))}")
