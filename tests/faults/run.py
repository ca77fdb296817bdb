"""`make faults`: seeded kill runs, one after the other; prints each seed, and replays one with `--seed N --runs 1`."""

import argparse
import asyncio
import sys
import time

from tests.faults.kills import run


def main() -> int:
    """Run, report each run in a line, exit 1 when one of them found a disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run; the others count on from it")
    parser.add_argument("--orders", type=int, default=120)
    parser.add_argument("--kills", type=int, default=5)
    chosen = parser.parse_args()
    failed = []
    for seed in range(chosen.seed, chosen.seed + chosen.runs):
        started = time.monotonic()
        report = asyncio.run(run(seed, orders=chosen.orders, kills=chosen.kills))
        verdict = "ok" if not report.faults else "FAILED"
        seconds = time.monotonic() - started
        rest = "" if report.rested_after is None else f", books agreed after {report.rested_after:.1f} s"
        print(
            f"seed {seed}: {verdict}, {report.orders} orders{rest}; struck {', '.join(report.kills)}; {seconds:.0f} s"
        )
        for fault in report.faults:
            print(f"    {fault}")
        if report.faults:
            failed.append(seed)
    print(f"{chosen.runs - len(failed)} passed, {len(failed)} failed" + (f": seeds {failed}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
