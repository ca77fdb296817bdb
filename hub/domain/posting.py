"""What the books are told."""

from enum import StrEnum

import msgspec


class DocumentKind(StrEnum):
    """Documents of the document mode. Journal mode posts entries instead, never both for one event."""

    ORDER = "order"
    DELIVERY = "delivery"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class EntryKind(StrEnum):
    """Entries in the journal: money that came or went, besides the documents. Each is balanced in itself."""

    PAYMENT = "payment"
    """Money taken: its clearing account owes, the customer owes less."""
    GIFT_CARD = "gift_card"
    """Paid with a gift card: the same, on the gift cards' own clearing account."""
    REFUND = "refund"
    """Money given back, or change handed out of a till: the other way round."""


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A document or entry that a ledger accepted."""

    order: str
    kind: DocumentKind | EntryKind
    number: str
    connection: str
    amount: int
    """Minor units of `currency`, as the ledger holds it."""
    currency: str
    shipment: int | None = None
