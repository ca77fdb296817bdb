"""After a backup of an earlier moment was restored: what the lost time may have sent already waits for a person."""

from collections.abc import Iterable
from typing import Final

from hub.domain.states import OrderState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.hold import RESTORED

REASON: Final = "the database was restored: a node may have been told of it in the time that is lost"


def hold_restored(orders: Iterable[Order], batch: Batch) -> None:
    """Hold orders from before the restore that are new or changed, each once. Does nothing in ordinary times."""
    since = batch.directory.restored_at
    if since is None:
        return
    for order in orders:
        fresh = order.acting and order.revised is not None and order.placed_at < since
        if fresh and order.state is not OrderState.CANCELLED and all(h.kind != RESTORED for h in order.holds.values()):
            order.hold(RESTORED, REASON, owner="operations", at=batch.now, rule="person,timer")
