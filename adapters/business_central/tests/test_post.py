"""Documents in the simulator's books: exactly what was asked for, once, whatever the weather."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from adapters.business_central.simulator_books import Refused
from adapters.business_central.tests.conftest import Shop
from adapters.business_central.translate import reference
from hub.domain.contact import Contact
from hub.domain.posting import DocumentKind
from hub.sdk.outcomes import Done, RetryLater, Uncertain
from hub.sdk.posting import PostingLine, PostingRequest
from hub.sdk.testkit.samples import POSTING

ORDER = POSTING.order
MUG, TEE = POSTING.lines


def part(kind: DocumentKind, shipment: int, *lines: PostingLine, shipping: int = 0) -> PostingRequest:
    total = sum(line.amount + line.tax for line in lines) + shipping
    return msgspec.structs.replace(
        POSTING,
        kind=kind,
        key=f"{ORDER}-{kind}-{shipment}",
        shipment=f"{ORDER}-S{shipment}",
        lines=lines,
        shipping=shipping,
        total=total,
    )


SALE = msgspec.structs.replace(POSTING, kind=DocumentKind.ORDER, shipment=None)
# 25.99 for two mugs, shipped one by one: 12.99 and 13.00, and the tax in two unequal parts.
ONE = msgspec.structs.replace(MUG, quantity=1, amount=1299, tax=113)
OTHER = msgspec.structs.replace(MUG, quantity=1, amount=1300, tax=114)
FIRST = part(DocumentKind.DELIVERY, 1, ONE, shipping=500)
SECOND = part(DocumentKind.DELIVERY, 2, OTHER, TEE)
CREDIT = msgspec.structs.replace(part(DocumentKind.CREDIT_NOTE, 2, TEE), key=f"{ORDER}-post-9")
LIFE = (
    SALE,
    FIRST,
    msgspec.structs.replace(FIRST, kind=DocumentKind.INVOICE),
    SECOND,
    msgspec.structs.replace(SECOND, kind=DocumentKind.INVOICE),
    CREDIT,
)


def check_books(shop: Shop) -> None:
    books = shop.books
    assert not books.orders, "shipped and invoiced to the end, the order is gone"
    assert [one["externalDocumentNumber"] for one in books.shipments.values()] == [f"{ORDER}-S1", f"{ORDER}-S2"]
    assert [one["totalAmountIncludingTax"] for one in books.invoices.values()] == [
        Decimal("19.12"),
        Decimal("35.88"),
    ]
    assert [(one["status"], one["totalAmountIncludingTax"]) for one in books.memos.values()] == [
        ("Open", Decimal("21.74"))
    ]
    inventory = {one["number"]: one["inventory"] for one in books.items.values()}
    assert inventory == {"MUG-RED": 98, "TEE-M": 99}, "a credit note puts nothing back on the shelf"


async def test_an_order_that_ships_in_two_parts_and_is_partly_refunded(shop: Shop) -> None:
    outcomes = await shop.done(*LIFE)
    check_books(shop)
    shipments = [one["number"] for one in shop.books.shipments.values()]
    invoices = [one["number"] for one in shop.books.invoices.values()]
    assert [one.reference for one in outcomes[1:5]] == [shipments[0], invoices[0], shipments[1], invoices[1]]
    assert [one.found for one in outcomes] == [False, False, True, False, True, False]


@pytest.mark.parametrize("fault", ["lost_reply", "server_error", "throttle"])
async def test_whichever_call_fails_each_document_is_there_once(shop: Shop, fault: str) -> None:
    for request in LIFE:
        for place in range(40):
            shop.simulator.script.extend([None] * place)
            shop.simulator.script.append(fault)  # type: ignore[arg-type]
            outcome = await shop.post(msgspec.structs.replace(request, look_first=bool(place)))
            if shop.simulator.script:
                break
        shop.simulator.script.clear()
        assert isinstance(outcome, Done), (request.kind, outcome)
    check_books(shop)
    assert len(shop.books.customers) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_in_bad_weather_everything_is_posted_once(shop: Shop, seed: int) -> None:
    shop.simulator.random.seed(seed)
    shop.simulator.faults.lost_reply = shop.simulator.faults.server_error = 0.15
    for request in LIFE:
        outcome = await shop.post(request)
        while not isinstance(outcome, Done):
            outcome = await shop.post(msgspec.structs.replace(request, look_first=isinstance(outcome, Uncertain)))
    check_books(shop)


async def test_an_order_told_again_after_it_is_gone_is_found(shop: Shop) -> None:
    first = (await shop.done(*LIFE))[0]
    (again,) = await shop.done(SALE)
    assert (again.found, again.reference) == (True, first.reference)
    assert not shop.books.orders


async def test_a_locked_period_needs_a_person_and_goes_through_once_it_is_open(shop: Shop) -> None:
    await shop.done(SALE)
    shop.books.allowed_from = date(2026, 2, 1)
    outcome = await shop.blocked(FIRST)
    assert outcome.kind == "period_locked"
    assert outcome.reason.endswith("the period of 2026-01 is locked"), "one cause for all documents of the month"
    assert "allowed posting dates" in outcome.next_step
    assert "CorrelationId" not in outcome.reason
    assert "Allow Posting From" in outcome.next_step
    assert not shop.books.invoices
    shop.books.allowed_from = None
    await shop.done(FIRST)
    assert len(shop.books.invoices) == 1


async def test_a_locked_period_stops_a_credit_note_as_a_draft_that_is_posted_later(shop: Shop) -> None:
    await shop.done(*LIFE[:5])
    shop.books.allowed_from = date(2026, 2, 1)
    assert "Allow Posting From" in (await shop.blocked(CREDIT)).next_step
    shop.books.allowed_from = None
    await shop.done(CREDIT)
    check_books(shop)


async def test_tax_that_business_central_computes_must_agree(shop: Shop) -> None:
    shop.set(tax_account=None)
    outcome = await shop.blocked(SALE)
    assert "55.00 USD" in outcome.reason
    assert "55.06" in outcome.reason  # 8 % of everything, shipping too
    shop.books.tax_percent = Decimal(0)


async def test_somebody_who_changes_the_order_meanwhile_is_waited_for(shop: Shop) -> None:
    await shop.done(SALE)
    shop.simulator.refuse["PATCH salesOrderLines"] = Refused(409, "Request_EntityChanged", "Another user has changed.")
    outcome = await shop.post(FIRST)
    assert isinstance(outcome, RetryLater)
    assert "keeps changing" in outcome.reason
    shop.simulator.refuse.clear()
    await shop.done(FIRST)


_NAV = "Microsoft.NAV."
_HELD = ("POST salesOrders", f"{_NAV}shipAndInvoice", "POST salesCreditMemos", f"{_NAV}post")


@pytest.mark.parametrize("call", _HELD)
async def test_a_record_that_somebody_holds_is_tried_again_whichever_call_meets_it(shop: Shop, call: str) -> None:
    outcomes = []
    for step in LIFE:
        shop.simulator.refuse[call] = Refused(409, "Request_EntityChanged", "Another user has changed the record.")
        outcomes.append(await shop.post(step))
        shop.simulator.refuse.clear()
        await shop.done(step)
    assert {type(outcome) for outcome in outcomes} == {RetryLater, Done}
    check_books(shop)


async def test_two_orders_under_one_number_are_named(shop: Shop) -> None:
    await shop.done(SALE)
    (order,) = shop.books.orders.values()
    names = ("externalDocumentNumber", "orderDate", "customerNumber", "currencyCode")
    twin = shop.books.add_order({name: order[name] for name in names})
    outcome = await shop.blocked(FIRST)
    assert f"{order['number']}, {twin['number']}" in outcome.reason
    assert not shop.books.invoices


async def test_items_accounts_and_orders_that_are_missing_are_named(shop: Shop) -> None:
    hat = PostingLine(line="9", sku="HAT", title="Hat", quantity=1, amount=100)
    assert "no item HAT" in (await shop.blocked(part(DocumentKind.ORDER, 1, hat))).reason
    assert "no open sales order" in (await shop.blocked(FIRST)).reason
    assert "no posted invoice" in (await shop.blocked(CREDIT)).reason
    shop.set(shipping_account=None)
    assert "shipping_account" in (await shop.blocked(SALE)).next_step
    assert not shop.books.orders


async def test_more_than_was_ordered_is_named(shop: Shop) -> None:
    await shop.done(SALE)
    many = msgspec.structs.replace(TEE, quantity=5)
    assert "TEE-M" in (await shop.blocked(part(DocumentKind.DELIVERY, 1, many))).reason


async def test_customers_are_found_by_address_or_shared(shop: Shop) -> None:
    other = msgspec.structs.replace(SALE, order="01KF0X5B3GCDEFGHJKMQ")
    await shop.done(SALE, other)
    nobody = msgspec.structs.replace(SALE, order="01KF0X5B3GCDEFGHJKMR", customer=Contact(name="Ann", country="US"))
    await shop.done(nobody, msgspec.structs.replace(nobody, order="01KF0X5B3GCDEFGHJKMS"))
    known, web = shop.books.customers.values()
    assert (known["email"], known["displayName"], known["addressLine2"]) == (
        "zoe.quimby@example.com",
        "Fjord & Sons",
        "Floor 5",
    )
    assert (web["number"], web["displayName"]) == ("WEB-CUSTOMER", "Web customer")
    shop.set(customer_number=web["number"])
    await shop.done(msgspec.structs.replace(SALE, order="01KF0X5B3GCDEFGHJKMT"))
    assert len(shop.books.customers) == 2


def test_references_fit_and_stay_apart() -> None:
    keys = [f"{ORDER}-post-credit-note-{number}" for number in (1, 2, 11)]
    names = [reference(msgspec.structs.replace(CREDIT, key=key)) for key in keys]
    assert all(len(name) <= 35 and name == name.upper() and name.startswith(ORDER) for name in names)
    assert all(one != other for one, other in pairwise(names))
    assert reference(FIRST) == f"{ORDER}-S1"
