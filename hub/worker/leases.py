"""Keep a lease while remote work runs: short enough that a killed worker's work is soon taken over by another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from hub.store.database import is_weather

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 8.0
"""With a sweep of a second, what a killed worker had begun runs again within ten."""
RENEWED_EVERY_SECONDS: Final = 2.0


@asynccontextmanager
async def kept(renew: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `renew(LEASE_SECONDS)` every now and then while the block runs.

    A renewal that fails is only told: whoever writes under a lost lease is refused by its fence.
    """
    renewing = asyncio.create_task(_renew(renew))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def _renew(renew: Callable[[float], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(RENEWED_EVERY_SECONDS)
        try:
            await renew(LEASE_SECONDS)
        except Exception as error:
            # The edge of a task: the work itself goes on, and the next renewal may succeed.
            if not is_weather(error):
                log.exception("lease.not_renewed")
            else:
                log.warning("lease.not_renewed", reason=f"{type(error).__name__}: {error}")
