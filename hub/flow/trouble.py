"""What the flow tells people: the row of an exception to be."""

from typing import NamedTuple


class Trouble(NamedTuple):
    """Something a person must know of, grouped by cause."""

    kind: str
    cause: str
    next_step: str
    connection: str | None = None
    external_id: str | None = None
    waiter: tuple[str, str] | None = None
    """What waits for it: ("order", id) or ("message", id)."""
