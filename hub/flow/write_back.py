"""Step 10: the channel learns what left, from where, with which tracking."""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from hub.domain.effects import ConfirmShipment, TrackParcels
from hub.domain.shipping import Parcel, ParcelLine, units_of
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
        parcels=_in_lines_of_the_channel(order, effect.shipment),
        location=location,
        shipped_at=shipment.shipped_at,
    )


def confirmed_lines(order: Order, shipment: int) -> tuple[ConfirmedLine, ...]:
    """Sold units that a shipment completes: a kit is gone when the last of its components is."""
    before = _sold(order, _moved(order, shipment))
    after = _sold(order, _moved(order, shipment + 1))
    return tuple(ConfirmedLine(line=line, quantity=units) for line, units in _more(before, after))


def _in_lines_of_the_channel(order: Order, shipment: int) -> tuple[Parcel, ...]:
    """The parcels with the sold units that each completes; together they are `confirmed_lines`."""
    moved = _moved(order, shipment)
    parcels = []
    for parcel in order.shipments[shipment].parcels:
        before = _sold(order, moved)
        for part in parcel.lines:
            moved[int(part.line)] += part.quantity
        lines = tuple(ParcelLine(line=line, quantity=units) for line, units in _more(before, _sold(order, moved)))
        parcels.append(msgspec.structs.replace(parcel, lines=lines))
    return tuple(parcels)


def _moved(order: Order, until: int) -> Counter[int]:
    """Units per demand that left in the shipments before a number."""
    return units_of(shipment for no, shipment in order.shipments.items() if no < until)


def _sold(order: Order, moved: Mapping[int, int]) -> dict[str, int]:
    """Sold units per line of which every component is among what left."""
    sold: dict[str, int] = {}
    for no, demand in order.demands.items():
        units = moved.get(no, 0) // demand.per_unit
        sold[demand.line] = min(units, sold.get(demand.line, units))
    return sold


def _more(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for line, units in after.items():
        if units > before.get(line, 0):
            yield line, units - before.get(line, 0)
