"""What we ask of one node, and what became of the asking."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.purchase import Purchase
from hub.domain.states import CancelState, Handoff, SliceState

OFFER_MARK: Final = "-C"
LONGEST_NO: Final = 9
"""Digits of an offer's number; no order has so many."""


class NodeHold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node said last about holding a fulfilment order itself."""

    at: datetime
    """When that was true."""
    reasons: tuple[str, ...] = ()
    """In the node's own words; none: it does not hold it any more."""


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
    destination: int | None = None
    """Node that the goods go to instead of to the customer: a transfer, or the way to where the customer collects."""
    accept_by: datetime | None = None
    """Taken back and decided anew when the node has not taken it on by then; None waits, or is over."""
    collect_by: datetime | None = None
    """End of the customer's time to collect; None before it is ready, and once it is over."""
    purchase: Purchase | None = None
    """Of a supplier: the purchase order it got, and what it said to it."""
    node_hold: NodeHold | None = None
    """None while the node has said nothing of that, and once it has nothing of it any more."""

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
    SliceState.EXPIRED,
    SliceState.IN_TRANSIT,
    SliceState.SHIPPED,
    SliceState.DELIVERED,
    SliceState.COLLECTED,
)


def fulfilment_status(states: list[SliceState], *, left: bool = False) -> str:
    """The status of a fulfilment order: that of its least advanced live slice.

    With none, "delivered" where goods left with it, as those of a transfer that go on from another node, else
    "cancelled".
    """
    live = [state for state in states if state in _RANK]
    if live:
        return min(live, key=_RANK.index).value
    return SliceState.DELIVERED.value if left else SliceState.CANCELLED.value


class OfferState(StrEnum):
    """How an offer ends: one of several is taken, the others are withdrawn."""

    OPEN = "open"
    TAKEN = "taken"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A group's reserved units offered to one of several nodes: the first that takes them has them."""

    order: str
    no: int
    """Within the order; never reused."""
    group: str
    node: int
    state: OfferState = OfferState.OPEN
    until: datetime
    """Then nobody has taken it, and the node that routing chose is told."""

    @property
    def id(self) -> str:
        """Public id."""
        return f"{self.order}{OFFER_MARK}{self.no}"


def split_offer_id(public: str) -> tuple[str, int]:
    """Order id and number of a public id; raises ValueError when it is not one."""
    order, _, no = public.rpartition(OFFER_MARK)
    if not order or not (no.isascii() and no.isdigit()) or len(no) > LONGEST_NO:
        raise ValueError(f"{public!r} is not the id of an offer")
    return order, int(no)
