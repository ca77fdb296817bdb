"""What a document's amounts become in Business Central, and whether it comes to the same total. Pure.

Business Central knows unit prices of five places, so a line's amount is divided by its quantity. Tax is a line of its
own where `tax_account` is set; otherwise Business Central computes it by its own rules. Either way its total is
compared with the document's.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from adapters.business_central.settings import Settings
from hub.domain.money import MINOR_UNITS, major
from hub.sdk import booking
from hub.sdk.booking import Role, document_lines, what
from hub.sdk.outcomes import blocked
from hub.sdk.posting import EntryRequest, PostingRequest

ITEM: Final = "Item"
ACCOUNT: Final = "Account"
PRICE_PLACES: Final = Decimal("0.00001")


class BookedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is booked. `price` is of one, and comes to the line's exact amount."""

    kind: str
    number: str
    title: str
    quantity: int
    price: Decimal


def booked_lines(request: PostingRequest, settings: Settings) -> tuple[BookedLine, ...]:
    """The document's lines with shipping and tax; they come to the document's total.

    Raises NeedsPerson when the document does not add up by itself, an account is missing in the connection, or a
    price cannot be said in five places.
    """
    accounts = {
        Role.CHARGE: (settings.charges_account, "charges_account"),
        Role.TIP: (settings.tips_account or settings.charges_account, "tips_account"),
        Role.SHIPPING: (settings.shipping_account, "shipping_account"),
        Role.TAX: (settings.tax_account, "tax_account"),
    }
    lines = []
    for line in document_lines(request, tax_apart=settings.tax_account is not None):
        if line.role is Role.GOODS and line.sku is not None:
            lines.append(_line(request, ITEM, line.sku, line.title, line.quantity, line.amount))
        elif line.amount:
            number = _account(request, *accounts[line.role])
            lines.append(_line(request, ACCOUNT, number, line.title, 1, line.amount))
    return tuple(lines)


def credited_lines(request: PostingRequest, settings: Settings) -> tuple[BookedLine, ...]:
    """The same for a credit note: on an account, since the goods come back by a return of their own, or not at all."""
    number = _account(request, settings.returns_account, "returns_account")
    lines = booked_lines(request, settings)
    unit = MINOR_UNITS[request.currency]
    return tuple(
        BookedLine(
            kind=ACCOUNT,
            number=number if line.kind == ITEM else line.number,
            title=line.title,
            quantity=1,
            price=_rounded(line.price * line.quantity, unit),
        )
        for line in lines
    )


def check_total(request: PostingRequest | EntryRequest, name: str, currency: str, total: Decimal) -> None:
    """Raise NeedsPerson unless the document has the currency and the total that it should have."""
    booking.check_total(
        request,
        name,
        currency,
        total,
        ledger="Business Central",
        foreign=f"set up the currency {request.currency} in Business Central, delete {name}, send it again",
        wrong=f"correct {name} there (tax, prices)",
    )


def _line(request: PostingRequest, kind: str, number: str, title: str, quantity: int, amount: int) -> BookedLine:
    whole = major(amount, request.currency)
    price = (whole / quantity).quantize(PRICE_PLACES, ROUND_HALF_UP)
    if _rounded(price * quantity, MINOR_UNITS[request.currency]) != whole:
        raise blocked(
            f"{what(request)}: {quantity} x {number} for {whole} {request.currency} has no unit price of five places",
            "book it in Business Central by hand and skip the posting",
        )
    return BookedLine(kind=kind, number=number, title=title, quantity=quantity, price=price)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _account(request: PostingRequest, number: str | None, setting: str) -> str:
    if number is None:
        raise blocked(
            f"{what(request)} has an amount for which the connection names no G/L account",
            f"set {setting} in the connection, then send it again",
        )
    return number
