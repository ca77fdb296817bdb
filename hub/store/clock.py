"""One clock for all processes: the database's, read now and then, and carried forward by one that nobody can set."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

SLACK: Final = timedelta(milliseconds=50)
"""A reading that lies so near to what was expected brings no news: answers take time, and time must not jitter."""


class DatabaseClock:
    """Tells the time. Until the first reading it is `wall`'s, the clock of this machine.

    Processes whose machines disagree, or whose clock jumps, would otherwise take a count of stock for one of an hour
    ago, and wait an hour for what is due in a second.
    """

    def __init__(self, wall: Callable[[], datetime], ticks: Callable[[], float] = time.monotonic) -> None:
        """`ticks` counts seconds and never jumps."""
        self._wall = wall
        self.ticks = ticks
        self._read: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """The time, aware UTC."""
        if self._read is None:
            return self._wall()
        at, tick = self._read
        return at + timedelta(seconds=self.ticks() - tick)

    def hear(self, told: datetime, asked_at: float) -> None:
        """The database said `told` in an answer to a question that was sent at tick `asked_at` and has just come."""
        tick = self.ticks()
        under_way = timedelta(seconds=tick - asked_at)
        if self._read is None or not told - SLACK <= self() <= told + under_way + SLACK:
            self._read = (told + under_way / 2, tick)
