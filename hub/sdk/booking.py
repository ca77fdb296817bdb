"""What a document comes to in a ledger: its lines with shipping, tip and tax, checked before and after. Pure.

Shared by adapters of ledgers: they say which account or product stands for each role, and how a price is written.
"""

from collections.abc import Awaitable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.money import MINOR_UNITS, MoneyError, major, minor
from hub.sdk.capabilities import Command
from hub.sdk.outcomes import Booked, Done, Interrupted, NeedsPerson, Outcome, blocked
from hub.sdk.posting import EntryRequest, PostingRequest

TIP: Final = "tip"
"""`PostingLine.line` of the tip: it belongs to others, and has a clearing account of its own."""
UNBALANCED: Final = "posting_unbalanced"
LOCKED: Final = "period_locked"
NO_ACCOUNT: Final = "clearing_account_missing"
NO_ITEM: Final = "stock_item_unknown"
NO_LOCATION: Final = "stock_location_missing"


class Role(StrEnum):
    """What a line is about: which account it is booked on."""

    GOODS = "goods"
    CHARGE = "charge"
    TIP = "tip"
    SHIPPING = "shipping"
    TAX = "tax"


class RoleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line with its role. `amount` is in minor units, for the whole line."""

    role: Role
    title: str
    amount: int
    sku: str | None = None
    quantity: int = 1
    taxed: bool = False


def document_lines(request: PostingRequest, *, tax_apart: bool) -> tuple[RoleLine, ...]:
    """The document's lines with shipping and tax; they come to its total.

    With `tax_apart` goods are net and the tax is a line, whether or not prices include it; without, amounts are as the
    document has them and the ledger computes the tax. Raises NeedsPerson when the document does not add up by itself.
    """
    problem = unbalanced(request)
    if problem is not None:
        raise Interrupted(problem)
    net = request.tax_included and tax_apart
    lines = []
    for line in request.lines:
        amount = line.amount - line.tax if net else line.amount
        goods = line.sku is not None and bool(line.quantity)
        if goods or line.amount:
            role = Role.TIP if line.line == TIP else Role.GOODS if goods else Role.CHARGE
            quantity, taxed = max(line.quantity, 1), bool(line.tax)
            made = RoleLine(
                role=role, title=line.title, amount=amount, sku=line.sku, quantity=quantity, taxed=taxed
            )  # fmt: skip
            lines.append(made)
    if request.shipping:
        lines.append(RoleLine(role=Role.SHIPPING, title="Shipping", amount=request.shipping))
    tax = sum(line.tax for line in request.lines)
    if tax and tax_apart:
        lines.append(RoleLine(role=Role.TAX, title="Sales tax", amount=tax))
    return tuple(lines)


def unbalanced(request: Command) -> NeedsPerson | None:
    """Why a posting must not be sent: its currency is unknown, or its sides do not come to the same."""
    if isinstance(request, PostingRequest):
        tax = 0 if request.tax_included else sum(line.tax for line in request.lines)
        sides = request.total, sum(line.amount for line in request.lines) + request.shipping + tax
        said = "has a total of", "but its own lines come to"
    elif isinstance(request, EntryRequest):
        sides = request.total, sum(line.credit for line in request.lines)
        said = "debits", "and credits"
    else:
        return None
    if request.currency not in MINOR_UNITS:
        reason = f"{what(request)}: currency {request.currency!r} is unknown"
        return NeedsPerson(kind=UNBALANCED, reason=reason, next_step="correct the order's currency")
    if sides[0] == sides[1] and (sides[0] or isinstance(request, PostingRequest)):
        return None
    first, second = (major(side, request.currency) for side in sides)
    return NeedsPerson(
        kind=UNBALANCED,
        reason=f"{what(request)} {said[0]} {first} {request.currency}, {said[1]} {second}",
        next_step="correct the amounts of the order in the hub, then send it again",
    )


def with_total(outcome: Outcome, request: Command) -> Outcome:
    """What became of a posting, with its amount, currency and date: those asked for, unless the ledger says others."""
    if not isinstance(outcome, Done) or not isinstance(request, PostingRequest | EntryRequest):
        return outcome
    booked = outcome.booked or Booked(
        kind=request.kind.value, amount=request.total, currency=request.currency, dated=request.dated
    )
    return msgspec.structs.replace(outcome, booked=booked)


def check_total(
    request: PostingRequest | EntryRequest,
    name: str,
    currency: str | None,
    total: Decimal,
    *,
    ledger: str,
    foreign: str,
    wrong: str,
) -> None:
    """Raise NeedsPerson unless the document has the currency and the total that it should have.

    `foreign` and `wrong` are what a person does about another currency, and about another total.
    """
    if currency != request.currency:
        raise blocked(f"{what(request)} is in {request.currency}, {name} in {ledger} is in {currency}", foreign)
    try:
        theirs = minor(total, request.currency)
    except MoneyError as error:
        raise blocked(f"{what(request)}: total of {name}: {error}", f"look at {name} in {ledger}") from None
    if theirs != request.total:
        ours, other = major(request.total, request.currency), major(theirs, request.currency)
        reason = f"{what(request)} has a total of {ours} {request.currency}, but {name} in {ledger} come to {other}"
        raise blocked(reason, f"{wrong}, then send it again")


def clearing(request: EntryRequest, accounts: dict[str, str | None], by_method: dict[str, str], where: str) -> str:
    """The clearing account of an entry: of its method, else of gift cards, else of all payments.

    `accounts` are the connection's "payments" and "gift_card". Raises NeedsPerson where there is none.
    """
    own = by_method.get(request.method)
    kind = "gift_card" if request.method == "gift_card" else "payments"
    found = own or accounts.get(kind)
    if found is None:
        raise Interrupted(
            NeedsPerson(
                kind=NO_ACCOUNT,
                reason=f"{where}: payments by {request.method}",
                next_step=f"set the clearing account in the connection ({kind}_account or method_accounts), then retry",
            )
        )
    return found


def of_period(interrupted: Interrupted, account: str, dated: datetime) -> Interrupted:
    """A refusal because of a locked period, told once for all documents of that month, whatever words it came in."""
    outcome = interrupted.outcome
    if not isinstance(outcome, NeedsPerson) or outcome.kind != LOCKED:
        return interrupted
    month = f"{dated.astimezone(UTC):%Y-%m}"
    step = f"{outcome.next_step} ({outcome.reason})"
    return Interrupted(NeedsPerson(kind=LOCKED, reason=f"{account}: the period of {month} is locked", next_step=step))


async def within_period(attempt: Awaitable[Outcome], account: str, dated: datetime) -> Outcome:
    """Await a posting of that day; see `of_period`."""
    try:
        return await attempt
    except Interrupted as interrupted:
        raise of_period(interrupted, account, dated) from None


def own_reference(request: PostingRequest | EntryRequest, own: str) -> str:
    """Our name of something about an order: `own`, with the order's id before it where that does not say it."""
    return own if own.startswith(request.order) else f"{request.order}/{own}"


def what(request: PostingRequest | EntryRequest) -> str:
    """The document, as a person would name it."""
    return f"{request.kind.value} of order {request.order_number} ({request.order})"
