"""The processes of a hub: web, worker, and `up`, which runs them all with their engines."""

import asyncio
import gc
import socket
import sys
from collections.abc import Coroutine
from typing import Any

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from hub.embedded import Engines
from hub.log import configure
from hub.niceness import give_way
from hub.settings import Settings, from_environment
from hub.store.schema import upgrade
from hub.supervisor import Child, Supervisor, require_free_port
from hub.web.app import build_routes
from hub.wiring import WEB_CONNECTIONS, WORKER_CONNECTIONS, build_parts, build_web, build_worker
from hub.worker.main import stop_on_signals

YOUNG_OBJECTS = 50_000
"""Objects made before the collector looks for cycles: a batch makes some 10,000, nearly all freed without it."""

LAST_WORDS_SECONDS = 0.3
"""From the end of listening until connections without a request are closed."""


def run_process(main: Coroutine[Any, Any, None]) -> None:
    """Run a process of the hub on the fastest loop there is (uvloop, where it exists), its collector kept calm."""
    gc.collect()
    # What stands at the start stays: it need not be looked at again.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(main)


class PatientServer(uvicorn.Server):
    """Hears out whoever has connected before it ends.

    On its own it closes connections whose request has not come yet: a restart under load broke off deliveries that
    were on their way, ten of them once.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections; end those that were taken once they have been answered."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(LAST_WORDS_SECONDS)
        await super().shutdown(sockets)


async def serve_web(settings: Settings, host: str, port: int) -> None:
    """Run one web process until it is told to stop."""
    engines = Engines.attach(settings)
    parts = build_parts(
        settings, engines.database_url, engines.queue_url, name="crossdock-web", connections=WEB_CONNECTIONS
    )
    config = uvicorn.Config(
        build_web(parts, build_routes()),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    try:
        await PatientServer(config).serve()
    finally:
        await parts.close()


async def serve_worker(settings: Settings) -> None:
    """Run one worker process until it is told to stop."""
    give_way()
    engines = Engines.attach(settings)
    parts = build_parts(
        settings,
        engines.database_url,
        engines.queue_url,
        name="crossdock-worker",
        connections=WORKER_CONNECTIONS,
        by_index=True,
    )
    try:
        await build_worker(parts).run(stop_on_signals())
    finally:
        await parts.close()


def children(settings: Settings, host: str, port: int, engines: Engines) -> list[Child]:
    """The processes that `up` supervises. They are told their engines by URL, so that they need no folder."""
    env = {
        "CROSSDOCK_DATABASE_URL": engines.database_url,
        "CROSSDOCK_QUEUE_URL": engines.queue_url,
        "CROSSDOCK_DATA_DIR": str(settings.data_dir.expanduser().resolve()),
    }
    me = (sys.executable, "-m", "hub.cli.main")
    web = [
        Child(
            "web" if number == 0 else f"web-{number + 1}",
            (*me, "web", "--host", host, "--port", str(port + number)),
            env,
        )
        for number in range(settings.web)
    ]
    workers = [Child(f"worker-{number + 1}", (*me, "worker"), env) for number in range(settings.workers)]
    return [*web, *workers]


def run_up(host: str | None, port: int | None) -> int:
    """Engines, migrations, web and workers in one command; returns the exit code."""
    settings = from_environment()
    configure(settings.log_level)
    host, port = host or settings.host, port or settings.port
    require_free_port(host, port)
    engines = Engines.start(settings)
    try:
        asyncio.run(upgrade(engines.database_url))
        sys.stderr.write(f"crossdock: http://{host}:{port} (ready when /readyz answers 200)\n")
        return asyncio.run(Supervisor(children(settings, host, port, engines), engines.running).run())
    finally:
        engines.stop()


def run_web(host: str | None, port: int | None) -> int:
    """One web process."""
    settings = from_environment()
    configure(settings.log_level)
    run_process(serve_web(settings, host or settings.host, port or settings.port))
    return 0


def run_worker() -> int:
    """One worker process."""
    settings = from_environment()
    configure(settings.log_level)
    run_process(serve_worker(settings))
    return 0
