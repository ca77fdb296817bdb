"""Test 10: a partner that is down keeps nobody else waiting, is asked seldom, and gets its backlog once it is back."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from adapters.shiphero.simulator import ShipHeroSimulator
from tests.proof.conftest import working
from tests.scenarios.town import Town

BACKLOG = 60
OTHERS = 40
SECONDS = 15.0


@pytest.fixture
async def far(town: Town) -> AsyncIterator[ShipHeroSimulator]:
    """Another partner, with a node of its own."""
    async with ShipHeroSimulator(account="far", username="u", password="p", warehouses={"9": "Far"}) as partner:
        config = {"account": "far", "username": "u", "password": "p", "webhook_secret": "w"}
        await town.house.connect("far", "shiphero", {**config, "base_url": partner.base_url})
        node = await town.house.node("FAR", latitude=35.0, longitude=-90.0)
        await town.house.bind(node, "far", "9")
        town.shop.sell("LAMP", available=1000)
        await town.house.shelf(node, await town.house.item("LAMP"), 1000)
        yield partner


async def reached(partner: ShipHeroSimulator, count: int) -> float:
    """Wait until so many orders are there; the seconds it took."""
    started = time.monotonic()
    while len(partner.orders) < count:
        assert time.monotonic() - started < SECONDS, f"{len(partner.orders)} of {count}"
        await asyncio.sleep(0.02)
    return time.monotonic() - started


async def test_a_partner_that_is_down_holds_up_no_other_and_catches_up(town: Town, far: ShipHeroSimulator) -> None:
    town.depot.faults.outage = True
    for _ in range(BACKLOG):
        town.shop.place_order([("PASS", 1)])
    async with working(town.house):
        await town.shop.delivered()
        for _ in range(OTHERS):
            town.shop.place_order([("LAMP", 1)])
        await reached(far, OTHERS)
        assert sum(town.depot.calls.values()) < BACKLOG / 2, "the breaker is open: one that is down is asked seldom"
        assert town.depot.orders == {}

        town.depot.faults.outage = False
        # The breaker's pause and the effects' own, left out: it is the vendor's clock that goes on.
        town.house.close_circuits()
        await town.house.run("UPDATE outbox SET due_at = now() WHERE NOT parked")
        await reached(town.depot, BACKLOG)
    assert set(town.depot.orders_created.values()) == {1}
    assert set(far.orders_created.values()) == {1}
    assert await town.house.open_exceptions() == []
