"""Post a document: order, delivery with its invoice, or credit note.

Business Central knows no idempotency key and no unique external number. So each posting looks first, always, and goes
on from what it finds: whichever call's reply was lost, the repeat ends in one document.
"""

from typing import Final, assert_never

from adapters.business_central.amounts import BookedLine, booked_lines, check_total, credited_lines
from adapters.business_central.answers import Changed, later_if_changed
from adapters.business_central.client import BusinessCentral
from adapters.business_central.records import ensure_customer, ensure_items
from adapters.business_central.schemas import CreditMemo, OrderLine, SalesInvoice, SalesOrder, Shipment
from adapters.business_central.settings import Settings, account
from adapters.business_central.translate import (
    Values,
    credit_values,
    day,
    equals,
    line_values,
    of_order,
    order_values,
    plan_shipment,
    posted,
    reference,
    the_order,
)
from hub.domain.posting import DocumentKind
from hub.sdk.booking import what, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Interrupted, Learned, Outcome, RetryLater, blocked
from hub.sdk.posting import PostingRequest

TRIES: Final = 3
"""How often an order is read again because somebody changed it in between."""
EXTERNAL: Final = "externalDocumentNumber"


async def post(context: Context[Settings], request: PostingRequest) -> Outcome:
    """Post one document. Done names it by Business Central's number."""
    posting = later_if_changed(_post(BusinessCentral(context), request))
    return await within_period(posting, account(context.settings), request.dated)


async def _post(central: BusinessCentral, request: PostingRequest) -> Outcome:
    match request.kind:
        case DocumentKind.ORDER:
            return await post_order(central, request)
        case DocumentKind.DELIVERY | DocumentKind.INVOICE:
            return await _while_it_changes(central, request)
        case DocumentKind.CREDIT_NOTE:
            return await post_credit_note(central, request)
        case _:
            assert_never(request.kind)


async def post_order(central: BusinessCentral, request: PostingRequest) -> Outcome:
    """Create the sales order, unless it is there, and compare its total.

    An order that was shipped and invoiced to the end is gone: its invoices still tell its number.
    """
    orders = await _orders(central, request)
    invoices = [] if orders else await central.rows(SalesInvoice, of_order(request))
    numbers = [invoice.order_number for invoice in invoices if invoice.order_number]
    if numbers:
        return Done(reference=numbers[0], found=True)
    found = bool(orders)
    if not found:
        lines = booked_lines(request, central.settings)
        await ensure_items(central, lines)
        customer = await ensure_customer(central, request.customer)
        await central.create("salesOrders", order_values(request, central.settings, lines, customer))
        orders = await _orders(central, request)
    order = the_order(orders, request)
    if not any(line.shipped_quantity for line in order.sales_order_lines):
        check_total(request, order.number, order.currency_code, order.total_amount_including_tax)
    learned = Learned(kind="sales_order", ours=request.order, theirs=order.id)
    return Done(reference=order.number, learned=(learned,), found=found)


async def _orders(central: BusinessCentral, request: PostingRequest) -> list[SalesOrder]:
    return await central.rows(SalesOrder, of_order(request), expand=OrderLine.entity)


async def _while_it_changes(central: BusinessCentral, request: PostingRequest) -> Outcome:
    """Ship and invoice; from the beginning when somebody changed the order between our read and our write."""
    for _ in range(TRIES):
        try:
            return await post_shipment(central, request)
        except Changed as changed:
            reason = str(changed)
    raise Interrupted(RetryLater(reason=f"{what(request)}: the order keeps changing: {reason}"))


async def post_shipment(central: BusinessCentral, request: PostingRequest) -> Outcome:
    """Make the order's lines say what left, ship and invoice that, compare the invoice's total.

    The standard API posts both in one call, so the delivery makes the invoice too, and the invoice finds it made.
    """
    invoice = posted(await _invoices(central, request), request)
    found = invoice is not None
    if invoice is None:
        lines = booked_lines(request, central.settings)
        order = await _prepared(central, request, lines)
        await central.act(SalesOrder, order.id, "shipAndInvoice")
        invoice = posted(await _invoices(central, request), request)
    if invoice is None:
        raise blocked(
            f"{what(request)}: Business Central said that it posted it, and shows no invoice {reference(request)}",
            "look for it in Posted Sales Invoices; skip the posting if it is there, else send it again",
        )
    check_total(request, invoice.number, invoice.currency_code, invoice.total_amount_including_tax)
    if request.kind is DocumentKind.INVOICE:
        return Done(reference=invoice.number, found=found)
    shipments = await central.rows(Shipment, equals(EXTERNAL, [reference(request)]))
    return Done(reference=shipments[0].number if shipments else invoice.number, found=found)


async def _invoices(central: BusinessCentral, request: PostingRequest) -> list[SalesInvoice]:
    return await central.rows(SalesInvoice, equals(EXTERNAL, [reference(request)]))


async def _prepared(central: BusinessCentral, request: PostingRequest, lines: tuple[BookedLine, ...]) -> SalesOrder:
    """The order, saying what is to be posted under which name and date."""
    order = the_order(await _orders(central, request), request)
    for change in plan_shipment(order, lines, request):
        if change.line is not None:
            await central.change(OrderLine, change.line.id, change.line.etag, change.values)
        elif change.booked is not None:
            # A charge that the order has no open line for: the tax of a second part shipment. All of it is to leave.
            values = line_values(change.booked, central.settings)
            await central.create(f"salesOrders({order.id})/{OrderLine.entity}", values)
    order = the_order(await _orders(central, request), request)
    named: Values = {"externalDocumentNumber": reference(request), "postingDate": day(request.dated)}
    await central.change(SalesOrder, order.id, order.etag, named)
    return order


async def post_credit_note(central: BusinessCentral, request: PostingRequest) -> Outcome:
    """Create the credit memo, compare its total, post it."""
    memos = await _memos(central, request)
    done = posted(memos, request)
    if done is not None:
        check_total(request, done.number, done.currency_code, done.total_amount_including_tax)
        return Done(reference=done.number, found=True)
    if not memos:
        lines = credited_lines(request, central.settings)
        customer = await _invoiced(central, request)
        await central.create("salesCreditMemos", credit_values(request, central.settings, lines, customer))
        memos = await _memos(central, request)
    if len(memos) != 1:
        raise blocked(
            f"{what(request)} is in Business Central {len(memos)} times as a draft: "
            f"{', '.join(memo.number for memo in memos)}",
            "delete all but one there, then send it again",
        )
    draft = memos[0]
    check_total(request, draft.number, draft.currency_code, draft.total_amount_including_tax)
    await central.act(CreditMemo, draft.id, "post")
    done = posted(await _memos(central, request), request)
    if done is None:
        raise blocked(f"{what(request)}: {draft.number} was not posted", "post it in Business Central by hand")
    return Done(reference=done.number)


async def _memos(central: BusinessCentral, request: PostingRequest) -> list[CreditMemo]:
    return await central.rows(CreditMemo, equals(EXTERNAL, [reference(request)]))


async def _invoiced(central: BusinessCentral, request: PostingRequest) -> str:
    """The customer who was invoiced. Raises NeedsPerson when the order has no posted invoice to credit."""
    invoices = await central.rows(SalesInvoice, of_order(request))
    numbers = [one.customer_number for one in invoices if one.status not in ("Draft", "In Review")]
    if not numbers:
        raise blocked(
            f"{what(request)}: Business Central has no posted invoice of this order to credit",
            "post the invoice first, then send it again; without an invoice, skip the posting",
        )
    return numbers[0]
