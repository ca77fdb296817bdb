"""Money going back: how much, by whom, told to the books once, and never doubled by what the channel did itself."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hub.domain.effects import RefundPayment
from hub.domain.order import OrderContent
from hub.domain.payment import CapturedBy, Payment, PaymentKind, position
from hub.domain.returns import LIVING, Refund, RefundLine, refunded_units, share
from hub.domain.states import GONE, REFUND_MOVES, RefundState, move
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.credit import billed, credit, numbered
from hub.flow.trouble import Trouble
from hub.sdk.capabilities import ConfirmedLine, PaymentRefund, RefundFrom

NOT_TAKEN: Final = frozenset({"pending", "authorised", "voided"})
"""Words of a channel for money that was not taken."""

REFUND_DUE: Final = "refund_due"
"""Exception of money that was taken for units that were cancelled here."""


class CannotRefund(Exception):
    """The money cannot go back. `captured` and `refundable` say why, in minor units."""

    def __init__(self, text: str, *, slug: str, captured: int = 0, refundable: int = 0) -> None:
        super().__init__(text)
        self.slug = slug
        self.captured = captured
        self.refundable = refundable


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants refunded. Without lines and amount: all that is left."""

    lines: Mapping[str, int] = {}
    """Sold units by line id."""
    shipping: int = 0
    amount: int | None = None
    """The whole refund; what lines and shipping do not explain is an adjustment."""
    kept: int = 0
    """Minor units kept back: fees, and the loss of value of what came back."""
    reason: str = ""
    who: str = "hub"
    return_id: str | None = None
    capped: bool = False
    """Whether to refund what is left where the wish is more: rules ask so, people are told."""
    unsold: bool = False
    """Whether it is for units that were cancelled before they left: the channel has taken them off, and the books
    never invoiced them."""
    paid_by: str | None = None
    """What the money went into instead of back to the customer: the id of an exchange's payment."""


def captured_of(order: Order) -> int:
    """Minor units that were taken from the customer, as far as anybody told; the order's total where nobody did."""
    found = position(payments_of(order), order.currency)
    if found.known:
        return found.captured
    content = order.content
    if content is None or content.financial_status in NOT_TAKEN:
        return 0
    # A channel that refunded shows less as its newest total: what was paid is the larger of the two.
    return max(content.amounts.shop.total, content.edited.shop.total if content.edited else 0)


def payments_of(order: Order) -> list[Payment]:
    """Every payment fact about an order: stored, and learned in this transaction."""
    return [*order.paid, *order.payments]


def refundable(order: Order) -> int:
    """Minor units that may still go back: what was taken, less what went or goes back."""
    known = {id for refund in order.refunds.values() for id in refund.external_ids}
    others = {p.external_id: p.amount for p in told_refunds(order) if p.external_id not in known}
    gone = sum(refund.amount for refund in order.refunds.values() if refund.state in LIVING)
    return max(0, captured_of(order) - gone - sum(others.values()))


def ask_refund(order: Order, wish: Wish, batch: Batch) -> Refund:
    """Decide a refund and have it done. Raises `CannotRefund`; nothing is changed then."""
    if not order.acting or order.content is None:
        raise CannotRefund("the order is only recorded here: refund it at its channel", slug="not-acting")
    made = _made(order, order.content, wish, batch)
    link = batch.directory.links.get(batch.directory.successor(order.connection))
    account = batch.directory.accounts[order.account]
    if wish.paid_by is not None:
        made = msgspec.structs.replace(made, state=RefundState.DONE, external_ids=(wish.paid_by,))
    elif made.amount == 0 or account.captured_by is CapturedBy.NONE:
        made = msgspec.structs.replace(made, state=RefundState.DONE)
    elif link is not None and link.wants("refund_payment"):
        order.plan(link.connection.id, money_subject(order), RefundPayment(order=order.id, refund=made.no), made.no)
    else:
        made = msgspec.structs.replace(made, state=RefundState.BY_HAND)
        order.troubles.append(_by_hand(order, made))
    order.refunds[made.id] = made
    for line in made.lines:
        order.mend("cancel_after_ship", f"{order.connection}: order {order.external_id}, line {line.line}")
    order.mend(REFUND_DUE)
    order.note(batch.now, "refund_asked", f"refund {made.no}: {made.amount} {made.currency} by {wish.who}")
    credit(order, batch)
    return made


def money_subject(order: Order) -> str:
    """Sequence of everything that moves an order's money at its channel: a refund comes after the capture it is of."""
    return f"{order.id}-pay"


def _made(order: Order, content: OrderContent, wish: Wish, batch: Batch) -> Refund:
    room, included = refundable(order), content.amounts.shop.tax_included
    lines = _lines(order, content, wish.lines)
    explained = sum(line.amount + (0 if included else line.tax) for line in lines) + wish.shipping
    everything = not wish.lines and not wish.shipping and wish.amount is None
    amount = room if everything else explained - wish.kept if wish.amount is None else wish.amount
    amount = max(0, amount)
    if amount > room:
        if not wish.capped:
            raise _above(order, amount, room)
        order.troubles.append(_cut(order, amount, room))
        amount = room
    if amount == 0 and (wish.amount is not None or everything):
        raise _above(order, amount, room)
    return Refund(
        id=batch.new_id(),
        order=order.id,
        no=max((refund.no for refund in order.refunds.values()), default=0) + 1,
        amount=amount,
        currency=order.currency,
        created_at=batch.now,
        lines=tuple(lines),
        shipping=wish.shipping,
        adjustment=amount - explained,
        return_id=wish.return_id,
        reason=wish.reason,
        asked_by=wish.who,
        unsold=wish.unsold or (wish.return_id is None and _unsold(order, content, wish.lines)),
    )


def _unsold(order: Order, content: OrderContent, wanted: Mapping[str, int]) -> bool:
    """Whether these are units that were cancelled before they left and whose money is still here."""
    if content.cancelled_at is not None:
        return not any(part.state in GONE for part in order.slices.values())
    before = refunded_units({id: refund for id, refund in order.refunds.items() if refund.unsold})
    cancelled = {line.external_id: billed(line) - line.quantity - line.refunded for line in content.lines}
    return bool(wanted) and all(units <= cancelled[line] - before.get(line, 0) for line, units in wanted.items())


def _above(order: Order, amount: int, room: int) -> CannotRefund:
    captured = captured_of(order)
    return CannotRefund(
        f"order {order.number}: {amount} {order.currency} cannot be refunded: {captured} were captured, {room} of it "
        "are left to refund; nothing was done",
        slug="refund-above-captured",
        captured=captured,
        refundable=room,
    )


def _cut(order: Order, amount: int, room: int) -> Trouble:
    return order.trouble(
        kind="refund_capped",
        cause=f"{order.connection}: order {order.external_id}",
        next_step=f"{amount} {order.currency} were due and only {room} are left of what was captured. Compare with the "
        "channel's own refunds.",
    )


def nothing_left(order: Order, return_id: str) -> None:
    """A return is due money, and none of what was captured is left: told, and no unit counts as refunded."""
    order.troubles.append(
        order.trouble(
            kind="refund_capped",
            cause=f"{order.connection}: order {order.external_id}",
            next_step=f"Return {return_id} is due a refund, and nothing captured is left. Compare with the channel's "
            "own refunds and captures, then POST /api/v1/refunds if something is owed.",
        )
    )


def _by_hand(order: Order, refund: Refund) -> Trouble:
    return order.trouble(
        kind="refund_by_hand",
        cause=f"{order.connection}: order {order.external_id}, refund {refund.no}",
        next_step=f"Nobody can be asked to refund: pay {refund.amount} {refund.currency} (minor units) back where it "
        f"was taken, then POST /api/v1/refunds/{refund.id}/paid.",
    )


def _lines(order: Order, content: OrderContent, wanted: Mapping[str, int]) -> list[RefundLine]:
    """Lines with their share of the line's amounts: refunds of a whole line come to the line exactly."""
    before = refunded_units(order.refunds)
    known = {line.external_id: line for line in content.lines}
    lines = []
    for name, units in wanted.items():
        line = known.get(name)
        if line is None:
            raise CannotRefund(f"line {name} is not in order {order.number}", slug="no-such-line")
        start, of = before.get(name, 0), billed(line)
        if not 0 < units <= of - start:
            raise CannotRefund(
                f"line {name}: {units} units cannot be refunded: {of} were bought, {start} are refunded already",
                slug="refund-above-bought",
            )
        amount, tax = (share(whole, start, units, of) for whole in (line.subtotal - line.discount, line.tax))
        lines.append(RefundLine(line=name, quantity=units, amount=amount, tax=tax))
    return lines


def not_refunded(order: Order, wanted: Mapping[str, int]) -> dict[str, int]:
    """Of these sold units by line, those whose money neither went nor goes back."""
    before = refunded_units(order.refunds)
    bought = {line.external_id: billed(line) for line in order.content.lines} if order.content else {}
    left = {line: min(units, bought.get(line, 0) - before.get(line, 0)) for line, units in wanted.items()}
    return {line: units for line, units in left.items() if units > 0}


def value_of(order: Order, line: str, units: int) -> int:
    """What the next `units` of a line come to if they are refunded, tax included."""
    content = order.content
    found = next((one for one in content.lines if one.external_id == line), None) if content else None
    if content is None or found is None:
        return 0
    start, of = refunded_units(order.refunds).get(line, 0), billed(found)
    whole = found.subtotal - found.discount
    tax = 0 if content.amounts.shop.tax_included else share(found.tax, start, units, of)
    return share(whole, start, units, of) + tax


# --- what became of it -----------------------------------------------------------------------------------------------


def refund_done(order: Order, no: int, payments: Sequence[Payment], reference: str | None, batch: Batch) -> None:
    """The channel, or a person, gave the money back. Told again, it adds at most an id."""
    refund = numbered(order, no)
    ids = {payment.external_id for payment in payments} | ({reference} if reference and not payments else set())
    ids |= set(refund.external_ids)
    if not ids:
        ids = {f"{order.id}-refund-{no}"}
    order.payments.extend(payments or [_as_asked(order, refund, sorted(ids)[0], batch)])
    changes: dict[str, object] = {"external_ids": tuple(sorted(ids))}
    if refund.state is not RefundState.DONE:
        changes["state"] = move(REFUND_MOVES, refund.state, RefundState.DONE)
        order.note(batch.now, "refunded", f"refund {no}: {refund.amount} {refund.currency}")
        order.mend("refund_by_hand", _by_hand(order, refund).cause)
    order.refunds[refund.id] = msgspec.structs.replace(refund, **changes)
    credit(order, batch)


def _as_asked(order: Order, refund: Refund, id: str, batch: Batch) -> Payment:
    return Payment(
        external_id=id,
        kind=PaymentKind.REFUND,
        method="unknown",
        amount=refund.amount,
        currency=refund.currency,
        status="done",
        at=batch.now,
    )


def refund_refused(order: Order, no: int, reason: str, batch: Batch) -> None:
    """The channel will not: the money may be asked for anew."""
    refund = numbered(order, no)
    if refund.state is RefundState.ASKED:
        state = move(REFUND_MOVES, refund.state, RefundState.REFUSED)
        order.refunds[refund.id] = msgspec.structs.replace(refund, state=state)
        order.note(batch.now, "refund_refused", f"refund {no}: {reason}")


def told_refunds(order: Order) -> list[Payment]:
    """Refunds that somebody told of, each once."""
    rows = {p.external_id: p for p in payments_of(order) if p.kind is PaymentKind.REFUND and p.status == "done"}
    return list(rows.values())


def refund_request(
    order: Order, effect: RefundPayment, *, key: str, look_first: bool, references: Mapping[str, str]
) -> PaymentRefund:
    """What the channel is asked to give back."""
    refund = numbered(order, effect.refund)
    rows = payments_of(order)
    back: dict[str | None, int] = {}
    for row in told_refunds(order):
        back[row.parent] = back.get(row.parent, 0) + row.amount
    taken = {
        row.external_id: row
        for row in rows
        if row.kind in (PaymentKind.CAPTURE, PaymentKind.SALE) and row.status == "done" and not row.implied
    }
    return PaymentRefund(
        key=key,
        look_first=look_first,
        references=references,
        order_external_id=order.external_id,
        amount=refund.amount,
        currency=refund.currency,
        lines=()
        if refund.unsold
        else tuple(ConfirmedLine(line=line.line, quantity=line.quantity) for line in refund.lines),
        shipping=refund.shipping,
        payments=tuple(
            RefundFrom(payment=id, method=row.method, left=max(0, row.amount - back.get(id, 0)))
            for id, row in taken.items()
        ),
        reason=refund.reason,
    )
