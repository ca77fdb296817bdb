"""Money that moved or was promised. Rows are appended under the channel's own id, never edited."""

from datetime import datetime
from enum import StrEnum

import msgspec


class PaymentKind(StrEnum):
    """What the row says happened."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    SALE = "sale"
    VOID = "void"
    REFUND = "refund"


class CapturedBy(StrEnum):
    """Who captures, declared by the account."""

    CHANNEL = "channel"
    HUB = "hub"
    NONE = "none"


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One payment fact. Amount in minor units of `currency`, always positive; the kind gives the direction."""

    external_id: str
    kind: PaymentKind
    method: str
    """Canonical or raw gateway name; "gift_card" is a payment, not a discount."""
    amount: int
    currency: str
    status: str
    """pending, done, failed."""
    parent: str | None = None
    at: datetime | None = None
    expires_at: datetime | None = None
