"""Returns and refunds: peers of the order, with states of their own."""

from enum import StrEnum

import msgspec

from hub.domain.states import ReturnState


class Disposition(StrEnum):
    """What happens to goods that came back."""

    RESTOCK = "restock"
    REFURBISH = "refurbish"
    SCRAP = "scrap"
    TO_VENDOR = "to_vendor"
    KEPT = "kept"


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an order line that come, or came, back."""

    line: str
    item: int | None
    quantity: int
    reason: str
    received: int = 0
    disposition: Disposition | None = None


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A return of goods."""

    id: str
    order: str
    lines: tuple[ReturnLine, ...]
    state: ReturnState = ReturnState.REQUESTED
    node: int | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money going back; with or without goods. Minor units of `currency`."""

    id: str
    order: str
    amount: int
    currency: str
    lines: tuple[tuple[str, int], ...] = ()
    external_id: str | None = None
    state: str = "asked"
