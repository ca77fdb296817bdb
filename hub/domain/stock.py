"""What is on the shelf: an append-only ledger, balances kept with it, reservations that are not orders, supply."""

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Condition(StrEnum):
    """Only sellable stock can be promised."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    QUARANTINE = "quarantine"
    IN_TRANSIT = "in_transit"


class StockReason(StrEnum):
    """Why a ledger row is there."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"
    COUNT = "count"
    DISPATCH = "dispatch"
    CARRIED_OUT = "carried_out"
    SHORT = "short"
    TRANSFER = "transfer"
    LOST = "lost"
    RETURN = "return"
    CORRECTION = "correction"


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement. The sum of deltas of (merchant, node, item, lot, condition) is its balance, always."""

    merchant: str
    node: int
    item: int
    delta: int
    reason: StockReason
    source: str
    """Who said so: a connection id, "hub", a user."""
    cause: str
    """What it came from: a message, a fulfilment order, a request."""
    true_at: datetime
    learned_at: datetime
    lot: str = ""
    condition: Condition = Condition.SELLABLE


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Stock of an item at a node. May be negative: a fact is recorded even when it cannot be true."""

    merchant: str
    node: int
    item: int
    sellable: int
    pinned: int
    safety: int = 0

    @property
    def available(self) -> int:
        """What may still be reserved here."""
        return self.sellable - self.pinned - self.safety


class ReportKind(StrEnum):
    """How a stock report is meant."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"
    COUNT = "count"


class CartReservation(msgspec.Struct, frozen=True, kw_only=True):
    """A soft reservation of a basket, until `expires_at`. The only thing besides a promise that may answer no."""

    id: str
    merchant: str
    lines: tuple["CartLine", ...]
    expires_at: datetime


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one item; unpinned unless a node is named."""

    item: int
    quantity: int
    node: int | None = None


class Supply(msgspec.Struct, frozen=True, kw_only=True):
    """Stock that is expected, which is not stock."""

    reference: str
    merchant: str
    node: int
    item: int
    quantity: int
    due: date
    confidence: int = 100
    """Per cent."""
