"""Numbers that are given out once: what files to a partner are counted with."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A number and when it was first given: what is written under it is the same however often it is written."""

    number: int
    at: datetime


class Numbers(Protocol):
    """Counters of an account, each a series of its own from 1. Gaps are possible, the same number twice is not."""

    async def take(self, series: str, key: str) -> Numbered:
        """The number of `key`: the next one at the first call, the same at every other."""
        ...

    async def holder(self, series: str, number: int) -> str | None:
        """The key that a number was given to, None when it was not given."""
        ...


class MemoryNumbers:
    """Numbers that last as long as this object, for tests."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._given: dict[tuple[str, str], Numbered] = {}

    async def take(self, series: str, key: str) -> Numbered:
        """See `Numbers.take`."""
        taken = sum(given == series for given, _ in self._given)
        return self._given.setdefault((series, key), Numbered(number=taken + 1, at=self._clock()))

    async def holder(self, series: str, number: int) -> str | None:
        """See `Numbers.holder`."""
        return next((k for (s, k), given in self._given.items() if (s, given.number) == (series, number)), None)
