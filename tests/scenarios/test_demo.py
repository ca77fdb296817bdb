"""The demo, as somebody runs it: a whole hub with simulated vendors in child processes, faults on, to the end."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 25


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that the database's own user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="cd-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_a_small_demo_comes_to_rest_with_every_invariant(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CROSSDOCK_")}
    ran = subprocess.run(
        [sys.executable, "-m", "hub.cli.main", "demo", "--orders", str(ORDERS), "--exit", "--json"],
        cwd=ROOT,
        env=environment | {"CROSSDOCK_DATA_DIR": str(folder), "CROSSDOCK_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    report = json.loads(ran.stdout)
    assert report["orders"] == ORDERS
    states = [report[name] for name in ("delivered", "cancelled", "waiting", "parked")]
    assert sum(states) == ORDERS
    assert (report["lost"], report["duplicated"], report["oversold"]) == (0, 0, 0)
    assert report["broken"] == []
    assert report["delivered"] >= ORDERS * 3 // 5
    assert report["shipped"] >= report["delivered"]
    assert report["posted"] >= report["delivered"]
    assert report["decisions"]["proven"] + report["decisions"]["gap_reported"] >= ORDERS - report["cancelled"]
    assert report["decisions"]["max_gap"] >= 0
    assert report["exceptions"] == sum(report["exceptions_by_kind"].values())
    assert report["seconds"] > 0
    # Progress and addresses go to stderr, where a person sees them and a pipe does not.
    assert "/docs" in ran.stderr
    assert "login" in ran.stderr
