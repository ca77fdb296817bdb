"""The embedded Valkey: a doorbell on a socket. It keeps nothing: what it loses is rung again from Postgres."""

import signal
import socket
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import quote

from hub.embedded import process
from hub.embedded.errors import EngineError
from hub.embedded.place import VALKEY_SOCKET, Place, settle

READY_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 2.0
STOP_SIGNALS: Final = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))
PID_FILE: Final = "valkey.pid"

OPTIONS: Final = (
    # No port: any user of this machine could queue jobs through it.
    *("--port", "0", "--unixsocketperm", "700"),
    # No file is ever written: a doorbell has no memory, and a restart must not wait for a disk.
    *("--save", "", "--appendonly", "no"),
    # Jobs are ids; reaching the limit means that nobody takes them out, and says so instead of filling the machine.
    *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
    *("--daemonize", "no", "--logfile", "", "--loglevel", "notice", "--set-proc-title", "no"),
)


class ValkeyEngine:
    """A running embedded Valkey. Its address stays the same when it is restarted; what was in it does not."""

    name = "valkey"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._child: subprocess.Popen[bytes] | None = None
        self.pid = 0
        self.adopted = False
        """Whether it was already running, left by a supervisor that was killed."""

    @property
    def socket(self) -> Path:
        return self._place.run / VALKEY_SOCKET

    @property
    def url(self) -> str:
        """Address for redis-py and arq."""
        return f"unix://{quote(str(self.socket), safe='/')}"

    def alive(self) -> bool:
        """Whether its process runs; cheap enough to ask many times a second."""
        return self.pid != 0 and not process.is_gone(self.pid, self._child)

    def restart(self) -> None:
        """Start it, or adopt the one that answers on this socket. Raises EngineError when it does not come up."""
        if self._child is not None and self.alive():
            return
        found = _answering(self.socket)
        self.adopted = found is not None
        if found is not None:
            self._child, self.pid = None, found
            return
        self._clear_away()
        command = [str(self._place.programs.valkey), *OPTIONS, "--unixsocket", str(self.socket)]
        command += ["--pidfile", str(self._place.run / PID_FILE), "--dir", str(self._place.run)]
        child = process.spawn(command, self._place.account, self._place.valkey_log, self._place.run)
        process.wait_until(lambda: child.poll() is not None or _answering(self.socket) == child.pid, READY_SECONDS)
        if child.poll() is None and _answering(self.socket) != child.pid:
            process.end(child.pid, STOP_SIGNALS, child)
        if child.poll() is not None:
            raise EngineError(f"Valkey did not start: {_last_line(self._place.valkey_log)}")
        self._child, self.pid = child, child.pid

    def stop(self) -> None:
        """End it. Nothing happens when it is gone."""
        if self.alive():
            process.end(self.pid, STOP_SIGNALS, self._child)
        self.socket.unlink(missing_ok=True)

    def _clear_away(self) -> None:
        """Remove what a killed one left, and one that runs but does not answer: nothing in it can be lost."""
        pid_file = self._place.run / PID_FILE
        try:
            pid = int(pid_file.read_text("ascii"))
        except (OSError, ValueError):
            pid = 0
        if pid > 0 and process.is_alive(pid) and str(self.socket) in process.command_line(pid):
            process.end(pid, ((signal.SIGKILL, 3.0),), None)
        pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)


def start_valkey(folder: Path) -> ValkeyEngine:
    """Start the Valkey of a data folder, or adopt the one that runs there. The caller holds the folder's lock."""
    engine = ValkeyEngine(settle(folder))
    engine.restart()
    return engine


def find_valkey(folder: Path) -> ValkeyEngine:
    """The Valkey that somebody else runs on this data folder. Raises EngineError when none does."""
    engine = ValkeyEngine(settle(folder))
    if _answering(engine.socket) is None:
        raise EngineError(f"no Valkey runs in {folder}; start `crossdock up` first")
    engine.restart()
    return engine


def _answering(path: Path) -> int | None:
    """The process that answers on this socket, or None."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(b"INFO server\r\n")
            answer = b""
            while b"\nprocess_id:" not in answer or b"\n" not in answer.rpartition(b"\nprocess_id:")[2]:
                part = connection.recv(4096)
                if not part:
                    return None
                answer += part
    except OSError:
        return None
    return int(answer.rpartition(b"\nprocess_id:")[2].split()[0])


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
