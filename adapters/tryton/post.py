"""Post a document: order, delivery, invoice or credit note.

Tryton knows no idempotency key and no unique reference, and a document takes several calls. So each looks first,
always, and goes on from the state that it finds: whichever call's reply was lost, the repeat ends in one document.
"""

from typing import Final, assert_never

from adapters.tryton.client import Domain, Tryton
from adapters.tryton.records import ensure_party, find_accounts, find_products, invoice_head, sale_head
from adapters.tryton.schemas import Invoice, Move, Party, Sale, Shipment
from adapters.tryton.settings import Settings, account
from adapters.tryton.translate import (
    POSTED,
    booked_lines,
    check_total,
    invoice_values,
    open_shipment,
    own_shipment,
    plan,
    reference,
    sale_values,
    the_one,
)
from hub.domain.posting import DocumentKind
from hub.sdk.booking import what, within_period
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Done, Learned, Outcome, blocked
from hub.sdk.posting import PostingRequest

SALE_BUTTONS: Final = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
SHIPMENT_BUTTONS: Final = {"waiting": "assign_force", "assigned": "pick", "picked": "pack", "packed": "do"}
"""Which button leads on from a state. Forced, because the goods have left: Tryton's own count does not stop a fact."""


async def post(context: Context[Settings], request: PostingRequest) -> Outcome:
    """Post one document. Done names it by Tryton's number."""
    return await within_period(_post(Tryton(context), request), account(context.settings), request.dated)


async def _post(tryton: Tryton, request: PostingRequest) -> Outcome:
    match request.kind:
        case DocumentKind.ORDER:
            return await post_order(tryton, request)
        case DocumentKind.DELIVERY:
            return await post_delivery(tryton, request)
        case DocumentKind.INVOICE:
            return await post_invoice(tryton, request, sign=1)
        case DocumentKind.CREDIT_NOTE:
            return await post_invoice(tryton, request, sign=-1)
        case _:
            assert_never(request.kind)


async def post_order(tryton: Tryton, request: PostingRequest) -> Outcome:
    """Create the sale, compare its total, take it to the state in which it ships."""
    sale = await _sale(tryton, request)
    found = sale is not None and sale.state not in SALE_BUTTONS
    if sale is None:
        lines = booked_lines(request, tryton.settings)
        products = await find_products(tryton, lines)
        party = await ensure_party(tryton, request.customer)
        head = await sale_head(tryton, request, party)
        await tryton.create(Sale.model, sale_values(request, lines, products, head))
        sale = await _known_sale(tryton, request)
    check_total(request, sale)
    while sale.state in SALE_BUTTONS:
        before = sale.state
        await tryton.act(Sale.model, SALE_BUTTONS[before], sale.id)
        sale = await _known_sale(tryton, request)
        if sale.state == before:
            raise blocked(f"{what(request)}: the sale stays in the state {before}", "take it on in Tryton by hand")
    learned = Learned(kind="sale", ours=request.order, theirs=str(sale.id))
    return Done(reference=sale.number or str(sale.id), learned=(learned,), found=found)


async def _sale(tryton: Tryton, request: PostingRequest) -> Sale | None:
    terms: Domain = [["reference", "=", request.order], ["company", "=", tryton.settings.company_id]]
    return the_one(await tryton.rows(Sale, terms, limit=10), request)


async def _known_sale(tryton: Tryton, request: PostingRequest) -> Sale:
    sale = await _sale(tryton, request)
    if sale is None:
        raise blocked(f"{what(request)}: Tryton has no sale of this order", "post the order first, then send it again")
    return sale


async def post_delivery(tryton: Tryton, request: PostingRequest) -> Outcome:
    """Tell an open shipment of the sale what left, mark it as ours, take it to done. Tryton makes one for the rest."""
    if not any(line.sku for line in request.lines):
        return Done()  # Nothing that Tryton keeps in stock.
    mark = reference(request)
    sale = await _known_sale(tryton, request)
    shipments = await tryton.read_rows(Shipment, sale.shipments)
    shipment = own_shipment(shipments, mark)
    found = shipment is not None and shipment.state == "done"
    if shipment is None:
        shipment = open_shipment(shipments, request)
        if shipment.state == "draft":
            await tryton.act(Shipment.model, "wait", shipment.id)
            shipment = await _shipment(tryton, shipment.id)
        quantities = plan(request, await tryton.read_rows(Move, shipment.inventory_moves))
        for move, quantity in quantities.items():
            await tryton.write(Move.model, [move], {"quantity": float(quantity)})
        # The mark comes last: a marked shipment says what left.
        await tryton.write(Shipment.model, [shipment.id], {"reference": mark})
    while shipment.state != "done":
        before = shipment.state
        if before not in SHIPMENT_BUTTONS:
            raise blocked(f"{what(request)}: the shipment is in the state {before}", "finish it in Tryton by hand")
        await tryton.act(Shipment.model, SHIPMENT_BUTTONS[before], shipment.id)
        shipment = await _shipment(tryton, shipment.id)
        if shipment.state == before:
            raise blocked(f"{what(request)}: the shipment stays in the state {before}", "finish it in Tryton by hand")
    return Done(reference=shipment.number or str(shipment.id), found=found)


async def _shipment(tryton: Tryton, shipment: int) -> Shipment:
    return (await tryton.read_rows(Shipment, [shipment]))[0]


async def post_invoice(tryton: Tryton, request: PostingRequest, *, sign: int) -> Outcome:
    """Create the invoice, or with `sign` -1 the credit note, with its exact amounts, compare its total, post it."""
    document = await _invoice(tryton, request)
    found = document is not None and document.state in POSTED
    if document is None:
        sale = await _known_sale(tryton, request)
        lines = booked_lines(request, tryton.settings)
        accounts = await find_accounts(tryton, [line.account for line in lines])
        party = (await tryton.read_rows(Party, [sale.party]))[0]
        head = await invoice_head(tryton, request, party, accounts)
        await tryton.create(Invoice.model, invoice_values(request, lines, accounts, head, sign=sign))
        document = await _known_invoice(tryton, request)
    check_total(request, document, sign=sign)
    if document.state not in POSTED:
        await tryton.act(Invoice.model, "post", document.id)
        document = await _known_invoice(tryton, request)
    if document.state not in POSTED:
        raise blocked(f"{what(request)}: the document stays {document.state}", "post it in Tryton by hand")
    return Done(reference=document.number or str(document.id), found=found)


async def _invoice(tryton: Tryton, request: PostingRequest) -> Invoice | None:
    terms: Domain = [
        ["reference", "=", reference(request)],
        ["type", "=", "out"],
        ["company", "=", tryton.settings.company_id],
    ]
    return the_one(await tryton.rows(Invoice, terms, limit=10), request)


async def _known_invoice(tryton: Tryton, request: PostingRequest) -> Invoice:
    document = await _invoice(tryton, request)
    if document is None:
        raise blocked(f"{what(request)} was made in Tryton and is not shown", "check the user's access in Tryton")
    return document
