"""Giving money back: credit memos over goods, shipping, and an adjustment for what these do not explain."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from adapters.magento import answers, schemas
from adapters.magento.captures import INVOICE
from adapters.magento.client import Store, post, read_order
from adapters.magento.documents import invoices_of, memos_of, note, noted
from hub.domain.money import SCALE, major, minor
from hub.domain.payment import Payment, PaymentKind
from hub.sdk.capabilities import PaymentRefund
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused
from hub.sdk.wire import Response

PAID: Final = 2


class Memo(msgspec.Struct, frozen=True, kw_only=True):
    """A credit memo to make. Amounts in base currency; `shipping` without tax, as the store wants it."""

    invoice: int | None
    items: tuple[tuple[int, int], ...]
    shipping: Decimal
    adjustment: Decimal
    back: tuple[int, ...]
    """Items whose units never left: their reservations are freed."""


async def refund_payment(context: Store, request: PaymentRefund, /) -> Outcome:
    """One credit memo, through the gateway where the settings say so. It carries our key."""
    order = await read_order(context, request.order_external_id)
    if request.look_first:
        for one in await memos_of(context, order):
            if noted(one.comments, request.key):
                return done(request, order, one.entity_id, one.base_grand_total, found=True)
    online = context.settings.refunds == "online"
    memo = plan(order, await invoices_of(context, order), request, online=online)
    if not isinstance(memo, Memo):
        return memo
    body = memo_request(memo, request, online=online)
    if memo.invoice is not None:
        answer = await post(context, f"/invoice/{memo.invoice}/refund", "POST /invoice/{id}/refund", body)
    else:
        answer = await post(context, f"/order/{order.entity_id}/refund", "POST /order/{id}/refund", body)
    return read_memo(answer, order, request, context.now())


def plan(
    order: schemas.Order, invoices: Sequence[schemas.Invoice], request: PaymentRefund, *, online: bool
) -> Memo | Outcome:
    """The credit memo that comes to the amount, or why there is none."""
    if request.currency != order.base_currency_code:
        return Refused(
            reason=f"order {order.increment_id} is refunded in {order.base_currency_code}, not in {request.currency}"
        )
    invoice = _invoice(invoices, request) if online else None
    if online and invoice is None:
        return NeedsPerson(
            reason=f"order {order.increment_id}: no one invoice holds what is to be refunded",
            next_step="make the credit memos in the store's admin, one per invoice, then resolve",
        )
    items = {str(item.item_id): item for item in order.items}
    lines = [(items[line.line], line.quantity) for line in request.lines if line.line in items and line.quantity]
    if len(lines) != len([line for line in request.lines if line.quantity]):
        return NeedsPerson(
            reason=f"order {order.increment_id} has not all of the items that are to be refunded",
            next_step="make the credit memo in the store's admin, then resolve",
        )
    goods = sum((_rounded(item.share(units), request.currency) for item, units in lines), schemas.ZERO)
    shipping = major(request.shipping, request.currency)
    # No items would mean all of them: an adjustment alone is none of the first one.
    asked = [(item.item_id, units) for item, units in lines] or [(item.item_id, 0) for item in order.items[:1]]
    return Memo(
        invoice=invoice,
        items=tuple(asked),
        shipping=_without_tax(shipping, order, request.currency),
        adjustment=major(request.amount, request.currency) - goods - shipping,
        back=tuple(item.item_id for item, units in lines if units <= item.to_ship),
    )


def _invoice(invoices: Sequence[schemas.Invoice], request: PaymentRefund) -> int | None:
    """The invoice that the money goes back by: the only paid one, else the one with enough left."""
    paid = [one.entity_id for one in invoices if one.state == PAID]
    if len(paid) == 1:
        return paid[0]
    enough = {one.payment for one in request.payments if one.left >= request.amount}
    return next((id for id in paid if f"{INVOICE}{id}" in enough), None)


def _without_tax(shipping: Decimal, order: schemas.Order, currency: str) -> Decimal:
    """The store wants shipping without tax, and adds it in proportion."""
    if not shipping or not order.shipping_incl_tax:
        return shipping
    return _rounded(shipping * (order.base_shipping_amount or schemas.ZERO) / order.shipping_incl_tax, currency)


def _rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(1 / SCALE[currency], ROUND_HALF_UP)


def memo_request(memo: Memo, request: PaymentRefund, *, online: bool) -> dict[str, object]:
    """Body of a refund."""
    body: dict[str, object] = {"notify": request.notify, **note(request.key)}
    if memo.invoice is not None:
        body["isOnline"] = online
    body["items"] = [{"order_item_id": item, "qty": units} for item, units in memo.items]
    body["arguments"] = {
        "shipping_amount": memo.shipping,
        "adjustment_positive": max(memo.adjustment, schemas.ZERO),
        "adjustment_negative": max(-memo.adjustment, schemas.ZERO),
        "extension_attributes": {"return_to_stock_items": list(memo.back)},
    }
    return body


def read_memo(answer: Response, order: schemas.Order, request: PaymentRefund, now: datetime) -> Outcome:
    """Done with the payment, or why there is none. Raises `Interrupted`."""
    what = f"order {order.increment_id}: credit memo"
    if answer.status != 400:
        made = answers.read(answer, answers.ID, what, now, write=True)
        return done(request, order, int(made), None, found=False)
    return Refused(reason=f"{what} refused: {answers.told(answer.body) or 'no reason given'}")


def done(request: PaymentRefund, order: schemas.Order, memo: int, total: Decimal | None, *, found: bool) -> Done:
    """The payment, under the id that the order's own snapshots give it."""
    payment = Payment(
        external_id=f"creditmemo:{memo}",
        kind=PaymentKind.REFUND,
        method=order.method,
        amount=request.amount if total is None else minor(total, request.currency),
        currency=request.currency,
        status="done",
    )
    return Done(reference=payment.external_id, payments=(payment,), found=found)
