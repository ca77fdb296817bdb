"""Many deliveries share one commit: whoever comes while a group is being written joins the next one."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from hub.store.database import FAULTS, Database, is_data_fault
from hub.store.inbox import Arrival, store_arrivals

LARGEST_GROUP = 200
"""Deliveries per commit at most; a group also halves down to the row that the database cannot take."""

PATIENCE_SECONDS = 1.0
"""Without any commit for this long a delivery is answered 503: vendors give up after one to ten seconds.

A database that is down says so at once; only one that hangs is waited for. Counted in looks of `WATCH_SECONDS`: what
this process was too busy to look at is not the database's silence.
"""

CROWD_SECONDS = 20.0
"""Longest wait of one delivery while others are being committed, counted likewise. A thousand senders at once are all
served well within it; who gave up by then comes again, and is known."""

COMMIT_SECONDS = 3.0
"""Longest that one group may take; a writer stuck in a dead connection is free again after it."""

DENSE = 4
"""Deliveries in a group from which on more are on their way: they gather for a while before the next commit."""

GATHER_SECONDS = 0.005
"""Small commits cost several times the CPU per delivery, and on a busy machine that CPU is what answers wait for."""

WATCH_SECONDS = 0.1
"""How often waiting deliveries are looked through for one that has waited enough."""

Stored = tuple[int, bool]


class Unavailable(Exception):
    """The database cannot be reached now: nothing was stored, nothing was acknowledged."""


class Waiting(NamedTuple):
    """A delivery whose sender waits for an answer."""

    arrival: Arrival
    stored: "asyncio.Future[Stored]"
    since: int
    """Look at which it came."""


class Grouping:
    """Stores deliveries in groups. An answer comes only after the commit that holds the delivery."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._looks = 0
        self._committed = 0
        """Look at which there was a commit last."""
        self._waiting: list[Waiting] = []
        self._writing: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None

    async def store(self, arrival: Arrival) -> Stored:
        """Store one delivery: (message id, whether it is new). Raises `Unavailable`, or the fault of its own data."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(arrival, loop.create_future(), self._looks)
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        if self._watch is None:
            self._watch = loop.call_later(WATCH_SECONDS, self._give_up)
        return await waiting.stored

    def _give_up(self) -> None:
        """Answer those who have waited enough. Not the writer's work: it may itself be stuck in a dead connection."""
        self._looks += 1
        pending = [one for one in (*self._writing, *self._waiting) if not one.stored.done()]
        for one in pending:
            # Others' commits mean load, not loss: wait on. Silence means that the database cannot be reached.
            silent, waited = self._looks - max(self._committed, one.since), self._looks - one.since
            if silent * WATCH_SECONDS > PATIENCE_SECONDS or waited * WATCH_SECONDS > CROWD_SECONDS:
                one.stored.set_exception(Unavailable("no commit in time"))
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(WATCH_SECONDS, self._give_up) if pending else None

    async def _write(self) -> None:
        while self._waiting:
            self._writing = self._waiting[:LARGEST_GROUP]
            del self._waiting[:LARGEST_GROUP]
            # Whoever gave up waiting was answered 503 and will come again.
            await self._group([one for one in self._writing if not one.stored.done()])
            if len(self._writing) >= DENSE:
                await asyncio.sleep(GATHER_SECONDS)
        self._writing = []

    async def _group(self, group: list[Waiting]) -> None:
        if not group:
            return
        committed = False
        try:
            async with asyncio.timeout(COMMIT_SECONDS), self._database.transaction() as connection:
                answers = await store_arrivals(connection, [one.arrival for one in group], self._clock())
            committed = True
        except (*FAULTS, UnicodeEncodeError) as error:
            if is_data_fault(error) and len(group) > 1:
                middle = len(group) // 2
                await self._group(group[:middle])
                await self._group(group[middle:])
                return
            fault = error if is_data_fault(error) else Unavailable(f"{type(error).__name__}: {error}")
            _refuse(group, fault)
            return
        finally:
            # Whatever ends a commit, a cancelled driver included, nobody is left without an answer.
            if not committed:
                _refuse(group, Unavailable("the commit ended without an answer"))
        self._committed = self._looks
        for one, answer in zip(group, answers, strict=True):
            if not one.stored.done():
                one.stored.set_result(answer)


def _refuse(group: list[Waiting], fault: Exception) -> None:
    for one in group:
        if not one.stored.done():
            one.stored.set_exception(fault)
