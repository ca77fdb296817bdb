"""Many tries share one commit: whoever ends while a group is being recorded joins the next one."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.flow.directory import Link
from hub.sdk.adapter import Subtracts
from hub.store.database import Database, is_data_fault
from hub.store.record import Result, record
from hub.worker.bell import Ring

LARGEST_GROUP = 50


class Ended(NamedTuple):
    """A try that has ended, and who waits until it is recorded."""

    result: Result
    recorded: "asyncio.Future[None]"


class Recorder:
    """Records tries of each connection in groups."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ring: Ring) -> None:
        self._database = database
        self._clock = clock
        self._ring = ring
        self._ended: dict[str, list[Ended]] = {}
        self._writers: dict[str, asyncio.Task[None]] = {}

    async def keep(self, link: Link, results: Sequence[Result]) -> None:
        """Record tries; returns after the commit. Raises what the database raises."""
        name, loop = link.connection.id, asyncio.get_running_loop()
        mine = [Ended(result, loop.create_future()) for result in results]
        self._ended.setdefault(name, []).extend(mine)
        if name not in self._writers:
            self._writers[name] = asyncio.create_task(self._write(link))
        await asyncio.gather(*(one.recorded for one in mine))

    async def _write(self, link: Link) -> None:
        waiting = self._ended[link.connection.id]
        try:
            while waiting:
                group = waiting[:LARGEST_GROUP]
                del waiting[:LARGEST_GROUP]
                await self._group(link, group)
        finally:
            del self._writers[link.connection.id]

    async def _group(self, link: Link, group: Sequence[Ended]) -> None:
        try:
            async with self._database.transaction() as connection:
                told = await record(connection, link, [one.result for one in group], self._clock())
        except Exception as error:  # noqa: BLE001 - handed on to everyone who waits for this commit
            if is_data_fault(error) and len(group) > 1:
                for one in group:
                    await self._group(link, [one])
                return
            for one in group:
                if not one.recorded.done():
                    one.recorded.set_exception(error)
            return
        for one in group:
            if not one.recorded.done():
                one.recorded.set_result(None)
        if told:
            self._ring("facts")
        if link.adapter.subtracts is Subtracts.OWN_OPEN_ORDERS:
            self._ring("availability")
