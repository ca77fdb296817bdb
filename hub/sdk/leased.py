"""May this task still write to a vendor? Asked at the last moment, before the first byte of a write leaves.

A process that was stopped for longer than its lease goes on as if nothing had happened. What it was about to send is
somebody else's work by then, and most vendors take an order twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final


class LeaseLost(Exception):
    """The work may be in other hands; nothing was sent."""


def _always() -> bool:
    return True


_holds: Final[ContextVar[Callable[[], bool]]] = ContextVar("holds", default=_always)


@contextmanager
def writing_while(holds: Callable[[], bool]) -> Iterator[None]:
    """Writes of this task go out as long as `holds()` is true; elsewhere they always do."""
    token = _holds.set(holds)
    try:
        yield
    finally:
        _holds.reset(token)


def may_write() -> bool:
    """Whether this task may still write, for ways out other than httpx."""
    return _holds.get()()


async def before_a_byte(event: str, info: object) -> None:
    """A trace function for httpx: raises `LeaseLost` when a request is about to be written and may not be."""
    if event.endswith("send_request_headers.started") and not _holds.get()():
        raise LeaseLost
