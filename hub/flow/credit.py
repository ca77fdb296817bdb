"""Credit notes: the books are told of every refund of goods that were invoiced, once."""

from collections.abc import Iterable, Mapping

from hub.domain.contact import Contact
from hub.domain.effects import PostCreditNote
from hub.domain.order import OrderLine
from hub.domain.posting import DocumentKind
from hub.domain.returns import Refund
from hub.domain.states import RefundState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.hold import posting_held
from hub.sdk.posting import PostingLine, PostingRequest


def billed(line: OrderLine) -> int:
    """Units that the line's amounts are for."""
    return line.quantity if line.ordered is None else line.ordered


def numbered(order: Order, no: int) -> Refund:
    """A refund of an order by its number."""
    return next(refund for refund in order.refunds.values() if refund.no == no)


def credit(order: Order, batch: Batch) -> None:
    """Plan the credit note of every refund that is done, of goods that were invoiced. What is planned stays one."""
    if not order.acting or posting_held(order) or not any(_sold_goods(order)):
        return
    for refund in order.refunds.values():
        if refund.state is RefundState.DONE and credited(order, refund):
            for link in batch.directory.with_capability(order.merchant, "post"):
                effect = PostCreditNote(order=order.id, refund=refund.no)
                order.plan(link.connection.id, order.id, effect, refund.no)


def _sold_goods(order: Order) -> Iterable[bool]:
    return (bool(parcel.lines) for shipment in order.shipments.values() for parcel in shipment.parcels)


def credited(order: Order, refund: Refund) -> int:
    """What the books are told of a refund: never the money of units that were cancelled before they were invoiced."""
    content = order.content
    if refund.unsold:
        return 0
    if refund.origin != "channel" or content is None:
        return refund.amount
    cancelled = sum(max(0, billed(line) - line.quantity - line.refunded) for line in content.lines)
    return refund.amount - (refund.adjustment if cancelled else 0)


def credit_note(
    order: Order,
    effect: PostCreditNote,
    *,
    customer: Contact,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
) -> PostingRequest:
    """The credit note of a refund: its lines, and what no line explains as a charge, so that it sums to the money."""
    refund, content = numbered(order, effect.refund), order.content
    assert content is not None
    known = {line.external_id: line for line in content.lines}
    included = content.amounts.shop.tax_included
    lines = []
    for one in refund.lines:
        line = known.get(one.line)
        title = (line.title or line.sku if line else None) or one.line
        sku = line.sku if line else None
        lines.append(
            PostingLine(line=one.line, sku=sku, title=title, quantity=one.quantity, amount=one.amount, tax=one.tax)
        )
    total = credited(order, refund)
    goods = sum(line.amount + (0 if included else line.tax) for line in lines)
    rest = total - goods - refund.shipping
    if rest:
        title = refund.reason or "Adjustment"
        lines.append(PostingLine(line="adjustment", sku=None, title=title, quantity=1, amount=rest))
    return PostingRequest(
        key=key,
        look_first=look_first,
        references=references,
        kind=DocumentKind.CREDIT_NOTE,
        order=order.id,
        order_number=order.number,
        shipment=None,
        currency=refund.currency,
        tax_included=included,
        lines=tuple(lines),
        shipping=refund.shipping,
        total=total,
        customer=customer,
        dated=refund.created_at,
    )
