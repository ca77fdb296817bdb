"""CPU time of processes, from /proc: what an order costs holds under neighbours, what a second yields does not."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TICK: Final = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int, *, family: bool = False) -> float:
    """CPU time of a process so far; with `family` also that of its children, living and waited for."""
    fields = _stat(pid)
    if fields is None:
        return 0.0
    own = int(fields[11]) + int(fields[12])
    if not family:
        return own / TICK
    ended = int(fields[13]) + int(fields[14])
    return (own + ended) / TICK + sum(cpu_seconds(child, family=True) for child in _children(pid))


def cpu_by_part(processes: Mapping[str, int], postgres: int, valkey: int) -> dict[str, float]:
    """CPU seconds so far of web, workers, Postgres (every backend), Valkey and this process (the load)."""
    return {
        "web": sum(cpu_seconds(pid) for name, pid in processes.items() if name.startswith("web")),
        "worker": sum(cpu_seconds(pid) for name, pid in processes.items() if name.startswith("worker")),
        "postgres": cpu_seconds(postgres, family=True),
        "valkey": cpu_seconds(valkey),
        "load": cpu_seconds(os.getpid()),
    }


def machine_busy() -> float:
    """CPU seconds that all processes of this machine have used so far: neighbours are what is left over."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, soft, steal = (int(field) for field in fields[:8])
    return (user + nice + system + irq + soft + steal) / TICK


def resident_mb(pid: int) -> int:
    """Memory that a process holds now."""
    fields = _stat(pid)
    return 0 if fields is None else int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in brackets may hold spaces.
    return text.rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
