"""Many senders at once: a minimal HTTP/1.1 client over kept connections that counts answers by status."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from hub.sdk.testkit.simulator import Sent

BROKEN = 0
"""The status of a request whose connection broke before the answer was whole."""


def http(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A request as bytes."""
    parts = urlsplit(url)
    given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n{given}\r\n"
    return head.encode("latin-1") + body


def webhook(sent: Sent) -> bytes:
    """A delivery as bytes."""
    return http("POST", sent.url, sent.body, sent.headers)


async def send_all(
    url: str, requests: Iterable[bytes], connections: int, acknowledged: list[bytes] | None = None
) -> Counter[int]:
    """Send everything over so many connections, each as fast as it is answered; answers by status.

    Bodies that were answered 2xx are added to `acknowledged`.
    """
    parts = urlsplit(url)
    left = iter(requests)
    found: Counter[int] = Counter()

    async def sender() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            for request in left:
                try:
                    writer.write(request)
                    status, _ = await read_answer(reader)
                except (OSError, asyncio.IncompleteReadError):
                    status = BROKEN
                found[status] += 1
                if acknowledged is not None and 200 <= status < 300:
                    acknowledged.append(request.partition(b"\r\n\r\n")[2])
                if status in (BROKEN, 413):
                    writer.transport.abort()
                    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        finally:
            writer.transport.abort()

    await asyncio.gather(*(sender() for _ in range(connections)))
    return found


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(length or 0))
