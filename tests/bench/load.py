"""The load: a minimal HTTP/1.1 client on kept connections. httpx would cost more than the hub it measures."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

CONNECTIONS: Final = 64
MOST_CONNECTIONS: Final = 256
"""At a fixed rate: with fewer, what was due during a stall waits for a connection here, and not for the hub."""


class Acks(NamedTuple):
    """When each delivery was sent and how long its answer took, in seconds; and answers that were not 200."""

    first_sent: float
    """Unix time."""
    seconds: float
    """From the first request to the last answer."""
    latencies: list[float]
    refused: int


class _Wire(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[int] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) >= length:
            self._buffer = rest[length:]
            if self.answer is not None and not self.answer.done():
                self.answer.set_result(int(head.split(b" ", 2)[1]))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError("the hub closed the connection"))

    async def send(self, request: bytes) -> int:
        """Status of the answer."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


async def _wires(port: int, count: int) -> list[_Wire]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(_Wire, "127.0.0.1", port))[1] for _ in range(count)]


async def closed_loop(requests: Sequence[bytes], port: int, connections: int = CONNECTIONS) -> Acks:
    """As fast as answers come: each connection sends its next delivery when the last one was answered."""
    wires = await _wires(port, connections)
    left = iter(requests)
    latencies: list[float] = []
    refused = 0

    async def run(wire: _Wire) -> None:
        nonlocal refused
        for request in left:
            started = time.perf_counter()
            status = await wire.send(request)
            latencies.append(time.perf_counter() - started)
            refused += status != 200

    first, started = time.time(), time.perf_counter()
    await asyncio.gather(*(run(wire) for wire in wires))
    taken = time.perf_counter() - started
    for wire in wires:
        wire.transport.close()
    return Acks(first, taken, latencies, refused)


async def open_loop(
    requests: Sequence[bytes], port: int, per_second: float, connections: int = MOST_CONNECTIONS
) -> Acks:
    """At a fixed rate, whatever the answers do. Latency counts from when a delivery was due, not from when it left."""
    wires = await _wires(port, connections)
    free: asyncio.Queue[_Wire] = asyncio.Queue()
    for wire in wires:
        free.put_nowait(wire)
    latencies: list[float] = []
    refused = 0

    async def send(wire: _Wire, request: bytes, due: float) -> None:
        nonlocal refused
        status = await wire.send(request)
        latencies.append(time.perf_counter() - due)
        refused += status != 200
        free.put_nowait(wire)

    first, started = time.time(), time.perf_counter()
    # Only those under way: waiting for every task ever made held this loop, and its clock, for 300 ms at the end.
    tasks: set[asyncio.Task[None]] = set()
    for number, request in enumerate(requests):
        due = started + number / per_second
        pause = due - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        task = asyncio.create_task(send(await free.get(), request, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    taken = time.perf_counter() - started
    for wire in wires:
        wire.transport.close()
    return Acks(first, taken, latencies, refused)
