"""Capturing: the store takes money by invoices, and invoices are of goods."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from adapters.magento import answers, schemas
from adapters.magento.client import Store, post, read_order
from adapters.magento.documents import invoices_of, note, noted
from adapters.magento.goods import BUNDLE
from hub.domain.money import major, minor
from hub.domain.payment import Payment, PaymentKind
from hub.sdk.capabilities import PaymentCapture
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater
from hub.sdk.wire import Response


class Billing(msgspec.Struct, frozen=True):
    """What to invoice: units by item; none means all that is left."""

    items: Mapping[int, int] = {}


async def capture_payment(context: Store, request: PaymentCapture, /) -> Outcome:
    """Invoice, with capture, what comes to the amount: all that is left of the order, or what left and is not invoiced.

    Invoices carry our key, by which an uncertain try is recognised.
    """
    order = await read_order(context, request.order_external_id)
    made = await invoices_of(context, order)
    if request.look_first:
        for one in made:
            if noted(one.comments, request.key):
                return done(request, order, one.entity_id, one.base_grand_total, found=True)
    billing = choose(order, made, request)
    if not isinstance(billing, Billing):
        return billing
    body = invoice_request(billing, request)
    answer = await post(context, f"/order/{order.entity_id}/invoice", "POST /order/{id}/invoice", body)
    return read_invoice(answer, order, request, context.now())


def choose(order: schemas.Order, made: Sequence[schemas.Invoice], request: PaymentCapture) -> Billing | Outcome:
    """The units whose invoice comes to the amount asked for, or why there are none."""
    if request.currency != order.base_currency_code:
        return Refused(
            reason=f"order {order.increment_id} is invoiced in {order.base_currency_code}, not in {request.currency}"
        )
    asked = major(request.amount, request.currency)
    left = (order.base_grand_total or schemas.ZERO) - sum((one.base_grand_total or 0 for one in made), schemas.ZERO)
    if asked == left:
        return Billing()
    if asked > left:
        return Refused(reason=f"order {order.increment_id}: {left:f} are left to invoice, {asked:f} were asked for")
    units = {item.item_id: int((item.qty_shipped or 0) - (item.qty_invoiced or 0)) for item in order.items}
    gone = {item.item_id: item for item in order.items if item.parent_item_id is None and units[item.item_id] > 0}
    shipping = schemas.ZERO if made else order.shipping_incl_tax
    comes_to = shipping + sum((item.share(units[id]) for id, item in gone.items()), schemas.ZERO)
    # Every line rounds for itself.
    tolerance = major(1, request.currency) * (len(gone) + 1)
    if any(item.product_type == BUNDLE for item in order.items) or comes_to > asked + tolerance:
        return NeedsPerson(
            reason=f"order {order.increment_id}: no invoice comes to {asked:f} {request.currency}: the store captures "
            "goods, not amounts",
            next_step="invoice what left in the store's admin, with capture, then resolve",
        )
    if not gone or comes_to < asked - tolerance:
        return RetryLater(
            reason=f"order {order.increment_id}: the store has not yet been told of what {asked:f} is for"
        )
    return Billing(items={id: units[id] for id in gone})


def invoice_request(billing: Billing, request: PaymentCapture) -> dict[str, object]:
    """Body of `POST /order/{id}/invoice`. The first invoice of an order takes its shipping along."""
    body: dict[str, object] = {"capture": True, "notify": False, **note(request.key)}
    if billing.items:
        body["items"] = [{"order_item_id": item, "qty": units} for item, units in billing.items.items()]
    return body


def read_invoice(answer: Response, order: schemas.Order, request: PaymentCapture, now: datetime) -> Outcome:
    """Done with the payment, or why there is none. Raises `Interrupted`."""
    what = f"order {order.increment_id}: invoice"
    if answer.status != 400:
        made = answers.read(answer, answers.ID, what, now, write=True)
        return done(request, order, int(made), None, found=False)
    return Refused(reason=f"{what} refused: {answers.told(answer.body) or 'no reason given'}")


def done(request: PaymentCapture, order: schemas.Order, invoice: int, total: Decimal | None, *, found: bool) -> Done:
    """The payment, under the id that the order's own snapshots give it."""
    amount = request.amount if total is None else minor(total, request.currency)
    payment = Payment(
        external_id=f"{INVOICE}{invoice}",
        kind=PaymentKind.CAPTURE,
        method=order.method,
        amount=amount,
        currency=request.currency,
        status="done",
        parent=request.payment,
    )
    return Done(reference=payment.external_id, payments=(payment,), found=found)


INVOICE: Final = "invoice:"
