"""Starting, watching and ending the processes of the engines, our own children and orphans alike."""

import ctypes
import os
import pwd
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from hub.embedded.errors import EngineError
from hub.settings import give_to_owner

POLL_SECONDS: Final = 0.005
LOG_KEPT_BYTES: Final = 16 * 1024 * 1024
CLONE_NEWUSER: Final = 0x10000000
PR_SET_DUMPABLE: Final = 4

# Loaded before any fork: importing inside a child of a threaded process may deadlock.
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Account(msgspec.Struct, frozen=True):
    """The user that engines run as, when that is not the user of this process."""

    uid: int
    gid: int


def clean_environment() -> dict[str, str]:
    """This process's environment without what Postgres' programs would obey: a stray PGDATA or PGHOST misleads them."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LD_PRELOAD"))}


def spawn(
    argv: Sequence[str],
    account: Account | None,
    log: Path,
    folder: Path,
    prepare: Callable[[], None] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start `argv` in `folder` as `account`, in a session of its own, writing to the end of `log`.

    Its own session: a Ctrl-C in the terminal must not reach an engine before the hub has drained.
    """
    try:
        with _open_log(log) as output:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=clean_environment(),
                start_new_session=True,
                umask=0o077,
                preexec_fn=prepare,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"cannot start {Path(argv[0]).name}: {error}") from error


def run(argv: Sequence[str], account: Account | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a short program to its end as `account` and return what it said.

    Raises EngineError when it cannot be started or takes longer than a minute.
    """
    try:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=clean_environment(),
            timeout=60,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"cannot run {Path(argv[0]).name}: {error}") from error


def is_alive(pid: int) -> bool:
    """Whether `pid` runs. A dead process that nobody has collected yet counts as dead."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        # No /proc on this system, or gone between the two looks; the caller asks again soon.
        return True
    return state not in {"Z", "X"}


def command_line(pid: int) -> list[str]:
    """The words `pid` was started with; empty when it cannot be told."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
        except OSError:
            return []
    listed = run(["ps", "-o", "command=", "-p", str(pid)]).stdout
    try:
        return shlex.split(listed)
    except ValueError:
        return listed.split()


def end(pid: int, signals: Sequence[tuple[signal.Signals, float]], child: "subprocess.Popen[bytes] | None") -> None:
    """Send each signal in turn, giving `pid` so many seconds after each, until it is gone; returns when it is."""
    for number, seconds in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
        except PermissionError as error:
            raise EngineError(f"process {pid} belongs to another user and cannot be stopped") from error
        if wait_until(lambda: is_gone(pid, child), seconds):
            return
    raise EngineError(f"process {pid} does not stop")


def is_gone(pid: int, child: "subprocess.Popen[bytes] | None") -> bool:
    """Whether the process has ended; collects it when it was our child."""
    return child.poll() is not None if child is not None else not is_alive(pid)


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until the answer is yes (True) or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def named_user_step(uid: int) -> Callable[[], None] | None:
    """What a forked child must do first so that `uid` has a user name; None when it has one.

    initdb wants a name, and a container may run under a number that has none. The child enters a user namespace in
    which it goes by another user's number; its files stay with `uid`.
    """
    try:
        pwd.getpwuid(uid)
    except KeyError:
        named = next((user for user in pwd.getpwall() if user.pw_uid != 0), None)
        return None if named is None else _enter_namespace(named.pw_uid, named.pw_gid)
    return None


def _enter_namespace(uid: int, gid: int) -> Callable[[], None]:
    def enter() -> None:
        outside_uid, outside_gid = os.geteuid(), os.getegid()
        # A process that gave up root may not write its own maps until it says that it has nothing to hide.
        _LIBC.prctl(PR_SET_DUMPABLE, 1)
        if _LIBC.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "no user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {outside_uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {outside_gid} 1")

    return enter


def _open_log(path: Path) -> BinaryIO:
    """Append to the log, after setting a long one aside: nobody else rotates it."""
    # No link is followed: root may be writing into a folder that another user controls.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    handle = os.open(path, flags, 0o600)
    give_to_owner(handle, path.parent)
    return os.fdopen(handle, "ab")
