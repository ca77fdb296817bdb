"""Step 10: the channel learns what left, from where, with which tracking."""

from collections.abc import Iterable, Mapping

from hub.domain.effects import ConfirmShipment, TrackParcels
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.sdk.capabilities import ConfirmedLine, ShipmentConfirmation, TrackRequest


def confirm_to_channel(order: Order, shipment: int, batch: Batch) -> None:
    """Plan the confirmation of a shipment, through whatever connection speaks for the account now.

    While none does, it waits at the last one and is handed to its successor.
    """
    link = batch.directory.links.get(batch.directory.successor(order.connection))
    if link is not None and link.wants("confirm_shipment") and confirmed_lines(order, shipment):
        order.plan(link.connection.id, order.id, ConfirmShipment(order=order.id, shipment=shipment), shipment)


def follow_parcels(order: Order, shipment: int, batch: Batch) -> None:
    """Have a carrier connection tell us of the parcels, whoever bought their postage."""
    parcels = order.shipments[shipment].parcels
    carriers = batch.directory.with_capability(order.merchant, "track")
    if carriers and any(parcel.tracking for parcel in parcels):
        order.plan(carriers[0].connection.id, order.id, TrackParcels(order=order.id, shipment=shipment), shipment)


def track_request(
    order: Order, effect: TrackParcels, *, key: str, look_first: bool, references: Mapping[str, str]
) -> TrackRequest:
    """The parcels to follow."""
    parcels = order.shipments[effect.shipment].parcels
    return TrackRequest(
        key=key,
        look_first=look_first,
        references=references,
        parcels=tuple((parcel.carrier, parcel.tracking) for parcel in parcels if parcel.tracking),
    )


def shipment_confirmation(
    order: Order,
    effect: ConfirmShipment,
    *,
    location: str | None,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
) -> ShipmentConfirmation:
    """What the channel is told."""
    shipment = order.shipments[effect.shipment]
    return ShipmentConfirmation(
        key=key,
        look_first=look_first,
        references=references,
        order_external_id=order.external_id,
        lines=confirmed_lines(order, effect.shipment),
        parcels=shipment.parcels,
        location=location,
        shipped_at=shipment.shipped_at,
    )


def confirmed_lines(order: Order, shipment: int) -> tuple[ConfirmedLine, ...]:
    """Sold units that a shipment completes: a kit is gone when the last of its components is."""
    before = _whole(order, [no for no in order.shipments if no < shipment])
    after = _whole(order, [no for no in order.shipments if no <= shipment])
    return tuple(
        ConfirmedLine(line=line, quantity=units - before.get(line, 0))
        for line, units in after.items()
        if units > before.get(line, 0)
    )


def _whole(order: Order, shipments: Iterable[int]) -> dict[str, int]:
    """Sold units per line of which every component left in these shipments."""
    moved: dict[int, int] = {}
    for no in shipments:
        for parcel in order.shipments[no].parcels:
            for part in parcel.lines:
                moved[int(part.line)] = moved.get(int(part.line), 0) + part.quantity
    sold: dict[str, int] = {}
    for no, demand in order.demands.items():
        units = moved.get(no, 0) // demand.per_unit
        sold[demand.line] = min(units, sold.get(demand.line, units))
    return sold
