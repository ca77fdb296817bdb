"""A simulator works by itself from the moment it listens until it stops."""

import asyncio
from collections.abc import Sequence

import pytest
from litestar.types import ControllerRouterHandler

from hub.sdk.testkit.working import IDLE_SECONDS, Working


class Mill(Working):
    def __init__(self, flour: int) -> None:
        super().__init__()
        self.flour, self.ground = flour, asyncio.Event()

    def routes(self) -> Sequence[ControllerRouterHandler]:
        return []

    async def work(self) -> None:
        if self.flour == 0:
            raise ValueError("no corn")
        self.flour += 1
        if self.flour > 3:
            self.ground.set()


async def test_it_works_while_it_listens_and_not_after() -> None:
    async with Mill(1) as mill:
        await asyncio.wait_for(mill.ground.wait(), 5)
    ground = mill.flour
    await asyncio.sleep(3 * IDLE_SECONDS)
    assert mill.flour == ground


async def test_what_went_wrong_at_work_is_not_kept_quiet() -> None:
    mill = Mill(0)
    await mill.start()
    await asyncio.sleep(IDLE_SECONDS)
    with pytest.raises(ValueError, match="no corn"):
        await mill.stop()
