"""A running EasyPost and a context to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.easypost.harness import HARNESS, settings, simulator
from adapters.easypost.settings import Settings
from adapters.easypost.simulator import EasyPostSimulator
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.testkit.bench import Bench

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT.parent / "shared" / "contracts" / "easypost" / "samples"


@pytest.fixture
def tables() -> CodeTables:
    """The tables that are shipped."""
    return CodeTables(load_tables((ROOT / "mappings" / "easypost" / "tables.toml").read_text("utf-8")))


@pytest.fixture
def samples() -> Path:
    """What EasyPost publishes, beside the repository where it is kept."""
    if not SAMPLES.is_dir():
        pytest.skip("EasyPost's published samples are not beside the repository")
    return SAMPLES


@pytest.fixture
async def sim() -> AsyncIterator[EasyPostSimulator]:
    """Empty books, and parcels that lie still."""
    async with simulator() as running:
        yield running


@pytest.fixture
async def context(sim: EasyPostSimulator) -> AsyncIterator[Context[Settings]]:
    """A connection to it."""
    async with Bench(HARNESS, sim, settings(sim)).context() as found:
        yield found
