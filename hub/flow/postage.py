"""Labels for nodes that are worked through the hub: bought once goods are packed, given back when they do not leave."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hub.domain.contact import Contact
from hub.domain.effects import BuyLabel, VoidLabel
from hub.domain.order import Method
from hub.domain.states import GONE, WITH_NODE, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.cartons import Goods, Packed, Packing, in_one, pack
from hub.flow.customs import declare
from hub.flow.fulfil import delivery
from hub.flow.ports import Unit
from hub.sdk.capabilities import LabelRequest, ParcelToShip

STILL_NEEDED: Final = WITH_NODE | GONE | {SliceState.IN_TRANSIT}
"""Units in these states travel, or may travel, with the label of their fulfilment order."""


# --- buying ----------------------------------------------------------------------------------------------------------


def buy_label(order: Order, no: int, batch: Batch) -> None:
    """Buy postage for what a node that is worked through the hub has packed; other nodes buy their own."""
    fulfilment = order.fulfilments[no]
    ships = delivery(order, fulfilment.group).method is Method.SHIP or fulfilment.destination is not None
    packed = any(part.state is SliceState.PACKED for part in order.of_fulfilment(no))
    carrier = batch.directory.carrier(fulfilment.node, order.merchant)
    if ships and packed and fulfilment.connection is None and carrier is not None:
        order.plan(carrier.connection.id, fulfilment.id, BuyLabel(order=order.id, fulfilment=no))


def units_to_pack(order: Order, no: int) -> dict[int, int]:
    """Units of each demand that leave, or may leave, with the label of a fulfilment order."""
    units: dict[int, int] = {}
    for part in order.of_fulfilment(no):
        if part.state in STILL_NEEDED:
            units[part.demand] = units.get(part.demand, 0) + part.quantity
    return units


def packed_in(
    order: Order, no: int, goods: Mapping[int, Goods], packing: Packing, node: str, *, several: bool = True
) -> Packed:
    """The boxes of a fulfilment order; one for all where a carrier's label is for one (`several` is false)."""
    units = [(demand, goods.get(order.demands[demand].item or 0), n) for demand, n in units_to_pack(order, no).items()]
    return pack(units, packing.boxes_of(node), packing) if several else in_one(units)


def label_request(
    order: Order,
    effect: BuyLabel,
    *,
    ship_from: Contact,
    contacts: Mapping[str, Contact],
    goods: Mapping[int, Goods],
    packed: Packed,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
    node_of_ours: Contact | None = None,
) -> LabelRequest:
    """Postage for everything of a fulfilment order; given up when nothing of it is to leave any more.

    Raises `hub.flow.customs.Undeclared` when a border asks for what nobody said of the goods.
    """
    group = delivery(order, order.fulfilments[effect.fulfilment].group)
    ship_to = node_of_ours or contacts.get(group.contact or "ship", Contact())
    units = units_to_pack(order, effect.fulfilment)
    first, *more = [
        msgspec.structs.replace(box.parcel, goods=inside.goods) if inside else box.parcel
        for box in packed.boxes
        for inside in (declare(order, box.units, goods, ship_from, ship_to),)
    ] or [ParcelToShip(weight_g=1)]
    return LabelRequest(
        key=key,
        look_first=look_first,
        references=references,
        ship_from=ship_from,
        ship_to=ship_to,
        parcel=first,
        more_parcels=tuple(more),
        service=group.service,
        declaration=declare(order, units, goods, ship_from, ship_to),
        given_up=not units,
    )


# --- giving back -----------------------------------------------------------------------------------------------------


async def give_back(unit: Unit, orders: Sequence[Order], batch: Batch) -> None:
    """Void what was bought for units that are cancelled, short or routed anew before they left.

    A purchase that nobody can have heard of is taken back instead. One that is on its way, or whose answer was lost,
    comes first: the void has the same subject, and is sent only once it is known what was bought.
    """
    unneeded = [(order, no) for order in orders for no in _unneeded(order)]
    if not unneeded:
        return
    known = await unit.give_up_labels([(order.id, no) for order, no in unneeded])
    for order, no in unneeded:
        bought = known.get((order.id, no))
        if bought is None:
            continue
        fulfilment = order.fulfilments[no]
        if bought.taken_back is not None:
            order.taken_back.append(bought.taken_back)
            order.note(batch.now, "label_given_up", f"{fulfilment.id}: not bought yet")
            continue
        carrier = batch.directory.successor(bought.connection)
        order.plan(carrier, fulfilment.id, VoidLabel(order=order.id, fulfilment=no))
        order.note(batch.now, "label_given_up", f"{fulfilment.id}: {carrier} is asked to void it")


def _unneeded(order: Order) -> list[int]:
    """Fulfilment orders that were packed until now and of which nothing is left to send.

    What was packed and taken back by one batch is not bought at all.
    """
    if any(_pointless(order, plan.effect) for plan in order.effects):
        order.effects = [plan for plan in order.effects if not _pointless(order, plan.effect)]
    packed = {part.fulfilment for part in order.before.slices.values() if part.state is SliceState.PACKED}
    left = {shipment.fulfilment for shipment in order.shipments.values()}
    return [
        no
        for no, fulfilment in order.fulfilments.items()
        if no in packed and no not in left and fulfilment.connection is None and not units_to_pack(order, no)
    ]


def _pointless(order: Order, effect: object) -> bool:
    return isinstance(effect, BuyLabel) and not units_to_pack(order, effect.fulfilment)
