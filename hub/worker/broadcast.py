"""Tell channels what can be sold: a lane of its own, numbers computed when they are sent."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec
import structlog

from hub.domain.ids import NewId
from hub.domain.network import Connection
from hub.flow.consequences import credentials_refused
from hub.flow.directory import Directory, Link
from hub.flow.trouble import Trouble
from hub.sdk.adapter import Publishes, Subtracts
from hub.sdk.capabilities import AvailabilityUpdate, Level
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Unauthorised, Uncertain
from hub.settings import Backoff
from hub.store import availability
from hub.store.availability import Mark, Point
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import SettingsBroken
from hub.store.database import Database, PooledConnection, is_weather
from hub.store.outbox import known, learn
from hub.store.troubles import raise_troubles
from hub.store.vault import SealBroken
from hub.worker.backoff import next_try
from hub.worker.clients import Clients
from hub.worker.deliver import perform_call
from hub.worker.leases import LEASE_SECONDS, kept
from hub.worker.requests import Call

log = structlog.get_logger(__name__)

MARKS = 5000

BATCHES = 20
"""Batches told to one connection in a row, under one view of the configuration."""

UNTIL_A_PERSON: Final = timedelta(hours=1)
"""A refused level is tried again so rarely: its change, a retry and a changed connection make it due at once."""

Failure = NeedsPerson | Refused | RetryLater | Unauthorised | Uncertain

LONGEST_SECONDS: Final = 300.0
"""No channel is given a longer pause: what it sells by is wrong meanwhile."""

PATIENCE_SECONDS = 0.25
"""How long a run waits for what it started: a channel that answers in time is told before the run ends."""


class Broadcaster:
    """Publishes availability."""

    def __init__(
        self,
        database: Database,
        configuration: ConfigurationReader,
        clients: Clients,
        clock: Callable[[], datetime],
        new_id: NewId,
        backoff: Backoff,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._clients = clients
        self._clock = clock
        self._new_id = new_id
        self._backoff = msgspec.structs.replace(backoff, cap_seconds=min(LONGEST_SECONDS, backoff.cap_seconds))
        self._random = random.Random()
        self._telling: dict[str, asyncio.Task[int]] = {}
        self._met: list[Point] | None = None
        """Selling points as they were when they were last compared with those that were told before."""

    async def run(self) -> int:
        """Fan out marks and tell each connection that is due all that is; returns how many batches were told.

        A slow channel holds up nobody: it is told on in the background, and the others by the next run.
        """
        directory = await self._configuration.directory()
        points = availability.selling_points(directory)
        await self._meet(points)
        async with self._database.transaction() as connection:
            await availability.fan_out(connection, points, MARKS)
        async with self._database.connection() as connection:
            await availability.recover(connection)
            due = await availability.ready(connection)
        started = []
        for name in due:
            link = directory.links.get(name)
            if name in self._telling or link is None or link.connection.paused:
                continue
            if link.live("publish_availability"):
                task = asyncio.create_task(self._tell_all(link, directory), name=f"tell {name}")
                self._telling[name] = task
                task.add_done_callback(partial(self._told, name))
                started.append(task)
        if not started:
            return 0
        done, late = await asyncio.wait(started, timeout=PATIENCE_SECONDS)
        return sum(task.result() for task in done) + len(late)

    def _told(self, name: str, task: asyncio.Task[int]) -> None:
        del self._telling[name]

    async def drain(self) -> None:
        """Wait for what is being told."""
        await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def _meet(self, points: list[Point]) -> None:
        if points != self._met:
            async with self._database.transaction() as connection:
                await availability.meet_points(connection, points)
            self._met = points

    async def _tell_all(self, link: Link, directory: Directory) -> int:
        told = 0
        try:
            while told < BATCHES and await self._tell(link, directory):
                told += 1
        except Exception as error:
            # The edge of a task: what was claimed falls due again when its lease ends.
            if is_weather(error):
                log.warning("availability.weather", connection=link.connection.id, reason=str(error))
            else:
                log.exception("availability.failed", connection=link.connection.id)
        return told

    async def _tell(self, link: Link, directory: Directory) -> bool:
        account = link.connection.account
        subtracting = account if link.adapter.subtracts is Subtracts.OWN_OPEN_ORDERS else None
        async with self._database.connection() as connection:
            marks = await availability.claim(
                connection, link.connection.id, link.adapter.availability_batch, LEASE_SECONDS
            )
            if not marks:
                return False
            now_level = await availability.levels(connection, marks, subtracting, self._clock().date())
            theirs = await known(connection, account, sorted({m.sku for m in marks}))
        # What a channel that subtracts has moves whenever it ships: what it was told last says nothing of it.
        moved = [m for m in marks if subtracting is not None and _place(m) in now_level]
        changed = moved or [m for m in marks if m.sent != now_level.get(_place(m), m.sent)]
        outcome: Outcome = Done()
        if changed:
            references = {f"{kind}:{ours}": value for (kind, ours), value in theirs.items()}
            async with kept(lambda seconds: self._renew(marks, seconds)):
                outcome = await self._send(link, directory, changed, now_level, references)
        await self._record(link, marks, changed, now_level, outcome)
        return True

    async def _renew(self, marks: list[Mark], lease_seconds: float) -> None:
        async with self._database.connection() as connection:
            await availability.renew(connection, marks, lease_seconds)

    async def _send(
        self,
        link: Link,
        directory: Directory,
        marks: list[Mark],
        now_level: dict[tuple[int, int], int],
        references: dict[str, str],
    ) -> Outcome:
        request = AvailabilityUpdate(
            key=f"{self._new_id()}-avail",
            references=references,
            look_first=any(mark.tries for mark in marks),
            levels=tuple(_level(mark, now_level[mark.stock_point, mark.item]) for mark in marks),
        )
        try:
            context = await self._clients.context(link, directory)
        except (SettingsBroken, SealBroken) as error:
            return NeedsPerson(reason=str(error), next_step="Correct the connection's config.")
        return await perform_call(link, context, Call("publish_availability", request), [])

    async def _record(
        self,
        link: Link,
        marks: list[Mark],
        changed: list[Mark],
        now_level: dict[tuple[int, int], int],
        outcome: Outcome,
    ) -> None:
        now = self._clock()
        word, reason = type(outcome).__name__.lower(), getattr(outcome, "reason", "")
        told = [(m.sku, m.location, now_level[m.stock_point, m.item]) for m in changed]
        async with self._database.transaction() as connection:
            if changed:
                await availability.keep_publication(connection, link.connection.id, now, word, reason, told)
            failed = set() if isinstance(outcome, Done) else {_place(m) for m in changed}
            there = [m for m in marks if _place(m) in now_level and _place(m) not in failed]
            await availability.record_sent(connection, there, now_level, now)
            await availability.let_go(connection, [m for m in marks if _place(m) not in now_level])
            if not isinstance(outcome, Done):
                await self._not_taken(connection, link, changed, outcome, now)
            elif changed:
                since = min(mark.marked_at for mark in changed)
                await availability.measure_delay(connection, link.connection.id, since, now)
            if isinstance(outcome, Done):
                await learn(connection, [(link.connection.account, one) for one in outcome.learned])

    async def _not_taken(
        self, connection: PooledConnection, link: Link, failed: list[Mark], outcome: Failure, now: datetime
    ) -> None:
        tries = max(m.tries for m in failed) + 1
        refused = isinstance(outcome, NeedsPerson | Refused)
        at = now + UNTIL_A_PERSON if refused else self._again_at(outcome, tries, now)
        found = _trouble(link.connection, outcome, exhausted=tries >= self._backoff.max_attempts)
        # Of a batch that needs a person some levels may have been taken.
        unsure = isinstance(outcome, Uncertain | NeedsPerson) and link.adapter.publishes is Publishes.RELATIVE
        await availability.tell_again(
            connection,
            failed,
            at,
            outcome.reason,
            refused=refused,
            trouble=None if found is None else found.cause,
            forget=unsure,
        )
        if found is not None:
            trouble = found._replace(waiter=("levels", link.connection.id))
            await raise_troubles(connection, [(link.connection.merchant, None, trouble)], now)

    def _again_at(self, outcome: Outcome, tries: int, now: datetime) -> datetime:
        asked = outcome.at if isinstance(outcome, RetryLater) else None
        return next_try(tries, now, self._random.random(), self._backoff, asked)


def _trouble(connection: Connection, outcome: Failure, *, exhausted: bool) -> Trouble | None:
    """The exception that stays open until the levels were taken, if any."""
    if isinstance(outcome, Unauthorised):
        return credentials_refused(connection.id, connection.name)
    if isinstance(outcome, NeedsPerson | Refused):
        step = outcome.next_step if isinstance(outcome, NeedsPerson) else "Look at the channel's answer."
        cause = f"{connection.id}: {outcome.reason}"
        return Trouble("availability_refused", cause, step, connection=connection.id)
    if exhausted and getattr(outcome, "at", None) is None:
        step = (
            f"Levels cannot be told for a long time ({outcome.reason}): the channel may sell what is gone. They are "
            "tried again by themselves; when the channel is well, retry the exception to tell them at once."
        )
        return Trouble("availability_not_told", f"{connection.id}: levels", step, connection=connection.id)
    return None


def _place(mark: Mark) -> tuple[int, int]:
    return mark.stock_point, mark.item


def _level(mark: Mark, quantity: int) -> Level:
    change = None if mark.sent is None else quantity - mark.sent
    return Level(sku=mark.sku, location=mark.location, quantity=quantity, previous=mark.sent, change=change)
