"""Keeping secrets, people and bodies out of logs and printed values."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import msgspec

from hub.domain.contact import Contact
from hub.sdk.adapter import Secret

MASK: Final = "***"

SECRET_WORDS: Final = re.compile(
    r"authori[sz]ation|token|secret|passw|signature|hmac|credential|api[-_]?key|access[-_]?key|private[-_]?key|cookie|nonce",
    re.IGNORECASE,
)
"""A key or header whose name contains one of these is masked."""
PERSONAL_WORDS: Final = re.compile(
    r"e?mail$|phone|(first|last|full|customer)_?name|address|ship_to|contact$", re.IGNORECASE
)
BODY_WORDS: Final = re.compile(r"^(raw_)?(body|payload|content|request_body|response_body|document)$", re.IGNORECASE)
EMAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
INLINE: Final = re.compile(
    r"(?P<name>[a-z_-]*(?:token|secret|password|signature|api[_-]?key)|authorization)(?P<sep>[\"']?\s*[=:]\s*)"
    r"(?:\"[^\"]*\"|'[^']*'|(?:(?:bearer|basic|oauth)\s+)?[^\s\"'&,;]+)",
    re.IGNORECASE,
)
BEARER: Final = re.compile(r"\b(?P<scheme>bearer|basic)\s+[A-Za-z0-9+/=_.~-]{8,}", re.IGNORECASE)


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """Base of an adapter's settings: prints secret fields (`x-secret`) as `***`.

    `class Settings(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True): ...`
    """

    def __repr__(self) -> str:
        hidden = hidden_fields(type(self))
        shown = (
            f"{name}={MASK if name in hidden and value else repr(value)}"
            for name, value in msgspec.structs.asdict(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        hidden = hidden_fields(type(self))
        values = msgspec.structs.asdict(self)
        return [(name, MASK if name in hidden and value else value) for name, value in values.items()]


def hidden_fields(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Names of a struct's secret fields, also of those that may be absent: `Secret | None`, `tuple[Secret, ...]`."""
    fields = msgspec.inspect.type_info(kind).fields  # type: ignore[attr-defined]
    return frozenset(field.name for field in fields if _marked(field.type))


def _marked(kind: msgspec.inspect.Type) -> bool:
    match kind:
        case msgspec.inspect.Metadata():
            return bool((kind.extra_json_schema or {}).get(Secret)) or _marked(kind.type)
        case msgspec.inspect.UnionType():
            return any(_marked(inner) for inner in kind.types)
        case msgspec.inspect.CollectionType():
            return _marked(kind.item_type)
        case _:
            return False


def redact(value: object, name: str = "") -> object:
    """A copy of a loggable value without secrets, personal data and bodies.

    Masked are: values under a key that sounds like one of them, secret fields of structs, e-mail addresses and
    `token=...` or `Bearer ...` inside text. Bytes never pass: they show as their length.
    """
    if name and value is not None and not isinstance(value, bool | int | float):
        if SECRET_WORDS.search(name) or PERSONAL_WORDS.search(name):
            return MASK
        if BODY_WORDS.search(name):
            return f"<{name} withheld>"
    match value:
        case str():
            return redact_text(value)
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case Contact():
            return MASK
        case msgspec.Struct():
            hidden = hidden_fields(type(value))
            fields = msgspec.structs.asdict(value)
            return {key: MASK if key in hidden else redact(inner, key) for key, inner in fields.items()}
        case Mapping():
            return {str(key): redact(inner, str(key)) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(inner) for inner in value]
        case BaseException():
            return f"{type(value).__name__}: {redact_text(str(value))}"
        case _:
            return value


def redact_text(text: str) -> str:
    """Text without e-mail addresses and without the values of `token=...`, `"secret": "..."`, `Bearer ...`."""
    text = INLINE.sub(lambda found: f"{found['name']}{found['sep']}{MASK}", text)
    text = BEARER.sub(lambda found: f"{found['scheme']} {MASK}", text)
    return EMAIL.sub(MASK, text)


def redact_event(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor. Stands after `format_exc_info`, so that tracebacks pass through it as text."""
    for key, value in event.items():
        event[key] = redact(value, key)
    return event
