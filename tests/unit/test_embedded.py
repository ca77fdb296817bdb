"""The embedded engines, on real programs: start, adoption, stale files, locks, and what survives a kill."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from hub.embedded import (
    EngineError,
    Engines,
    FolderInUse,
    FolderLock,
    PostgresEngine,
    create_database,
    drop_database,
    place,
    process,
    start_postgres,
    start_valkey,
    tuning,
)
from hub.embedded.postgres import PID_FILE
from hub.settings import Settings


def short_folder() -> Path:
    # Not tmp_path: as root, the engines run as a user that may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="cd-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    path = short_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresEngine]:
    """One engine for the tests that kill it, restart it and look at it; always running between two of them."""
    path = short_folder()
    engine = start_postgres(path, durable=False)
    yield engine
    engine.stop()
    shutil.rmtree(path)


def folder_of(engine: PostgresEngine) -> Path:
    return Path(engine.url.partition("host=")[2].partition("&")[0]).parent


def kill_children(pid: int) -> None:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
        os.kill(int(child), signal.SIGKILL)


async def query(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_it_listens_on_a_closed_socket_only(postgres: PostgresEngine) -> None:
    assert await query(postgres.url, "SHOW listen_addresses") == ""
    assert await query(postgres.url, "SELECT current_database()") == "crossdock"
    assert (folder_of(postgres) / "run").stat().st_mode & 0o777 == 0o700
    assert await query(postgres.url, "SHOW data_checksums") == "on"
    assert await query(postgres.url, "SELECT upper('é') || ('Z' < 'a')") == "Étrue"


async def test_what_is_configured_is_in_force(postgres: PostgresEngine) -> None:
    assert await query(postgres.url, "SHOW fsync") == "off"
    for name in ("shared_buffers", "max_connections", "jit", "max_wal_size", "checkpoint_timeout", "TimeZone"):
        assert await query(postgres.url, f"SHOW {name}") == tuning.TUNING[name]
    assert tuning.TUNING["fsync"] == tuning.TUNING["synchronous_commit"] == "on"
    assert "fsync = 'on'" in tuning.configuration(Path("/x"), durable=True)


async def test_an_error_never_logs_the_row(postgres: PostgresEngine) -> None:
    await query(postgres.url, "CREATE TABLE person (email text PRIMARY KEY CHECK (email <> 'checked@example.org'))")
    for _ in range(2):
        try:
            await query(postgres.url, "INSERT INTO person VALUES ('jo@example.org')")
        except asyncpg.UniqueViolationError:
            break
    with pytest.raises(asyncpg.CheckViolationError):
        await query(postgres.url, "INSERT INTO person VALUES ('checked@example.org')")
    log = (folder_of(postgres) / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "example.org" not in log


async def test_databases_are_copied_and_dropped(postgres: PostgresEngine) -> None:
    url = create_database(postgres, 'the "model"')
    await query(url, "CREATE TABLE copied (id int)")
    copy = create_database(postgres, "copy", template='the "model"')
    assert await query(copy, "SELECT count(*) FROM copied") == 0
    connection = await asyncpg.connect(copy)
    drop_database(postgres, "copy")
    drop_database(postgres, "copy")
    connection.terminate()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await query(copy, "SELECT 1")
    with pytest.raises(EngineError, match="already exists"):
        create_database(postgres, "crossdock")


async def test_committed_rows_survive_a_killed_server(postgres: PostgresEngine) -> None:
    await query(postgres.url, "CREATE TABLE kept AS SELECT 7 AS id")
    url, killed = postgres.url, postgres.pid
    os.kill(killed, signal.SIGKILL)
    assert process.wait_until(lambda: not postgres.alive(), 5)
    postgres.restart()
    assert (postgres.url, postgres.adopted) == (url, False)
    assert postgres.pid != killed
    assert await query(url, "SELECT id FROM kept") == 7


async def test_a_running_orphan_is_adopted(postgres: PostgresEngine) -> None:
    second = start_postgres(folder_of(postgres), durable=False)
    assert (second.pid, second.url, second.adopted) == (postgres.pid, postgres.url, True)
    assert second.alive()
    second.stop()
    assert not second.alive()
    assert process.wait_until(lambda: not postgres.alive(), 1)
    postgres.restart()


async def test_a_server_that_lives_and_serves_nobody_is_replaced(
    postgres: PostgresEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the end of a process that was recovering the server: the postmaster stays, alone, for ever."""
    monkeypatch.setattr("hub.embedded.stuck.STUCK_SECONDS", 0.2)
    monkeypatch.setattr("hub.embedded.postgres.STUCK_SIGNALS", ((signal.SIGKILL, 5.0),))
    await query(postgres.url, "CREATE TABLE stayed AS SELECT 7 AS id")
    alone = postgres.pid
    os.kill(alone, signal.SIGSTOP)
    kill_children(alone)
    assert process.wait_until(lambda: not postgres.alive(), 5)
    assert process.is_alive(alone)
    postgres.restart()
    assert not process.is_alive(alone)
    assert postgres.alive()
    assert await query(postgres.url, "SELECT id FROM stayed") == 7


@pytest.mark.parametrize("number", ["taken", "free"])
def test_a_stale_pid_file_does_not_matter(postgres: PostgresEngine, number: str) -> None:
    """Also when its number belongs to another process by now, as it does in a container that was made anew."""
    pid_file = folder_of(postgres) / "postgres" / PID_FILE
    owner, left = pid_file.parent.stat(), pid_file.read_text()
    postgres.stop()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None) as other:
        pid_file.write_text(left.replace(left.split()[0], str(other.pid if number == "taken" else 4_000_000), 1))
        pid_file.chmod(0o600)
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        try:
            postgres.restart()
        finally:
            other.kill()
    assert not postgres.adopted
    assert postgres.ask("SELECT 1") == "1"


async def test_a_hung_server_is_named_not_replaced(postgres: PostgresEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.embedded.postgres.READY_SECONDS", 0.1)
    pid_file = folder_of(postgres) / "postgres" / PID_FILE
    text = pid_file.read_text()
    pid_file.write_text(text.replace("ready", "starting"))
    with pytest.raises(EngineError, match=f"as process {postgres.pid} but does not answer"):
        await asyncio.to_thread(start_postgres, folder_of(postgres))
    pid_file.write_text(text)


async def test_valkey_starts_is_adopted_and_forgets(folder: Path) -> None:
    valkey = start_valkey(folder)
    try:
        async with Redis.from_url(valkey.url) as client:
            await client.set("a", "b")
            config = await client.config_get("save", "appendonly", "port")
            assert (config["save"], config["appendonly"], config["port"]) == ("", "no", "0")
        again = start_valkey(folder)
        assert (again.pid, again.adopted) == (valkey.pid, True)
        os.kill(valkey.pid, signal.SIGKILL)
        assert process.wait_until(lambda: not valkey.alive(), 5)
        valkey.restart()
        async with Redis.from_url(valkey.url) as client:
            assert await client.get("a") is None
    finally:
        valkey.stop()
    assert list((folder / "run").glob("*.sock")) == []


async def test_a_valkey_that_does_not_answer_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.embedded.valkey.ANSWER_SECONDS", 0.2)
    hung = start_valkey(folder)
    os.kill(hung.pid, signal.SIGSTOP)
    valkey = await asyncio.to_thread(start_valkey, folder)
    assert valkey.pid != hung.pid
    assert process.wait_until(lambda: not hung.alive(), 1)
    valkey.stop()


def test_engines_hold_the_folder_and_stop_in_order(folder: Path) -> None:
    settings = Settings(data_dir=folder, database_url="postgresql://elsewhere/db")
    with Engines.start(settings) as engines:
        assert engines.database_url == "postgresql://elsewhere/db"
        assert [engine.name for engine in engines.running] == ["valkey"]
        assert engines.alive()
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            Engines.start(settings)
        assert Engines.attach(settings).queue_url == engines.queue_url
    assert not engines.alive()
    FolderLock(folder).free()
    with pytest.raises(EngineError, match="no Valkey runs"):
        Engines.attach(settings)


def test_configured_engines_need_no_folder(folder: Path) -> None:
    settings = Settings(data_dir=folder / "none", database_url="postgresql://a/b", queue_url="redis://a")
    assert Engines.start(settings).running == Engines.attach(settings).running == ()
    with pytest.raises(EngineError, match="no data folder"):
        Engines.attach(Settings(data_dir=folder / "none"))
    assert not (folder / "none").exists()


def test_no_engine_keeps_the_lock_of_a_killed_supervisor(folder: Path) -> None:
    script = """
        import os, signal, sys
        from pathlib import Path
        from hub.embedded import Engines
        from hub.settings import Settings
        engines = Engines.start(Settings(data_dir=Path(sys.argv[1]), database_url="postgresql://a/b"))
        print(engines.running[0].pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)], capture_output=True, text=True, check=False
    )
    orphan = int(run.stdout)
    with Engines.start(Settings(data_dir=folder, database_url="postgresql://a/b")) as engines:
        (valkey,) = engines.running
        assert (valkey.pid, valkey.adopted) == (orphan, True)  # type: ignore[attr-defined]
    assert process.wait_until(lambda: not process.is_alive(orphan), 5)


def test_a_long_path_gets_its_sockets_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "STATE_FOLDER", folder / "state")
    deep = folder / ("d" * 100)
    deep.mkdir(mode=0o711)
    chosen = place.settle(deep)
    assert len(str(chosen.run / place.POSTGRES_SOCKET)) <= place.SOCKET_PATH_BYTES
    assert (deep / "run").readlink() == chosen.run
    assert place.settle(deep) == chosen
    chosen.run.rmdir()
    assert place.settle(deep) == chosen
    chosen.run.rmdir()


def test_a_folder_prepared_by_somebody_else_is_not_used(folder: Path) -> None:
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    (folder / "link").symlink_to(folder)
    assert not place._own_folder(folder / "open", 0o700, None)
    assert not place._own_folder(folder / "link", 0o700, None)
    assert place._own_folder(folder / "new", 0o700, None)


def test_a_database_folder_that_is_gone_is_not_silently_replaced(folder: Path) -> None:
    (folder / "postgres").symlink_to(folder / "gone" / "postgres")
    with pytest.raises(EngineError, match="which is gone"):
        place.settle(folder)


def test_what_initdb_says_reaches_the_reader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.embedded.postgres.LOCALE", "nowhere")
    with pytest.raises(EngineError, match=r"initdb failed: .*invalid locale"):
        start_postgres(folder, durable=False)
    assert not (folder / "postgres").exists()
    assert not (folder / "postgres.new").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_copies_programs_that_nobody_cannot_reach(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_can_read", lambda *_: False)
    monkeypatch.setattr(place, "STATE_FOLDER", folder / "state")
    programs = place.settle(folder).programs
    assert programs.initdb.is_relative_to(folder)
    (programs.postgres).unlink()
    assert place.settle(folder).programs.postgres.is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_keeps_the_database_where_nobody_can_reach_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = folder / "home"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(place, "STATE_FOLDER", folder / "state")
    chosen = place.settle(closed / "data")
    assert chosen.cluster.is_relative_to(folder / "state")
    assert chosen.run.is_relative_to(folder / "state")
    assert place.settle(closed / "data") == chosen
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("uid", [65534, 54321])
def test_an_ordinary_user_needs_no_help(folder: Path, uid: int) -> None:
    """Also a number without a name, which initdb refuses unless it is given one."""
    script = """
        import os, sys
        from pathlib import Path
        from hub.embedded import start_postgres
        folder, uid = Path(sys.argv[1]), int(sys.argv[2])
        os.environ.pop("HOME", None)
        os.setgroups([]); os.setgid(uid); os.setuid(uid)
        try:
            engine = start_postgres(folder / "data", durable=False)
        except Exception as error:
            sys.exit(str(error))
        print(engine.ask("SELECT 1"), (folder / "data" / "postgres").stat().st_uid)
        engine.stop()
    """
    folder.chmod(0o777)
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder), str(uid)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "may not make a user namespace" in run.stderr:
        pytest.skip("this system permits no user namespace")
    assert (run.stdout.split(), run.stderr) == (["1", str(uid)], "")
