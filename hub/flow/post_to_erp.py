"""Step 11: the books are told of the order, of each delivery and of each invoice, once, in that sequence."""

from collections.abc import Mapping, Sequence

from hub.domain.contact import Contact
from hub.domain.effects import PostDocument
from hub.domain.order import OrderContent, OrderLine
from hub.domain.posting import DocumentKind
from hub.domain.shipping import Shipment, units_of
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.hold import posting_held
from hub.flow.transfer import only_moves
from hub.sdk.posting import PostingLine, PostingRequest


def post_order(order: Order, batch: Batch) -> None:
    """Plan every document that is due. Keys are fixed by kind and shipment: what is planned already stays one."""
    if not order.acting or only_moves(order) or posting_held(order):
        return
    for link in batch.directory.with_capability(order.merchant, "post"):
        ledger = link.connection.id
        order.plan(ledger, order.id, PostDocument(order=order.id, kind=DocumentKind.ORDER), 1)
        for no in _with_goods(order):
            delivery = PostDocument(order=order.id, kind=DocumentKind.DELIVERY, shipment=no)
            invoice = PostDocument(order=order.id, kind=DocumentKind.INVOICE, shipment=no)
            order.plan(ledger, order.id, delivery, 2 * no)
            order.plan(ledger, order.id, invoice, 2 * no + 1)


def posting_request(
    order: Order,
    effect: PostDocument,
    *,
    customer: Contact,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
) -> PostingRequest:
    """The document, with amounts that sum to its total in minor units.

    Invoices of part shipments share a line's amount by the units shipped so far: each is the difference of two rounded
    cumulative shares, so that together they come to the line exactly. Charges of the whole order go on the first.
    """
    content = order.content
    assert content is not None
    amounts = content.amounts.shop
    whole = effect.kind is DocumentKind.ORDER
    shipment = order.shipments.get(effect.shipment) if effect.shipment is not None else None
    first = whole or (shipment is not None and shipment.no == min(_with_goods(order), default=0))
    lines = _whole(content) if whole else _shares(order, content, shipment)
    extras = amounts.duties + amounts.fees + amounts.rounding if first else 0
    rest = amounts.subtotal - amounts.discount - sum(line.subtotal - line.discount for line in content.lines)
    extras += rest if first else 0
    if extras:
        lines = [*lines, PostingLine(line="extras", sku=None, title="Other charges", quantity=1, amount=extras)]
    if first and amounts.tip:
        lines = [*lines, PostingLine(line="tip", sku=None, title="Tip", quantity=1, amount=amounts.tip)]
    tax_rest = amounts.tax - sum(line.tax for line in content.lines)
    if first and tax_rest and not amounts.tax_included:
        title = "Tax on shipping and charges"
        lines = [*lines, PostingLine(line="tax", sku=None, title=title, quantity=1, amount=0, tax=tax_rest)]
    shipping = amounts.shipping if first else 0
    goods = sum(line.amount + (0 if amounts.tax_included else line.tax) for line in lines)
    return PostingRequest(
        key=key,
        look_first=look_first,
        references=references,
        kind=effect.kind,
        order=order.id,
        order_number=order.number,
        shipment=None if effect.shipment is None else f"{order.id}-S{effect.shipment}",
        currency=amounts.currency,
        tax_included=amounts.tax_included,
        lines=tuple(lines),
        shipping=shipping,
        total=goods + shipping,
        customer=customer,
        dated=shipment.shipped_at if shipment else order.placed_at,
        purchase_order=content.purchase_order,
        terms=content.terms,
        terms_days=content.terms_days,
    )


def _with_goods(order: Order) -> list[int]:
    """Shipments that held something asked for: what left unasked is no sale."""
    return sorted(no for no, one in order.shipments.items() if any(parcel.lines for parcel in one.parcels))


def _whole(content: OrderContent) -> list[PostingLine]:
    return [
        _line(line, _billed(line), line.subtotal - line.discount, line.tax) for line in content.lines if _billed(line)
    ]


def _billed(line: OrderLine) -> int:
    """Units that the line's amounts are for: an edit changes what is wanted, the amounts stay those of the sale."""
    return line.quantity if line.ordered is None else line.ordered


def _line(line: OrderLine, quantity: int, amount: int, tax: int) -> PostingLine:
    title = line.title or line.sku or line.external_id
    return PostingLine(line=line.external_id, sku=line.sku, title=title, quantity=quantity, amount=amount, tax=tax)


def _shares(order: Order, content: OrderContent, shipment: Shipment | None) -> list[PostingLine]:
    if shipment is None:
        return []
    earlier = [one for no, one in order.shipments.items() if no < shipment.no]
    before, now = _sold(order, earlier), _sold(order, [shipment])
    lines = []
    for line in content.lines:
        units, of = now.get(line.external_id, 0), _billed(line)
        if units <= 0 or of <= 0:
            continue
        start = before.get(line.external_id, 0)
        amount = _share(line.subtotal - line.discount, start, units, of)
        lines.append(_line(line, units, amount, _share(line.tax, start, units, of)))
    return lines


def _share(amount: int, start: int, units: int, of: int) -> int:
    """Part of `amount` for units `start` to `start + units` of `of`; parts of a whole sum to it."""
    return amount * min(start + units, of) // of - amount * min(start, of) // of


def _sold(order: Order, shipments: Sequence[Shipment]) -> dict[str, int]:
    """Sold units per order line in shipments; a kit counts by its first component."""
    first: dict[str, int] = {}
    for demand in order.demands.values():
        first.setdefault(demand.line, demand.no)
    units = units_of(shipments)
    return {line: units[no] // order.demands[no].per_unit for line, no in first.items() if units[no]}
