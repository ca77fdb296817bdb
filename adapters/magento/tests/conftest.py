"""A store on loopback and a client to it; the mapping as it is shipped."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.magento import simulator_bodies as bodies
from adapters.magento.adapter import ADAPTER
from adapters.magento.harness import settings, simulator
from adapters.magento.settings import Settings, transport
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder
from hub.domain.network import Connection
from hub.domain.order import OrderSnapshot
from hub.mapping.compile import Mapping, compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient

ROOT = Path(__file__).resolve().parents[3]
MAPPINGS = ROOT / "mappings" / "magento"
CONNECTION = Connection(
    id="c1", merchant="default", account=1, account_name="dune.example", adapter="magento", name="Dune"
)

_encoder = msgspec.json.Encoder(decimal_format="number")


def now() -> datetime:
    return datetime.now(UTC)


def document(order: StoreOrder, **more: Any) -> dict[str, Any]:
    """An order as the pull stores it."""
    invoices = [bodies.document_body(order, one, memo=False) for one in order.invoices]
    memos = [bodies.document_body(order, one, memo=True) for one in order.memos]
    beside = {"invoices": invoices, "creditmemos": memos}
    return bodies.order_body(order) | {name: value for name, value in beside.items() if value} | more


def encoded(body: Any) -> bytes:
    """JSON with amounts as numbers."""
    return _encoder.encode(body)


@pytest.fixture(scope="session")
def mapping() -> Mapping:
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text("utf-8")))
    return compile_mapping((MAPPINGS / "order.toml").read_text("utf-8"), ADAPTER.functions, tables)


@pytest.fixture
def read(mapping: Mapping) -> Callable[..., OrderSnapshot]:
    """Map an order of the books, some fields changed."""

    def read_order(order: StoreOrder, **more: Any) -> OrderSnapshot:
        return mapping(encoded(document(order, **more)))

    return read_order


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The vendor's published contract, beside the repository where it is kept."""
    folder = ROOT.parent / "shared" / "contracts" / "magento"
    if not folder.is_dir():
        pytest.skip("Magento's published contract is not beside the repository (its licence keeps it out)")
    return folder


@pytest.fixture
def books() -> MagentoSimulator:
    """A store that nobody serves."""
    return simulator()


@pytest.fixture
async def store() -> AsyncIterator[MagentoSimulator]:
    async with simulator() as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def context(store: MagentoSimulator) -> AsyncIterator[Context[Settings]]:
    given = msgspec.structs.replace(settings(store), requests_per_second=500.0)
    async with HttpClient(transport(given), clock=now) as client:
        yield Context(connection=CONNECTION, settings=given, client=client, now=now)


def with_settings(context: Context[Settings], **changes: Any) -> Context[Settings]:
    """The same context under other settings."""
    return msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, **changes))


@pytest.fixture
def kits(store: MagentoSimulator) -> MagentoSimulator:
    """The store sells what is made of other things, too."""
    store.sell("TEE-S", quantity=9)
    store.sell("TEE", kind="configurable", child="TEE-S", price=Decimal("22.00"))
    store.sell("BALL", quantity=9)
    store.sell("STRAP", quantity=9)
    store.sell("PDF", kind="downloadable")
    parts = (("BALL", 1), ("STRAP", 2))
    store.sell("KIT", kind="bundle", parts=parts, together=True)
    store.sell("LOOSE", kind="bundle", parts=parts, together=False)
    return store
