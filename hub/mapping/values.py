"""Typed readings of wire values. Each returns the canonical value, or None: silently for what is absent (missing, null
or ""), with a `Problem` for what is there and cannot be read. None of them raises, guesses a type or rounds.

All take `(value, problems, field, path, line)`, and some one more: a currency, a code table.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from typing import Final, TypeVar

import msgspec

from hub.domain.countries import COUNTRIES
from hub.domain.money import SCALE
from hub.domain.order import ManagedBy, Method, Problem
from hub.domain.payment import PaymentKind
from hub.mapping.errors import Malformed

Problems = list[Problem]
M = TypeVar("M")
Find = Callable[[str, str], str | None]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_AMOUNT: Final = 10**15
"""Minor units. Beyond it is a fault of the sender; sums of what is below fit the database's 63 bits."""
LARGEST_COUNT: Final = 2**31 - 1
LONGEST_NUMBER: Final = 28
"""Characters of a number. Keeps arithmetic inside a Decimal's 28 digits, where it is exact."""
_ENOUGH: Final = 120
_METHODS: Final[Mapping[str, Method]] = {member.value: member for member in Method}
_MANAGERS: Final[Mapping[str, ManagedBy]] = {member.value: member for member in ManagedBy}
_PAYMENT_KINDS: Final[Mapping[str, PaymentKind]] = {member.value: member for member in PaymentKind}


def shown(value: object) -> str:
    """A wire value as a problem quotes it: text as it is, anything else as JSON, cut short."""
    text = str(value) if isinstance(value, str | Decimal) and str(value).isprintable() else _json(value)
    return text if len(text) <= _ENOUGH else text[: _ENOUGH - 1] + "…"


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return f"({type(value).__name__})"


def note(problems: Problems, kind: str, field: str, path: str, value: object, line: str | None) -> None:
    """Add a problem."""
    problems.append(Problem(kind=kind, field=field, path=path, value=shown(value), line=line))


def missing(problems: Problems, field: str, path: str, line: str | None) -> None:
    """Add a missing_field problem, unless the field's value was already found unreadable."""
    if not any(problem.field == field and problem.line == line for problem in problems):
        note(problems, "missing_field", field, path, "", line)


def raw(value: object, problems: Problems, field: str, path: str, line: str | None) -> object:
    """As it stands."""
    return None if value == "" else value


def identity(value: object, path: str) -> str:
    """The order's own id. Raises `Malformed`: without it there is no order."""
    if value.__class__ is int or (value.__class__ is str and value):
        text = str(value)
        if len(text) <= _ENOUGH and text.isprintable():
            return text
    raise Malformed("external_id", path, shown(value))


def id(value: object, problems: Problems, field: str, path: str, line: str | None) -> str | None:
    """Opaque text; whole numbers are written out."""
    if value.__class__ is int:
        return str(value)
    return text(value, problems, field, path, line)


def text(value: object, problems: Problems, field: str, path: str, line: str | None) -> str | None:
    """Text; whole and decimal numbers are written out, "" is absent."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    note(problems, "bad_text", field, path, value, line)
    return None


def private(value: object, problems: Problems, field: str, path: str, line: str | None) -> str | None:
    """Text about a person: a problem names the type of an unreadable value, never the value."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    note(problems, "bad_text", field, path, f"({type(value).__name__})", line)
    return None


def count(value: object, problems: Problems, field: str, path: str, line: str | None) -> int | None:
    """A whole number of units, 0 or more."""
    return _units(value, 0, problems, field, path, line)


def quantity(value: object, problems: Problems, field: str, path: str, line: str | None) -> int | None:
    """An ordered quantity: 1 or more."""
    return _units(value, 1, problems, field, path, line)


def _units(value: object, least: int, problems: Problems, field: str, path: str, line: str | None) -> int | None:
    if value is None:
        return None
    whole = value
    if isinstance(value, Decimal) and value.adjusted() < LONGEST_NUMBER and value.is_finite() and value == int(value):
        whole = int(value)
    if whole.__class__ is int and least <= whole <= LARGEST_COUNT:
        return whole
    note(problems, "bad_quantity", field, path, value, line)
    return None


def exact(text: str) -> Decimal:
    """A JSON number with a fraction or exponent; NaN, which nothing takes for a number, when beyond any Decimal."""
    try:
        return Decimal(text)
    except DecimalException:
        return Decimal("NaN")


def decimal_of(value: object) -> Decimal | None:
    """The exact number of a wire amount: text, whole or decimal; None for "" and null.

    Raises ValueError for anything else. For adapters' functions that reckon before the one conversion to minor units.
    """
    if value.__class__ is str:
        if len(value) > LONGEST_NUMBER:
            raise ValueError(f"{shown(value)} is too long for a number")
        if not value:
            return None
        try:
            return Decimal(value)
        except DecimalException:
            raise ValueError(f"{shown(value)} is not a number") from None
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and len(str(value)) <= LONGEST_NUMBER:
        return Decimal(value)
    raise ValueError(f"{shown(value)} is not a number")


def decimal(value: object, problems: Problems, field: str, path: str, line: str | None) -> Decimal | None:
    """An exact number, for information: what is none is absent, the amount that is made of it complains."""
    try:
        number = decimal_of(value)
    except ValueError:
        return None
    return number if number is not None and number.is_finite() and number.adjusted() < LONGEST_NUMBER else None


def money(
    value: object, problems: Problems, field: str, path: str, line: str | None, currency: str | None
) -> int | None:
    """Minor units of `currency`; a list is added up before its one conversion.

    bad_money when it is no number, finer than the minor unit, or beyond reason. Nothing can be booked in an unknown
    currency: 0 in silence, for the currency itself is the problem, told once.
    """
    if value is None or value == "":
        return None
    try:
        if value.__class__ is str and len(value) <= LONGEST_NUMBER:
            number: Decimal | None = Decimal(value)
        else:
            number = _total(value) if value.__class__ is list else decimal_of(value)
        scale = SCALE.get(currency or "")
        if number is None or scale is None:
            return None if number is None else 0
        # The magnitude first: making an int of 1e999999999 fills the memory.
        if number.adjusted() < LONGEST_NUMBER:
            scaled = number * scale
            whole = int(scaled)
            if whole == scaled and -LARGEST_AMOUNT <= whole <= LARGEST_AMOUNT:
                return whole
    except (ValueError, ArithmeticError):
        pass
    note(problems, "bad_money", field, path, f"{shown(value)} {currency}", line)
    return None


def _total(values: object) -> Decimal | None:
    if not values:
        return None
    total = Decimal(0)
    for value in values:  # type: ignore[attr-defined]
        total += decimal_of(value) or 0
    return total


def time(value: object, problems: Problems, field: str, path: str, line: str | None) -> datetime | None:
    """RFC 3339 text with its offset, in UTC. A time without an offset is unreadable: whose midnight would it be?"""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    note(problems, "bad_time", field, path, value, line)
    return None


def microseconds(value: object, problems: Problems, field: str, path: str, line: str | None) -> int | None:
    """Whole microseconds since 1970 of an RFC 3339 time."""
    at = time(value, problems, field, path, line)
    if at is None:
        return None
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def flag(value: object, problems: Problems, field: str, path: str, line: str | None) -> bool | None:
    """True or false, and nothing that only looks like it."""
    if value is None or isinstance(value, bool):
        return value
    note(problems, "bad_flag", field, path, value, line)
    return None


def currency(value: object, problems: Problems, field: str, path: str, line: str | None) -> str | None:
    """ISO 4217 code of the table; bad_money for any other."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value in SCALE:
        return value
    note(problems, "bad_money", field, path, value, line)
    return None


def country(value: object, problems: Problems, field: str, path: str, line: str | None, find: Find) -> str | None:
    """ISO 3166-1 alpha-2: as given, or by the code table `country` for names and vendors' own codes."""
    if isinstance(value, str):
        if value in COUNTRIES:
            return value
        if not value:
            return None
        found = find("country", value)
        if found is not None:
            return found
    if value is not None:
        note(problems, "unmapped_country", field, path, value, line)
    return None


def word(
    value: object,
    problems: Problems,
    field: str,
    path: str,
    line: str | None,
    table: str,
    unmapped: str,
    find: Find,
) -> str | None:
    """Canonical word of a code table; an unknown one is `unmapped_<table>`, or kept or skipped, as the file says."""
    read = text(value, problems, field, path, line)
    if read is None:
        return None
    found = find(table, read)
    if found is None and unmapped == "keep":
        return read
    if found is None and unmapped == "problem":
        note(problems, f"unmapped_{table}", field, path, read, line)
    return found


def words(value: object, problems: Problems, field: str, path: str, line: str | None) -> tuple[str, ...]:
    """A list of texts, or one text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not parts:
        return ()
    if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
        return tuple(stripped for part in parts if (stripped := part.strip()))
    note(problems, "bad_text", field, path, value, line)
    return ()


def lines(value: object, problems: Problems, field: str, path: str, line: str | None) -> str | None:
    """One street line."""
    return private(value, problems, field, path, line)


def coordinate(value: object, problems: Problems, field: str, path: str, line: str | None) -> float | None:
    """Degrees; what is no number is unknown, never a problem: no order waits for its coordinates."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return float(value) if Decimal(value).is_finite() and -180 <= value <= 180 else None


def method(value: object, problems: Problems, field: str, path: str, line: str | None) -> Method | None:
    """A delivery method of the hub."""
    return _member(_METHODS, "unmapped_method", value, problems, field, path, line)


def managed_by(value: object, problems: Problems, field: str, path: str, line: str | None) -> ManagedBy | None:
    """Who moves the goods."""
    return _member(_MANAGERS, "unmapped_manager", value, problems, field, path, line)


def payment_kind(value: object, problems: Problems, field: str, path: str, line: str | None) -> PaymentKind | None:
    """What a payment row says happened."""
    return _member(_PAYMENT_KINDS, "unmapped_payment_kind", value, problems, field, path, line)


def _member(
    members: Mapping[str, M], kind: str, value: object, problems: Problems, field: str, path: str, line: str | None
) -> M | None:
    if value is None:
        return None
    found = members.get(value) if isinstance(value, str) else None
    if found is None:
        note(problems, kind, field, path, value, line)
    return found


def dig(value: object, steps: Iterable[str]) -> object:
    """Follow keys; None as soon as something on the way is no object."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def spread(value: object, steps: tuple[tuple[str, bool], ...]) -> list[object]:
    """Values under a path with lists in it, null where a row has none. A row that is no object stands in the result
    as it is, so that its reader can complain of it.
    """
    found = [value]
    for name, many in steps:
        following: list[object] = []
        for part in found:
            inner = part.get(name) if isinstance(part, dict) else part
            following.extend(listed(inner) if many else [inner])
        found = following
    return found


def listed(value: object) -> list[object]:
    """A list as it is; null and `{}` are empty; anything else is the only row."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None or value == {} or value == "" else [value]
