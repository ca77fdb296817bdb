"""One look at the database for all who wait for the same thing, and patience that a busy process does not use up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

LOOK_SECONDS: Final = 0.1


class LookUp(Generic[T]):
    """A value that many ask for at once: read once, shared by whoever asks meanwhile.

    A crowd of a thousand that each asked for itself waited for a thousand reads, and was answered 503.
    """

    def __init__(self) -> None:
        self._reading: asyncio.Task[T] | None = None

    async def value(self, read: Callable[[], Coroutine[Any, Any, T]], patience_seconds: float) -> T:
        """What `read` answers, or raises. TimeoutError when a database that hangs keeps it longer.

        Time is counted in looks: what this process was too busy to look at is not the database's silence. A reading
        that took too long goes on and ends by itself; the next to ask begins another.
        """
        reading = self._reading
        if reading is None or reading.done():
            reading = self._reading = asyncio.ensure_future(read())
            reading.add_done_callback(_heard)
        for _ in range(round(patience_seconds / LOOK_SECONDS)):
            done, _ = await asyncio.wait((reading,), timeout=LOOK_SECONDS)
            if done:
                return reading.result()
        if self._reading is reading:
            self._reading = None
        raise TimeoutError(f"the database did not answer within {patience_seconds:g} s")


def _heard(reading: "asyncio.Task[T]") -> None:
    """Nobody may wait for it any more, and then nobody hears how it ended."""
    if not reading.cancelled():
        reading.exception()
