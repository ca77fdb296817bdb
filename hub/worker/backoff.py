"""When to try again: pure, with clock and randomness as arguments."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def next_try(
    tries: int,
    now: datetime,
    chance: float,
    *,
    schedule_seconds: Sequence[float],
    jitter: float,
    cap_seconds: float,
    asked: datetime | None = None,
) -> datetime:
    """Time of the next try after `tries` failures (1 is the first); `chance` in [0, 1) spreads it by `jitter`.

    A partner's own wish (`asked`) is honoured, up to `cap_seconds`.
    """
    pause = min(schedule_seconds[min(tries, len(schedule_seconds)) - 1], cap_seconds)
    pause *= 1 + jitter * (2 * chance - 1)
    at = now + timedelta(seconds=pause)
    if asked is not None:
        at = max(at if asked <= now else asked, now)
        at = min(at, now + timedelta(seconds=cap_seconds))
    return at
