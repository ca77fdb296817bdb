"""Take inbox batches along the path: whole, repeated after a lost race, halved when a row is to blame."""

from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg
import structlog

from hub.domain.ids import NewId
from hub.flow.batch import Batch
from hub.flow.deadlines import LIMIT as OVERDUE
from hub.flow.deadlines import meet_deadlines
from hub.flow.directory import Directory
from hub.flow.displace import displace
from hub.flow.path import Done, perform
from hub.flow.ports import LostRace
from hub.flow.resume import LIMIT as RESUMED
from hub.flow.resume import resume
from hub.flow.trouble import Trouble
from hub.sdk.adapter import Lane
from hub.store.configuration import ConfigurationReader
from hub.store.unit_of_work import PostgresStore
from hub.worker.blame import blames_a_row
from hub.worker.race import contended
from hub.worker.stumbles import Stumbles

log = structlog.get_logger(__name__)


class Performer:
    """Runs batches of the inbox and of what waits."""

    def __init__(
        self,
        store: PostgresStore,
        configuration: ConfigurationReader,
        clock: Callable[[], datetime],
        new_id: NewId,
        batch_size: int,
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._clock = clock
        self._new_id = new_id
        self._batch_size = batch_size
        self._stumbles = Stumbles(store, clock)

    async def run(self, lane: Lane) -> int:
        """One batch of a lane; returns how many messages were claimed."""
        try:
            return (await self._attempt(lane, self._batch_size, None)).claimed
        except Exception as error:
            if not blames_a_row(error):
                raise
            log.warning("batch.halved", lane=lane.value, reason=f"{type(error).__name__}: {error}")
        ids = await self._ids(lane)
        await self._halve(lane, ids)
        return len(ids)

    async def resume(self) -> int:
        """One batch of what waits and is due; returns how many orders it was."""
        directory = await self._configuration.directory()

        async def attempt(lock: bool, only: str | None) -> int:
            batch, gave = self._batch(directory, lock, only), 0
            if only is None:
                async with self._store.unit() as unit:
                    # Who gives way is tried again with those who wait.
                    gave = await displace(unit, batch)
            async with self._store.unit() as unit:
                return gave + await resume(unit, batch)

        return await self._stumbles.around(
            "waiting",
            lambda only: contended("waiting", lambda lock: attempt(lock, only)),
            lambda unit: unit.waiting(RESUMED, directory.epoch),
        )

    async def meet_deadlines(self) -> int:
        """One batch of orders whose stores, or whose customers at a store, let a deadline pass; returns how many."""
        directory = await self._configuration.directory()

        async def attempt(lock: bool, only: str | None) -> int:
            async with self._store.unit() as unit:
                return await meet_deadlines(unit, self._batch(directory, lock, only))

        return await self._stumbles.around(
            "deadlines",
            lambda only: contended("deadlines", lambda lock: attempt(lock, only)),
            lambda unit: unit.overdue(self._clock(), OVERDUE),
        )

    def _batch(self, directory: Directory, lock: bool, only: str | None) -> Batch:
        return Batch(directory, self._clock(), self._new_id, lock, self._stumbles.aside(), only)

    async def _attempt(self, lane: Lane, limit: int, only: Sequence[int] | None) -> Done:
        directory = await self._configuration.directory()
        try:
            async with self._store.unit() as unit:
                batch = Batch(directory, self._clock(), self._new_id)
                return await perform(unit, lane, batch, limit=limit, only=only)
        except (LostRace, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError) as race:
            log.debug("race.lost", lane=lane.value, reason=str(race))
        async with self._store.unit() as unit:
            batch = Batch(directory, self._clock(), self._new_id, lock_stock=True)
            return await perform(unit, lane, batch, limit=limit, only=only)

    async def _ids(self, lane: Lane) -> list[int]:
        async with self._store.unit() as unit:
            return [inbound.id for inbound in await unit.claim(lane.value, self._batch_size)]

    async def _halve(self, lane: Lane, ids: Sequence[int]) -> None:
        """Find the rows that are to blame. Each half is a batch of its own; one that stands alone is parked."""
        if not ids:
            return
        if len(ids) == 1:
            await self._alone(lane, ids[0])
            return
        middle = len(ids) // 2
        for half in (ids[:middle], ids[middle:]):
            try:
                await self._attempt(lane, len(half), half)
            except Exception as error:
                if not blames_a_row(error):
                    raise
                await self._halve(lane, half)

    async def _alone(self, lane: Lane, message: int) -> None:
        try:
            await self._attempt(lane, 1, [message])
            return
        except Exception as error:
            if not blames_a_row(error):
                raise
            reason, step = f"{type(error).__name__}: {error}"[:500], _next_step(error)
        log.error("message.parked", message=message, lane=lane.value, reason=reason)
        async with self._store.unit() as unit:
            claimed = await unit.claim(lane.value, 1, [message])
            parked = [(one, Trouble("message_failed", f"message {one.id}: {reason}", step)) for one in claimed]
            await unit.park(parked, self._clock())


def _next_step(error: Exception) -> str:
    if isinstance(error, LostRace):
        return "By the books there is not what this message needs. Count that shelf (PUT /api/v1/stock), then retry it."
    return "Look at the message; correct it at its source or adjust the mapping overlay, then replay it."
