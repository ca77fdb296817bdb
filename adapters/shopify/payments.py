"""Moving an order's money at Shopify. Reads its transactions first, always: they say what is true."""

from adapters.shopify import documents_money as documents
from adapters.shopify import money
from adapters.shopify.client import Shop, call, gid
from adapters.shopify.money import Money
from hub.sdk.capabilities import PaymentCapture, PaymentRefund, PaymentVoid
from hub.sdk.outcomes import NeedsPerson, Outcome, Refused


async def capture_payment(context: Shop, request: PaymentCapture, /) -> Outcome:
    """Capture, once: orderCapture has no idempotency key, so an uncertain try looks at the transactions."""
    found = await _money(context, request.order_external_id)
    if not isinstance(found, Money):
        return found
    foreign = money.other_currency(found, request.currency)
    if foreign is not None:
        return foreign
    if request.look_first:
        before = money.captured_before(found, request)
        if before is not None:
            return before
    held = money.authorisation(found, request.payment, request.amount)
    if held is None:
        return Refused(reason=f"order {found.name}: no authorisation {request.payment or ''} is open at Shopify")
    variables = money.capture_variables(found, held, request)
    answer = await call(context, documents.CAPTURE, variables, "orderCapture", money.Captured)
    return money.read_capture(answer or money.Captured(transaction=None, user_errors=()), found.name)


async def void_payment(context: Shop, request: PaymentVoid, /) -> Outcome:
    """Void an authorisation; one that is void already is Done."""
    found = await _money(context, request.order_external_id)
    if not isinstance(found, Money):
        return found
    held = money.authorisation(found, request.payment, 0)
    if held is None:
        return Refused(reason=f"order {found.name}: no authorisation {request.payment or ''} is known at Shopify")
    before = money.voided_before(found, held, request)
    if before is not None:
        return before
    answer = await call(context, documents.VOID, {"id": held.id}, "transactionVoid", money.Voided)
    return money.read_void(answer or money.Voided(transaction=None, user_errors=()), found.name)


async def refund_payment(context: Shop, request: PaymentRefund, /) -> Outcome:
    """Refund under our key: Shopify repeats its answer for it, and the note tells when that has been forgotten."""
    found = await _money(context, request.order_external_id)
    if not isinstance(found, Money):
        return found
    foreign = money.other_currency(found, request.currency)
    if foreign is not None:
        return foreign
    before = money.refunded_before(found, request) if request.look_first else None
    if before is not None:
        return before
    variables = money.refund_variables(found, request)
    if isinstance(variables, Refused):
        return variables
    answer = await call(context, documents.REFUND, variables, "refundCreate", money.Refunded)
    return money.read_refund(answer or money.Refunded(refund=None, user_errors=()), found.name)


async def _money(context: Shop, order: str) -> Money | NeedsPerson:
    found = await call(context, documents.TRANSACTIONS, {"id": gid("Order", order)}, "order", Money)
    return found or NeedsPerson(
        reason=f"order {order} cannot be read at Shopify",
        next_step="check read_orders and read_all_orders, and whether the order was deleted",
    )
