"""Two actors on one thing, one of them stopped at every point of its transaction in turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from hub.sdk.adapter import Lane
from hub.store.database import Database
from hub.store.unit_of_work import PostgresStore, PostgresUnit
from hub.wiring import utc_now
from hub.worker.perform import Performer
from tests.scenarios.town import Town

BLOCKED_SECONDS: Final = 0.15
"""Who has not ended by then waits for a lock that the other holds."""


class Gate:
    """Stops whoever comes to its point number `stop_at`, until it is opened. Points are the store's methods."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.points: list[str] = []
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self._stop_at = stop_at

    async def pass_by(self, point: str) -> None:
        """Come to a point."""
        self.points.append(point)
        if len(self.points) - 1 == self._stop_at:
            self.reached.set()
            await self.opened.wait()


class GatedUnit:
    """A transaction whose every step is a point."""

    def __init__(self, unit: PostgresUnit, gate: Gate) -> None:
        self._unit, self._gate = unit, gate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._unit, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def step(*arguments: Any, **named: Any) -> Any:
            await self._gate.pass_by(name)
            return await found(*arguments, **named)

        return step


class GatedStore(PostgresStore):
    """Opens gated transactions; the commit is a point too."""

    def __init__(self, database: Database, gate: Gate) -> None:
        super().__init__(database)
        self._gate = gate

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Any]:
        """See `PostgresStore.unit`."""
        async with super().unit() as unit:
            yield GatedUnit(unit, self._gate)
            await self._gate.pass_by("commit")


def actor(town: Town, gate: Gate) -> Performer:
    """A worker whose transactions stop at the gate."""
    parts = town.house.parts
    return Performer(GatedStore(parts.database, gate), parts.configuration, utc_now, parts.new_id, 1)


async def interleave(
    town: Town, prepare: Callable[[], Awaitable[None]], lanes: tuple[Lane, Lane], check: Callable[[], Awaitable[None]]
) -> list[str]:
    """Run two actors again and again: the first is stopped at its 1st, 2nd, ... point until the second has ended or
    waits for it. Everything is prepared anew each time. Returns the points there are."""
    points: list[str] = []
    for stop_at in range(1000):
        await prepare()
        gate = Gate(stop_at)
        first = asyncio.create_task(actor(town, gate).run(lanes[0]))
        stopped = asyncio.create_task(gate.reached.wait())
        await asyncio.wait((first, stopped), return_when=asyncio.FIRST_COMPLETED)
        second = asyncio.create_task(actor(town, Gate()).run(lanes[1]))
        await asyncio.wait((second,), timeout=BLOCKED_SECONDS)
        gate.opened.set()
        await asyncio.gather(first, second)
        stopped.cancel()
        await town.house.path()
        await check()
        points = gate.points
        if not gate.reached.is_set():
            break
    return points
