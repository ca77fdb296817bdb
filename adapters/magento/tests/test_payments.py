"""Capturing and refunding, against the simulated store over HTTP."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.magento.captures import capture_payment
from adapters.magento.refunds import refund_payment
from adapters.magento.settings import Settings
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder
from adapters.magento.tests.conftest import document, encoded, with_settings
from hub.domain.money import minor
from hub.domain.payment import PaymentKind
from hub.mapping.compile import Mapping
from hub.sdk.capabilities import ConfirmedLine, Context, PaymentCapture, PaymentRefund, RefundFrom
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Outcome, Refused, RetryLater, Uncertain

Store = Context[Settings]


def capture(order: StoreOrder, amount: int, **more: Any) -> PaymentCapture:
    given: dict[str, Any] = {
        "key": "O1-capture-1",
        "order_external_id": str(order.id),
        "payment": f"order:{order.id}:authorised",
        "amount": amount,
        "currency": "USD",
        "final": True,
        "asked_at": datetime(2026, 1, 16, 15, tzinfo=UTC),
    }
    return PaymentCapture(**(given | more))


def refund(order: StoreOrder, amount: int, units: dict[int, int] | None = None, **more: Any) -> PaymentRefund:
    lines = tuple(ConfirmedLine(line=str(item), quantity=count) for item, count in (units or {}).items())
    given: dict[str, Any] = {
        "key": "O1-refund-1",
        "order_external_id": str(order.id),
        "amount": amount,
        "currency": "USD",
        "lines": lines,
    }
    return PaymentRefund(**(given | more))


async def outcome_of(attempt: Any) -> Outcome:
    try:
        found: Outcome = await attempt
    except Interrupted as interruption:
        return interruption.outcome
    return found


@pytest.fixture
def order(store: MagentoSimulator) -> StoreOrder:
    """Authorised: two mugs of 12.99 and a shirt of 19.99, 8 % tax, 5.00 shipping."""
    return store.place_order([("MUG-RED", 2), ("TEE-M", 1)], tax_rate=Decimal("0.08"), payment_method="cardgateway")


class TestCapturing:
    async def test_the_whole_is_one_invoice(self, store: MagentoSimulator, context: Store, order: StoreOrder) -> None:
        total = minor(order.grand_total, "USD")
        outcome = await capture_payment(context, capture(order, total))
        (made,) = order.invoices
        assert isinstance(outcome, Done)
        (payment,) = outcome.payments
        assert (payment.external_id, payment.kind, payment.amount) == (f"invoice:{made.id}", PaymentKind.CAPTURE, total)
        assert (payment.method, payment.parent) == ("cardgateway", f"order:{order.id}:authorised")
        assert made.captured
        assert order.paid == order.grand_total

    async def test_its_id_is_the_one_of_the_snapshots(
        self, store: MagentoSimulator, context: Store, order: StoreOrder, mapping: Mapping
    ) -> None:
        outcome = await capture_payment(context, capture(order, minor(order.grand_total, "USD")))
        assert isinstance(outcome, Done)
        rows = mapping(encoded(document(order))).content.payments
        assert [row.external_id for row in rows if row.kind == "capture"] == [outcome.payments[0].external_id]

    async def test_a_part_is_what_left_and_the_first_takes_the_shipping_along(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        mugs, shirt = order.items
        store.ship(order, {mugs.id: 1}, [])
        # 12.99 and its tax, 5.00 and its tax.
        outcome = await capture_payment(context, capture(order, 1299 + 104 + 540, final=False))
        assert isinstance(outcome, Done)
        assert order.invoices[0].units == {mugs.id: 1}
        store.ship(order, {mugs.id: 1, shirt.id: 1}, [])
        rest = minor(order.grand_total - order.paid, "USD")
        assert isinstance(await capture_payment(context, capture(order, rest, key="O1-capture-2")), Done)
        assert order.paid == order.grand_total

    async def test_a_part_that_the_store_was_not_told_of_waits(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        outcome = await capture_payment(context, capture(order, 1943))
        assert isinstance(outcome, RetryLater)
        assert order.invoices == []

    async def test_an_amount_that_no_goods_come_to_is_for_a_person(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        store.ship(order, {order.items[0].id: 2}, [])
        outcome = await capture_payment(context, capture(order, 1000))
        assert isinstance(outcome, NeedsPerson)
        assert "no invoice comes to 10.00 USD" in outcome.reason

    async def test_more_than_is_left_and_other_money_are_refused(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        assert isinstance(await capture_payment(context, capture(order, 99999)), Refused)
        assert isinstance(await capture_payment(context, capture(order, 100, currency="EUR")), Refused)

    async def test_a_lost_reply_is_looked_for(self, store: MagentoSimulator, context: Store, order: StoreOrder) -> None:
        request = capture(order, minor(order.grand_total, "USD"))
        store.script.extend([None, None, "lost_reply"])
        assert isinstance(await outcome_of(capture_payment(context, request)), Uncertain)
        again = await capture_payment(context, msgspec.structs.replace(request, look_first=True))
        assert isinstance(again, Done)
        assert (again.found, again.reference) == (True, f"invoice:{order.invoices[0].id}")
        assert len(order.invoices) == 1

    async def test_what_the_store_refuses_is_refused(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        store.hold(order.id)
        outcome = await capture_payment(context, capture(order, minor(order.grand_total, "USD")))
        assert isinstance(outcome, Refused)
        assert "status of holded" in outcome.reason


class TestRefunding:
    async def test_units_before_they_leave_free_their_reservation(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        invoice = store.invoice(order, {}, capture=True, note=None)
        mugs, _ = order.items
        outcome = await refund_payment(context, refund(order, 1299 + 104, {mugs.id: 1}))
        (memo,) = order.memos
        assert isinstance(outcome, Done)
        (payment,) = outcome.payments
        assert (payment.external_id, payment.kind, payment.amount) == (
            f"creditmemo:{memo.id}",
            PaymentKind.REFUND,
            1403,
        )
        assert (memo.invoice, memo.units, memo.total) == (invoice.id, {mugs.id: 1}, Decimal("14.03"))
        assert store.reservations["MUG-RED"] == 1
        assert store.source_items["MUG-RED", "default"] == 40

    async def test_units_that_left_are_not_put_back_for_the_hub_counts_them(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        store.invoice(order, {}, capture=True, note=None)
        store.ship(order, {}, [])
        await refund_payment(context, refund(order, 2806, {order.items[0].id: 2}))
        assert order.refunded == Decimal("28.06")
        assert store.source_items["MUG-RED", "default"] == 38

    async def test_everything_with_its_shipping(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        store.invoice(order, {}, capture=True, note=None)
        units = {item.id: item.ordered for item in order.items}
        await refund_payment(context, refund(order, minor(order.paid, "USD"), units, shipping=540))
        (memo,) = order.memos
        assert (memo.shipping, memo.shipping_tax, memo.adjustment) == (Decimal(5), Decimal("0.40"), Decimal(0))
        assert (order.refunded, order.state) == (order.paid, "closed")

    async def test_a_fee_kept_back_and_goodwill_are_adjustments(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        store.invoice(order, {}, capture=True, note=None)
        await refund_payment(context, refund(order, 1303, {order.items[0].id: 1}))
        await refund_payment(context, refund(order, 250, key="O1-refund-2"))
        kept, goodwill = order.memos
        assert (kept.adjustment, kept.total) == (Decimal(-1), Decimal("13.03"))
        assert (goodwill.adjustment, goodwill.total) == (Decimal("2.50"), Decimal("2.50"))
        assert sum(goodwill.units.values()) == 0

    async def test_offline_goes_by_the_order(self, store: MagentoSimulator, context: Store, order: StoreOrder) -> None:
        store.invoice(order, {}, capture=True, note=None)
        offline = with_settings(context, refunds="offline")
        assert isinstance(await refund_payment(offline, refund(order, 1403, {order.items[0].id: 1})), Done)
        assert order.memos[0].invoice is None

    async def test_of_several_invoices_the_one_that_has_enough(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        mugs, shirt = order.items
        store.invoice(order, {mugs.id: 2}, capture=True, note=None)
        second = store.invoice(order, {shirt.id: 1}, capture=True, note=None)
        assert isinstance(await refund_payment(context, refund(order, 2159, {shirt.id: 1})), NeedsPerson)
        payments = (RefundFrom(payment=f"invoice:{second.id}", method="cardgateway", left=2159),)
        assert isinstance(await refund_payment(context, refund(order, 2159, {shirt.id: 1}, payments=payments)), Done)
        assert order.memos[0].invoice == second.id

    async def test_a_lost_reply_is_looked_for(self, store: MagentoSimulator, context: Store, order: StoreOrder) -> None:
        store.invoice(order, {}, capture=True, note=None)
        request = refund(order, 1403, {order.items[0].id: 1})
        store.script.extend([None, None, "lost_reply"])
        assert isinstance(await outcome_of(refund_payment(context, request)), Uncertain)
        again = await refund_payment(context, msgspec.structs.replace(request, look_first=True))
        assert isinstance(again, Done)
        assert (again.found, again.payments[0].amount) == (True, 1403)
        assert len(order.memos) == 1

    async def test_what_cannot_be_refunded_is_refused(
        self, store: MagentoSimulator, context: Store, order: StoreOrder
    ) -> None:
        store.invoice(order, {}, capture=True, note=None)
        store.refund(order, {})
        over = await refund_payment(context, refund(order, 1403, {order.items[0].id: 1}))
        assert isinstance(over, Refused)
        assert "must not be greater than the unrefunded quantity" in over.reason
        assert isinstance(await refund_payment(context, refund(order, 1, currency="EUR")), Refused)
        assert isinstance(await refund_payment(context, refund(order, 1, {424242: 1})), NeedsPerson)
