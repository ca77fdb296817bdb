"""The lane of holds: lifts those whose timer has run out, places those that the clock calls for."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from hub.domain.ids import NewId
from hub.flow.batch import Batch
from hub.flow.hold_clock import LIMIT, lift_due, mark_earlier, watch_authorisations
from hub.flow.ports import Unit
from hub.store.configuration import ConfigurationReader
from hub.store.unit_of_work import PostgresStore
from hub.worker.race import contended
from hub.worker.stumbles import Stumbles

WATCH_SECONDS: Final = 60.0
"""How often authorisations are looked at: they end by the day, and looking reads more than an index."""


class HoldKeeper:
    """Keeps holds by the clock. Any number of processes may: each takes orders that no other has."""

    def __init__(
        self,
        store: PostgresStore,
        configuration: ConfigurationReader,
        clock: Callable[[], datetime],
        new_id: NewId,
        ring: Callable[[str], None],
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._clock = clock
        self._new_id = new_id
        self._ring = ring
        self._watched = float("-inf")
        self._stumbles = Stumbles(store, clock)
        self._marked = -1
        """Epoch of the configuration under which every earlier order is marked."""

    async def run(self) -> int:
        """One round; returns how many orders it moved."""
        did = await self._stumbles.around(
            "holds", lambda only: self._batch(lift_due, only), lambda unit: unit.due_holds(self._clock(), LIMIT)
        )
        if time.monotonic() - self._watched >= WATCH_SECONDS:
            did += await self.watch()
            self._watched = time.monotonic()
        if did:
            self._ring("deliver")
        return did

    async def watch(self) -> int:
        """Look at authorisations, and at orders that came before a rule counted them."""
        epoch = (await self._configuration.directory()).epoch
        if self._marked != epoch and await self._batch(mark_earlier) == 0:
            self._marked = epoch
        return await self._batch(watch_authorisations)

    async def _batch(self, work: Callable[[Unit, Batch], Awaitable[int]], only: str | None = None) -> int:
        directory, aside = await self._configuration.directory(), self._stumbles.aside()

        async def attempt(lock: bool) -> int:
            async with self._store.unit() as unit:
                return await work(unit, Batch(directory, self._clock(), self._new_id, lock, aside, only))

        return await contended("holds", attempt)
