"""A worker lets the web process go first, and nobody else's processes behind."""

import subprocess
import sys

import pytest

from hub.processes import AUTOGROUP, WORKER_NICENESS

SAYS = (
    "import os; from hub.processes import AUTOGROUP, give_way; give_way(); "
    "print(os.nice(0), AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else '')"
)


def said(*, own_session: bool) -> list[str]:
    """Niceness of a process and of its session after it gave way."""
    command = [sys.executable, "-c", SAYS]
    return subprocess.check_output(command, text=True, start_new_session=own_session).split()


def test_a_process_gives_way_among_its_own() -> None:
    niceness, *_ = said(own_session=True)
    assert int(niceness) == min(WORKER_NICENESS + int(subprocess.check_output(["nice"], text=True)), 19)


def sessions_are_groups() -> bool:
    """Whether this kernel lets a session say how nice it is."""
    tried = subprocess.run(
        [sys.executable, "-c", f"open({str(AUTOGROUP)!r}, 'w').write('1')"],
        start_new_session=True,
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def test_its_session_gives_way_only_where_it_is_its_own() -> None:
    if not sessions_are_groups():
        pytest.skip("this kernel does not schedule sessions as groups")
    before = AUTOGROUP.read_text().split()[-1]
    assert said(own_session=True)[1] == str(WORKER_NICENESS)
    assert said(own_session=False)[1] == before
    assert AUTOGROUP.read_text().split()[-1] == before
