"""Cancelling an order at the store."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from adapters.magento import answers, schemas
from adapters.magento.client import Store, post, read_order
from adapters.magento.documents import invoices_of, memos_of
from adapters.magento.goods import BUNDLE
from hub.sdk.capabilities import ChannelCancel
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused
from hub.sdk.wire import Response

OVER: Final = frozenset({"canceled", "closed"})
"""States of an order of which nothing is wanted any more: cancelled, or refunded whole."""
PAID: Final = 2


async def cancel_order(context: Store, request: ChannelCancel, /) -> Outcome:
    """Cancel what is neither invoiced nor gone; refund what is, where the settings ask for it.

    The store answers true whatever came of it, so the order is read again. Refunds are whole invoices, once each, and
    only while nothing has left.
    """
    order = await read_order(context, request.order_external_id)
    standing = before(order, request)
    if standing is not None:
        return standing
    if open_units(order):
        answer = await post(context, f"/orders/{order.entity_id}/cancel", "POST /orders/{id}/cancel")
        refused = read_cancel(answer, order, context.now())
        if refused is not None:
            return refused
        order = await read_order(context, request.order_external_id)
    if order.state in OVER:
        return Done(reference=str(order.entity_id))
    if open_units(order):
        return Refused(reason=f"order {order.increment_id}: the store does not cancel it in state {order.state}")
    return await _refund(context, order) if paid_units(order) else Done(reference=str(order.entity_id))


def before(order: schemas.Order, request: ChannelCancel) -> Outcome | None:
    """The outcome where there is nothing to send."""
    if order.state in OVER:
        return Done(reference=str(order.entity_id), found=True)
    if order.state == "holded":
        return NeedsPerson(
            reason=f"order {order.increment_id} is on hold at Magento, which refuses to cancel it",
            next_step="unhold the order in the store's admin, then retry",
        )
    if not open_units(order) and not paid_units(order):
        return Refused(reason=f"order {order.increment_id} has left or was delivered, nothing of it can be cancelled")
    return None


def open_units(order: schemas.Order) -> bool:
    """Whether a cancel would take anything: units that are neither invoiced, nor gone, nor cancelled."""
    return any(
        item.qty_ordered > max(item.qty_invoiced or 0, _shipped(item, order)) + (item.qty_canceled or 0)
        for item in _top(order)
    )


def paid_units(order: schemas.Order) -> bool:
    """Whether units are paid that have neither left nor been refunded."""
    return any(
        (item.qty_invoiced or 0) > max(_shipped(item, order), item.qty_refunded or 0)
        for item in _top(order)
        if not item.is_virtual
    )


def _shipped(item: schemas.Item, order: schemas.Order) -> Decimal:
    """Units that left; a bundle whose products ship separately is counted on these, by the one that lags behind."""
    parts = [child for child in order.items if child.parent_item_id == item.item_id and child.qty_ordered]
    if item.product_type != BUNDLE or not parts:
        return item.qty_shipped or schemas.ZERO
    by_part = min((part.qty_shipped or 0) * item.qty_ordered / part.qty_ordered for part in parts)
    return max(item.qty_shipped or schemas.ZERO, by_part)


def _top(order: schemas.Order) -> list[schemas.Item]:
    """Items that are bought as such: children are counted with their configurable or bundle."""
    return [item for item in order.items if item.parent_item_id is None]


def read_cancel(answer: Response, order: schemas.Order, now: datetime) -> Outcome | None:
    """None when the store took it on. Raises `Interrupted`."""
    what = f"order {order.increment_id}: cancel"
    if answer.status != 400:
        answers.read(answer, answers.VERDICT, what, now, write=True)
        return None
    return Refused(reason=f"{what} refused: {answers.told(answer.body) or 'no reason given'}")


async def _refund(context: Store, order: schemas.Order) -> Outcome:
    invoices = [one for one in await invoices_of(context, order) if one.state == PAID]
    if not context.settings.refund_on_cancel or any(item.qty_shipped for item in order.items):
        names = ", ".join(str(one.entity_id) for one in invoices) or "none"
        return NeedsPerson(
            reason=f"order {order.increment_id}: all that is not invoiced is cancelled, the rest is paid ({names})",
            next_step="refund what has not left, here or by a credit memo in the store's admin: that closes the order",
        )
    done = {memo.invoice_id for memo in await memos_of(context, order)}
    for one in invoices:
        if one.entity_id in done:
            continue
        body = refund_request(order, online=context.settings.refunds == "online")
        answer = await post(context, f"/invoice/{one.entity_id}/refund", "POST /invoice/{id}/refund", body)
        refused = read_refund(answer, order, one, context.now())
        if refused is not None:
            return refused
    after = await read_order(context, str(order.entity_id))
    if after.state in OVER:
        return Done(reference=str(order.entity_id))
    return NeedsPerson(
        reason=f"order {order.increment_id}: its invoices are refunded, and it is still {after.state}",
        next_step="look at the order in the store's admin",
    )


def refund_request(order: schemas.Order, *, online: bool) -> dict[str, object]:
    """Body of `POST /invoice/{id}/refund`: all of it, and the units back into stock."""
    back = [item.item_id for item in order.items if item.parent_item_id is None and not item.is_virtual]
    return {
        "isOnline": online,
        "notify": True,
        "arguments": {"extension_attributes": {"return_to_stock_items": back}},
    }


def read_refund(answer: Response, order: schemas.Order, invoice: schemas.Invoice, now: datetime) -> Outcome | None:
    """None when it was made. Raises `Interrupted`."""
    what = f"order {order.increment_id}: refund of invoice {invoice.entity_id}"
    if answer.status != 400:
        answers.read(answer, answers.ID, what, now, write=True)
        return None
    return NeedsPerson(
        reason=f"{what} refused: {answers.told(answer.body) or 'no reason given'}",
        next_step="refund it in the store's admin or at the gateway",
    )
