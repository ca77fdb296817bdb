"""Runs the hub's processes and its embedded engines, restarts what dies, and ends everything in order.

Two kinds of process, two ways when the supervisor itself is killed without a chance to tidy up:

- children (web, workers) die with it at once (Linux): their work is in Postgres, under leases that run out;
- engines stay and are adopted by the next start: ending a database that way would only cost a recovery.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from hub.embedded.errors import EngineError

PR_SET_PDEATHSIG: Final = 1
WATCH_SECONDS: Final = 0.2
"""How often engines are looked at."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
# Loaded before any fork: a child of a process with threads must not import.
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class PortTaken(Exception):
    """The address for the web process cannot be listened on; the message is one line that says which and why."""


class Child(msgspec.Struct, frozen=True):
    """A process of the hub: its name in the log, its command, and variables added to this process's environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}


class Engine(Protocol):
    """An engine to watch. `restart` and `stop` block and run in a thread; `restart` raises EngineError."""

    @property
    def name(self) -> str: ...
    def alive(self) -> bool: ...
    def restart(self) -> None: ...
    def stop(self) -> None: ...


class Pace(msgspec.Struct, frozen=True):
    """The supervisor's times, in seconds."""

    drain: float = 20.0
    """What children get between SIGTERM and SIGKILL."""
    first_pause: float = 0.1
    longest_pause: float = 5.0
    forget_after: float = 30.0
    """A process that ran this long starts again with the first pause."""
    recovered_after: float = 2.0
    """A restarted process that still runs after this time counts, and is logged, as recovered."""


def require_free_port(host: str, port: int) -> None:
    """Raise PortTaken when nothing could listen on this address now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host}:{port}: {error.strerror}; set CROSSDOCK_HOST or CROSSDOCK_PORT"
        ) from error


class Supervisor:
    """Keeps children and engines running until a signal or `request_stop`; then children end first, engines last."""

    def __init__(self, children: Sequence[Child], engines: Sequence[Engine] = (), pace: Pace | None = None) -> None:
        self._children = children
        self._engines = engines
        self._pace = pace or Pace()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._draining = asyncio.Event()
        self._forced = asyncio.Event()
        self._children_gone = asyncio.Event()

    @property
    def pids(self) -> Mapping[str, int]:
        """The process ids of the children that run now, by name."""
        return {name: process.pid for name, process in self._processes.items()}

    def request_stop(self) -> None:
        """Begin to drain; asked again, stop waiting for the children and kill them. A signal does the same."""
        if self._draining.is_set():
            self._forced.set()
        self._draining.set()

    async def run(self) -> int:
        """Run until told to stop. Returns 0 after an orderly end, 1 when a child or an engine had to be left or killed.

        Call it in the main thread: signals arrive there, and children die with the thread that started them.
        """
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        watchers = [asyncio.create_task(self._keep_engine(engine)) for engine in self._engines]
        try:
            ended = await asyncio.gather(*(self._keep_child(child) for child in self._children), self._draining.wait())
            self._children_gone.set()
            await asyncio.gather(*watchers)
            stopped = await self._stop_engines()
            return 0 if stopped and all(ended) else 1
        finally:
            # Whatever breaks above, no child outlives this function.
            for process in self._processes.values():
                _signal_group(process.pid, signal.SIGKILL)
            for watcher in watchers:
                watcher.cancel()
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def _on_signal(self, number: signal.Signals) -> None:
        if self._forced.is_set():
            return
        again = self._draining.is_set()
        _log.info("forced" if again else "draining", signal=number.name)
        self.request_stop()

    async def _keep_child(self, child: Child) -> bool:
        """Run the child again and again until draining. True when it ended by itself after SIGTERM."""
        pauses, failed_at = self._pauses(), 0.0
        while not self._draining.is_set():
            started = time.monotonic()
            process = await self._spawn(child)
            if not isinstance(process, OSError):
                orderly = await self._watch_child(child, process, failed_at)
                if self._draining.is_set():
                    return orderly
            lasted = time.monotonic() - started
            if lasted >= self._pace.forget_after:
                pauses = self._pauses()
            if not failed_at or lasted >= self._pace.recovered_after:
                failed_at = time.monotonic()
                why = str(process) if isinstance(process, OSError) else f"exit code {process.returncode}"
                _log.warning("child failed", child=child.name, reason=why, lasted_seconds=round(lasted, 1))
            await _first_of(self._draining, next(pauses))
        return True

    async def _spawn(self, child: Child) -> asyncio.subprocess.Process | OSError:
        try:
            process = await asyncio.create_subprocess_exec(
                *child.argv,
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, **child.env},
                # Its own session: Ctrl-C reaches the supervisor alone, which then ends things in order.
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
        except OSError as error:
            return error
        self._processes[child.name] = process
        return process

    async def _watch_child(self, child: Child, process: asyncio.subprocess.Process, failed_at: float) -> bool:
        """Wait until the process ends, by itself or because we drain. True when nobody had to kill it."""
        end = asyncio.create_task(process.wait())
        drain = asyncio.create_task(self._draining.wait())
        try:
            if failed_at:
                await asyncio.wait(
                    {end, drain}, timeout=self._pace.recovered_after, return_when=asyncio.FIRST_COMPLETED
                )
                if not end.done() and not drain.done():
                    down = time.monotonic() - failed_at - self._pace.recovered_after
                    _log.info("child recovered", child=child.name, after_seconds=round(down, 1))
            await asyncio.wait({end, drain}, return_when=asyncio.FIRST_COMPLETED)
            orderly = end.done() or await self._end_child(child, process, end)
            await end
        finally:
            drain.cancel()
            end.cancel()
            # Also what the process itself had started, if it left anything.
            _signal_group(process.pid, signal.SIGKILL)
        del self._processes[child.name]
        return orderly

    async def _end_child(self, child: Child, process: asyncio.subprocess.Process, end: asyncio.Task[int]) -> bool:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        forced = asyncio.create_task(self._forced.wait())
        await asyncio.wait({end, forced}, timeout=self._pace.drain, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if end.done():
            return True
        _log.warning("child killed", child=child.name, drain_seconds=self._pace.drain, forced=self._forced.is_set())
        _signal_group(process.pid, signal.SIGKILL)
        return False

    async def _keep_engine(self, engine: Engine) -> None:
        """Restart the engine when it dies, also while children drain: they may need it to finish."""
        while not await _first_of(self._children_gone, WATCH_SECONDS):
            if not engine.alive():
                await self._revive(engine)

    async def _revive(self, engine: Engine) -> None:
        died_at = time.monotonic()
        _log.warning("engine died", engine=engine.name)
        for pause in self._pauses():
            try:
                await asyncio.to_thread(engine.restart)
            except EngineError as error:
                if pause == self._pace.first_pause:
                    _log.error("engine does not start", engine=engine.name, reason=str(error))
                if await _first_of(self._children_gone, pause):
                    return
            else:
                _log.info("engine recovered", engine=engine.name, after_seconds=round(time.monotonic() - died_at, 1))
                return

    async def _stop_engines(self) -> bool:
        orderly = True
        for engine in reversed(self._engines):
            try:
                await asyncio.to_thread(engine.stop)
            except EngineError as error:
                orderly = False
                _log.error("engine not stopped", engine=engine.name, reason=str(error))
        return orderly

    def _pauses(self) -> Iterator[float]:
        pause = self._pace.first_pause
        while True:
            yield pause
            pause = min(pause * 2, self._pace.longest_pause)


def _die_with(parent: int) -> Callable[[], None] | None:
    """A step for a forked child: be killed when `parent` dies. None where the system has no such thing."""
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died just before it was asked for.
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        # Gone; macOS says "not permitted" for a group of dead processes.
        return


async def _first_of(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, but no longer than this. True when it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
