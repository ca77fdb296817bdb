"""Orders that leave whole: a delivery group is released once every unit of it is reserved, or a person says so."""

from datetime import datetime
from typing import Final

from hub.domain.order import ManagedBy
from hub.flow.aggregate import Order
from hub.flow.remainder import OPEN

SHIP_COMPLETE: Final = "ship_complete"


def complete(order: Order, group: str, now: datetime) -> bool:
    """Whether a group may leave: it need not be whole, it is, or somebody let go of what there is.

    A group that is not stands under a hold of its own, which the last unit lifts; what a person lifted stays lifted.
    """
    if order.content is None or not order.content.ship_complete:
        return True
    scope = f"group:{group}"
    missing = _missing(order, group)
    if not missing:
        order.lift(SHIP_COMPLETE, now, scope)
        return True
    ours = [hold for hold in order.holds.values() if hold.kind == SHIP_COMPLETE and hold.scope == scope]
    if any(hold.lifted_by not in (None, "hub") for hold in ours):
        return True
    # What is only about to be decided is not told yet.
    if not any(hold.active for hold in ours) and any(no in order.waits for no in missing):
        order.hold(SHIP_COMPLETE, "waits for the rest of its goods", owner="hub", at=now, scope=scope, rule="cause")
    return False


def _missing(order: Order, group: str) -> set[int]:
    """Demands of a group that have units without a reservation."""
    return {
        part.demand
        for part in order.slices.values()
        if part.state in OPEN
        and (demand := order.demands[part.demand]).group == group
        and demand.managed_by is ManagedBy.HUB
        and demand.ships
    }
