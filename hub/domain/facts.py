"""What others say happened, in the past tense. Appended, deduplicated under the sender's own id, true in any order."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.item import Dimensions
from hub.domain.payment import Payment
from hub.domain.purchase import UnitCost
from hub.domain.returns import Disposition
from hub.domain.shipping import Parcel, ScanEvent
from hub.domain.stock import ReportKind

UNSTATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`at` of a fact whose sender states no time: the hub puts the time of receipt there."""


class StockMeaning(StrEnum):
    """What a refusal or a short pick says about the shelf."""

    NOTHING = "nothing"
    QUANTITY = "quantity"
    """The quantity concerned is not there."""
    ALL = "all"
    """The node has none of it left."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Base of all facts; `at` is when it was true."""

    at: datetime


class FactLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a fulfilment order's line: by our line reference, or by SKU where the partner keeps no reference."""

    quantity: int
    line: str | None = None
    sku: str | None = None


class FulfilmentAccepted(Fact, frozen=True, kw_only=True):
    """The node took the fulfilment order on. Of several, the one that was true last counts for date and costs."""

    fulfilment: str
    partner_reference: str | None = None
    ships_on: datetime | None = None
    """When it leaves, at the latest; None where the node names no date."""
    costs: tuple[UnitCost, ...] = ()
    """What a supplier charges."""
    currency: str | None = None
    """Of the costs."""


class PurchaseOrdered(Fact, frozen=True, kw_only=True):
    """A supplier was sent a purchase order. Told again, it changes nothing."""

    fulfilment: str
    number: str
    currency: str
    costs: tuple[UnitCost, ...] = ()
    """What was agreed, where it is known."""
    tolerance_percent: Decimal = Decimal(0)
    transit_days: int = 0


class FulfilmentRefused(Fact, frozen=True, kw_only=True):
    """The node will not do it."""

    fulfilment: str
    reason: str
    stock: StockMeaning = StockMeaning.NOTHING


class FulfilmentHeld(Fact, frozen=True, kw_only=True):
    """The node stopped working on it of its own accord, or goes on. Of several, the one that was true last counts."""

    fulfilment: str
    reasons: tuple[str, ...] = ()
    """All that it is held for now, in the node's own words of kinds, never of people; none: it is held no more."""


class UnitsPicked(Fact, frozen=True, kw_only=True):
    """Taken from the shelf; no lines means all of them."""

    fulfilment: str
    lines: tuple[FactLine, ...] = ()


class UnitsPacked(Fact, frozen=True, kw_only=True):
    """In boxes; no lines means all of them."""

    fulfilment: str
    lines: tuple[FactLine, ...] = ()


class UnitsShort(Fact, frozen=True, kw_only=True):
    """Asked for and not found."""

    fulfilment: str
    lines: tuple[FactLine, ...]
    reason: str = "not found"
    stock: StockMeaning = StockMeaning.QUANTITY


class GoodsShipped(Fact, frozen=True, kw_only=True):
    """Left the building. Counts once per `shipment`, the sender's own id; no parcel lines means all that is left."""

    fulfilment: str
    shipment: str
    parcels: tuple[Parcel, ...] = ()


class ReadyForPickUp(Fact, frozen=True, kw_only=True):
    """Waits for the customer at the node."""

    fulfilment: str


class GoodsCollected(Fact, frozen=True, kw_only=True):
    """Handed to the customer; no lines means all of them."""

    fulfilment: str
    lines: tuple[FactLine, ...] = ()


class GoodsArrived(Fact, frozen=True, kw_only=True):
    """Goods on their way between two nodes arrived at the other; no lines means all that is under way."""

    fulfilment: str
    lines: tuple[FactLine, ...] = ()


class GoodsLost(Fact, frozen=True, kw_only=True):
    """Goods on their way between two nodes will not arrive; no lines means all that is under way."""

    fulfilment: str
    lines: tuple[FactLine, ...] = ()
    reason: str = "lost"


class CancelConfirmed(Fact, frozen=True, kw_only=True):
    """The node stopped; its units may be freed."""

    fulfilment: str


class CancelRefused(Fact, frozen=True, kw_only=True):
    """Too late for the node; the goods are expected to leave."""

    fulfilment: str
    reason: str


class ParcelScanned(Fact, frozen=True, kw_only=True):
    """A carrier saw a parcel."""

    tracking: str
    carrier: str
    event: ScanEvent


class PaymentMade(Fact, frozen=True, kw_only=True):
    """A capture, void or refund that we asked for was done. Told again, it changes nothing."""

    order: str
    what: str
    """ "request:<no>" of a payment request, "refund:<no>" of a refund."""
    reference: str | None = None
    """The channel's id, where it gave no payments."""
    payments: tuple[Payment, ...] = ()


class PaymentRefused(Fact, frozen=True, kw_only=True):
    """A capture, void or refund that we asked for will not happen."""

    order: str
    what: str
    reason: str


class CancelTold(Fact, frozen=True, kw_only=True):
    """The channel took a cancel of ours."""

    order: str
    reason: str
    lines: dict[str, int] | None = None
    """Sold units by line; None is the whole order."""


class ReturnedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that came back, by the channel's line id where it is known, else by SKU."""

    quantity: int
    line: str | None = None
    sku: str | None = None
    disposition: Disposition | None = None
    """What the node made of them, where it has looked already."""


class GoodsReturned(Fact, frozen=True, kw_only=True):
    """Goods arrived at a node, asked for or not. Counts once per `receipt`, the sender's own id."""

    receipt: str
    location: str
    """The sender's own name of the node, or the node's code."""
    lines: tuple[ReturnedLine, ...]
    return_id: str | None = None
    order: str | None = None
    """Our order id or fulfilment order id; None where the parcel does not say."""
    tracking: str | None = None


class StockLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A level (`on_hand`) or a change (`delta`) of one SKU at one location of the partner."""

    location: str
    sku: str
    on_hand: int | None = None
    delta: int | None = None
    lot: str = ""
    unit: str | None = None
    """Unit of the figure where it is not the item's base unit: converted by the item's table, or told."""


class StockReported(Fact, frozen=True, kw_only=True):
    """A stock master's figures; `at` is when they were true."""

    kind: ReportKind
    lines: tuple[StockLine, ...]
    reason: str | None = None
    complete: bool = False
    """Everything there is at the locations named: what is not listed is not there. A snapshot is partial otherwise."""


class SupplyLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a purchase order that are still to come to one of the sender's locations."""

    location: str
    sku: str
    quantity: int
    due: date
    unit: str | None = None
    """Unit of the quantity where it is not the item's base unit."""


class SupplyReported(Fact, frozen=True, kw_only=True):
    """A purchase order as its keeper has it now: what it does not list is not expected any more."""

    reference: str
    """Its number, which receipts name too."""
    lines: tuple[SupplyLine, ...] = ()
    """None once it is received, closed or cancelled."""


class ItemReported(Fact, frozen=True, kw_only=True):
    """An item as a ledger keeps it; `at` is when it was changed there. What is None or empty is not its word, and stays
    as the hub has it; of costs, prices and conversions that is true of each currency and unit that is not named."""

    sku: str
    active: bool = True
    """False: it is sold no more, or never was; nothing is made or changed by it."""
    title: str | None = None
    barcodes: tuple[str, ...] = ()
    base_unit: str | None = None
    conversions: dict[str, int] = {}
    """Base units per other unit."""
    weight_g: int | None = None
    dimensions: Dimensions | None = None
    unit_cost: dict[str, Decimal] = {}
    """What a base unit costs the merchant, by currency."""
    price: dict[str, Decimal] = {}
    """The list price of a base unit, by currency."""
    hs_code: str | None = None
    origin_country: str | None = None


class BookedDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A posted document, or an entry of payments, as a ledger holds it. Amount in minor units, always positive."""

    kind: str
    """invoice, credit_note, entry."""
    number: str
    amount: int
    currency: str
    reference: str | None = None
    """Under which we posted it; begins with the order's id."""


class BooksReported(Fact, frozen=True, kw_only=True):
    """All that a ledger holds of one day: `at` is when it said so."""

    day: date
    documents: tuple[BookedDocument, ...] = ()


class ErasureAsked(Fact, frozen=True, kw_only=True):
    """A person wants to be forgotten, or a whole account is to be."""

    request: str
    """The channel's own id of the request."""
    orders: tuple[str, ...] = ()
    """The channel's ids of the orders whose people are forgotten."""
    everybody: bool = False
    """The people of every order of the account."""


class DisclosureAsked(Fact, frozen=True, kw_only=True):
    """A person asks what is known of them."""

    request: str
    orders: tuple[str, ...] = ()


NodeFact = (
    FulfilmentAccepted
    | PurchaseOrdered
    | FulfilmentRefused
    | FulfilmentHeld
    | UnitsPicked
    | UnitsPacked
    | UnitsShort
    | GoodsShipped
    | ReadyForPickUp
    | GoodsCollected
    | GoodsArrived
    | GoodsLost
    | CancelConfirmed
    | CancelRefused
)
"""Facts about a fulfilment order."""

PeerFact = PaymentMade | PaymentRefused | CancelTold | GoodsReturned
"""Facts about what stands beside an order."""

PrivacyFact = ErasureAsked | DisclosureAsked
"""Facts about what people want done with what is known of them."""

LedgerFact = SupplyReported | ItemReported | BooksReported
"""Facts about what a ledger knows."""

AnyFact = NodeFact | PeerFact | PrivacyFact | LedgerFact | ParcelScanned | StockReported
