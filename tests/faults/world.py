"""A small world for fault runs: one shop, one warehouse partner, both simulated over real HTTP, both misbehaving."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shopify.simulator import ShopifySimulator
from hub.sdk.testkit.simulator import Faults, Simulator
from tests.faults.running import FaultyHub
from tests.faults.wire import Wire
from tests.scenarios.house import House, build_house

LEASE_SECONDS: Final = 2
SHORT_PAUSES: Final = """
[backoff]
schedule_seconds = [0.1, 0.3, 1.0]
cap_seconds = 2.0
max_attempts = 100
"""
QUICK: Final = f"lease_seconds = {LEASE_SECONDS}\n{SHORT_PAUSES}"
"""Settings of a hub whose leases and pauses suit runs of some seconds."""
WAREHOUSE: Final = "76733"
ITEMS: Final = 20
ON_HAND: Final = 400
SCARCE: Final = 4
"""Items of a run of which there are few."""
SCARCE_ON_HAND: Final = 6
"""Fewer than are ordered: what may be promised has an end, and the end is where two workers oversell."""
NOTED: Final = 0.15
"""Share of orders that the merchant corrects a moment later: two versions of one order are under way."""
EDITED: Final = 0.1
"""Share of orders that get another line."""


def usual_faults() -> Faults:
    """How vendors behave on a good day."""
    return Faults(server_error=0.05, throttle=0.02, lost_reply=0.05, duplicate=0.1, reorder=0.1, delay_ms=20)


class World:
    """A hub as processes, its partners behind ways that can be broken, and a house to look into its database with.

    One world serves many runs, each with goods of its own: what one run left behind is there in the next.
    """

    def __init__(self, hub: FaultyHub) -> None:
        self.hub = hub
        self.wanted: Counter[str] = Counter()
        """Units ordered, by SKU."""
        self.shelved: dict[str, int] = {}
        """Units on the shelf before anything was sold, by SKU."""
        self._node = 0
        self.shop = ShopifySimulator(
            client_secret="hush",
            access_token="tok",
            shop="faults.myshopify.com",
            bucket=1_000_000,
            restore_per_second=100_000,
            faults=usual_faults(),
        )
        self.depot = ShipHeroSimulator(
            username="u",
            password="p",
            webhook_secret="whs",
            account="depot",
            warehouses={WAREHOUSE: "Primary"},
            credits=1_000_000,
            credits_per_second=100_000,
            requests_per_five_minutes=10_000_000,
            auto_ship=True,
            ship_after_ms=300,
            faults=usual_faults(),
        )
        self.vendors: Mapping[str, Simulator] = {"shop": self.shop, "depot": self.depot}
        self.wires: dict[str, Wire] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for name, vendor in self.vendors.items():
                await opening.enter_async_context(vendor)
                self.wires[name] = await opening.enter_async_context(Wire(vendor.base_url))
            self.house: House = await build_house(
                self.hub.engines.database_url, self.hub.engines.queue_url, Path(self.hub.folder)
            )
            opening.push_async_callback(self.house.close)
            await self._furnish()
            await self.hub.start()
            self.shop.hub_url = f"{self.hub.url}/webhooks/shop"
            self.depot.hub_url = f"{self.hub.url}/webhooks/depot"
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._open.aclose()

    async def _furnish(self) -> None:
        await self.house.connect(
            "shop",
            "shopify",
            {
                "shop": self.shop.shop,
                "client_secret": "hush",
                "access_token": "tok",
                "base_url": self.wires["shop"].url,
            },
        )
        await self.house.connect(
            "depot",
            "shiphero",
            {
                "account": "depot",
                "username": "u",
                "password": "p",
                "webhook_secret": "whs",
                "base_url": self.wires["depot"].url,
                "credit_capacity": 1_000_000,
                "credits_per_second": 100_000,
                "requests_per_five_minutes": 10_000_000,
            },
        )
        # The depot's webhooks name no time and come in any order: its pulls are what sets the books right.
        for operation in ("status", "stock"):
            sql = "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('depot', $1, 2)"
            await self.house.run(sql, operation)
        self._node = await self.house.node("DEPOT", latitude=40.7, longitude=-74.0)
        await self.house.bind(self._node, "depot", WAREHOUSE)

    async def stock_up(self, seed: int) -> list[str]:
        """Goods of a run: SKUs that no other run sells. Vendors' moods are those of the seed."""
        for vendor in self.vendors.values():
            vendor.random.seed(seed)
        skus = [f"SKU-{seed}-{number}" for number in range(ITEMS)]
        for number, sku in enumerate(skus):
            units = self.shelved[sku] = SCARCE_ON_HAND if number < SCARCE else ON_HAND
            await self.house.shelf(self._node, await self.house.item(sku), units)
            self.shop.sell(sku, available=units)
            self.depot.stock(WAREHOUSE, sku, units)
        return skus

    async def sell(self, skus: Sequence[str], count: int, per_second: float, chance: random.Random) -> None:
        """Place orders at a steady rate; their webhooks come as the shop's faults will have it."""
        for _ in range(count):
            lines = [(sku, chance.randint(1, 2)) for sku in chance.sample(skus, chance.randint(1, 3))]
            self.wanted.update(dict(lines))
            order = self.shop.place_order(lines).id
            for share, change in ((NOTED, self._note), (EDITED, self._edit)):
                if chance.random() < share:
                    self._afterwards(change, order, chance.uniform(0.0, 1.5), chance.choice(skus))
            await asyncio.sleep(1 / per_second)
        await asyncio.gather(*self._later)

    def _afterwards(self, change: "Change", order: int, wait: float, sku: str) -> None:
        task = asyncio.create_task(change(order, wait, sku))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _note(self, order: int, wait: float, sku: str) -> None:
        await asyncio.sleep(wait)
        self.shop.update_order(order, note=f"mind the {sku}")

    async def _edit(self, order: int, wait: float, sku: str) -> None:
        await asyncio.sleep(wait)
        self.wanted[sku] += 1
        self.shop.edit_order(order, {}, [(sku, 1)])


Change = Callable[[int, float, str], Coroutine[None, None, None]]
