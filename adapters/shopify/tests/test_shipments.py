"""Telling Shopify what left, against the simulated shop over HTTP."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.shopify.settings import Settings
from adapters.shopify.shipments import confirm_shipment
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopLocation, ShopOrder
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import ConfirmedLine, Context, ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater

STORE = ShopLocation(id=502, name="Oak Street store")
UPS = Parcel(tracking="1Z999AA10123456784", carrier="ups")


def confirmation(
    order: ShopOrder, *units: int, parcels: tuple[Parcel, ...] = (UPS,), location: str | None = None
) -> ShipmentConfirmation:
    lines = tuple(
        ConfirmedLine(line=str(line.id), quantity=quantity)
        for line, quantity in zip(order.lines, units, strict=False)
        if quantity
    )
    return ShipmentConfirmation(
        key="01KF0X5B3GCDEFGHJKMN-confirm-1",
        order_external_id=str(order.id),
        lines=lines,
        parcels=parcels,
        location=location,
        shipped_at=datetime.now(UTC),
    )


def looking(request: ShipmentConfirmation) -> ShipmentConfirmation:
    return msgspec.structs.replace(request, look_first=True)


def needs_person(outcome: Outcome) -> NeedsPerson:
    assert isinstance(outcome, NeedsPerson)
    return outcome


async def test_whole_order(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2), ("TEE-M", 1)])
    outcome = await confirm_shipment(context, confirmation(order, 2, 1))
    (made,) = shop.fulfilments[order.id]
    assert outcome == Done(reference=str(made.id))
    assert made.lines == {order.lines[0].id: 2, order.lines[1].id: 1}
    assert (made.numbers, made.company, made.notified) == (("1Z999AA10123456784",), "UPS", True)
    assert order.fulfilment_status == "fulfilled"
    assert [one.status for one in order.fulfilment_orders] == ["CLOSED"]


async def test_in_two_parts(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2), ("TEE-M", 1)])
    first = await confirm_shipment(context, confirmation(order, 1))
    assert order.fulfilment_status == "partial"
    second = await confirm_shipment(context, confirmation(order, 1, 1, parcels=(Parcel(tracking="B", carrier="dpd"),)))
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert [one.lines for one in shop.fulfilments[order.id]] == [
        {order.lines[0].id: 1},
        {order.lines[0].id: 1, order.lines[1].id: 1},
    ]
    assert shop.fulfilments[order.id][1].company == "DPD"


async def test_goods_left_from_another_location(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.locations[STORE.id] = STORE
    shop.inventory[shop.variants["MUG-RED"].item, STORE.id] = 5
    order = shop.place_order([("MUG-RED", 2), ("TEE-M", 1)])
    outcome = await confirm_shipment(context, confirmation(order, 1, location="502"))
    assert needs_person(outcome).reason.endswith("doesn't stock the requested inventory item.")
    shop.inventory[shop.variants["TEE-M"].item, STORE.id] = 0
    assert isinstance(await confirm_shipment(context, confirmation(order, 1, location="502")), Done)
    (made,) = shop.fulfilments[order.id]
    assert made.location == STORE.id
    assert sorted((one.location, one.status) for one in order.fulfilment_orders) == [(501, "OPEN"), (502, "CLOSED")]
    assert shop.operations["CrossdockMove"] == 2


async def test_one_fulfilment_per_location(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.locations[STORE.id] = STORE
    shop.inventory[shop.variants["TEE-M"].item, STORE.id] = 5
    order = shop.place_order([("MUG-RED", 2), ("TEE-M", 3)])
    assert [one.location for one in order.fulfilment_orders] == [501, 502]
    outcome = await confirm_shipment(context, confirmation(order, 2, 3))
    made = shop.fulfilments[order.id]
    assert [one.location for one in made] == [501, 502]
    assert outcome == Done(reference=f"{made[0].id},{made[1].id}")


async def test_found_after_uncertain(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    request = confirmation(order, 1)
    assert isinstance(await confirm_shipment(context, request), Done)
    again = await confirm_shipment(context, looking(request))
    (made,) = shop.fulfilments[order.id]
    assert again == Done(reference=str(made.id), found=True)


async def test_found_without_tracking(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    request = confirmation(order, 1, parcels=())
    assert isinstance(await confirm_shipment(context, request), Done)
    again = await confirm_shipment(context, looking(request))
    assert isinstance(again, Done)
    assert again.found
    later = msgspec.structs.replace(looking(request), shipped_at=datetime.now(UTC) + timedelta(hours=1))
    other = await confirm_shipment(context, later)
    assert isinstance(other, Done)
    assert not other.found
    assert len(shop.fulfilments[order.id]) == 2


async def test_half_told_is_completed(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """The first of two locations was told before the points ran out: the repeat tells only the second."""
    shop.locations[STORE.id] = STORE
    shop.inventory[shop.variants["TEE-M"].item, STORE.id] = 5
    order = shop.place_order([("MUG-RED", 2), ("TEE-M", 3)])
    shop.script.extend([None, None, "throttle"])
    request = confirmation(order, 2, 3)
    with pytest.raises(Exception, match="Throttled") as interrupted:
        await confirm_shipment(context, request)
    assert isinstance(interrupted.value.outcome, RetryLater)  # type: ignore[attr-defined]
    assert len(shop.fulfilments[order.id]) == 1
    outcome = await confirm_shipment(context, request)
    made = shop.fulfilments[order.id]
    assert outcome == Done(reference=f"{made[0].id},{made[1].id}")


async def test_more_lines_than_a_page(shop: ShopifySimulator, context: Context[Settings]) -> None:
    for number in range(130):
        shop.sell(f"SKU-{number}", available=5)
    order = shop.place_order([(f"SKU-{number}", 1) for number in range(130)])
    assert isinstance(await confirm_shipment(context, confirmation(order, *([1] * 130))), Done)
    (made,) = shop.fulfilments[order.id]
    assert len(made.lines) == 130
    again = await confirm_shipment(context, looking(confirmation(order, *([1] * 130))))
    assert isinstance(again, Done)
    assert again.found


async def test_many_fulfilment_orders(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 1)])
    shop.edit_order(order.id, {}, add=[("MUG-RED", 1)] * 11)
    assert len(order.fulfilment_orders) == 12
    assert isinstance(await confirm_shipment(context, confirmation(order, *([1] * 12))), Done)
    assert order.fulfilment_status == "fulfilled"


async def test_cancelled_meanwhile(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    shop.cancel_order(order.id)
    outcome = await confirm_shipment(context, confirmation(order, 2))
    assert outcome == Refused(
        reason=f"order #1001 was cancelled at Shopify; 2 of line {order.lines[0].id} left all the same"
    )


async def test_refunded_meanwhile(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    shop.refund_order(order.id, {order.lines[0].id: 1})
    outcome = needs_person(await confirm_shipment(context, confirmation(order, 2)))
    assert outcome.reason.startswith(f"order #1001: nothing is left at Shopify to fulfil 1 of line {order.lines[0].id}")
    assert shop.fulfilments[order.id] == []


async def test_fulfilled_by_hand(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    (one,) = order.fulfilment_orders
    shop.fulfil(one, [(one.lines[0], 2)], numbers=["typed-in-by-hand"])
    outcome = needs_person(await confirm_shipment(context, confirmation(order, 2)))
    assert outcome.reason.endswith("fulfilled by #1001-F1")


async def test_on_hold(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    order.fulfilment_orders[0].status = "ON_HOLD"
    outcome = needs_person(await confirm_shipment(context, confirmation(order, 2)))
    assert outcome.next_step == "release it in the shop's admin, then retry"


async def test_scope_that_hides_fulfilment_orders(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    shop.scopes -= {"write_merchant_managed_fulfillment_orders"}
    outcome = needs_person(await confirm_shipment(context, confirmation(order, 2)))
    assert "write_*_fulfillment_orders" in outcome.next_step


async def test_unknown_order(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 2)])
    del shop.orders[order.id]
    outcome = needs_person(await confirm_shipment(context, confirmation(order, 2)))
    assert outcome.reason == f"order {order.id} cannot be read at Shopify"
