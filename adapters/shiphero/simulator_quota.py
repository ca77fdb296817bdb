"""The simulator's credits and request count, and what an operation costs in them."""

import re
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=5)
GRACE: Final = timedelta(seconds=1)
"""Requests already under way when the first one was refused do not ignore the refusal."""
_PARTS: Final = re.compile(r"first:\s*(\d+)|([{}])")


def price(document: str) -> int:
    """Most credits a document may need: nested connections multiply, a mutation has a base of its own."""
    total = 10 if document.lstrip().startswith("mutation") else 1
    factors, first = [1], 1
    for found in _PARTS.finditer(document):
        if found[1]:
            first = int(found[1])
            total += factors[-1] * first
        elif found[2] == "{":
            factors.append(factors[-1] * first)
            first = 1
        else:
            factors.pop()
    return total


class Quota:
    """A bucket of credits and a count of requests in five minutes."""

    def __init__(self, now: Callable[[], datetime], credits: float, per_second: float, requests: int) -> None:
        self.capacity = credits
        self.per_second = per_second
        self.credits = credits
        self._now = now
        self._at = now()
        self._requests: deque[datetime] = deque(maxlen=requests)
        self._refused: tuple[datetime, datetime] | None = None

    def too_many_requests(self) -> bool:
        """Count a request; whether it was one too many."""
        now, window = self._now(), self._requests
        over = len(window) == window.maxlen and now - window[0] < WINDOW
        window.append(now)
        return over

    def ignored(self) -> bool:
        """Whether a request comes although an earlier one was told to wait until later."""
        now = self._now()
        return self._refused is not None and self._refused[0] + GRACE < now < self._refused[1]

    def missing(self, required: int) -> float:
        """Seconds until the credits are there; 0 when they are."""
        now = self._now()
        self.credits = min(self.capacity, self.credits + (now - self._at).total_seconds() * self.per_second)
        self._at = now
        wait = max(0.0, (required - self.credits) / self.per_second)
        if wait:
            self._refused = (now, now + timedelta(seconds=wait))
        return wait
