"""Goods between two nodes of ours: a transfer for its own sake, or the way to where a customer collects.

Both are slices like any other: reserved, released and picked at the node that sends. When they leave, they are off its
shelf and under way to the other in the ledger (condition in transit); when they arrive they are on that shelf, and a
customer's are reserved there in the same transaction. Nothing is sold, captured or posted on the way.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from hub.domain.contact import Contact, Place
from hub.domain.demand import Slice
from hub.domain.effects import AdviseStock
from hub.domain.facts import FactLine, GoodsArrived, GoodsLost
from hub.domain.money import Amounts, AmountSet
from hub.domain.network import Node
from hub.domain.order import DeliveryGroup, Method, OrderContent, OrderLine, OrderSnapshot
from hub.domain.states import SliceState
from hub.domain.stock import Condition, StockReason
from hub.flow.aggregate import Carried, Order
from hub.flow.amend import fit
from hub.flow.batch import Batch
from hub.flow.meant import units_meant
from hub.flow.stock_ports import ItemFacts
from hub.flow.trouble import Trouble
from hub.routing.model import Group, GroupLine
from hub.sdk.capabilities import AdvisedLine, StockAdvice

SOURCE: Final = "transfer"
"""Source of an order that only moves goods of ours."""

CURRENCY: Final = "XXX"
"""ISO 4217 for no currency: nothing is bought."""


class CannotTransfer(Exception):
    """It cannot be asked for. `field` is what is wrong with the wish."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


class Wanted(NamedTuple):
    """Units of an item to move."""

    sku: str
    quantity: int


def transfer_order(
    external: str,
    source: Node | None,
    target: Node,
    lines: Sequence[Wanted],
    now: datetime,
    not_before: datetime | None,
) -> OrderSnapshot:
    """The order that moves goods from one node to another. Raises `CannotTransfer`."""
    if source is not None and source.id == target.id:
        raise CannotTransfer(f"{target.code} cannot send to itself: name another node to send from, or none", "from")
    group = DeliveryGroup(
        method=Method.TRANSFER,
        place=_place(target),
        pickup_location=target.code,
        source_location=source.code if source else None,
        not_before=not_before,
    )
    content = OrderContent(
        external_id=external,
        version=int(now.timestamp() * 1_000_000),
        number=external,
        placed_at=now,
        currency=CURRENCY,
        amounts=AmountSet(shop=Amounts(currency=CURRENCY)),
        lines=tuple(
            OrderLine(external_id=str(no), sku=line.sku, quantity=line.quantity) for no, line in enumerate(lines, 1)
        ),
        groups=(group,),
        source=SOURCE,
    )
    return OrderSnapshot(content=content)


def only_moves(order: Order) -> bool:
    """Whether an order only moves goods of ours: nobody buys anything, nothing is booked."""
    return order.content is not None and order.content.source == SOURCE


def destination(order: Order, asked: DeliveryGroup, node: int, batch: Batch) -> int | None:
    """The node that goods of a group go on to from `node`; None when they go to the customer from there."""
    if asked.method not in (Method.TRANSFER, Method.PICK_UP):
        return None
    target = batch.directory.place(order.account, asked.pickup_location)
    return None if target == node else target


def as_routed(group: Group, asked: DeliveryGroup, order: Order, batch: Batch) -> Group:
    """What routing decides for a transfer: the named node alone, or whichever sends it best to the target."""
    if asked.method is not Method.TRANSFER:
        return group
    target = batch.directory.place(order.account, asked.pickup_location)
    if asked.source_location is not None:
        source = batch.directory.place(order.account, asked.source_location)
        return msgspec.structs.replace(group, method=Method.CARRIED_OUT, pickup_node=source)
    return _sent_to(group, target, group.lines, batch)


def by_way_of_another(order: Order, group: Group, unfilled: Sequence[tuple[int, int]], batch: Batch) -> Group | None:
    """What the place where a customer collects has not, as goods to be sent there; None where the rules forbid it.

    Where that place refused, or let wait too long, a person decides: it may be there after all.
    """
    policy = batch.directory.pick_up_policy(order.merchant)
    target = group.pickup_node
    if group.method is not Method.PICK_UP or target is None or not policy.collect.ship_to_store:
        return None
    left = dict(unfilled)
    if any(line.demand in left and target in line.refused_by for line in group.lines):
        return None
    lines = [
        msgspec.structs.replace(line, quantity=left[line.demand], value=line.value * left[line.demand] // line.quantity)
        for line in group.lines
        if line.demand in left
    ]
    return _sent_to(group, target, lines, batch) if lines else None


def _sent_to(group: Group, target: int | None, lines: Sequence[GroupLine], batch: Batch) -> Group:
    node = batch.directory.nodes.get(target or 0)
    place = _place(node) if node else None
    elsewhere = tuple(
        msgspec.structs.replace(line, refused_by=tuple(sorted({*line.refused_by, *((target,) if target else ())})))
        for line in lines
    )
    return msgspec.structs.replace(
        group, method=Method.SHIP, place=place, pickup_node=None, service=None, lines=elsewhere
    )


def _place(node: Node) -> Place:
    address = node.address.place if node.address else Place()
    if node.latitude is None or node.longitude is None:
        return address
    return msgspec.structs.replace(address, latitude=node.latitude, longitude=node.longitude)


# --- on the way ------------------------------------------------------------------------------------------------------


def send(order: Order, part: Slice, units: int, target: int, at: datetime) -> None:
    """Units leave one node for another."""
    assert part.node is not None
    _carry(order, part, part.node, -units, Condition.SELLABLE, StockReason.TRANSFER, at)
    _carry(order, part, target, units, Condition.IN_TRANSIT, StockReason.TRANSFER, at)
    order.advance(part.no, SliceState.IN_TRANSIT, units, node=target)


def advise(order: Order, no: int, units: Mapping[int, int], batch: Batch) -> None:
    """Tell the other node what the newest shipment brings it, where its partner is told such things."""
    fulfilment = order.fulfilments[no]
    if not units or fulfilment.destination is None:
        return
    link = batch.directory.fulfiller(fulfilment.destination, order.merchant)
    if link is not None and link.live("advise_stock"):
        shipment = max(order.shipments)
        effect = AdviseStock(order=order.id, fulfilment=no, shipment=shipment, units=tuple(sorted(units.items())))
        order.plan(link.connection.id, fulfilment.id, effect, shipment)


def stock_advice(
    order: Order,
    effect: AdviseStock,
    *,
    items: Mapping[int, ItemFacts],
    location: str | None,
    ship_from: Contact,
    key: str,
    look_first: bool,
    references: Mapping[str, str],
) -> StockAdvice:
    """What the receiving node is told of goods on their way."""
    shipment = order.shipments[effect.shipment]
    titles = {line.external_id: line.title for line in (order.content.lines if order.content else ())}
    lines = []
    for no, quantity in effect.units:
        demand = order.demands[no]
        item = items.get(demand.item or 0)
        sku = item.sku if item else demand.sku or ""
        lines.append(AdvisedLine(line=str(no), sku=sku, quantity=quantity, title=titles.get(demand.line)))
    return StockAdvice(
        key=key,
        look_first=look_first,
        references=references,
        reference=order.fulfilments[effect.fulfilment].id,
        lines=tuple(lines),
        location=location,
        shipped_at=shipment.shipped_at,
        tracking=next((parcel.tracking for parcel in shipment.parcels if parcel.tracking), None),
        ship_from=ship_from,
    )


def arrive(order: Order, no: int, fact: GoodsArrived, batch: Batch) -> None:
    """Units are on the other shelf: a customer's are reserved there, others are for sale."""
    at = min(fact.at, batch.now)
    total = 0
    for part, units in _under_way(order, no, fact.lines):
        target = part.node
        assert target is not None
        _carry(order, part, target, -units, Condition.IN_TRANSIT, StockReason.TRANSFER, at)
        _carry(order, part, target, units, Condition.SELLABLE, StockReason.TRANSFER, at)
        if only_moves(order):
            order.advance(part.no, SliceState.DELIVERED, units, node=None)
        else:
            order.advance(part.no, SliceState.RESERVED, units, fulfilment=None, reason=None)
        total += units
    if total and order.content is not None and not only_moves(order):
        # Some of it may have been cancelled on the way: it stays on the shelf. A transfer has arrived, wanted or not.
        fit(order, order.content, batch)


def lose(order: Order, no: int, fact: GoodsLost, batch: Batch) -> None:
    """Units will not arrive: written off, told, and a customer's are looked for elsewhere."""
    at = min(fact.at, batch.now)
    total = 0
    for part, units in _under_way(order, no, fact.lines):
        assert part.node is not None
        _carry(order, part, part.node, -units, Condition.IN_TRANSIT, StockReason.LOST, at)
        if only_moves(order):
            order.advance(part.no, SliceState.CANCELLED, units, node=None, reason="lost")
        else:
            order.advance(part.no, SliceState.UNALLOCATED, units, node=None, fulfilment=None, reason="lost")
        total += units
    if not total:
        return
    order.troubles.append(
        Trouble(
            kind="transfer_lost",
            cause=f"{order.fulfilments[no].id}: {fact.reason}",
            next_step=f"{total} units did not arrive. Claim them from the carrier; a count of either shelf corrects "
            "the books when they turn up.",
            external_id=order.external_id,
            waiter=("order", order.id),
        )
    )
    if order.content is not None:
        fit(order, order.content, batch)


def _under_way(order: Order, no: int, lines: Sequence[FactLine]) -> list[tuple[Slice, int]]:
    return units_meant(order, no, lines, lambda part: part.state is SliceState.IN_TRANSIT)


def _carry(
    order: Order, part: Slice, node: int, units: int, condition: Condition, reason: StockReason, at: datetime
) -> None:
    demand = order.demands[part.demand]
    if demand.item is not None and demand.tracked:
        order.carried.append(Carried(demand.item, node, units, condition.value, reason.value, at))
