"""What a channel is told of a shipment: its own lines, parcel by parcel, whatever the hub made of them."""

from collections.abc import Sequence

import msgspec

from hub.domain.demand import Demand
from hub.domain.effects import ConfirmShipment
from hub.domain.shipping import Parcel, ParcelLine, Shipment
from hub.flow.aggregate import Order
from hub.flow.write_back import shipment_confirmation
from hub.sdk.capabilities import ShipmentConfirmation
from tests.unit.flow.bare import NOON, bare_order

MUG = Demand(no=1, line="line-mug", group="main", sku="MUG", item=1, quantity=3)
CUP = Demand(no=2, line="line-set", group="main", sku="CUP", item=2, quantity=4, per_unit=2)
LID = Demand(no=3, line="line-set", group="main", sku="LID", item=3, quantity=2)


def order(*shipments: Sequence[dict[int, int]]) -> Order:
    """An order of three mugs and two sets of two cups and a lid, and what left: per shipment, per parcel."""
    made = bare_order(id="o")
    made.demands = {demand.no: demand for demand in (MUG, CUP, LID)}
    for no, parcels in enumerate(shipments, 1):
        made.shipments[no] = Shipment(
            order="o",
            no=no,
            fulfilment=no,
            external_id=f"s-{no}",
            shipped_at=NOON,
            parcels=tuple(
                Parcel(lines=tuple(ParcelLine(line=str(one), quantity=units) for one, units in parcel.items()))
                for parcel in parcels
            ),
        )
    return made


def told(made: Order, shipment: int) -> ShipmentConfirmation:
    effect = ConfirmShipment(order="o", shipment=shipment)
    return shipment_confirmation(made, effect, location=None, key="k", look_first=False, references={})


def lines(parts: Sequence[msgspec.Struct]) -> dict[str, int]:
    return {part.line: part.quantity for part in parts}  # type: ignore[attr-defined]


def test_parcels_name_the_channels_lines() -> None:
    one = told(order([{1: 2}, {1: 1, 2: 4, 3: 2}]), 1)
    assert [lines(parcel.lines) for parcel in one.parcels] == [{"line-mug": 2}, {"line-mug": 1, "line-set": 2}]
    assert lines(one.lines) == {"line-mug": 3, "line-set": 2}


def test_a_set_is_in_the_parcel_that_completes_it() -> None:
    one = told(order([{2: 4, 3: 1}, {3: 1}]), 1)
    assert [lines(parcel.lines) for parcel in one.parcels] == [{"line-set": 1}, {"line-set": 1}]


def test_a_set_is_told_with_the_shipment_that_completes_it() -> None:
    made = order([{2: 4}], [{3: 2}])
    assert (lines(told(made, 1).lines), [lines(parcel.lines) for parcel in told(made, 1).parcels]) == ({}, [{}])
    assert (lines(told(made, 2).lines), [lines(parcel.lines) for parcel in told(made, 2).parcels]) == (
        {"line-set": 2},
        [{"line-set": 2}],
    )
