"""Goods and money are conserved, whatever comes back, is graded, refunded or exchanged, in whatever order."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.demand import Demand, Slice
from hub.domain.money import Amounts, AmountSet
from hub.domain.network import Account, Node, NodeKind
from hub.domain.order import OrderContent, OrderLine
from hub.domain.payment import Payment, PaymentKind
from hub.domain.returns import LIVING, Disposition, RefundWhen, refunded_units
from hub.domain.states import IllegalMove, RefundState, ReturnState, SliceState
from hub.domain.stock import Condition
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.directory import Directory
from hub.flow.exchange import Good, exchange
from hub.flow.grade import CannotGrade, grade
from hub.flow.ports import Unit
from hub.flow.refund import CannotRefund, Wish, ask_refund, captured_of, refund_done, refundable
from hub.flow.refund_echo import adopt
from hub.flow.return_rules import load_return_policy
from hub.flow.returns import Asked, CannotReturn, Wanted, cancel_return, close, on_its_way, open_return, receive
from hub.flow.settle import settle
from hub.flow.stock_ports import ItemFacts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = load_return_policy(
    'version = "p"\nfee_percent = 7\nfee = 13\nkeep_below = 90\n'
    '[reasons.damaged]\nfee_percent = 0\nfee = 0\nrefund_shipping = "all"\n[dispositions]\nrefurbish = 60\nscrap = 90'
)
REFUSED = (CannotReturn, CannotGrade, CannotRefund, IllegalMove)
LEAVES = (Disposition.SCRAP, Disposition.TO_VENDOR, Disposition.SENT_BACK)


class Shelves:
    """What the flow asks of the store here: items, and nothing on any shelf."""

    async def items_by_id(self, ids: Iterable[int]) -> Mapping[int, ItemFacts]:
        return {id: ItemFacts(id, f"SKU-{id}", "tracked", True, 500, (), ()) for id in ids}

    async def free(self, items: Iterable[int], *, lock: bool) -> dict[int, dict[int, int]]:
        return {}


def batch() -> Batch:
    numbers = count(1)
    directory = Directory(
        epoch=1,
        accounts={1: Account(id=1, merchant="default", adapter="shop", name="shop")},
        nodes={7: Node(id=7, code="BER", name="Berlin", kind=NodeKind.DC)},
        return_policies={"": POLICY},
    )
    return Batch(directory, NOW, lambda: f"ID{next(numbers):018d}")


def sale(lines: list[tuple[int, int, int, int]], included: bool, shipping: int, extra: int) -> Order:
    """A paid order that has left: (units, per unit, subtotal, tax) of each line."""
    content = OrderContent(
        external_id="1001",
        version=1,
        number="#1001",
        placed_at=NOW - timedelta(days=3),
        currency="EUR",
        amounts=AmountSet(
            shop=Amounts(
                currency="EUR",
                subtotal=sum(line[2] for line in lines),
                tax=sum(line[3] for line in lines),
                shipping=shipping,
                rounding=extra,
                tax_included=included,
            )
        ),
        lines=tuple(
            OrderLine(external_id=str(no), quantity=units, sku=f"SKU-{no}", subtotal=subtotal, tax=tax)
            for no, (units, _, subtotal, tax) in enumerate(lines, 1)
        ),
    )
    order = Order(
        id="01KF0X5B3GCDEFGHJKMN",
        merchant="default",
        account=1,
        connection="shop",
        external_id="1001",
        number="#1001",
        currency="EUR",
        placed_at=content.placed_at,
        version=1,
        revision=1,
        acting=True,
    )
    order.content = content
    for no, (units, per_unit, _, _) in enumerate(lines, 1):
        order.demands[no] = Demand(
            no=no, line=str(no), group="main", sku=f"SKU-{no}", item=no, quantity=units * per_unit, per_unit=per_unit
        )
        order.slices[no] = Slice(no=no, demand=no, quantity=units * per_unit, state=SliceState.SHIPPED, node=7)
    order.paid = [payment("sale-1", PaymentKind.SALE, content.amounts.shop.total)]
    order.remember()
    order.remember_peers()
    return order


def payment(id: str, kind: PaymentKind, amount: int) -> Payment:
    return Payment(external_id=id, kind=kind, method="card", amount=amount, currency="EUR", status="done")


async def step(order: Order, work: Batch, data: st.DataObject) -> None:
    """One thing that somebody does, as far as it is allowed."""
    ids = sorted(order.returns)
    lines = sorted({demand.line for demand in order.demands.values()})
    line, units = data.draw(st.sampled_from(lines)), data.draw(st.integers(1, 4))
    what = data.draw(st.sampled_from(STEPS))
    unit = cast(Unit, Shelves())
    if what == "open":
        reason = data.draw(st.sampled_from(["other", "damaged"]))
        when = data.draw(st.sampled_from(list(RefundWhen)))
        blind = data.draw(st.booleans())
        await open_return(unit, order, Asked([Wanted(line, units, reason)], "x", blind=blind, refund=when), work)
    elif what == "refund":
        amount = data.draw(st.none() | st.integers(1, 3000))
        wish = Wish(lines=data.draw(st.sampled_from([{}, {line: units}])), amount=amount)
        ask_refund(order, wish, work)
    elif what == "channel":
        told = sum(p.amount for p in order.payments if p.kind is PaymentKind.REFUND)
        room = captured_of(order) - sum(r.amount for r in order.refunds.values() if r.state in LIVING)
        amount = data.draw(st.integers(0, max(0, room)))
        if amount:
            order.payments.append(payment(f"chan-{told}-{len(order.payments)}", PaymentKind.REFUND, amount))
            adopt(order, work)
    elif what == "paid":
        for refund in list(order.refunds.values()):
            if refund.state is RefundState.BY_HAND:
                refund_done(order, refund.no, (), None, work)
    elif ids:
        await on_return(order, data.draw(st.sampled_from(ids)), what, line, units, work, data)


async def on_return(order: Order, id: str, what: str, line: str, units: int, work: Batch, data: st.DataObject) -> None:
    if what == "scan":
        on_its_way(order, id, work)
    elif what == "receive":
        receive(order, id, data.draw(st.sampled_from([None, {line: units}])), 7, work)
    elif what == "grade":
        grade(order, id, {line: ((data.draw(st.sampled_from(list(Disposition))), units),)}, work)
    elif what == "exchange":
        exchange(order, id, [Good("SKU-9", units, data.draw(st.none() | st.integers(0, 2000)))], {}, "x", work)
    elif what == "close":
        close(order, id, "x", work)
    else:
        cancel_return(order, id, "x", work)


STEPS = ["open", "open", "receive", "receive", "grade", "grade", "refund", "paid", "channel"]
STEPS += ["scan", "exchange", "close", "cancel"]


def check(order: Order) -> None:
    """What must hold after every step."""
    settle([order], NOW)
    goods(order)
    money(order)


def goods(order: Order) -> None:
    for no, demand in order.demands.items():
        back = sum(p.quantity for p in order.slices.values() if p.demand == no and p.state is SliceState.RETURNED)
        where: dict[str, int] = {}
        for moved in order.came_back:
            if moved.item == demand.item:
                where[moved.condition] = where.get(moved.condition, 0) + moved.units
        assert all(units >= 0 for units in where.values()), "nothing leaves a shelf that was not on it"
        gone = sum(
            part.quantity * demand.per_unit
            for one in order.returns.values()
            for line in one.lines
            if line.line == demand.line
            for part in line.graded
            if part.disposition in LEAVES
        )
        assert sum(where.values()) + gone == back, "every unit that came back is somewhere"
        ungraded = sum(
            line.ungraded * demand.per_unit
            for one in order.returns.values()
            for line in one.lines
            if line.line == demand.line
        )
        assert where.get(Condition.QUARANTINE.value, 0) == ungraded
        assert back <= demand.quantity
    for one in order.returns.values():
        for line in one.lines:
            assert line.received <= line.quantity
            assert one.state is not ReturnState.CLOSED or line.ungraded == 0


def money(order: Order) -> None:
    assert order.content is not None
    living = [refund for refund in order.refunds.values() if refund.state in LIVING]
    assert sum(refund.amount for refund in living) <= captured_of(order), "never more than was taken"
    assert refundable(order) >= 0
    included = order.content.amounts.shop.tax_included
    for refund in living:
        explained = sum(line.amount + (0 if included else line.tax) for line in refund.lines)
        assert explained + refund.shipping + refund.adjustment == refund.amount >= 0
    units = refunded_units(order.refunds)
    for line in order.content.lines:
        parts = [part for refund in living for part in refund.lines if part.line == line.external_id]
        assert units.get(line.external_id, 0) <= line.quantity, "no unit is refunded twice"
        assert sum(part.amount for part in parts) <= line.subtotal
        if units.get(line.external_id, 0) == line.quantity:
            assert sum(part.amount for part in parts) == line.subtotal, "the parts of a line come to the line"
            assert sum(part.tax for part in parts) == line.tax


LINES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 5000), st.integers(0, 900)), min_size=1, max_size=3
)


@settings(max_examples=150, deadline=None)
@given(LINES, st.booleans(), st.integers(0, 700), st.integers(-3, 3), st.data())
def test_goods_and_money_are_conserved(
    lines: list[tuple[int, int, int, int]], included: bool, shipping: int, extra: int, data: Any
) -> None:
    order, work = sale(lines, included, max(shipping, 3), extra), batch()

    async def life() -> None:
        for _ in range(data.draw(st.integers(1, 25))):
            before = vars_of(order)
            try:
                await step(order, work, data)
            except REFUSED:
                assert vars_of(order) == before, "what is refused changes nothing"
            check(order)

    asyncio.run(life())


def vars_of(order: Order) -> dict[str, Any]:
    names = ("slices", "returns", "refunds", "came_back", "payments", "effects")
    return {name: getattr(order, name).copy() for name in names}
