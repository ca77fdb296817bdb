"""Step 1, the other way in: scheduled pulls. Each page is stored with its cursor in one transaction."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.domain.network import Mode
from hub.flow.directory import Directory, Link
from hub.sdk.capabilities import Page
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import SettingsBroken
from hub.store.database import Database, is_weather
from hub.store.inbox import pulled_arrival, store_arrivals
from hub.store.schedules import Due, advance, claim_due, finish, renew
from hub.store.vault import SealBroken
from hub.worker.bell import Ring
from hub.worker.clients import Clients
from hub.worker.leases import LEASE_SECONDS, kept

log = structlog.get_logger(__name__)

AFTER_FAILURE = timedelta(seconds=30)
"""Longest wait for the next try of a pull that failed; one that runs more often waits its own time."""

UNTIL_A_PERSON: Final = timedelta(hours=1)
"""The same where somebody has to change something first; whoever did can make the pull due at once."""


AT_ONCE: Final = 8
"""Pulls that one process runs side by side, each of another connection."""

RUN_PAGES: Final = 50

RUN_SECONDS: Final = 10.0
"""Then a pull that can go on from its cursor makes room for what has been due for longer."""

PATIENCE_SECONDS = 0.25
"""How long a run waits for what it started, before it looks for more."""

DRAIN_SECONDS: Final = 5.0


class Turn:
    """How long a pull has run."""

    def __init__(self) -> None:
        self._pages = 0
        self._began = time.monotonic()

    def over(self) -> bool:
        """A page was stored: whether it was the last of this run."""
        self._pages += 1
        return self._pages >= RUN_PAGES or time.monotonic() - self._began >= RUN_SECONDS


class LeaseLost(Exception):
    """Another worker has the pull now."""


class Puller:
    """Runs due pulls side by side, never two of one connection at once, in this process or another."""

    def __init__(
        self,
        database: Database,
        configuration: ConfigurationReader,
        clients: Clients,
        clock: Callable[[], datetime],
        ring: Ring,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._clients = clients
        self._clock = clock
        self._ring = ring
        self._pulling: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> int:
        """Start every pull that is due, as far as there is room; returns how many.

        One that takes long runs on in the background, beside those that the next run starts.
        """
        started: list[asyncio.Task[None]] = []
        while len(self._pulling) < AT_ONCE and not self._stopping:
            async with self._database.transaction() as connection:
                due = await claim_due(connection, LEASE_SECONDS)
            if due is None:
                break
            task = asyncio.create_task(self._serve(due), name=f"pull {due.connection} {due.operation}")
            self._pulling.add(task)
            task.add_done_callback(self._ended)
            started.append(task)
        if started:
            await asyncio.wait(started, timeout=PATIENCE_SECONDS)
        return len(started)

    async def drain(self) -> None:
        """Let what is being pulled end at its next page; what takes longer goes on from its cursor elsewhere."""
        self._stopping = True
        if self._pulling:
            _, late = await asyncio.wait(self._pulling, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._pulling.discard(task)
        self._ring("pull")

    async def _serve(self, due: Due) -> None:
        try:
            try:
                async with kept(lambda seconds: self._renew(due, seconds)):
                    error, again_in = await self._pull(due)
            except asyncio.CancelledError:
                await self._finish(due, None, timedelta(0))
                raise
            await self._finish(due, error, again_in)
        except Exception as failure:
            # The edge of a task: the lease ends by itself, and the pull is due again.
            if is_weather(failure):
                log.warning("pull.weather", connection=due.connection, operation=due.operation, reason=str(failure))
            else:
                log.exception("pull.not_finished", connection=due.connection, operation=due.operation)

    async def _finish(self, due: Due, error: str | None, again_in: timedelta | None) -> None:
        async with self._database.connection() as connection:
            await finish(connection, due, error, again_in)

    async def _renew(self, due: Due, lease_seconds: float) -> None:
        async with self._database.connection() as connection:
            await renew(connection, due, lease_seconds)

    async def _pull(self, due: Due) -> tuple[str | None, timedelta | None]:
        directory = await self._configuration.directory()
        link = directory.links.get(due.connection)
        if link is None or due.operation not in link.adapter.pulls:
            return "the adapter has no such pull", timedelta(hours=1)
        capability = f"pull_{due.operation}"
        mode = link.connection.modes.get(capability, link.adapter.unset_mode(capability))
        if mode is Mode.OFF or not link.connection.enabled:
            return None, None
        try:
            if await self._pages(due, link, directory):
                return None, timedelta(0)
        except Interrupted as interruption:
            outcome = interruption.outcome
            asked = outcome.at - self._clock() if isinstance(outcome, RetryLater) and outcome.at else None
            log.warning("pull.interrupted", connection=due.connection, operation=due.operation, reason=outcome.reason)
            longest = UNTIL_A_PERSON if isinstance(outcome, NeedsPerson) else AFTER_FAILURE
            return outcome.reason, _pause(due, longest) if asked is None else max(asked, timedelta(0))
        except LeaseLost:
            log.warning("pull.lease_lost", connection=due.connection, operation=due.operation)
            return None, None
        except (SettingsBroken, SealBroken) as error:
            return str(error), timedelta(minutes=5)
        except Exception as error:
            log.exception("pull.failed", connection=due.connection, operation=due.operation)
            return f"{type(error).__name__}: {error}", _pause(due)
        return None, None

    async def _pages(self, due: Due, link: Link, directory: Directory) -> bool:
        """Store page by page; True when the run ended at one of them, and there may be more."""
        context = await self._clients.context(link, directory)
        pull, turn = link.adapter.pulls[due.operation], Turn()
        pages = pull.pages(context, due.cursor)
        try:
            async for page in pages:
                await self._keep(due, link, page)
                # A run that ended where it began would begin there for ever.
                if pull.resumes and not page.last and page.cursor != due.cursor and (turn.over() or self._stopping):
                    return True
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()
        return False

    async def _keep(self, due: Due, link: Link, page: Page) -> None:
        now = self._clock()
        arrivals = [pulled_arrival(item, link, now) for item in page.items]
        async with self._database.transaction() as connection:
            if not await advance(connection, due, page.cursor, LEASE_SECONDS):
                raise LeaseLost
            if arrivals:
                await store_arrivals(connection, arrivals, now)
        for lane in {arrival.lane for arrival in arrivals if arrival.lane}:
            self._ring(lane)


def _pause(due: Due, longest: timedelta = AFTER_FAILURE) -> timedelta:
    return min(longest, timedelta(seconds=due.every_seconds))
