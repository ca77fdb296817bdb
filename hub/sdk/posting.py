"""What the books are asked to take: documents, entries and adjustments, each under a key of its own."""

from datetime import datetime

import msgspec

from hub.domain.contact import Contact
from hub.domain.posting import DocumentKind, EntryKind
from hub.sdk.capabilities import Command


class PostingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a document. Amounts are per line, in minor units; the ledger's unit price is derived by the adapter."""

    line: str
    sku: str | None
    title: str
    quantity: int
    amount: int
    """After discount; with tax when the document says tax is included."""
    tax: int = 0


class PostingRequest(Command, frozen=True, kw_only=True):
    """A document for the books."""

    kind: DocumentKind
    order: str
    """Our order id: the natural key under which the ledger is searched first."""
    order_number: str
    shipment: str | None
    currency: str
    tax_included: bool
    lines: tuple[PostingLine, ...]
    shipping: int
    total: int
    """What the ledger's own total must come to; read back and compared."""
    customer: Contact
    dated: datetime
    purchase_order: str | None = None
    """The buying company's own number of the order."""
    terms: str | None = None
    terms_days: int | None = None
    """Days after the invoice by which it is due; None is what the ledger has agreed."""


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """A side of an entry. The adapter's settings say which of the ledger's accounts stands for `account`."""

    account: str
    """"customer", what buyers owe; "clearing" of the entry's method."""
    debit: int = 0
    credit: int = 0
    """Minor units of the entry's currency."""


class EntryRequest(Command, frozen=True, kw_only=True):
    """A journal entry about money that moved: one per payment, balanced."""

    kind: EntryKind
    order: str
    order_number: str
    payment: str
    """The channel's id of it."""
    method: str
    """As the channel names it; its clearing account is found by this."""
    currency: str
    lines: tuple[EntryLine, ...]
    customer: Contact
    dated: datetime

    @property
    def total(self) -> int:
        """What either side comes to."""
        return sum(line.debit for line in self.lines)


class AdjustedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an item that are there, or not there, for another reason than a sale, a return or a receipt."""

    sku: str
    quantity: int
    """Base units, signed; never 0."""
    reason: str
    """adjustment, count, short, scrap, lost, correction."""


class StockAdjustment(Command, frozen=True, kw_only=True):
    """A day's adjustments at one node, for the books; `key` is the document's name there."""

    node: str
    """The node's code; the adapter's settings say which of the ledger's locations it is."""
    lines: tuple[AdjustedLine, ...]
    """One per item and reason."""
    dated: datetime
