"""Giving money back: there is no call for it, but a feed, and no reference by which a feed could be found again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree

import msgspec

from adapters.amazon import account, feeds
from adapters.amazon.client import Seller, get_order
from adapters.amazon.schemas import Shape
from adapters.amazon.statements import stamp, transactions
from adapters.amazon.xml_feeds import Undone, before, child, envelope, run
from hub.domain.money import MoneyError, major, minor
from hub.domain.payment import Payment, PaymentKind
from hub.sdk.capabilities import PaymentRefund
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Uncertain
from hub.sdk.translate import moment

ADJUST: Final = "POST_PAYMENT_ADJUSTMENT_DATA"
LOOKS_BACK: Final = timedelta(days=3)

REASONS: Final[Mapping[str, str]] = {
    "return": "CustomerReturn",
    "exchange": "Exchange",
    "stock": "NoInventory",
    "cancel": "CustomerCancel",
    "price": "PriceError",
}
OTHER_REASON: Final = "GeneralAdjustment"


class Amount(Shape, frozen=True):
    """Money of an order."""

    amount: Decimal
    currency_code: str


class Row(Shape, frozen=True):
    """A breakdown of a line's proceeds."""

    type: str
    subtotal: Amount


class Proceeds(Shape, frozen=True):
    """What a line brought."""

    breakdowns: tuple[Row, ...] = ()


class PaidLine(Shape, frozen=True):
    """A line and its money."""

    order_item_id: str
    quantity_ordered: int
    proceeds: Proceeds = Proceeds()

    def part(self, *kinds: str) -> Decimal:
        """Sum of some kinds; discounts count as negative whichever sign the wire uses."""
        rows = (row for row in self.proceeds.breakdowns if row.type in kinds)
        return sum((abs(row.subtotal.amount) for row in rows), Decimal(0))


class PaidOrder(Shape, frozen=True):
    """An order and its money."""

    order_id: str
    order_items: tuple[PaidLine, ...]


class LineRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Money back for a line, in minor units."""

    line: str
    principal: int
    tax: int = 0
    shipping: int = 0


async def refund_payment(context: Seller, request: PaymentRefund, /) -> Outcome:
    """Give money back by a feed, once.

    A try that may have started its job is repeated only when no such job was started in these days; when one was, the
    account tells whether the money went. Where neither is sure a person decides: money would go back twice.
    """
    subject = f"order {request.order_external_id}"
    if request.look_first:
        seen = await _look(context, request, subject)
        if seen is not None:
            return seen
    order = await get_order(context, request.order_external_id, PaidOrder)
    try:
        lines = allocate(order, request)
    except (ValueError, MoneyError) as error:
        step = "refund it in Seller Central"
        return NeedsPerson(reason=f"{subject}: {error}", next_step=step)
    document = adjustment(context.settings.seller_id, request, lines)
    outcome = await run(context, ADJUST, document, subject, request.key)
    return _paid(request, outcome.reference, context.now()) if isinstance(outcome, Done) else outcome


def _paid(asked: PaymentRefund, reference: str | None, at: datetime, *, found: bool = False) -> Done:
    payment = Payment(
        external_id=reference or asked.key,
        kind=PaymentKind.REFUND,
        method="amazon",
        amount=asked.amount,
        currency=asked.currency,
        status="done",
        at=at,
    )
    return Done(reference=reference, payments=(payment,), found=found)


# --- looking ----------------------------------------------------------------------------------------------------------


async def _look(context: Seller, asked: PaymentRefund, subject: str) -> Outcome | None:
    """What became of an earlier try; None when it surely gave nothing back."""
    seen = await before(context, subject, asked.key)
    if isinstance(seen, Done):
        return _paid(asked, seen.reference, context.now(), found=True)
    if seen is not None:
        return None if isinstance(seen, Undone) else seen
    jobs = await feeds.since(context, ADJUST, context.now() - LOOKS_BACK)
    if any(job.processing_status in feeds.RUNNING for job in jobs):
        return Uncertain(reason=f"{subject}: Amazon is still processing refunds")
    if not jobs:
        return None
    found = await _posted(context, asked, subject)
    if found is not None:
        name, at = found.get("transactionId"), found.get("postedDate")
        posted = moment(at, "transactions[].postedDate") if isinstance(at, str) else context.now()
        return _paid(asked, name if isinstance(name, str) else None, posted, found=True)
    return NeedsPerson(
        reason=f"{subject}: a refund of {asked.amount} {asked.currency} may have reached Amazon; no reference tells",
        next_step="look at the order in Seller Central; force the refund again only if it is not there",
    )


async def _posted(context: Seller, asked: PaymentRefund, subject: str) -> account.Row | None:
    """A refund of exactly this amount on the seller's account, in these days; None where it may not be read."""
    query = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": asked.order_external_id}
    query["postedAfter"] = stamp(context.now() - LOOKS_BACK)
    amount = major(asked.amount, asked.currency)
    try:
        pages = [page async for page in transactions(context, query, subject)]
    except Interrupted as interruption:
        if isinstance(interruption.outcome, NeedsPerson):
            return None
        raise
    rows = [account.read(raw) for page in pages for raw in page]
    return next((row for row in rows if account.is_refund(row) and _went(row) == amount), None)


def _went(refund: account.Row) -> Decimal | None:
    try:
        return account.given_back(refund)
    except ValueError:
        return None


# --- the document -----------------------------------------------------------------------------------------------------


def allocate(order: PaidOrder, asked: PaymentRefund) -> tuple[LineRefund, ...]:
    """Lay the amount on the order's lines, as Amazon wants it, exactly.

    On the lines that the refund is for, by what their units brought; without lines on all of them. Raises ValueError
    for a line that the order does not have, or where nothing was paid.
    """
    known = {line.order_item_id: line for line in order.order_items}
    units = {one.line: one.quantity for one in asked.lines}
    units = units or {name: line.quantity_ordered for name, line in known.items()}
    missing = sorted(set(units) - set(known))
    if missing:
        raise ValueError(f"the order has no line {', '.join(missing)}")
    worth = [_worth(known[name], count, asked.currency) for name, count in units.items()]
    shipping = shares(asked.shipping, [goods + tax for goods, tax in worth])
    paid = shares(asked.amount - asked.shipping, [goods + tax for goods, tax in worth])
    found = []
    for name, (goods, tax), whole, shipped in zip(units, worth, paid, shipping, strict=True):
        principal, taxed = shares(whole, [goods, tax]) if whole else (0, 0)
        found.append(LineRefund(line=name, principal=principal, tax=taxed, shipping=shipped))
    return tuple(found)


def _worth(line: PaidLine, units: int, currency: str) -> tuple[int, int]:
    """What so many units of a line brought in goods and in tax; proportions only, rounded down."""
    goods = minor(max(Decimal(0), line.part("ITEM") - line.part("DISCOUNT")), currency)
    tax = minor(line.part("TAX"), currency)
    ordered = max(1, line.quantity_ordered)
    return goods * units // ordered, tax * units // ordered


def shares(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split a total by weights into whole minor units that add up to it; what is left over goes to the first ones.

    Raises ValueError when there is something to split and nothing to split it by.
    """
    if total == 0:
        return (0,) * len(weights)
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("nothing was paid that could be given back")
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    for place, weight in enumerate(weights):
        if left > 0 and weight:
            parts[place] += 1
            left -= 1
    return tuple(parts)


def adjustment(seller: str, asked: PaymentRefund, lines: Sequence[LineRefund]) -> bytes:
    """POST_PAYMENT_ADJUSTMENT_DATA: amounts by component, in the order's currency."""
    message = ElementTree.Element("OrderAdjustment")
    child(message, "AmazonOrderID", asked.order_external_id)
    word = next((found for part, found in REASONS.items() if part in asked.reason.lower()), OTHER_REASON)
    for line in lines:
        parts = {"Principal": line.principal, "Tax": line.tax, "Shipping": line.shipping}
        if not any(parts.values()):
            continue
        item = ElementTree.SubElement(message, "AdjustedItem")
        child(item, "AmazonOrderItemCode", line.line)
        child(item, "MerchantAdjustmentItemID", f"{asked.key}-{line.line}")
        child(item, "AdjustmentReason", word)
        components = ElementTree.SubElement(item, "ItemPriceAdjustments")
        for kind, amount in parts.items():
            if amount:
                component = ElementTree.SubElement(components, "Component")
                child(component, "Type", kind)
                money = ElementTree.SubElement(component, "Amount", currency=asked.currency)
                money.text = str(major(amount, asked.currency))
    return envelope(seller, "OrderAdjustment", message)
