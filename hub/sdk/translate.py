"""What `translate.py` of an adapter may use: code tables, and the errors that park a message with a reason."""

from typing import Protocol


class Unmapped(Exception):
    """A word of the vendor that no code table knows: one exception per (kind, value), what waited is tried again."""

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"{kind} {value!r} is not mapped")
        self.kind = kind
        self.value = value


class Malformed(Exception):
    """A body that cannot be read: not JSON, no identity, a field of the wrong type. Names field, path and value."""

    def __init__(self, field: str, path: str, value: str) -> None:
        super().__init__(f"{field}: cannot read {value!r} at {path}")
        self.field = field
        self.path = path
        self.value = value


class Tables(Protocol):
    """Code tables: the adapter's defaults under the merchant's own."""

    def find(self, table: str, word: str) -> str | None:
        """Canonical word, or None."""
        ...

    def require(self, table: str, word: str) -> str:
        """Canonical word; raises `Unmapped`."""
        ...
