"""The slow broom: carts that expired, bodies past their retention, what nobody needs any more."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from hub.store.admin.reservations import expire_reservations
from hub.store.auto_close import close_mended
from hub.store.database import Database, PooledConnection, is_weather
from hub.store.late_nodes import watch_nodes
from hub.store.parcels import watch_parcels
from hub.store.payments import watch_authorisations
from hub.store.retention import alone, forget_bodies, forget_past, forget_postings, forget_scans
from hub.store.stock_postings import plan_stock_postings

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0

PARCELS_EVERY: Final = timedelta(minutes=15)
"""Parcels move by the hour, and there are many."""

STOCK_EVERY: Final = timedelta(minutes=5)
"""The books are told of a day's adjustments when it is over."""


class Sweeper:
    """Sweeps now and then, in one process of the installation at a time."""

    def __init__(self, database: Database, raw_retention: timedelta, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._raw_retention = raw_retention
        self._parcels_at = datetime.min.replace(tzinfo=UTC)
        self._stock_at = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.sweep()

    async def sweep(self) -> None:
        """Every broom once, in a transaction of its own: one that breaks or is slow undoes no other, and units that
        carts gave back are nobody's to wait for while history is read.
        """
        await self._once("carts", lambda connection: expire_reservations(connection, self._clock()))
        await self._once("past", lambda connection: forget_past(connection, self._clock()))
        await self._once("authorisations", lambda connection: watch_authorisations(connection, self._clock()))
        await self._once("mended", lambda connection: close_mended(connection, self._clock()))
        await self._once("bodies", lambda connection: forget_bodies(connection, self._raw_retention))
        await self._once("scans", lambda connection: forget_scans(connection, self._raw_retention))
        if self._clock() - self._stock_at >= STOCK_EVERY:
            self._stock_at = self._clock()
            await self._once("stock postings", lambda connection: plan_stock_postings(connection, self._clock()))
            await self._once("old postings", lambda connection: forget_postings(connection, self._raw_retention))
        if self._clock() - self._parcels_at >= PARCELS_EVERY:
            self._parcels_at = self._clock()
            await self._once("parcels", lambda connection: watch_parcels(connection, self._clock()))
            await self._once("late nodes", lambda connection: watch_nodes(connection, self._clock()))

    async def _once(self, broom: str, work: Callable[[PooledConnection], Awaitable[object]]) -> None:
        try:
            async with self._database.transaction() as connection:
                if await alone(connection):
                    await work(connection)
        except Exception as error:
            # The edge of a process: the next sweep tries again.
            if is_weather(error):
                log.warning("sweep.weather", broom=broom, reason=f"{type(error).__name__}: {error}")
            else:
                log.exception("sweep.failed", broom=broom)
