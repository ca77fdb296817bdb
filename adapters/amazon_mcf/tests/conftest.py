"""A running network and connections to it by either version."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.amazon_mcf.harness import HARNESS, settings, simulator
from adapters.amazon_mcf.settings import Settings
from adapters.amazon_mcf.simulator import McfSimulator
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.testkit.bench import Bench

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = ("2020-07-01", "2026-07-04")


@pytest.fixture(scope="session")
def tables() -> CodeTables:
    """The tables that are shipped."""
    return CodeTables(load_tables((ROOT / "mappings" / "amazon_mcf" / "tables.toml").read_text("utf-8")))


@pytest.fixture(scope="session")
def contracts() -> Path:
    """Amazon's published models and samples, beside the repository where they are kept."""
    folder = ROOT.parent / "shared" / "contracts" / "amazon-mcf"
    if not folder.is_dir():
        pytest.skip("Amazon's published models are not beside the repository")
    return folder


@pytest.fixture
async def sim() -> AsyncIterator[McfSimulator]:
    """A network that stands still until the test moves it; no limit of Amazon's may be broken."""
    async with simulator() as running:
        yield running
    assert running.violations == []


@pytest.fixture
async def connect(sim: McfSimulator) -> AsyncIterator[Callable[..., Any]]:
    """Makes a connection that speaks a version."""
    async with AsyncExitStack() as stack:

        async def make(version: str, **more: Any) -> Context[Settings]:
            known = msgspec.structs.replace(settings(sim, version), **more)
            return await stack.enter_async_context(Bench(HARNESS, sim, known).context())

        yield make


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Each of the two."""
    return str(request.param)


@pytest.fixture
async def context(connect: Callable[..., Any], version: str) -> Context[Settings]:
    """A connection by each of the two."""
    found: Context[Settings] = await connect(version)
    return found


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
