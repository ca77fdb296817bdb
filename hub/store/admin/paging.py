"""Keyset pages: a cursor says after which row to go on, so that rows that come meanwhile shift nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import msgspec

from hub.store.admin.errors import Fault, Invalid

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 500


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a list."""

    items: list[T]
    next: str | None
    """Cursor of the part that follows; null at the end."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, *kinds: Any) -> tuple[Any, ...]:
        """The key after which to go on, typed; Nones at the start. Raises `Invalid` for a cursor of another list."""
        if self.cursor is None:
            return tuple(None for _ in kinds)
        try:
            raw = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            values = msgspec.json.decode(raw)
            if not isinstance(values, list) or len(values) != len(kinds):
                raise ValueError("another list's cursor")
            key = tuple(msgspec.convert(value, kind) for value, kind in zip(values, kinds, strict=True))
            if any(isinstance(value, str) and "\0" in value for value in key):
                raise ValueError("not a cursor")
        except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
            raise Invalid([Fault("is not a cursor of this list", parameter="cursor")]) from error
        return key


def page(rows: Sequence[T], cut: Cut, key: Callable[[T], tuple[str | int | datetime | None, ...]]) -> Page[T]:
    """A page from one row more than was asked for: the extra one only shows that there is more."""
    kept = list(rows[: cut.limit])
    more = len(rows) > cut.limit
    return Page(items=kept, next=encode_cursor(key(kept[-1])) if more else None)


def encode_cursor(key: tuple[str | int | datetime | None, ...]) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")
