"""Code tables: the adapter's defaults under the merchant's own, each `[table]` of word = "canonical"."""

import tomllib
from collections.abc import Mapping
from typing import Protocol

from hub.mapping.errors import MappingFault, Unmapped


class Tables(Protocol):
    """Code tables: the adapter's defaults under the merchant's own."""

    def find(self, table: str, word: str) -> str | None:
        """Canonical word, or None."""
        ...

    def require(self, table: str, word: str) -> str:
        """Canonical word; raises `Unmapped`."""
        ...


class CodeTables:
    """`Tables` over layers: the first that knows a word wins. Words match exactly, then without regard to case."""

    def __init__(self, *layers: Mapping[str, Mapping[str, str]]) -> None:
        self._words: dict[tuple[str, str], str] = {}
        self._folded: dict[tuple[str, str], str] = {}
        for layer in reversed(layers):
            for table, words in layer.items():
                for word, canonical in words.items():
                    self._words[table, word] = canonical
                    self._folded[table, word.casefold()] = canonical

    def find(self, table: str, word: str) -> str | None:
        """Canonical word, or None."""
        found = self._words.get((table, word))
        return found if found is not None else self._folded.get((table, word.casefold()))

    def require(self, table: str, word: str) -> str:
        """Canonical word; raises `Unmapped`."""
        found = self.find(table, word)
        if found is None:
            raise Unmapped(table, word)
        return found


class Layered:
    """The merchant's tables over any others."""

    def __init__(self, own: Mapping[str, Mapping[str, str]], base: Tables) -> None:
        self._own = CodeTables(own)
        self._base = base

    def find(self, table: str, word: str) -> str | None:
        """Canonical word, or None."""
        found = self._own.find(table, word)
        return found if found is not None else self._base.find(table, word)

    def require(self, table: str, word: str) -> str:
        """Canonical word; raises `Unmapped`."""
        found = self.find(table, word)
        if found is None:
            raise Unmapped(table, word)
        return found


def load_tables(text: str) -> dict[str, dict[str, str]]:
    """Read a `tables.toml`. Raises `MappingFault` unless it is tables of text to text."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise MappingFault("tables", str(fault)) from fault
    return check_tables(document, "")


def check_tables(document: Mapping[str, object], prefix: str) -> dict[str, dict[str, str]]:
    """The same for a document already parsed; positions in faults start with `prefix`."""
    tables: dict[str, dict[str, str]] = {}
    for name, words in document.items():
        if not isinstance(words, dict):
            raise MappingFault(f"{prefix}{name}", 'a code table is a section of word = "canonical"')
        for word, canonical in words.items():
            if not isinstance(canonical, str) or not canonical:
                raise MappingFault(f"{prefix}{name}.{word}", f"{canonical!r} is not a canonical word (text)")
        tables[name] = dict(words)
    return tables
