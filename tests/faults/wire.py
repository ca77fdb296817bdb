"""The way to a vendor, to be broken: bytes are passed, or lost in either direction, or the connection is reset."""

import asyncio
import contextlib
import socket
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit


class Trouble(StrEnum):
    """What the way does to those who use it."""

    NONE = "none"
    DEAF = "deaf"
    """Requests never arrive; nobody is told."""
    DUMB = "dumb"
    """Requests arrive and are acted upon; answers are lost, the connection stays open: the caller times out."""
    RESET = "reset"
    """Requests arrive; the connection breaks in the middle of the answer."""
    REFUSED = "refused"
    """No connection is taken."""


HALF_AN_ANSWER = 60
"""Bytes passed before a reset: less than any answer's head."""


class Wire:
    """A TCP proxy on loopback in front of `target`, the URL of a simulator. `trouble` may be turned at any time."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._trouble = Trouble.NONE
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def trouble(self) -> Trouble:
        """What happens to bytes now."""
        return self._trouble

    @trouble.setter
    def trouble(self, trouble: Trouble) -> None:
        """Change it. What was lost stays lost: connections that lost bytes end."""
        if trouble is not self._trouble:
            self._trouble = trouble
            self.hang_up()

    def hang_up(self) -> None:
        """Break every open connection."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble is Trouble.REFUSED:
            _reset(writer)
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        for source, sink, inward in ((reader, back, True), (there, writer, False)):
            task = asyncio.create_task(self._pump(source, sink, inward=inward))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, inward: bool) -> None:
        try:
            while data := await source.read(1 << 16):
                lost = Trouble.DEAF if inward else Trouble.DUMB
                if self._trouble is lost:
                    continue
                if self._trouble is Trouble.RESET and not inward:
                    sink.write(data[:HALF_AN_ANSWER])
                    await sink.drain()
                    break
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.transport.abort()
            self._open.discard(sink)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()
