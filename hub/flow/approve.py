"""The approval step: holds whose kind begins with "approval", lifted together by who may, or the order is declined.

When an order needs approval, and by which role, is said by the merchant's rules of holds: a limit is a condition on the
total, who may approve is the rule's role.
"""

from typing import Final

from hub.domain.demand import Hold
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.cancel import ask_cancel
from hub.flow.refusal import CannotDo

APPROVAL: Final = "approval"
NOT_APPROVED: Final = "not_approved"
"""Why a declined order is cancelled."""


def approvals(order: Order) -> list[Hold]:
    """What has to be approved. Raises `CannotDo` when nothing has, any more or at all."""
    found = [hold for hold in order.holds.values() if hold.active and _asks(hold)]
    if not found:
        done = [hold for hold in order.holds.values() if _asks(hold)]
        told = f"; it was approved by {done[-1].lifted_by} at {done[-1].lifted_at}" if done else ""
        raise CannotDo(f"order {order.id} waits for no approval{told}")
    return found


def decline(order: Order, *, reason: str, who: str, batch: Batch) -> None:
    """Cancel an order that is not approved. Raises `CannotDo` when it waits for no approval."""
    approvals(order)
    order.note(batch.now, "declined", f"by {who}: {reason}")
    ask_cancel(order, None, reason=NOT_APPROVED, who=who, batch=batch)


def _asks(hold: Hold) -> bool:
    return hold.kind == APPROVAL or hold.kind.startswith(f"{APPROVAL}_")
