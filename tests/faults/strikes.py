"""What is done to a running hub and to the ways to its vendors. Each strike is over when its function returns."""

import asyncio
import contextlib
import os
import random
import resource
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Final

import redis.asyncio as redis

from tests.faults.wire import Trouble, Wire
from tests.faults.world import LEASE_SECONDS, World, usual_faults

Strike = Callable[[World, random.Random], Coroutine[None, None, None]]

HOUR: Final = 3600.0
STORM_SECONDS: Final = (0.6, 1.4)
"""How long a vendor, a disk or a clock misbehaves."""


# --- processes and engines -------------------------------------------------------------------------------------------


def kill(name: str) -> Strike:
    """SIGKILL a child; "workers" are all of them."""

    async def strike(world: World, chance: random.Random) -> None:
        for child, pid in dict(world.hub.pids).items():
            if child == name or (name == "workers" and child.startswith("worker")):
                send_signal(pid, signal.SIGKILL)

    return strike


async def kill_postgres(world: World, chance: random.Random) -> None:
    """SIGKILL the postmaster."""
    send_signal(world.hub.postgres.pid, signal.SIGKILL)


async def kill_backend(world: World, chance: random.Random) -> None:
    """SIGKILL one session: the server ends all others and recovers."""
    send_signal(a_backend(world.hub.postgres.pid, chance), signal.SIGKILL)


async def kill_valkey(world: World, chance: random.Random) -> None:
    """SIGKILL the queue engine."""
    send_signal(world.hub.valkey.pid, signal.SIGKILL)


async def stop_valkey(world: World, chance: random.Random) -> None:
    """The queue engine is there and does not answer."""
    pid = world.hub.valkey.pid
    send_signal(pid, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(*STORM_SECONDS))
    send_signal(pid, signal.SIGCONT)


async def flush(world: World, chance: random.Random) -> None:
    """FLUSHALL."""
    with contextlib.suppress(redis.RedisError, OSError):
        async with redis.Redis.from_url(world.hub.engines.queue_url) as client:
            await client.flushall()


def pause(name: str) -> Strike:
    """Stop a worker until its leases have run out and its transactions were ended, then let it go on."""

    async def strike(world: World, chance: random.Random) -> None:
        pid = world.hub.pids.get(name, 0)
        send_signal(pid, signal.SIGSTOP)
        await asyncio.sleep(LEASE_SECONDS + 2)
        send_signal(pid, signal.SIGCONT)

    return strike


async def fill_disk(world: World, chance: random.Random) -> None:
    """No process of the database server can write to a file: its log of commits least of all."""
    pid = world.hub.postgres.pid
    family = (pid, *children_of(pid))
    for one in family:
        _limit_files(one, 0)
    await asyncio.sleep(chance.uniform(*STORM_SECONDS))
    # Whoever still lives finds room again; the supervisor's new server has never been short of it.
    for one in {*family, *children_of(pid)}:
        _limit_files(one, None)


def _limit_files(pid: int, size: int | None) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def jump(*children: str) -> Strike:
    """The clocks of these children (all, when none is named) are an hour wrong for a moment."""

    async def strike(world: World, chance: random.Random) -> None:
        world.hub.set_clocks(chance.choice((-HOUR, HOUR)), *children)
        await asyncio.sleep(chance.uniform(*STORM_SECONDS))
        world.hub.set_clocks(0.0, *children)

    return strike


# --- vendors ---------------------------------------------------------------------------------------------------------


def cut(vendor: str, trouble: Trouble) -> Strike:
    """The way to a vendor is broken for a while."""

    async def strike(world: World, chance: random.Random) -> None:
        wire: Wire = world.wires[vendor]
        wire.trouble = trouble
        await asyncio.sleep(chance.uniform(*STORM_SECONDS))
        wire.trouble = Trouble.NONE

    return strike


def storm(vendor: str, **worse: float) -> Strike:
    """A vendor misbehaves more than usual for a while."""

    async def strike(world: World, chance: random.Random) -> None:
        faults = world.vendors[vendor].faults
        _set(faults, worse)
        await asyncio.sleep(chance.uniform(*STORM_SECONDS))
        usual = usual_faults()
        _set(faults, {name: getattr(usual, name) for name in worse})

    return strike


def _set(target: object, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        setattr(target, name, value)


def _of_vendors() -> Iterator[tuple[str, Strike]]:
    for vendor in ("shop", "depot"):
        for trouble in (Trouble.DEAF, Trouble.DUMB, Trouble.RESET, Trouble.REFUSED):
            yield f"{vendor} {trouble.value}", cut(vendor, trouble)
        yield f"{vendor} 5xx", storm(vendor, server_error=1.0)
        yield f"{vendor} 429", storm(vendor, throttle=1.0)
        yield f"{vendor} loses replies", storm(vendor, lost_reply=0.8)
        yield f"{vendor} repeats and shuffles", storm(vendor, duplicate=1.0, reorder=1.0)


KILLS: Final[Mapping[str, Strike]] = {
    "web": kill("web"),
    "worker-1": kill("worker-1"),
    "worker-2": kill("worker-2"),
    "workers": kill("workers"),
    "postgres": kill_postgres,
    "backend": kill_backend,
    "valkey": kill_valkey,
    "flush": flush,
    "stop valkey": stop_valkey,
    "pause worker-1": pause("worker-1"),
    "pause worker-2": pause("worker-2"),
    "disk full": fill_disk,
    "clocks jump": jump(),
    "clock of worker-1 jumps": jump("worker-1"),
    "clock of web jumps": jump("web"),
}
VENDORS: Final[Mapping[str, Strike]] = dict(_of_vendors())


def choose(chance: random.Random, count: int, only: str | None = None) -> list[tuple[str, Strike]]:
    """The strikes of a run: mostly on processes and engines, every third on a vendor."""
    if only is not None:
        return [(only, {**KILLS, **VENDORS}[only])] * count
    tables = [VENDORS if chance.random() < 1 / 3 else KILLS for _ in range(count)]
    return [(name := chance.choice(sorted(table)), table[name]) for table in tables]


# --- processes -------------------------------------------------------------------------------------------------------


def send_signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone."""
    if pid > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def children_of(pid: int) -> list[int]:
    """Processes that another started, as far as they still live."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def a_backend(postmaster: int, chance: random.Random) -> int:
    """One of the server's sessions with a hub, 0 when there is none."""
    found = []
    for child in children_of(postmaster):
        with contextlib.suppress(OSError):
            if "crossdock" in Path(f"/proc/{child}/cmdline").read_text().split("\0")[0]:
                found.append(child)
    return chance.choice(found) if found else 0
