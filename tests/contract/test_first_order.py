"""docs/first-order.md keeps its word: its commands run, one after the other, against a hub that really runs."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "first-order.md"
BLOCKS: Final = re.findall(r"```sh ?(\w*)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
TRIES: Final = "n=0; until {{ {block}; }}; do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _terminal(script: str, folder: Path, env: dict[str, str]) -> Iterator[None]:
    """A terminal in which a command keeps running; what it started ends with it."""
    with (folder / "terminals.log").open("a") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script], cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def _wait(ready: Callable[[], bool], folder: Path) -> None:
    end = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < end, (folder / "terminals.log").read_text()
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands use curl")
def test_the_commands_of_the_page_run(tmp_path: Path, database_url: str, queue_url: str) -> None:
    hub, depot = _free_port(), _free_port()
    text = {
        name: "".join(
            TRIES.format(block=block.strip()) if kind == "again" else block
            for kind, block in BLOCKS
            if (kind if kind in ("hub", "warehouse") else "") == name
        )
        .replace("8080", str(hub))
        .replace("9201", str(depot))
        for name in ("hub", "warehouse", "")
    }
    for name in ("Makefile", "pyproject.toml", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    env = {
        **os.environ,
        # What `make setup` would do is printed, not done: the tests run in what it made.
        "MAKEFLAGS": "-n",
        "CROSSDOCK_DATABASE_URL": database_url,
        "CROSSDOCK_QUEUE_URL": queue_url,
        "CROSSDOCK_PORT": str(hub),
        "CROSSDOCK_WORKERS": "1",
    }
    with ExitStack() as open_terminals:
        for name in ("hub", "warehouse"):
            open_terminals.enter_context(_terminal(text[name], tmp_path, env))
        _wait(lambda: _answers(f"http://127.0.0.1:{hub}/readyz"), tmp_path)
        _wait(lambda: (tmp_path / "warehouse.txt").read_text().startswith("POST"), tmp_path)
        done = subprocess.run(
            ["/bin/sh", "-ec", text[""]],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"ok":true' in done.stdout
    assert '"items":[]' in done.stdout.splitlines()[-1]
