"""The engines an installation was not given an address for, under the lock of its data folder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from hub.embedded.errors import EngineError, FolderInUse
from hub.embedded.postgres import find_postgres, start_postgres
from hub.embedded.valkey import find_valkey, start_valkey
from hub.embedded.writeback import Writeback
from hub.settings import Settings, give_to_owner, make_data_dir

LOCK_FILE: Final = "lock"


class Engine(Protocol):
    """What a supervisor needs of an engine: `restart` and `stop` block, `alive` does not."""

    @property
    def name(self) -> str: ...
    def alive(self) -> bool: ...
    def restart(self) -> None: ...
    def stop(self) -> None: ...


class FolderLock:
    """The right to run engines on a data folder. The system frees it with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises FolderInUse, which names the holder, when another process has it."""
        path = make_data_dir(folder) / LOCK_FILE
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise EngineError(f"cannot open {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            give_to_owner(self._file, path.parent)
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
        except BlockingIOError as error:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise FolderInUse(
                f"the data folder {path.parent} is in use by process {holder or 'unknown'}; "
                "stop that one, or set CROSSDOCK_DATA_DIR to another folder"
            ) from error
        except OSError as error:
            os.close(self._file)
            raise EngineError(f"cannot lock {path}: {error.strerror}") from error

    def free(self) -> None:
        """Give the lock back; nothing happens the second time."""
        if self._file >= 0:
            # Closing alone would leave it to a child that is just being forked.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1


class Engines:
    """Addresses of a database and a queue, and the embedded engines behind them, if any."""

    def __init__(
        self,
        database_url: str,
        queue_url: str,
        running: tuple[Engine, ...] = (),
        lock: FolderLock | None = None,
        writeback: Writeback | None = None,
    ) -> None:
        self.database_url = database_url
        self.queue_url = queue_url
        self.running = running
        """The embedded engines that this process must stop; empty when both addresses were configured."""
        self._lock = lock
        self._writeback = writeback

    @classmethod
    def start(cls, settings: Settings) -> Self:
        """Start (or adopt) an embedded engine for each address that is not configured. Blocks until they answer.

        Takes the lock of the data folder. Raises FolderInUse, or EngineError after stopping what it had started.
        """
        if settings.database_url and settings.queue_url:
            return cls(settings.database_url, settings.queue_url)
        lock = FolderLock(settings.data_dir)
        running: list[Engine] = []
        writeback = None
        database_url, queue_url = settings.database_url, settings.queue_url
        try:
            if not database_url:
                postgres = start_postgres(settings.data_dir)
                running.append(postgres)
                database_url = postgres.url
                writeback = Writeback(postgres.cluster)
            if not queue_url:
                valkey = start_valkey(settings.data_dir)
                running.append(valkey)
                queue_url = valkey.url
        except BaseException:
            # Also on Ctrl-C: an engine nobody knows of must not stay behind.
            _stop(running)
            lock.free()
            raise
        if writeback is not None:
            writeback.start()
        return cls(database_url, queue_url, tuple(running), lock, writeback)

    @classmethod
    def attach(cls, settings: Settings) -> Self:
        """Addresses of the engines that another process runs (`crossdock up`), for a command beside it.

        Neither starts nor stops anything. Raises EngineError when they do not run.
        """
        configured = settings.database_url and settings.queue_url
        if not configured and not settings.data_dir.expanduser().is_dir():
            # Looking must not make the folder, least of all in the wrong place.
            raise EngineError(f"there is no data folder {settings.data_dir}; start `crossdock up` first")
        return cls(
            settings.database_url or find_postgres(settings.data_dir).url,
            settings.queue_url or find_valkey(settings.data_dir).url,
        )

    def alive(self) -> bool:
        """Whether every embedded engine runs."""
        return all(engine.alive() for engine in self.running)

    def stop(self) -> None:
        """Stop what this process runs, the queue before the database, and free the folder; again is harmless."""
        if self._writeback is not None:
            self._writeback.stop()
        try:
            _stop(self.running)
        finally:
            if self._lock is not None:
                self._lock.free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _stop(running: tuple[Engine, ...] | list[Engine]) -> None:
    for engine in reversed(running):
        engine.stop()
