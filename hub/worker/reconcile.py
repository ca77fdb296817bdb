"""The slow comparer: what others say they have against what we say, and our own books against their entries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from hub.store.database import Database
from hub.store.demand_rates import measure_demand
from hub.store.reconcile import reconcile
from hub.worker.bell import Ring

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(minutes=1)
"""How often corrections by stock masters are named; figures to compare are seen to as they come."""

OWN_EVERY: Final = timedelta(hours=1)
"""Our own counters are made up from every slice: the whole of the books is read."""

RATES_EVERY: Final = timedelta(minutes=5)

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Reconciler:
    """Compares on schedule, in one process of the installation at a time."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ring: Ring) -> None:
        self._database = database
        self._clock = clock
        self._ring = ring
        self._compared_at = LONG_AGO
        self._own_at = clock()
        """A process that has just started has other work than reading all the books."""
        self._rates_at = LONG_AGO

    async def run(self) -> int:
        """Compare what is due; returns how many figures were compared."""
        now = self._clock()
        async with self._database.connection() as connection:
            waiting = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM figure WHERE NOT compared)")
        if now - self._rates_at >= RATES_EVERY:
            self._rates_at = now
            async with self._database.transaction() as connection:
                await measure_demand(connection, now)
        if not waiting and now - self._compared_at < EVERY:
            return 0
        own, before = now - self._own_at >= OWN_EVERY, self._own_at
        if own:
            # Before it is tried: books that cannot be read in time must not stop every reconciliation after it.
            self._own_at = now
        async with self._database.transaction() as connection:
            done = await reconcile(connection, now, own=own)
        if done is None:
            self._own_at = before
            return 0
        self._compared_at = now
        if done.found:
            log.info("reconciled", compared=done.compared, found=done.found, repaired=done.repaired, raised=done.raised)
            self._ring("availability")
            self._ring("pull")
        return done.compared
