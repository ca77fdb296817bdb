"""The payment service's requests and answers. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from hub.domain.payment import Payment, PaymentKind
from hub.sdk.capabilities import PaymentCapture, PaymentRefund, PaymentVoid
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Refused, RetryLater, Uncertain
from hub.sdk.wire import Request, Response

BUSY: Final = timedelta(seconds=5)

KINDS: Final = {
    "captures": PaymentKind.CAPTURE,
    "voids": PaymentKind.VOID,
    "refunds": PaymentKind.REFUND,
}


class Movement(msgspec.Struct, frozen=True):
    """What the service moved under a key. Amounts are minor units."""

    id: str
    amount: int
    currency: str
    method: str = "unknown"
    payment: str | None = None
    """The payment that it belongs to."""


class Answer(msgspec.Struct, frozen=True):
    """All movements of a key: a refund may go back to several payments."""

    movements: tuple[Movement, ...]


class _Fault(msgspec.Struct, frozen=True):
    error: str = "no reason given"


_answer = msgspec.json.Decoder(Answer)
_fault = msgspec.json.Decoder(_Fault)


def capture_request(request: PaymentCapture) -> Request:
    """POST /captures."""
    return _post("captures", request.key, {
        "order": request.order_external_id, "payment": request.payment, "amount": request.amount,
        "currency": request.currency, "final": request.final,
    })  # fmt: skip


def void_request(request: PaymentVoid) -> Request:
    """POST /voids."""
    return _post("voids", request.key, {"order": request.order_external_id, "payment": request.payment})


def refund_request(request: PaymentRefund) -> Request:
    """POST /refunds."""
    return _post("refunds", request.key, {
        "order": request.order_external_id, "amount": request.amount, "currency": request.currency,
        "payments": [{"payment": one.payment, "left": one.left} for one in request.payments],
        "lines": [{"line": one.line, "quantity": one.quantity} for one in request.lines],
        "reason": request.reason,
    })  # fmt: skip


def look_request(resource: str, key: str) -> Request:
    """GET /{resource}/{key}: what was moved under it."""
    return Request(method="GET", path=f"/{resource}/{key}", operation=f"GET /{resource}")


def _post(resource: str, key: str, document: dict[str, object]) -> Request:
    return Request(
        method="POST",
        path=f"/{resource}",
        operation=f"POST /{resource}",
        headers={"idempotency-key": key},
        body=msgspec.json.encode({"key": key, **document}),
        write=True,
    )


def read_look(response: Response, resource: str, now: datetime) -> Done | None:
    """What an earlier try did; None when there was none. Raises `Interrupted` for what is no answer."""
    if response.status == 404:
        return None
    outcome = read(response, resource, now, write=False)
    if isinstance(outcome, Done):
        return msgspec.structs.replace(outcome, found=True)
    raise Interrupted(outcome if not isinstance(outcome, Refused) else RetryLater(reason=outcome.reason))


def read(response: Response, resource: str, now: datetime, *, write: bool = True) -> Outcome:
    """What an answer means."""
    status = response.status
    if status in (200, 201):
        try:
            moved = _answer.decode(response.body).movements
        except msgspec.MsgspecError as error:
            return Uncertain(reason=f"{resource}: the answer cannot be read: {error}")
        payments = tuple(_payment(one, KINDS[resource], now) for one in moved)
        return Done(reference=moved[0].id if moved else None, payments=payments)
    reason = f"{resource}: the payment service answered {status}: {_told(response)}"
    if status == 429:
        return RetryLater(reason=reason, at=retry_after(response, now) or now + BUSY)
    if status >= 500:
        return Uncertain(reason=reason) if write else RetryLater(reason=reason)
    if status in (400, 402, 404, 409, 422):
        return Refused(reason=reason)
    return NeedsPerson(reason=reason, next_step="Look at the payment service, correct the connection, then retry.")


def _told(response: Response) -> str:
    try:
        return _fault.decode(response.body).error[:200]
    except msgspec.MsgspecError:
        return "no reason given"


def _payment(one: Movement, kind: PaymentKind, now: datetime) -> Payment:
    return Payment(
        external_id=one.id,
        kind=kind,
        method=one.method,
        amount=one.amount,
        currency=one.currency,
        status="done",
        parent=one.payment,
        at=now,
    )
