"""A real Tryton for tests: an environment, a database and a process of its own, none of which we wrote.

The environment and an empty company are made once per list of requirements and kept in a folder; every peer works on
a copy of the database, in SQLite. Standard library only: this is no part of what sends.
"""

import base64
import fcntl
import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from adapters.tryton.company import found_company, post_json

DATABASE: Final = "books"
BOOKS: Final = "books.sqlite"
TEMPLATE: Final = "founded.sqlite"
USERNAME: Final = "admin"
PASSWORD: Final = "peer-password-1"
UNREACHABLE: Final = ("connection broken", "connection error", "temporary failure", "timed out", "name resolution")
START_SECONDS: Final = 60.0


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
            command = [str(self._prepared / "env/bin/trytond"), "-c", str(configuration), "-d", DATABASE]
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
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
        return Rpc(self.url)


class Rpc:
    """Calls of the administrator. Raises PeerBroken when Tryton refuses."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/{DATABASE}/rpc/"
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
        answer = post_json(self._url, {"id": 1, "method": method, "params": parameters}, self._headers)
        if "error" in answer:
            raise PeerBroken(f"{method}: {answer['error']}"[:1000])
        return answer["result"]


def prepare(requirements: Path, cache: Path) -> Path:
    """The folder with the environment and the database of an empty company; made if it is not there.

    One process makes it, others wait; what was made by halves is made again. Raises RegistryUnreachable when the
    packages cannot be fetched because nothing answers, PeerBroken for every other failure.
    """
    known = hashlib.sha256(requirements.read_bytes() + Path(__file__).with_name("company.py").read_bytes())
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
    _run([sys.executable, "-m", "venv", str(folder / "env")])
    pip = [str(folder / "env/bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    try:
        _run([*pip, "--no-compile", "--require-hashes", "--requirement", str(requirements)])
    except PeerBroken as broken:
        if any(word in str(broken).lower() for word in UNREACHABLE):
            raise RegistryUnreachable(f"the package registry does not answer: {broken}") from broken
        raise


def _found(folder: Path) -> None:
    """A database with the modules of the adapter, and a company in it. It gets its name once it is whole."""
    work = folder / "founding"
    work.mkdir()
    configuration = _configuration(work, 0)
    (work / BOOKS).touch()
    secret = work / "password"
    secret.write_text(PASSWORD)
    admin = [str(folder / "env/bin/trytond-admin"), "-c", str(configuration), "-d", DATABASE]
    _run([*admin, "-u", "sale", "--activate-dependencies", "--email", "admin@example.com"], TRYTONPASSFILE=str(secret))
    peer = Peer(folder, work)
    peer.start()
    try:
        found_company(peer.session())
    finally:
        peer.stop()
    with closing(sqlite3.connect(work / BOOKS)) as books:
        # What was written last is in a file beside it, which a copy of this one would lack.
        books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (work / BOOKS).rename(folder / TEMPLATE)
    shutil.rmtree(work)


def _configuration(folder: Path, port: int) -> Path:
    path = folder / "trytond.conf"
    path.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
        "[session]\nmax_attempt = 100\n"
    )
    return path


def _run(command: list[str], **environment: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
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
