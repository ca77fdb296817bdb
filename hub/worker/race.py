"""Batches that may lose a race for stock to another worker: tried freely, then once more behind locks."""

from collections.abc import Awaitable, Callable

import structlog

from hub.flow.ports import LostRace

log = structlog.get_logger(__name__)


async def contended(lane: str, work: Callable[[bool], Awaitable[int]]) -> int:
    """What the batch did; `work` is told whether to lock. Lost both times, it is 1: there is still something to do."""
    for lock in (False, True):
        try:
            return await work(lock)
        except LostRace as race:
            log.debug("race.lost", lane=lane, reason=str(race))
    return 1
