"""Money that moved or was promised. Rows are appended under the channel's own id, never edited."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from hub.domain.states import RequestState


class PaymentKind(StrEnum):
    """What the row says happened."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    SALE = "sale"
    VOID = "void"
    REFUND = "refund"
    CHANGE = "change"
    """Coins given back out of what was handed over at a till: no refund."""


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
    implied: bool = False
    """The sender named no transaction: it follows from its word on the order, and real ones take its place."""


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What we ask of the channel: capture or void. Its key is fixed by `no`; what came of it are payments."""

    order: str
    no: int
    """Within the order; never reused."""
    kind: PaymentKind
    parent: str | None
    """The authorisation; None where the channel named none."""
    amount: int
    currency: str
    asked_at: datetime
    state: RequestState = RequestState.ASKED
    final: bool = False
    """Nothing more will be captured of it: what is left may be given back."""
    external_id: str | None = None


class Authorisation(msgspec.Struct, frozen=True, kw_only=True):
    """Money held for us. `left` is what may still be captured, open requests already taken off."""

    external_id: str | None
    method: str
    amount: int
    left: int
    captured: int = 0
    at: datetime | None = None
    expires_at: datetime | None = None


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """An order's money, in minor units of its currency."""

    captured: int
    """Taken from the customer: captures and sales, coins given back taken off."""
    refunded: int
    authorisations: tuple[Authorisation, ...]
    """Those that were neither voided nor failed."""
    known: bool
    """False when nobody told of any payment, or told of it in another currency: no limit can be drawn from it."""


def position(payments: Iterable[Payment], currency: str, requests: Iterable[PaymentRequest] = ()) -> Position:
    """Add up payment rows. The same row told twice, or as pending and later as done, counts once.

    What a channel implied without naming a transaction is a lower bound of what its transactions come to.
    """
    rows = _newest(payments)
    mine = [row for row in rows if row.currency == currency]
    done = [row for row in mine if row.status == "done"]
    taken = _total(done, PaymentKind.CAPTURE, PaymentKind.SALE) - _total(done, PaymentKind.CHANGE)
    implied = sum(row.amount for row in done if row.implied and row.kind is PaymentKind.SALE)
    return Position(
        captured=max(taken, implied),
        refunded=_total(done, PaymentKind.REFUND),
        authorisations=_authorisations(mine, list(requests)),
        known=bool(mine) and len(mine) == len(rows),
    )


def _newest(payments: Iterable[Payment]) -> list[Payment]:
    """One row per (id, kind); done beats pending beats failed."""
    rank = {"done": 2, "pending": 1}
    found: dict[tuple[str, PaymentKind], Payment] = {}
    for row in payments:
        key = (row.external_id, row.kind)
        if key not in found or rank.get(row.status, 0) > rank.get(found[key].status, 0):
            found[key] = row
    return list(found.values())


def _total(rows: Iterable[Payment], *kinds: PaymentKind) -> int:
    return sum(row.amount for row in rows if row.kind in kinds and not row.implied)


def _authorisations(rows: list[Payment], requests: list[PaymentRequest]) -> tuple[Authorisation, ...]:
    made = [row for row in rows if row.kind is PaymentKind.AUTHORISE and row.status == "done"]
    real = [row for row in made if not row.implied] or made
    voided = {row.parent for row in rows if row.kind is PaymentKind.VOID and row.status == "done"}
    voided |= {one.parent for one in requests if one.kind is PaymentKind.VOID and one.state is not RequestState.REFUSED}
    found = []
    for row in real:
        name = None if row.implied else row.external_id
        if name in voided:
            continue
        # A capture that names no authorisation was made on the only one there is.
        own = {row.external_id} | ({None} if len(real) == 1 else set())
        told = [one for one in rows if one.kind is PaymentKind.CAPTURE and one.status != "failed" and not one.implied]
        captured = sum(one.amount for one in told if len(real) == 1 or one.parent in own)
        asked = [one for one in requests if one.kind is PaymentKind.CAPTURE and one.state is RequestState.ASKED]
        open_units = sum(one.amount for one in asked if one.parent in own)
        left = max(0, row.amount - captured - open_units)
        found.append(
            Authorisation(
                external_id=name,
                method=row.method,
                amount=row.amount,
                left=left,
                captured=captured,
                at=row.at,
                expires_at=row.expires_at,
            )
        )
    return tuple(found)
