"""What the books are told."""

from enum import StrEnum

import msgspec


class DocumentKind(StrEnum):
    """Documents of the document mode. Journal mode posts entries instead, never both for one event."""

    ORDER = "order"
    DELIVERY = "delivery"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A document that a ledger accepted, with the totals read back from it."""

    order: str
    kind: DocumentKind
    number: str
    connection: str
    amount: int
    currency: str
    shipment: int | None = None
