"""A worker process: one loop per lane, woken by bells, swept at least once a second."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from hub.sdk.adapter import Lane
from hub.store.database import is_weather
from hub.worker.bell import Bells
from hub.worker.broadcast import Broadcaster
from hub.worker.deliver import Deliverer
from hub.worker.fetch import Fetcher
from hub.worker.holds import HoldKeeper
from hub.worker.notify import Notifier
from hub.worker.perform import Performer
from hub.worker.pull import Puller
from hub.worker.reconcile import Reconciler
from hub.worker.sweep import Sweeper

log = structlog.get_logger(__name__)

LINGER_SECONDS = 0.004
"""What has just been woken waits this long for company: small batches cost several times the CPU per order."""

DENSE = 8
"""Messages in a batch from which on more are on their way: the next batch waits longer, so that it is fuller."""

DENSE_LINGER_SECONDS = 0.1
"""Two workers then take whole batches from about 1,000 orders a second on. With a fifth of it, batches were a third as
long, an order cost half as much CPU again, and answers to senders waited for a core."""

FED = frozenset({"orders", "facts", "stock", "fetch"})
"""Lanes that other processes fill. While they flow, looking is cheaper than a ring, which is a job of arq's."""

FLOWING_SECONDS = 0.1
"""A lane of these flows until it has been empty for so long. Longer than the space between two rings."""

LOOK_SECONDS = 0.02

AFTER_WEATHER_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Everything a worker process runs."""

    bells: Bells
    performer: Performer
    deliverer: Deliverer
    puller: Puller
    fetcher: Fetcher
    broadcaster: Broadcaster
    notifier: Notifier
    hold_keeper: HoldKeeper
    sweeper: Sweeper
    reconciler: Reconciler
    sweep_seconds: float
    batch_size: int

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is under way.

        Ends of itself, and raises why, when what it does in the background has failed: a worker that renews no leases
        or hears no bells is worse than the next one.
        """
        lanes: dict[str, Callable[[], Awaitable[int]]] = {
            "orders": self._orders,
            "facts": self._facts,
            "stock": self._stock,
            "waiting": self.performer.resume,
            "deadlines": self.performer.meet_deadlines,
            "fetch": self.fetcher.run,
            "deliver": self.deliverer.run,
            "availability": self.broadcaster.run,
            "notify": self.notifier.run,
            "holds": self.hold_keeper.run,
            "pull": self.puller.run,
            "reconcile": self.reconciler.run,
        }
        tasks = [asyncio.create_task(self._lane(name, work, stop), name=name) for name, work in lanes.items()]
        background = (self.bells.listen(), self.deliverer.renew(), self.notifier.renew(), self.sweeper.run())
        helpers = [asyncio.create_task(work) for work in background]
        for helper in helpers:
            helper.add_done_callback(lambda _: stop.set())
        await stop.wait()
        for name in lanes:
            self.bells.here(name)
        await asyncio.gather(*tasks)
        await self.deliverer.drain()
        await self.broadcaster.drain()
        await self.puller.drain()
        await self.notifier.drain()
        await self.notifier.close()
        for helper in helpers:
            helper.cancel()
        ended = await asyncio.gather(*helpers, return_exceptions=True)
        await self.bells.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _lane(self, name: str, work: Callable[[], Awaitable[int]], stop: asyncio.Event) -> None:
        event, loop, flowing_until = self.bells.event(name), asyncio.get_running_loop(), 0.0
        while not stop.is_set():
            event.clear()
            try:
                did = await work()
            except Exception as error:
                # The edge of the process: whatever it was, the next batch tries again.
                if is_weather(error):
                    log.warning("lane.weather", lane=name, reason=f"{type(error).__name__}: {error}")
                else:
                    log.exception("lane.failed", lane=name)
                await asyncio.sleep(AFTER_WEATHER_SECONDS)
                continue
            if did:
                flowing_until = loop.time() + FLOWING_SECONDS
                if name in FED and DENSE <= did < self.batch_size:
                    await asyncio.sleep(DENSE_LINGER_SECONDS)
                continue
            flows = name in FED and loop.time() < flowing_until
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), LOOK_SECONDS if flows else self.sweep_seconds)
            await asyncio.sleep(LINGER_SECONDS)

    async def _orders(self) -> int:
        did = await self.performer.run(Lane.ORDERS)
        if did:
            self._downstream()
        return did

    async def _facts(self) -> int:
        did = await self.performer.run(Lane.FACTS)
        if did:
            self._downstream()
        return did

    async def _stock(self) -> int:
        did = await self.performer.run(Lane.STOCK)
        if did:
            self.bells.here("waiting")
            self._downstream()
        return did

    def _downstream(self) -> None:
        self.bells.here("deliver")
        self.bells.here("availability")
        if self.notifier.has_listeners:
            self.bells.here("notify")


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
