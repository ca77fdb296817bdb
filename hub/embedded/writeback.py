"""What the embedded Postgres has written goes to the disk steadily, not all at once.

Left to itself Linux keeps what is written to files for half a minute and then writes all of it, some hundreds of
megabytes on a busy hub; every commit waits meanwhile. See `docs/decisions/0013-written-pages-go-out-steadily.md`.
"""

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PERIOD_SECONDS: Final = 0.5
"""Of a busy second some 20 MB are written, which this disk takes in a few milliseconds."""

SYNC_FILE_RANGE_WRITE: Final = 2
"""Begin to write what is dirty, wait for nothing. An error stays with the file for Postgres' own fsync to see:
sync_file_range(2) reports, and forgets, one only to whoever asks it to wait."""


def write_out(path: Path) -> None:
    """Begin to write a file's changed pages. Nothing happens where the file is gone, or the system has no such call."""
    begin = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if begin is None:
        return
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            begin(file, ctypes.c_int64(0), ctypes.c_int64(0), ctypes.c_uint(SYNC_FILE_RANGE_WRITE))
        finally:
            os.close(file)


class Writeback:
    """Writes out what changed in the database files of a cluster, twice a second, in a thread of its own."""

    def __init__(self, cluster: Path, write: Callable[[Path], None] = write_out) -> None:
        self._databases = cluster / "base"
        self._write = write
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writeback", daemon=True)
        self._looked = time.time()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for what is under way."""
        self._ended.set()
        self._thread.join()

    def look(self) -> None:
        """Write out every file that has changed since the last look."""
        since, self._looked = self._looked, time.time()
        for path in self._changed(since):
            self._write(path)

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_SECONDS):
            self.look()

    def _changed(self, since: float) -> Iterator[Path]:
        # Files and whole databases come and go while they are looked at.
        with suppress(OSError):
            for database in list(os.scandir(self._databases)):
                with suppress(OSError):
                    for entry in os.scandir(database):
                        with suppress(OSError):
                            # A file's time is that of the system's last tick, a little behind the clock.
                            if entry.stat().st_mtime >= since - PERIOD_SECONDS / 10:
                                yield Path(entry.path)
