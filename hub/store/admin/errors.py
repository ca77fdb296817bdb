"""What administration answers when it cannot do what was asked; the web turns these into problems."""

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong with what was sent."""

    detail: str
    pointer: str | None = None
    """JSON Pointer into the body; "" is the whole body, None when the fault is not in the body."""
    parameter: str | None = None
    """Name of the query parameter, path parameter or header."""


class Invalid(Exception):
    """The input cannot be taken; nothing was applied."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.pointer or f.parameter or 'input'}: {f.detail}" for f in self.faults))


class Missing(Exception):
    """There is no such thing, or it belongs to another merchant, which is the same to the asker."""


class Conflict(Exception):
    """The state of things does not allow it. `slug` is stable, `extra` members go into the problem."""

    def __init__(self, slug: str, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.extra = extra


def pointer(*steps: str | int) -> str:
    """A JSON Pointer (RFC 6901) from its steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
