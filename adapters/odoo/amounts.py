"""What a document's amounts become in Odoo, and whether Odoo comes to the same total. Pure.

Odoo knows unit prices only, so a line's amount is divided by its quantity, to so many places that Odoo's own rounding
of price x quantity gives the amount again. Tax is a line of its own unless `tax_ids` makes Odoo compute it. Either way
the total that Odoo comes to is compared with the document's before anything is confirmed or posted.
"""

from decimal import Decimal

import msgspec

from adapters.odoo.schemas import AccountMove, SaleOrder, display
from adapters.odoo.settings import Settings
from hub.domain.money import MINOR_UNITS, major
from hub.sdk import booking
from hub.sdk.booking import Role, document_lines
from hub.sdk.posting import EntryRequest, PostingRequest


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
    skus = {Role.SHIPPING: settings.shipping_sku, Role.TAX: settings.tax_sku, Role.TIP: settings.tip_sku}
    return tuple(
        BookedLine(
            sku=line.sku or skus.get(line.role, settings.other_sku),
            title=line.title,
            quantity=line.quantity,
            amount=line.amount,
            taxed=line.taxed,
            stocked=line.sku is not None,
        )
        for line in document_lines(request, tax_apart=not settings.tax_ids)
    )


def unit_price(amount: int, quantity: int, currency: str) -> Decimal:
    """Price of one, such that Odoo's rounding of price x quantity is `amount` (minor units) again.

    At least six places; more for large quantities. Odoo 19 keeps them: a line of 2 x 0.005 came to 0.01.
    """
    places = max(6, MINOR_UNITS[currency] + len(str(quantity)) + 1)
    return (major(amount, currency) / quantity).quantize(Decimal(1).scaleb(-places))


def check_total(request: PostingRequest | EntryRequest, document: SaleOrder | AccountMove) -> None:
    """Raise NeedsPerson unless the document in Odoo has the currency and the total that it should have."""
    name = str(document.name or f"draft {document.id}")
    booking.check_total(
        request,
        name,
        display(document.currency_id),
        document.amount_total,
        ledger="Odoo",
        foreign=f"name a price list for {request.currency} in the connection's pricelists, delete {name}, "
        "send it again",
        wrong=f"correct {name} in Odoo (taxes, price precision) or delete it",
    )
