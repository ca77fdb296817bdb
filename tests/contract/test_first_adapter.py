"""docs/first-adapter.md keeps its word: its commands run, one after the other, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.sdk.scaffold import ScaffoldFault, scaffold

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-adapter.md"


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "serve.py").write_text(program.replace("9202", "0").replace("await asyncio.Event().wait()", ""))
    script = "set -e\n" + "\n".join([*blocks, "python serve.py"])
    for name in ("Makefile", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "pyproject.toml").touch()  # without this repository's own settings of pytest
    (tmp_path / ".venv").symlink_to(sys.prefix)
    mine = Path(sys.executable).parent
    path = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != mine)
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        # What `make setup` would do is printed, not done: the tests run in what it made.
        env={**os.environ, "PATH": path, "MAKEFLAGS": "-n"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(blocks) == 2
    assert re.search(r"acme: (\d+) of \1 checks kept", done.stdout)
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ token-of-acme", done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["Acme", "acme-wms", "1st", "../acme"])
def test_what_cannot_be_a_module_is_no_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ScaffoldFault, match="no name of a module"):
        scaffold(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    scaffold("acme", tmp_path)
    with pytest.raises(ScaffoldFault, match="exists already"):
        scaffold("acme", tmp_path)


def test_a_name_of_two_words_makes_classes_of_two_words(tmp_path: Path) -> None:
    scaffold("north_depot", tmp_path)
    assert "class NorthDepotSimulator" in (tmp_path / "adapters" / "north_depot" / "simulator.py").read_text()
