"""Reading what people send: field by field, so that they see every fault at once, each with its JSON Pointer."""

import types
import typing
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar

import msgspec

from hub.store.admin.errors import Fault, Invalid

T = TypeVar("T")

_document = msgspec.json.Decoder(float_hook=Decimal)

LARGEST: Final = 2**63 - 1
"""Integers beyond the database's are refused wherever they stand."""


class NotJson(Exception):
    """A body that is no JSON document at all."""


def parse(raw: bytes) -> Any:
    """Parse a JSON document; fractions become Decimals. Raises `NotJson`, and `Invalid` for unstorable values."""
    try:
        document = _document.decode(raw)
    except msgspec.MsgspecError as error:
        raise NotJson(str(error)) from error
    except (RecursionError, UnicodeDecodeError) as error:
        raise NotJson("the document is nested too deeply or is not UTF-8") from error
    faults: list[Fault] = []
    check_storable(document, "", faults)
    if faults:
        raise Invalid(faults)
    return document


def check_storable(value: object, at: str, faults: list[Fault]) -> None:
    """Find what no text column or integer column can hold: NUL, lone surrogates, numbers beyond 64 bits."""
    match value:
        case str():
            if not storable_text(value):
                faults.append(Fault("holds a NUL character or half a surrogate pair", at))
        case bool() | None:
            pass
        case int() | Decimal():
            if not -LARGEST <= value <= LARGEST:
                faults.append(Fault("is out of range", at))
        case dict():
            for key, inner in value.items():
                if not storable_text(key):
                    faults.append(Fault("holds a name with a NUL character or half a surrogate pair", at))
                check_storable(inner, f"{at}/{escape(key)}", faults)
        case list():
            for index, inner in enumerate(value):
                check_storable(inner, f"{at}/{index}", faults)


def storable_text(text: str) -> bool:
    """Whether a text column takes it."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def escape(step: str) -> str:
    """A step of a JSON Pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def read(kind: type[T], document: object, at: str = "") -> T:
    """Convert a parsed document to `kind`; raises `Invalid` naming every fault below pointer `at`."""
    faults: list[Fault] = []
    examine(kind, document, at, faults)
    if not faults:
        try:
            return msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            faults.append(_fault(error, at))
    raise Invalid(faults)


def examine(kind: Any, value: object, at: str, faults: list[Fault]) -> None:
    """Collect what is wrong with `value` as a `kind`, going into structs, lists and dictionaries."""
    inner = _structure(kind)
    origin = typing.get_origin(inner)
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and isinstance(value, Mapping):
        _examine_struct(inner, value, at, faults)
    elif origin in (list, tuple, Sequence) and isinstance(value, list):
        for index, member in enumerate(value):
            examine(typing.get_args(inner)[0], member, f"{at}/{index}", faults)
    elif origin is dict and isinstance(value, dict):
        for key, member in value.items():
            examine(typing.get_args(inner)[1], member, f"{at}/{escape(key)}", faults)
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            fault = _fault(error, at)
            faults.append(fault._replace(detail=with_words(fault.detail, kind)))


def _examine_struct(kind: type[msgspec.Struct], value: Mapping[str, object], at: str, faults: list[Fault]) -> None:
    known = set()
    for field in msgspec.structs.fields(kind):
        known.add(field.encode_name)
        where = f"{at}/{escape(field.encode_name)}"
        if field.encode_name in value:
            examine(field.type, value[field.encode_name], where, faults)
        elif field.required:
            faults.append(Fault("is missing", where))
    tag = kind.__struct_config__.tag_field
    if kind.__struct_config__.forbid_unknown_fields:
        faults += [
            Fault("is not a known field", f"{at}/{escape(name)}") for name in value if name not in known and name != tag
        ]


def _structure(kind: Any) -> Any:
    """The type inside Annotated and optional; a union of several structured types is left to msgspec."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _structure(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        empty = (type(None), msgspec.UnsetType)
        members = [member for member in typing.get_args(kind) if member not in empty]
        return _structure(members[0]) if len(members) == 1 else kind
    return kind


def with_words(detail: str, kind: Any) -> str:
    """A refusal of a word, with the words of `kind` that would have been taken."""
    words = _words(kind) if "enum value" in detail else ()
    return f"{detail}; one of {', '.join(map(str, words))}" if words else detail


def _words(kind: Any) -> tuple[object, ...]:
    """The words of an enumeration or a Literal, where `kind` is nothing else but optional."""
    inner = _structure(kind)
    if typing.get_origin(inner) is typing.Literal:
        return typing.get_args(inner)
    if isinstance(inner, type) and issubclass(inner, Enum):
        return tuple(member.value for member in inner)
    return ()


def _fault(error: msgspec.ValidationError, at: str) -> Fault:
    """msgspec says where in its own way: "... - at `$.lines[0].sku`"."""
    text, _, path = str(error).partition(" - at `$")
    steps = path.rstrip("`").replace("[...]", "").replace("]", "").replace("[", ".").split(".")
    detail = text.replace("`", "")
    return Fault(detail[:1].lower() + detail[1:], at + "".join(f"/{escape(step)}" for step in steps if step))
