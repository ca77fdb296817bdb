"""An order as a handler sees it: loaded whole under its row lock, changed in memory, settled into rows.

Handlers replace frozen values in the dictionaries; `settle` compares with what was loaded and derives every row that
has to be written, the stock counters included, so that a slice and the stock it holds cannot drift apart
(decision 0003).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from hub.domain.contact import Contact
from hub.domain.demand import Demand, Hold, Slice
from hub.domain.effects import SHORT, AnyEffect
from hub.domain.events import TellEvent
from hub.domain.fulfilment import CancelRequest, FulfilmentOrder, Offer
from hub.domain.ids import effect_key
from hub.domain.order import OrderContent
from hub.domain.payment import Payment, PaymentRequest
from hub.domain.returns import Refund, Return
from hub.domain.shipping import Shipment
from hub.domain.states import (
    ORDER_MOVES,
    SLICE_MOVES,
    OrderState,
    SliceState,
    correct,
    move,
)
from hub.domain.stock import StockReason
from hub.flow.trouble import Trouble


class Moment(NamedTuple):
    """One line of an order's timeline."""

    at: datetime
    kind: str
    detail: str
    message: int | None


class Planned(NamedTuple):
    """An effect to write: to whom, in which sequence, what."""

    connection: str
    subject: str
    key: str
    effect: AnyEffect | TellEvent


class Wait(NamedTuple):
    """Why a demand is not moving, and which event would move it."""

    queue: str
    cause: str


class DecisionRow(NamedTuple):
    """A stored decision."""

    no: int
    group: str
    at: datetime
    policy: str
    engine: str
    cost: int
    gap: int
    proven: bool
    input: bytes
    document: bytes


class Moved(NamedTuple):
    """Goods that came back, or change their condition: `units` more (or fewer) of an item at a node."""

    item: int
    node: int
    units: int
    condition: str
    cause: str
    """The return."""


class Carried(NamedTuple):
    """Goods on their way between two nodes: `units` more (or fewer) of an item at a node."""

    item: int
    node: int
    units: int
    condition: str
    reason: str
    at: datetime


class Left(NamedTuple):
    """Units that left us, and when by the node's own clock: a count taken after that has them subtracted already."""

    item: int
    node: int
    reason: StockReason
    units: int
    at: datetime


class Parcelled(NamedTuple):
    """State of a parcel as the carrier told it last."""

    shipment: int
    no: int
    tracking: str | None
    carrier: str | None
    status: str
    at: datetime


class Before(msgspec.Struct, kw_only=True):
    """What was stored when the order was loaded."""

    state: OrderState = OrderState.CAPTURED
    version: int = 0
    revision: int = 0
    acting: bool = False
    content: OrderContent | None = None
    demands: dict[int, Demand] = {}
    slices: dict[int, Slice] = {}
    holds: dict[int, Hold] = {}
    fulfilments: dict[int, FulfilmentOrder] = {}
    cancels: dict[int, CancelRequest] = {}
    shipments: frozenset[int] = frozenset()
    parcels: dict[tuple[int, int], Parcelled] = {}
    exclusions: dict[tuple[int, int], datetime] = {}
    waits: dict[int, Wait] = {}
    returns: dict[str, Return] = {}
    refunds: dict[str, Refund] = {}
    requests: dict[int, PaymentRequest] = {}


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """An order in the hands of a handler. One handler at a time: its row is locked."""

    id: str
    merchant: str
    account: int
    connection: str
    external_id: str
    number: str
    currency: str
    placed_at: datetime
    version: int
    revision: int
    acting: bool
    test: bool = False
    state: OrderState = OrderState.CAPTURED
    fresh: bool = False
    """Not stored yet."""

    content: OrderContent | None = None
    """The newest revision."""
    demands: dict[int, Demand] = field(default_factory=dict)
    slices: dict[int, Slice] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    fulfilments: dict[int, FulfilmentOrder] = field(default_factory=dict)
    cancels: dict[int, CancelRequest] = field(default_factory=dict)
    shipments: dict[int, Shipment] = field(default_factory=dict)
    parcels: dict[tuple[int, int], Parcelled] = field(default_factory=dict)
    exclusions: dict[tuple[int, int], datetime] = field(default_factory=dict)
    """(demand, node) -> until."""
    waits: dict[int, Wait] = field(default_factory=dict)
    decisions: int = 0
    """How many decisions are stored already."""
    peers_known: bool = False
    """Whether returns, refunds, payment requests and stored payments are below: few handlers need them."""
    returns: dict[str, Return] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    requests: dict[int, PaymentRequest] = field(default_factory=dict)
    paid: list[Payment] = field(default_factory=list)
    """Payments stored before."""
    before: Before = field(default_factory=Before)

    revised: tuple[OrderContent, int | None, datetime] | None = None
    contacts: dict[str, Contact] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    decisions_made: list[DecisionRow] = field(default_factory=list)
    effects: list[Planned] = field(default_factory=list)
    recalled: list[int] = field(default_factory=list)
    """Numbers of fulfilment orders that hold too much and are to be asked back."""
    recall_reasons: dict[int, str] = field(default_factory=dict)
    """Why each of them is asked back, where it is not the order's own reason to cancel."""
    taken_back: list[int] = field(default_factory=list)
    """Effects that nobody has to be told of any more."""
    troubles: list[Trouble] = field(default_factory=list)
    mended: list[tuple[str, str]] = field(default_factory=list)
    """Exceptions, by (kind, cause), that this order no longer gives a reason for; "" is any cause."""
    shelf: list[tuple[int, int, int, bool]] = field(default_factory=list)
    """What refusals and short picks said of the shelf: (item, node, units missing, all of it gone)."""
    carried: list[Carried] = field(default_factory=list)
    offers: dict[int, Offer] = field(default_factory=dict)
    """Read where they are dealt with; those below are the ones that changed."""
    offered: list[Offer] = field(default_factory=list)
    unasked: list[tuple[int, int, int, datetime]] = field(default_factory=list)
    """What left without being asked for: (item, node, units, when)."""
    came_back: list[Moved] = field(default_factory=list)
    related: list[tuple[str, str]] = field(default_factory=list)
    """Orders that this one belongs with: (order id, kind)."""
    skus: dict[str, int] = field(default_factory=dict)
    """Items by the SKUs that facts name; partners that keep no reference of ours speak of SKUs."""
    left: list[Left] = field(default_factory=list)
    moved_before: dict[tuple[int, int, str, int], int] = field(default_factory=dict)
    moved: dict[tuple[int, int, str, int], int] = field(default_factory=dict)
    """Units by (message, fulfilment order, kind of fact, demand): see once.py."""
    loads: list[tuple[int, datetime, str, int, int | None]] = field(default_factory=list)
    """Released to a node of limited capacity: (node, at, time zone, capacity, fulfilment orders of the day it was
    known to have; None when nobody looked)."""
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.peers_known = self.peers_known or self.fresh

    def remember(self) -> None:
        """Mark what is in the dictionaries as what is stored."""
        self.before = Before(
            state=self.state,
            version=self.version,
            revision=self.revision,
            acting=self.acting,
            content=self.content,
            demands=dict(self.demands),
            slices=dict(self.slices),
            holds=dict(self.holds),
            fulfilments=dict(self.fulfilments),
            cancels=dict(self.cancels),
            shipments=frozenset(self.shipments),
            parcels=dict(self.parcels),
            exclusions=dict(self.exclusions),
            waits=dict(self.waits),
        )

    def remember_peers(self) -> None:
        """Mark returns, refunds and payment requests as what is stored."""
        self.peers_known = True
        self.before.returns = dict(self.returns)
        self.before.refunds = dict(self.refunds)
        self.before.requests = dict(self.requests)

    # --- moves ---------------------------------------------------------------------------------------------------

    def move_to(self, state: OrderState) -> None:
        """Move the order; a move to where it is does nothing."""
        if state is not self.state:
            self.state = move(ORDER_MOVES, self.state, state)

    def advance(self, no: int, state: SliceState, quantity: int | None = None, **changes: object) -> int:
        """Move a slice, or `quantity` units of it, and return the number of the slice that moved."""
        part = self.slices[no]
        move(SLICE_MOVES, part.state, state)
        return self._replace(no, quantity, state=state, **changes)

    def take_back(self, no: int, correction: str, quantity: int | None = None) -> int:
        """Take a slice, or part of it, back to unallocated by a named correction."""
        state = correct(correction, self.slices[no].state)
        changes: dict[str, object] = {"reason": correction}
        if state is SliceState.UNALLOCATED:
            changes |= {"node": None, "fulfilment": None}
            if self._promised_by_supplier(self.slices[no]):
                changes["promised_at"] = None
        return self._replace(no, quantity, state=state, **changes)

    def _promised_by_supplier(self, part: Slice) -> bool:
        """Whether the date that a slice is promised by is its supplier's, and goes with it."""
        asked = self.fulfilments.get(part.fulfilment or 0)
        purchase = asked.purchase if asked is not None else None
        return purchase is not None and part.promised_at is not None and purchase.promised_at == part.promised_at

    def promise(self, no: int, supply: int | None, by: datetime | None, quantity: int | None = None) -> int:
        """Let a backordered slice, or part of it, wait for a supply and promise it by then; returns its number."""
        return self._replace(no, quantity, supply=supply, promised_at=by)

    def _replace(self, no: int, quantity: int | None, **changes: object) -> int:
        part = self.slices[no]
        if changes.get("state", part.state) is not SliceState.BACKORDERED:
            changes["supply"] = None
        if quantity is None or quantity == part.quantity:
            self.slices[no] = msgspec.structs.replace(part, **changes)
            return no
        if not 0 < quantity < part.quantity:
            raise ValueError(f"order {self.id}: {quantity} of a slice of {part.quantity}")
        other = max(self.slices) + 1
        self.slices[no] = msgspec.structs.replace(part, quantity=part.quantity - quantity)
        self.slices[other] = msgspec.structs.replace(part, no=other, quantity=quantity, **changes)
        self._hold_as(no, other)
        return other

    def _hold_as(self, no: int, other: int) -> None:
        """What holds a slice holds the part that is split off it."""
        for hold in [h for h in self.holds.values() if h.active and h.scope == f"slice:{no}"]:
            copy = max(self.holds) + 1
            self.holds[copy] = msgspec.structs.replace(hold, no=copy, scope=f"slice:{other}")

    def add_slice(self, demand: int, quantity: int) -> None:
        """A new unallocated quantity of a demand."""
        no = max(self.slices, default=0) + 1
        self.slices[no] = Slice(no=no, demand=demand, quantity=quantity)

    # --- notes ---------------------------------------------------------------------------------------------------

    def note(self, at: datetime, kind: str, detail: str = "", message: int | None = None) -> None:
        """Add to the timeline. Never personal data: ids, quantities, states."""
        self.moments.append(Moment(at, kind, detail, message))

    def plan(self, connection: str, subject: str, effect: AnyEffect, ordinal: int = 1) -> None:
        """Write an effect with the decision that causes it."""
        key = effect_key(subject, SHORT[type(effect)], ordinal)
        self.effects.append(Planned(connection, subject, key, effect))

    def hold(
        self,
        kind: str,
        reason: str,
        *,
        owner: str,
        at: datetime,
        scope: str = "order",
        rule: str = "person",
        **terms: Any,
    ) -> None:
        """Stop release, or what `stops` says, unless the same hold stands already. `terms` are fields of a hold."""
        for hold in self.holds.values():
            if hold.active and hold.kind == kind and hold.scope == scope and hold.reason == reason:
                return
        no = max(self.holds, default=0) + 1
        self.holds[no] = Hold(
            no=no, scope=scope, kind=kind, owner=owner, reason=reason, lift_rule=rule, placed_at=at, **terms
        )
        self.note(at, "hold_placed", f"{kind}: {reason}")

    def lift(self, kind: str, at: datetime, scope: str | None = None, *, by: str = "hub") -> int:
        """Lift the active holds of a kind; returns how many there were."""
        found = [h for h in self.holds.values() if h.active and h.kind == kind and scope in (None, h.scope)]
        for hold in found:
            self.end_hold(hold.no, at, by=by)
        return len(found)

    def end_hold(self, no: int, at: datetime, *, by: str = "hub") -> None:
        """Lift one hold, and with the last of its kind those that wait for it; one that is lifted stays so."""
        hold = self.holds[no]
        if not hold.active:
            return
        self.holds[no] = msgspec.structs.replace(hold, lifted_at=at, lifted_by=by)
        self.note(at, "hold_lifted", hold.kind if by == "hub" else f"{hold.kind} by {by}")
        active = [other for other in self.holds.values() if other.active]
        if all(other.kind != hold.kind for other in active):
            for other in active:
                if f"hold:{hold.kind}" in other.lift_rule.split(","):
                    self.end_hold(other.no, at, by=f"hold:{hold.kind}")

    def trouble(self, kind: str, cause: str, next_step: str) -> Trouble:
        """What a person must know of this order, which waits for it."""
        return Trouble(kind, cause, next_step, self.connection, self.external_id, ("order", self.id))

    def mend(self, kind: str, cause: str = "") -> None:
        """This order gives no more reason for an exception; without a cause, for any of the kind."""
        self.troubles = [one for one in self.troubles if one.kind != kind or cause not in ("", one.cause)]
        self.mended.append((kind, cause))

    # --- looks ---------------------------------------------------------------------------------------------------

    def held(self, group: str, part: Slice | None = None) -> bool:
        """Whether an active hold stops the release of a group, or of one slice of it."""
        scopes = {"order", f"group:{group}"}
        if part is not None:
            scopes.add(f"slice:{part.no}")
        return any(hold.active and hold.scope in scopes and "release" in hold.stops for hold in self.holds.values())

    def of_fulfilment(self, no: int) -> list[Slice]:
        """Slices of a fulfilment order, in order of their numbers."""
        return [part for part in self.slices.values() if part.fulfilment == no]

    def returned(self, demand: int) -> int:
        """Units of a demand that came back: they are neither wanted again nor missing."""
        return sum(s.quantity for s in self.slices.values() if s.demand == demand and s.state is SliceState.RETURNED)

    def live(self, demand: int) -> int:
        """Units of a demand that are neither cancelled nor returned."""
        return sum(
            s.quantity
            for s in self.slices.values()
            if s.demand == demand and s.state not in (SliceState.CANCELLED, SliceState.RETURNED)
        )
