"""The benchmark's world: one shop, 12 nodes of one paused partner, 5,000 SKUs on two shelves in three."""

import random
from collections.abc import Iterator, Mapping
from typing import Final

from hub.wiring import build_parts, build_worker
from tests.bench.orders import SECRET, SHOP, SKUS, hot, sku
from tests.bench.running import RunningHub
from tests.scenarios.house import House

NODES: Final = (
    ("NYC", 40.7, -74.0, "America/New_York"),
    ("BOS", 42.4, -71.1, "America/New_York"),
    ("ATL", 33.7, -84.4, "America/New_York"),
    ("MIA", 25.8, -80.2, "America/New_York"),
    ("CHI", 41.9, -87.6, "America/Chicago"),
    ("DAL", 32.8, -96.8, "America/Chicago"),
    ("HOU", 29.8, -95.4, "America/Chicago"),
    ("DEN", 39.7, -105.0, "America/Denver"),
    ("PHX", 33.4, -112.1, "America/Phoenix"),
    ("LAX", 34.1, -118.2, "America/Los_Angeles"),
    ("SFO", 37.8, -122.4, "America/Los_Angeles"),
    ("SEA", 47.6, -122.3, "America/Los_Angeles"),
)
PARTNER: Final = {"account": "depot", "username": "u", "password": "p", "webhook_secret": "w"}
SHELVED: Final = 2 / 3
"""Share of (SKU, node) pairs that hold stock: orders of several lines have to be thought about."""
MOST_SHELVES: Final = 40
"""Nodes that hold a SKU, on average, at most: nobody stocks everything in a thousand stores."""
UNITS: Final = 400
HOT_UNITS: Final = 40_000


async def furnish(
    hub: RunningHub, *, nodes: int = len(NODES), skus: int = SKUS, depot: Mapping[str, object] | None = None
) -> None:
    """Make connections, nodes, items and stock.

    `depot` is the configuration of the partner; without one it is paused: effects are written, none is sent.
    """
    parts = build_parts(hub.settings, hub.engines.database_url, hub.engines.queue_url, name="bench", connections=2)
    house = House(parts=parts, worker=build_worker(parts))
    try:
        await house.connect("shop", "shopify", {"shop": SHOP, "client_secret": SECRET, "access_token": "token"})
        await house.connect("depot", "shiphero", {**PARTNER, **(depot or {})})
        await house.run("UPDATE connection SET paused = $1 WHERE id = 'depot'", depot is None)
        made = []
        for (code, latitude, longitude, zone), warehouse in zip(_places(nodes), warehouses(nodes), strict=True):
            node = await house.node(code, latitude=latitude, longitude=longitude, timezone=zone)
            await house.bind(node, "depot", warehouse)
            made.append(node)
        await stock(house, made, skus)
    finally:
        await parts.close()


def warehouses(count: int) -> dict[str, str]:
    """The partner's numbers and names of its warehouses, in the order of the nodes."""
    return {str(1001 + number): f"Warehouse {number + 1}" for number in range(count)}


def _places(count: int) -> Iterator[tuple[str, float, float, str]]:
    """The cities, then stores around them."""
    chance = random.Random(3)
    for number in range(count):
        code, latitude, longitude, zone = NODES[number % len(NODES)]
        if number < len(NODES):
            yield code, latitude, longitude, zone
        else:
            yield f"{code}{number}", latitude + chance.uniform(-2, 2), longitude + chance.uniform(-2, 2), zone


async def stock(house: House, nodes: list[int], skus: int) -> None:
    """Items, and what is on the shelves, with the ledger entries that explain it."""
    chance = random.Random(7)
    async with house.parts.database.transaction() as connection:
        rows = [("default", sku(number), 200 + chance.randrange(2000)) for number in range(skus)]
        await connection.copy_records_to_table("item", records=rows, columns=("merchant", "sku", "weight_g"))
        found = await connection.fetch("SELECT id FROM item ORDER BY sku")
        items = [row[0] for row in found]
        shelves = list(_shelves(items, nodes, chance))
        await connection.copy_records_to_table("stock", records=shelves, columns=("item_id", "node_id", "sellable"))
        await connection.execute(
            "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
            "SELECT 'default', node_id, item_id, sellable, 'count', 'bench', 'seed', now(), now() FROM stock"
        )
    await house.run("VACUUM ANALYZE")


def _shelves(items: list[int], nodes: list[int], chance: random.Random) -> Iterator[tuple[int, int, int]]:
    share = min(SHELVED, MOST_SHELVES / len(nodes))
    first_cold = hot(len(items))
    for number, item in enumerate(items):
        for node in nodes:
            if chance.random() < share:
                yield item, node, HOT_UNITS if number < first_cold else UNITS
