"""Documents in the simulator's books: exactly what was asked for, once, whatever the weather."""

from decimal import Decimal

import msgspec
import pytest

from adapters.odoo.tests.shop import CREDIT, DELIVERY, INVOICE, LIFE, ORDER, SALE, Shop
from hub.sdk.outcomes import Done, Uncertain


async def test_an_order_that_ships_in_two_parts_and_is_partly_refunded(shop: Shop) -> None:
    await shop.done(*LIFE)
    posted = shop.odoo.posted(ORDER)
    assert (posted.orders, posted.confirmed, posted.deliveries, posted.invoices, posted.credit_notes) == (1, 1, 2, 2, 1)
    assert posted.invoiced == Decimal("55.00")
    assert posted.credited == Decimal("21.74")
    (order,) = shop.odoo.sale_orders.values()
    assert order["amount_total"] == Decimal("55.00")
    assert order["origin"] == "#1001"
    assert order["delivery_status"] == "full"
    marks = [picking["carrier_tracking_ref"] for picking in shop.odoo.pickings.values()]
    assert marks == [f"{ORDER}-S1", f"{ORDER}-S2"]
    shipped = {i: move["quantity"] for i, move in shop.odoo.books.tables["stock.move"].rows.items()}
    assert sum(shipped.values()) == 3
    assert [i["ref"] for i in shop.odoo.invoices.values()] == [f"{ORDER}-S1", f"{ORDER}-S2", f"{ORDER}-post-9"]
    goods = [line for line in shop.odoo.books.tables["sale.order.line"].rows.values() if line["qty_delivered"]]
    assert [(line["qty_delivered"], line["qty_invoiced"]) for line in goods] == [(2, 2), (1, 1)]


@pytest.mark.parametrize("fault", ["lost_reply", "server_error", "throttle"])
async def test_whichever_call_fails_each_document_of_a_life_is_there_once(shop: Shop, fault: str) -> None:
    for request in LIFE:
        for place in range(40):
            shop.odoo.script.extend([None] * place)
            shop.odoo.script.append(fault)
            outcome = await shop.post(msgspec.structs.replace(request, look_first=bool(place)))
            if shop.odoo.script:
                break
        shop.odoo.script.clear()
        assert isinstance(outcome, Done), (request.kind, outcome)
    posted = shop.odoo.posted(ORDER)
    assert (posted.orders, posted.deliveries, posted.invoices, posted.credit_notes) == (1, 2, 2, 1)
    assert posted.drafts == 0
    assert (posted.invoiced, posted.credited) == (Decimal("55.00"), Decimal("21.74"))
    assert len(shop.odoo.pickings) == 2
    assert len(shop.odoo.partners) == 2  # the company itself, and the customer


@pytest.mark.parametrize("seed", range(6))
async def test_in_bad_weather_everything_is_posted_once(shop: Shop, seed: int) -> None:
    shop.odoo.random.seed(seed)
    shop.odoo.faults.lost_reply = shop.odoo.faults.server_error = 0.15
    for request in LIFE:
        outcome = await shop.post(request)
        while not isinstance(outcome, Done):
            outcome = await shop.post(msgspec.structs.replace(request, look_first=isinstance(outcome, Uncertain)))
    posted = shop.odoo.posted(ORDER)
    assert (posted.orders, posted.deliveries, posted.invoices, posted.credit_notes, posted.drafts) == (1, 2, 2, 1, 0)
    assert posted.invoiced == Decimal("55.00")


async def test_few_calls_are_enough(shop: Shop) -> None:
    counts = []
    shop.set(partner_id=1)
    for request in (SALE, DELIVERY, INVOICE, CREDIT):
        before = sum(shop.odoo.calls.values())
        await shop.done(request)
        counts.append(sum(shop.odoo.calls.values()) - before)
    # The order's sixth call makes the service products, which happens once.
    assert counts == [6, 4, 5, 6]


async def test_what_was_learned_names_the_order(shop: Shop) -> None:
    outcome = await shop.done(SALE)
    assert outcome.reference == "1"
    (learned,) = outcome.learned
    assert (learned.kind, learned.ours, learned.theirs) == ("sale_order", ORDER, "1")
    references = {"sale_order:" + ORDER: "1"}
    delivered = await shop.done(msgspec.structs.replace(DELIVERY, references=references))
    invoiced = await shop.done(msgspec.structs.replace(INVOICE, references=references))
    assert delivered.reference == "WH/OUT/00001"
    assert invoiced.reference == "INV/2026/00001"
