"""shipmentConfirmation: what is sent, what is found after an uncertain try, what an error means."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from adapters.amazon.harness import prepare, two_lines
from adapters.amazon.settings import Settings
from adapters.amazon.shipments import confirm_shipment, packages
from adapters.amazon.simulator import AmazonSimulator
from adapters.amazon.tests.stub import Stub, answer
from adapters.amazon.tests.stub import context as stubbed
from hub.domain.shipping import Parcel, ParcelLine
from hub.sdk.capabilities import ConfirmedLine, Context, ShipmentConfirmation
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, Uncertain
from hub.sdk.testkit.samples import CONFIRMATION


@pytest.fixture
def wanted(sim: AmazonSimulator) -> ShipmentConfirmation:
    request = prepare(sim, "confirm_shipment", CONFIRMATION)
    assert isinstance(request, ShipmentConfirmation)
    return request


def sent(client: Stub) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(client.asked[-1].body or b"")
    return document


async def test_what_is_sent() -> None:
    client = Stub(answer(204, b""))
    assert await confirm_shipment(stubbed(client), CONFIRMATION) == Done(reference="101")
    (request,) = client.asked
    assert (request.method, request.path) == ("POST", "/orders/v0/orders/1001/shipmentConfirmation")
    assert sent(client) == {
        "marketplaceId": "ATVPDKIKX0DER",
        "packageDetail": {
            "packageReferenceId": "101",
            "carrierCode": "UPS",
            "trackingNumber": "1Z999AA10123456784",
            "shipDate": "2026-01-16T15:00:00.000Z",
            "shippingMethod": "ground",
            "orderItems": [{"orderItemId": "11", "quantity": 2}, {"orderItemId": "12", "quantity": 1}],
        },
    }


async def test_a_clock_that_runs_ahead_ships_now() -> None:
    client = Stub(answer(204, b""))
    context = stubbed(client)
    ahead = msgspec.structs.replace(CONFIRMATION, shipped_at=context.now() + timedelta(hours=3))
    await confirm_shipment(context, ahead)
    assert sent(client)["packageDetail"]["shipDate"] < ahead.shipped_at.isoformat()


async def test_a_carrier_amazon_does_not_list_is_named() -> None:
    client = Stub(answer(204, b""))
    parcel = msgspec.structs.replace(CONFIRMATION.parcels[0], carrier="Bike Messenger", service=None)
    await confirm_shipment(stubbed(client), msgspec.structs.replace(CONFIRMATION, parcels=(parcel,)))
    detail = sent(client)["packageDetail"]
    assert (detail["carrierCode"], detail["carrierName"]) == ("Other", "Bike Messenger")
    assert "shippingMethod" not in detail


@pytest.mark.parametrize("parcels", [(), (Parcel(carrier="ups"),)])
async def test_without_tracking_a_person_is_asked(parcels: tuple[Parcel, ...]) -> None:
    client = Stub(answer(204, b""))
    outcome = await confirm_shipment(stubbed(client), msgspec.structs.replace(CONFIRMATION, parcels=parcels))
    assert isinstance(outcome, NeedsPerson)
    assert client.asked == []


def test_several_parcels_with_known_contents_are_several_packages() -> None:
    split = tuple(
        Parcel(tracking=f"T{line}", carrier="ups", lines=(ParcelLine(line=line, quantity=units),))
        for line, units in (("11", 2), ("12", 1))
    )
    made = packages(msgspec.structs.replace(CONFIRMATION, key="O-confirm-3", parcels=split))
    assert [(reference, parcel.tracking, dict(contents)) for reference, parcel, contents in made] == [
        ("301", "T11", {"11": 2}),
        ("302", "T12", {"12": 1}),
    ]


def test_contents_that_nobody_states_are_not_invented() -> None:
    blind = (Parcel(tracking="T1", carrier="ups"), Parcel(tracking="T2", carrier="ups"))
    made = packages(msgspec.structs.replace(CONFIRMATION, parcels=blind))
    assert [(reference, parcel.tracking, dict(contents)) for reference, parcel, contents in made] == [
        ("101", "T1", {"11": 2, "12": 1})
    ]


async def test_a_second_shipment_is_another_package(
    sim: AmazonSimulator, context: Context[Settings], wanted: ShipmentConfirmation
) -> None:
    first = msgspec.structs.replace(wanted, lines=wanted.lines[:1], key="O-confirm-1")
    rest = msgspec.structs.replace(wanted, lines=wanted.lines[1:], key="O-confirm-2")
    assert isinstance(await confirm_shipment(context, first), Done)
    assert sim.books.orders[wanted.order_external_id].status == "PARTIALLY_SHIPPED"
    assert isinstance(await confirm_shipment(context, rest), Done)
    order = sim.books.orders[wanted.order_external_id]
    assert (order.status, list(order.packages)) == ("SHIPPED", ["101", "201"])


async def test_a_correction_edits_the_package(
    sim: AmazonSimulator, context: Context[Settings], wanted: ShipmentConfirmation
) -> None:
    await confirm_shipment(context, wanted)
    parcel = msgspec.structs.replace(wanted.parcels[0], tracking="1Z-CORRECTED")
    assert isinstance(await confirm_shipment(context, msgspec.structs.replace(wanted, parcels=(parcel,))), Done)
    (package,) = sim.books.orders[wanted.order_external_id].packages.values()
    assert package.tracking == "1Z-CORRECTED"


async def test_confirmed_by_hand_is_done(
    sim: AmazonSimulator, context: Context[Settings], wanted: ShipmentConfirmation
) -> None:
    await confirm_shipment(context, msgspec.structs.replace(wanted, key="O-confirm-9"))
    assert await confirm_shipment(context, wanted) == Done(found=True)
    assert len(sim.books.orders[wanted.order_external_id].packages) == 1


async def test_of_several_marketplaces_the_orders_own_is_told(sim: AmazonSimulator, context: Context[Settings]) -> None:
    order = two_lines(sim)
    order.marketplace = "A2EUQ1WTGCTBG2"
    both = msgspec.structs.replace(context.settings, marketplace_ids=("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"))
    lines = tuple(ConfirmedLine(line=line.id, quantity=line.quantity) for line in order.lines)
    request = msgspec.structs.replace(CONFIRMATION, order_external_id=order.id, lines=lines)
    assert isinstance(await confirm_shipment(msgspec.structs.replace(context, settings=both), request), Done)


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda order: setattr(order, "status", "CANCELLED"), Refused),
        (lambda order: setattr(order, "marketplace", "A1F83G8C2ARO7P"), NeedsPerson),
    ],
)
async def test_what_amazon_refuses(
    sim: AmazonSimulator,
    context: Context[Settings],
    wanted: ShipmentConfirmation,
    spoil: Callable[[object], None],
    outcome: type,
) -> None:
    spoil(sim.books.orders[wanted.order_external_id])
    assert isinstance(await confirm_shipment(context, wanted), outcome)


async def test_more_than_was_ordered_is_refused_by_amazon(
    sim: AmazonSimulator, context: Context[Settings], wanted: ShipmentConfirmation
) -> None:
    lines = (msgspec.structs.replace(wanted.lines[0], quantity=9),)
    outcome = await confirm_shipment(context, msgspec.structs.replace(wanted, lines=lines))
    assert isinstance(outcome, NeedsPerson)
    assert "InvalidQuantity" in outcome.reason


async def test_an_answer_that_is_none_is_uncertain() -> None:
    assert isinstance(await confirm_shipment(stubbed(Stub(answer(502, b"<html>"))), CONFIRMATION), Uncertain)


async def test_a_look_that_fails_is_no_answer() -> None:
    again = msgspec.structs.replace(CONFIRMATION, look_first=True)
    with pytest.raises(Interrupted):
        await confirm_shipment(stubbed(Stub(answer(503, b"<html>"))), again)
