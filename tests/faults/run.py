"""`make faults`: seeded runs under faults, then the long versions of the proof. Goes on where it was stopped.

`--seed N --runs 1` replays one run; `--kind NAME` runs one kind; `--again` forgets what passed before.
"""

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Coroutine, Sequence
from typing import Final

from tests.faults.kills import Report, open_world, run
from tests.faults.kinds import KINDS, Kind
from tests.faults.progress import Progress
from tests.faults.world import World

SEEDED: Final = "seeds"
RUNS_PER_WORLD: Final = 6
"""Runs that one hub lives through; then another begins with nothing."""


def main() -> int:
    """Run, report each run in a line, exit 1 when one of them found a disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="all", choices=["all", SEEDED, *KINDS])
    parser.add_argument("--runs", type=int, default=200, help="seeded runs that have to pass")
    parser.add_argument("--seed", type=int, help="replay from this seed on, whatever passed before")
    parser.add_argument("--only", help="strike with this and nothing else")
    parser.add_argument("--again", action="store_true", help="forget what passed before")
    chosen = parser.parse_args()
    try:
        failed = _run(chosen)
    except KeyboardInterrupt:
        print("stopped; the next call goes on from here")
        return 130
    print(f"failed: {failed}" if failed else "nothing failed")
    return 1 if failed else 0


def _run(chosen: argparse.Namespace) -> list[str]:
    progress = Progress.read(again=chosen.again)
    failed: list[str] = []
    if chosen.kind in ("all", SEEDED):
        failed += _seeded(chosen, progress)
    for name, kind in KINDS.items():
        if chosen.kind == name or (chosen.kind == "all" and name not in progress.kinds):
            failed += _long(name, kind, progress)
    return failed


def _long(name: str, kind: Kind, progress: Progress) -> list[str]:
    started = time.monotonic()
    try:
        measured = asyncio.run(_told(kind))
    except (AssertionError, TimeoutError, ExceptionGroup) as error:
        traceback.print_exception(error)
        print(f"{name}: FAILED after {time.monotonic() - started:.0f} s", flush=True)
        return [name]
    print(f"{name}: ok, {measured}; {time.monotonic() - started:.0f} s", flush=True)
    progress.note_kind(name, measured)
    return []


async def _told(kind: Kind) -> str:
    return await kind()


def _seeded(chosen: argparse.Namespace, progress: Progress) -> list[str]:
    replayed = chosen.seed is not None or chosen.only is not None
    first = chosen.seed or 1
    seeds = [seed for seed in range(first, first + chosen.runs) if replayed or seed not in progress.passed]
    if len(seeds) < chosen.runs:
        print(f"{chosen.runs - len(seeds)} of {chosen.runs} seeds passed before")
    reports: list[Report] = []
    while seeds:
        reports += asyncio.run(_in_one_world(seeds, chosen.only, None if replayed else progress))
        seeds = seeds[seeds.index(reports[-1].seed) + 1 :]
    failed = [f"seed {report.seed}" for report in reports if report.faults]
    taken = [seconds for report in reports for seconds in report.taken_over_after]
    print(f"{len(reports) - len(failed)} seeds passed, {len(failed)} failed")
    if reports:
        print(f"longest run {max(report.seconds for report in reports):.0f} s")
    if taken:
        print(f"killed workers' calls in other hands after {max(taken):.1f} s at most ({len(taken)} times)")
    return failed


async def _in_one_world(seeds: Sequence[int], only: str | None, progress: Progress | None) -> list[Report]:
    """Runs one after the other in one world, until it has had enough of them or one failed."""
    reports: list[Report] = []
    async with open_world() as world:
        for seed in seeds[:RUNS_PER_WORLD]:
            report = await _unless_stopped(world, run(world, seed, only=only))
            reports.append(report)
            print(_line(report), flush=True)
            if progress is not None:
                progress.note(seed, passed=not report.faults)
            if report.faults:
                break
    return reports


async def _unless_stopped(world: World, running: Coroutine[None, None, Report]) -> Report:
    """The report of a run; KeyboardInterrupt when the campaign was told to stop meanwhile."""
    run_, stopped = asyncio.create_task(running), asyncio.create_task(world.hub.until_told_to_stop())
    await asyncio.wait({run_, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not run_.done():
        run_.cancel()
        raise KeyboardInterrupt
    stopped.cancel()
    return run_.result()


def _line(report: Report) -> str:
    verdict = f"books agreed after {report.rested_after:.1f} s" if not report.faults else "FAILED"
    taken = "".join(f", taken over in {one:.1f} s" for one in report.taken_over_after)
    told = f"seed {report.seed}: {verdict}, {report.orders} orders{taken} [{'; '.join(report.strikes)}]"
    below = report.faults or report.open_late
    return "\n".join([f"{told} {report.seconds:.0f} s", *(f"    {one}" for one in below)])


if __name__ == "__main__":
    sys.exit(main())
