"""Something else instead: goods that come back pay for a new order, which is captured like any other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from hub.domain.contact import Contact
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, Method, OrderContent, OrderLine, OrderSnapshot
from hub.domain.payment import Payment, PaymentKind, position
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.refund import Wish, ask_refund, refundable, value_of
from hub.flow.returns import CannotReturn

RELATION = "exchange"
DUE = "payment_due"
"""Hold of an exchange that costs more than what came back, until the difference is paid."""


class Good(NamedTuple):
    """What the customer gets. `amount` is for the whole quantity, tax included; None is an even exchange."""

    sku: str
    quantity: int
    amount: int | None = None


def exchange(
    order: Order, id: str, goods: Sequence[Good], contacts: Mapping[str, Contact], who: str, batch: Batch
) -> OrderSnapshot:
    """The order that replaces the goods of a return. Its price is paid by their value; the rest is owed either way.

    Raises `CannotReturn` when the rules, or an exchange made before, forbid it.
    """
    one, content = order.returns[id], order.content
    rule = batch.directory.return_policy(order.merchant).under(one.lines[0].reason)
    if one.exchange is not None or not one.open or content is None:
        raise CannotReturn(f"return {id} is {one.state.value}, exchange {one.exchange or 'none'}: too late for one")
    if not rule.exchange:
        raise CannotReturn(f"the rules allow no exchange for the reason {one.lines[0].reason}", by_rule=True)
    value = min(sum(value_of(order, line.line, line.quantity) for line in one.lines), refundable(order))
    lines = _lines(goods, value)
    total = sum(line.subtotal for line in lines)
    credit = min(total, value)
    external = f"{order.external_id}-X{id[-6:]}"
    wanted = {line.line: line.quantity for line in one.lines}
    wish = Wish(lines=wanted, amount=credit, reason=RELATION, who=who, return_id=id, paid_by=f"exchange:{id}")
    if credit:
        ask_refund(order, wish, batch)
    order.returns[id] = msgspec.structs.replace(one, exchange=external, credit=credit, owed=value - credit)
    order.note(batch.now, "exchange_asked", f"{id}: order {external} by {who}")
    return OrderSnapshot(
        content=_content(order, content, external, lines, total, credit, id, batch),
        contacts={key: contact for key, contact in contacts.items() if key in ("ship", "bill", "customer")},
    )


def _lines(goods: Sequence[Good], value: int) -> list[OrderLine]:
    """Lines with their price; those that state none share what the stated ones leave of the value."""
    open_units = sum(good.quantity for good in goods if good.amount is None)
    left = max(0, value - sum(good.amount or 0 for good in goods))
    lines, start = [], 0
    for no, good in enumerate(goods, 1):
        amount = good.amount
        if amount is None:
            amount = left * (start + good.quantity) // open_units - left * start // open_units
            start += good.quantity
        lines.append(OrderLine(external_id=str(no), quantity=good.quantity, sku=good.sku, subtotal=amount))
    return lines


def _content(
    order: Order,
    content: OrderContent,
    external: str,
    lines: Sequence[OrderLine],
    total: int,
    credit: int,
    id: str,
    batch: Batch,
) -> OrderContent:
    ship = next((group for group in content.groups if group.method is Method.SHIP), DeliveryGroup(contact="ship"))
    paid = Payment(
        external_id=f"exchange:{id}",
        kind=PaymentKind.SALE,
        method=RELATION,
        amount=credit,
        currency=order.currency,
        status="done",
        at=batch.now,
    )
    return OrderContent(
        external_id=external,
        version=int(batch.now.timestamp() * 1_000_000),
        number=external,
        placed_at=batch.now,
        currency=order.currency,
        amounts=AmountSet(shop=Amounts(currency=order.currency, subtotal=total, tax_included=True)),
        lines=tuple(lines),
        groups=(DeliveryGroup(contact=ship.contact or "ship", place=ship.place, service=ship.service),),
        payments=(paid,) if credit else (),
        source=RELATION,
        financial_status="paid" if credit == total else "part_paid",
        related_to=order.id,
        relation=RELATION,
    )


def relate(order: Order, batch: Batch) -> None:
    """Tie a captured order to the one it came from, and hold what is not paid for yet."""
    content = order.content
    if content is None or content.related_to is None or content.relation is None:
        return
    if order.fresh:
        order.related.append((content.related_to, content.relation))
    paid = position([*order.paid, *order.payments], order.currency).captured
    missing = content.amounts.shop.total - paid
    if content.relation == RELATION and missing > 0:
        reason = f"{missing} {order.currency} (minor units) of the exchange are not paid"
        order.hold(DUE, reason, owner="hub", at=batch.now, rule="payment")
    elif any(hold.active and hold.kind == DUE for hold in order.holds.values()):
        order.lift(DUE, batch.now)
