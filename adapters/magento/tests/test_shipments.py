"""Shipping, against the simulated store over HTTP."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.magento.settings import Settings
from adapters.magento.shipments import confirm_shipment
from adapters.magento.simulator import MagentoSimulator
from adapters.magento.simulator_books import StoreSource
from adapters.magento.tests.conftest import with_settings
from adapters.magento.tests.requests import confirmation
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import (
    ConfirmedLine,
    Context,
)
from hub.sdk.outcomes import Done, NeedsPerson, Refused, RetryLater, Uncertain
from hub.sdk.testkit.bench import outcome_of

Store = Context[Settings]


class TestShipping:
    async def test_a_shipment_names_source_tracking_and_our_key(self, store: MagentoSimulator, context: Store) -> None:
        store.sources["east"] = StoreSource(code="east", name="East")
        store.set_stock("MUG-RED", "east", 5)
        order = store.place_order([("MUG-RED", 2)])
        parcels = (Parcel(tracking="A1", carrier="DHL Express", service="Worldwide"), Parcel(tracking="B2"))
        request = confirmation(order, {order.items[0].id: 2}, location="east", parcels=parcels, notify=False)
        outcome = await confirm_shipment(context, request)
        (made,) = order.shipments
        assert outcome == Done(reference=str(made.id))
        assert (made.source, made.units, made.notified) == ("east", {order.items[0].id: 2}, False)
        assert [(one.number, one.title, one.carrier) for one in made.tracks] == [
            ("A1", "DHL Express Worldwide", "dhl"),
            ("B2", "Parcel", "custom"),
        ]
        assert made.notes == ("Crossdock O1-confirm-1",)
        assert store.source_items["MUG-RED", "east"] == 3
        assert store.reservations["MUG-RED"] == 0

    async def test_without_a_location_the_settings_name_the_source(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        store.sources["east"] = StoreSource(code="east", name="East")
        store.set_stock("MUG-RED", "east", 5)
        order = store.place_order([("MUG-RED", 1)])
        request = confirmation(order, {order.items[0].id: 1}, location=None)
        await confirm_shipment(with_settings(context, default_source="east"), request)
        assert order.shipments[0].source == "east"

    async def test_a_part_leaves_the_rest_open(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 3), ("TEE-M", 1)], paid=True)
        await confirm_shipment(context, confirmation(order, {order.items[0].id: 2}))
        assert [item.shipped for item in order.items] == [2, 0]
        assert order.state == "processing"

    async def test_a_configurable_ships_as_its_parent(self, kits: MagentoSimulator, context: Store) -> None:
        order = kits.place_order([("TEE", 2)])
        parent, child = order.items
        assert isinstance(await confirm_shipment(context, confirmation(order, {parent.id: 1})), Done)
        assert isinstance(await confirm_shipment(context, confirmation(order, {child.id: 1}, key="two")), Done)
        assert (parent.shipped, kits.source_items["TEE-S", "default"]) == (2, 7)

    async def test_a_bundle_that_leaves_together_ships_as_its_parent(
        self, kits: MagentoSimulator, context: Store
    ) -> None:
        order = kits.place_order([("KIT", 2), ("MUG-RED", 1)])
        kit, ball, strap, mug = order.items
        request = confirmation(order, {ball.id: 2, strap.id: 4, mug.id: 1})
        assert isinstance(await confirm_shipment(context, request), Done)
        assert order.shipments[0].units == {mug.id: 1, kit.id: 2}
        assert (kits.source_items["BALL", "default"], kits.source_items["STRAP", "default"]) == (7, 5)

    async def test_a_bundle_that_does_not_ships_as_its_children(self, kits: MagentoSimulator, context: Store) -> None:
        order = kits.place_order([("LOOSE", 1)])
        _, ball, strap = order.items
        assert isinstance(await confirm_shipment(context, confirmation(order, {strap.id: 2})), Done)
        assert order.shipments[0].units == {strap.id: 2}
        assert isinstance(await confirm_shipment(context, confirmation(order, {ball.id: 1}, key="two")), Done)
        assert [made.units for made in order.shipments] == [{strap.id: 2}, {ball.id: 1}]

    async def test_a_part_of_a_bundle_that_leaves_together_is_for_a_person(
        self, kits: MagentoSimulator, context: Store
    ) -> None:
        order = kits.place_order([("KIT", 2)])
        _, ball, strap = order.items
        for units in ({ball.id: 1}, {ball.id: 2, strap.id: 2}, {ball.id: 1, strap.id: 1}):
            outcome = await confirm_shipment(context, confirmation(order, units))
            assert isinstance(outcome, NeedsPerson)
            assert "only a part left" in outcome.reason
        assert order.shipments == []

    async def test_what_is_not_goods_is_not_shipped(self, kits: MagentoSimulator, context: Store) -> None:
        order = kits.place_order([("PDF", 1), ("MUG-RED", 1)])
        pdf, mug = order.items
        assert isinstance(await confirm_shipment(context, confirmation(order, {pdf.id: 1, mug.id: 1})), Done)
        assert order.shipments[0].units == {mug.id: 1}

    async def test_nothing_to_ship_sends_nothing_for_that_would_mean_everything(
        self, kits: MagentoSimulator, context: Store
    ) -> None:
        order = kits.place_order([("PDF", 1), ("MUG-RED", 1)])
        assert await confirm_shipment(context, confirmation(order, {order.items[0].id: 1})) == Done(found=True)
        assert order.shipments == []

    @pytest.mark.parametrize("lost", ["note", "tracks"])
    async def test_an_earlier_try_is_recognised(self, lost: str, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 2)])
        request = confirmation(order, {order.items[0].id: 1})
        first = await confirm_shipment(context, request)
        (made,) = order.shipments
        without = {"notes": ()} if lost == "note" else {"tracks": ()}
        order.shipments[0] = store.shipments[made.id] = msgspec.structs.replace(made, **without)
        again = await confirm_shipment(context, msgspec.structs.replace(request, look_first=True))
        assert isinstance(first, Done)
        assert again == Done(reference=first.reference, found=True)
        assert len(order.shipments) == 1

    async def test_an_equal_shipment_of_another_key_is_not_ours(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 2)])
        units = {order.items[0].id: 1}
        await confirm_shipment(context, confirmation(order, units, parcels=()))
        later = confirmation(order, units, parcels=(), key="O1-confirm-10", look_first=True)
        assert await confirm_shipment(context, later) == Done(reference=str(order.shipments[1].id))

    async def test_what_somebody_shipped_by_hand_is_found_by_its_tracking(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        order = store.place_order([("MUG-RED", 1)])
        track = {"track_number": "1Z999", "title": "UPS", "carrier_code": "ups"}
        made = store.ship(order, {}, [track])
        outcome = await confirm_shipment(context, confirmation(order, {order.items[0].id: 1}))
        assert outcome == Done(reference=str(made.id), found=True)

    async def test_more_than_is_left_is_for_a_person(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 3)], paid=True)
        store.refund(order, {order.items[0].id: 2}, shipping=Decimal(0))
        outcome = await confirm_shipment(context, confirmation(order, {order.items[0].id: 2}))
        assert isinstance(outcome, NeedsPerson)
        assert "2 of MUG-RED (to ship there: 1)" in outcome.reason
        assert order.shipments == []

    async def test_an_item_of_another_order_is_for_a_person(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)])
        for line in ("99999", "no-number"):
            lines = (ConfirmedLine(line=line, quantity=1),)
            outcome = await confirm_shipment(context, confirmation(order, {}, lines=lines))
            assert isinstance(outcome, NeedsPerson)
            assert f"has no item {line}" in outcome.reason

    async def test_held_and_cancelled_orders_say_so(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)])
        store.hold(order.id)
        held = await confirm_shipment(context, confirmation(order, {order.items[0].id: 1}))
        assert isinstance(held, NeedsPerson)
        assert "unhold" in held.next_step
        store.unhold(order.id)
        store.cancel(order)
        gone = await confirm_shipment(context, confirmation(order, {order.items[0].id: 1}))
        assert isinstance(gone, Refused)
        assert "1 of item" in gone.reason

    async def test_a_source_that_was_told_too_little_is_set_right(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        """The store deducts the open order a second time when it ships (magento/inventory#2725)."""
        store.set_stock("MUG-RED", "default", 3)
        order = store.place_order([("MUG-RED", 2)])
        store.set_stock("MUG-RED", "default", 1)
        outcome = await confirm_shipment(context, confirmation(order, {order.items[0].id: 2}))
        assert outcome == Done(reference=str(order.shipments[0].id))
        assert (store.source_items["MUG-RED", "default"], store.salable("MUG-RED")) == (0, 0)

    async def test_orders_that_ship_at_once_from_a_source_told_too_little_all_ship_without_a_person(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        """What one order's shipment was raised to, another's takes."""
        store.set_stock("MUG-RED", "default", 12)
        waiting = [store.place_order([("MUG-RED", 2)]) for _ in range(6)]
        store.set_stock("MUG-RED", "default", 0)
        asked = [confirmation(order, {order.items[0].id: 2}, key=f"{order.id}-confirm") for order in waiting]
        for _ in range(6):
            outcomes = await asyncio.gather(*(confirm_shipment(context, one) for one in asked))
            assert {type(outcome) for outcome in outcomes} <= {Done, RetryLater}
            asked = [one for one, outcome in zip(asked, outcomes, strict=True) if isinstance(outcome, RetryLater)]
        assert asked == []
        assert [len(order.shipments) for order in waiting] == [1] * 6
        assert (store.source_items["MUG-RED", "default"], store.reservations["MUG-RED"]) == (0, 0)

    async def test_a_source_that_others_keep_emptying_is_tried_again_later(
        self, store: MagentoSimulator, context: Store
    ) -> None:
        order = store.place_order([("MUG-RED", 2)])
        store.set_stock("MUG-RED", "default", 1)

        class Elsewhere:
            """Whenever the source has been raised, somebody takes a unit from it."""

            async def send(self, request: Any) -> Any:
                answer = await context.client.send(request)
                if request.operation == "POST /inventory/source-items":
                    store.set_stock("MUG-RED", "default", 1)
                return answer

        taken = msgspec.structs.replace(context, client=Elsewhere())
        outcome = await confirm_shipment(taken, confirmation(order, {order.items[0].id: 2}))
        assert isinstance(outcome, RetryLater)
        assert "source default is short of MUG-RED again" in outcome.reason
        assert await confirm_shipment(context, confirmation(order, {order.items[0].id: 2})) == Done(
            reference=str(order.shipments[0].id)
        )

    async def test_the_parts_of_a_bundle_are_set_right(self, kits: MagentoSimulator, context: Store) -> None:
        order = kits.place_order([("KIT", 2)])
        for sku in ("BALL", "STRAP"):
            kits.set_stock(sku, "default", 1)
        _, ball, strap = order.items
        assert isinstance(await confirm_shipment(context, confirmation(order, {ball.id: 2, strap.id: 4})), Done)
        assert {sku: kits.source_items[sku, "default"] for sku in ("BALL", "STRAP")} == {"BALL": 0, "STRAP": 0}

    async def test_an_unknown_source_is_named(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)])
        outcome = await confirm_shipment(context, confirmation(order, {order.items[0].id: 1}, location="attic"))
        assert isinstance(outcome, NeedsPerson)
        assert "from attic refused: Could not save a shipment" in outcome.reason
        assert ("MUG-RED", "attic") not in store.source_items

    @pytest.mark.parametrize("fault", ["html", "truncated", "error_inside"])
    async def test_an_answer_that_is_none_leaves_it_uncertain(
        self, fault: str, store: MagentoSimulator, context: Store
    ) -> None:
        order = store.place_order([("MUG-RED", 1)])
        request = confirmation(order, {order.items[0].id: 1})

        class Spoiling:
            async def send(self, request: Any) -> Any:
                if request.write:
                    setattr(store, fault, 1)
                return await context.client.send(request)

        outcome = await outcome_of(confirm_shipment(msgspec.structs.replace(context, client=Spoiling()), request))
        assert isinstance(outcome, Uncertain)
        again = await confirm_shipment(context, msgspec.structs.replace(request, look_first=True))
        assert again == Done(reference=str(order.shipments[0].id), found=True)

    async def test_an_order_that_is_gone_or_never_was(self, store: MagentoSimulator, context: Store) -> None:
        order = store.place_order([("MUG-RED", 1)])
        request = confirmation(order, {order.items[0].id: 1})
        gone = await outcome_of(confirm_shipment(context, msgspec.structs.replace(request, order_external_id="424242")))
        assert isinstance(gone, NeedsPerson)
        assert "404: The entity that was requested doesn't exist" in gone.reason
        odd = await outcome_of(confirm_shipment(context, msgspec.structs.replace(request, order_external_id="#1001")))
        assert isinstance(odd, NeedsPerson)
        assert "no entity_id" in odd.reason
