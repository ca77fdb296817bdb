"""Step 8c: send claimed effects and record what came of it. The only caller of an adapter's writes."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from hub.flow.consequences import judge
from hub.flow.directory import Directory, Link
from hub.flow.ports import Claimed
from hub.mapping.errors import Malformed
from hub.sdk.booking import with_total
from hub.sdk.capabilities import Context, Pulled, Track, TrackRequest
from hub.sdk.leased import writing_while
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, RetryLater, Uncertain
from hub.settings import Backoff
from hub.store import dispatch, outbox
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import SettingsBroken
from hub.store.database import Database, is_weather
from hub.store.outbox import Tried
from hub.store.record import Result
from hub.store.vault import SealBroken
from hub.worker.backoff import next_try
from hub.worker.bell import Ring
from hub.worker.clients import Clients
from hub.worker.held import Held
from hub.worker.recorder import Recorder
from hub.worker.requests import Call, Settled, build

log = structlog.get_logger(__name__)

PER_CONNECTION = 16
"""Effects claimed at once for one connection: a slow partner holds no more than these."""

CALL_SECONDS = 60.0
"""Total time of one capability, all its calls together."""

_OURS = (KeyError, ValueError, TypeError, AttributeError, AssertionError)


class Deliverer:
    """Sends what the outbox holds, connection by connection."""

    def __init__(
        self,
        database: Database,
        configuration: ConfigurationReader,
        clients: Clients,
        clock: Callable[[], datetime],
        backoff: Backoff,
        *,
        lease_seconds: float,
        concurrency: int,
        ring: Ring,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._clients = clients
        self._clock = clock
        self._backoff = backoff
        self._lease = lease_seconds
        self._concurrency = concurrency
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._ring = ring
        self._recorder = Recorder(database, clock, ring)
        self._held = Held(lease_seconds)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._random = random.Random()

    async def run(self) -> int:
        """Start sending for every connection that has something due and is not being served; returns how many."""
        directory = await self._configuration.directory()
        async with self._database.connection() as connection:
            ready = await outbox.ready_connections(connection)
        started = 0
        for name in ready:
            link = directory.links.get(name)
            if link is not None and name not in self._busy:
                self._busy[name] = asyncio.create_task(self._serve(link))
                started += 1
        return started

    async def drain(self) -> None:
        """Wait for what is being sent."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def renew(self) -> None:
        """Keep the leases of what is being sent, until cancelled."""
        while True:
            await asyncio.sleep(self._lease / 4)
            await self._held.renew(self._database)

    async def _serve(self, link: Link) -> None:
        """Send for one connection until nothing is due."""
        try:
            while await self._batch(link):
                pass
            # What came between that last look and now found this connection busy, and was not started.
            asyncio.get_running_loop().call_soon(self._ring, "deliver")
        except Exception as error:
            if not is_weather(error):
                log.exception("deliver.failed", connection=link.connection.id)
        finally:
            self._busy.pop(link.connection.id, None)

    async def _batch(self, link: Link) -> bool:
        directory = await self._configuration.directory()
        link = directory.links.get(link.connection.id, link)
        async with self._database.connection() as connection:
            asked_at = self._held.clock()
            claimed = await outbox.claim(connection, link.connection.id, PER_CONNECTION, self._lease)
            if not claimed:
                return False
            self._held.take(claimed, asked_at)
            try:
                loaded = await dispatch.load(connection, link.connection.account, claimed, directory.nodes)
            except BaseException:
                self._held.release(claimed)
                raise
        try:
            context = await self._clients.context(link, directory)
            sending = [self._send(link, directory, context, one, loaded) for one in claimed]
            # All of them end before any lease is let go: what is being sent must not be taken over meanwhile.
            for ended in await asyncio.gather(*sending, return_exceptions=True):
                if isinstance(ended, BaseException):
                    raise ended
        except (SettingsBroken, SealBroken) as error:
            outcome = NeedsPerson(reason=str(error), next_step="Correct the connection's config, then retry.")
            now = self._clock()
            await self._recorder.keep(link, [self._result(link, one, outcome, now, now) for one in claimed])
        finally:
            self._held.release(claimed)
        return True

    async def _send(
        self, link: Link, directory: Directory, context: Context[Any], claimed: Claimed, loaded: dispatch.Loaded
    ) -> None:
        # Of its own per connection: a partner that hangs must not keep the others from being told.
        slots = self._slots.setdefault(link.connection.id, asyncio.Semaphore(self._concurrency))
        async with slots:
            started = self._clock()
            brought: list[Pulled] = []
            outcome = await self._call(link, directory, context, claimed, loaded, brought)
        result = self._result(link, claimed, outcome, started, self._clock())
        await self._recorder.keep(link, [result._replace(brought=tuple(brought))])
        self._held.release([claimed])

    async def _call(
        self,
        link: Link,
        directory: Directory,
        context: Context[Any],
        claimed: Claimed,
        loaded: dispatch.Loaded,
        brought: list[Pulled],
    ) -> Outcome:
        try:
            call = build(claimed, loaded, directory)
        except Settled as settled:
            return settled.outcome
        except _OURS as error:
            log.exception("request.not_built", effect=claimed.key)
            return NeedsPerson(reason=f"the request could not be built: {error!r}", next_step="Report it with the log.")
        with writing_while(lambda: self._held.surely(claimed)):
            return await perform_call(link, context, call, brought)

    def _result(self, link: Link, claimed: Claimed, outcome: Outcome, started: datetime, now: datetime) -> Result:
        verdict = judge(outcome, claimed.look_first)
        failures = claimed.tries - claimed.waits + 1
        asked = outcome.at if isinstance(outcome, RetryLater) else None
        # A partner that names its own time is busy, not broken: that wait does not count towards giving up.
        exhausted = verdict.retry and verdict.word != "unauthorised" and asked is None and failures >= self._attempts
        next_at = None
        if verdict.retry and not exhausted:
            next_at = next_try(failures, now, self._random.random(), self._backoff, asked)
        tried = Tried(
            claimed=claimed,
            started_at=started,
            finished_at=now,
            outcome=verdict.word,
            reason=verdict.reason,
            reference=getattr(outcome, "reference", None),
            over=verdict.over,
            next_at=next_at,
            waits=asked is not None,
            look_first=verdict.look_first,
        )
        return Result(tried, outcome, exhausted)

    @property
    def _attempts(self) -> int:
        return self._backoff.max_attempts


async def _follow(track: Track, context: Context[Any], request: TrackRequest, brought: list[Pulled]) -> Outcome:
    for carrier, tracking in request.parcels:
        answer = await track(context, carrier or "", tracking)
        if answer is not None:
            brought.append(answer)
    return Done()


async def perform_call(link: Link, context: Context[Any], call: Call, brought: list[Pulled]) -> Outcome:
    """Call a capability under its deadline; objects that it read on the way are added to `brought`.

    Whatever an adapter does wrong becomes an outcome, never a lost effect.
    """
    capability = getattr(link.adapter, call.capability)
    if capability is None or not link.live(call.capability):
        return NeedsPerson(
            reason=f"connection {link.connection.name!r} does not do {call.capability} now",
            next_step="Set the capability's mode to live, or do it by hand and resolve the exception.",
        )
    try:
        async with asyncio.timeout(CALL_SECONDS):
            if isinstance(call.request, TrackRequest):
                return await _follow(capability, context, call.request, brought)
            outcome: Outcome = await capability(context, call.request)
            return with_total(outcome, call.request)
    except Interrupted as interruption:
        return interruption.outcome
    except TimeoutError:
        return Uncertain(reason=f"no end after {CALL_SECONDS:.0f} s")
    except Malformed as error:
        # What was asked may be done: the next try looks first.
        return Uncertain(reason=f"the answer of {link.connection.name!r} cannot be read: {error}")
    except Exception as error:
        # An adapter is a plug-in: its bug must cost one effect its certainty, not the worker its life.
        log.exception("adapter.failed", adapter=link.adapter.name, capability=call.capability)
        failed = f"the adapter {link.adapter.name!r} failed: {type(error).__name__}"
        return Uncertain(reason=f"{failed}; adapter.failed in the worker's log has more")
