"""What a document's amounts become in Odoo, and whether Odoo comes to the same total. Pure.

Odoo knows unit prices only, so a line's amount is divided by its quantity, to so many places that Odoo's own rounding
of price x quantity gives the amount again. Tax is a line of its own unless `tax_ids` makes Odoo compute it. Either way
the total that Odoo comes to is compared with the document's before anything is confirmed or posted.
"""

from decimal import Decimal

import msgspec

from adapters.odoo.answers import blocked
from adapters.odoo.schemas import AccountMove, SaleOrder, display
from adapters.odoo.settings import Settings
from hub.domain.money import MINOR_UNITS, MoneyError, major, minor
from hub.sdk.capabilities import PostingRequest
from hub.sdk.outcomes import Interrupted


class BookedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is booked. `amount` is in minor units, for the whole line."""

    sku: str
    title: str
    quantity: int
    amount: int
    taxed: bool = False
    stocked: bool = False
    """Goods, as opposed to shipping, tax and the like."""


def booked_lines(request: PostingRequest, settings: Settings) -> tuple[BookedLine, ...]:
    """The document's lines with shipping and tax; they come to the document's total.

    Without `tax_ids` goods are booked net and the tax in one line, whether or not prices include it. With `tax_ids`
    prices are sent as the document has them, and the taxes must be of the same make (included in the price or not).
    Raises NeedsPerson when the document does not add up by itself, or its currency is unknown.
    """
    if request.currency not in MINOR_UNITS:
        raise blocked(f"{what(request)}: currency {request.currency!r} is unknown", "correct the order's currency")
    tax = sum(line.tax for line in request.lines)
    total = sum(line.amount for line in request.lines) + request.shipping + (0 if request.tax_included else tax)
    if total != request.total:
        raise _differs(request, "its own lines", total, "correct the amounts of the order in the hub")
    net = request.tax_included and not settings.tax_ids
    lines = [
        BookedLine(
            sku=line.sku or settings.other_sku,
            title=line.title,
            quantity=max(line.quantity, 1),
            amount=line.amount - line.tax if net else line.amount,
            taxed=bool(line.tax),
            stocked=line.sku is not None,
        )
        for line in request.lines
        if line.amount or (line.sku is not None and line.quantity)
    ]
    if request.shipping:
        lines.append(BookedLine(sku=settings.shipping_sku, title="Shipping", quantity=1, amount=request.shipping))
    if tax and not settings.tax_ids:
        lines.append(BookedLine(sku=settings.tax_sku, title="Sales tax", quantity=1, amount=tax))
    return tuple(lines)


def unit_price(amount: int, quantity: int, currency: str) -> Decimal:
    """Price of one, such that Odoo's rounding of price x quantity is `amount` (minor units) again.

    At least six places; more for large quantities. Odoo 19 keeps them: a line of 2 x 0.005 came to 0.01.
    """
    places = max(6, MINOR_UNITS[currency] + len(str(quantity)) + 1)
    return (major(amount, currency) / quantity).quantize(Decimal(1).scaleb(-places))


def check_total(request: PostingRequest, document: SaleOrder | AccountMove) -> None:
    """Raise NeedsPerson unless the document in Odoo has the currency and the total that it should have."""
    currency, name = display(document.currency_id), document.name or f"draft {document.id}"
    if currency != request.currency:
        raise blocked(
            f"{what(request)} is in {request.currency}, {name} in Odoo is in {currency}",
            f"name a price list for {request.currency} in the connection's pricelists, delete {name}, send it again",
        )
    try:
        total = minor(document.amount_total, request.currency)
    except MoneyError as error:
        raise blocked(f"{what(request)}: total of {name}: {error}", f"look at {name} in Odoo") from None
    if total != request.total:
        raise _differs(
            request, f"{name} in Odoo", total, f"correct {name} in Odoo (taxes, price precision) or delete it"
        )


def _differs(request: PostingRequest, whose: str, total: int, next_step: str) -> Interrupted:
    ours, theirs = major(request.total, request.currency), major(total, request.currency)
    reason = f"{what(request)} has a total of {ours} {request.currency}, but {whose} come to {theirs}"
    return blocked(reason, f"{next_step}, then send it again")


def what(request: PostingRequest) -> str:
    """The document, as a person would name it."""
    return f"{request.kind.value} of order {request.order_number} ({request.order})"
