"""Goods left us: the shipment, and who is told of it. The same whether a carrier took them or a customer did."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from hub.domain.shipping import Parcel, ParcelLine, Shipment, TrackingStatus
from hub.domain.stock import StockReason
from hub.flow.aggregate import Left, Order, Parcelled
from hub.flow.batch import Batch
from hub.flow.meant import line_meant, means
from hub.flow.post_to_erp import post_order
from hub.flow.write_back import confirm_to_channel, follow_parcels


def depart(
    order: Order,
    no: int,
    identity: str,
    parcels: Sequence[Parcel],
    units: Mapping[int, int],
    at: datetime,
    batch: Batch,
    status: TrackingStatus = TrackingStatus.PRE_TRANSIT,
) -> None:
    """Keep a shipment of a fulfilment order and plan what follows: the channel, the carrier, the books.

    `units` are by demand. Without any, as on the way between two nodes of ours, nothing of it is sold yet: the parcels
    are followed and nobody else is told.
    """
    _left(order, no, units, min(at, batch.now))
    number = max(order.shipments, default=0) + 1
    named = _in_our_lines(order, parcels, units)
    order.shipments[number] = Shipment(
        order=order.id, no=number, fulfilment=no, external_id=identity, shipped_at=at, parcels=named
    )
    for index, parcel in enumerate(named, 1):
        order.parcels[number, index] = Parcelled(number, index, parcel.tracking, parcel.carrier, status.value, at)
    confirm_to_channel(order, number, batch)
    follow_parcels(order, number, batch)
    post_order(order, batch)


def _left(order: Order, no: int, units: Mapping[int, int], at: datetime) -> None:
    """Each shipment leaves its own shelf at its own time, however many are heard of together."""
    node = order.fulfilments[no].node
    for number, quantity in units.items():
        item = order.demands[number].item
        if item is not None:
            order.left.append(Left(item, node, StockReason.DISPATCH, quantity, at))


def _in_our_lines(order: Order, parcels: Sequence[Parcel], units: Mapping[int, int]) -> tuple[Parcel, ...]:
    """Parcels with their lines in our references; goods that no parcel names go into the first."""
    left = dict(units)
    made = []
    for parcel in parcels or (Parcel(),):
        lines = []
        for part in parcel.lines:
            for no in list(left):
                taken = min(left[no], part.quantity) if means(order, no, line_meant(part)) else 0
                if taken:
                    lines.append(ParcelLine(line=str(no), quantity=taken, lot=part.lot))
                    left[no] -= taken
        made.append(msgspec.structs.replace(parcel, lines=tuple(lines)))
    rest = tuple(ParcelLine(line=str(no), quantity=quantity) for no, quantity in left.items() if quantity)
    made[0] = msgspec.structs.replace(made[0], lines=made[0].lines + rest)
    return tuple(made)
