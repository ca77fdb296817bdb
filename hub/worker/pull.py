"""Step 1, the other way in: scheduled pulls. Each page is stored with its cursor in one transaction."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.domain.network import Mode
from hub.flow.directory import Directory, Link
from hub.sdk.capabilities import Page
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import SettingsBroken
from hub.store.database import Database
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


class LeaseLost(Exception):
    """Another worker has the pull now."""


class Puller:
    """Runs due pulls, one at a time per process, never one pull in two processes."""

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

    async def run(self) -> int:
        """Run the pull that is longest due; returns 1 if there was one."""
        async with self._database.connection() as connection:
            due = await claim_due(connection, LEASE_SECONDS)
        if due is None:
            return 0
        async with kept(lambda seconds: self._renew(due, seconds)):
            error, again_in = await self._pull(due)
        async with self._database.connection() as connection:
            await finish(connection, due, error, again_in)
        return 1

    async def _renew(self, due: Due, lease_seconds: float) -> None:
        async with self._database.connection() as connection:
            await renew(connection, due, lease_seconds)

    async def _pull(self, due: Due) -> tuple[str | None, timedelta | None]:
        directory = await self._configuration.directory()
        link = directory.links.get(due.connection)
        if link is None or due.operation not in link.adapter.pulls:
            return "the adapter has no such pull", timedelta(hours=1)
        if link.connection.mode(f"pull_{due.operation}") is Mode.OFF:
            return None, None
        try:
            await self._pages(due, link, directory)
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

    async def _pages(self, due: Due, link: Link, directory: Directory) -> None:
        context = await self._clients.context(link, directory)
        pages = link.adapter.pulls[due.operation].pages(context, due.cursor)
        async for page in pages:
            await self._keep(due, link, page)

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
