"""Set a merchant's overlay over what the mapping made. Pure; whatever fails is a problem of the snapshot."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from hub.cel import EvaluationFailed, Expression
from hub.domain.contact import Contact
from hub.domain.order import OrderContent, OrderLine, OrderSnapshot, Problem
from hub.mapping import rows, values
from hub.mapping.overlay import Overlay, Target
from hub.mapping.spec import Spec

LONGEST_TEXT: Final = 2000


def apply_overlay(overlay: Overlay, raw: bytes, snapshot: OrderSnapshot, spec: Spec) -> OrderSnapshot:
    """The snapshot with the overlay's fields set. What has no value, or not one for its field, is `overlay_failed`."""
    if not overlay.settings:
        return snapshot
    problems: list[Problem] = []
    try:
        document = _plain_document(raw, spec.unwrap)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        _note(problems, "raw", "", f"a part that the mapping does not read is no JSON: {fault}")
        return msgspec.structs.replace(snapshot, problems=(*snapshot.problems, *problems))
    order = _as_json(snapshot)
    lines = _set_lines(overlay, document, order, snapshot, spec, problems)
    changes: dict[tuple[str, str], dict[str, Any]] = {}
    seen = overlay.order_engine.values({"raw": document, "order": order})
    for target, expression in overlay.settings:
        if target.part != "lines[]":
            found = _evaluated(target, expression, seen, None, problems)
            if found is not _FAILED:
                changes.setdefault((target.part, target.key), {})[target.field] = found
    content = msgspec.structs.replace(snapshot.content, lines=lines, **changes.pop(("content", ""), {}))
    contacts = dict(snapshot.contacts)
    for (part, key), fields in changes.items():
        if part == "contacts":
            contacts[key] = msgspec.structs.replace(contacts.get(key, Contact()), **fields)
    groups = {key: fields for (part, key), fields in changes.items() if part == "groups"}
    return _regrouped(snapshot, content, contacts, groups, problems, spec)


def _set_lines(
    overlay: Overlay,
    document: Mapping[str, Any],
    order: Mapping[str, Any],
    snapshot: OrderSnapshot,
    spec: Spec,
    problems: list[Problem],
) -> tuple[OrderLine, ...]:
    settings = [(target, expression) for target, expression in overlay.settings if target.part == "lines[]"]
    if not settings:
        return snapshot.content.lines
    items = _raw_lines(document, spec)
    changed = []
    for line, seen_line in zip(snapshot.content.lines, order["lines"], strict=True):
        variables = {"raw": document, "order": order, "line": seen_line, "item": items.get(line.external_id)}
        seen = overlay.line_engine.values(variables)
        found = {
            target.field: value
            for target, expression in settings
            if (value := _evaluated(target, expression, seen, line.external_id, problems)) is not _FAILED
        }
        changed.append(msgspec.structs.replace(line, **found))
    return tuple(changed)


def _regrouped(
    snapshot: OrderSnapshot,
    content: OrderContent,
    contacts: dict[str, Contact],
    changes: Mapping[str, Mapping[str, Any]],
    problems: list[Problem],
    spec: Spec,
) -> OrderSnapshot:
    """Groups as the changed lines need them: one that is new takes after the group its first line came from."""
    made = {group.key: group for group in snapshot.content.groups}
    for before, line in zip(snapshot.content.lines, content.lines, strict=True):
        if line.group not in made and before.group in made:
            made[line.group] = msgspec.structs.replace(made[before.group], key=line.group)
    used = {line.group for line in content.lines}
    fields = []
    for key, group in made.items():
        if key in used:
            before_change = {name: getattr(group, name) for name in group.__struct_fields__ if name != "place"}
            fields.append({**before_change, **changes.get(key, {})})
    kept = [problem for problem in snapshot.problems if problem.kind not in ("missing_address", "unmapped_group")]
    places = {key: record.at.text for key, record in spec.contacts.items() if record.at is not None}
    cancelled = content.cancelled_at is not None
    groups = rows.addressed(fields, list(content.lines), contacts, places, cancelled, problems)
    content = msgspec.structs.replace(content, groups=groups)
    return OrderSnapshot(content=content, contacts=contacts, problems=(*kept, *problems))


_FAILED: Final = object()


def _evaluated(target: Target, expression: Expression, seen: Any, line: str | None, problems: list[Problem]) -> Any:
    """The field's new value, or `_FAILED` with a problem that names field, expression and what came out."""
    try:
        return _typed(target, expression.evaluate(seen))
    except (EvaluationFailed, ValueError) as fault:
        _note(problems, target.text, expression.source, str(fault), line)
        return _FAILED


def _note(problems: list[Problem], field: str, source: str, reason: str, line: str | None = None) -> None:
    values.note(problems, "overlay_failed", field, source[:200], reason, line)


def _typed(target: Target, given: Any) -> Any:
    """A result as the target's type; raises ValueError. Of people and of parts of documents only the type is told."""
    quoted = isinstance(given, str | int | float) and target.part != "contacts"
    told = values.shown(given) if quoted else f"({type(given).__name__})"
    if isinstance(given, datetime):
        given = given.isoformat()
    if target.type == "lines":
        value: Any = values.words(given.splitlines() if isinstance(given, str) else given, [], "", "", None)
    elif target.type == "coordinate":
        number = Decimal(str(given)) if isinstance(given, int | float) else given
        value = values.coordinate(number, [], "", "", None)
    else:
        problems: list[Problem] = []
        value = _READINGS[target.type](given, problems, "", "", None)
        if problems:
            raise ValueError(f"{problems[0].kind}: {told}")
    if given is not None and value in (None, ()) and given not in ("", []):
        raise ValueError(f"{told} is not what the field holds")
    if value is None and not target.optional:
        raise ValueError("nothing, which this field cannot hold")
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, str) and (len(part) > LONGEST_TEXT or "\0" in part):
            raise ValueError(f"text with a NUL or longer than {LONGEST_TEXT} characters")
    return value


def _country(given: object, problems: list[Problem], field: str, path: str, line: str | None) -> str | None:
    """Codes only: an expression that gives names looks them up in a table of its own making."""
    return values.country(given, problems, field, path, line, lambda table, word: None)


_READINGS: Final[Mapping[str, Callable[..., Any]]] = {
    "text": values.text,
    "id": values.id,
    "private": values.private,
    "flag": values.flag,
    "words": values.words,
    "time": values.time,
    "method": values.method,
    "managed_by": values.managed_by,
    "country": _country,
}


# --- what expressions see ---------------------------------------------------------------------------------------------

_document_decoder: Final = msgspec.json.Decoder(float_hook=str)
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_MANY_DIGITS: Final = b"0" * 19
"""As many digits has the smallest number beyond 63 bits."""
_LARGEST: Final = 2**63


def _plain_document(raw: bytes, unwrap: str | None) -> Mapping[str, Any]:
    """The document as the engine can hold it. One whole number too large for it would fail every expression."""
    document: dict[str, Any] = _document_decoder.decode(raw)
    if unwrap and isinstance(document.get(unwrap), dict):
        document = document[unwrap]
    # Looking at every value costs four times the decoding, and hardly a document needs it.
    return _small(document) if _MANY_DIGITS in raw.translate(_DIGITS_ALIKE) else document


def _small(value: Any) -> Any:
    """The same with whole numbers beyond 63 bits as text."""
    if isinstance(value, dict):
        return {key: _small(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_small(part) for part in value]
    if value.__class__ is int and not -_LARGEST <= value < _LARGEST:
        return str(value)
    return value


def _as_json(snapshot: OrderSnapshot) -> Mapping[str, Any]:
    """`order`, by the same paths as the targets, with every field: an expression need not ask `has()`."""
    content = snapshot.content
    apart = ("amounts", "edited", "refunded", "lines", "groups", "payments")
    scalars = {name: getattr(content, name) for name in content.__struct_fields__ if name not in apart}
    whole = {
        "content": scalars,
        "amounts": content.amounts,
        "lines": [msgspec.structs.asdict(line) for line in content.lines],
        "groups": {group.key: msgspec.structs.asdict(group) for group in content.groups},
        "contacts": {key: msgspec.structs.asdict(contact) for key, contact in snapshot.contacts.items()},
    }
    return msgspec.json.decode(msgspec.json.encode(whole))  # type: ignore[no-any-return]


def _raw_lines(document: Mapping[str, Any], spec: Spec) -> dict[str, Mapping[str, Any]]:
    """Raw rows of the lines by their id."""
    steps = [(*each.steps[:-1], (each.steps[-1][0], True)) for each in spec.lines.each if not each.root]
    paths = [path.steps for source in spec.lines.fields["external_id"] for path in source.paths]
    found: dict[str, Mapping[str, Any]] = {}
    for through in steps:
        for row in values.spread(document, through):
            for path in paths:
                identity = values.dig(row, (name for name, _ in path))
                if identity is not None and isinstance(row, dict):
                    found.setdefault(str(identity), row)
    return found
