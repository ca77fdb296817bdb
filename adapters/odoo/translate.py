"""Postings to Odoo's values and back: what is written, and what the records read back mean. Pure.

What the amounts become is told in `amounts.py`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from adapters.odoo.amounts import BookedLine, unit_price
from adapters.odoo.schemas import (
    AccountMove,
    Many2one,
    Picking,
    SaleOrder,
    SaleOrderLine,
    StockMove,
    display,
    record_id,
)
from adapters.odoo.settings import Settings
from hub.domain.contact import Contact
from hub.domain.posting import DocumentKind
from hub.sdk.booking import own_reference, what
from hub.sdk.outcomes import blocked
from hub.sdk.posting import PostingRequest

Values = dict[str, object]
Domain = list[list[object]]

UNCONFIRMED: Final = ("draft", "sent")
CONFIRMED: Final = "sale"
REPLACE: Final = 6
CREATE: Final = 0
UPDATE: Final = 1
"""First element of Odoo's commands for lists of records."""


# --- references ------------------------------------------------------------------------------------------------------


def reference(request: PostingRequest) -> str:
    """Our name of a delivery, invoice or credit note, by which Odoo is searched before anything is repeated.

    An order has one invoice and delivery per shipment, and any number of credit notes: those go by the effect's key.
    """
    own = request.shipment or request.kind.value
    if request.kind is DocumentKind.CREDIT_NOTE:
        own = request.key
    return own_reference(request, own)


def order_terms(request: PostingRequest, field: str) -> Domain:
    """Search term: records whose `field` is our sale order. By its id where that was learned, else by our reference."""
    learned = request.references.get(f"sale_order:{request.order}")
    if learned is not None:
        return [[field, "=", int(learned)]]
    return [[f"{field}.client_order_ref", "=", request.order]]


def company_terms(settings: Settings) -> Domain:
    """Search term for databases with several companies."""
    return [] if settings.company_id is None else [["company_id", "=", settings.company_id]]


def named_products(skus: Iterable[str], values: Iterable[Many2one]) -> dict[str, int]:
    """Ids of the products among `values` by SKU: Odoo's display name of a product begins with it in brackets."""
    named = [value for value in values if isinstance(value, tuple)]
    found = {}
    for sku in skus:
        for product, name in named:
            if name.startswith(f"[{sku}]"):
                found[sku] = product
    return found


# --- order -----------------------------------------------------------------------------------------------------------


def order_values(
    request: PostingRequest,
    settings: Settings,
    lines: Sequence[BookedLine],
    products: Mapping[str, int],
    partner: int,
) -> Values:
    """A sale order. Its date is Odoo's own once it is confirmed: the version in use resets it then."""
    values: Values = {
        "partner_id": partner,
        "client_order_ref": request.order,
        "origin": request.order_number,
        "date_order": naive_utc(request.dated),
        "order_line": [
            [
                CREATE,
                0,
                {
                    "product_id": products[line.sku],
                    "name": line.title,
                    "product_uom_qty": line.quantity,
                    "price_unit": unit_price(line.amount, line.quantity, request.currency),
                    "tax_ids": _taxes(line, settings),
                },
            ]
            for line in lines
        ],
    }
    values.update(_chosen(company_id=settings.company_id, warehouse_id=settings.warehouse_id))
    values.update(_chosen(pricelist_id=settings.pricelists.get(request.currency)))
    return values


def read_order(found: Sequence[SaleOrder], request: PostingRequest) -> SaleOrder:
    """The one order that stands for ours. Raises NeedsPerson when there are several, or none that lives."""
    living = [order for order in found if order.state != "cancel"]
    if len(living) > 1:
        names = ", ".join(order.name for order in living)
        raise blocked(
            f"order {request.order_number} ({request.order}) is in Odoo {len(living)} times: {names}",
            "cancel all but one in Odoo, then send it again",
        )
    if not living:
        names = ", ".join(order.name for order in found) or "nothing that the API key's user may see"
        raise blocked(
            f"order {request.order_number} ({request.order}) was cancelled or is hidden in Odoo: {names}",
            "clear the customer reference of the cancelled order to have it booked anew, or skip the posting",
        )
    if living[0].state not in (*UNCONFIRMED, CONFIRMED):
        raise blocked(f"{living[0].name} in Odoo is in the unknown state {living[0].state!r}", "confirm it by hand")
    return living[0]


def partner_values(contact: Contact, country: int | None) -> Values:
    """A contact, with what an invoice must show and no more: no telephone, no coordinates."""
    street = dict(zip(("street", "street2"), contact.lines, strict=False))
    values = _chosen(
        name=contact.company or contact.name or contact.email,
        email=mailbox(contact),
        city=contact.city,
        zip=contact.postal_code,
        country_id=country,
    )
    return {**values, **street}


def mailbox(contact: Contact) -> str | None:
    """The e-mail address as Odoo normalises it; None when there is none."""
    return (contact.email or "").strip().lower() or None


def product_values(sku: str, title: str, stocked: bool) -> Values:
    """A product for what is sold and unknown. It is invoiced by delivery, and no default tax is added to it."""
    kind = {"type": "consu", "is_storable": True, "invoice_policy": "delivery"} if stocked else {"type": "service"}
    return {"default_code": sku, "name": title, "taxes_id": [[REPLACE, 0, []]], **kind}


# --- delivery --------------------------------------------------------------------------------------------------------


def own_picking(pickings: Sequence[Picking], mark: str) -> Picking | None:
    """The transfer that an earlier try marked as this shipment."""
    return next((picking for picking in pickings if picking.carrier_tracking_ref == mark), None)


def open_pickings(pickings: Sequence[Picking], mark: str) -> list[Picking]:
    """Transfers that may become this shipment: its own, or those that nobody marked."""
    candidates = [p for p in pickings if p.state not in ("done", "cancel")]
    own = [p for p in candidates if p.carrier_tracking_ref == mark]
    return own or [p for p in candidates if not p.carrier_tracking_ref]


def plan_delivery(
    request: PostingRequest, pickings: Sequence[Picking], moves: Sequence[StockMove], products: Mapping[str, int]
) -> tuple[Picking, dict[int, int]]:
    """The first transfer that holds all that was shipped, and the quantity per move of it.

    Raises NeedsPerson naming the SKUs when no transfer does: an order changed in Odoo, a kit, or several warehouses.
    """
    shipped: Counter[str] = Counter()
    for line in request.lines:
        if line.sku is not None and line.quantity:
            shipped[line.sku] += line.quantity
    missing = sorted(shipped)
    for picking in pickings:
        quantities, short = _allocate(shipped, [m for m in moves if record_id(m.picking_id) == picking.id], products)
        if not short and quantities:
            return picking, quantities
        missing = short or missing
    names = ", ".join(picking.name for picking in pickings) or "none"
    raise blocked(
        f"{what(request)}: no open transfer in Odoo holds all that was shipped; open: {names}; missing: "
        f"{', '.join(missing) or 'goods'}",
        "deliver it in Odoo by hand and skip the posting, or correct the order there and send it again",
    )


def _allocate(
    shipped: Mapping[str, int], moves: Sequence[StockMove], products: Mapping[str, int]
) -> tuple[dict[int, int], list[str]]:
    """Quantity per move, and the SKUs that the moves do not cover."""
    quantities: dict[int, int] = {}
    short = []
    for sku, wanted in shipped.items():
        left = wanted
        for move in moves:
            if left and sku in products and record_id(move.product_id) == products[sku]:
                taken = min(left, int(move.product_uom_qty))
                quantities[move.id] = quantities.get(move.id, 0) + taken
                left -= taken
        if left:
            short.append(sku)
    return quantities, short


def picking_values(mark: str, quantities: Mapping[int, int]) -> Values:
    """What left, and whose shipment it is: one write, so one transaction. Moves not named stay for the backorder."""
    moves = [[UPDATE, move, {"quantity": quantity, "picked": True}] for move, quantity in quantities.items()]
    return {"carrier_tracking_ref": mark, "move_ids": moves}


# --- invoice and credit note -----------------------------------------------------------------------------------------


def read_document(found: Sequence[AccountMove], request: PostingRequest) -> AccountMove | None:
    """This invoice or credit note among the order's, if it exists. Raises NeedsPerson when it should not be made."""
    mark = reference(request)
    own = [document for document in found if document.ref == mark]
    living = [document for document in own if document.state != "cancel"]
    if len(living) > 1:
        raise blocked(f"{what(request)} is in Odoo {len(living)} times ({mark})", "delete all but one, send it again")
    if own and not living:
        raise blocked(
            f"{what(request)} was cancelled in Odoo ({mark})",
            "clear the reference of the cancelled document to have it booked anew, or skip the posting",
        )
    by_hand = [d for d in found if d.ref == request.order and d.move_type == "out_invoice" and d.state != "cancel"]
    if by_hand and request.kind is DocumentKind.INVOICE and not living:
        raise blocked(
            f"{what(request)}: somebody invoiced the order in Odoo ({by_hand[0].name or 'a draft'})",
            "delete that invoice and send it again, or skip the posting",
        )
    return living[0] if living else None


def read_ordered(found: Sequence[SaleOrderLine], request: PostingRequest) -> Sequence[SaleOrderLine]:
    """The lines of the one confirmed sale order to invoice. Raises NeedsPerson when there is none, or several."""
    orders = {line.order_id for line in found}
    if len(orders) != 1:
        names = ", ".join(sorted(str(display(order)) for order in orders)) or "none"
        raise blocked(
            f"{what(request)}: one sale order was expected in Odoo, found: {names}",
            "post the order first, or cancel and clear the reference of all but one, then send it again",
        )
    if found[0].state != CONFIRMED:
        raise blocked(
            f"{what(request)}: {display(found[0].order_id)} in Odoo is not confirmed but {found[0].state}",
            "confirm it in Odoo, then send it again",
        )
    return found


def invoice_values(
    request: PostingRequest,
    settings: Settings,
    lines: Sequence[BookedLine],
    products: Mapping[str, int],
    ordered: Sequence[SaleOrderLine],
) -> Values:
    """An invoice of what the document says, tied to the order's lines so that Odoo counts them as invoiced.

    Raises NeedsPerson when not one line is left to tie it to: then it is about goods that Odoo knows nothing of, or
    that were invoiced already.
    """
    values = _document_values(request, settings, "out_invoice", ordered[0].order_partner_id, ordered[0].currency_id)
    free = {line.id: int(line.product_uom_qty - line.qty_invoiced) for line in ordered}
    commands: list[tuple[int, int, Values]] = []
    for line in lines:
        fitting = [o.id for o in ordered if record_id(o.product_id) == products[line.sku]]
        tied = min((o for o in fitting if free[o] >= line.quantity), key=lambda o: (free[o], o), default=None)
        command = _invoice_line(line, request, settings, products)
        if tied is not None:
            free[tied] -= line.quantity
            command["sale_line_ids"] = [[REPLACE, 0, [tied]]]
        commands.append((CREATE, 0, command))
    if not any("sale_line_ids" in command for _, _, command in commands):
        raise blocked(
            f"{what(request)}: {display(ordered[0].order_id)} in Odoo has nothing left to invoice of it",
            "compare the order in Odoo with ours, and correct it there or skip the posting",
        )
    return {**values, "invoice_line_ids": commands}


def credit_note_values(
    request: PostingRequest,
    settings: Settings,
    lines: Sequence[BookedLine],
    products: Mapping[str, int],
    found: Sequence[AccountMove],
) -> Values:
    """A credit note for the order's invoice. Posting it settles that invoice when there is but one to settle.

    It is not tied to the order's lines: Odoo would count them as to be invoiced again.
    Raises NeedsPerson when the order has no posted invoice.
    """
    invoices = [d for d in found if d.move_type == "out_invoice" and d.state == "posted"]
    if not invoices:
        raise blocked(
            f"{what(request)}: Odoo has no posted invoice of this order to credit",
            "post the invoice first, then send it again; without an invoice, skip the posting",
        )
    first = invoices[0]
    values = _document_values(request, settings, "out_refund", first.partner_id, first.currency_id)
    if len(invoices) == 1:
        values["reversed_entry_id"] = first.id
    commands = [[CREATE, 0, _invoice_line(line, request, settings, products)] for line in lines]
    return {**values, "invoice_line_ids": commands}


def _document_values(
    request: PostingRequest, settings: Settings, move_type: str, partner: Many2one, currency: Many2one
) -> Values:
    values: Values = {
        "move_type": move_type,
        "partner_id": record_id(partner),
        "currency_id": record_id(currency),
        "ref": reference(request),
        "invoice_origin": request.order_number,
        "invoice_date": request.dated.astimezone(UTC).date().isoformat(),
    }
    return {**values, **_chosen(company_id=settings.company_id, journal_id=settings.journal_id)}


def _invoice_line(line: BookedLine, request: PostingRequest, settings: Settings, products: Mapping[str, int]) -> Values:
    return {
        "product_id": products[line.sku],
        "name": line.title,
        "quantity": line.quantity,
        "price_unit": unit_price(line.amount, line.quantity, request.currency),
        "tax_ids": _taxes(line, settings),
    }


# --- values ----------------------------------------------------------------------------------------------------------


def naive_utc(moment: datetime) -> str:
    """Odoo's date and time: UTC without saying so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _taxes(line: BookedLine, settings: Settings) -> list[list[object]]:
    """Always said, since Odoo would fill in the product's own taxes."""
    return [[REPLACE, 0, list(settings.tax_ids) if line.taxed else []]]


def _chosen(**values: object) -> Values:
    return {name: value for name, value in values.items() if value is not None}
