"""A worker lets the web process go first, and nobody else's processes behind."""

import subprocess
import sys

import pytest

from hub.niceness import AUTOGROUP, WORKER_NICENESS

GIVES_WAY = "import os; from hub.niceness import give_way; give_way(); print(os.nice(0))"

LEADS = f"{GIVES_WAY}; print(open({str(AUTOGROUP)!r}).read())"

FOLLOWS = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {LEADS!r}], check=True)"
"""A session whose leader does not give way, and one of whose processes does."""


def said(program: str) -> list[str]:
    """What `program` prints in a session of its own: what this one runs in may have no niceness to read."""
    return subprocess.check_output([sys.executable, "-c", program], text=True, start_new_session=True).split()


def sessions_are_groups() -> bool:
    """Whether this kernel lets a session say how nice it is, and tells it again."""
    says = f"path = {str(AUTOGROUP)!r}; open(path, 'w').write('1'); print(open(path).read())"
    tried = subprocess.run(
        [sys.executable, "-c", says], start_new_session=True, capture_output=True, text=True, check=False
    )
    return tried.returncode == 0 and tried.stdout.split()[-2:] == ["nice", "1"]


def test_a_process_gives_way_among_its_own() -> None:
    assert int(said(GIVES_WAY)[0]) == min(WORKER_NICENESS + int(subprocess.check_output(["nice"], text=True)), 19)


@pytest.mark.parametrize(("program", "niceness"), [(LEADS, str(WORKER_NICENESS)), (FOLLOWS, "0")])
def test_its_session_gives_way_only_where_it_is_its_own(program: str, niceness: str) -> None:
    if not sessions_are_groups():
        pytest.skip("this kernel does not schedule sessions as groups")
    assert said(program)[-1] == niceness
