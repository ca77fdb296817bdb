"""Refunds that the seller makes in Seller Central."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.amazon.account import given_back, is_refund, newest, refund_rows
from adapters.amazon.harness import give_back, two_lines
from adapters.amazon.settings import Settings
from adapters.amazon.simulator import TRANSACTIONS, AmazonSimulator
from adapters.amazon.simulator_documents import order_document
from adapters.amazon.statements import NOT_YET, OVERLAP_SECONDS, beside, pull_refunds
from hub.domain.network import Mode
from hub.domain.order import OrderSnapshot
from hub.domain.payment import PaymentKind
from hub.sdk.capabilities import Context, Page
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Malformed

Read = Callable[[bytes], OrderSnapshot]


def part(word: str, amount: str, *within: dict[str, Any]) -> dict[str, Any]:
    money = {"currencyAmount": Decimal(amount), "currencyCode": "USD"}
    return {"breakdownType": word, "breakdownAmount": money, "breakdowns": list(within) or None}


SALES = part("Sales", "-25.00", part("ProductCharges", "-20.00"), part("Tax", "-2.00"), part("Shipping", "-3.00"))
EXPENSES = part("Expenses", "2.40", part("AmazonFees", "2.40"))


def refund(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    stated = {"transactionType": "Refund", "transactionId": "T1", "postedDate": "2026-01-18T10:00:00Z"}
    return {**stated, "totalAmount": {"currencyCode": "USD"}, "breakdowns": list(parts) or [SALES, EXPENSES], **more}


def test_the_buyer_got_more_than_the_account_lost() -> None:
    assert given_back(refund()) == Decimal("25.00")


def test_a_group_of_another_name_is_read_by_what_is_in_it() -> None:
    assert given_back(refund(part("Refunds", "-17.60", *SALES["breakdowns"], *EXPENSES["breakdowns"]))) == 25


@pytest.mark.parametrize("parts", [[part("GoodwillCredit", "-5.00")], []])
def test_parts_that_nobody_knows_are_named(parts: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="GoodwillCredit" if parts else "no breakdowns"):
        given_back(refund(breakdowns=parts))


def test_the_release_of_a_refund_that_was_deferred_is_no_second_one() -> None:
    released = [{"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": "T0"}]
    assert is_refund(refund())
    assert not is_refund(refund(relatedIdentifiers=released))
    assert not is_refund(refund(transactionType="Shipment"))


def test_fees_alone_are_nothing_of_the_buyers() -> None:
    assert refund_rows("O-1", [refund(EXPENSES)]) == []


def test_an_order_is_as_new_as_its_last_refund() -> None:
    assert newest("2026-01-17T10:00:00Z", None, [refund()]) == "2026-01-18T10:00:00Z"
    assert newest("2026-01-19T10:00:00Z", None, [refund()]) == "2026-01-19T10:00:00Z"
    assert newest(None, "2026-01-16T10:00:00Z", None) == "2026-01-16T10:00:00Z"


async def pull(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_refunds(context, cursor)]


async def test_what_went_back_stands_among_the_payments(
    sim: AmazonSimulator, context: Context[Settings], read: Read
) -> None:
    order, other = two_lines(sim), two_lines(sim)
    order.status = other.status = "SHIPPED"
    made = give_back(sim, order, "12.99")
    (item,) = [item for page in await pull(context) for item in page.items]
    content = read(item.body).content
    (back,) = [payment for payment in content.payments if payment.kind is PaymentKind.REFUND]
    assert (back.external_id, back.amount, back.currency, back.status) == (made.id, 1299, "USD", "done")
    assert item.object == f"order:{order.id}"
    assert read(item.body).problems == ()


async def test_a_second_refund_brings_both(sim: AmazonSimulator, context: Context[Settings], read: Read) -> None:
    order = two_lines(sim)
    order.status = "SHIPPED"
    give_back(sim, order, "5.00", sim.now() - timedelta(days=20))
    pages = await pull(context)
    give_back(sim, order, "7.00", sim.now())
    (item,) = [item for page in await pull(context, pages[-1].cursor) for item in page.items]
    rows = [payment.amount for payment in read(item.body).content.payments if payment.kind is PaymentKind.REFUND]
    assert rows == [500, 700]


async def test_all_pages_of_the_account_are_read(sim: AmazonSimulator, context: Context[Settings]) -> None:
    orders = [two_lines(sim) for _ in range(2)]
    for order in orders:
        for _ in range(TRANSACTIONS // 2 + 1):
            give_back(sim, order, "0.01")
    items = [item for page in await pull(context) for item in page.items]
    assert sorted(item.object or "" for item in items) == sorted(f"order:{order.id}" for order in orders)


async def test_what_amazon_lists_late_is_looked_back_for(sim: AmazonSimulator, context: Context[Settings]) -> None:
    pages = await pull(context)
    order = two_lines(sim)
    give_back(sim, order, "5.00", sim.now() - NOT_YET - timedelta(seconds=OVERLAP_SECONDS - 60))
    assert [item.object for page in await pull(context, pages[-1].cursor) for item in page.items] == [
        f"order:{order.id}"
    ]


async def test_an_order_that_is_not_there_any_more_is_asked_about(
    sim: AmazonSimulator, context: Context[Settings], read: Read
) -> None:
    order = two_lines(sim)
    give_back(sim, order, "5.00")
    del sim.books.orders[order.id]
    (item,) = [item for page in await pull(context) for item in page.items]
    with pytest.raises(Malformed):
        read(item.body)


async def test_refunds_are_made_or_read_never_both(context: Context[Settings]) -> None:
    both = msgspec.structs.replace(context.connection, modes={"pull_refunds": Mode.LIVE})
    with pytest.raises(Interrupted) as told:
        await pull(msgspec.structs.replace(context, connection=both))
    assert isinstance(told.value.outcome, NeedsPerson)
    modes = {"pull_refunds": Mode.LIVE, "refund_payment": Mode.OFF}
    one = msgspec.structs.replace(context.connection, modes=modes)
    assert len(await pull(msgspec.structs.replace(context, connection=one))) > 0


def test_amounts_stay_as_they_were_written() -> None:
    raw = msgspec.Raw(b'{"transactionType":"Refund","totalAmount":{"currencyAmount":-0.10}}')
    body = beside(b'{"order":{"orderId":"O-1","total":1.10}}', [raw])
    assert b'"total":1.10' in body
    assert b'"currencyAmount":-0.10' in body


def test_a_part_that_nobody_knows_is_a_problem_of_the_order(sim: AmazonSimulator, read: Read) -> None:
    order = two_lines(sim)
    strange = msgspec.Raw(msgspec.json.Encoder(decimal_format="number").encode(refund(part("GoodwillCredit", "-5.00"))))
    snapshot = read(beside(msgspec.json.encode({"order": order_document(order)}), [strange]))
    assert snapshot.content.external_id == order.id
    (problem,) = snapshot.problems
    assert (problem.kind, problem.field) == ("bad_money", "payments.amount")
    assert "'GoodwillCredit' is no part of a refund that we know" in problem.value
