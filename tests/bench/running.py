"""A hub as `crossdock up` runs it: embedded engines, one web, workers, each a process, kept by the supervisor."""

import asyncio
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from hub.embedded import Engines, PostgresEngine, ValkeyEngine
from hub.processes import children
from hub.settings import Settings
from hub.store.schema import upgrade
from hub.supervisor import Child, Supervisor

READY_SECONDS = 30.0

E = TypeVar("E")


class RunningHub:
    """Engines from the start, children from `start`. Use as an async context manager, in the main thread."""

    def __init__(self, *, workers: int = 2, config: str = "") -> None:
        """`config` is the text of a settings file for the children."""
        # Short, and open to the server's user: pytest's own folders are not.
        self.folder = Path(tempfile.mkdtemp(prefix="cd-"))
        self.folder.chmod(0o711)
        self._config = config
        self.settings = Settings(data_dir=self.folder, workers=workers)
        self._running: asyncio.Task[int] | None = None

    async def __aenter__(self) -> Self:
        self.engines = await asyncio.to_thread(Engines.start, self.settings)
        await upgrade(self.engines.database_url)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        made = children(self.settings, "127.0.0.1", port, self.engines)
        self.supervisor = Supervisor([self._logging(child) for child in made], self.engines.running)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._running is not None:
                self.supervisor.request_stop()
                await self._running
        finally:
            await asyncio.to_thread(self.engines.stop)
            shutil.rmtree(self.folder, ignore_errors=True)

    async def start(self) -> None:
        """Start the children, and wait until the web process answers."""
        self._running = asyncio.create_task(self.supervisor.run())
        await until(self.ready, READY_SECONDS, "the hub is ready")

    async def ready(self) -> bool:
        """Whether the web process answers and its database is there."""
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                return (await client.get(f"{self.url}/readyz")).is_success
        except httpx.HTTPError:
            return False

    @property
    def postgres(self) -> PostgresEngine:
        """The database engine."""
        return self._engine(PostgresEngine)

    @property
    def valkey(self) -> ValkeyEngine:
        """The queue engine."""
        return self._engine(ValkeyEngine)

    def _engine(self, kind: type[E]) -> E:
        return next(engine for engine in self.engines.running if isinstance(engine, kind))

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the children that run now, by name."""
        return self.supervisor.pids

    def log(self) -> str:
        """What the children have written."""
        path = self._log_path
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return self.folder / "processes.log"

    def _logging(self, child: Child) -> Child:
        """The child with its log in a file; `exec` keeps the process id."""
        env = dict(child.env)
        if self._config:
            file = self.folder / "settings.toml"
            file.write_text(self._config)
            env["CROSSDOCK_CONFIG"] = str(file)
        redirect = 'log=$1; shift; exec "$@" >>"$log" 2>&1'
        argv = ("/bin/sh", "-c", redirect, "sh", str(self._log_path), *child.argv)
        return msgspec.structs.replace(child, argv=argv, env=env)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> float:
    """Wait until the answer is yes; returns how many seconds it took. Raises TimeoutError with `what` did not come."""
    started = time.monotonic()
    while not await condition():
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.05)
    return time.monotonic() - started
