"""Cancelling, against the simulated store over HTTP."""

import pytest

from adapters.magento.cancels import cancel_order
from adapters.magento.settings import Settings
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreOrder
from adapters.magento.tests.conftest import with_settings
from adapters.magento.tests.requests import cancel
from hub.sdk.capabilities import (
    Context,
)
from hub.sdk.outcomes import Done, NeedsPerson, Refused

Store = Context[Settings]


class TestCancelling:
    async def test_what_is_not_invoiced_is_cancelled(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 2)])
        assert await cancel_order(context, cancel(order)) == Done(reference=str(order.id))
        assert (order.state, store.reservations["MUG-RED"]) == ("canceled", 0)
        assert await cancel_order(context, cancel(order)) == Done(reference=str(order.id), found=True)

    async def test_a_paid_order_is_for_a_person(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 2)], paid=True)
        outcome = await cancel_order(context, cancel(order))
        assert isinstance(outcome, NeedsPerson)
        assert f"the rest is paid ({order.invoices[0].id})" in outcome.reason
        assert order.memos == []

    @pytest.mark.parametrize("refunds", ["online", "offline"])
    async def test_or_refunded_where_the_settings_say_so(
        self, refunds: str, store: MagentoSimulator, context: Store
    ) -> None:
        order = store.place_order([("MUG-RED", 2), ("TEE-M", 1)], payment_method="cardgateway")
        store.invoice(order, {order.items[0].id: 2}, capture=True, note=None)
        store.invoice(order, {order.items[1].id: 1}, capture=True, note=None)
        refunding = with_settings(context, refund_on_cancel=True, refunds=refunds)
        store.refund(order, {order.items[0].id: 2}, invoice=order.invoices[0].id)
        assert await cancel_order(refunding, cancel(order)) == Done(reference=str(order.id))
        assert [memo.invoice for memo in order.memos] == [one.id for one in order.invoices]
        assert order.state == "closed"
        assert order.refunded == order.paid

    async def test_a_part_that_left_stays_and_the_rest_is_cancelled(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        order = store.place_order([("MUG-RED", 3)])
        store.invoice(order, {order.items[0].id: 1}, capture=True, note=None)
        store.ship(order, {order.items[0].id: 1}, [])
        assert await cancel_order(context, cancel(order)) == Done(reference=str(order.id))
        assert (order.items[0].cancelled, order.items[0].shipped) == (2, 1)

    async def test_what_left_before_it_was_invoiced_is_not_cancelled(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        order = store.place_order([("MUG-RED", 3)])
        store.ship(order, {order.items[0].id: 3}, [])
        assert isinstance(await cancel_order(context, cancel(order)), Refused)
        assert order.items[0].cancelled == 0

    async def test_what_has_left_is_refused(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)], paid=True)
        store.ship(order, {}, [])
        assert isinstance(await cancel_order(context, cancel(order)), Refused)

    async def test_a_bundle_that_left_by_its_children_has_left(self, kits: MagentoSimulator, context: Store) -> None:
        order = kits.place_order([("LOOSE", 1)], paid=True)
        kits.ship(order, {}, [])
        assert isinstance(await cancel_order(context, cancel(order)), Refused)

    async def test_a_held_order_must_be_let_go_first(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)])
        store.hold(order.id)
        outcome = await cancel_order(context, cancel(order))
        assert isinstance(outcome, NeedsPerson)
        assert order.state == "holded"

    async def test_true_is_not_believed(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)])

        def unmoved(order: StoreOrder) -> bool:
            return True

        store.cancel = unmoved  # type: ignore[method-assign]
        outcome = await cancel_order(context, cancel(order))
        assert outcome == Refused(reason="order 000000001: the store does not cancel it in state processing")
