"""The supervisor: what dies comes back, what ends ends in order, and a killed supervisor leaves no child."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from hub.embedded import EngineError, process, start_valkey
from hub.supervisor import Child, Pace, PortTaken, Supervisor, require_free_port

FAST = Pace(drain=5.0, first_pause=0.02, longest_pause=0.1, recovered_after=0.1)
OBEDIENT = ("sh", "-c", 'trap \'echo ended >> "$OUT"; exit 0\' TERM; echo up >> "$OUT"; while :; do sleep 0.02; done')
DEAF = ("sh", "-c", "trap '' TERM; echo up >> \"$OUT\"; while :; do sleep 0.02; done")


class FakeEngine:
    """An engine in memory that notes what happens to it."""

    name = "fake"

    def __init__(self, out: Path, refuses: int = 0) -> None:
        self.out, self.refuses, self.running, self.restarts = out, refuses, True, 0

    def alive(self) -> bool:
        return self.running

    def restart(self) -> None:
        self.restarts += 1
        if self.restarts <= self.refuses:
            raise EngineError("not yet")
        self.running = True

    def stop(self) -> None:
        with self.out.open("a") as file:
            file.write("engine stopped\n")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.touch()
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="cd-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def child(name: str, argv: tuple[str, ...], out: Path) -> Child:
    return Child(name, argv, {"OUT": str(out)})


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def read(out: Path) -> str:
    return out.read_text()


def supervise_elsewhere(script: str, out: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), str(out)])


async def test_a_dead_child_comes_back_with_one_line_each_way(out: Path) -> None:
    supervisor = Supervisor([child("web", OBEDIENT, out), child("worker-1", OBEDIENT, out)], pace=FAST)
    with capture_logs() as logs:
        running = asyncio.create_task(supervisor.run())
        await until(lambda: read(out).count("up") == 2)
        before = dict(supervisor.pids)
        os.kill(before["worker-1"], signal.SIGKILL)
        await until(lambda: read(out).count("up") == 3)
        await until(lambda: len(logs) == 2)
        assert supervisor.pids["web"] == before["web"]
        assert supervisor.pids["worker-1"] != before["worker-1"]
        supervisor.request_stop()
        assert await running == 0
    assert [(line["event"], line["child"]) for line in logs] == [
        ("child failed", "worker-1"),
        ("child recovered", "worker-1"),
    ]
    assert not any(process.is_alive(pid) for pid in before.values())


async def test_a_child_that_never_starts_pauses_longer_and_logs_once(out: Path) -> None:
    children = [
        child("broken", ("sh", "-c", 'echo try >> "$OUT"; exit 3'), out),
        Child("absent", ("/nowhere/program",)),
    ]
    # On a busy machine `sh` alone may last long enough to count as having run.
    supervisor = Supervisor(children, pace=msgspec.structs.replace(FAST, forget_after=30.0, recovered_after=30.0))
    with capture_logs() as logs:
        running = asyncio.create_task(supervisor.run())
        # A busy machine starts a process late: the tries are waited for, then there must not be many more.
        await until(lambda: out.exists() and read(out).count("try") >= 4)
        await asyncio.sleep(0.3)
        supervisor.request_stop()
        assert await running == 0
    assert read(out).count("try") <= 11
    assert {line["child"]: line["reason"] for line in logs} == {
        "broken": "exit code 3",
        "absent": "[Errno 2] No such file or directory: '/nowhere/program'",
    }
    assert len(logs) == 2


async def test_children_end_before_engines(out: Path) -> None:
    supervisor = Supervisor([child("a", OBEDIENT, out), child("b", OBEDIENT, out)], [FakeEngine(out)], FAST)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: read(out).count("up") == 2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    assert read(out).split("\n")[2:] == ["ended", "ended", "engine stopped", ""]


async def test_a_deaf_child_is_killed_when_its_time_is_over(out: Path) -> None:
    pace = Pace(drain=0.2)
    supervisor = Supervisor([child("deaf", DEAF, out)], [FakeEngine(out)], pace)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: "up" in read(out))
    pid = supervisor.pids["deaf"]
    supervisor.request_stop()
    assert await running == 1
    assert not process.is_alive(pid)
    assert "engine stopped" in read(out)


async def test_a_second_signal_forces(out: Path) -> None:
    supervisor = Supervisor([child("deaf", DEAF, out)], [FakeEngine(out)], Pace(drain=60))
    running = asyncio.create_task(supervisor.run())
    await until(lambda: "up" in read(out))
    started = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.1)
    assert not running.done()
    os.kill(os.getpid(), signal.SIGINT)
    assert await running == 1
    assert time.monotonic() - started < 5
    assert "engine stopped" in read(out)


async def test_an_engine_that_refuses_at_first_comes_back(out: Path) -> None:
    engine = FakeEngine(out, refuses=3)
    supervisor = Supervisor([], [engine], FAST)
    with capture_logs() as logs:
        running = asyncio.create_task(supervisor.run())
        engine.running = False
        await until(engine.alive)
        await until(lambda: logs[-1]["event"] == "engine recovered")
        supervisor.request_stop()
        assert await running == 0
    assert [line["event"] for line in logs] == ["engine died", "engine does not start", "engine recovered"]


async def test_a_killed_engine_comes_back_at_the_same_address(folder: Path) -> None:
    valkey = await asyncio.to_thread(start_valkey, folder)
    url, pid = valkey.url, valkey.pid
    supervisor = Supervisor([], [valkey], FAST)
    running = asyncio.create_task(supervisor.run())
    os.kill(pid, signal.SIGKILL)
    await until(lambda: valkey.pid != pid and valkey.alive())
    assert valkey.url == url
    supervisor.request_stop()
    assert await running == 0
    assert not valkey.alive()


async def test_what_a_dead_child_had_started_goes_with_it(out: Path) -> None:
    argv = ("sh", "-c", 'sleep 300 & echo $! >> "$OUT"; wait')
    supervisor = Supervisor([child("parent", argv, out)], pace=FAST)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: read(out).endswith("\n"))
    grandchild = int(read(out))
    os.kill(supervisor.pids["parent"], signal.SIGKILL)
    await until(lambda: not process.is_alive(grandchild))
    supervisor.request_stop()
    await running


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_children_die_with_a_killed_supervisor(out: Path) -> None:
    script = """
        import asyncio, sys
        from hub.supervisor import Child, Supervisor
        argv = ("sh", "-c", "trap '' TERM; echo $$ >> " + sys.argv[1] + "; exec sleep 300")
        asyncio.run(Supervisor([Child("a", argv), Child("b", argv)]).run())
    """
    with supervise_elsewhere(script, out) as supervisor:
        await until(lambda: read(out).count("\n") == 2, 10)
        children = [int(line) for line in read(out).split()]
        supervisor.kill()
    await until(lambda: not any(process.is_alive(pid) for pid in children))


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", port)
