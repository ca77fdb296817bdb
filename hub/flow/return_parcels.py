"""Parcels on their way back: those with a return's label, and those that a carrier returns to their sender."""

from collections.abc import Mapping, Sequence
from typing import Final

from hub.domain.contact import Contact
from hub.domain.effects import BuyReturnLabel
from hub.domain.facts import ParcelScanned
from hub.domain.shipping import TrackingStatus
from hub.flow.aggregate import Order, Parcelled
from hub.flow.batch import Batch
from hub.flow.cartons import Goods, in_one
from hub.flow.customs import declare
from hub.flow.ports import Unit
from hub.flow.returns import Asked, Wanted, on_its_way, open_return, returnable
from hub.sdk.capabilities import LabelRequest, ParcelToShip

RETURN_TO_SENDER: Final = "return_to_sender"
UNMOVED: Final = frozenset({TrackingStatus.UNKNOWN, TrackingStatus.PRE_TRANSIT, TrackingStatus.CANCELLED})
"""A label that was bought and that no carrier has scanned with goods behind it."""


async def parcel_comes_back(unit: Unit, order: Order, parcel: Parcelled, batch: Batch) -> None:
    """A carrier returns a parcel to its sender: a return of what is in it, once per parcel."""
    source = f"parcel:{order.id}:{parcel.shipment}-{parcel.no}"
    if any(one.source == source for one in order.returns.values()):
        return
    shipment = order.shipments[parcel.shipment]
    goods: dict[str, int] = {}
    for part in shipment.parcels[parcel.no - 1].lines:
        demand = order.demands[int(part.line)]
        whole = part.quantity // demand.per_unit
        goods[demand.line] = min(whole, goods.get(demand.line, whole))
    left = returnable(order)
    wanted = [Wanted(line, min(units, left.get(line, 0)), RETURN_TO_SENDER) for line, units in goods.items()]
    wanted = [one for one in wanted if one.units > 0]
    if not wanted:
        return
    node = order.fulfilments[shipment.fulfilment].node
    asked = Asked(wanted, who="carrier", override=True, source=source, node=node)
    made = await open_return(unit, order, asked, batch)
    on_its_way(order, made.id, batch)
    order.troubles.append(
        order.trouble(
            kind="returned_to_sender",
            cause=f"{order.connection}: order {order.external_id}, parcel {parcel.tracking or parcel.no}",
            next_step=f"The parcel did not reach the customer and comes back as return {made.id}. Ask for a better "
            "address and send an exchange, or let the refund take its course.",
        )
    )


async def follow(
    unit: Unit, orders: Mapping[str, Order], seen: Sequence[tuple[Order, ParcelScanned]], batch: Batch
) -> None:
    """What carriers say of goods on their way back: on a return's own label, or on a parcel that turned round.

    `seen` are scans with the orders that they are about."""
    labels = await unit.return_labels(sorted({scan.tracking for _, scan in seen}))
    turned = [
        (order, parcel)
        for order in orders.values()
        for place, parcel in order.parcels.items()
        if parcel.status == TrackingStatus.RETURN_TO_SENDER.value and order.before.parcels.get(place) != parcel
    ]
    touched = {order.id for order, _ in turned} | {order for order, _ in labels.values()}
    await unit.peers([orders[id] for id in sorted(touched) if id in orders])
    for order, parcel in turned:
        if order.acting:
            await parcel_comes_back(unit, order, parcel, batch)
    for order, scan in seen:
        about, one = labels.get(scan.tracking, ("", ""))
        if about == order.id and scan.event.status not in UNMOVED:
            on_its_way(order, one, batch)


def return_label_request(
    order: Order,
    effect: BuyReturnLabel,
    *,
    ship_to: Contact,
    contacts: Mapping[str, Contact],
    goods: Mapping[int, Goods],
    key: str,
    look_first: bool,
    references: Mapping[str, str],
) -> LabelRequest:
    """Postage from the customer to where the return goes, in one parcel. Raises `hub.flow.customs.Undeclared`."""
    wanted = {line.line: line.quantity for line in order.returns[effect.return_id].lines}
    units = {
        no: wanted[demand.line] * demand.per_unit for no, demand in order.demands.items() if wanted.get(demand.line)
    }
    box = in_one([(no, goods.get(order.demands[no].item or 0), quantity) for no, quantity in units.items()])
    groups = order.content.groups if order.content else ()
    name = next((group.contact for group in groups if group.contact), "ship")
    ship_from = contacts.get(name, Contact())
    return LabelRequest(
        key=key,
        look_first=look_first,
        references=references,
        ship_from=ship_from,
        ship_to=ship_to,
        parcel=next((one.parcel for one in box.boxes), ParcelToShip(weight_g=1)),
        returns=True,
        declaration=declare(order, units, goods, ship_from, ship_to),
    )
