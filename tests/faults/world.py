"""A small world for fault runs: one shop, one warehouse partner, both simulated over real HTTP, both misbehaving."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Self

from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shopify.simulator import ShopifySimulator
from hub.sdk.testkit.simulator import Faults
from tests.bench.running import RunningHub
from tests.scenarios.house import House, build_house

LEASE_SECONDS = 2
QUICK = f"""
lease_seconds = {LEASE_SECONDS}

[backoff]
schedule_seconds = [0.1, 0.3, 1.0]
max_attempts = 100
"""
SKUS = tuple(f"SKU-{number}" for number in range(20))
ON_HAND = 400
SCARCE = SKUS[:4]
SCARCE_ON_HAND = 9
"""Fewer than are ordered: what may be promised has an end, and the end is where two workers oversell."""


class World:
    """A hub as processes, its partners, and a house in this process to look into its database with."""

    def __init__(self, hub: RunningHub, chance: random.Random) -> None:
        faults = Faults(server_error=0.05, lost_reply=0.05, duplicate=0.1, reorder=0.1, delay_ms=20)
        seed = chance.randrange(1 << 30)
        self.hub = hub
        self.wanted: Counter[str] = Counter()
        """Units ordered, by SKU."""
        self.shop = ShopifySimulator(
            client_secret="hush",
            access_token="tok",
            shop="faults.myshopify.com",
            bucket=1_000_000,
            restore_per_second=100_000,
            seed=seed,
            faults=faults,
        )
        self.depot = ShipHeroSimulator(
            username="u",
            password="p",
            webhook_secret="whs",
            account="depot",
            warehouses={"76733": "Primary"},
            credits=1_000_000,
            credits_per_second=100_000,
            requests_per_five_minutes=10_000_000,
            auto_ship=True,
            ship_after_ms=300,
            seed=seed,
            faults=faults,
        )

    async def __aenter__(self) -> Self:
        await self.shop.start()
        await self.depot.start()
        self.house: House = await build_house(
            self.hub.engines.database_url, self.hub.engines.queue_url, Path(self.hub.folder)
        )
        await self._furnish()
        await self.hub.start()
        self.shop.hub_url = f"{self.hub.url}/webhooks/shop"
        self.depot.hub_url = f"{self.hub.url}/webhooks/depot"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.shop.stop()
        await self.depot.stop()
        await self.house.close()

    async def _furnish(self) -> None:
        await self.house.connect(
            "shop",
            "shopify",
            {"shop": self.shop.shop, "client_secret": "hush", "access_token": "tok", "base_url": self.shop.base_url},
        )
        await self.house.connect(
            "depot",
            "shiphero",
            {
                "account": "depot",
                "username": "u",
                "password": "p",
                "webhook_secret": "whs",
                "base_url": self.depot.base_url,
                "credit_capacity": 1_000_000,
                "credits_per_second": 100_000,
                "requests_per_five_minutes": 10_000_000,
            },
        )
        # The depot's webhooks name no time and come in any order: its pulls are what sets the books right.
        for operation in ("status", "stock"):
            sql = "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('depot', $1, 2)"
            await self.house.run(sql, operation)
        node = await self.house.node("DEPOT", latitude=40.7, longitude=-74.0)
        await self.house.bind(node, "depot", "76733")
        for sku in SKUS:
            await self.house.shelf(node, await self.house.item(sku), self.on_hand(sku))
            self.shop.sell(sku, available=self.on_hand(sku))
            self.depot.stock("76733", sku, self.on_hand(sku))

    def on_hand(self, sku: str) -> int:
        """Units on the shelf before anything is sold."""
        return SCARCE_ON_HAND if sku in SCARCE else ON_HAND

    async def sell(self, count: int, per_second: float, chance: random.Random) -> None:
        """Place orders at a steady rate; their webhooks come as the shop's faults will have it."""
        for _ in range(count):
            lines = [(sku, chance.randint(1, 2)) for sku in chance.sample(SKUS, chance.randint(1, 3))]
            self.wanted.update(dict(lines))
            self.shop.place_order(lines)
            await asyncio.sleep(1 / per_second)
