"""The short version of `make faults`: two seeded runs with kills of processes and engines under load."""

import pytest

from tests.faults.kills import open_world, run


@pytest.mark.timeout(120)
async def test_nothing_is_lost_doubled_or_oversold_when_things_are_killed() -> None:
    async with open_world() as world:
        for seed in (5, 8):
            report = await run(world, seed, orders=30, per_second=20.0)
            assert report.faults == (), f"seed {report.seed}, struck {report.strikes}"
            assert all(seconds < 10 for seconds in report.taken_over_after), report
