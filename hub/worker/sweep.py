"""The slow broom: carts that expired, bodies past their retention, what nobody needs any more."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from hub.store.auto_close import close_mended
from hub.store.database import Database, PooledConnection, is_weather
from hub.store.parcels import watch_parcels
from hub.store.payments import watch_authorisations
from hub.store.retention import forget

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0

PARCELS_EVERY: Final = timedelta(minutes=15)
"""Parcels move by the hour, and there are many."""


class Sweeper:
    """Sweeps now and then, in one process of the installation at a time."""

    def __init__(self, database: Database, raw_retention: timedelta, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._raw_retention = raw_retention
        self._parcels_at = datetime.min.replace(tzinfo=UTC)

    async def _parcels(self, connection: PooledConnection) -> None:
        if self._clock() - self._parcels_at >= PARCELS_EVERY:
            self._parcels_at = self._clock()
            await watch_parcels(connection, self._clock())

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                async with self._database.transaction() as connection:
                    if await forget(connection, self._raw_retention, self._clock()):
                        await watch_authorisations(connection, self._clock())
                        await close_mended(connection, self._clock())
                        await self._parcels(connection)
            except Exception as error:
                # The edge of a process: the next sweep tries again.
                if is_weather(error):
                    log.warning("sweep.weather", reason=f"{type(error).__name__}: {error}")
                else:
                    log.exception("sweep.failed")
