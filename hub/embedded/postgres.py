"""The embedded Postgres: made once, started or adopted, stopped, and databases inside it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from hub.embedded import process, tuning
from hub.embedded.errors import EngineError
from hub.embedded.place import POSTGRES_SOCKET, REMEDY, Place, settle
from hub.embedded.stuck import Watch

USER: Final = "crossdock"
DATABASE: Final = "crossdock"
PID_FILE: Final = "postmaster.pid"
READY_SECONDS: Final = 120.0
# The backends of a killed postmaster leave within moments; until then its successor is refused.
LEFTOVER_SECONDS: Final = 10.0
# Fast shutdown, then an immediate one (the next start recovers), then the end.
STOP_SIGNALS: Final = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
STUCK_SIGNALS: Final = STOP_SIGNALS[1:]
LOCALE: Final = "C.UTF-8"


class PidFile(msgspec.Struct, frozen=True):
    """What a postmaster writes about itself into its data folder."""

    pid: int
    sockets: Path
    status: str


class PostgresEngine:
    """A running embedded Postgres. Its addresses stay the same when it is restarted."""

    name = "postgres"

    def __init__(self, place: Place, *, durable: bool) -> None:
        self._place = place
        self._durable = durable
        self._child: subprocess.Popen[bytes] | None = None
        self._sockets = place.run
        self._watch = Watch()
        self.pid = 0
        self.adopted = False
        """Whether it was already running, left by a supervisor that was killed."""

    @property
    def url(self) -> str:
        """Address of the hub's own database."""
        return self.database_url(DATABASE)

    def database_url(self, name: str) -> str:
        """Address of a database of this engine, for asyncpg and SQLAlchemy."""
        return f"postgresql://{USER}@/{quote(name, safe='')}?host={quote(str(self._sockets), safe='/')}&port=5432"

    @property
    def cluster(self) -> Path:
        """The folder of its files."""
        return self._place.cluster

    def alive(self) -> bool:
        """Whether it runs and serves or is about to; cheap enough to ask many times a second."""
        return self._runs() and not self._watch.is_stuck(self.pid, time.monotonic())

    def restart(self) -> None:
        """Start it, or adopt the one that runs on this folder. Returns when it takes connections.

        One that is stuck is ended first. Committed rows are there again. Raises EngineError when it does not come up.
        """
        if self._child is not None and self.alive():
            return
        if self._runs() and self._watch.is_stuck(self.pid, time.monotonic()):
            process.end(self.pid, STUCK_SIGNALS, self._child)
        found = _find_running(self._place)
        self.adopted = found is not None
        if found is not None:
            self._child, self.pid, self._sockets = None, found.pid, found.sockets
        else:
            if not (self._place.cluster / "PG_VERSION").exists():
                _make_cluster(self._place, durable=self._durable)
            self._child = _launch(self._place, durable=self._durable)
            self.pid, self._sockets = self._child.pid, self._place.run
        try:
            if not _has_database(self, DATABASE):
                create_database(self, DATABASE)
        except EngineError:
            self.stop()
            raise

    def stop(self) -> None:
        """End it in order: sessions are closed, what is in memory is written. Nothing happens when it is gone."""
        if self._runs():
            process.end(self.pid, STOP_SIGNALS, self._child)

    def _runs(self) -> bool:
        return self.pid != 0 and not process.is_gone(self.pid, self._child)

    def ask(self, sql: str, database: str = "postgres") -> str:
        """Run one administrative statement and return its output, one line a row; blocks for some 10 ms.

        Raises EngineError with the server's own words when it refuses or cannot be reached.
        """
        psql = [str(self._place.programs.psql), "-XAtq", "-v", "ON_ERROR_STOP=1", "-w"]
        result = process.run(
            [*psql, "-h", str(self._sockets), "-p", "5432", "-U", USER, "-d", database, "-c", sql],
        )
        if result.returncode != 0:
            raise EngineError(f"Postgres refused: {result.stderr.strip().splitlines()[0]}")
        return result.stdout.strip()


def start_postgres(folder: Path, *, durable: bool = True) -> PostgresEngine:
    """Start the Postgres of a data folder, made on first use, or adopt the one that runs there.

    `durable=False` is for tests: committed rows then survive a killed server, not a killed machine. The caller sees to
    it that nobody else starts engines on the same folder (`Engines.start` holds the lock).
    """
    engine = PostgresEngine(settle(folder), durable=durable)
    engine.restart()
    return engine


def find_postgres(folder: Path) -> PostgresEngine:
    """The Postgres that somebody else runs on this data folder. Raises EngineError when none does."""
    place = settle(folder)
    engine = PostgresEngine(place, durable=True)
    if _find_running(place) is None:
        raise EngineError(f"no Postgres runs in {place.folder}; start `crossdock up` first")
    engine.restart()
    return engine


def create_database(engine: PostgresEngine, name: str, template: str | None = None) -> str:
    """Create a database, as a copy of `template` when given (nobody may be connected to it), and return its URL."""
    copy = f" TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template is not None else ""
    engine.ask(f"CREATE DATABASE {_quoted(name)}{copy}")
    return engine.database_url(name)


def drop_database(engine: PostgresEngine, name: str) -> None:
    """Remove a database, whoever is connected to it; nothing happens when it is not there."""
    engine.ask(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


def _has_database(engine: PostgresEngine, name: str) -> bool:
    literal = name.replace("'", "''")
    return engine.ask(f"SELECT 1 FROM pg_database WHERE datname = '{literal}'") == "1"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _make_cluster(place: Place, *, durable: bool) -> None:
    """Fill the database folder, whole or not at all."""
    draft = place.cluster.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700)
        place.give(draft)
        command = [
            str(place.programs.initdb),
            "-D",
            str(draft),
            "--username",
            USER,
            "--auth=trust",
            "--no-instructions",
        ]
        # Collation by the server's own tables: it stays the same when the system's C library is replaced.
        command += ["--encoding=UTF8", f"--locale={LOCALE}", "--locale-provider=builtin", f"--builtin-locale={LOCALE}"]
        command += ["--data-checksums", *([] if durable else ["--no-sync"])]
        _run_initdb(place, command)
        draft.rename(place.cluster)
    except OSError as error:
        raise EngineError(f"cannot make the database folder {place.cluster}: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run_initdb(place: Place, command: list[str]) -> None:
    mark = _log_size(place.postgres_log)
    uid = place.account.uid if place.account else os.geteuid()
    step = process.named_user_step(uid)
    try:
        child = process.spawn(command, place.account, place.postgres_log, place.cluster.parent, step)
    except EngineError as error:
        if step is None:
            raise
        raise EngineError(
            f"uid {uid} has no user name, which initdb needs, and may not make a user namespace; {REMEDY}"
        ) from error
    if child.wait(READY_SECONDS) != 0:
        raise EngineError(f"initdb failed: {_complaint(place.postgres_log, mark)}")


def _launch(place: Place, *, durable: bool) -> "subprocess.Popen[bytes]":
    file = place.cluster.with_name("postgres.conf")
    _write_configuration(file, tuning.configuration(place.run, durable=durable))
    command = [str(place.programs.postgres), "-D", str(place.cluster), "-c", f"config_file={file}"]
    give_up = time.monotonic() + LEFTOVER_SECONDS
    while True:
        mark = _log_size(place.postgres_log)
        child = process.spawn(command, place.account, place.postgres_log, place.cluster.parent)
        up = process.wait_until(_settled(place, child), READY_SECONDS)
        if child.poll() is None and up:
            return child
        if child.poll() is None:
            process.end(child.pid, STOP_SIGNALS, child)
            raise EngineError(f"Postgres was not ready within {READY_SECONDS:.0f} s; see {place.postgres_log}")
        why = _complaint(place.postgres_log, mark)
        if "shared memory block" not in why or time.monotonic() > give_up:
            raise EngineError(f"Postgres did not start: {why}")
        time.sleep(0.05)


def _settled(place: Place, child: "subprocess.Popen[bytes]") -> Callable[[], bool]:
    """A question for the start: has it come up, or ended?"""

    def ask() -> bool:
        if child.poll() is not None:
            return True
        told = _read_pid_file(place.cluster)
        return told is not None and told.pid == child.pid and told.status == "ready"

    return ask


def _find_running(place: Place) -> PidFile | None:
    """The postmaster that runs on this folder and answers, or None.

    Waits for one that is starting or stopping. A stale file stays for Postgres to judge, except when its number now
    belongs to another process, which Postgres would take for a running server.
    """
    told = _read_pid_file(place.cluster)
    if told is None or not process.is_alive(told.pid):
        return None
    if not _is_postmaster(told.pid, place.cluster):
        _disown(place.cluster / PID_FILE)
        return None
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        told = _read_pid_file(place.cluster)
        if told is None or not process.is_alive(told.pid):
            return None
        if told.status == "ready" and (told.sockets / POSTGRES_SOCKET).exists():
            engine = PostgresEngine(place, durable=True)
            engine._sockets = told.sockets
            if Path(engine.ask("SHOW data_directory")) == place.cluster:
                return told
        time.sleep(process.POLL_SECONDS)
    raise EngineError(f"Postgres runs in {place.cluster} as process {told.pid if told else '?'} but does not answer")


def _read_pid_file(cluster: Path) -> PidFile | None:
    try:
        lines = (cluster / PID_FILE).read_text("utf-8").splitlines()
        return PidFile(int(lines[0]), Path(lines[4]), lines[7].strip() if len(lines) > 7 else "starting")
    except (OSError, ValueError, IndexError):
        # Absent, or being written this moment.
        return None


def _is_postmaster(pid: int, cluster: Path) -> bool:
    words = process.command_line(pid)
    return bool(words) and Path(words[0]).name.startswith("postgres") and str(cluster) in words


def _disown(pid_file: Path) -> None:
    """Put our own number first in a stale file.

    Postgres takes a file that names its parent for stale, and still refuses when the shared memory named further down
    is in use. Removing the file would lose that second guard.
    """
    with os.fdopen(os.open(pid_file, os.O_RDWR | os.O_NOFOLLOW), "r+", encoding="utf-8") as file:
        lines = file.read().splitlines(keepends=True)
        file.seek(0)
        file.writelines([f"{os.getpid()}\n", *lines[1:]])
        file.truncate()


def _write_configuration(target: Path, text: str) -> None:
    """Replace the file in one step; it is readable by all, for it holds no secret and the server is another user."""
    try:
        handle, draft = tempfile.mkstemp(prefix=".postgres.conf-", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, target)
    except OSError as error:
        raise EngineError(f"cannot write {target}: {error.strerror}") from error


def _log_size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _complaint(log: Path, mark: int) -> str:
    """The line of the log, written after `mark`, that tells best what went wrong."""
    with log.open("rb") as file:
        file.seek(mark if mark <= _log_size(log) else 0)
        lines = file.read().decode("utf-8", "replace").splitlines()
    serious = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "could not"))]
    return next(iter(serious or lines[-1:]), "it said nothing").strip()
