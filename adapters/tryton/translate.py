"""Postings to Tryton's values and back: what is written, and what the records read back mean. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeVar

import msgspec

from adapters.tryton.schemas import Coded, Invoice, Move, Product, Sale, Shipment
from adapters.tryton.settings import Settings
from hub.domain.contact import Contact
from hub.domain.money import MINOR_UNITS, major
from hub.domain.posting import DocumentKind
from hub.sdk import booking
from hub.sdk.booking import Role, document_lines, own_reference, what
from hub.sdk.outcomes import blocked
from hub.sdk.posting import PostingRequest

Values = dict[str, object]
D = TypeVar("D", Sale, Invoice)

PRICE_PLACES: Final = Decimal("0.0001")
"""Tryton keeps four places of a unit price unless it is configured otherwise."""
POSTED: Final = ("posted", "paid")


class BookedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is booked. `price` is of one, and comes to the line's exact amount."""

    sku: str | None
    title: str
    quantity: int
    price: Decimal
    account: str
    tax: bool = False


def reference(request: PostingRequest) -> str:
    """Our name of a document, by which Tryton is searched before anything is repeated."""
    own = request.shipment or request.kind.value
    if request.kind is DocumentKind.ORDER:
        return request.order
    if request.kind is DocumentKind.CREDIT_NOTE:
        own = request.key
    return own_reference(request, own)


def booked_lines(request: PostingRequest, settings: Settings) -> tuple[BookedLine, ...]:
    """The document's lines with shipping and tax; goods net, and they come to the document's total.

    Raises NeedsPerson when the document does not add up by itself, or its currency is unknown.
    """
    revenue = settings.revenue_account
    accounts = {
        Role.SHIPPING: settings.shipping_account or revenue,
        Role.CHARGE: settings.charges_account or revenue,
        Role.TIP: settings.tips_account or settings.charges_account or revenue,
    }
    lines = []
    for line in document_lines(request, tax_apart=True):
        if line.role is Role.TAX:
            price, account = major(line.amount, request.currency), settings.tax_account
            lines.append(BookedLine(sku=None, title=line.title, quantity=1, price=price, account=account, tax=True))
        elif line.role is Role.GOODS:
            lines += _exact(request, line.sku, line.title, line.quantity, line.amount, revenue)
        elif line.amount:
            lines += _exact(request, None, line.title, 1, line.amount, accounts[line.role])
    return tuple(lines)


def _exact(
    request: PostingRequest, sku: str | None, title: str, quantity: int, amount: int, account: str
) -> list[BookedLine]:
    """One line; and a second without a product for the cents that no unit price of four places can say."""
    whole = major(amount, request.currency)
    price = (whole / quantity).quantize(PRICE_PLACES, ROUND_HALF_UP)
    cent = Decimal(1).scaleb(-MINOR_UNITS[request.currency])
    rest = whole - (price * quantity).quantize(cent, ROUND_HALF_UP)
    lines = [BookedLine(sku=sku, title=title, quantity=quantity, price=price, account=account)]
    if rest:
        lines.append(BookedLine(sku=None, title=f"Rounding of {title}", quantity=1, price=rest, account=account))
    return lines


def check_total(request: PostingRequest, document: Sale | Invoice, *, sign: int = 1) -> None:
    """Raise NeedsPerson unless the document in Tryton has the currency and the total that it should have."""
    name = document.number or f"draft {document.id}"
    booking.check_total(
        request,
        name,
        document.currency.code if document.currency else None,
        document.total_amount.decimal * sign,
        ledger="Tryton",
        foreign=f"delete {name} in Tryton, then send it again",
        wrong=f"correct {name} in Tryton (taxes, prices) or delete it",
    )


def the_one(found: Sequence[D], request: PostingRequest) -> D | None:
    """The one document that lives under our reference. Raises NeedsPerson when there are several."""
    living = [one for one in found if one.state != "cancelled"]
    if len(living) > 1:
        names = ", ".join(one.number or f"draft {one.id}" for one in living)
        raise blocked(
            f"{what(request)} is in Tryton {len(living)} times: {names}",
            "cancel all but one in Tryton, then send it again",
        )
    if found and not living:
        raise blocked(
            f"{what(request)} was cancelled in Tryton",
            "clear the reference of the cancelled one to have it booked anew, or skip the posting",
        )
    return living[0] if living else None


# --- values ----------------------------------------------------------------------------------------------------------


def sale_values(
    request: PostingRequest,
    lines: Sequence[BookedLine],
    products: Mapping[str, Product],
    head: Values,
) -> Values:
    """A sale that ships by itself and is invoiced by us: Tryton would invoice what it holds to be due."""
    return {
        **head,
        "reference": request.order,
        "description": request.order_number,
        "sale_date": day(request.dated),
        "invoice_method": "manual",
        "shipment_method": "order",
        "lines": [["create", [_sale_line(line, products) for line in lines]]],
    }


def _sale_line(line: BookedLine, products: Mapping[str, Product]) -> Values:
    """Calls run no on-change rules, so everything that a form would fill in is said."""
    values: Values = {
        "type": "line",
        "quantity": float(line.quantity),
        "unit_price": amount(line.price),
        "description": line.title,
    }
    if line.sku is not None:
        values |= {"product": products[line.sku].id, "unit": products[line.sku].default_uom}
    return values


def invoice_values(
    request: PostingRequest, lines: Sequence[BookedLine], accounts: Mapping[str, int], head: Values, *, sign: int = 1
) -> Values:
    """An invoice; with `sign` -1 a credit note, which is an invoice of negative quantities in Tryton.

    It says no date: Tryton takes the day of posting. An earlier one is refused once a later one has a number.
    """
    return {
        **head,
        "type": "out",
        "reference": reference(request),
        "description": request.order_number,
        "lines": [["create", [_invoice_line(line, accounts, sign) for line in lines if not line.tax]]],
        "taxes": [["create", [_tax(line, lines, accounts, sign) for line in lines if line.tax]]],
    }


def _invoice_line(line: BookedLine, accounts: Mapping[str, int], sign: int) -> Values:
    return {
        "type": "line",
        "quantity": float(line.quantity * sign),
        "unit_price": amount(line.price),
        "account": accounts[line.account],
        "description": f"{line.sku} {line.title}" if line.sku else line.title,
    }


def _tax(line: BookedLine, lines: Sequence[BookedLine], accounts: Mapping[str, int], sign: int) -> Values:
    """A tax as the channel took it: Tryton takes no tax account on a line, and leaves a manual tax as it is."""
    base = sum((one.price * one.quantity for one in lines if not one.tax), Decimal(0))
    return {
        "description": line.title,
        "account": accounts[line.account],
        "base": amount(base.quantize(line.price, ROUND_HALF_UP) * sign),
        "amount": amount(line.price * sign),
        "manual": True,
    }


def party_values(contact: Contact, country: int | None) -> Values:
    """A party, with what an invoice must show and no more: no telephone, no coordinates."""
    address = {
        "street_unstructured": "\n".join(contact.lines) or None,
        "city": contact.city,
        "postal_code": contact.postal_code,
        "country": country,
    }
    values: Values = {
        "name": contact.company or contact.name or contact.email,
        "addresses": [["create", [{name: value for name, value in address.items() if value is not None}]]],
    }
    email = mailbox(contact)
    if email is not None:
        values["contact_mechanisms"] = [["create", [{"type": "email", "value": email}]]]
    return values


def mailbox(contact: Contact) -> str | None:
    """The e-mail address in lower case; None when there is none."""
    return (contact.email or "").strip().lower() or None


def amount(value: Decimal) -> Values:
    """A Decimal as Tryton writes it."""
    return {"__class__": "Decimal", "decimal": str(value)}


def day(moment: datetime) -> Values:
    """A date as Tryton writes it; it books by days, here those of UTC."""
    utc = moment.astimezone(UTC)
    return {"__class__": "date", "year": utc.year, "month": utc.month, "day": utc.day}


# --- shipment --------------------------------------------------------------------------------------------------------


def own_shipment(shipments: Iterable[Shipment], mark: str) -> Shipment | None:
    """The shipment that an earlier try marked as this one."""
    return next((one for one in shipments if one.reference == mark and one.state != "cancelled"), None)


def open_shipment(shipments: Iterable[Shipment], request: PostingRequest) -> Shipment:
    """The shipment that nobody began. Raises NeedsPerson when there is none."""
    for one in shipments:
        if one.state in ("draft", "waiting") and not one.reference:
            return one
    raise blocked(
        f"{what(request)}: Tryton has no open shipment of this sale that nobody began",
        "ship it in Tryton by hand and skip the posting, or correct the sale there and send it again",
    )


def plan(request: PostingRequest, moves: Sequence[Move]) -> dict[int, int]:
    """Quantity per move, zeros included. Raises NeedsPerson naming the SKUs that the shipment does not hold."""
    left: Counter[str] = Counter()
    for line in request.lines:
        if line.sku is not None:
            left[line.sku] += line.quantity
    quantities = {}
    for move in moves:
        sku = (move.product or Coded(id=0)).code or ""
        taken = min(left[sku], int(move.quantity))
        left[sku] -= taken
        quantities[move.id] = taken
    missing = sorted(sku for sku, quantity in left.items() if quantity > 0)
    if missing:
        raise blocked(
            f"{what(request)}: the open shipment in Tryton does not hold {', '.join(missing)}",
            "ship it in Tryton by hand and skip the posting, or correct the sale there and send it again",
        )
    return quantities
