"""Step 11, the money: the books are told of every payment and refund once, on the clearing account of its method.

Of an order whose channel implied what was paid, without naming a transaction, that is told, and the transactions that
come later are not: they are the same money. Of an order whose money this hub takes it is the other way round.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from hub.domain.contact import Contact
from hub.domain.effects import PostPayment
from hub.domain.order import ON_ACCOUNT
from hub.domain.payment import Payment, PaymentKind
from hub.domain.posting import EntryKind
from hub.domain.states import RequestState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.hold import posting_held
from hub.flow.ports import Unit
from hub.flow.refund import payments_of
from hub.flow.transfer import only_moves
from hub.sdk.posting import EntryLine, EntryRequest

GIFT_CARD: Final = "gift_card"
TAKEN: Final = (PaymentKind.CAPTURE, PaymentKind.SALE)
GIVEN: Final = (PaymentKind.REFUND, PaymentKind.CHANGE)
KEY_BYTES: Final = 5
"""Of a payment's name that go into the effect's key: 13 digits at most."""


async def know_paid(unit: Unit, orders: Iterable[Order], batch: Batch) -> None:
    """Read what was paid before, of orders whose payments are booked somewhere."""
    booked = [one for one in orders if one.acting and batch.directory.with_capability(one.merchant, "post_payment")]
    await unit.peers([order for order in booked if not order.peers_known])


def post_payments(order: Order, batch: Batch) -> None:
    """Plan the entry of every payment that is done. Keys are fixed by the payment: what is planned stays one."""
    links = batch.directory.with_capability(order.merchant, "post_payment")
    if not links or not order.acting or only_moves(order) or posting_held(order):
        return
    for payment in booked_payments(order).values():
        effect = PostPayment(order=order.id, payment=payment.external_id, kind=payment.kind)
        for link in links:
            order.plan(link.connection.id, order.id, effect, ordinal(payment))


def booked_payments(order: Order) -> dict[tuple[str, PaymentKind], Payment]:
    """Payments that are news to the books, each once."""
    told = order.content.payments if order.content is not None else ()
    # What was stored first comes first: an implied sum may be told anew when the order changes.
    rows: dict[tuple[str, PaymentKind], Payment] = {}
    for row in (*payments_of(order), *told):
        if row.kind in (*TAKEN, *GIVEN) and row.status == "done" and row.amount and row.method != ON_ACCOUNT:
            rows.setdefault((row.external_id, row.kind), row)
    # What this hub captures is told as it is taken; what the channel implies when all is paid is the same money.
    implied = any(row.implied for row in rows.values() if row.kind in TAKEN) and not _taken_here(order)
    return {key: row for key, row in rows.items() if row.kind in GIVEN or row.implied == implied}


def _taken_here(order: Order) -> bool:
    """Whether this hub captures, or captured, money of the order."""
    captures = (one for one in order.requests.values() if one.kind is PaymentKind.CAPTURE)
    return any(one.state is not RequestState.REFUSED for one in captures)


def ordinal(payment: Payment) -> int:
    """Number of a payment within its order, made of its name: payments are told in any order."""
    named = f"{payment.kind}:{payment.external_id}".encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=KEY_BYTES).digest(), "big")


def payment_entry(
    order: Order,
    effect: PostPayment,
    *,
    customer: Contact,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
) -> EntryRequest:
    """The entry of a payment: what the clearing account owes, the customer owes less. Raises KeyError for none."""
    payment = booked_payments(order)[effect.payment, effect.kind]
    taken = payment.kind in TAKEN
    amount = payment.amount
    return EntryRequest(
        key=key,
        look_first=look_first,
        references=references,
        kind=EntryKind.REFUND
        if not taken
        else EntryKind.GIFT_CARD
        if payment.method == GIFT_CARD
        else EntryKind.PAYMENT,
        order=order.id,
        order_number=order.number,
        payment=payment.external_id,
        method=payment.method,
        currency=payment.currency,
        lines=(
            EntryLine(account="clearing", debit=amount if taken else 0, credit=0 if taken else amount),
            EntryLine(account="customer", debit=0 if taken else amount, credit=amount if taken else 0),
        ),
        customer=customer,
        dated=payment.at or order.placed_at,
    )
