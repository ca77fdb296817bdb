"""`make bench`: what an order costs, from its webhook to its allocation. Prints tables, writes `.bench/<name>.json`.

Intake runs a hub as `crossdock up` does (one web, two workers, embedded engines, every commit on disk); the load comes
from this process, on the same machine. `docs/performance.md` says how to read the figures.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import uvloop

from tests.bench import delivered, floor, intake, mapping, routing, vendors
from tests.bench.running import RunningHub
from tests.bench.world import furnish

FOLDER: Final = Path(".bench")
FLOOR_ORDERS: Final = 5000
DELIVERED_ORDERS: Final = 3000
BUDGET_US: Final = {"web": 200, "worker": 600, "postgres": 450}
"""CPU of an order, by part: two cores then take 1,000 orders a second with room to spare."""

ASKED_OF_FLOOR: Final = 0.4

Figures = Mapping[str, Any]


def main() -> None:
    """Run every benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=20_000, help="orders of the intake benchmark")
    parser.add_argument("--only-intake", action="store_true", help="leave mapping and routing out")
    chosen = parser.parse_args()
    fast, steady, plain = uvloop.run(_with_a_hub(chosen.orders))
    keep("intake", fast)
    keep("steady", steady)
    keep("floor", plain)
    _tell_intake(fast, steady)
    _tell_floor(fast, plain)
    if not chosen.only_intake:
        _tell_delivered(keep("delivered", uvloop.run(delivered.measure(min(DELIVERED_ORDERS, chosen.orders)))))
        _tell_parts(keep("mapping", mapping.measure()), keep("routing", routing.measure()))
        _tell_vendors(keep("vendors", {"topics": vendors.measure()}))


async def _with_a_hub(orders: int) -> tuple[Figures, Figures, Figures]:
    async with RunningHub() as hub:
        # The server then knows when each transaction was committed. It is off in a hub that nobody measures.
        await asyncio.to_thread(hub.postgres.ask, "ALTER SYSTEM SET track_commit_timestamp = on")
        await asyncio.to_thread(hub.postgres.stop)
        await asyncio.to_thread(hub.postgres.restart)
        await furnish(hub)
        await hub.start()
        try:
            fast, steady = await intake.measure(hub, orders)
            return fast, steady, await floor.measure(hub, min(FLOOR_ORDERS, orders // 2))
        except BaseException:
            print("\n".join(line for line in hub.log().splitlines()[-40:]))
            raise


def keep(name: str, figures: Figures) -> Figures:
    """Write the figures of a benchmark where others read them."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def _tell_intake(fast: Figures, steady: Figures) -> None:
    print(f"\nWebhook to allocated and durable: {fast['orders']} orders, 1 to 4 lines, 12 nodes, 5,000 SKUs, HTTP in")
    head = ("", "orders/s", "ack p50", "ack p99", "received to allocated p50", "p99")
    both = (("as fast as it goes", fast), ("at 70 % of that", steady))
    tell(head, [(name, f"{figures['per_second']:.0f}", *_latencies(figures)) for name, figures in both])
    print("\nCPU of an order in µs (holds under neighbours, orders/s does not)")
    parts = ("web", "worker", "postgres", "valkey", "load")
    rows = [
        (name, *(str(figures["cpu_us_per_order"][part]) for part in parts), f"{figures['neighbours_cores']:.1f} cores")
        for name, figures in both
    ]
    tell(("", *parts, "neighbours"), [*rows, ("budget", *(str(BUDGET_US.get(part, "")) for part in parts), "")])


def _tell_floor(fast: Figures, plain: Figures) -> None:
    print(f"\nThe same {plain['rows_per_order']} rows an order by plain batched SQL, in this run")
    tell(
        ("", "orders/s", "Postgres µs", "hub / floor"),
        [
            (
                name,
                f"{plain[key]['per_second']:.0f}",
                str(plain[key]["postgres_us_per_order"]),
                f"{fast['per_second'] / plain[key]['per_second']:.2f}",
            )
            for name, key in (("one connection", "one_connection"), ("two connections", "two_connections"))
        ],
    )
    best = max(plain[key]["per_second"] for key in ("one_connection", "two_connections"))
    print(f"hub / best floor: {fast['per_second'] / best:.2f} (asked: {ASKED_OF_FLOOR})")


def _tell_delivered(figures: Figures) -> None:
    print(f"\nWebhook to the partner's books: {figures['orders']} orders, delivery on; the simulated partner is load")
    parts = ("web", "worker", "postgres", "valkey", "load")
    tell(
        ("", "delivered/s", "allocated/s", *(f"{part} µs" for part in parts)),
        [
            (
                "with delivery",
                f"{figures['delivered_per_second']:.0f}",
                f"{figures['allocated_per_second']:.0f}",
                *(str(figures["cpu_us_per_order"][part]) for part in parts),
            )
        ],
    )


def _tell_parts(mapped: Figures, routed: Figures) -> None:
    print("\nMapping one order, µs")
    tell(tuple(mapped), [tuple(str(value) for value in mapped.values())])
    print("\nRouting")
    print(json.dumps(routed, indent=2))


def _tell_vendors(figures: Figures) -> None:
    """Of each vendor the topic that takes longest."""
    dearest: dict[str, Figures] = {}
    for row in figures["topics"]:
        if row["us"] >= dearest.get(row["vendor"], {"us": 0})["us"]:
            dearest[row["vendor"]] = row
    print("\nReading one message, by vendor: the topic that takes longest, decode included")
    rows = [(vendor, row["topic"], str(row["bytes"]), f"{row['us']:.1f}") for vendor, row in dearest.items()]
    tell(("vendor", "topic", "bytes", "µs"), rows)


def _latencies(figures: Figures) -> list[str]:
    names = ("ack_p50_ms", "ack_p99_ms", "received_to_allocated_p50_ms", "received_to_allocated_p99_ms")
    return [f"{figures[name]:.1f} ms" if name in figures else "" for name in names]


def tell(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: names to the left, figures to the right."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        name, *cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join((name.strip().ljust(widths[0]), *cells)))


if __name__ == "__main__":
    main()
