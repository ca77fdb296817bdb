"""What a delivery led to, named after what happens next."""

from datetime import datetime

import msgspec

from hub.domain.facts import AnyFact, StockMeaning
from hub.domain.payment import Payment
from hub.domain.shipping import Label


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's own id for one of our things, kept per account: (kind, ours) -> theirs."""

    kind: str
    ours: str
    theirs: str


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A document or entry as a ledger holds it."""

    kind: str
    amount: int
    """Minor units of `currency`."""
    currency: str
    dated: datetime


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It took effect, exactly once."""

    reference: str | None = None
    """The partner's own id of what now exists."""
    facts: tuple[AnyFact, ...] = ()
    """What the answer already says; goes through the inbox like any other fact."""
    learned: tuple[Learned, ...] = ()
    label: Label | None = None
    """What `buy_label` bought."""
    payments: tuple[Payment, ...] = ()
    """What `capture_payment`, `void_payment` or `refund_payment` moved, as the channel books it."""
    found: bool = False
    """True when a look found it done by an earlier try: nothing was sent this time."""
    booked: Booked | None = None
    """What `post` and `post_payment` booked, where it differs from what was asked for."""
    answered_later: bool = False
    """Of a cancel: it was asked for and no more; a fact tells later what became of it."""


class RetryLater(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It surely did not take effect; try again, not before `at` when the partner said so."""

    reason: str
    at: datetime | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The partner understood and said no. Final for this effect; the order moves on by another way."""

    reason: str
    stock: StockMeaning = StockMeaning.NOTHING


class NeedsPerson(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Repeating will not help until somebody changes something."""

    reason: str
    next_step: str
    kind: str | None = None
    """Name of the exception, where many effects wait for one cause: `reason` is that cause, and names no effect."""


class Unauthorised(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The credentials were refused: the connection waits, nothing is lost."""

    reason: str


class Uncertain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It may have taken effect: the next try looks before it repeats."""

    reason: str


Outcome = Done | RetryLater | Refused | NeedsPerson | Unauthorised | Uncertain


class Interrupted(Exception):
    """Carries an outcome out of a client: throttled, unreachable, unauthorised, reply lost."""

    def __init__(self, outcome: RetryLater | NeedsPerson | Unauthorised | Uncertain | Refused) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def blocked(reason: str, next_step: str) -> Interrupted:
    """A person must change something before this can go on."""
    return Interrupted(NeedsPerson(reason=reason, next_step=next_step))
