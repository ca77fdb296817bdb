"""Many deliveries share one commit: whoever comes while a group is being written joins the next one."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import asyncpg

from hub.store.database import Database, is_data_fault
from hub.store.inbox import Arrival, store_arrivals

LARGEST_GROUP = 200
"""Deliveries per commit at most; a group also halves down to the row that the database cannot take."""

PATIENCE_SECONDS = 1.0
"""Without any commit for this long a delivery is answered 503: vendors give up after one to ten seconds.

A database that is down says so at once; only one that hangs is waited for. 0.2 s refused deliveries of a busy machine.
"""

OVERLOAD_SECONDS = 2.0
"""Longest wait of one delivery while others are being committed."""

Stored = tuple[int, bool]


class Unavailable(Exception):
    """The database cannot be reached now: nothing was stored, nothing was acknowledged."""


class Grouping:
    """Stores deliveries in groups. An answer comes only after the commit that holds the delivery."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._committed = 0.0
        self._waiting: list[tuple[Arrival, asyncio.Future[Stored]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def store(self, arrival: Arrival) -> Stored:
        """Store one delivery: (message id, whether it is new). Raises `Unavailable`, or the fault of its own data."""
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        come = time.monotonic()
        while True:
            done, _ = await asyncio.wait((future,), timeout=PATIENCE_SECONDS)
            if done:
                return future.result()
            now = time.monotonic()
            # Others' commits mean load, not loss: wait on. Silence means that the database cannot be reached.
            if now - self._committed > PATIENCE_SECONDS or now - come > OVERLOAD_SECONDS:
                future.cancel()
                raise Unavailable("no commit in time")

    async def _write(self) -> None:
        while self._waiting:
            group = self._waiting[:LARGEST_GROUP]
            del self._waiting[:LARGEST_GROUP]
            # Whoever gave up waiting was answered 503 and will come again.
            await self._group([entry for entry in group if not entry[1].done()])

    async def _group(self, group: list[tuple[Arrival, asyncio.Future[Stored]]]) -> None:
        if not group:
            return
        try:
            async with asyncio.timeout(OVERLOAD_SECONDS), self._database.transaction() as connection:
                stored = await store_arrivals(connection, [arrival for arrival, _ in group], self._clock())
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, UnicodeEncodeError) as error:
            if is_data_fault(error) and len(group) > 1:
                middle = len(group) // 2
                await self._group(group[:middle])
                await self._group(group[middle:])
                return
            fault = error if is_data_fault(error) else Unavailable(f"{type(error).__name__}: {error}")
            for _, future in group:
                if not future.done():
                    future.set_exception(fault)
            return
        self._committed = time.monotonic()
        for (_, future), answer in zip(group, stored, strict=True):
            if not future.done():
                future.set_result(answer)
