"""Refunds that the channel tells of: echoes of our own, and those it made itself, which are never doubled."""

from collections.abc import Iterable, Sequence

from hub.domain.order import OrderContent
from hub.domain.payment import Payment
from hub.domain.returns import Refund, RefundLine, refunded_units, share
from hub.domain.states import RefundState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.credit import billed, credit
from hub.flow.ports import Unit
from hub.flow.refund import REFUND_DUE, refund_done, told_refunds


async def reconcile(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Take over refunds that the channel made, and recognise the echo of our own, for orders that carry any."""
    touched = [order for order in orders if order.acting and (told_refunds(order) or _books_waited(order))]
    await unit.peers([order for order in touched if not order.peers_known])
    for order in touched:
        adopt(order, batch)
        credit(order, batch)


def _books_waited(order: Order) -> bool:
    return any(hold.scope == "posting" for hold in order.holds.values())


def adopt(order: Order, batch: Batch) -> None:
    """Match told refunds with those we asked for; what is left the channel made itself."""
    known = {id for refund in order.refunds.values() for id in refund.external_ids}
    new = [payment for payment in told_refunds(order) if payment.external_id not in known]
    for refund in sorted(order.refunds.values(), key=lambda one: one.no):
        if refund.state is not RefundState.ASKED or not new:
            continue
        own = next(([p] for p in new if p.amount == refund.amount), None)
        if own is None and sum(p.amount for p in new) == refund.amount:
            own = new
        if own is not None:
            new = [p for p in new if p not in own]
            refund_done(order, refund.no, own, None, batch)
    if new and order.content is not None:
        _take_over(order, order.content, new, batch)


def _take_over(order: Order, content: OrderContent, told: Sequence[Payment], batch: Batch) -> None:
    """A refund made at the channel: recorded and told to the books, never sent there again."""
    before = refunded_units(order.refunds)
    lines = []
    for line in content.lines:
        units, of = min(line.refunded, billed(line)) - before.get(line.external_id, 0), billed(line)
        if units > 0:
            start = before.get(line.external_id, 0)
            amount = share(line.subtotal - line.discount, start, units, of)
            tax = share(line.tax, start, units, of)
            lines.append(RefundLine(line=line.external_id, quantity=units, amount=amount, tax=tax))
    amount = sum(payment.amount for payment in told if payment.currency == order.currency)
    included = content.amounts.shop.tax_included
    explained = sum(line.amount + (0 if included else line.tax) for line in lines)
    made = Refund(
        id=batch.new_id(),
        order=order.id,
        no=max((refund.no for refund in order.refunds.values()), default=0) + 1,
        amount=amount,
        currency=order.currency,
        created_at=batch.now,
        lines=tuple(lines),
        adjustment=amount - explained,
        state=RefundState.DONE,
        reason="refunded at the channel",
        origin="channel",
        asked_by="channel",
        external_ids=tuple(sorted(payment.external_id for payment in told)),
    )
    order.refunds[made.id] = made
    if amount > 0:
        order.mend(REFUND_DUE)
    order.note(batch.now, "refunded_at_channel", f"refund {made.no}: {amount} {order.currency}")
