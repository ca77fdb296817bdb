"""Post a document: order, delivery, invoice or credit note.

Odoo knows no idempotency key and no unique reference, and a document takes several calls. So each looks first, always,
and goes on from what it finds: whichever call's reply was lost, the repeat ends in one document. What was just made is
read back under the same reference, which also shows a second one that a slow earlier try made after all.
"""

from collections.abc import Sequence
from typing import assert_never

from adapters.odoo.amounts import booked_lines, check_total
from adapters.odoo.answers import refusal
from adapters.odoo.client import Odoo
from adapters.odoo.deliveries import tie_delivery
from adapters.odoo.records import ensure_partner, ensure_products, find_products
from adapters.odoo.schemas import AccountMove, Picking, SaleOrder, SaleOrderLine, StockMove
from adapters.odoo.settings import Settings, account
from adapters.odoo.translate import (
    CONFIRMED,
    UNCONFIRMED,
    Domain,
    Values,
    company_terms,
    credit_note_values,
    invoice_values,
    open_pickings,
    order_terms,
    order_values,
    own_picking,
    picking_values,
    plan_delivery,
    read_document,
    read_order,
    read_ordered,
    reference,
)
from hub.domain.posting import DocumentKind
from hub.sdk.booking import within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Interrupted, Learned, Outcome, blocked
from hub.sdk.posting import PostingRequest


async def post(context: Context[Settings], request: PostingRequest) -> Outcome:
    """Post one document. Done names it: the order's id, the transfer's or invoice's number."""
    return await within_period(_post(Odoo(context), request), account(context.settings), request.dated)


async def _post(odoo: Odoo, request: PostingRequest) -> Outcome:
    match request.kind:
        case DocumentKind.ORDER:
            return await post_order(odoo, request)
        case DocumentKind.DELIVERY:
            return await post_delivery(odoo, request)
        case DocumentKind.INVOICE:
            return await post_invoice(odoo, request)
        case DocumentKind.CREDIT_NOTE:
            return await post_credit_note(odoo, request)
        case _:
            assert_never(request.kind)


async def post_order(odoo: Odoo, request: PostingRequest) -> Outcome:
    """Create the sale order, compare its total, confirm it."""
    found = await _orders(odoo, request)
    if not found:
        lines = booked_lines(request, odoo.settings)
        products = await ensure_products(odoo, lines)
        partner = await ensure_partner(odoo, request.customer)
        await odoo.create("sale.order", [order_values(request, odoo.settings, lines, products, partner)])
    order = read_order(found or await _orders(odoo, request), request)
    check_total(request, order)
    if order.state in UNCONFIRMED:
        await _confirm(odoo, request, order)
    learned = Learned(kind="sale_order", ours=request.order, theirs=str(order.id))
    return Done(reference=str(order.id), learned=(learned,), found=bool(found) and order.state == CONFIRMED)


async def _orders(odoo: Odoo, request: PostingRequest) -> list[SaleOrder]:
    terms: Domain = [["client_order_ref", "=", request.order], *company_terms(odoo.settings)]
    return await odoo.rows(SaleOrder, terms, limit=10)


async def _confirm(odoo: Odoo, request: PostingRequest, order: SaleOrder) -> None:
    """Confirm, unless somebody else just did: Odoo refuses that like any wrong state, so the state decides."""
    try:
        if odoo.settings.warehouses:
            await odoo.act("sale.order", "action_confirm", order.id, skip_procurement=True)
        else:
            await odoo.act("sale.order", "action_confirm", order.id)
    except Interrupted as interrupted:
        if not refusal(interrupted):
            raise
        if read_order(await _orders(odoo, request), request).state != CONFIRMED:
            raise


async def post_delivery(odoo: Odoo, request: PostingRequest) -> Outcome:
    """Tell the order's open transfer what left, mark it as our shipment, validate it. The rest becomes a backorder."""
    shipped = {line.sku for line in request.lines if line.sku is not None}
    if not shipped:
        return Done()  # Nothing that Odoo keeps in stock: such lines are booked on a service product.
    if odoo.settings.warehouses:
        return await tie_delivery(odoo, request)
    mark = reference(request)
    pickings = await _pickings(odoo, request)
    own = own_picking(pickings, mark)
    if own is not None and own.state == "done":
        return Done(reference=own.name, found=True)
    candidates = open_pickings(pickings, mark)
    terms: Domain = [["picking_id", "in", [p.id for p in candidates]], ["state", "not in", ["done", "cancel"]]]
    moves = await odoo.rows(StockMove, terms, limit=1000) if candidates else []
    products = await find_products(odoo, shipped, [move.product_id for move in moves])
    picking, quantities = plan_delivery(request, candidates, moves, products)
    await odoo.write("stock.picking", picking.id, picking_values(mark, quantities))
    answer = await odoo.act("stock.picking", "button_validate", picking.id, skip_backorder=True, skip_sms=True)
    # An object is a wizard that waits for a person's answer: nothing was shipped, whatever the status code says.
    if answer is not True:
        own = own_picking(await _pickings(odoo, request), mark)
        if own is None or own.state != "done":
            asked = answer.get("res_model") if isinstance(answer, dict) else answer
            raise blocked(
                f"Odoo did not validate {picking.name} of order {request.order_number}, but asks: {asked}",
                f"validate {picking.name} in Odoo, then send it again",
            )
    return Done(reference=picking.name)


async def _pickings(odoo: Odoo, request: PostingRequest) -> list[Picking]:
    terms: Domain = [*order_terms(request, "sale_id"), ["picking_type_id.code", "=", "outgoing"]]
    return await odoo.rows(Picking, terms, limit=100)


async def post_invoice(odoo: Odoo, request: PostingRequest) -> Outcome:
    """Create the invoice of what was shipped with its exact amounts, compare its total, post it.

    Not through the invoicing wizard: that one invoices what Odoo holds to be due, at its own rounding, and leaves a
    document that does not carry our reference when its reply is lost.
    """
    ordered = read_ordered(await odoo.rows(SaleOrderLine, order_terms(request, "order_id"), limit=1000), request)
    # An order of which nothing was invoiced has no invoice of ours: the first one is tied to its lines.
    if request.look_first or any(line.invoice_lines for line in ordered):
        found = await _documents(odoo, request)
        if read_document(found, request) is not None:
            return await _settle(odoo, request, found, created=False)
    lines = booked_lines(request, odoo.settings)
    products = await ensure_products(odoo, lines, [line.product_id for line in ordered])
    return await _create(odoo, request, invoice_values(request, odoo.settings, lines, products, ordered))


async def post_credit_note(odoo: Odoo, request: PostingRequest) -> Outcome:
    """Create the credit note with its exact amounts, compare its total, post it."""
    found = await _documents(odoo, request)
    if read_document(found, request) is not None:
        return await _settle(odoo, request, found, created=False)
    lines = booked_lines(request, odoo.settings)
    products = await ensure_products(odoo, lines)
    return await _create(odoo, request, credit_note_values(request, odoo.settings, lines, products, found))


async def _documents(odoo: Odoo, request: PostingRequest) -> list[AccountMove]:
    """Invoices and credit notes of the order, ours and those that somebody made by hand."""
    terms: Domain = [["ref", "=like", f"{request.order}%"], *company_terms(odoo.settings)]
    return await odoo.rows(AccountMove, terms, limit=200)


async def _create(odoo: Odoo, request: PostingRequest, values: Values) -> Outcome:
    await odoo.create("account.move", [values])
    return await _settle(odoo, request, await _documents(odoo, request), created=True)


async def _settle(odoo: Odoo, request: PostingRequest, found: Sequence[AccountMove], *, created: bool) -> Outcome:
    """Post the draft if its total is right. Posting answers false even on success, so its state is read again."""
    document = read_document(found, request)
    drafted = document is not None and document.state == "draft"
    if document is not None and drafted:
        check_total(request, document)
        await odoo.act("account.move", "action_post", document.id)
        document = read_document(await _documents(odoo, request), request)
    if document is None or document.state != "posted":
        raise blocked(
            f"{request.kind.value} {reference(request)} of order {request.order_number} is not posted in Odoo "
            f"({'not to be seen' if document is None else document.state})",
            "post it in Odoo, then send it again",
        )
    check_total(request, document)
    learned = Learned(kind=request.kind.value, ours=reference(request), theirs=str(document.id))
    return Done(reference=str(document.name), learned=(learned,), found=not created and not drafted)
