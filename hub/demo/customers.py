"""The customers: orders placed over time, a few of them edited or cancelled shortly after."""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.demo.baskets import Basket
from hub.demo.cast import Cast
from hub.sdk.testkit.player import ChannelPlayer

PER_SECOND: Final = 25.0
CANCELLED: Final = 0.03
EDITED: Final = 0.03
SECOND_THOUGHTS: Final = (0.05, 1.5)
"""Seconds until somebody changes his mind."""


@dataclass(kw_only=True)
class Customers:
    """Everybody who buys. `thinking` are second thoughts under way."""

    cast: Cast
    seed: int
    placed: int = 0
    thinking: set[asyncio.Task[None]] = field(default_factory=set)

    async def order(self, baskets: Sequence[Basket]) -> None:
        """Place the orders and wait for the last second thought."""
        chance = random.Random(self.seed)
        for basket in baskets:
            self.place(basket, chance)
            await asyncio.sleep(chance.expovariate(PER_SECOND))
        while self.thinking:
            await asyncio.gather(*self.thinking)

    def place(self, basket: Basket, chance: random.Random) -> str:
        """Place one order; answers the channel's id."""
        channel = self.cast.channels[basket.region]
        order = channel.place(basket.lines, basket.ship_to, basket.prices)
        self.placed += 1
        fate, seconds = chance.random(), chance.uniform(*SECOND_THOUGHTS)
        sku, units = chance.choice(basket.lines)
        if fate < CANCELLED:
            self._later(_cancel(channel, order, seconds))
        elif fate < CANCELLED + EDITED and (units > 1 or len(basket.lines) > 1):
            self._later(_reduce(channel, order, sku, units // 2, seconds))
        return order

    def _later(self, thought: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(thought)
        self.thinking.add(task)
        task.add_done_callback(self.thinking.discard)


async def _cancel(channel: ChannelPlayer, order: str, seconds: float) -> None:
    await asyncio.sleep(seconds)
    channel.cancel(order)


async def _reduce(channel: ChannelPlayer, order: str, sku: str, units: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    channel.reduce(order, sku, units)
