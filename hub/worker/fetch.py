"""Step 3b: read the objects that thin deliveries name, with no transaction open, and store the answers."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from hub.flow.directory import Directory, Link
from hub.flow.fetch import topic_of
from hub.flow.trouble import Trouble
from hub.mapping.errors import Malformed
from hub.sdk.capabilities import Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Uncertain
from hub.settings import Backoff
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import SettingsBroken
from hub.store.database import Database, is_weather
from hub.store.fetches import Leased, claim_fetches, fetch_again, finish_fetch, park_fetch, renew_fetches
from hub.store.inbox import pulled_arrival, store_arrivals
from hub.store.vault import SealBroken
from hub.worker.backoff import next_try
from hub.worker.bell import Ring
from hub.worker.clients import Clients
from hub.worker.leases import LEASE_SECONDS, kept

log = structlog.get_logger(__name__)

LIMIT = 16

CALL_SECONDS = 60.0
"""Total time of one fetch, all its calls together."""


class Fetcher:
    """Reads objects at their source."""

    def __init__(
        self,
        database: Database,
        configuration: ConfigurationReader,
        clients: Clients,
        clock: Callable[[], datetime],
        backoff: Backoff,
        ring: Ring,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._clients = clients
        self._clock = clock
        self._backoff = backoff
        self._ring = ring
        self._random = random.Random()

    async def run(self) -> int:
        """Fetch for one batch of thin deliveries; returns how many."""
        async with self._database.connection() as connection:
            leased = await claim_fetches(connection, LIMIT, LEASE_SECONDS)
        if leased:
            directory = await self._configuration.directory()
            async with kept(lambda seconds: self._renew(leased, seconds)):
                await asyncio.gather(*(self._one(one, directory) for one in leased))
        return len(leased)

    async def _renew(self, leased: Sequence[Leased], lease_seconds: float) -> None:
        async with self._database.connection() as connection:
            await renew_fetches(connection, leased, lease_seconds)

    async def _one(self, leased: Leased, directory: Directory) -> None:
        message = leased.message
        link = directory.links.get(message.connection)
        topic = topic_of(directory, message.connection, message.topic)
        if link is None or topic is None or link.adapter.fetch is None or message.object is None:
            step = "Its connection or adapter is gone, or it names no object. Make a connection, then retry."
            await self._park(leased, Trouble("cannot_fetch", f"{message.connection}: {message.topic}", step))
            return
        try:
            context = await self._clients.context(link, directory)
            async with asyncio.timeout(CALL_SECONDS):
                pulled = await link.adapter.fetch(context, message.topic, message.object, message.body)
        except TimeoutError:
            await self._later(leased, Uncertain(reason=f"no end after {CALL_SECONDS:.0f} s"))
        except Interrupted as interruption:
            await self._later(leased, interruption.outcome)
        except Malformed as error:
            await self._later(leased, NeedsPerson(reason=str(error), next_step="Look at the message and the vendor."))
        except (SettingsBroken, SealBroken) as error:
            await self._later(leased, NeedsPerson(reason=str(error), next_step="Correct the connection's config."))
        except Exception as error:
            if is_weather(error):
                raise
            # An adapter is a plug-in: its bug is tried again like any failure and parked in the end, not left leased.
            log.exception("fetch.failed", adapter=link.adapter.name, message=message.id)
            failed = f"the adapter {link.adapter.name!r} failed: {type(error).__name__}"
            await self._later(leased, Uncertain(reason=f"{failed}; fetch.failed in the worker's log has more"))
        else:
            await self._keep(leased, link, pulled if isinstance(pulled, tuple) else (pulled,))

    async def _keep(self, leased: Leased, link: Link, pulled: tuple[Pulled, ...]) -> None:
        now = self._clock()
        arrivals = [pulled_arrival(one, link, now) for one in pulled]
        async with self._database.transaction() as connection:
            if await finish_fetch(connection, leased) and arrivals:
                await store_arrivals(connection, arrivals, now)
        for lane in {arrival.lane for arrival in arrivals if arrival.lane}:
            self._ring(lane)

    async def _later(self, leased: Leased, outcome: object) -> None:
        tries = leased.message.tries + 1
        reason = getattr(outcome, "reason", "")
        asked = outcome.at if isinstance(outcome, RetryLater) else None
        # A vendor that names its own time, or is given a pause, is busy: that does not count towards giving up.
        if isinstance(outcome, NeedsPerson) or (asked is None and tries >= self._backoff.max_attempts):
            step = getattr(outcome, "next_step", "When the vendor is well again, retry the exception.")
            cause = f"{leased.message.connection}: {leased.message.topic}: {reason}"
            await self._park(leased, Trouble("fetch_failed", cause, step))
            return
        now = self._clock()
        at = next_try(tries, now, self._random.random(), self._backoff, asked)
        async with self._database.connection() as connection:
            await fetch_again(connection, leased, at - now, reason, counts=asked is None)

    async def _park(self, leased: Leased, trouble: Trouble) -> None:
        log.warning("fetch.parked", message=leased.message.id, kind=trouble.kind)
        async with self._database.transaction() as connection:
            await park_fetch(connection, [(leased, trouble)], self._clock())
