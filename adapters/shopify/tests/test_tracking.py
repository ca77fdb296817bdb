"""What was fulfilled in the shop by hand gets its number from us, and nothing else is touched."""

from datetime import UTC, datetime

import pytest

from adapters.shopify.settings import Settings
from adapters.shopify.shipments import confirm_shipment
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopOrder
from hub.domain.shipping import Parcel
from hub.sdk.capabilities import ConfirmedLine, Context, ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson


def told(order: ShopOrder, units: int, *numbers: str, location: str | None = None) -> ShipmentConfirmation:
    return ShipmentConfirmation(
        key="k-confirm-1",
        order_external_id=str(order.id),
        lines=(ConfirmedLine(line=str(order.lines[0].id), quantity=units),),
        parcels=tuple(Parcel(tracking=number, carrier="dpd") for number in numbers),
        location=location,
        shipped_at=datetime.now(UTC),
    )


def by_hand(shop: ShopifySimulator, units: int, *numbers: str) -> ShopOrder:
    order = shop.place_order([("MUG-RED", units)])
    (one,) = order.fulfilment_orders
    shop.fulfil(one, [(one.lines[0], units)], numbers=numbers)
    return order


async def test_the_number_is_added(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = by_hand(shop, 2)
    (made,) = shop.fulfilments[order.id]
    assert await confirm_shipment(context, told(order, 2, "A", "B")) == Done(reference=str(made.id))
    assert (made.numbers, made.company, made.notified) == (("A", "B"), "DPD", True)
    again = await confirm_shipment(context, told(order, 2, "A", "B"))
    assert again == Done(reference=str(made.id), found=True)
    assert shop.operations["CrossdockTrack"] == 1
    assert "CrossdockFulfill" not in shop.operations


@pytest.mark.parametrize(
    ("there", "units", "numbers", "location"),
    [((), 1, ("A",), None), (("Z",), 2, ("A",), None), ((), 2, ("A",), "502")],
    ids=["other units", "has a number", "other location"],
)
async def test_what_does_not_fit_is_left_to_a_person(
    shop: ShopifySimulator,
    context: Context[Settings],
    there: tuple[str, ...],
    units: int,
    numbers: tuple[str, ...],
    location: str | None,
) -> None:
    order = by_hand(shop, 2, *there)
    outcome = await confirm_shipment(context, told(order, units, *numbers, location=location))
    assert isinstance(outcome, NeedsPerson)
    assert "nothing is left at Shopify to fulfil" in outcome.reason
    assert shop.fulfilments[order.id][0].numbers == there
