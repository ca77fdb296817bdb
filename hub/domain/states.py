"""Every state and every legal move, as tables. `move` is the only way to change a state."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar


class IllegalMove(ValueError):
    """A move that its table does not have. A bug or a contradictory fact, never something to force."""


class OrderState(StrEnum):
    """The order itself. "Partially shipped" and the like are computed from slices, never stored."""

    CAPTURED = "captured"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class SliceState(StrEnum):
    """Where a quantity of a demand is. Short and refused are reasons on the way back, not places."""

    UNALLOCATED = "unallocated"
    BACKORDERED = "backordered"
    RESERVED = "reserved"
    RELEASED = "released"
    ACCEPTED = "accepted"
    PICKED = "picked"
    PACKED = "packed"
    IN_TRANSIT = "in_transit"
    """Between two nodes of ours: off one shelf and not yet on the other. Nothing is pinned, nothing has left us."""
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    READY = "ready"
    COLLECTED = "collected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class Handoff(StrEnum):
    """What the node knows of a fulfilment order."""

    UNSENT = "unsent"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class CancelState(StrEnum):
    """How a cancel request ends: four ways, and only one of them frees the units for sure."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"
    VOID = "void"


class ReturnState(StrEnum):
    """A return, a peer of the order."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    GRADED = "graded"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Money going back."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    BY_HAND = "by_hand"
    """Nobody can be asked to do it: a person pays it back and says so."""
    CANCELLED = "cancelled"


class RequestState(StrEnum):
    """A capture or void that we asked for."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"


S = TypeVar("S", bound=StrEnum)

_O, _L, _H, _C, _R = OrderState, SliceState, Handoff, CancelState, ReturnState

ORDER_MOVES: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _O.CAPTURED: frozenset({_O.OPEN, _O.CLOSED, _O.CANCELLED}),
    _O.OPEN: frozenset({_O.CLOSED, _O.CANCELLED}),
    # An edit may add a line to an order that had come to rest. One whose last unit was taken off may be cancelled then.
    _O.CLOSED: frozenset({_O.OPEN, _O.CANCELLED}),
    _O.CANCELLED: frozenset(),
}

# Forward moves may skip stages: a partner that reports only "shipped" has picked and packed as well.
_AFTER_RELEASE = (_L.ACCEPTED, _L.PICKED, _L.PACKED, _L.IN_TRANSIT, _L.SHIPPED, _L.READY, _L.COLLECTED)

SLICE_MOVES: Final[Mapping[SliceState, frozenset[SliceState]]] = {
    _L.UNALLOCATED: frozenset({_L.RESERVED, _L.BACKORDERED, _L.CANCELLED, _L.COLLECTED, _L.SHIPPED, _L.DELIVERED}),
    _L.BACKORDERED: frozenset({_L.UNALLOCATED, _L.RESERVED, _L.CANCELLED}),
    _L.RESERVED: frozenset({_L.RELEASED, _L.UNALLOCATED, _L.BACKORDERED, _L.CANCELLED}),
    _L.RELEASED: frozenset({*_AFTER_RELEASE, _L.CANCELLED}),
    _L.ACCEPTED: frozenset({*_AFTER_RELEASE[1:], _L.CANCELLED}),
    _L.PICKED: frozenset({*_AFTER_RELEASE[2:], _L.CANCELLED}),
    _L.PACKED: frozenset({_L.IN_TRANSIT, _L.SHIPPED, _L.READY, _L.COLLECTED, _L.CANCELLED}),
    # Arrived for a customer, arrived for the shelf, lost on the way.
    _L.IN_TRANSIT: frozenset({_L.RESERVED, _L.DELIVERED, _L.UNALLOCATED, _L.CANCELLED}),
    _L.READY: frozenset({_L.COLLECTED, _L.EXPIRED, _L.CANCELLED}),
    _L.EXPIRED: frozenset({_L.UNALLOCATED, _L.CANCELLED}),
    _L.SHIPPED: frozenset({_L.DELIVERED, _L.RETURNED}),
    _L.DELIVERED: frozenset({_L.RETURNED}),
    _L.COLLECTED: frozenset({_L.RETURNED}),
    _L.CANCELLED: frozenset(),
    _L.RETURNED: frozenset(),
}

SLICE_CORRECTIONS: Final[Mapping[str, tuple[frozenset[SliceState], SliceState]]] = {
    # Named facts that take a slice back: (from any of these, to this).
    "refused": (frozenset({_L.RELEASED, _L.ACCEPTED}), _L.UNALLOCATED),
    "short": (frozenset({_L.RELEASED, _L.ACCEPTED, _L.PICKED, _L.PACKED}), _L.UNALLOCATED),
    "displaced": (frozenset({_L.RESERVED}), _L.UNALLOCATED),
    "recalled": (frozenset({_L.RELEASED, _L.ACCEPTED, _L.PICKED, _L.PACKED}), _L.UNALLOCATED),
    "not_dispatched": (frozenset({_L.SHIPPED}), _L.PACKED),
}
"""Backward moves happen only by a named correction fact."""

HANDOFF_MOVES: Final[Mapping[Handoff, frozenset[Handoff]]] = {
    _H.UNSENT: frozenset({_H.SENT, _H.UNCERTAIN, _H.ACCEPTED, _H.REFUSED}),
    _H.UNCERTAIN: frozenset({_H.SENT, _H.ACCEPTED, _H.REFUSED}),
    _H.SENT: frozenset({_H.ACCEPTED, _H.REFUSED}),
    _H.ACCEPTED: frozenset({_H.REFUSED}),
    _H.REFUSED: frozenset(),
}

CANCEL_MOVES: Final[Mapping[CancelState, frozenset[CancelState]]] = {
    _C.ASKED: frozenset({_C.CONFIRMED, _C.REFUSED, _C.OVERTAKEN, _C.VOID}),
    # Refused while picking, and then the goods leave, or are unpacked after all: the later fact is the stronger one.
    _C.REFUSED: frozenset({_C.OVERTAKEN, _C.CONFIRMED}),
    _C.CONFIRMED: frozenset(),
    _C.OVERTAKEN: frozenset(),
    _C.VOID: frozenset(),
}

RETURN_MOVES: Final[Mapping[ReturnState, frozenset[ReturnState]]] = {
    _R.REQUESTED: frozenset({_R.APPROVED, _R.REFUSED, _R.CANCELLED, _R.RECEIVED}),
    _R.APPROVED: frozenset({_R.IN_TRANSIT, _R.RECEIVED, _R.CANCELLED, _R.CLOSED}),
    # Closed without goods: the parcel is lost.
    _R.IN_TRANSIT: frozenset({_R.RECEIVED, _R.CANCELLED, _R.CLOSED}),
    _R.RECEIVED: frozenset({_R.GRADED, _R.CLOSED}),
    # A second parcel of the same return.
    _R.GRADED: frozenset({_R.RECEIVED, _R.CLOSED}),
    _R.REFUSED: frozenset(),
    _R.CLOSED: frozenset(),
    _R.CANCELLED: frozenset(),
}

_M = RefundState

REFUND_MOVES: Final[Mapping[RefundState, frozenset[RefundState]]] = {
    _M.ASKED: frozenset({_M.DONE, _M.REFUSED, _M.BY_HAND}),
    _M.BY_HAND: frozenset({_M.DONE, _M.CANCELLED}),
    # Refused by the channel and then paid back all the same, by a person.
    _M.REFUSED: frozenset({_M.DONE, _M.CANCELLED}),
    _M.DONE: frozenset(),
    _M.CANCELLED: frozenset(),
}

REQUEST_MOVES: Final[Mapping[RequestState, frozenset[RequestState]]] = {
    RequestState.ASKED: frozenset({RequestState.DONE, RequestState.REFUSED}),
    RequestState.REFUSED: frozenset({RequestState.DONE}),
    RequestState.DONE: frozenset(),
}

HOLDING: Final[frozenset[SliceState]] = frozenset(
    {_L.RESERVED, _L.RELEASED, _L.ACCEPTED, _L.PICKED, _L.PACKED, _L.READY, _L.EXPIRED}
)
"""States in which a slice pins stock at its node. A slice is its own reservation (decision 0003)."""

WITH_NODE: Final[frozenset[SliceState]] = frozenset({_L.RELEASED, _L.ACCEPTED, _L.PICKED, _L.PACKED, _L.READY})
"""States in which a node has been told and must be asked before anything changes."""

GONE: Final[frozenset[SliceState]] = frozenset({_L.SHIPPED, _L.DELIVERED, _L.COLLECTED, _L.RETURNED})
"""States after the goods left the shelf."""

AT_REST: Final[frozenset[SliceState]] = GONE | {_L.CANCELLED}


def move(table: Mapping[S, frozenset[S]], current: S, target: S) -> S:
    """Return `target` if `table` allows the move, raise `IllegalMove` otherwise."""
    if target not in table[current]:
        raise IllegalMove(f"{type(current).__name__}: {current.value} -> {target.value} is not allowed")
    return target


def correct(correction: str, current: SliceState) -> SliceState:
    """Take a slice back by a named correction; raises `IllegalMove` when it does not apply to `current`."""
    origins, target = SLICE_CORRECTIONS[correction]
    if current not in origins:
        raise IllegalMove(f"SliceState: correction {correction!r} does not apply to {current.value}")
    return target
