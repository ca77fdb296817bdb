"""The short version of `make faults`: two seeded runs with kills of processes and engines under load."""

import pytest

from tests.faults.kills import run


@pytest.mark.timeout(150)
@pytest.mark.parametrize("seed", [11, 12])
async def test_nothing_is_lost_doubled_or_oversold_when_things_are_killed(seed: int) -> None:
    report = await run(seed, orders=40, per_second=20.0, kills=3)
    assert report.faults == (), f"seed {report.seed}, killed {report.kills}"
