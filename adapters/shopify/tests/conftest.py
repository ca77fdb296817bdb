"""A shop on loopback and a client to it, and the mapping of its orders."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.shopify import translate
from adapters.shopify.harness import settings, simulator
from adapters.shopify.settings import Settings, transport
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.tests.reading import MAPPINGS, Read
from hub.domain.network import Connection
from hub.domain.order import OrderSnapshot
from hub.mapping.compile import Mapping, compile_mapping
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient
from tests.unit.mapping.shopify_orders import Json, order_bytes, shopify_order

CONNECTION = Connection(
    id="c1", merchant="default", account=1, account_name="dune.myshopify.com", adapter="shopify", name="Dune"
)


@pytest.fixture
async def shop() -> AsyncIterator[ShopifySimulator]:
    async with simulator() as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def context(shop: ShopifySimulator) -> AsyncIterator[Context[Settings]]:
    given = settings(shop)
    async with HttpClient(transport(given), clock=_now) as client:
        yield Context(connection=CONNECTION, settings=given, client=client, now=_now)


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    tables = CodeTables(load_tables((MAPPINGS / "tables.toml").read_text()))
    return compile_mapping((MAPPINGS / "order.toml").read_text(), translate.FUNCTIONS, tables)


@pytest.fixture
def read(mapping: Mapping) -> Read:
    """Map an order of two lines after some changes; a function changes it in place."""

    def read_order(change: Callable[[Json], object] | None = None, /, **fields: Any) -> OrderSnapshot:
        order = shopify_order(1, lines=2) | fields
        if change is not None:
            change(order)
        return mapping(order_bytes(order))

    return read_order


def _now() -> datetime:
    return datetime.now(UTC)
