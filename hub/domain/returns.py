"""Returns and refunds: peers of the order, with states of their own. Quantities are sold units of an order's line."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from hub.domain.states import RefundState, ReturnState


class Disposition(StrEnum):
    """What happens to goods that came back."""

    RESTOCK = "restock"
    """For sale again, where they were received."""
    REFURBISH = "refurbish"
    """Kept apart as damaged until somebody has mended and counted them."""
    SCRAP = "scrap"
    TO_VENDOR = "to_vendor"
    KEPT = "kept"
    """Never came back: the customer keeps them."""
    SENT_BACK = "sent_back"
    """The return was refused on inspection; the goods go to the customer again."""


class RefundWhen(StrEnum):
    """Which event makes a return's refund due."""

    NOW = "now"
    ON_SCAN = "on_scan"
    ON_RECEIPT = "on_receipt"
    AFTER_GRADE = "after_grade"
    NEVER = "never"


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line that somebody looked at."""

    disposition: Disposition
    quantity: int
    note: str | None = None


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an order line that come, or came, back."""

    line: str
    """The channel's line id; of a return without an order, "sku:" and the SKU."""
    quantity: int
    reason: str
    item: int | None = None
    """Of a return without an order, whose lines expand to no demands."""
    received: int = 0
    graded: tuple[Graded, ...] = ()

    @property
    def outstanding(self) -> int:
        """Units still expected."""
        return max(0, self.quantity - self.received)

    @property
    def ungraded(self) -> int:
        """Units that arrived and nobody looked at."""
        return self.received - sum(one.quantity for one in self.graded if one.disposition is not Disposition.KEPT)

    @property
    def disposition(self) -> Disposition | None:
        """The one that all graded units share; None when there is none, or several."""
        found = {one.disposition for one in self.graded}
        return found.pop() if len(found) == 1 else None


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A return of goods."""

    id: str
    order: str | None
    """None for goods of which nobody knows the order yet."""
    lines: tuple[ReturnLine, ...]
    created_at: datetime
    state: ReturnState = ReturnState.REQUESTED
    node: int | None = None
    """Where it goes to; once received, where it is."""
    merchant: str = "default"
    asked_by: str = "customer"
    policy: str = ""
    """Version of the rules that judged it."""
    refund: RefundWhen = RefundWhen.AFTER_GRADE
    source: str | None = None
    """What opened it where that may be told twice: "parcel:<tracking>", "told:<connection>:<sender's id>"."""
    blind: bool = False
    """The goods came without a request."""
    receipts: tuple[str, ...] = ()
    """Arrivals that were counted: what a node tells twice comes in once."""
    refused_because: str | None = None
    exchange: str | None = None
    """External id of the order that replaces the goods."""
    credit: int = 0
    """Minor units that paid for the exchange instead of being refunded."""
    owed: int = 0
    """Minor units by which the exchange cost less, refunded when the return's refund is due."""

    @property
    def disposition(self) -> Disposition | None:
        """The one that all lines share; None when there is none, or several."""
        found = {one.disposition for line in self.lines for one in line.graded}
        return found.pop() if len(found) == 1 else None

    @property
    def open(self) -> bool:
        """Whether goods may still come."""
        return self.state in EXPECTING


EXPECTING = frozenset({ReturnState.REQUESTED, ReturnState.APPROVED, ReturnState.IN_TRANSIT, ReturnState.RECEIVED})
"""States in which units that have not arrived are still expected."""

LIVING = frozenset(
    {RefundState.ASKED, RefundState.DONE, RefundState.BY_HAND},
)
"""Refunds whose money counts: gone, or on its way."""


class RefundLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line that are refunded. Amounts in minor units of the refund's currency."""

    line: str
    quantity: int
    amount: int
    """After discount; with tax when the order says tax is included."""
    tax: int = 0


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money going back, with or without goods. `amount` is what the customer gets, in minor units of `currency`."""

    id: str
    order: str
    no: int
    """Within the order; never reused."""
    amount: int
    currency: str
    created_at: datetime
    lines: tuple[RefundLine, ...] = ()
    shipping: int = 0
    adjustment: int = 0
    """What no line explains: goodwill is positive, fees kept back are negative. Lines, shipping and this sum up."""
    state: RefundState = RefundState.ASKED
    return_id: str | None = None
    reason: str = ""
    origin: str = "hub"
    """Who decided it: "hub", or "channel" for what was refunded there and told to us."""
    asked_by: str = "hub"
    external_ids: tuple[str, ...] = ()
    """The channel's ids of the payments that it became."""
    unsold: bool = False
    """Whether it is for units that were cancelled before they left."""


def refunded_units(refunds: Mapping[str, Refund]) -> dict[str, int]:
    """Sold units per line whose money went or goes back."""
    units: dict[str, int] = {}
    for refund in refunds.values():
        if refund.state in LIVING:
            for line in refund.lines:
                units[line.line] = units.get(line.line, 0) + line.quantity
    return units


def share(amount: int, start: int, units: int, of: int) -> int:
    """Part of `amount` for units `start` to `start + units` of `of`; the parts of a whole sum to it."""
    return amount * min(start + units, of) // of - amount * min(start, of) // of if of > 0 else 0
