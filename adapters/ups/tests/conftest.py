"""A running UPS and a context to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.ups.harness import HARNESS, settings, simulator
from adapters.ups.settings import Settings
from adapters.ups.simulator import UpsSimulator
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.testkit.bench import Bench

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT.parent / "shared" / "contracts" / "ups"


@pytest.fixture
def tables() -> CodeTables:
    """The tables that are shipped."""
    return CodeTables(load_tables((ROOT / "mappings" / "ups" / "tables.toml").read_text("utf-8")))


@pytest.fixture(scope="session")
def contracts() -> Path:
    """UPS's specifications and samples, beside the repository where they are kept."""
    if not CONTRACTS.is_dir():
        pytest.skip("UPS's specifications are not beside the repository")
    return CONTRACTS


@pytest.fixture
async def sim() -> AsyncIterator[UpsSimulator]:
    """Empty books, and parcels that lie still."""
    async with simulator() as running:
        yield running


@pytest.fixture
async def context(sim: UpsSimulator) -> AsyncIterator[Context[Settings]]:
    """A connection to it."""
    async with Bench(HARNESS, sim, settings(sim)).context() as found:
        yield found
