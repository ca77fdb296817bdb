"""What the tests share."""

from collections.abc import AsyncIterator

import pytest

from adapters.odoo.harness import BOOKS, HARNESS
from adapters.odoo.settings import Settings
from adapters.odoo.simulator import OdooSimulator
from adapters.odoo.tests.depot import Depot
from adapters.odoo.tests.shop import Shop
from hub.sdk.testkit.bench import bench


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with bench(BOOKS) as trial:
        assert isinstance(trial.simulator, OdooSimulator)
        for sku in ("MUG-RED", "TEE-M"):
            trial.simulator.add_product(sku)
        assert isinstance(trial.settings, Settings)
        yield Shop(trial, trial.simulator, trial.settings)


@pytest.fixture
async def depot() -> AsyncIterator[Depot]:
    async with bench(HARNESS) as trial:
        assert isinstance(trial.simulator, OdooSimulator)
        assert isinstance(trial.settings, Settings)
        yield Depot(trial, trial.simulator, trial.settings)
