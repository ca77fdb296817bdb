"""Who plays: the players that adapters bring, found by scanning, and the parts they are given."""

import importlib
import pkgutil
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from typing import Any, Final, Self, TypeVar

import msgspec

import adapters
from hub.demo.places import SITES
from hub.domain.network import NodeKind
from hub.sdk.testkit.player import CarrierPlayer, ChannelPlayer, LedgerPlayer, NodePlayer, Part, Player
from hub.sdk.testkit.simulator import Faults

P = TypeVar("P", bound=Player)

MODULE: Final = "demo"
"""Module of an adapter that holds its `PLAYER`."""

CALM: Final = Faults()
ROUGH: Final = Faults(server_error=0.01, throttle=0.005, lost_reply=0.01, delay_ms=20, duplicate=0.05, reorder=0.05)
"""Every vendor, all the time."""


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """A shop to be."""

    region: str
    currency: str
    tax_rate: Decimal
    tax_included: bool


SHOPS: Final = (
    Shop(region="us", currency="USD", tax_rate=Decimal("0.0725"), tax_included=False),
    Shop(region="eu", currency="EUR", tax_rate=Decimal("0.21"), tax_included=True),
    Shop(region="uk", currency="GBP", tax_rate=Decimal("0.20"), tax_included=True),
)


class CastMissing(Exception):
    """No adapter brings a player that is needed."""


def find_players() -> Mapping[str, type[Player]]:
    """Players by the name of their adapter."""
    found: dict[str, type[Player]] = {}
    for package in pkgutil.iter_modules(adapters.__path__):
        name = f"{adapters.__name__}.{package.name}.{MODULE}"
        if package.ispkg and find_spec(name) is not None:
            found[package.name] = importlib.import_module(name).PLAYER
    return found


def _choose(players: Mapping[str, type[Player]], kind: type[P], what: str) -> list[tuple[str, type[P]]]:
    found = [(name, player) for name, player in sorted(players.items()) if issubclass(player, kind)]
    if not found:
        raise CastMissing(f"no adapter brings {what} for the demo (a module `{MODULE}.py` with a PLAYER)")
    return found


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The players of a run; each has the name of its adapter beside it."""

    channels: Mapping[str, ChannelPlayer]
    """By region."""
    nodes: Mapping[NodeKind, NodePlayer]
    carrier: CarrierPlayer
    ledger: LedgerPlayer
    adapters: Mapping[Player, str]
    stack: AsyncExitStack

    @classmethod
    def choose(cls, seed: int, *, calm: bool) -> Self:
        """Give out the parts. Raises `CastMissing`."""
        players, names = find_players(), dict[Player, str]()
        numbers = iter(range(1000 * seed, 1000 * seed + 1000))

        def make(chosen: tuple[str, type[P]], name: str, **words: Any) -> P:
            adapter, player = chosen
            faults = msgspec.structs.replace(CALM if calm else ROUGH)
            made = player(Part(name=name, secret=secrets.token_hex(16), seed=next(numbers), faults=faults, **words))
            names[made] = adapter
            return made

        sellers = _choose(players, ChannelPlayer, "a channel")  # type: ignore[type-abstract]
        workers = _choose(players, NodePlayer, "a node")  # type: ignore[type-abstract]
        carriers = _choose(players, CarrierPlayer, "a carrier")  # type: ignore[type-abstract]
        ledgers = _choose(players, LedgerPlayer, "a ledger")  # type: ignore[type-abstract]
        channels = {
            shop.region: make(
                sellers[number % len(sellers)],
                f"demo-{shop.region}",
                currency=shop.currency,
                tax_rate=shop.tax_rate,
                tax_included=shop.tax_included,
            )
            for number, shop in enumerate(SHOPS)
        }
        nodes = {}
        for kind in (NodeKind.DC, NodeKind.THIRD_PARTY):
            able = [one for one in workers if one[1].node_kind is kind]
            if not able:
                raise CastMissing(f"no adapter brings a node of kind {kind.value} for the demo")
            titles = tuple(site.title for site in SITES if site.kind is kind)
            nodes[kind] = make(able[0], f"demo-{kind.value}", places=titles)
        return cls(
            channels=channels,
            nodes=nodes,
            carrier=make(carriers[0], "demo-carrier"),
            ledger=make(ledgers[0], "demo-ledger", currencies=tuple(shop.currency for shop in SHOPS)),
            adapters=names,
            stack=AsyncExitStack(),
        )

    @property
    def players(self) -> Sequence[Player]:
        """All of them."""
        return list(self.adapters)

    def location(self, code: str) -> tuple[NodePlayer, str] | None:
        """Who speaks for a node, and its own name of it; None for one that is worked through the hub."""
        site = next(site for site in SITES if site.code == code)
        player = self.nodes.get(site.kind)
        if player is None:
            return None
        places = [one.code for one in SITES if one.kind is site.kind]
        return player, player.locations[places.index(code)]

    async def __aenter__(self) -> Self:
        for player in self.players:
            await self.stack.enter_async_context(player.simulator)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stack.aclose()
