"""Furnish the vendors' worlds and the hub: connections, items, nodes, stock points and stock, through the hub's API."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hub.demo.api import HubApi
from hub.demo.baskets import World
from hub.demo.cast import Cast
from hub.demo.places import SERVED_BY, SITES, Site
from hub.domain.network import NodeKind
from hub.sdk.testkit.player import Player

STORE_SHARE: Final = 10
"""A store takes a tenth of the orders a day, and at least this many."""


def furnish(cast: Cast, world: World) -> None:
    """Put goods into shops and books, and units on the partners' shelves."""
    for channel in cast.channels.values():
        channel.sell(world.goods)
    cast.ledger.know(world.goods)
    for site in SITES:
        spoken = cast.location(site.code)
        if spoken is not None:
            player, location = spoken
            player.shelve(location, world.stock[site.code])


async def set_up(api: HubApi, cast: Cast, world: World, *, webhooks: str, as_of: datetime) -> Mapping[Player, str]:
    """Configure the hub for this cast and world; answers the connection of each player."""
    connections = {player: await _connect(api, cast, player) for player in cast.players}
    for player, connection in connections.items():
        player.listen(f"{webhooks}/webhooks/{connection}")
    items = [{"sku": good.sku, "title": good.title, "weight_g": good.weight_g} for good in world.goods]
    await api.call("POST", "/items", {"items": items})
    await asyncio.gather(*(_node(api, cast, site, connections, len(world.baskets)) for site in SITES))
    for site in SITES:
        lines = [{"node": site.code, "sku": sku, "on_hand": units} for sku, units in world.stock[site.code].items()]
        report = {"source": "demo", "kind": "count", "as_of": as_of.isoformat(), "lines": lines}
        if lines:
            await api.call("PUT", "/stock", report)
    await asyncio.gather(*(_open(api, cast, region, connections) for region in cast.channels))
    # Partners are asked once the hub knows what their places and articles are.
    await asyncio.gather(*(_schedule(api, player, connection) for player, connection in connections.items()))
    return connections


async def _connect(api: HubApi, cast: Cast, player: Player) -> str:
    made = await api.call(
        "POST",
        "/connections",
        {
            "adapter": cast.adapters[player],
            "name": player.part.name,
            "config": player.config(),
            "schedule": {name: {"enabled": False} for name in player.schedule},
        },
    )
    connection: str = made["id"]
    return connection


async def _schedule(api: HubApi, player: Player, connection: str) -> None:
    plan = {name: {"every_seconds": seconds, "enabled": True} for name, seconds in player.schedule.items()}
    if plan:
        await api.call("PATCH", f"/connections/{connection}", {"schedule": plan})


async def _open(api: HubApi, cast: Cast, region: str, connections: Mapping[Player, str]) -> None:
    """Let a shop sell what its region's nodes have, and say what its word for delivery means to the carrier."""
    channel = cast.channels[region]
    point = {
        "account": connections[channel],
        "external_location": channel.location,
        "purpose": "sell",
        "nodes": SERVED_BY[region],
    }
    await api.call("PUT", "/stock-points", point)
    words = {channel.service: cast.carrier.service}
    await api.call("PUT", f"/connections/{connections[channel]}/tables/service", words)


async def _node(api: HubApi, cast: Cast, site: Site, connections: Mapping[Player, str], orders: int) -> None:
    spoken = cast.location(site.code)
    bindings: list[dict[str, Any]] = [{"role": "carrier", "connection": connections[cast.carrier]}]
    if spoken is not None:
        player, location = spoken
        bindings = [
            {"role": role, "connection": connections[player], "external_location": location}
            for role in ("fulfil", "stock_master")
        ]
    city = site.city
    node = {
        "name": site.title,
        "kind": site.kind.value,
        "address": {
            "company": site.title,
            "phone": "+441632960123",
            "lines": [site.street],
            "city": city.name,
            "region": city.region,
            "postal_code": city.postal_code,
            "country": city.country,
        },
        "latitude": city.latitude,
        "longitude": city.longitude,
        "timezone": site.timezone,
        "calendar": {"weekdays": [0, 1, 2, 3, 4, 5, 6] if site.kind is NodeKind.STORE else [0, 1, 2, 3, 4]},
        "capacity_per_day": max(STORE_SHARE, orders // STORE_SHARE) if site.kind is NodeKind.STORE else None,
        "bindings": bindings,
    }
    await api.call("PUT", f"/nodes/{site.code}", node)
