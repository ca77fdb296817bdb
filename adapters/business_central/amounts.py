"""What a document's amounts become in Business Central, and whether it comes to the same total. Pure.

Business Central knows unit prices of five places, so a line's amount is divided by its quantity. Tax is a line of its
own where `tax_account` is set; otherwise Business Central computes it by its own rules. Either way its total is
compared with the document's.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from adapters.business_central.answers import blocked
from adapters.business_central.settings import Settings
from hub.domain.money import MINOR_UNITS, MoneyError, major, minor
from hub.sdk.capabilities import PostingRequest
from hub.sdk.outcomes import Interrupted

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
    tax = _checked_tax(request)
    net = request.tax_included and settings.tax_account is not None
    lines = []
    for line in request.lines:
        amount = line.amount - line.tax if net else line.amount
        if line.sku is not None and line.quantity:
            lines.append(_line(request, ITEM, line.sku, line.title, line.quantity, amount))
        elif amount:
            number = _account(request, settings.charges_account, "charges_account")
            lines.append(_line(request, ACCOUNT, number, line.title, 1, amount))
    if request.shipping:
        number = _account(request, settings.shipping_account, "shipping_account")
        lines.append(_line(request, ACCOUNT, number, "Shipping", 1, request.shipping))
    if tax and settings.tax_account is not None:
        lines.append(_line(request, ACCOUNT, settings.tax_account, "Sales tax", 1, tax))
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


def check_total(request: PostingRequest, name: str, currency: str, total: Decimal) -> None:
    """Raise NeedsPerson unless the document has the currency and the total that it should have."""
    if currency != request.currency:
        raise blocked(
            f"{what(request)} is in {request.currency}, {name} in Business Central is in {currency}",
            f"set up the currency {request.currency} in Business Central, delete {name}, send it again",
        )
    try:
        theirs = minor(total, request.currency)
    except MoneyError as error:
        raise blocked(f"{what(request)}: total of {name}: {error}", f"look at {name}") from None
    if theirs != request.total:
        raise _differs(request, f"{name} in Business Central", theirs, f"correct {name} there (tax, prices)")


def what(request: PostingRequest) -> str:
    """The document, as a person would name it."""
    return f"{request.kind.value} of order {request.order_number} ({request.order})"


def _checked_tax(request: PostingRequest) -> int:
    if request.currency not in MINOR_UNITS:
        raise blocked(f"{what(request)}: currency {request.currency!r} is unknown", "correct the order's currency")
    tax = sum(line.tax for line in request.lines)
    total = sum(line.amount for line in request.lines) + request.shipping + (0 if request.tax_included else tax)
    if total != request.total:
        raise _differs(request, "its own lines", total, "correct the amounts of the order in the hub")
    return tax


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


def _differs(request: PostingRequest, whose: str, total: int, next_step: str) -> Interrupted:
    ours, theirs = major(request.total, request.currency), major(total, request.currency)
    reason = f"{what(request)} has a total of {ours} {request.currency}, but {whose} come to {theirs}"
    return blocked(reason, f"{next_step}, then send it again")
