"""A running simulator and an adapter that talks to it."""

from collections.abc import AsyncIterator

import pytest

from adapters.shiphero.harness import HARNESS
from adapters.shiphero.simulator import ShipHeroSimulator
from hub.sdk.testkit.bench import Bench


@pytest.fixture
async def simulator() -> AsyncIterator[ShipHeroSimulator]:
    async with ShipHeroSimulator() as running:
        yield running


@pytest.fixture
def bench(simulator: ShipHeroSimulator) -> Bench:
    return Bench(HARNESS, simulator, HARNESS.settings(simulator))
