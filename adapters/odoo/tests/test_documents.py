"""Deliveries, invoices, credit notes and the connection test."""

from datetime import date
from decimal import Decimal

import msgspec

from adapters.odoo.harness import HARNESS
from adapters.odoo.simulated.books import user_error
from adapters.odoo.tests.shop import CREDIT, DELIVERY, INVOICE, LIFE, MUG, ORDER, SALE, TEE, Shop, part, sell
from hub.domain.posting import DocumentKind
from hub.sdk.outcomes import Done
from hub.sdk.posting import PostingLine
from hub.sdk.wire import Request

# --- the delivery -------------------------------------------------------------------------------------------------


async def test_more_than_was_ordered_is_not_delivered(shop: Shop) -> None:
    await shop.done(SALE)
    outcome = await shop.blocked(part(DocumentKind.DELIVERY, 1, msgspec.structs.replace(MUG, quantity=3)))
    assert "missing: MUG-RED" in outcome.reason
    assert "WH/OUT/00001" in outcome.reason
    assert shop.odoo.posted(ORDER).deliveries == 0


async def test_an_order_that_odoo_does_not_have_cannot_be_delivered(shop: Shop) -> None:
    outcome = await shop.blocked(DELIVERY)
    assert "open: none" in outcome.reason


async def test_goods_without_a_sku_are_nothing_to_deliver(shop: Shop) -> None:
    line = PostingLine(line="x", sku=None, title="Gift wrap", quantity=1, amount=100)
    assert await shop.done(part(DocumentKind.DELIVERY, 1, line)) == Done()
    assert not shop.odoo.calls


async def test_a_wizard_is_no_delivery(shop: Shop) -> None:
    def ask(request: Request) -> bytes | None:
        wizard = {"type": "ir.actions.act_window", "res_model": "stock.warn.insufficient.qty"}
        return msgspec.json.encode(wizard) if request.operation.endswith("button_validate") else None

    await shop.done(SALE)
    outcome = await shop.blocked(DELIVERY, ask)
    assert "stock.warn.insufficient.qty" in outcome.reason
    assert shop.odoo.posted(ORDER).deliveries == 0
    await shop.done(DELIVERY)
    assert shop.odoo.posted(ORDER).deliveries == 1


async def test_a_transfer_that_somebody_marked_is_left_alone(shop: Shop) -> None:
    await shop.done(SALE)
    shop.odoo.pickings[1]["carrier_tracking_ref"] = "1Z999"
    assert "open: none" in (await shop.blocked(DELIVERY)).reason


async def test_a_sku_of_two_lines_is_delivered_from_both(shop: Shop) -> None:
    second = msgspec.structs.replace(MUG, line="3", quantity=1, amount=1300, tax=0)
    await shop.done(
        part(DocumentKind.ORDER, 1, MUG, second),
        part(DocumentKind.DELIVERY, 1, msgspec.structs.replace(MUG, quantity=3)),
        part(DocumentKind.INVOICE, 1, MUG, second),
    )
    goods = [line for line in shop.odoo.books.tables["sale.order.line"].rows.values() if line["qty_delivered"]]
    assert [(line["qty_delivered"], line["qty_invoiced"]) for line in goods] == [(2, 2), (1, 1)]


# --- invoice and credit note ----------------------------------------------------------------------------------------


async def test_taxes_that_odoo_computes_must_come_to_the_same(shop: Shop) -> None:
    taxed = msgspec.structs.replace(TEE, amount=1999, tax=175)
    shop.set(tax_ids=(shop.odoo.books.add_tax("8.75", included=False),))
    await shop.done(part(DocumentKind.ORDER, 1, taxed, shipping=500))
    await shop.done(part(DocumentKind.DELIVERY, 1, taxed), part(DocumentKind.INVOICE, 1, taxed, shipping=500))
    (invoice,) = shop.odoo.invoices.values()
    assert (invoice["amount_tax"], invoice["amount_total"]) == (Decimal("1.75"), Decimal("26.74"))


async def test_taxes_that_come_to_something_else_name_both(shop: Shop) -> None:
    taxed = msgspec.structs.replace(TEE, amount=1999, tax=176)
    await shop.done(part(DocumentKind.ORDER, 1, msgspec.structs.replace(taxed, tax=0)))
    shop.set(tax_ids=(shop.odoo.books.add_tax("8.75", included=False),))
    outcome = await shop.blocked(part(DocumentKind.INVOICE, 1, taxed))
    assert "21.75 USD" in outcome.reason
    assert "21.74" in outcome.reason
    assert shop.odoo.posted(ORDER).invoices == 0


async def test_what_was_invoiced_already_is_not_invoiced_under_another_shipment(shop: Shop) -> None:
    await shop.done(SALE, part(DocumentKind.INVOICE, 1, MUG, TEE))
    outcome = await shop.blocked(part(DocumentKind.INVOICE, 2, msgspec.structs.replace(TEE, tax=0)))
    assert "nothing left to invoice" in outcome.reason
    assert len(shop.odoo.invoices) == 1


async def test_taxes_included_in_the_price_are_taken_out_by_odoo(shop: Shop) -> None:
    shop.set(tax_ids=(shop.odoo.books.add_tax("19", included=True),))
    line = msgspec.structs.replace(TEE, amount=1999, tax=319)
    request = msgspec.structs.replace(part(DocumentKind.ORDER, 1, line), tax_included=True, total=1999)
    await shop.done(request, msgspec.structs.replace(request, kind=DocumentKind.INVOICE))
    (invoice,) = shop.odoo.invoices.values()
    assert (invoice["amount_untaxed"], invoice["amount_total"]) == (Decimal("16.80"), Decimal("19.99"))


async def test_a_locked_period_needs_a_person_and_then_the_draft_is_posted(shop: Shop) -> None:
    await shop.done(SALE, DELIVERY)
    shop.odoo.books.lock_date = date(2026, 1, 31)
    outcome = await shop.blocked(INVOICE)
    assert "Lock Dates" in outcome.next_step
    shop.odoo.books.lock_date = None
    done = await shop.done(INVOICE)
    assert not done.found
    assert shop.odoo.posted(ORDER).invoices == 1
    assert len(shop.odoo.invoices) == 1


async def test_an_order_invoiced_by_hand_is_not_invoiced_again(shop: Shop) -> None:
    await shop.done(SALE)
    shop.odoo.invoice_by_hand(1)
    outcome = await shop.blocked(INVOICE)
    assert "somebody invoiced" in outcome.reason
    assert len(shop.odoo.invoices) == 1


async def test_an_invoice_that_was_cancelled_is_not_made_again(shop: Shop) -> None:
    await shop.done(SALE, INVOICE)
    shop.odoo.invoices[1]["state"] = "cancel"
    assert "cancelled" in (await shop.blocked(INVOICE)).reason


async def test_a_posting_that_answers_well_and_leaves_a_draft_is_not_done(shop: Shop) -> None:
    await shop.done(SALE)
    outcome = await shop.blocked(INVOICE, lambda r: b"false" if r.operation.endswith("action_post") else None)
    assert "not posted in Odoo (draft)" in outcome.reason


async def test_an_unconfirmed_or_unknown_order_cannot_be_invoiced(shop: Shop) -> None:
    assert "found: none" in (await shop.blocked(INVOICE)).reason
    sell(shop.odoo)
    assert "not confirmed but draft" in (await shop.blocked(INVOICE)).reason


async def test_without_an_invoice_there_is_nothing_to_credit(shop: Shop) -> None:
    await shop.done(SALE)
    assert "no posted invoice" in (await shop.blocked(CREDIT)).reason


async def test_a_full_credit_settles_the_invoice(shop: Shop) -> None:
    await shop.done(SALE, DELIVERY, INVOICE, CREDIT)
    invoice, credit = shop.odoo.invoices.values()
    assert (invoice["payment_state"], credit["reversed_entry_id"]) == ("reversed", invoice["id"])
    assert credit["name"] == "RINV/2026/00001"


async def test_a_credit_after_two_invoices_is_left_for_the_bookkeeper_to_match(shop: Shop) -> None:
    await shop.done(*LIFE)
    credit = shop.odoo.invoices[3]
    assert (credit["move_type"], credit["reversed_entry_id"]) == ("out_refund", None)


# --- the connection test ----------------------------------------------------------------------------------------------


async def test_a_database_without_a_field_or_right_fails_the_connection_test(shop: Shop) -> None:
    shop.odoo.books.tables["stock.picking"].fields = {}
    shop.odoo.refuse["account.move.fields_get"] = user_error("No access")
    async with shop.bench.context() as context:
        found = await HARNESS.adapter.probe(context)
    assert found.account == "acme@odoo.example.com"
    checks = {check.name: check for check in found.checks}
    assert checks["stock.picking"].detail.startswith("lacks carrier_tracking_ref")
    assert [name for name, check in checks.items() if not check.ok] == ["account.move", "stock.picking"]
    assert checks["version"].detail == "Odoo 19.0 by JSON-2"
