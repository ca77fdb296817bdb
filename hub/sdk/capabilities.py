"""What an adapter can do: one request struct and one function type per capability."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from hub.domain.contact import Contact
from hub.domain.network import Connection
from hub.domain.shipping import Parcel, Rate
from hub.sdk.files import Files
from hub.sdk.mail import Mailer
from hub.sdk.numbers import Numbers
from hub.sdk.outcomes import Outcome
from hub.sdk.wire import Client

S = TypeVar("S", bound=msgspec.Struct)


class Context(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """What a capability is given besides its request. No database, no clock of its own."""

    connection: Connection
    settings: S
    client: Client
    now: Callable[[], datetime]
    files: Files | None = None
    """The partner's file server; there when the transport's `auth` is `wire.Ssh`."""
    numbers: Numbers | None = None
    """Counters of the account; there wherever something is sent or pulled, not in a connection test."""
    webhooks: str | None = None
    """Where this connection's deliveries come in; None where the vendor cannot reach the hub, or need not know."""
    mail: Mailer | None = None
    """Sends mail for partners that read nothing else; there wherever something is sent."""
    page: Callable[[str, datetime], str] | None = None
    """(fulfilment order, until) -> address of the page on which its node answers without logging in."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that writes. `key` is fixed for ever; `look_first` is set after an uncertain try."""

    key: str
    look_first: bool = False
    references: Mapping[str, str] = {}
    """Partner's ids learned before, as "kind:ours" -> theirs."""


# --- nodes -----------------------------------------------------------------------------------------------------------


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units to fulfil. `line` is our reference; facts come back with it."""

    line: str
    sku: str
    quantity: int
    title: str | None = None
    value: int | None = None
    """Minor units of the request's currency for the whole line; for customs and insurance."""
    unit_costs: Mapping[str, Decimal] = {}
    """What a unit is to cost us there, by currency: the node's own price, else the item's cost. Unknown in others."""


class FulfilmentRequest(Command, frozen=True, kw_only=True):
    """Fulfil this, from there, to here."""

    fulfilment: str
    """Our fulfilment order id: unique for ever, at most 24 characters."""
    order_number: str
    lines: tuple[RequestLine, ...]
    location: str | None
    """The partner's own name of the node."""
    ship_to: Contact
    service: str | None
    currency: str
    ordered_at: datetime
    ship_by: datetime | None = None
    purchase_order: str | None = None
    """The buying company's own number, for the papers."""


class FulfilmentCancel(Command, frozen=True, kw_only=True):
    """Stop, if you still can. Answers Done (stopped), Refused (too late) or RetryLater."""

    fulfilment: str
    partner_reference: str | None
    reason: str


class AdvisedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units that are on their way."""

    line: str
    sku: str
    quantity: int
    title: str | None = None


class StockAdvice(Command, frozen=True, kw_only=True):
    """Goods are on their way to the partner's node, from another node of ours. Its receipt comes back as facts."""

    reference: str
    """What the partner's receipt names: the fulfilment order by which they left."""
    lines: tuple[AdvisedLine, ...]
    location: str | None
    """The partner's own name of the node."""
    shipped_at: datetime
    expected_on: datetime | None = None
    tracking: str | None = None
    ship_from: Contact | None = None


# --- channels --------------------------------------------------------------------------------------------------------


class ConfirmedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a channel's order line that left."""

    line: str
    """The channel's own line id."""
    quantity: int


class ShipmentConfirmation(Command, frozen=True, kw_only=True):
    """Tell the channel what left, from where, with which tracking."""

    order_external_id: str
    lines: tuple[ConfirmedLine, ...]
    parcels: tuple[Parcel, ...]
    location: str | None
    """The channel's own name of the location, where it is told one."""
    shipped_at: datetime
    notify: bool = True


class ChannelCancel(Command, frozen=True, kw_only=True):
    """Cancel at the channel."""

    order_external_id: str
    reason: str


class CancelledLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a channel's order line that were cancelled here."""

    line: str
    """The channel's own line id."""
    quantity: int
    remaining: int
    """Units of the line that stay wanted; where the channel has no more than these, nothing is left to take off."""


class ChannelLineCancel(Command, frozen=True, kw_only=True):
    """Take units off an order that has others left. No money moves: a refund is a decision of its own.

    Never more than `quantity` of a line, nor below `remaining`. Without lines the channel knows already: Done.
    """

    order_external_id: str
    lines: tuple[CancelledLine, ...]
    reason: str


class PaymentCapture(Command, frozen=True, kw_only=True):
    """Take authorised money, once. Answers Done with the payment, or Refused."""

    order_external_id: str
    payment: str | None
    """The channel's id of the authorisation; None where it named none: the only one that is open."""
    amount: int
    """Minor units of `currency`."""
    currency: str
    final: bool
    """Nothing more will be captured of this authorisation."""
    asked_at: datetime
    known: tuple[str, ...] = ()
    """Payments of this order that other requests made: none of them is this one."""


class PaymentVoid(Command, frozen=True, kw_only=True):
    """Let an authorisation go. One that is void or expired already is Done."""

    order_external_id: str
    payment: str | None


class RefundFrom(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that money may go back to, and how much of it has not yet."""

    payment: str
    method: str
    left: int


class PaymentRefund(Command, frozen=True, kw_only=True):
    """Give money back, once. Answers Done with the payments, or Refused."""

    order_external_id: str
    amount: int
    """Minor units of `currency`: what the customer gets."""
    currency: str
    lines: tuple[ConfirmedLine, ...] = ()
    """Units that the money is for; none for goodwill."""
    shipping: int = 0
    """Part of `amount` that is for shipping."""
    payments: tuple[RefundFrom, ...] = ()
    """Where it may go to, as far as the hub knows."""
    reason: str = ""
    notify: bool = True


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What may be sold of one item at one of the channel's locations."""

    sku: str
    location: str
    quantity: int
    """As this sink wants it: what it subtracts itself is already added back."""
    previous: int | None = None
    """What we last told it, for compare-and-set; None when never."""
    change: int | None = None
    """For sinks that take changes: `quantity` less what the sink holds. None when that is not known: read it first."""


class AvailabilityUpdate(Command, frozen=True, kw_only=True):
    """New levels, absolute. Done means all of them; a part that failed is told as `NeedsPerson` naming the SKUs."""

    levels: tuple[Level, ...]


# --- carriers --------------------------------------------------------------------------------------------------------


class DeclaredGoods(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one kind, as a customs border asks for them."""

    description: str
    quantity: int
    value: int
    """Minor units of the declaration's currency, for all of them."""
    hs_code: str | None = None
    origin_country: str | None = None
    """ISO 3166-1 alpha-2: where they were made."""


class ParcelToShip(msgspec.Struct, frozen=True, kw_only=True):
    """A packed box: grams and millimetres."""

    weight_g: int
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    goods: tuple[DeclaredGoods, ...] = ()
    """What is in it, where a customs border asks; together the declaration's."""


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What a parcel that crosses a customs border declares."""

    currency: str
    goods: tuple[DeclaredGoods, ...]
    invoice: str | None = None
    """Number of the commercial invoice; the label's reference stands in for it."""


class RateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What would it cost. A read."""

    reference: str
    ship_from: Contact
    ship_to: Contact
    parcel: ParcelToShip
    more_parcels: tuple[ParcelToShip, ...] = ()
    """Further boxes of the same shipment."""


class LabelRequest(Command, frozen=True, kw_only=True):
    """Buy postage, once. `key` is the reference under which the carrier is asked before a second try."""

    ship_from: Contact
    ship_to: Contact
    parcel: ParcelToShip
    service: str | None = None
    """Preferred service; None buys the cheapest offer."""
    returns: bool = False
    """From a customer back to a node."""
    more_parcels: tuple[ParcelToShip, ...] = ()
    """Further boxes of the same shipment."""
    declaration: Declaration | None = None
    """For a customs border; None where there is none, or where nobody knows the goods."""
    given_up: bool = False
    """Buy nothing any more. What an earlier try bought under the key is answered as ever, to be voided then; Done
    without a label when nothing was."""


class TrackRequest(Command, frozen=True, kw_only=True):
    """Follow these parcels: (carrier as the node named it, tracking number). Asking twice is harmless."""

    parcels: tuple[tuple[str | None, str], ...]


class LabelVoid(Command, frozen=True, kw_only=True):
    """Give postage back."""

    external_id: str


# --- reads -----------------------------------------------------------------------------------------------------------


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """One object that a pull or fetch brought, stored in the inbox under `key` like a webhook."""

    key: str
    """Unique per account and version of the object: "order:123:2026-01-02T03:04:05Z"."""
    topic: str
    object: str | None
    body: bytes


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a pull; stored together with the cursor in one transaction."""

    items: tuple[Pulled, ...]
    cursor: str
    """Where to go on, in the adapter's own words; survives restarts."""
    last: bool = False
    """Whether nothing follows it: the next run begins anew, when its time has come."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a connection test."""

    name: str
    ok: bool
    detail: str


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor says about itself at connect."""

    account: str
    checks: tuple[Check, ...]


R = TypeVar("R", contravariant=True)


class Send(Protocol[R]):
    """The shape of every writing capability."""

    def __call__(self, context: Context[Any], request: R, /) -> Awaitable[Outcome]: ...


class Quote(Protocol):
    """Ask a carrier for offers."""

    def __call__(self, context: Context[Any], request: RateRequest, /) -> Awaitable[tuple[Rate, ...]]: ...


class PullPages(Protocol):
    """Read on from a cursor (None: from the beginning, or from the connection's `live_from`), page by page."""

    def __call__(self, context: Context[Any], cursor: str | None, /) -> AsyncIterator[Page]: ...


class Fetch(Protocol):
    """Read the object that a thin or untrusted delivery is about, or all that a stored file holds, each on its own."""

    def __call__(
        self, context: Context[Any], topic: str, object: str, body: bytes, /
    ) -> Awaitable[Pulled | tuple[Pulled, ...]]: ...


class Track(Protocol):
    """Ask a carrier where a parcel is; the answer is stored like a webhook."""

    def __call__(self, context: Context[Any], carrier: str, tracking: str, /) -> Awaitable[Pulled | None]: ...
