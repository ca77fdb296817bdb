"""A shop on loopback and a client to it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from adapters.shopify.harness import settings, simulator
from adapters.shopify.settings import Settings, transport
from adapters.shopify.simulator import ShopifySimulator
from hub.domain.network import Connection
from hub.sdk.capabilities import Context
from hub.sdk.http import HttpClient

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


def _now() -> datetime:
    return datetime.now(UTC)
