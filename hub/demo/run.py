"""A run of the demo from curtain to curtain."""

import asyncio
import random
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from hub.demo.api import HubApi
from hub.demo.audit import Auditor, Report
from hub.demo.baskets import World, seeded_world, world_of_file
from hub.demo.cast import Cast
from hub.demo.customers import Customers
from hub.demo.engines import Address, counted, free_port, prepare_database, processes, start_engines
from hub.demo.progress import Story
from hub.demo.rest import Look, look, moving
from hub.demo.setup import furnish, set_up
from hub.demo.staff import Staff, shelves_of
from hub.embedded import Engines
from hub.sdk.testkit.player import Player
from hub.settings import Settings, from_environment
from hub.store.database import Database
from hub.supervisor import SIGNALS, Supervisor

LOOK_SECONDS: Final = 0.5
REST_SECONDS: Final = 1.5
"""Nothing due and nothing changed for so long is rest."""
STUCK_SECONDS: Final = 60.0
TRICKLE_SECONDS: Final = 5.0
"""Between the orders that keep arriving while somebody looks around."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for."""

    orders: int | None
    orders_file: Path | None
    seed: int
    leave: bool
    calm: bool


SEEDED_ORDERS: Final = 200


def run(options: Options, tell: Callable[[Report], None]) -> bool:
    """Run the demo in this process, with the hub in child processes; `tell` gets the report. Blocks.

    Answers whether it came to rest and every invariant holds.
    """
    settings = from_environment()
    world = _world(options)
    engines = start_engines(settings)
    try:
        return asyncio.run(Run(options=options, settings=settings, engines=engines, world=world, tell=tell).perform())
    finally:
        engines.stop()


def _world(options: Options) -> World:
    if options.orders_file is not None:
        return world_of_file(options.orders_file, options.orders, options.seed)
    return seeded_world(options.orders or SEEDED_ORDERS, options.seed)


@dataclass(kw_only=True)
class Run:
    """One run."""

    options: Options
    settings: Settings
    engines: Engines
    world: World
    tell: Callable[[Report], None]
    token: str = ""
    good: bool = False

    async def perform(self) -> bool:
        """Raise the curtain; return when the run is over or was ended by a signal."""
        host = self.settings.host
        address = Address(host=host, port=free_port(host, self.settings.port))
        database = Database(self.engines.database_url, size=4, name="crossdock-demo")
        try:
            self.token = await prepare_database(database, self.engines.database_url)
            supervisor = Supervisor(await processes(self.settings, address, self.engines), self.engines.running)
            async with Cast.choose(self.options.seed, calm=self.options.calm) as cast:
                await _supervised(supervisor, self._show(address, database, cast))
            return self.good
        finally:
            await database.close()

    async def _show(self, address: Address, database: Database, cast: Cast) -> None:
        try:
            with Story(len(self.world.baskets)) as story:
                async with HubApi(address.url, self.token, _now) as api:
                    await self._play(story, api, address, database, cast)
        finally:
            # Before the engine goes: a pool that outlives its database complains.
            await database.close()

    async def _play(self, story: Story, api: HubApi, address: Address, database: Database, cast: Cast) -> None:
        began = time.monotonic()
        furnish(cast, self.world)
        await api.ready()
        connections = await set_up(api, cast, self.world, webhooks=address.url, as_of=_now())
        self._welcome(story, address, cast, connections)
        seed = self.options.seed
        staff = Staff(api=api, database=database, shelves=shelves_of(self.world.stock), seed=seed)
        customers = Customers(cast=cast, seed=seed)
        auditor = Auditor(
            database=database, cast=cast, world=self.world, staff=staff, connections=connections, seed=seed
        )
        await _beside(staff.work(), self._acts(story, database, customers, auditor, began))

    async def _acts(
        self, story: Story, database: Database, customers: Customers, auditor: Auditor, began: float
    ) -> None:
        rested = await self._to_rest(story, database, customers)
        report = await auditor.report(time.monotonic() - began)
        self.good = rested and not report.broken
        _sum_up(story, report)
        self.tell(report)
        if not self.options.leave:
            await self._trickle(story, customers)

    async def _to_rest(self, story: Story, database: Database, customers: Customers) -> bool:
        """Let the customers order, and wait until everything has come to rest. False when it got stuck."""
        ordering = asyncio.create_task(customers.order(self.world.baskets))
        seen: tuple[int, Look] | None = None
        changed = time.monotonic()
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                if ordering.done():
                    ordering.result()
                async with database.connection() as connection:
                    found = await look(connection)
                story.show(customers.placed, found)
                if (customers.placed, found) != seen:
                    seen, changed = (customers.placed, found), time.monotonic()
                still = time.monotonic() - changed
                if ordering.done() and found.at_rest and found.orders == customers.placed and still > REST_SECONDS:
                    return True
                if still > STUCK_SECONDS:
                    async with database.connection() as connection:
                        stuck = await moving(connection)
                    story.say("\n".join([f"no progress for {STUCK_SECONDS:.0f} s; stuck:", *stuck]))
                    return False
        finally:
            ordering.cancel()

    async def _trickle(self, story: Story, customers: Customers) -> None:
        """Keep orders coming until somebody ends it."""
        chance = random.Random(-self.options.seed)
        story.say(f"an order every {TRICKLE_SECONDS:.0f} s from now on; Ctrl-C ends the demo")
        while True:
            customers.place(chance.choice(self.world.baskets), chance)
            await asyncio.sleep(TRICKLE_SECONDS)

    def _welcome(self, story: Story, address: Address, cast: Cast, connections: Mapping[Player, str]) -> None:
        story.say(f"\nCrossdock with {len(cast.players)} simulated vendors ({self.world.synthetic})\n")
        story.say(f"  web     {address.url}   (documentation: {address.url}/docs)")
        story.say(f"  login   {self.token}   (an API token, role admin)")
        for player, connection in connections.items():
            name = f"{cast.adapters[player]} {player.part.name}"
            story.say(f"  vendor  {name:28} {player.simulator.base_url}   connection {connection}")
        shop = next(iter(cast.channels.values()))
        hot = self.world.baskets[0].lines[0][0]
        curl = f"curl -H 'Authorization: Bearer {self.token}'"
        story.say(
            f"\nThree things to try:\n"
            f"  1. what the channel may sell, and why:  {curl} "
            f"'{address.url}/api/v1/ats?sku={hot}&channel={connections[shop]}'\n"
            f"  2. the newest orders:                   {curl} '{address.url}/api/v1/orders?limit=3'\n"
            f"  3. pause a shop, watch, resume it:      {curl} -X POST "
            f"{address.url}/api/v1/connections/{connections[shop]}/pause\n"
        )


def _sum_up(story: Story, report: Report) -> None:
    story.say(
        f"\n{report.orders} orders in {report.seconds} s: {report.delivered} delivered, {report.cancelled} cancelled, "
        f"{report.waiting} waiting, {report.parked} parked; {report.shipped} shipped, {report.posted} posted\n"
        f"lost {report.lost}, duplicated {report.duplicated}, oversold {report.oversold}; "
        f"decisions: {report.decisions.proven} proven, {report.decisions.gap_reported} with a gap; "
        f"exceptions: {counted(report.exceptions_by_kind)}"
    )
    for wrong in report.broken:
        story.say(f"BROKEN: {wrong}")


async def _beside(crew: Coroutine[None, None, None], acts: Coroutine[None, None, None]) -> None:
    """Run the acts with a crew beside them that never ends by itself; what befalls either ends both."""
    working, playing = asyncio.create_task(crew), asyncio.create_task(acts)
    try:
        await asyncio.wait({working, playing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in (working, playing) if task.done()]
        working.cancel()
        playing.cancel()
        await asyncio.wait({working, playing})
    for task in ended:
        task.result()


async def _supervised(supervisor: Supervisor, show: Coroutine[None, None, None]) -> None:
    """Run the hub's processes for as long as the show lasts; a signal ends the show first, a second one forces."""
    supervising, showing = asyncio.create_task(supervisor.run()), asyncio.create_task(show)
    # The supervisor has begun and taken the signals; they are ours for as long as the show needs its engines.
    await asyncio.sleep(0)

    def stop(number: signal.Signals) -> None:
        Console(stderr=True).print(f"ended by {number.name}")
        if not showing.cancel():
            supervisor.request_stop()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await asyncio.wait({supervising, showing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        showing.cancel()
        supervisor.request_stop()
        await asyncio.wait({showing, supervising})
    supervising.result()
    if not showing.cancelled():
        showing.result()


def _now() -> datetime:
    return datetime.now(UTC)
