"""Tell channels what can be sold: a lane of its own, numbers computed when they are sent."""

import random
from collections.abc import Callable
from datetime import datetime

import structlog

from hub.domain.ids import NewId
from hub.domain.network import Purpose
from hub.flow.aggregate import Trouble
from hub.flow.directory import Directory, Link
from hub.sdk.capabilities import AvailabilityUpdate, Level
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater
from hub.settings import Backoff
from hub.store import availability
from hub.store.availability import Mark
from hub.store.configuration import ConfigurationReader
from hub.store.credentials import SettingsBroken
from hub.store.database import Database
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
        self._backoff = backoff
        self._random = random.Random()

    async def run(self) -> int:
        """Fan out marks and tell one batch to each connection that is due; returns how many batches were told."""
        directory = await self._configuration.directory()
        points = _points(directory)
        async with self._database.transaction() as connection:
            await availability.fan_out(connection, points, MARKS)
        async with self._database.connection() as connection:
            await availability.recover(connection)
            due = await availability.ready(connection)
        told = 0
        for name in due:
            link = directory.links.get(name)
            if link is not None and link.live("publish_availability") and not link.connection.paused:
                told += await self._tell(link, directory)
        return told

    async def _tell(self, link: Link, directory: Directory) -> int:
        open_nodes = {node.id for node in directory.nodes.values() if node.enabled}
        nodes = {point.id: open_nodes.intersection(point.nodes) for point in directory.stock_points}
        async with self._database.connection() as connection:
            marks = await availability.claim(
                connection, link.connection.id, link.adapter.availability_batch, LEASE_SECONDS
            )
            marks_known = [mark for mark in marks if mark.stock_point in nodes]
            if not marks_known:
                return 0
            now_level = await availability.levels(connection, marks_known, nodes)
            theirs = await known(connection, link.connection.account, sorted({m.sku for m in marks_known}))
        changed = [m for m in marks_known if m.sent != now_level[m.stock_point, m.item]]
        outcome: Outcome = Done()
        if changed:
            references = {f"{kind}:{ours}": value for (kind, ours), value in theirs.items()}
            async with kept(lambda seconds: self._renew(marks_known, seconds)):
                outcome = await self._send(link, directory, changed, now_level, references)
        await self._record(link, marks_known, changed, now_level, outcome)
        return 1

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
            levels=tuple(
                Level(
                    sku=mark.sku,
                    location=mark.location,
                    quantity=now_level[mark.stock_point, mark.item],
                    previous=mark.sent,
                )
                for mark in marks
            ),
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
            if isinstance(outcome, Done | NeedsPerson | Refused):
                # A refused SKU is told to a person once; the next change of its level is tried like any other.
                await availability.record_sent(connection, marks, now_level, now)
            else:
                at = self._again_at(outcome, max(m.tries for m in marks) + 1, now)
                await availability.tell_again(connection, marks, at, reason)
            if isinstance(outcome, Done):
                await learn(connection, [(link.connection.account, one) for one in outcome.learned])
            if isinstance(outcome, NeedsPerson | Refused):
                step = outcome.next_step if isinstance(outcome, NeedsPerson) else "Look at the channel's answer."
                cause = f"{link.connection.id}: {reason}"
                trouble = Trouble("availability_refused", cause, step, connection=link.connection.id)
                await raise_troubles(connection, [(link.connection.merchant, None, trouble)], now)

    def _again_at(self, outcome: Outcome, tries: int, now: datetime) -> datetime:
        return next_try(
            tries,
            now,
            self._random.random(),
            schedule_seconds=self._backoff.schedule_seconds,
            jitter=self._backoff.jitter,
            cap_seconds=min(300.0, self._backoff.cap_seconds),
            asked=outcome.at if isinstance(outcome, RetryLater) else None,
        )


def _points(directory: Directory) -> list[tuple[int, str]]:
    """Selling stock points and the connection that speaks for their account."""
    found = []
    for point in directory.stock_points:
        link = directory.speaker(point.account)
        if point.purpose is Purpose.SELL and link is not None and link.live("publish_availability"):
            found.append((point.id, link.connection.id))
    return found
