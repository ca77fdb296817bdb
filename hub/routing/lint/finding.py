"""What the linter says."""

from enum import StrEnum
from typing import NamedTuple

from hub.routing.positions import Path


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The policy cannot be used, or fails on orders that it will meet."""
    WARNING = "warning"
    """It can be used, and does not mean what it seems to."""


class Note(NamedTuple):
    """Something found, with the path of the key it is about."""

    code: str
    path: Path
    message: str
    severity: Severity = Severity.WARNING
    further: int = 0
    """Lines below that of the path."""


class Finding(NamedTuple):
    """Something found, with its place in the text."""

    code: str
    severity: Severity
    key: str
    """Dotted, arrays counted from 1: rule[2].set.max_splits; empty for the text or the network as a whole."""
    line: int
    """From 1; 0 where the text does not name it."""
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}, " if self.line else ""
        return f"{self.severity} {self.code}: {place}{self.key or 'policy'}: {self.message}"
