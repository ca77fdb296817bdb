"""Orders as the API shows them."""

from datetime import datetime
from typing import Literal

import msgspec

from hub.domain.contact import Contact, Place
from hub.domain.order import ManagedBy, Method, OrderContent
from hub.domain.states import OrderState, SliceState
from hub.store.admin.exceptions import ExceptionView
from hub.store.admin.purchases import PurchaseView


class AmountsView(msgspec.Struct, frozen=True, kw_only=True):
    """One view of an order's money, in minor units; `total` is the stated sum of the parts."""

    currency: str
    subtotal: int
    discount: int
    shipping: int
    tax: int
    duties: int
    fees: int
    tip: int
    rounding: int
    total: int
    tax_included: bool


class AmountSetView(msgspec.Struct, frozen=True, kw_only=True):
    """The same money in the shop's books and as the customer saw it."""

    shop: AmountsView
    presentment: AmountsView
    stated_total: int | None
    """The channel's own total; a difference to `shop.total` holds the books, never the goods."""


class AmountSets(msgspec.Struct, frozen=True, kw_only=True):
    """The sale as placed, as edited since, and what was refunded; null where the channel said nothing of it."""

    placed: AmountSetView | None
    edited: AmountSetView | None
    refunded: AmountSetView | None


class SliceView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a demand in one state."""

    state: SliceState
    quantity: int
    node: str | None
    fulfilment: str | None
    reason: str | None
    promised_at: datetime | None


class DemandView(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one item that a line calls for."""

    no: int
    item: int | None
    """null while nobody knows the item."""
    sku: str | None
    quantity: int
    per_unit: int
    managed_by: ManagedBy
    tracked: bool
    slices: list[SliceView]


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """What was bought."""

    id: str
    """The channel's line id."""
    sku: str | None
    variant: str | None
    title: str | None
    quantity: int
    """What is still wanted, in sold units."""
    group: str
    shipped: int
    """Sold units that left; of a kit, as many as its slowest component allows."""
    subtotal: int
    discount: int
    tax: int
    demands: list[DemandView]


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that go one way to one place."""

    key: str
    method: Method
    place: Place | None
    pickup_location: str | None
    service: str | None
    not_before: datetime | None
    deliver_by: datetime | None
    keep_together: bool


class ParcelLineView(msgspec.Struct, frozen=True, kw_only=True):
    """Units in a parcel."""

    line: str
    """The channel's line id."""
    sku: str | None
    quantity: int
    lot: str | None
    """Where the node names lots."""


class ParcelView(msgspec.Struct, frozen=True, kw_only=True):
    """A box, with the carrier's truth."""

    tracking: str | None
    carrier: str | None
    service: str | None
    url: str | None
    status: str
    status_at: datetime | None
    lines: list[ParcelLineView]


class ShipmentView(msgspec.Struct, frozen=True, kw_only=True):
    """Goods that left a node together."""

    no: int
    external_id: str
    fulfilment: str
    shipped_at: datetime
    parcels: list[ParcelView]


class FulfilmentLineView(msgspec.Struct, frozen=True, kw_only=True):
    """Units asked of a node."""

    line: str
    """Our reference of it, with which the node answers."""
    order_line: str
    """The channel's line id."""
    sku: str | None
    quantity: int
    state: SliceState


class CancelView(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to stop, and how it ended."""

    no: int
    state: str
    asked_by: str
    reason: str
    asked_at: datetime
    ended_at: datetime | None


class NodeHoldView(msgspec.Struct, frozen=True, kw_only=True):
    """A node holds what it was asked for by itself."""

    at: datetime
    reasons: list[str]
    """In the node's own words."""


class FulfilmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of one node."""

    id: str
    number: str
    order: str
    group: str
    node: str
    connection: str | None
    """Who is told; null for a node that is worked through the hub."""
    handoff: str
    status: str
    """That of its least advanced units; "cancelled" when none is left."""
    partner_reference: str | None
    created_at: datetime
    ship_by: datetime | None
    destination: str | None
    """The node that the goods go on to, instead of to the customer."""
    accept_by: datetime | None
    """Taken back when the node has not answered by then."""
    collect_by: datetime | None
    """Until when the customer may collect what is ready."""
    purchase: PurchaseView | None
    node_hold: NodeHoldView | None
    """null while the node goes on with it."""
    lines: list[FulfilmentLineView]
    shipments: list[ShipmentView]
    cancels: list[CancelView]


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stops release, never reservation."""

    no: int
    scope: str
    kind: str
    owner: str
    reason: str
    lift_rule: str
    """What lifts it, joined by commas: person, change, payment, timer, hold:<kind>, cause, revision."""
    stops: list[str]
    """Transitions: release (to a node), post (to the books)."""
    active: bool
    placed_at: datetime
    lift_at: datetime | None
    lift_role: str | None
    """The least role that may lift it; null is every role that may write."""
    lifted_at: datetime | None
    lifted_by: str | None
    policy: str | None
    """Version of the policy whose rule placed it."""


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """One payment fact, in minor units."""

    external_id: str
    kind: str
    method: str
    amount: int
    currency: str
    status: str
    parent: str | None
    at: datetime | None
    expires_at: datetime | None


class WaitView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a demand is not moving, and which event would move it."""

    demand: int
    queue: str
    cause: str
    since: datetime


class ProgressView(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is, computed from its units."""

    status: Literal[
        "recorded",
        "waiting",
        "reserved",
        "released",
        "in_progress",
        "partially_shipped",
        "shipped",
        "delivered",
        "returned",
        "cancelled",
    ]
    units: int
    by_state: dict[str, int]
    held: bool


class BusinessView(msgspec.Struct, frozen=True, kw_only=True):
    """What a company's order has beside a person's."""

    company: str | None
    purchase_order: str | None
    terms: str | None
    terms_days: int | None
    on_account: bool
    """It is paid by invoice: nothing is authorised or captured."""
    tax_exempt: bool
    ship_complete: bool
    approval_asked: bool

    @classmethod
    def of(cls, content: OrderContent) -> "BusinessView | None":
        """None for an order that has none of it."""
        view = cls(**{name: getattr(content, name) for name in cls.__struct_fields__})
        return view if any(msgspec.structs.astuple(view)) else None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order."""

    id: str
    connection: str
    account: str
    external_id: str
    number: str
    state: OrderState
    progress: ProgressView
    currency: str
    placed_at: datetime
    created_at: datetime
    revision: int
    acting: bool
    """False for what is only recorded: test orders, observe mode, placed before `live_from`."""
    test: bool
    cancelled_at: datetime | None
    source: str | None
    tags: list[str]
    amounts: AmountSets
    lines: list[LineView]
    groups: list[GroupView]
    fulfilments: list[FulfilmentView]
    holds: list[HoldView]
    payments: list[PaymentView]
    exceptions: list[ExceptionView]
    waiting: list[WaitView]
    business: BusinessView | None = None
    """Of orders of companies."""
    contacts: dict[str, Contact] | None = None
    """People; shown for one order at a time, from the role operator on."""
