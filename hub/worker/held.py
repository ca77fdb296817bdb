"""Leases of this process on effects: renewed while they are being sent, trusted no longer than they surely last."""

import time
from collections.abc import Callable, Sequence

import structlog

from hub.flow.ports import Claimed
from hub.store import outbox
from hub.store.database import FAULTS, Database

log = structlog.get_logger(__name__)


class Held:
    """What this process may be sending. `clock` counts seconds, also while the process is stopped."""

    def __init__(self, lease_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.lease_seconds = lease_seconds
        self.clock = clock
        self._until: dict[tuple[int, int], float] = {}
        self._claimed: dict[tuple[int, int], Claimed] = {}

    def take(self, claimed: Sequence[Claimed], asked_at: float) -> None:
        """Claimed by a statement that was sent at `asked_at`: the database counts from a later moment."""
        for one in claimed:
            self._claimed[one.id, one.fence] = one
            self._until[one.id, one.fence] = asked_at + self.lease_seconds

    def release(self, claimed: Sequence[Claimed]) -> None:
        """They are recorded, or given up."""
        for one in claimed:
            self._claimed.pop((one.id, one.fence), None)
            self._until.pop((one.id, one.fence), None)

    def surely(self, one: Claimed) -> bool:
        """Whether it is ours for a quarter of a lease more: time for what is sent now to be seen by who looks next."""
        return self.clock() < self._until.get((one.id, one.fence), 0.0) - self.lease_seconds / 4

    async def renew(self, database: Database) -> None:
        """Keep those that are still ours. A renewal that fails is told: unrenewed, they soon send nothing more."""
        if not self._claimed:
            return
        asked_at = self.clock()
        try:
            async with database.connection() as connection:
                ours = await outbox.renew(connection, list(self._claimed.values()), self.lease_seconds)
        except FAULTS as error:
            log.warning("lease.not_renewed", reason=str(error))
            return
        for key in ours & self._until.keys():
            self._until[key] = asked_at + self.lease_seconds
