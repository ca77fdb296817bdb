"""One run: orders flow while processes, engines, disks, clocks and vendors fail at seeded moments."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tests.faults.books import AWAY, agree, keep
from tests.faults.running import FaultyHub
from tests.faults.strikes import Strike, choose
from tests.faults.world import QUICK, World

REST_SECONDS: Final = 30.0
"""Longest time from the last order and strike until everything has come to rest and all books agree."""

LOGS: Final = Path(".bench")
"""Where the hub's log of a failed run is kept."""

LEASED: Final = "SELECT id, fence FROM outbox WHERE lease_until > now()"
STILL: Final = "SELECT count(*) FROM outbox o JOIN unnest($1::bigint[], $2::bigint[]) AS u(id, fence) USING (id, fence)"


class Report(NamedTuple):
    """What a run found."""

    seed: int
    orders: int
    strikes: tuple[str, ...]
    seconds: float
    """All of it."""
    rested_after: float
    """Seconds from the last order and strike until all books agreed, or until that was given up."""
    taken_over_after: tuple[float, ...]
    """Seconds from the end of a worker until others had all the remote calls it had begun, for each that had some."""
    faults: tuple[str, ...]
    """Every disagreement between the books; empty when the run passed."""
    open_late: tuple[str, ...]
    """What a slow run waited for."""


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """A hub with its partners, for any number of runs."""
    async with FaultyHub(config=QUICK) as hub, World(hub) as world:
        yield world


async def run(
    world: World, seed: int, *, orders: int = 60, per_second: float = 25.0, strikes: int = 4, only: str | None = None
) -> Report:
    """Run once. The same seed sells the same orders and strikes the same things after the same pauses.

    `only` is the name of a strike that is then the only kind. After a run that failed the world is of no more use.
    """
    began, chance = time.monotonic(), random.Random(seed)
    chosen = choose(chance, strikes, only)
    skus = await world.stock_up(seed)
    watch = Takeovers(world)
    selling = asyncio.create_task(world.sell(skus, orders, per_second, random.Random(seed + 1)))
    striking = asyncio.create_task(_strike_all(world, watch, chance, chosen, orders / per_second / strikes))
    await asyncio.gather(selling, striking)
    ended = time.monotonic()
    verdict = await agree(world, REST_SECONDS)
    rested, taken = time.monotonic() - ended, await watch.over()
    if verdict.faults:
        LOGS.mkdir(exist_ok=True)
        (LOGS / f"faults-{seed}.log").write_text(world.hub.log())
        (LOGS / f"faults-{seed}.json").write_bytes(msgspec.json.encode(await keep(world), enc_hook=str))
    return Report(
        seed=seed,
        orders=orders,
        strikes=tuple(name for name, _ in chosen),
        seconds=time.monotonic() - began,
        rested_after=rested,
        taken_over_after=taken,
        faults=tuple(verdict.faults),
        open_late=tuple(verdict.open_late),
    )


async def _strike_all(
    world: World, watch: "Takeovers", chance: random.Random, chosen: list[tuple[str, Strike]], apart: float
) -> None:
    """Begin one strike after the other; those that last overlap."""
    under_way: list[asyncio.Task[None]] = []
    for name, strike in chosen:
        await asyncio.sleep(chance.uniform(0.2, max(0.3, apart)))
        # A generator of its own: how long one lasts must not depend on which ended first.
        own = random.Random(chance.random())
        under_way.append(asyncio.create_task(strike(world, own)))
        if name.startswith("worker"):
            watch.begin()
    await asyncio.gather(*under_way)


class Takeovers:
    """How long remote calls of killed workers stay with the dead."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: list[asyncio.Task[float | None]] = []

    def begin(self) -> None:
        """A worker has just been killed."""
        self._tasks.append(asyncio.create_task(self._watch()))

    async def over(self) -> tuple[float, ...]:
        """Wait for all; seconds of each that had calls under way."""
        found = await asyncio.gather(*self._tasks)
        return tuple(seconds for seconds in found if seconds is not None)

    async def _watch(self) -> float | None:
        """Until every effect that was leased now is done or in other hands. None when there is none, or no database."""
        house, started = self._world.house, time.monotonic()
        try:
            held = await house.rows(LEASED)
        except AWAY:
            return None
        if not held:
            return None
        ids, fences = [row["id"] for row in held], [row["fence"] for row in held]
        while time.monotonic() - started < REST_SECONDS:
            await asyncio.sleep(0.05)
            with contextlib.suppress(*AWAY):
                if not await house.value(STILL, ids, fences):
                    break
        return time.monotonic() - started
