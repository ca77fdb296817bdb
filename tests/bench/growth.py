"""`make bench-growth`: what an order costs as a hub grows. CPU of an order, which neighbours do not change much.

Orders already stored are compared on two hubs that take turns, so that a noisy minute meets both alike; nodes, SKUs and
workers each on a hub of its own size. Writes `.bench/growth.json`.
"""

import argparse
import asyncio
import json
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import asyncpg
import uvloop

from tests.bench.history import copy_orders
from tests.bench.intake import Phase
from tests.bench.run import FOLDER, tell
from tests.bench.running import RunningHub
from tests.bench.usage import resident_mb
from tests.bench.world import NODES, furnish

SEEDED: Final = 2000
WARM_UP: Final = 500
PARTS: Final = ("web", "worker", "postgres")

Row = dict[str, Any]


def main() -> None:
    """Run what was asked for, all of it by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=3000, help="orders of one measurement")
    parser.add_argument("--turns", type=int, default=5, help="measurements of each; their median counts")
    parser.add_argument("--stored", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--nodes", type=int, nargs="*", default=[5, 12, 50, 200, 2000])
    parser.add_argument("--skus", type=int, nargs="*", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 3, 4])
    chosen = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    found: dict[str, list[Row]] = {}
    if chosen.stored:
        found["orders stored"] = uvloop.run(stored(chosen.stored, chosen.orders, chosen.turns))
    for name, sizes in (("nodes", chosen.nodes), ("skus", chosen.skus), ("workers", chosen.workers)):
        if sizes:
            found[name] = [uvloop.run(sized(name, size, chosen.orders, chosen.turns)) for size in sizes]
    for name, rows in found.items():
        _tell(name, rows)
    (FOLDER / "growth.json").write_text(json.dumps(found, indent=2) + "\n")


async def stored(sizes: Sequence[int], orders: int, turns: int) -> list[Row]:
    """The same load on hubs that hold more and more orders, in turns."""
    async with AsyncExitStack() as stack:
        phases = []
        for size in sizes:
            phase = await _furnished(stack, {}, workers=2)
            await phase.fast(SEEDED)
            held = await copy_orders(phase.connection, size)
            print(f"a hub with {held} orders stands", flush=True)
            phases.append(phase)
        runs: list[list[Row]] = [[] for _ in phases]
        for _ in range(turns):
            for phase, row in zip(phases, runs, strict=True):
                row.append(await phase.fast(orders))
        return [_row(size, row, phase) for size, row, phase in zip(sizes, runs, phases, strict=True)]


async def sized(name: str, size: int, orders: int, turns: int) -> Row:
    """The same load on a hub of a given size."""
    async with AsyncExitStack() as stack:
        world = {} if name == "workers" else {name: size}
        phase = await _furnished(stack, world, workers=size if name == "workers" else 2)
        await phase.fast(WARM_UP)
        row = _row(size, [await phase.fast(orders) for _ in range(turns)], phase)
        print(f"{name} {size}: {row['total']} µs an order, {row['per_second']} orders/s", flush=True)
        return row


async def _furnished(stack: AsyncExitStack, world: dict[str, int], *, workers: int) -> Phase:
    hub = await stack.enter_async_context(RunningHub(workers=workers))
    await asyncio.to_thread(hub.postgres.ask, "ALTER SYSTEM SET track_commit_timestamp = on")
    await asyncio.to_thread(hub.postgres.stop)
    await asyncio.to_thread(hub.postgres.restart)
    await furnish(hub, **{"nodes": len(NODES), **world})
    await hub.start()
    connection = await asyncpg.connect(hub.engines.database_url)
    stack.push_async_callback(connection.close)
    return Phase(hub=hub, connection=connection, **({"skus": world["skus"]} if "skus" in world else {}))


def _row(size: int, runs: Sequence[Row], phase: Phase) -> Row:
    """Medians of some runs."""
    parts = {part: round(statistics.median(run["cpu_us_per_order"][part] for run in runs)) for part in PARTS}
    total = statistics.median(sum(run["cpu_us_per_order"][part] for part in PARTS) for run in runs)
    memory = {name: resident_mb(pid) for name, pid in phase.hub.pids.items()}
    return {
        "size": size,
        "per_second": round(statistics.median(run["per_second"] for run in runs)),
        **parts,
        "total": round(total),
        "neighbours_cores": round(statistics.median(run["neighbours_cores"] for run in runs), 2),
        "resident_mb": memory,
    }


def _tell(name: str, rows: Sequence[Row]) -> None:
    print(f"\nCPU of an order in µs by {name}")
    first = rows[0]["total"]
    cells = [
        (
            f"{row['size']:,}",
            *(str(row[part]) for part in (*PARTS, "total")),
            f"{row['total'] / first:.2f}",
            str(row["per_second"]),
            f"{row['neighbours_cores']:.1f}",
            ", ".join(f"{process} {size}" for process, size in sorted(row["resident_mb"].items())),
        )
        for row in rows
    ]
    tell((name, *PARTS, "total", "ratio", "orders/s", "neighbours", "resident MB"), cells)


if __name__ == "__main__":
    main()
