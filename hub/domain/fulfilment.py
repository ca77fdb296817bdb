"""What we ask of one node, and what became of the asking."""

from datetime import datetime

import msgspec

from hub.domain.states import CancelState, Handoff, SliceState


class FulfilmentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request to one node for slices of one delivery group. Its status is computed from its slices."""

    order: str
    no: int
    """Within the order; never reused. A re-submission after a refusal is a new one."""
    group: str
    node: int
    connection: str | None
    """Whom to tell; None for a node that is worked through the hub."""
    handoff: Handoff = Handoff.UNSENT
    partner_reference: str | None = None
    created_at: datetime
    ship_by: datetime | None = None

    @property
    def id(self) -> str:
        """Public id and number, the same thing: at most 24 characters."""
        return fulfilment_id(self.order, self.no)


def fulfilment_id(order: str, no: int) -> str:
    """Public id of an order's fulfilment order."""
    return f"{order}-{no}"


def split_fulfilment_id(public: str) -> tuple[str, int]:
    """Order id and number of a public id; raises ValueError when it is not one."""
    order, _, no = public.rpartition("-")
    if not order or not no.isdigit():
        raise ValueError(f"{public!r} is not the id of a fulfilment order")
    return order, int(no)


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to stop. Units stay reserved until it ends."""

    order: str
    no: int
    fulfilment: int
    lines: dict[str, int]
    """Quantity by line external id; empty means all of it."""
    asked_by: str
    reason: str
    state: CancelState = CancelState.ASKED
    asked_at: datetime


_RANK = (
    SliceState.RELEASED,
    SliceState.ACCEPTED,
    SliceState.PICKED,
    SliceState.PACKED,
    SliceState.READY,
    SliceState.SHIPPED,
    SliceState.DELIVERED,
    SliceState.COLLECTED,
)


def fulfilment_status(states: list[SliceState]) -> str:
    """The status of a fulfilment order: that of its least advanced live slice; "cancelled" when none is left."""
    live = [state for state in states if state in _RANK]
    return min(live, key=_RANK.index).value if live else "cancelled"
