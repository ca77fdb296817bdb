"""The supplier's API: an order is put under its number, so that a repeat is harmless; signed as our events are."""

from typing import Final

import msgspec

from adapters.supplier.purchase_order import PurchaseOrder
from adapters.supplier.settings import Settings
from hub.sdk.capabilities import Command, Context
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Unauthorised, Uncertain
from hub.sdk.webhook import standard_headers
from hub.sdk.wire import Request, Response


class _Known(msgspec.Struct):
    """An answer about a purchase order."""

    purchase_order: str
    state: str = ""
    reason: str = ""


_known: Final = msgspec.json.Decoder(_Known)


async def push(context: Context[Settings], order: PurchaseOrder, request: Command) -> Outcome:
    """Put a purchase order, unless an earlier try did."""
    if request.look_first:
        looked = await _send(context, "GET", order, request.key)
        if looked.status == 200:
            about = _about(looked, order)
            return Done(reference=order.purchase_order, found=True) if about else _nonsense(looked)
        if looked.status != 404:
            return _fault(context, looked)
    answer = await _send(context, "PUT", order, request.key, msgspec.json.encode(order))
    if answer.status not in (200, 201, 202):
        return _fault(context, answer)
    return Done(reference=order.purchase_order) if _about(answer, order) else _nonsense(answer)


async def ask_cancel(context: Context[Settings], order: PurchaseOrder, request: Command) -> Outcome:
    """Ask for a cancel. The supplier says at once, or later by webhook."""
    answer = await _send(context, "PUT", order, request.key, msgspec.json.encode(order), under="/cancel")
    if answer.status not in (200, 201, 202):
        return _fault(context, answer)
    about = _about(answer, order)
    match about.state if about else "":
        case "cancelled":
            return Done(reference=order.purchase_order)
        case "asked":
            return Done(reference=order.purchase_order, answered_later=True)
        case "too_late":
            return Refused(reason=(about.reason if about else "") or "too late")
        case _:
            return _nonsense(answer)


async def _send(
    context: Context[Settings], method: str, order: PurchaseOrder, key: str, body: bytes = b"", under: str = ""
) -> Response:
    secret = context.settings.signing_secret
    headers = standard_headers(key, body, context.now(), (secret,))
    return await context.client.send(
        Request(
            method=method,
            path=f"/purchase-orders/{order.purchase_order}{under}",
            operation=f"{method} /purchase-orders{under}",
            headers={"content-type": "application/json", **headers},
            body=body or None,
            write=method != "GET",
        )
    )


def _about(answer: Response, order: PurchaseOrder) -> _Known | None:
    """What an answer says, if it is about this purchase order at all."""
    try:
        found = _known.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.purchase_order == order.purchase_order else None


def _nonsense(answer: Response) -> Outcome:
    return Uncertain(reason=f"the supplier answered {answer.status} with something that is not about the order")


def _fault(context: Context[Settings], answer: Response) -> Outcome:
    said = f"the supplier answered {answer.status}"
    if answer.status in (401, 403):
        return Unauthorised(reason=said)
    if answer.status == 429 or answer.status >= 500:
        return RetryLater(reason=said, at=retry_after(answer, context.now()))
    if answer.status == 409:
        try:
            reason = _known.decode(answer.body).reason
        except (msgspec.DecodeError, UnicodeDecodeError):
            reason = ""
        return Refused(reason=reason or said)
    step = "Ask the supplier what it wants otherwise, correct the connection or the order, then retry."
    return NeedsPerson(reason=said, next_step=step)
