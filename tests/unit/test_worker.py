"""A worker whose background work fails ends, so that another takes its place."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hub.worker.main import Worker


class Idle:
    """A part of a worker that never has anything to do, and what it does in the background."""

    def __init__(self, background: Callable[[], Awaitable[None]]) -> None:
        self._background = background

    async def listen(self) -> None:
        await self._background()

    renew = listen

    async def run(self) -> int:
        return 0

    resume = meet_deadlines = drain = close = run

    def event(self, lane: str) -> asyncio.Event:
        return asyncio.Event()

    def here(self, lane: str) -> None: ...


class IdleSweeper(Idle):
    run = Idle.listen  # type: ignore[assignment]


class IdlePerformer(Idle):
    async def run(self, lane: str) -> int:  # type: ignore[override]
        return 0


async def until_cancelled() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise KeyError("a reply that nobody understands")


def worker(bells: Idle, idle: Idle) -> Worker:
    parts = dict.fromkeys(
        ("deliverer", "puller", "fetcher", "broadcaster", "notifier", "hold_keeper", "reconciler"), idle
    )
    performer, sweeper = IdlePerformer(until_cancelled), IdleSweeper(until_cancelled)
    return Worker(bells=bells, performer=performer, sweeper=sweeper, sweep_seconds=0.01, batch_size=1, **parts)  # type: ignore[arg-type]


async def test_it_ends_and_says_why() -> None:
    with pytest.raises(KeyError, match="nobody understands"):
        await asyncio.wait_for(worker(Idle(fails), Idle(until_cancelled)).run(asyncio.Event()), 5)


async def test_told_to_stop_it_ends_in_peace() -> None:
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(worker(Idle(until_cancelled), Idle(until_cancelled)).run(stop), 5)
