"""A hub whose processes are replaced one after the other while orders come in, behind a balancer as in production."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import msgspec

from tests.bench.running import READY_SECONDS, RunningHub, until
from tests.proof.crowd import BROKEN, read_answer
from tests.proof.sale import OTHER, Sale

ORDERS_AT_HAND = 3000


class RollingHub(RunningHub):
    """Two web processes on neighbouring ports, two workers."""

    def __init__(self) -> None:
        super().__init__(workers=2)
        self.settings = msgspec.structs.replace(self.settings, web=2)

    @property
    def ports(self) -> tuple[int, int]:
        """Where the web processes listen."""
        first = urlsplit(self.url).port
        assert first is not None
        return first, first + 1

    async def start(self) -> None:
        """Start, and wait for both."""
        await super().start()
        for port in self.ports:
            await until(lambda: _ready(port), READY_SECONDS, f"the process on port {port} is ready")  # noqa: B023

    async def replace(self, name: str) -> None:
        """End a process as an upgrade does, and wait for its successor."""
        before = self.pids[name]
        os.kill(before, signal.SIGTERM)

        async def successor() -> bool:
            if self.pids.get(name, before) == before:
                return False
            return not name.startswith("web") or await _ready(self.ports[name != "web"])

        await until(successor, READY_SECONDS, f"{name} is there again")

    async def migrate(self) -> int:
        """Run the migrations beside everything; the exit code."""
        urls = {
            "CROSSDOCK_DATABASE_URL": self.engines.database_url,
            "CROSSDOCK_QUEUE_URL": self.engines.queue_url,
        }
        env = {**os.environ, **urls}
        command = (sys.executable, "-m", "hub.cli.main", "db", "upgrade")
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.DEVNULL)
        return await process.wait()


async def _ready(port: int) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2) as client:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).is_success
    except httpx.HTTPError:
        return False


NOBODY = -1
"""The status of a delivery whose connection no process took."""


class Balancer:
    """Sends each delivery over a connection of its own to the next process that takes one: what a proxy does.

    Only a connection that is not taken goes elsewhere; what was sent and not answered is a failure.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._turn = 0
        self.answers: Counter[int] = Counter()
        self.slowest = 0.0

    async def send(self, request: bytes) -> None:
        """Deliver, and count the answer."""
        started = time.monotonic()
        self._turn += 1
        turn, status = self._turn, NOBODY
        for attempt in range(len(self._ports)):
            port = self._ports[(turn + attempt) % len(self._ports)]
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            try:
                writer.write(request)
                status, _ = await read_answer(reader)
            except (OSError, asyncio.IncompleteReadError):
                status = BROKEN
            finally:
                writer.transport.abort()
            break
        self.answers[status] += 1
        self.slowest = max(self.slowest, time.monotonic() - started)

    async def send_at(self, requests: Sequence[bytes], per_second: float, stop: asyncio.Event) -> int:
        """Deliver at a steady rate until told to stop; how many were sent. Raises when there are no more."""
        started = time.monotonic()
        sending: list[asyncio.Task[None]] = []
        for number, request in enumerate(requests):
            if stop.is_set():
                await asyncio.gather(*sending)
                return number
            sending.append(asyncio.create_task(self.send(request)))
            await asyncio.sleep(max(0.0, started + (number + 1) / per_second - time.monotonic()))
        raise AssertionError("not enough orders for so long a time")


async def replace_under_load(
    hub: RollingHub, sale: Sale, names: Sequence[str], *, per_second: float, migrate: bool = False
) -> tuple[Balancer, int]:
    """Replace these processes while orders come in; the balancer with its answers, and how many were sent."""
    requests = sale.deliveries(sale.quietly(OTHER, ORDERS_AT_HAND), "orders/create")
    balancer, stop = Balancer(hub.ports), asyncio.Event()
    load = asyncio.create_task(balancer.send_at(requests, per_second, stop))
    try:
        for name in names:
            if migrate:
                assert await hub.migrate() == 0
            await hub.replace(name)
    finally:
        stop.set()
    sent = await load
    await sale.at_rest()
    return balancer, sent
