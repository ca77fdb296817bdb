"""Money: completing and cancelling what a card holds, and giving back. A refund at Square restocks nothing."""

from collections.abc import Sequence
from typing import Final

from adapters.square import answers, schemas
from adapters.square.documents import Seller, decoder, get, post
from adapters.square.updates import idempotency_key, read_order
from hub.domain.payment import Payment, PaymentKind
from hub.sdk.capabilities import PaymentCapture, PaymentRefund, PaymentVoid, RefundFrom
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, blocked
from hub.sdk.wire import Response

LONGEST_REASON: Final = 192
LOST: Final = frozenset({"FAILED", "REJECTED"})
SAID_NO: Final = frozenset({"REFUND_ERROR", "PAYMENT_METHOD_ERROR"})
"""Categories of errors with which money does not move, now or later."""

_payment: Final = decoder(schemas.PaymentAnswer)
_refund: Final = decoder(schemas.RefundAnswer)


# --- capture and void -------------------------------------------------------------------------------------------------


async def capture_payment(context: Seller, request: PaymentCapture, /) -> Outcome:
    """Complete an approved payment, whole: Square captures an authorisation once, and not in part."""
    payment = await _held(context, request.order_external_id, request.payment)
    if not isinstance(payment, schemas.Payment):
        return payment
    what = f"payment {payment.id}"
    held = payment.total_money or schemas.Money()
    if held.currency != request.currency or held.amount != request.amount:
        return Refused(
            reason=f"{what} holds {held.amount} {held.currency}, {request.amount} {request.currency} were asked for, "
            "and Square completes a payment whole: change its amount in the Dashboard, or capture all of it"
        )
    if payment.status == "COMPLETED":
        return Done(reference=payment.id, payments=(_moved(payment, PaymentKind.CAPTURE),), found=True)
    if payment.status != "APPROVED":
        return Refused(reason=f"{what} is {payment.status}: there is nothing to capture")
    path = f"/v2/payments/{payment.id}/complete"
    answer = await post(context, path, "POST /v2/payments/{id}/complete", {}, write=True)
    if _said_no(answer):
        return Refused(reason=f"{what}: {answers.told(answer)}")
    after = answers.read(answer, _payment, what, context.now(), write=True).payment
    if after.status != "COMPLETED":
        return Refused(reason=f"{what} is {after.status} after the capture")
    return Done(reference=after.id, payments=(_moved(after, PaymentKind.CAPTURE),))


async def void_payment(context: Seller, request: PaymentVoid, /) -> Outcome:
    """Cancel an approved payment."""
    payment = await _held(context, request.order_external_id, request.payment)
    if not isinstance(payment, schemas.Payment):
        return payment
    what = f"payment {payment.id}"
    if payment.status == "CANCELED":
        return Done(reference=payment.id, payments=(_moved(payment, PaymentKind.VOID),), found=True)
    if payment.status != "APPROVED":
        return Refused(
            reason=f"{what} is {payment.status}: only an approved payment can be let go, another is refunded"
        )
    path = f"/v2/payments/{payment.id}/cancel"
    answer = await post(context, path, "POST /v2/payments/{id}/cancel", write=True)
    after = answers.read(answer, _payment, what, context.now(), write=True).payment
    if after.status != "CANCELED":
        return Refused(reason=f"{what} is {after.status} after the cancel")
    return Done(reference=after.id, payments=(_moved(after, PaymentKind.VOID),))


async def _held(context: Seller, order: str, payment: str | None) -> schemas.Payment | Outcome:
    """The payment that is meant: the one named, else the only one of the order."""
    if payment is None:
        names = (await read_order(context, order)).payments
        if len(names) != 1:
            return NeedsPerson(
                reason=f"order {order} has {len(names)} payments, and none was named",
                next_step="capture or cancel the right one in the Square Dashboard, then resolve",
            )
        payment = names[0]
    return await _read(context, payment)


async def _read(context: Seller, payment: str) -> schemas.Payment:
    answer = await get(context, f"/v2/payments/{payment}", "GET /v2/payments/{id}")
    return answers.read(answer, _payment, f"payment {payment}", context.now()).payment


def _moved(payment: schemas.Payment, kind: PaymentKind) -> Payment:
    """The payment under the ids that the order's own snapshots give it."""
    amount, currency = _stated(payment.total_money or payment.amount_money, f"payment {payment.id}")
    voided = kind is PaymentKind.VOID
    return Payment(
        external_id=f"{payment.id}/void" if voided else payment.id,
        kind=kind,
        method=(payment.source_type or "unknown").lower(),
        amount=amount,
        currency=currency,
        status="done",
        parent=payment.id,
    )


def _stated(money: schemas.Money | None, what: str) -> tuple[int, str]:
    """Amount and currency. Raises `Interrupted` where Square names none: what was moved is a person's to look up."""
    if money is None or money.amount is None or money.currency is None:
        raise blocked(f"{what}: Square names no amount", "look it up in the seller's dashboard, then resolve")
    return money.amount, money.currency


# --- refund -----------------------------------------------------------------------------------------------------------


async def refund_payment(context: Seller, request: PaymentRefund, /) -> Outcome:
    """Refund to the payments that the money came by, one after the other until the sum is reached.

    Each refund carries our key in its reason and an idempotency key of its own: an uncertain try finds the first by
    the payment's refunds, and a repeat under the same key is one refund.
    """
    shares = shared_out(request)
    if shares is None:
        payments = [
            await _read(context, one) for one in (await read_order(context, request.order_external_id)).payments
        ]
        lefts = [await _left_before(context, one, request) for one in payments]
        shares = shared_out(request, lefts)
        if shares is None:
            return _too_much(request, lefts)
    done: list[Payment] = []
    found = True
    for share in shares:
        made = await _made_before(context, share.payment, request) if request.look_first else None
        if made is None:
            found = False
            answer = await post(
                context, "/v2/refunds", "POST /v2/refunds", refund_request(request, share), write=True
            )  # fmt: skip
            if _said_no(answer):
                return _stopped(request, share, done, answers.told(answer))
            made = answers.read(answer, _refund, f"refund of {share.payment}", context.now(), write=True).refund
        if made.status in LOST:
            return _stopped(request, share, done, f"refund {made.id} is {made.status}")
        done.append(_given(made, share))
    return Done(reference=done[0].external_id, payments=tuple(done), found=found)


async def _left_before(context: Seller, payment: schemas.Payment, request: PaymentRefund) -> RefundFrom:
    """What a payment had left before this request: what an earlier try of it gave back is not counted twice."""
    found = left_of(payment, request.currency)
    mine = await _made_before(context, payment.id, request) if payment.refund_ids else None
    if mine is None or mine.status in LOST or mine.amount_money.currency != request.currency:
        return found
    return RefundFrom(payment=found.payment, method=found.method, left=found.left + (mine.amount_money.amount or 0))


def left_of(payment: schemas.Payment, currency: str) -> RefundFrom:
    """A completed payment, less what was given back of it."""
    money = payment.total_money or schemas.Money()
    given = (payment.refunded_money or schemas.Money()).amount or 0
    good = payment.status == "COMPLETED" and money.currency == currency
    left = max((money.amount or 0) - given, 0) if good else 0
    return RefundFrom(payment=payment.id, method=payment.source_type or "", left=left)


def _too_much(request: PaymentRefund, lefts: Sequence[RefundFrom]) -> Outcome:
    """Nothing is given back in part: which payment the rest comes from is a person's to say."""
    total = sum(one.left for one in lefts)
    each = ", ".join(f"{one.left} of {one.payment}" for one in lefts) or "no payment"
    return Refused(
        reason=f"order {request.order_external_id}: its payments do not have {request.amount} {request.currency} "
        f"left to give back, only {total} ({each}); {request.amount - total} are missing"
    )


def shared_out(request: PaymentRefund, payments: Sequence[RefundFrom] | None = None) -> list[RefundFrom] | None:
    """How much goes back to which payment; None when they have not enough. Pure."""
    rest, shares = request.amount, []
    for one in request.payments if payments is None else payments:
        part = min(rest, one.left)
        if part > 0:
            shares.append(RefundFrom(payment=one.payment, method=one.method, left=part))
            rest -= part
    return shares if shares and rest == 0 else None


def refund_request(request: PaymentRefund, share: RefundFrom) -> dict[str, object]:
    """Body of RefundPayment; `share.left` is what goes to this payment. Pure."""
    return {
        "idempotency_key": idempotency_key(request.key, share.payment),
        "payment_id": share.payment,
        "amount_money": {"amount": share.left, "currency": request.currency},
        "reason": reason_of(request),
    }


def reason_of(request: PaymentRefund) -> str:
    """The reason with our key, which stays whole."""
    mine = f"[{request.key}]"
    return f"{request.reason[: LONGEST_REASON - len(mine) - 1]} {mine}".strip()


async def _made_before(context: Seller, payment: str, request: PaymentRefund) -> schemas.Refund | None:
    for name in (await _read(context, payment)).refund_ids or ():
        answer = await get(context, f"/v2/refunds/{name}", "GET /v2/refunds/{id}")
        one = answers.read(answer, _refund, f"refund {name}", context.now()).refund
        if f"[{request.key}]" in (one.reason or ""):
            return one
    return None


def _given(refund: schemas.Refund, share: RefundFrom) -> Payment:
    amount, currency = _stated(refund.amount_money, f"refund {refund.id}")
    return Payment(
        external_id=refund.id,
        kind=PaymentKind.REFUND,
        method=share.method or "card",
        amount=amount,
        currency=currency,
        status="pending" if refund.status == "PENDING" else "done",
        parent=share.payment,
    )


def _said_no(answer: Response) -> bool:
    return any(fault.category in SAID_NO for fault in answers.faults(answer.body))


def _stopped(request: PaymentRefund, share: RefundFrom, done: Sequence[Payment], why: str) -> Outcome:
    what = (
        f"order {request.order_external_id}: {share.left} {request.currency} to payment {share.payment} refused: {why}"
    )
    if not done:
        return Refused(reason=what)
    given = ", ".join(f"{one.amount} to {one.parent}" for one in done)
    return NeedsPerson(
        reason=f"{what}; given back already: {given}", next_step="give the rest back by hand, then resolve"
    )
