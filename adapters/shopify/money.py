"""Captures, voids and refunds: what is asked of Shopify, and what its transactions mean. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from adapters.shopify.answers import UserError
from adapters.shopify.orders import Nodes, Shape, Transaction, rest_id
from hub.domain.money import MoneyError, major, minor
from hub.domain.payment import Payment, PaymentKind
from hub.sdk.capabilities import PaymentCapture, PaymentRefund, PaymentVoid
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, Uncertain, blocked
from hub.sdk.translate import moment

CLOCK_SKEW: Final = timedelta(minutes=5)
AUTHORISATIONS: Final = frozenset({"AUTHORIZATION", "EMV_AUTHORIZATION"})
TAKEN: Final = frozenset({"SALE", "CAPTURE"})
NOTE_LENGTH: Final = 500

KINDS: Final = {
    "CAPTURE": PaymentKind.CAPTURE,
    "VOID": PaymentKind.VOID,
    "REFUND": PaymentKind.REFUND,
}
STATUS: Final = {"SUCCESS": "done", "PENDING": "pending", "AWAITING_RESPONSE": "pending"}


class MadeRefund(Shape, frozen=True):
    """A refund that exists."""

    id: str
    note: str | None
    transactions: Nodes[Transaction]


class Money(Shape, frozen=True):
    """All that moved of an order (`documents_money.TRANSACTIONS`)."""

    id: str
    name: str
    cancelled_at: datetime | None
    presentment_currency_code: str
    transactions: tuple[Transaction, ...]
    refunds: tuple[MadeRefund, ...]


class Captured(Shape, frozen=True):
    """Answer of orderCapture."""

    transaction: Transaction | None
    user_errors: tuple[UserError, ...]


class Voided(Shape, frozen=True):
    """Answer of transactionVoid."""

    transaction: Transaction | None
    user_errors: tuple[UserError, ...]


class Refunded(Shape, frozen=True):
    """Answer of refundCreate."""

    refund: MadeRefund | None
    user_errors: tuple[UserError, ...]


def payment(one: Transaction) -> Payment:
    """A transaction as a payment row, under the id by which webhooks tell of it."""
    money = one.amount_set.presentment_money
    return Payment(
        external_id=str(rest_id(one.id)),
        kind=KINDS[one.kind],
        method=one.gateway or "unknown",
        amount=_minor(one),
        currency=money.currency_code,
        status=STATUS.get(one.status, "failed"),
        parent=None if one.parent_transaction is None else str(rest_id(one.parent_transaction.id)),
        at=moment(one.processed_at or one.created_at, f"transactions[{one.id}].processedAt"),
    )


def _minor(one: Transaction) -> int:
    money = one.amount_set.presentment_money
    try:
        return minor(Decimal(money.amount), money.currency_code)
    except MoneyError as error:
        told = f"transaction {rest_id(one.id)} of {money.amount} {money.currency_code} cannot be reckoned with: {error}"
        raise blocked(told, "Move the money in the shop's admin, then resolve.") from error


def other_currency(money: Money, currency: str) -> NeedsPerson | None:
    """Shopify moves money in the customer's currency; ours are amounts of the shop's."""
    if money.presentment_currency_code == currency:
        return None
    return NeedsPerson(
        reason=f"order {money.name} was paid in {money.presentment_currency_code}, the amount is in {currency}",
        next_step="Move the money in the shop's admin, then resolve.",
    )


def _good(one: Transaction) -> bool:
    return one.status in ("SUCCESS", "PENDING", "AWAITING_RESPONSE")


def _parent(one: Transaction) -> str | None:
    return None if one.parent_transaction is None else one.parent_transaction.id


def authorisation(money: Money, wanted: str | None, amount: int) -> Transaction | None:
    """The authorisation that is meant: the named one, else the first that still holds the amount."""
    held = [one for one in money.transactions if one.kind in AUTHORISATIONS and one.status == "SUCCESS"]
    if wanted is not None:
        return next((one for one in held if str(rest_id(one.id)) == wanted), None)
    open_ones = [one for one in held if not _children(money, one, "VOID")]
    fitting = [one for one in open_ones if _minor(one) - sum(map(_minor, _children(money, one, "CAPTURE"))) >= amount]
    return next(iter(fitting or open_ones or held), None)


def _children(money: Money, one: Transaction, kind: str) -> list[Transaction]:
    return [other for other in money.transactions if other.kind == kind and _parent(other) == one.id and _good(other)]


# --- capture ---------------------------------------------------------------------------------------------------------


def captured_before(money: Money, request: PaymentCapture) -> Outcome | None:
    """What an earlier try took: a capture of this amount since it was asked, that no other request made."""
    for one in money.transactions:
        mine = request.payment is None or _parent(one) == f"gid://shopify/OrderTransaction/{request.payment}"
        since = moment(one.created_at, f"transactions[{one.id}].createdAt") >= request.asked_at - CLOCK_SKEW
        if one.kind == "CAPTURE" and _good(one) and mine and since and _minor(one) == request.amount:
            if str(rest_id(one.id)) in request.known:
                continue
            return _settled(one, money.name, found=True)
    return None


def capture_variables(money: Money, held: Transaction, request: PaymentCapture) -> dict[str, object]:
    """Variables of orderCapture."""
    return {
        "input": {
            "id": money.id,
            "parentTransactionId": held.id,
            "amount": str(major(request.amount, request.currency)),
            "currency": request.currency,
            "finalCapture": request.final,
        }
    }


def read_capture(answer: Captured, name: str) -> Outcome:
    """Done with the payment, Refused with Shopify's reason."""
    if answer.user_errors:
        return Refused(reason=f"order {name}: not captured: {_told(answer.user_errors)}")
    if answer.transaction is None:
        return Uncertain(reason=f"order {name}: Shopify answered the capture without a transaction")
    return _settled(answer.transaction, name, found=False)


def _settled(one: Transaction, name: str, *, found: bool) -> Outcome:
    match one.status:
        case "SUCCESS":
            made = payment(one)
            return Done(reference=made.external_id, payments=(made,), found=found)
        case "PENDING" | "AWAITING_RESPONSE" | "UNKNOWN":
            return Uncertain(reason=f"order {name}: the gateway has not answered yet ({one.status.lower()})")
        case _:
            return Refused(reason=f"order {name}: the gateway refused ({one.status.lower()})")


# --- void ------------------------------------------------------------------------------------------------------------


def voided_before(money: Money, held: Transaction, request: PaymentVoid) -> Outcome | None:
    """Void already, by whomever; Refused when it was captured."""
    voids = _children(money, held, "VOID")
    if voids:
        return _settled(voids[0], money.name, found=True)
    if _children(money, held, "CAPTURE"):
        return Refused(reason=f"order {money.name}: the authorisation was captured; refund it instead")
    return None


def read_void(answer: Voided, name: str) -> Outcome:
    """Done, also when there is nothing left to void."""
    if answer.user_errors:
        told = f"order {name}: not voided: {_told(answer.user_errors)}"
        gone = {"AUTH_NOT_VOIDABLE", "TRANSACTION_NOT_FOUND"}
        return Refused(reason=told) if any(e.code in gone for e in answer.user_errors) else Uncertain(reason=told)
    if answer.transaction is None:
        return Uncertain(reason=f"order {name}: Shopify answered the void without a transaction")
    return _settled(answer.transaction, name, found=False)


# --- refund ----------------------------------------------------------------------------------------------------------


def refunded_before(money: Money, request: PaymentRefund) -> Outcome | None:
    """The refund of an earlier try: our key stands in its note."""
    for refund in money.refunds:
        if refund.note is not None and f"({request.key})" in refund.note:
            return _refunded(refund, money.name, found=True)
    return None


def refund_variables(money: Money, request: PaymentRefund) -> dict[str, object] | Refused:
    """Variables of refundCreate: goods are not restocked there, for our own shelves tell the shop what it may sell."""
    moves, left = [], request.amount
    for one in money.transactions:
        if one.kind not in TAKEN or one.status != "SUCCESS" or left <= 0:
            continue
        back = sum(map(_minor, _refunds_of(money, one)))
        amount = min(left, _minor(one) - back)
        if amount > 0:
            left -= amount
            moves.append(
                {
                    "orderId": money.id,
                    "parentId": one.id,
                    "kind": "REFUND",
                    "gateway": one.gateway or "manual",
                    "amount": str(major(amount, request.currency)),
                }
            )
    if left > 0:
        return Refused(reason=f"order {money.name}: {left} {request.currency} more than was taken and not given back")
    refund: dict[str, object] = {
        "orderId": money.id,
        "note": f"{request.reason[:NOTE_LENGTH]} ({request.key})".strip(),
        "notify": request.notify,
        "transactions": moves,
        "refundLineItems": [
            {"lineItemId": line_gid(line.line), "quantity": line.quantity, "restockType": "NO_RESTOCK"}
            for line in request.lines
        ],
    }
    if request.shipping:
        refund["shipping"] = {"amount": str(major(request.shipping, request.currency))}
    return {"input": refund, "key": request.key}


def line_gid(line: str) -> str:
    """The global id of an order line."""
    return line if line.startswith("gid://") else f"gid://shopify/LineItem/{line}"


def _refunds_of(money: Money, one: Transaction) -> Iterable[Transaction]:
    moved: Sequence[Transaction] = money.transactions
    return [other for other in moved if other.kind == "REFUND" and _parent(other) == one.id and _good(other)]


def read_refund(answer: Refunded, name: str) -> Outcome:
    """Done with the payments that the refund became."""
    if answer.user_errors:
        return Refused(reason=f"order {name}: not refunded: {_told(answer.user_errors)}")
    if answer.refund is None:
        return Uncertain(reason=f"order {name}: Shopify answered the refund without one")
    return _refunded(answer.refund, name, found=False)


def _refunded(refund: MadeRefund, name: str, *, found: bool) -> Outcome:
    moved = [one for one in refund.transactions.nodes if one.kind == "REFUND"]
    failed = [one for one in moved if not _good(one)]
    if failed:
        return NeedsPerson(
            reason=f"order {name}: refund {rest_id(refund.id)} was made, and the gateway did not pay it",
            next_step="Pay it in the shop's admin, then resolve.",
        )
    # A refund that is pending at the gateway is under way: it is not to be made again.
    payments = tuple(msgspec.structs.replace(payment(one), status="done") for one in moved)
    reference = payments[0].external_id if payments else f"refund:{rest_id(refund.id)}"
    return Done(reference=reference, payments=payments, found=found)


def _told(errors: Iterable[UserError]) -> str:
    return "; ".join(error.message for error in errors)
