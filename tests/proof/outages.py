"""A vendor that delivers at a steady rate, whatever it is answered, and remembers every answer."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.proof.crowd import BROKEN
from tests.proof.sale import Sale

ANSWER_SECONDS = 10.0


class Vendor:
    """Sends each delivery once, over a connection of its own."""

    def __init__(self, sale: Sale, requests: Sequence[bytes]) -> None:
        self._sale, self._requests = sale, requests
        self.answers: Counter[int] = Counter()
        self.acknowledged: list[bytes] = []
        self.refused_after: list[float] = []
        """Seconds that each refusal took."""
        self.without_retry_after = 0
        self.stop = asyncio.Event()
        self._answered = asyncio.Event()

    async def deliver(self, per_second: float) -> int:
        """Deliver until told to stop; how many were sent. Raises when there are no more."""
        started = time.monotonic()
        sending: list[asyncio.Task[None]] = []
        for number, request in enumerate(self._requests):
            if self.stop.is_set():
                await asyncio.gather(*sending)
                return number
            sending.append(asyncio.create_task(self._send(request)))
            await asyncio.sleep(max(0.0, started + (number + 1) / per_second - time.monotonic()))
        raise AssertionError("not enough orders for so long a time")

    async def answered_again(self) -> None:
        """Wait for the next acknowledgement."""
        self._answered.clear()
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._answered.wait()

    async def _send(self, request: bytes) -> None:
        parts = urlsplit(self._sale.url)
        started = time.monotonic()
        status, head = BROKEN, b""
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request)
            async with asyncio.timeout(ANSWER_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
        self.answers[status] += 1
        if status == 200:
            self.acknowledged.append(request.partition(b"\r\n\r\n")[2])
            self._answered.set()
        else:
            self.refused_after.append(time.monotonic() - started)
            self.without_retry_after += b"retry-after" not in head.lower()
