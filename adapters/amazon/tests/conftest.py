"""A running Amazon and a connection to it; the shipped mapping; the vendor's contracts, where they lie."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adapters.amazon.harness import HARNESS, settings, simulator
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.translate import FUNCTIONS
from hub.domain.order import OrderSnapshot
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.testkit.bench import Bench

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def read() -> Callable[[bytes], OrderSnapshot]:
    """The mapping that is shipped."""
    folder = ROOT / "mappings" / "amazon"
    tables = CodeTables(load_tables((folder / "tables.toml").read_text("utf-8")))
    return compile_mapping((folder / "order.toml").read_text("utf-8"), FUNCTIONS, tables)


@pytest.fixture(scope="session")
def contracts() -> Path:
    """Amazon's published models and samples, beside the repository where they are kept."""
    folder = ROOT.parent / "shared" / "contracts" / "amazon"
    if not folder.is_dir():
        pytest.skip("Amazon's published models are not beside the repository")
    return folder


@pytest.fixture
async def sim() -> AsyncIterator[AmazonSimulator]:
    """A seller with two listings; no limit of Amazon's may be broken in any test."""
    async with simulator() as running:
        yield running
    assert running.violations == []


@pytest.fixture
async def context(sim: AmazonSimulator) -> AsyncIterator[Context[Settings]]:
    """A connection to that seller."""
    async with Bench(HARNESS, sim, settings(sim)).context() as found:
        yield found
