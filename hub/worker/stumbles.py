"""An order that our own code stumbles over is told and set aside for a while: it holds up no other."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.flow.ports import Unit
from hub.flow.trouble import Trouble
from hub.store.troubles import raise_troubles
from hub.store.unit_of_work import PostgresStore
from hub.worker.blame import blames_a_row

log = structlog.get_logger(__name__)

PAUSE: Final = timedelta(minutes=10)
"""For how long it is left alone; then it is tried again."""

LONGEST_REASON: Final = 500


class Stumbles:
    """Orders that are left alone by this process. Another process finds them by itself, and the exception is one."""

    def __init__(self, store: PostgresStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._until: dict[str, datetime] = {}

    def aside(self) -> frozenset[str]:
        """Those that are left alone now."""
        now = self._clock()
        self._until = {id: until for id, until in self._until.items() if until > now}
        return frozenset(self._until)

    async def around(
        self, lane: str, work: Callable[[str | None], Awaitable[int]], due: Callable[[Unit], Awaitable[Iterable[str]]]
    ) -> int:
        """How many orders `work(None)` saw to; where one of them is to blame for its failure, one by one by their ids.

        `due` names the orders that the work would take.
        """
        try:
            return await work(None)
        except Exception as error:
            if not blames_a_row(error):
                raise
            log.warning("batch.split", lane=lane, reason=f"{type(error).__name__}: {error}")
            async with self._store.unit() as unit:
                ids = [id for id in await due(unit) if id not in self._until]
            if not ids:
                raise
        return sum([await self._alone(lane, id, work) for id in ids])

    async def _alone(self, lane: str, id: str, work: Callable[[str | None], Awaitable[int]]) -> int:
        try:
            return await work(id)
        except Exception as error:
            if not blames_a_row(error):
                raise
            reason = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
        log.error("order.set_aside", lane=lane, order=id, reason=reason)
        now = self._clock()
        self._until[id] = now + PAUSE
        step = (
            f"It is left alone, and tried again every {PAUSE.seconds // 60} minutes; the others go on. Look at it with "
            f"GET /api/v1/orders/{id}: resolve this when it has gone on, and report it with the log when it does not."
        )
        async with self._store.unit() as unit:
            merchant = await unit.connection.fetchval("SELECT merchant FROM customer_order WHERE id = $1", id)
            trouble = Trouble("order_stuck", f"order {id}, {lane}: {reason}", step, waiter=("order", id))
            await raise_troubles(unit.connection, [(merchant, id, trouble)], now)
        return 1
