"""A process of the hub with two seams for faults: a clock that may be set, and shorter waits for vendors.

`python -m tests.faults.child web|worker ...` is `crossdock web|worker ...` in all other respects.
"""

import mmap
import os
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from hub import wiring
from hub.cli.main import main
from hub.sdk import breaker
from hub.sdk.breaker import Breaker, Circuit
from hub.sdk.http import HttpClient
from hub.sdk.wire import Request, Response, Transport
from hub.worker import clients

CLOCK_VARIABLE: Final = "FAULTS_CLOCK"
PATIENCE_VARIABLE: Final = "FAULTS_PATIENCE"
OFFSET: Final = struct.Struct("d")


def set_clock(path: Path, seconds: float) -> None:
    """Put the clock of the process that reads this file so many seconds ahead of the true time."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.write(OFFSET.pack(seconds))


def read_clock(path: Path) -> Callable[[], datetime]:
    """A clock that is as wrong as the file says, at every look."""
    with path.open("rb") as file:
        told = mmap.mmap(file.fileno(), OFFSET.size, prot=mmap.PROT_READ)

    def now() -> datetime:
        (seconds,) = OFFSET.unpack(told)
        return datetime.now(UTC) + timedelta(seconds=seconds)

    return now


class QuickBreaker(Breaker):
    """Gives a vendor that fails short pauses: a run has no time for the real ones."""

    def __init__(self) -> None:
        super().__init__()
        self.succeeded()

    def succeeded(self) -> None:
        """See `Breaker.succeeded`."""
        self.circuit = Circuit(pause=timedelta(seconds=0.5))


class Impatient(HttpClient):
    """Waits for a vendor's answer no longer than the variable says."""

    def __init__(self, transport: Transport, **more: Any) -> None:
        super().__init__(transport, breaker=QuickBreaker(), **more)

    async def send(self, request: Request) -> Response:
        """See `HttpClient.send`."""
        seconds = float(os.environ[PATIENCE_VARIABLE])
        return await super().send(msgspec.structs.replace(request, deadline_seconds=seconds))


def prepare() -> None:
    """Put clock and client in place, before anything is built."""
    if CLOCK_VARIABLE in os.environ:
        wiring.utc_now = read_clock(Path(os.environ[CLOCK_VARIABLE]))
    if PATIENCE_VARIABLE in os.environ:
        clients.HttpClient = Impatient  # type: ignore[attr-defined]
        breaker.LONGEST_PAUSE = timedelta(seconds=2)  # type: ignore[misc]


if __name__ == "__main__":
    prepare()
    main()
