"""What administration answers when it cannot do what was asked; the web turns these into problems."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote


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


_FOUND_BY: Final = {
    "order": "GET /api/v1/orders?q={id} looks for it by number, the channel's id, a partner's or a tracking number",
    "fulfilment order": "it reads ORDER-1, and GET /api/v1/fulfilment-orders?order=ORDER lists an order's",
    "return": "GET /api/v1/returns?order=ORDER lists an order's",
    "refund": "GET /api/v1/refunds?order=ORDER lists an order's",
    "offer": "GET /api/v1/offers lists them",
    "reservation": "GET /api/v1/reservations lists those of carts, /api/v1/reservations/of-orders those of orders",
}


def no_such(kind: str, id: str) -> Missing:
    """Says which kind of id was looked for, and how to find it out: people have a channel's number in their hands.

    `kind` is one of those above.
    """
    where = _FOUND_BY[kind].format(id=quote(id, safe="", errors="replace"))
    return Missing(f"no {kind} has the id {id}; the hub's own id goes here: {where}")


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
