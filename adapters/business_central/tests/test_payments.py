"""Payments in the simulator's general ledger: balanced, once, on the clearing account of their method."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from adapters.business_central.payments import post_payment
from adapters.business_central.simulator_books import Refused
from adapters.business_central.tests.conftest import Shop
from hub.domain.posting import EntryKind
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, RetryLater
from hub.sdk.posting import EntryLine, EntryRequest
from hub.sdk.testkit.bench import outcome_of
from hub.sdk.testkit.samples import PAYMENT_ENTRY

REFUND = msgspec.structs.replace(
    PAYMENT_ENTRY,
    key=f"{PAYMENT_ENTRY.order}-pay-2",
    kind=EntryKind.REFUND,
    lines=(EntryLine(account="clearing", credit=500), EntryLine(account="customer", debit=500)),
)


async def book(shop: Shop, request: EntryRequest) -> Outcome:
    async with shop.bench.context() as context:
        return await outcome_of(post_payment(msgspec.structs.replace(context, settings=shop.settings), request))


def sides(shop: Shop) -> list[tuple[str, Decimal, Decimal]]:
    return [(one["accountNumber"], one["debitAmount"], one["creditAmount"]) for one in shop.books.entries.values()]


async def test_a_payment_and_its_refund_meet_on_the_clearing_account(shop: Shop) -> None:
    for request in (PAYMENT_ENTRY, REFUND):
        assert isinstance(await book(shop, request), Done)
    assert sides(shop) == [
        ("2990", Decimal(55), 0),
        ("2310", 0, Decimal(55)),
        ("2990", 0, Decimal(5)),
        ("2310", Decimal(5), 0),
    ]
    assert not shop.books.journals, "each entry's journal is gone with it"
    assert not shop.books.journal_lines


@pytest.mark.parametrize("call", ["POST journals", "Microsoft.NAV.post"])
async def test_a_journal_that_somebody_holds_is_tried_again(shop: Shop, call: str) -> None:
    shop.simulator.refuse[call] = Refused(409, "Request_EntityChanged", "Another user has changed the record.")
    assert isinstance(await book(shop, PAYMENT_ENTRY), RetryLater)
    shop.simulator.refuse.clear()
    assert isinstance(await book(shop, PAYMENT_ENTRY), Done)
    assert len(sides(shop)) == 2


@pytest.mark.parametrize(("method", "cleared"), [("gift_card", "2991"), ("paypal", "2992"), ("card", "2990")])
async def test_each_method_has_its_clearing_account(shop: Shop, method: str, cleared: str) -> None:
    shop.set(gift_card_account="2991", method_accounts={"paypal": "2992"})
    await book(shop, msgspec.structs.replace(PAYMENT_ENTRY, method=method))
    assert sides(shop)[0][0] == cleared


async def test_a_method_without_an_account_is_one_cause_for_all_its_payments(shop: Shop) -> None:
    shop.set(payments_account=None)
    outcome = await book(shop, PAYMENT_ENTRY)
    assert isinstance(outcome, NeedsPerson)
    assert (outcome.kind, outcome.reason.endswith(": payments by card")) == ("clearing_account_missing", True)
    assert not shop.books.entries


async def test_a_locked_period_is_named_and_goes_through_once_it_is_open(shop: Shop) -> None:
    shop.books.allowed_from = date(2026, 2, 1)
    outcome = await book(shop, PAYMENT_ENTRY)
    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "period_locked"
    shop.books.allowed_from = None
    assert isinstance(await book(shop, PAYMENT_ENTRY), Done)
    assert len(shop.books.entries) == 2


async def test_another_currency_than_the_books_is_a_persons(shop: Shop) -> None:
    outcome = await book(shop, msgspec.structs.replace(PAYMENT_ENTRY, currency="EUR"))
    assert isinstance(outcome, NeedsPerson)
    assert "keeps its books in USD" in outcome.reason
