"""What we do to others, in the imperative. An effect row holds ids only; the request is built when it is sent."""

from datetime import date

import msgspec

from hub.domain.payment import PaymentKind
from hub.domain.posting import DocumentKind


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all effects. `short` names the kind inside an effect key."""


class SubmitFulfilment(Effect, frozen=True, kw_only=True):
    """Ask a node to fulfil."""

    order: str
    fulfilment: int


class CancelFulfilment(Effect, frozen=True, kw_only=True):
    """Ask a node to stop."""

    order: str
    fulfilment: int
    request: int


class AdviseStock(Effect, frozen=True, kw_only=True):
    """Tell a node that goods of ours are on their way to it."""

    order: str
    fulfilment: int
    shipment: int
    units: tuple[tuple[int, int], ...]
    """(demand, units) of this shipment."""


class ConfirmShipment(Effect, frozen=True, kw_only=True):
    """Tell the channel that goods left."""

    order: str
    shipment: int


class BuyLabel(Effect, frozen=True, kw_only=True):
    """Buy a carrier's label for a fulfilment order of a node that is worked through the hub."""

    order: str
    fulfilment: int


class VoidLabel(Effect, frozen=True, kw_only=True):
    """Undo of `BuyLabel`."""

    order: str
    fulfilment: int


class TrackParcels(Effect, frozen=True, kw_only=True):
    """Ask a carrier to tell us where a shipment's parcels are."""

    order: str
    shipment: int


class PostDocument(Effect, frozen=True, kw_only=True):
    """Tell the books."""

    order: str
    kind: DocumentKind
    shipment: int | None = None


class PostPayment(Effect, frozen=True, kw_only=True):
    """Tell the books of money that moved."""

    order: str
    payment: str
    """The channel's id of it."""
    kind: PaymentKind


class PostStock(Effect, frozen=True, kw_only=True):
    """Tell the books of a day's stock adjustments at a node. It belongs to no order."""

    node: int
    day: date
    """In UTC, when they were true."""


class CancelAtChannel(Effect, frozen=True, kw_only=True):
    """Cancel an order at the channel because the hub was told to."""

    order: str
    reason: str


class CancelLinesAtChannel(Effect, frozen=True, kw_only=True):
    """Take units off an order at the channel that were cancelled here."""

    order: str
    reason: str
    units: dict[str, int] = {}
    """Sold units by line that became free with this word; what was free before, the word before it was about."""


class CapturePayment(Effect, frozen=True, kw_only=True):
    """Take money that was authorised."""

    order: str
    request: int


class VoidPayment(Effect, frozen=True, kw_only=True):
    """Let an authorisation go."""

    order: str
    request: int


class RefundPayment(Effect, frozen=True, kw_only=True):
    """Give money back."""

    order: str
    refund: int


class PostCreditNote(Effect, frozen=True, kw_only=True):
    """Tell the books of a refund."""

    order: str
    refund: int


class BuyReturnLabel(Effect, frozen=True, kw_only=True):
    """Buy postage for goods that come back."""

    order: str
    return_id: str


AnyEffect = (
    SubmitFulfilment
    | CancelFulfilment
    | AdviseStock
    | ConfirmShipment
    | BuyLabel
    | VoidLabel
    | TrackParcels
    | PostDocument
    | PostPayment
    | PostStock
    | CancelAtChannel
    | CancelLinesAtChannel
    | CapturePayment
    | VoidPayment
    | RefundPayment
    | PostCreditNote
    | BuyReturnLabel
)

SHORT: dict[type[Effect], str] = {
    SubmitFulfilment: "submit",
    CancelFulfilment: "cancel",
    AdviseStock: "advise",
    ConfirmShipment: "confirm",
    BuyLabel: "label",
    VoidLabel: "void",
    TrackParcels: "track",
    PostDocument: "post",
    PostPayment: "pay",
    PostStock: "stock",
    CancelAtChannel: "cancel",
    CancelLinesAtChannel: "lines",
    CapturePayment: "capture",
    VoidPayment: "void",
    RefundPayment: "refund",
    PostCreditNote: "credit",
    BuyReturnLabel: "label",
}
"""The word of each kind inside an effect key."""
