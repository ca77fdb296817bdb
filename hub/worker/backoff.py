"""When to try again: pure, with clock and randomness as arguments."""

from datetime import datetime, timedelta

from hub.settings import Backoff


def next_try(tries: int, now: datetime, chance: float, backoff: Backoff, asked: datetime | None = None) -> datetime:
    """Time of the next try after `tries` failures (1 is the first); `chance` in [0, 1) spreads it by the jitter.

    A partner's own wish (`asked`) is honoured, up to the cap.
    """
    schedule = backoff.schedule_seconds
    pause = min(schedule[min(tries, len(schedule)) - 1], backoff.cap_seconds)
    pause *= 1 + backoff.jitter * (2 * chance - 1)
    at = now + timedelta(seconds=pause)
    if asked is not None:
        at = max(at if asked <= now else asked, now)
        at = min(at, now + timedelta(seconds=backoff.cap_seconds))
    return at
