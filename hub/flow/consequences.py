"""What an outcome means for the order: facts for the inbox, hand-off, labels, postings, or a person's attention."""

from datetime import datetime
from typing import Final, NamedTuple, assert_never

from hub.domain.effects import (
    CancelAtChannel,
    CancelFulfilment,
    CancelLinesAtChannel,
    CapturePayment,
    RefundPayment,
    SubmitFulfilment,
    VoidPayment,
)
from hub.domain.facts import (
    AnyFact,
    CancelConfirmed,
    CancelRefused,
    CancelTold,
    FulfilmentRefused,
    PaymentMade,
    PaymentRefused,
)
from hub.domain.fulfilment import fulfilment_id
from hub.domain.states import Handoff
from hub.flow.ports import Claimed
from hub.flow.trouble import Trouble
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Unauthorised, Uncertain

MOVES_MONEY: Final = (CapturePayment, VoidPayment, RefundPayment)


class Verdict(NamedTuple):
    """How a try ended, in the terms of the outbox."""

    word: str
    reason: str
    over: bool
    retry: bool
    """Try again by the schedule; neither over nor retry parks it."""
    look_first: bool


def judge(outcome: Outcome, looked: bool) -> Verdict:
    """Read an outcome. An uncertain try makes every later one look first."""
    match outcome:
        case Done():
            return Verdict("done", "found done" if outcome.found else "", over=True, retry=False, look_first=looked)
        case Refused():
            return Verdict("refused", outcome.reason, over=True, retry=False, look_first=looked)
        case RetryLater():
            return Verdict("retry_later", outcome.reason, over=False, retry=True, look_first=looked)
        case Unauthorised():
            return Verdict("unauthorised", outcome.reason, over=False, retry=True, look_first=looked)
        case Uncertain():
            return Verdict("uncertain", outcome.reason, over=False, retry=True, look_first=True)
        case NeedsPerson():
            return Verdict("needs_person", outcome.reason, over=False, retry=False, look_first=looked)
        case _:
            assert_never(outcome)


def handoff(claimed: Claimed, outcome: Outcome) -> tuple[str, int, Handoff, str | None] | None:
    """Change of a fulfilment order's hand-off: (order, number, state, partner's reference)."""
    effect = claimed.effect
    if not isinstance(effect, SubmitFulfilment):
        return None
    if isinstance(outcome, Done):
        return effect.order, effect.fulfilment, Handoff.SENT, outcome.reference
    if isinstance(outcome, Uncertain):
        return effect.order, effect.fulfilment, Handoff.UNCERTAIN, None
    return None


def facts(claimed: Claimed, outcome: Outcome, at: datetime) -> tuple[AnyFact, ...]:
    """What the answer already says; it goes through the inbox like any other fact."""
    effect = claimed.effect
    if isinstance(effect, MOVES_MONEY) and isinstance(outcome, Done):
        reference, money = outcome.reference, _money(effect)
        made = PaymentMade(at=at, order=effect.order, what=money, reference=reference, payments=outcome.payments)
        return (made, *outcome.facts)
    if isinstance(effect, MOVES_MONEY) and isinstance(outcome, Refused):
        return (PaymentRefused(at=at, order=effect.order, what=_money(effect), reason=outcome.reason),)
    if isinstance(outcome, Done):
        if isinstance(effect, CancelAtChannel | CancelLinesAtChannel):
            lines = effect.units if isinstance(effect, CancelLinesAtChannel) else None
            return (CancelTold(at=at, order=effect.order, reason=effect.reason, lines=lines), *outcome.facts)
        if isinstance(effect, CancelFulfilment) and not outcome.facts and not outcome.answered_later:
            return (CancelConfirmed(at=at, fulfilment=fulfilment_id(effect.order, effect.fulfilment)),)
        return outcome.facts
    if isinstance(outcome, Refused):
        if isinstance(effect, SubmitFulfilment):
            public = fulfilment_id(effect.order, effect.fulfilment)
            return (FulfilmentRefused(at=at, fulfilment=public, reason=outcome.reason, stock=outcome.stock),)
        if isinstance(effect, CancelFulfilment):
            public = fulfilment_id(effect.order, effect.fulfilment)
            return (CancelRefused(at=at, fulfilment=public, reason=outcome.reason),)
    return ()


def _money(effect: CapturePayment | VoidPayment | RefundPayment) -> str:
    """What an effect that moves money is about, as its facts name it."""
    return f"refund:{effect.refund}" if isinstance(effect, RefundPayment) else f"request:{effect.request}"


def credentials_refused(connection: str, name: str) -> Trouble:
    """The exception of a connection, (id, name), whose partner does not know us any more."""
    return Trouble(
        kind="unauthorised",
        cause=f"{connection}: {name}",
        next_step="Enter working credentials (PATCH /api/v1/connections/{id}). What waits is sent by itself then.",
        connection=connection,
    )


def trouble(claimed: Claimed, outcome: Outcome, *, exhausted: bool, connection_name: str) -> Trouble | None:
    """The exception that an outcome raises, if any."""
    kind = type(claimed.effect).__name__
    if isinstance(outcome, Unauthorised):
        return credentials_refused(claimed.connection, connection_name)
    if isinstance(outcome, NeedsPerson) and outcome.kind is not None:
        return Trouble(kind=outcome.kind, cause=outcome.reason, next_step=outcome.next_step)
    if isinstance(outcome, NeedsPerson):
        return Trouble(
            kind="delivery_needs_person",
            cause=f"{claimed.connection}: {kind}: {outcome.reason}",
            next_step=outcome.next_step,
            connection=claimed.connection,
        )
    if exhausted and isinstance(outcome, RetryLater | Uncertain):
        return Trouble(
            kind="dead_letter",
            cause=f"{claimed.connection}: {kind} {claimed.key}",
            next_step=f"It failed too often ({outcome.reason}). When the partner is well again, retry the exception.",
            connection=claimed.connection,
        )
    if isinstance(outcome, Refused) and not isinstance(claimed.effect, SubmitFulfilment | CancelFulfilment):
        return Trouble(
            kind="delivery_refused",
            cause=f"{claimed.connection}: {kind}: {outcome.reason}",
            next_step="The partner refused for good. Do it there by hand, or correct the cause and replay with force.",
            connection=claimed.connection,
        )
    return None
