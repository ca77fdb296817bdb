"""Simulators in which something happens by itself: a warehouse picks, parcels travel."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Final

from hub.sdk.testkit.simulator import Simulator

IDLE_SECONDS: Final = 0.02


class Working(Simulator, ABC):
    """Works while it listens, by its own clock."""

    _working: asyncio.Task[None] | None = None

    @abstractmethod
    async def work(self) -> None:
        """Do what is due now."""

    async def start(self, port: int = 0) -> str:
        """Listen, and begin to work."""
        url = await super().start(port)
        self._working = asyncio.create_task(self._on())
        return url

    async def stop(self) -> None:
        """Stop working, then listening. What went wrong at work is raised."""
        try:
            if self._working is not None:
                self._working.cancel()
                with suppress(asyncio.CancelledError):
                    await self._working
        finally:
            await super().stop()

    async def _on(self) -> None:
        while True:
            await self.work()
            await asyncio.sleep(IDLE_SECONDS)
