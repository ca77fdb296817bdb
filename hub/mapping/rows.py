"""What generated mappings call besides the typed readings: rows, groups and the adapter's functions, kept in hand."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from hub.domain.contact import Contact
from hub.domain.order import DeliveryGroup, ManagedBy, Method, OrderLine, Problem
from hub.mapping.values import Problems, listed, missing, note

T = TypeVar("T")

NOBODY: Final = Contact()
UNREADY: Final = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
"""What reading a document of an unexpected shape raises, in generated code and in adapters' functions."""


def reach(value: Any, *names: str) -> Any:
    """Follow attributes; None as soon as something on the way is absent."""
    for name in names:
        if value is None:
            return None
        value = getattr(value, name)
    return value


def flat(lists: Iterable[Iterable[T] | None]) -> list[T]:
    """The rows of many lists."""
    return [row for rows in lists for row in rows or ()]


def objects(rows: object, problems: Problems, field: str, path: str) -> list[dict[str, Any]]:
    """The rows that are objects; any other is a bad_row."""
    found = []
    for row in listed(rows):
        if isinstance(row, dict):
            found.append(row)
        else:
            note(problems, "bad_row", field, path, row, None)
    return found


def guarded(
    function: Callable[..., Any],
    arguments: tuple[object, ...],
    problems: Problems,
    kind: str,
    field: str,
    path: str,
    line: str | None,
) -> Any:
    """Call an adapter's function on values of any shape; what it cannot work with is a problem."""
    try:
        return function(*arguments)
    except UNREADY:
        given: object = arguments[0] if len(arguments) == 1 else list(arguments)
        if field.startswith("contacts."):
            given = "(a person's data)"
        note(problems, kind, field, path, given, line)
        return None


def or_missing(placeholder: T, problems: Problems, field: str, path: str, line: str | None) -> T:
    """The placeholder of a field that must hold something, and the problem that says so."""
    missing(problems, field, path, line)
    return placeholder


def lacking(problems: Problems, prefix: str, values: Mapping[str, object]) -> None:
    """Say which needed fields kept a payment row out."""
    for name, value in values.items():
        if value is None:
            missing(problems, f"payments.{name}", f"{prefix}{name}", None)


def told_once(problems: Problems) -> tuple[Problem, ...]:
    """The first of problems with the same kind, key, value and line: what is read for two fields is one cause."""
    if len(problems) < 2:
        return tuple(problems)
    causes: dict[tuple[object, ...], Problem] = {}
    for one in problems:
        causes.setdefault((one.kind, one.path.rpartition(".")[2], one.value, one.line), one)
    return tuple(causes.values())


def tell_apart(lines: list[OrderLine], problems: Problems) -> None:
    """Lines are known by their id; a second one of the same id gets one of its own, and a problem."""
    seen: set[str] = set()
    for number, line in enumerate(lines):
        if line.external_id in seen:
            note(problems, "duplicate_line", "lines.external_id", "", line.external_id, line.external_id)
            lines[number] = msgspec.structs.replace(line, external_id=f"{line.external_id}?{number + 1}")
        seen.add(lines[number].external_id)


def addressed(
    groups: list[dict[str, Any]],
    lines: list[OrderLine],
    contacts: Mapping[str, Contact],
    places: Mapping[str, str],
    cancelled: bool,
    problems: Problems,
) -> tuple[DeliveryGroup, ...]:
    """Give each group its contact's place; missing_address where goods are to be sent and nobody says where to."""
    made = []
    for fields in groups:
        key, name = fields["key"], fields.get("contact")
        contact = contacts.get(name) if name else None
        fields["contact"] = None if contact is None else name
        group = DeliveryGroup(**fields, place=None if contact is None else contact.place)
        sends = group.method is Method.SHIP or group.method is Method.DELIVER
        if sends and not cancelled and (contact is None or not contact.deliverable) and _waits(lines, key):
            lacks = "no address" if contact is None else _lacks(contact)
            note(problems, "missing_address", f"groups.{key}.contact", places.get(name or "", ""), lacks, None)
        made.append(group)
    keys = {group.key for group in made}
    for line in lines:
        if line.group not in keys:
            note(problems, "unmapped_group", "lines.group", "", line.group, line.external_id)
    return tuple(made)


def _waits(lines: list[OrderLine], group: str) -> bool:
    return any(
        line.group == group
        and line.ships
        and line.managed_by is ManagedBy.HUB
        and line.quantity > line.fulfilled_elsewhere
        for line in lines
    )


def _lacks(contact: Contact) -> str:
    """What the address lacks, without repeating any of it."""
    lacking = [] if contact.country else ["country"]
    lacking += [] if any(contact.lines) else ["street"]
    lacking += [] if contact.city or contact.postal_code else ["city and postal code"]
    return f"no {', no '.join(lacking)}"
