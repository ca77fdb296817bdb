"""What befalls the hub: partners away, replies lost, workers that die before the commit or after they acted, time."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from hub.flow.directory import Link
from hub.sdk.adapter import Lane
from hub.store import dispatch, outbox
from hub.store.record import Result
from hub.worker.deliver import perform_call
from hub.worker.requests import build
from tests.property.life.partners import Partner
from tests.property.life.stage import PICK, THEN, Stage

LEASE = 0.01

who = st.integers(0, 2)


class Weather(Stage):
    """Steps that nobody wanted."""

    def partner(self, which: int) -> Partner:
        """One of those whom the hub writes to."""
        return self.world.partners[which]

    @rule(faults=st.lists(st.tuples(who, st.sampled_from(("lost", "lost", "vague", "weather"))), max_size=6), then=THEN)
    def befall(self, faults: list[tuple[int, str]], then: str) -> None:
        """Something befalls the next calls."""
        for which, fault in faults:
            self.partner(which).faults.append(fault)
        self.go(then)

    @rule(which=who, away=st.booleans(), then=THEN)
    def leave_or_come_back(self, which: int, away: bool, then: str) -> None:
        """A partner cannot be reached, or can be again."""
        self.partner(which).away = away
        self.go(then)

    @rule(lane=st.sampled_from((Lane.ORDERS, Lane.FACTS, Lane.STOCK, None)), then=THEN)
    def die_before_the_commit(self, lane: Lane | None, then: str) -> None:
        """A worker dies with its work done and nothing stored."""
        self.run(self.world.die(lane))
        self.go(then)

    @property
    def zombies(self) -> list[tuple[Link, Result]]:
        """Tries of workers that stopped after they acted, and may wake up yet."""
        found: list[tuple[Link, Result]] = self.__dict__.setdefault("_zombies", [])
        return found

    @rule(which=who, then=THEN)
    def stop_after_acting(self, which: int, then: str) -> None:
        """A sender acts, and stops before it writes down that it did; its lease runs out."""
        self.go("work")
        self.run(self._stop(self.partner(which).name))
        self.go(then)

    async def _stop(self, name: str) -> None:
        parts, deliverer = self.world.house.parts, self.world.house.worker.deliverer
        directory = await parts.configuration.directory()
        link = directory.links[name]
        async with parts.database.connection() as connection:
            claimed = await outbox.claim(connection, name, 16, LEASE)
            loaded = await dispatch.load(connection, link.connection.account, claimed)
        context = await parts.clients.context(link, directory)
        for one in claimed:
            started = datetime.now(UTC)
            outcome = await perform_call(link, context, build(one, loaded, directory), [])
            self.zombies.append((link, deliverer._result(link, one, outcome, started, datetime.now(UTC))))
        await asyncio.sleep(LEASE * 1.5)

    @rule(pick=PICK, then=THEN)
    def wake_up(self, pick: int, then: str) -> None:
        """It wakes up and writes down what came of it: another may have taken over long ago."""
        if self.zombies:
            link, result = self.zombies.pop(pick % len(self.zombies))
            self.run(self.world.house.worker.deliverer._recorder.keep(link, [result]))
        self.go(then)

    @rule(days=st.sampled_from((1, 9)), then=THEN)
    def time_passes(self, days: int, then: str) -> None:
        """Every deadline of stores and customers comes nearer; then the clock does its work."""
        self.run(self._later(timedelta(days=days)))
        self.go(then)

    async def _later(self, passed: timedelta) -> None:
        house = self.world.house
        await house.run("UPDATE fulfilment_order SET accept_by = accept_by - $1::interval", passed)
        await house.run("UPDATE fulfilment_order SET collect_by = collect_by - $1::interval", passed)
        await house.run("UPDATE exclusion SET until = until - $1::interval", passed)
        while await house.worker.performer.meet_deadlines():
            pass
