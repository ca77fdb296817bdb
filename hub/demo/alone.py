"""One simulated vendor by itself, for whoever tries a connection by hand."""

import asyncio
import hashlib
import pkgutil
from collections.abc import Iterable
from decimal import Decimal
from importlib.util import find_spec

import msgspec
from rich.console import Console

import adapters
from hub.demo.cast import CALM, MODULE, ROUGH, find_players
from hub.sdk.testkit.player import ChannelPlayer, Good, LedgerPlayer, NodePlayer, Part, Player
from hub.supervisor import SIGNALS

SHELF = 100
GOODS = (
    Good(sku="MUG-RED", title="Mug, red", price=Decimal("12.99"), weight_g=350),
    Good(sku="TEE-M", title="T-shirt, M", price=Decimal("19.99"), weight_g=180),
)


class UnknownVendor(Exception):
    """No such simulator."""


async def serve(vendor: str, *, port: int, webhooks: str | None, seed: int, calm: bool) -> None:
    """Serve one vendor with a small assortment until a signal. Raises `UnknownVendor`, OSError for a taken port."""
    players = find_players()
    if vendor not in players:
        raise UnknownVendor(_unknown(vendor, players))
    faults = msgspec.structs.replace(CALM if calm else ROUGH)
    player = players[vendor](Part(name="sim", secret=secret_of(vendor, seed), seed=seed, faults=faults))
    _furnish(player)
    await player.simulator.start(port)
    try:
        if webhooks is not None:
            player.listen(webhooks)
        body = {"adapter": vendor, "config": player.config()}
        console = Console(highlight=False)
        console.print(f"POST /api/v1/connections  {msgspec.json.encode(body).decode()}", soft_wrap=True, markup=False)
        await _signal()
    finally:
        await player.simulator.stop()


def secret_of(vendor: str, seed: int) -> str:
    """What a simulator's credentials are made of, the same again: a script connects once and starts it at will.

    Protects nothing; a simulator holds nothing.
    """
    return hashlib.sha256(f"crossdock sim {vendor} {seed}".encode()).hexdigest()[:32]


def _unknown(vendor: str, there: Iterable[str]) -> str:
    choice = f"there are: {', '.join(sorted(there))}"
    package = f"{adapters.__name__}.{vendor}"
    if vendor in {found.name for found in pkgutil.iter_modules(adapters.__path__)} and find_spec(
        f"{package}.simulator"
    ):
        return (
            f"{vendor} has a simulator for `crossdock adapters check {vendor}` only: its package brings no "
            f"{MODULE}.py with a PLAYER; {choice}"
        )
    return f"no simulator {vendor!r}; {choice}"


async def _signal() -> None:
    told = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


def _furnish(player: Player) -> None:
    match player:
        case ChannelPlayer():
            player.sell(GOODS)
        case NodePlayer():
            for location in player.locations:
                player.shelve(location, {good.sku: SHELF for good in GOODS})
        case LedgerPlayer():
            player.know(GOODS)
        case _:
            pass
