"""What Postgres wrote is written out steadily: what has changed, all of it, and nothing else."""

import os
from pathlib import Path

import pytest

from hub.embedded.writeback import PERIOD_SECONDS, Writeback, write_out


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "base" / "16384"
    folder.mkdir(parents=True)
    for name in ("16817", "16828"):
        (folder / name).write_bytes(b"page")
        os.utime(folder / name, (1, 1))
    return folder


def test_a_changed_file_is_written_out_once(database: Path, tmp_path: Path) -> None:
    written: list[str] = []
    writeback = Writeback(tmp_path, lambda path: written.append(path.name))
    writeback.look()
    assert written == []
    (database / "16828").write_bytes(b"another page")
    writeback.look()
    assert written == ["16828"]
    changed = (database / "16828").stat().st_mtime - 2 * PERIOD_SECONDS
    os.utime(database / "16828", (changed, changed))
    writeback.look()
    assert written == ["16828"]


def test_files_and_databases_may_go_at_any_moment(database: Path, tmp_path: Path) -> None:
    def gone(path: Path) -> None:
        path.unlink()
        write_out(path)

    (database / "16817").write_bytes(b"another page")
    Writeback(tmp_path, gone).look()
    assert [file.name for file in database.iterdir()] == ["16828"]
    Writeback(tmp_path / "no cluster", gone).look()


def test_a_file_keeps_what_it_holds(database: Path) -> None:
    write_out(database / "16817")
    assert (database / "16817").read_bytes() == b"page"


def test_it_begins_and_ends_with_the_engines(tmp_path: Path) -> None:
    writeback = Writeback(tmp_path)
    writeback.start()
    writeback.stop()
    writeback.stop()
