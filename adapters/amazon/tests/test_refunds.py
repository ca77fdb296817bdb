"""Refunds: laid on the lines exactly, given once, looked for before they are given again."""

from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.amazon import feeds
from adapters.amazon.client import get_order
from adapters.amazon.harness import two_lines
from adapters.amazon.refunds import PaidOrder, adjustment, allocate, refund_payment, shares
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.simulator_books import Order
from adapters.amazon.simulator_documents import order_document
from hub.domain.payment import PaymentKind
from hub.sdk.capabilities import ConfirmedLine, Context, PaymentRefund
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Uncertain


@pytest.fixture
def shipped(sim: AmazonSimulator) -> Order:
    order = two_lines(sim)
    order.status = "SHIPPED"
    return order


def asked(order: Order, amount: int = 1299, *, look_first: bool = False, **more: object) -> PaymentRefund:
    request = PaymentRefund(
        key="O-refund-1", order_external_id=order.id, amount=amount, currency=order.currency, look_first=look_first
    )
    return msgspec.structs.replace(request, **more)


async def test_money_goes_back_once(sim: AmazonSimulator, context: Context[Settings], shipped: Order) -> None:
    outcome = await refund_payment(context, asked(shipped))
    assert isinstance(outcome, Done)
    (payment,) = outcome.payments
    assert (payment.kind, payment.amount, payment.currency, payment.status) == (PaymentKind.REFUND, 1299, "USD", "done")
    assert [refund.amount for refund in sim.books.refunds[shipped.id]] == [Decimal("12.99")]


async def test_what_was_not_shipped_is_refused(sim: AmazonSimulator, context: Context[Settings]) -> None:
    assert isinstance(await refund_payment(context, asked(two_lines(sim))), NeedsPerson)
    assert sim.books.refunds == {}


async def test_a_line_that_the_order_does_not_have(
    sim: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    outcome = await refund_payment(context, asked(shipped, lines=(ConfirmedLine(line="nope", quantity=1),)))
    assert isinstance(outcome, NeedsPerson)
    assert "nope" in outcome.reason
    assert sim.books.feeds == {}


@pytest.mark.parametrize("place", range(7))
async def test_a_reply_lost_anywhere_never_pays_twice(
    sim: AmazonSimulator, context: Context[Settings], shipped: Order, place: int
) -> None:
    """Requests: the order, a place, the upload, the job, a look at it, its result's place, the result."""
    await get_order(context, shipped.id, PaidOrder)
    sim.script.extend([*[None] * place, "lost_reply"])
    with pytest.raises(Interrupted) as caught:
        await refund_payment(context, asked(shipped))
    last = await refund_payment(context, asked(shipped, look_first=isinstance(caught.value.outcome, Uncertain)))
    assert isinstance(last, Done)
    assert len(sim.books.refunds[shipped.id]) == 1


async def test_where_the_account_shows_another_amount_a_person_decides(
    sim: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    await refund_payment(context, asked(shipped, 500, key="O-refund-0"))
    assert isinstance(await refund_payment(context, asked(shipped, 700, look_first=True)), NeedsPerson)
    assert len(sim.books.refunds[shipped.id]) == 1


@pytest.fixture
def slow(sim: AmazonSimulator, monkeypatch: pytest.MonkeyPatch) -> AmazonSimulator:
    """Jobs take longer than a call lasts, as real ones do."""
    monkeypatch.setattr(feeds, "WAITS_SECONDS", (0.0,))
    sim.work.takes = timedelta(minutes=5)
    return sim


async def test_a_slow_job_is_found_again_by_its_own_number(
    slow: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    """The account lists a refund up to two days late: what the job itself reports is known in minutes."""
    assert isinstance(await refund_payment(context, asked(shipped)), Uncertain)
    assert isinstance(await refund_payment(context, asked(shipped, look_first=True)), Uncertain)
    slow.work.takes = timedelta(0)
    outcome = await refund_payment(context, asked(shipped, look_first=True))
    assert isinstance(outcome, Done)
    assert (outcome.found, outcome.reference) == (True, *slow.books.feeds)
    assert [payment.amount for payment in outcome.payments] == [1299]
    assert len(slow.books.refunds[shipped.id]) == 1
    assert slow.calls["/finances/2024-06-19/transactions"] == 0


async def test_what_a_slow_job_reports_is_told_once_and_then_tried_again(
    slow: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    shipped.status = "UNSHIPPED"
    assert isinstance(await refund_payment(context, asked(shipped)), Uncertain)
    slow.work.takes = timedelta(0)
    told = await refund_payment(context, asked(shipped, look_first=True))
    assert isinstance(told, NeedsPerson)
    assert "18037: Only shipped orders can be adjusted" in told.reason
    shipped.status = "SHIPPED"
    assert isinstance(await refund_payment(context, asked(shipped, look_first=True)), Done)
    assert (len(slow.books.feeds), len(slow.books.refunds[shipped.id])) == (2, 1)


async def test_a_job_that_died_may_have_paid_so_a_person_decides(
    slow: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    assert isinstance(await refund_payment(context, asked(shipped)), Uncertain)
    slow.work.takes, slow.work.fatal = timedelta(0), True
    with pytest.raises(Interrupted, match="ended FATAL"):
        await refund_payment(context, asked(shipped, look_first=True))
    assert isinstance(await refund_payment(context, asked(shipped, look_first=True)), NeedsPerson)
    assert len(slow.books.feeds) == 1


async def test_a_job_that_amazon_let_go_is_started_again(
    slow: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    assert isinstance(await refund_payment(context, asked(shipped)), Uncertain)
    (feed,) = slow.books.feeds.values()
    feed.status, slow.work.takes = "CANCELLED", timedelta(0)
    assert isinstance(await refund_payment(context, asked(shipped, look_first=True)), Done)
    assert len(slow.books.refunds[shipped.id]) == 1


async def test_nothing_was_started_so_it_is_given(
    sim: AmazonSimulator, context: Context[Settings], shipped: Order
) -> None:
    assert isinstance(await refund_payment(context, asked(shipped, look_first=True)), Done)
    assert len(sim.books.refunds[shipped.id]) == 1


def paid(order: Order) -> PaidOrder:
    return msgspec.json.decode(msgspec.json.encode(order_document(order)), type=PaidOrder)


async def test_lines_taxes_and_shipping_are_told_apart(sim: AmazonSimulator, shipped: Order) -> None:
    shipped.tax_rate = Decimal("0.10")
    mug, tee = (line.id for line in shipped.lines)
    lines = (ConfirmedLine(line=mug, quantity=1),)
    (one,) = allocate(paid(shipped), asked(shipped, 1929, shipping=500, lines=lines))
    assert (one.line, one.principal, one.tax, one.shipping) == (mug, 1299, 130, 500)
    both = allocate(paid(shipped), asked(shipped, 100))
    assert [part.line for part in both] == [mug, tee]
    assert sum(part.principal + part.tax + part.shipping for part in both) == 100


async def test_amounts_are_written_with_the_places_of_their_currency(sim: AmazonSimulator) -> None:
    order = sim.place([("MUG-RED", 1, Decimal("1300"))], currency="JPY")
    request = asked(order, 900, reason="return of goods")
    document = ElementTree.fromstring(adjustment("S", request, allocate(paid(order), request)))
    assert [(node.text, node.attrib["currency"]) for node in document.iter("Amount")] == [("900", "JPY")]
    assert [node.text for node in document.iter("AdjustmentReason")] == ["CustomerReturn"]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**7), min_size=1, max_size=8).filter(any))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    parts = shares(total, weights)
    assert sum(parts) == total
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    assert all(part >= 0 for part in parts)


def test_nothing_cannot_be_split_by_nothing() -> None:
    assert shares(0, [0, 0]) == (0, 0)
    with pytest.raises(ValueError, match="nothing was paid"):
        shares(5, [0, 0])
