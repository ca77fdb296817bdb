"""A running ShipBob and a context to it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.shipbob.harness import HARNESS, settings, simulator
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.testkit.bench import Bench

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tables() -> CodeTables:
    """The tables that are shipped."""
    return CodeTables(load_tables((ROOT / "mappings" / "shipbob" / "tables.toml").read_text("utf-8")))


@pytest.fixture
def contracts() -> Path:
    """The vendor's published contract, beside the repository where it is kept."""
    folder = ROOT.parent / "shared" / "contracts" / "shipbob"
    if not folder.is_dir():
        pytest.skip("ShipBob's published contract is not beside the repository (its licence keeps it out)")
    return folder


@pytest.fixture
async def sim() -> AsyncIterator[ShipBobSimulator]:
    """A warehouse that stands still until the test moves it."""
    async with simulator() as running:
        yield running


@pytest.fixture
async def context(sim: ShipBobSimulator) -> AsyncIterator[Context[Settings]]:
    """A connection to it, in no hurry about limits."""
    sim.per_minute = 60_000
    known = msgspec.structs.replace(settings(sim), requests_per_minute=60_000)
    async with Bench(HARNESS, sim, known).context() as found:
        yield found


@pytest.fixture
def facts_of(tables: CodeTables) -> Callable[[Any], list[Any]]:
    """What pulled items translate to."""

    def read(items: Any) -> list[Any]:
        found: list[Any] = []
        for item in items:
            translate = HARNESS.adapter.topics[item.topic].translate
            assert translate is not None
            found.extend(translate(item.body, tables))
        return found

    return read
