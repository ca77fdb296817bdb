"""An adapter is one value. `ADAPTER = Adapter(...)` in `adapters/<vendor>/adapter.py` says all that a vendor can do."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from hub.domain.facts import AnyFact
from hub.domain.network import Mode
from hub.domain.order import OrderSnapshot
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    ChannelCancel,
    ChannelLineCancel,
    Context,
    Fetch,
    FulfilmentCancel,
    FulfilmentRequest,
    LabelRequest,
    LabelVoid,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    Probe,
    PullPages,
    Quote,
    Send,
    ShipmentConfirmation,
    StockAdvice,
    Track,
)
from hub.sdk.posting import EntryRequest, PostingRequest, StockAdjustment
from hub.sdk.sign_in import SignIn
from hub.sdk.translate import Tables
from hub.sdk.webhook import Delivery, Verdict
from hub.sdk.wire import Transport

SDK_VERSION: Final = 1

Secret = "x-secret"
"""Key in a settings field's `extra_json_schema` that makes it write-only."""


class Kind(StrEnum):
    """What sort of system it is."""

    CHANNEL = "channel"
    NODE = "node"
    CARRIER = "carrier"
    LEDGER = "ledger"


class Lane(StrEnum):
    """Queues of the inbox: a handler's batch is of one lane. Orders go first."""

    ORDERS = "orders"
    FACTS = "facts"
    STOCK = "stock"
    FETCH = "fetch"


class Form(StrEnum):
    """How an inbound message is meant; the adapter declares it, no handler guesses."""

    SNAPSHOT = "snapshot"
    """The newest version wins."""
    EVENT = "event"
    """Each counts once, in any order."""


Message = OrderSnapshot | AnyFact

Translate = Callable[[bytes, Tables], Sequence[Message]]
"""Pure: one stored body to canonical messages. Raises `translate.Unmapped` or `translate.Malformed`."""


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of delivery, and how its body is read: by a mapping file or by a pure function, never both."""

    lane: Lane
    form: Form
    mapping: str | None = None
    """Name of `mappings/<vendor>/<mapping>.toml`, which makes an `OrderSnapshot`."""
    translate: Translate | None = None
    thin: bool = False
    """The body only names an object, or cannot be trusted: it is fetched first; `fetched_as` is the answer's topic."""
    fetched_as: str | None = None
    ignore: bool = False
    """Stored and acknowledged, of no consequence."""


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled read."""

    pages: PullPages
    every_seconds: int
    overlap_seconds: int = 300
    """How far a pull looks back over its own cursor: lists miss, shift and lag."""
    consumes: bool = False
    """What was brought is gone at its source, as files are that were put away: a second pull does not bring it."""
    resumes: bool = False
    """The cursor of every page is a place to go on from: a long run may end at any page, so that others get their turn.
    Without it a run is never cut short, for it would begin anew."""


class Subtracts(StrEnum):
    """What a sink of availability subtracts by itself, and so gets added back."""

    NOTHING = "nothing"
    OWN_OPEN_ORDERS = "own_open_orders"


class Publishes(StrEnum):
    """In which form a sink takes availability."""

    ABSOLUTE = "absolute"
    """`Level.quantity`: telling it again is harmless."""
    RELATIVE = "relative"
    """`Level.change`: after an uncertain try the adapter reads what the sink holds before it tells again."""


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """All that a vendor can do. A capability that is None does not exist.

    `settings` is a strict msgspec Struct: required fields are the required keys of a connection's config, secret fields
    carry `Meta(extra_json_schema={"x-secret": True})`, and every adapter's has an optional `base_url`.
    """

    name: str
    title: str
    kind: Kind
    settings: type[msgspec.Struct]
    account: Callable[[Any], str]
    """Pure: the vendor's own name of the account, from the settings."""
    transport: Callable[[Any], Transport]
    sdk: int = SDK_VERSION

    check: Callable[[Delivery, Any], Verdict] | None = None
    """Pure, `webhook.py`: is it genuine, what is its key and topic."""
    addressed: Callable[[Delivery], str | None] | None = None
    """Pure: the account that a delivery names by itself, for apps with one endpoint for all accounts. Believed only
    as far as choosing whose secret must have signed it."""
    topics: Mapping[str, Topic] = {}
    functions: Mapping[str, Callable[..., Any]] = {}
    """Named pure functions that the vendor's mapping files may call for what is truly irregular."""
    fetch: Fetch | None = None
    pulls: Mapping[str, Pull] = {}
    """By what they bring: orders, stock, status."""

    sign_in: SignIn | None = None
    """OAuth by redirect; the token it brings is what the transport's `RefreshToken` begins with."""
    probe: Callable[[Context[Any]], Any] | None = None
    """`async (context) -> Probe`: the connection test, and the account's name as the vendor says it."""
    submit_fulfilment: Send[FulfilmentRequest] | None = None
    cancel_fulfilment: Send[FulfilmentCancel] | None = None
    advise_stock: Send[StockAdvice] | None = None
    """Tells the partner of goods that are on their way to its node."""
    confirm_shipment: Send[ShipmentConfirmation] | None = None
    cancel_order: Send[ChannelCancel] | None = None
    cancel_lines: Send[ChannelLineCancel] | None = None
    capture_payment: Send[PaymentCapture] | None = None
    void_payment: Send[PaymentVoid] | None = None
    refund_payment: Send[PaymentRefund] | None = None
    publish_availability: Send[AvailabilityUpdate] | None = None
    availability_batch: int = 100
    publishes: Publishes = Publishes.ABSOLUTE
    subtracts: Subtracts = Subtracts.NOTHING
    stock_subtracts: Subtracts = Subtracts.NOTHING
    """As a source: what its stock figures have taken off already, and so gets added back."""
    quote: Quote | None = None
    buy_label: Send[LabelRequest] | None = None
    pays_back_cancelled: bool = False
    """Of a channel: whether what it cancels for us it pays back by itself, or has not been paid before it leaves."""
    return_labels: bool = False
    """Whether `buy_label` also sells postage from a customer back to a node."""
    several_boxes: bool = False
    """Whether `buy_label` takes `more_parcels`; without it everything is labelled as one parcel."""
    void_label: Send[LabelVoid] | None = None
    track: Track | None = None
    post: Send[PostingRequest] | None = None
    post_payment: Send[EntryRequest] | None = None
    post_stock: Send[StockAdjustment] | None = None
    """Always among `opt_in`: what was adjusted before its mode was set is not told."""
    opt_in: frozenset[str] = frozenset()
    """Capabilities that are off until their mode is set: settings that are not required must say first what they do."""

    def unset_mode(self, capability: str) -> Mode:
        """The mode of a capability that a connection does not name."""
        return Mode.OFF if capability in self.opt_in else Mode.LIVE

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Names of what it can do, as the API and a connection's modes speak of them."""
        writes = (
            "submit_fulfilment",
            "cancel_fulfilment",
            "advise_stock",
            "confirm_shipment",
            "cancel_order",
            "cancel_lines",
            "capture_payment",
            "void_payment",
            "refund_payment",
            "publish_availability",
            "quote",
            "buy_label",
            "void_label",
            "track",
            "post",
            "post_payment",
            "post_stock",
        )
        present = [name for name in writes if getattr(self, name) is not None]
        if self.check is not None:
            present.insert(0, "receive")
        return (*present, *(f"pull_{name}" for name in self.pulls))


__all__ = [
    "SDK_VERSION",
    "Adapter",
    "Form",
    "Kind",
    "Lane",
    "Message",
    "Probe",
    "Publishes",
    "Pull",
    "Secret",
    "Subtracts",
    "Topic",
    "Translate",
]
