"""A hub as `crossdock up` runs it: embedded engines, one web, workers, each a process, kept by the supervisor."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from hub.cli.processes import children
from hub.embedded import Engines, PostgresEngine, ValkeyEngine
from hub.settings import Settings
from hub.store.schema import upgrade
from hub.supervisor import Child, Supervisor
from tests.bench.usage import free_port, wait_for_http

READY_SECONDS = 30.0


@dataclass(kw_only=True)
class RunningHub:
    """Use as an async context manager, in the main thread. Children log to `processes.log` in the folder."""

    workers: int = 2
    config: str = ""
    """Text of a settings file for the children."""
    children_start: bool = True
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="cd-")))
    url: str = ""
    database_url: str = ""
    queue_url: str = ""

    async def __aenter__(self) -> Self:
        # Short, and open to the server's user: pytest's own folders and the project's are not.
        self.folder.chmod(0o711)
        self.settings = Settings(data_dir=self.folder, workers=self.workers)
        self.engines = await asyncio.to_thread(Engines.start, self.settings)
        self.database_url, self.queue_url = self.engines.database_url, self.engines.queue_url
        await upgrade(self.database_url)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        made = children(self.settings, "127.0.0.1", port, self.engines)
        self.supervisor = Supervisor([self._logging(child) for child in made], self.engines.running)
        return self

    async def start(self) -> None:
        """Start the children, and wait until the web process answers. Engines run already: seed before this."""
        self._running = asyncio.create_task(self.supervisor.run())
        await wait_for_http(f"{self.url}/readyz", READY_SECONDS)

    async def __aexit__(self, *error: object) -> None:
        try:
            if hasattr(self, "_running"):
                self.supervisor.request_stop()
                await self._running
            else:
                await asyncio.to_thread(self.engines.stop)
        finally:
            # Also frees the folder's lock; stopping what has stopped is harmless.
            await asyncio.to_thread(self.engines.stop)
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def postgres(self) -> PostgresEngine:
        """The database engine."""
        return next(engine for engine in self.engines.running if isinstance(engine, PostgresEngine))

    @property
    def valkey(self) -> ValkeyEngine:
        """The queue engine."""
        return next(engine for engine in self.engines.running if isinstance(engine, ValkeyEngine))

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the children that run now, by name."""
        return self.supervisor.pids

    def log(self) -> str:
        """What the children have written."""
        path = self.folder / "processes.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def _logging(self, child: Child) -> Child:
        """The child with its log in a file. `exec` keeps the process id."""
        log, env = str(self.folder / "processes.log"), dict(child.env)
        if self.config:
            file = self.folder / "settings.toml"
            file.write_text(self.config)
            env["CROSSDOCK_CONFIG"] = str(file)
        argv = ("/bin/sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log, *child.argv)
        return msgspec.structs.replace(child, argv=argv, env=env)


async def until(condition: "object", seconds: float, what: str) -> float:
    """Wait until an async question is answered with yes; returns how long it took. Raises TimeoutError with `what`."""
    started = time.monotonic()
    while not await condition():  # type: ignore[operator]
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.05)
    return time.monotonic() - started
