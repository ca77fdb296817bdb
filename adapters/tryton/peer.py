"""A real Tryton for tests: an environment, a database and a process of its own, none of which we wrote.

The environment and an empty company are made once per list of requirements and kept in a folder; every peer works on
a copy of the database, in SQLite. Standard library only: this is no part of what sends.
"""

import base64
import fcntl
import hashlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from adapters.tryton.company import post_json

DATABASE: Final = "books"
BOOKS: Final = "books.sqlite"
TEMPLATE: Final = "founded.sqlite"
USERNAME: Final = "admin"
PASSWORD: Final = "peer-password-1"
UNREACHABLE: Final = ("connection broken", "connection error", "temporary failure", "timed out", "name resolution")
START_SECONDS: Final = 60.0
ROOT: Final = Path(__file__).resolve().parents[2]
FOUNDING: Final = ("inside.py", "company.py", "peer.py")
"""What the kept database is made by; it is made anew when one of them is changed."""

Exchange = Callable[[str, object, dict[str, str]], Any]
"""A path, a document and headers; the result. Raises PeerBroken when Tryton refuses."""


class RegistryUnreachable(Exception):
    """The packages could not be fetched, because nothing answered."""


class PeerBroken(Exception):
    """Tryton could not be installed or started; says what it said."""


class Peer:
    """A running Tryton on a copy of the prepared database. `with Peer(prepare(...), folder) as peer: peer.url`."""

    def __init__(self, prepared: Path, folder: Path) -> None:
        self._prepared = prepared
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._prepared / TEMPLATE, self._folder / BOOKS)
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers. Raises PeerBroken with its last words."""
        port = _free_port()
        configuration = _configuration(self._folder, port)
        log = self._folder / "server.log"
        with log.open("wb") as out:
            command = _inside(self._prepared, "serve", configuration)
            self._process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT, start_new_session=True)
        self.url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + START_SECONDS
        while not _answers(self.url):
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise PeerBroken(f"Tryton did not start: {log.read_text()[-1000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def session(self) -> "Rpc":
        """A session of the administrator, to look into the books and to be the person at work in them."""
        return Rpc(lambda path, document, headers: result(post_json(f"{self.url}{path}", document, headers)))


class Rpc:
    """Calls of the administrator. Raises PeerBroken when Tryton refuses."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._headers: dict[str, str] = {}
        found = self._call("common.db.login", [USERNAME, {"password": PASSWORD}, "en"])
        self._headers = {"authorization": f"Session {_encoded(f'{USERNAME}:{found[0]}:{found[1]}')}"}
        self.context: dict[str, object] = {"company": 1, "language": "en"}

    def call(self, method: str, *arguments: object) -> Any:
        """One call, one transaction."""
        return self._call(method, [*arguments, self.context])

    def count(self, model: str, *terms: object) -> int:
        """How many records match."""
        found: int = self.call(f"model.{model}.search_count", list(terms))
        return found

    def _call(self, method: str, parameters: list[object]) -> Any:
        document = {"id": 1, "method": method, "params": parameters}
        try:
            return self._exchange(f"/{DATABASE}/rpc/", document, self._headers)
        except PeerBroken as broken:
            raise PeerBroken(f"{method}: {broken}"[:1000]) from None


def result(answer: Any) -> Any:
    """What a call brought. Raises PeerBroken with what Tryton says when it refuses."""
    if "error" in answer:
        raise PeerBroken(str(answer["error"]))
    return answer["result"]


def prepare(requirements: Path, cache: Path) -> Path:
    """The folder with the environment and the database of an empty company; made if it is not there.

    One process makes it, others wait; what was made by halves is made again. Raises RegistryUnreachable when the
    packages cannot be fetched because nothing answers, PeerBroken for every other failure.
    """
    made_by = [requirements, *(Path(__file__).with_name(name) for name in FOUNDING)]
    known = hashlib.sha256(b"".join(path.read_bytes() for path in made_by))
    folder = cache / f"tryton-{known.hexdigest()[:12]}-py{sys.version_info.major}.{sys.version_info.minor}"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{folder.name}.lock"):
        if not (folder / TEMPLATE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _install(requirements, folder)
            _found(folder)
    return folder


def _install(requirements: Path, folder: Path) -> None:
    """By this Python's own pip: an environment that brings one of its own takes twice as long."""
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")])
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "env/bin/python"), "--disable-pip-version-check"]
    try:
        _run([*pip, "install", "--quiet", "--no-compile", "--no-deps", "--require-hashes", "-r", str(requirements)])
    except PeerBroken as broken:
        if any(word in str(broken).lower() for word in UNREACHABLE):
            raise RegistryUnreachable(f"the package registry does not answer: {broken}") from broken
        raise


def _found(folder: Path) -> None:
    """A database with the modules of the adapter, and a company in it. It gets its name once it is whole."""
    work = folder / "founding"
    work.mkdir()
    (work / BOOKS).touch()
    secret = work / "password"
    secret.write_text(PASSWORD)
    _run([*_inside(folder, "found", _configuration(work, 0)), str(secret)])
    with closing(sqlite3.connect(work / BOOKS)) as books:
        # What was written last is in a file beside it, which a copy of this one would lack.
        books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (work / BOOKS).rename(folder / TEMPLATE)
    shutil.rmtree(work)


def _inside(folder: Path, what: str, configuration: Path) -> list[str]:
    """A command of `inside.py`; it is run from the root of this repository."""
    return [str(folder / "env/bin/python"), "-m", "adapters.tryton.inside", what, str(configuration)]


def _configuration(folder: Path, port: int) -> Path:
    path = folder / "trytond.conf"
    path.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
        "[session]\nmax_attempt = 100\n"
    )
    return path


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise PeerBroken(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-2000:]}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        post_json(f"{url}/rpc/", {"id": 0, "method": "common.server.version", "params": []}, {})
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
