"""Tell subscribers what they are to be told: effects claimed from the outbox like all others, one order in sequence.

The same leases, fences, attempts and pauses as `deliver.py`; what differs is who is told. A subscriber that takes
nothing for long is paused, never dropped: what it misses stays in the outbox and is told in order when it is back.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import msgspec
import structlog

from hub.domain.events import Channel, TellEvent
from hub.flow.consequences import judge
from hub.flow.ports import Claimed
from hub.flow.trouble import Trouble
from hub.sdk.leased import writing_while
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Refused, RetryLater, Uncertain
from hub.settings import Backoff
from hub.store import events, outbox
from hub.store.database import Database, is_weather
from hub.store.events import Subscriber
from hub.store.outbox import Tried
from hub.store.troubles import effects_over
from hub.store.vault import SealBroken, Vault
from hub.worker.backoff import next_try
from hub.worker.held import Held

log = structlog.get_logger(__name__)

AT_ONCE: Final = 16
"""Events claimed at once for one subscriber, each of another order."""

CALL_SECONDS: Final = 30.0
"""Total time of telling one event."""

_event: Final[msgspec.json.Decoder[TellEvent]] = msgspec.json.Decoder(TellEvent)


class Way(Protocol):
    """A way to tell somebody. Raises `Interrupted`; `Refused` means that this subscriber wants nothing more."""

    async def tell(self, subscriber: Subscriber, claimed: Claimed, event: TellEvent) -> Outcome:
        """Tell one event."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Told(NamedTuple):
    """A try and what came of it."""

    tried: Tried
    outcome: Outcome
    exhausted: bool


class Notifier:
    """Tells what the outbox holds for subscribers, each at its own pace."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        ways: Mapping[Channel, Way],
        clock: Callable[[], datetime],
        backoff: Backoff,
        *,
        lease_seconds: float,
        patience: timedelta,
    ) -> None:
        self._database = database
        self._vault = vault
        self._ways = ways
        self._clock = clock
        self._backoff = backoff
        self._lease = lease_seconds
        self._patience = patience
        self._held = Held(lease_seconds)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self.has_listeners = False
        """Whether anybody was ever to be told anything here: before that, the sweep's look is enough."""
        self._random = random.Random()

    async def run(self) -> int:
        """Start telling every subscriber that has something due; returns how many."""
        async with self._database.connection() as connection:
            ready = await events.ready(connection)
        self.has_listeners = self.has_listeners or bool(ready)
        started = [id for id in ready if id not in self._busy]
        for id in started:
            self._busy[id] = asyncio.create_task(self._serve(id))
        return len(started)

    async def drain(self) -> None:
        """Wait for what is being told."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def close(self) -> None:
        """Let go of every connection."""
        for way in self._ways.values():
            await way.close()

    async def renew(self) -> None:
        """Keep the leases of what is being told, until cancelled."""
        while True:
            await asyncio.sleep(self._lease / 4)
            await self._held.renew(self._database)

    async def _serve(self, id: str) -> None:
        try:
            while await self._batch(id):
                pass
        except Exception as error:
            # The edge of a task: the sweep starts it again.
            if not is_weather(error):
                log.exception("notify.failed", subscription=id)
        finally:
            self._busy.pop(id, None)

    async def _batch(self, id: str) -> bool:
        async with self._database.connection() as connection:
            try:
                subscriber = await events.subscriber(connection, self._vault, id)
            except SealBroken as error:
                log.error("subscription.sealed", subscription=id, reason=str(error))
                return False
            if subscriber is None:
                return False
            asked_at = self._held.clock()
            claimed = await outbox.claim(connection, id, AT_ONCE, self._lease)
        if not claimed:
            return False
        self._held.take(claimed, asked_at)
        try:
            told = await asyncio.gather(*(self._tell(subscriber, one) for one in claimed))
            await self._record(subscriber, told)
        finally:
            self._held.release(claimed)
        return True

    async def _tell(self, subscriber: Subscriber, claimed: Claimed) -> Told:
        started = self._clock()
        try:
            event = _event.decode(claimed.document)
            async with asyncio.timeout(CALL_SECONDS):
                with writing_while(lambda: self._held.surely(claimed)):
                    outcome = await self._ways[subscriber.channel].tell(subscriber, claimed, event)
        except Interrupted as interruption:
            outcome = interruption.outcome
        except TimeoutError:
            outcome = Uncertain(reason=f"no end after {CALL_SECONDS:.0f} s")
        except Exception as error:
            # A fault of ours must cost one event its certainty, not the worker its life.
            log.exception("notify.not_told", effect=claimed.key)
            outcome = NeedsPerson(reason=f"it could not be told: {error!r}", next_step="Report it with the log.")
        return self._told(subscriber, claimed, outcome, started, self._clock())

    def _told(
        self, subscriber: Subscriber, claimed: Claimed, outcome: Outcome, started: datetime, now: datetime
    ) -> Told:
        verdict = judge(outcome, claimed.look_first)
        retry = not isinstance(outcome, Done | NeedsPerson)
        # While it takes nothing at all the fault is its own, not the event's: patience decides, nothing is skipped, and
        # no try of that time is held against the event when it takes others again.
        failures = claimed.tries - claimed.waits + 1
        exhausted = retry and not subscriber.failing and failures >= self._backoff.max_attempts
        next_at = None
        if retry and not exhausted:
            asked = outcome.at if isinstance(outcome, RetryLater) else None
            tries = claimed.tries + 1 if subscriber.failing else failures
            next_at = next_try(tries, now, self._random.random(), self._backoff, asked)
        tried = Tried(
            claimed=claimed,
            started_at=started,
            finished_at=now,
            outcome=verdict.word,
            reason=verdict.reason,
            reference=outcome.reference if isinstance(outcome, Done) else None,
            over=isinstance(outcome, Done),
            next_at=next_at,
            # A time that a subscriber names is a try all the same: while it takes others, no event may wait for ever.
            waits=subscriber.failing,
            look_first=verdict.look_first,
        )
        return Told(tried, outcome, exhausted)

    async def _record(self, subscriber: Subscriber, told: Sequence[Told]) -> None:
        now = self._clock()
        async with self._database.transaction() as connection:
            ours = await outbox.record(connection, [one.tried for one in told])
            mine = [one for one in told if one.tried.claimed.id in ours]
            over = [one.tried.claimed.id for one in mine if one.tried.over and one.tried.claimed.tries]
            await effects_over(connection, over, now)
            await outbox.question(connection, [(one.tried.claimed, t) for one in mine if (t := _trouble(one))], now)
            if any(isinstance(one.outcome, Done) for one in mine):
                await events.healthy(connection, subscriber.id)
                return
            if all(isinstance(one.outcome, NeedsPerson) for one in mine):
                # About these events, or ours to mend: it says nothing of the subscriber.
                return
            since = await events.failing(connection, subscriber.id)
            gone = next((one.outcome.reason for one in mine if isinstance(one.outcome, Refused)), None)
            if gone is not None:
                await events.pause(connection, subscriber, gone, now)
            elif since is not None and now - since >= self._patience:
                last = mine[-1].tried.reason if mine else "no answer"
                await events.pause(connection, subscriber, f"it took nothing since {since:%Y-%m-%d %H:%M}: {last}", now)


def _trouble(one: Told) -> Trouble | None:
    """What a person has to know of a try."""
    claimed, outcome = one.tried.claimed, one.outcome
    if isinstance(outcome, NeedsPerson):
        cause = f"{claimed.connection}: {outcome.reason}"
        return Trouble(kind="delivery_needs_person", cause=cause, next_step=outcome.next_step)
    if one.exhausted:
        step = f"It failed too often ({one.tried.reason}), later events go on. When it is mended, retry the exception."
        return Trouble(kind="dead_letter", cause=f"{claimed.connection}: event {claimed.key}", next_step=step)
    return None
