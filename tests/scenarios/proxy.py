"""A way to the database that a test may break: refused, or open and silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"


class Proxy:
    """Passes bytes between a socket of its own and the engine's. `refuse` and `hang` break it, `mend` mends it."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Take connections and pass everything."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._serve, self._folder / SOCKET)

    async def refuse(self) -> None:
        """Break what is open and take no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        (self._folder / SOCKET).unlink(missing_ok=True)
        for writer in list(self._writers):
            writer.transport.abort()

    def hang(self) -> None:
        """Take everything and answer nothing."""
        self._flowing.clear()

    async def close(self) -> None:
        """End."""
        self._flowing.set()
        await self.refuse()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        there, back = await asyncio.open_unix_connection(self._target)
        self._writers.add(back)
        for source, sink in ((reader, back), (there, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.transport.abort()
            self._writers.discard(sink)


@asynccontextmanager
async def proxied(database_url: str, folder: Path) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy in front of an engine, and the URL that leads through it."""
    parts = urlsplit(database_url)
    target = Path(parse_qs(parts.query)["host"][0]) / SOCKET
    await asyncio.to_thread(folder.mkdir)
    proxy = Proxy(folder, target)
    await proxy.mend()
    yield proxy, f"{parts.scheme}://{parts.netloc}{parts.path}?host={quote(str(folder), safe='/')}&port=5432"
    await proxy.close()
