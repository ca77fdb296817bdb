"""A seller on loopback, a client to it, the shipped mapping, and the vendor's own specification and samples."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapters.square import schemas
from adapters.square.harness import settings, simulator
from adapters.square.settings import Settings, transport
from adapters.square.simulator import SquareSimulator
from adapters.square.translate import FUNCTIONS
from hub.domain.network import Connection
from hub.domain.order import OrderSnapshot
from hub.mapping.compile import compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT.parent / "shared" / "contracts" / "square"
CONNECTION = Connection(
    id="c1", merchant="default", account=1, account_name="MDUNE0000001", adapter="square", name="Dune"
)

Read = Callable[[bytes], OrderSnapshot]


@pytest.fixture
async def seller() -> AsyncIterator[SquareSimulator]:
    async with simulator() as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def context(seller: SquareSimulator) -> AsyncIterator[Context[Settings]]:
    given = settings(seller)
    async with HttpClient(transport(given), clock=_now) as client:
        yield Context(connection=CONNECTION, settings=given, client=client, now=_now)


@pytest.fixture(scope="session")
def read() -> Read:
    folder = ROOT / "mappings" / "square"
    tables = CodeTables(load_tables((folder / "tables.toml").read_text("utf-8")))
    mapping = compile_mapping((folder / "order.toml").read_text("utf-8"), FUNCTIONS, tables)
    return lambda body: mapping(body)


@pytest.fixture(scope="session")
def mapped(read: Read) -> Read:
    return read


@pytest.fixture
def context_free() -> tuple[msgspec.json.Decoder[schemas.UpdatedOrder], datetime]:
    return msgspec.json.Decoder(schemas.UpdatedOrder), _now()


@pytest.fixture(scope="session")
def contracts() -> Path:
    if not CONTRACTS.is_dir():
        pytest.skip("the vendor's specification and samples are not beside this repository")
    return CONTRACTS


def _now() -> datetime:
    return datetime.now(UTC)
