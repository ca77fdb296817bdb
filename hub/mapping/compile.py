"""Compile a mapping file once; then it turns a vendor's bytes into an `OrderSnapshot`, purely and fast."""

from collections.abc import Callable
from collections.abc import Mapping as Items
from typing import Any, Final, Protocol, cast

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.domain.payment import Payment
from hub.mapping import rows, values
from hub.mapping.access import through
from hub.mapping.apply import apply_overlay
from hub.mapping.errors import Malformed, MappingFault
from hub.mapping.generate import Writer, defaults
from hub.mapping.overlay import Overlay
from hub.mapping.shape import Node, structs
from hub.mapping.spec import TYPES, Fields, Path, Record, Spec, Steps, parse_spec
from hub.mapping.tables import Layered, Tables
from hub.mapping.values import Find, Problems


class Read(Protocol):
    """A generated reading."""

    def __call__(self, document: Any, find: Find, problems: Problems, /) -> OrderSnapshot: ...


_untyped: Final = msgspec.json.Decoder(float_hook=values.exact)
_UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NUL: Final = b"\\u0000"
_HELP_OF_VALUES: Final = ("EPOCH", "LARGEST_COUNT", "dig", "identity", "missing", "spread")
_HELP_OF_ROWS: Final = (
    *("NOBODY", "addressed", "flat", "guarded", "lacking"),
    *("objects", "or_missing", "reach", "tell_apart", "told_once"),
)


class Mapping:
    """A compiled mapping: bytes in, snapshot out.

    Raises `Malformed` when the order's identity cannot be read: no JSON object, no id, or text that no database takes.
    Whatever else is wrong is a `Problem` of the snapshot.
    """

    def __init__(
        self, spec: Spec, functions: Items[str, Callable[..., Any]], tables: Tables, overlay: Overlay | None
    ) -> None:
        shape = _shape(spec)
        names = _names(spec, functions)
        self.lean_source = Writer(spec, shape, lean=True).write()
        self.careful_source = Writer(spec, shape, lean=False).write()
        self._lean = _load(self.lean_source, names)
        self._careful = _load(self.careful_source, names)
        self._decoder = msgspec.json.Decoder(structs(shape), float_hook=values.exact)
        self._find = tables.find
        self._spec = spec
        self._overlay = overlay

    def __call__(self, raw: bytes) -> OrderSnapshot:
        """Map one document."""
        try:
            snapshot = self._lean(self._decoder.decode(raw), self._find, [])
        except (msgspec.ValidationError, *rows.UNREADY, *_UNDECODABLE, Malformed):
            snapshot = self.read_with_care(raw)
        if b"\\" in raw and _NUL in raw:
            _refuse_nul(snapshot)
        if self._overlay is not None:
            return apply_overlay(self._overlay, raw, snapshot, self._spec)
        return snapshot

    def read_with_care(self, raw: bytes) -> OrderSnapshot:
        """The reading that takes documents of any shape, without the overlay."""
        try:
            document = _untyped.decode(raw)
        except _UNDECODABLE as fault:
            raise Malformed("document", "", f"{len(raw)} bytes that are no JSON: {fault}") from None
        wrapper = self._spec.unwrap
        if wrapper and isinstance(document, dict) and isinstance(document.get(wrapper), dict):
            document = document[wrapper]
        if not isinstance(document, dict):
            raise Malformed("document", "", f"{type(document).__name__}, no object")
        return self._careful(document, self._find, [])


def compile_mapping(
    text: str, functions: Items[str, Callable[..., Any]], tables: Tables, overlay: Overlay | None = None
) -> Mapping:
    """Compile a mapping file with its adapter's functions, the code tables and a merchant's overlay.

    The overlay's own tables come before `tables`. Raises `MappingFault` naming the place that is wrong.
    """
    if overlay is not None:
        tables = Layered(overlay.tables, tables)
    return Mapping(parse_spec(text), functions, tables, overlay)


def _load(source: str, names: Items[str, Any]) -> Read:
    """Make the generated source a function. It is written by `generate` from files that ship with an adapter."""
    scope = dict(names)
    exec(compile(source, "<mapping>", "exec"), scope)  # noqa: S102
    return cast(Read, scope["read"])


def _names(spec: Spec, functions: Items[str, Callable[..., Any]]) -> dict[str, Any]:
    """Everything that generated code refers to."""
    names: dict[str, Any] = {f"as_{name}": getattr(values, name) for name in (*TYPES, "word")}
    names |= {name: getattr(values, name) for name in _HELP_OF_VALUES} | {
        name: getattr(rows, name) for name in _HELP_OF_ROWS
    }
    made = (Amounts, AmountSet, Contact, OrderContent, OrderLine, OrderSnapshot, DeliveryGroup, Payment)
    names |= defaults() | {struct.__name__: struct for struct in made}
    for position, fields in _sections(spec):
        for field, sources in fields.items():
            for called in (source.call for source in sources if source.call is not None):
                if called not in functions:
                    have = ", ".join(sorted(functions)) or "none"
                    raise MappingFault(f"{position}.{field}.call", f"no function {called!r}; the adapter has: {have}")
                names[f"call_{called}"] = functions[called]
    return names


def _records(spec: Spec) -> list[tuple[str, Record]]:
    found = [("content", spec.content), ("lines", spec.lines)]
    for name, amounts in spec.amounts.items():
        found.append((f"amounts.{name}.shop", amounts.shop))
        if amounts.presentment is not None:
            found.append((f"amounts.{name}.presentment", amounts.presentment))
    found += [(f"contacts.{name}", record) for name, record in spec.contacts.items()]
    found += [(f"groups.{name}", record) for name, record in spec.groups.items()]
    return found if spec.payments is None else [*found, ("payments", spec.payments)]


def _sections(spec: Spec) -> list[tuple[str, Fields]]:
    found = [("let", spec.let)]
    for position, record in _records(spec):
        found += [(position, record.fields), (f"{position}.let", record.let)]
    totals = {name: amounts.stated_total for name, amounts in spec.amounts.items() if amounts.stated_total}
    return [*found, *((f"amounts.{name}", {"stated_total": sources}) for name, sources in totals.items())]


def _shape(spec: Spec) -> Node:
    """The tree of all keys that the mapping reads."""
    shape = Node()

    def note(path: Path | None, base: Steps, position: str) -> None:
        if path is not None and path.steps and path.root in ("", "$"):
            shape.add(path.steps if path.root == "$" else (*base, *path.steps), position)

    for position, record in _records(spec):
        for base in _bases(record):
            if base:
                shape.enter(base, position)
            for fields in (record.fields, record.let):
                for sources in fields.values():
                    for path in (path for source in sources for path in source.paths):
                        note(path, base, position)
            for path in record.unless:
                note(path, base, position)
        note(record.when, (), position)
    for name, amounts in spec.amounts.items():
        note(amounts.when, (), f"amounts.{name}")
        for path in (path for source in amounts.stated_total for path in source.paths):
            note(path, (), f"amounts.{name}")
    for path in (path for sources in spec.let.values() for source in sources for path in source.paths):
        note(path, (), "let")
    return shape


def _bases(record: Record) -> list[Steps]:
    """Where the rows of a record stand in the document; nowhere for rows that a function made."""
    if record.at is not None:
        return [record.at.steps]
    if record.each:
        return [through(path.steps) for path in record.each if not path.root]
    return [()]


def _refuse_nul(snapshot: OrderSnapshot) -> None:
    """Raise `Malformed` naming the first text with a NUL: Postgres takes none, and the whole batch would fail."""

    def search(value: object, path: str) -> None:
        if isinstance(value, str) and "\0" in value:
            told = "(a person's data)" if path.startswith("contacts") else values.shown(value)
            raise Malformed(path.partition("[")[0], path, f"{told} with a NUL")
        if isinstance(value, dict):
            for key, part in value.items():
                search(part, f"{path}.{key}".lstrip("."))
        if isinstance(value, list | tuple):
            for number, part in enumerate(value):
                search(part, f"{path}[{number}]")

    search(msgspec.to_builtins(snapshot), "")
