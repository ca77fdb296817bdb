"""Take facts to their orders: batches of node facts and carrier scans."""

from collections.abc import Iterable, Iterator, Sequence

from hub.domain.facts import (
    FulfilmentAccepted,
    GoodsArrived,
    GoodsCollected,
    GoodsLost,
    GoodsShipped,
    NodeFact,
    ParcelScanned,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.shipping import TRACKING_RANK
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.confirm import UnknownFulfilment, apply, deliver
from hub.flow.directory import Directory
from hub.flow.once import recall_moved
from hub.flow.ports import Inbound, Unit
from hub.flow.return_parcels import follow
from hub.flow.take_order import advance
from hub.flow.transit import arrivals
from hub.flow.trouble import Trouble

Parked = list[tuple[Inbound, Trouble]]


async def take_facts(
    unit: Unit, messages: Sequence[tuple[Inbound, NodeFact | ParcelScanned]], batch: Batch
) -> tuple[Parked, list[Inbound]]:
    """Apply a batch of facts in one transaction. Returns what needs a person, and what came too early."""
    scans = [fact for _, fact in messages if isinstance(fact, ParcelScanned)]
    parcels = await unit.by_tracking(sorted({scan.tracking for scan in scans})) if scans else {}
    ids = {order for found in parcels.values() for order in found}
    for _, fact in messages:
        if not isinstance(fact, ParcelScanned):
            ids.add(_order_of(fact))
    orders = await unit.by_id(ids - {""})
    await _name_items(unit, orders.values(), [fact for _, fact in messages])
    await recall_moved(unit, [(inbound.id, fact) for inbound, fact in messages], orders)
    parked: Parked = []
    early: list[Inbound] = []
    seen: list[tuple[Order, ParcelScanned]] = []
    for inbound, fact in messages:
        if isinstance(fact, ParcelScanned):
            # Carriers use their numbers again, and another merchant's carrier speaks of another parcel.
            known = [one for id in parcels.get(fact.tracking, ()) if (one := orders[id]).merchant == inbound.merchant]
            for order in known:
                deliver(order, fact.tracking, fact.event.status, fact.at, TRACKING_RANK)
                seen.append((order, fact))
            if not known:
                early.append(inbound)
            continue
        try:
            apply(_told_by(inbound, orders, fact, batch), fact, batch, inbound.id or None)
        except UnknownFulfilment:
            parked.append((inbound, _unknown(inbound, fact)))
    if seen:
        await unit.keep_scans([(order.merchant, scan) for order, scan in seen])
        await follow(unit, orders, seen, batch)
        await unit.keep_transits(arrivals(orders.values(), batch))
    await advance(unit, orders.values(), batch)
    return parked, early


async def apply_facts(unit: Unit, facts: Sequence[NodeFact], batch: Batch) -> None:
    """Apply facts that somebody states through the API, in the caller's transaction. Raises `UnknownFulfilment`."""
    orders = await unit.by_id({_order_of(fact) for fact in facts} - {""})
    await _name_items(unit, orders.values(), facts)
    for fact in facts:
        apply(_known(orders, fact), fact, batch)
    await advance(unit, orders.values(), batch)


async def _name_items(unit: Unit, orders: Iterable[Order], facts: Sequence[NodeFact | ParcelScanned]) -> None:
    """Let orders know the items of the SKUs that their facts name."""
    skus = {sku for fact in facts for sku in _skus(fact)}
    if not skus:
        return
    touched = list(orders)
    for merchant in sorted({order.merchant for order in touched}):
        items = dict(await unit.items_by_sku(merchant, sorted(skus)))
        for order in touched:
            if order.merchant == merchant:
                order.skus = items


def _skus(fact: NodeFact | ParcelScanned) -> Iterator[str]:
    if isinstance(fact, GoodsShipped):
        for parcel in fact.parcels:
            yield from (line.line[4:] for line in parcel.lines if line.line.startswith("sku:"))
    elif isinstance(fact, FulfilmentAccepted):
        yield from (cost.sku for cost in fact.costs if cost.sku is not None)
    elif isinstance(fact, UnitsPicked | UnitsPacked | UnitsShort | GoodsCollected | GoodsArrived | GoodsLost):
        yield from (line.sku for line in fact.lines if line.sku is not None)


def _order_of(fact: NodeFact) -> str:
    try:
        return split_fulfilment_id(fact.fulfilment)[0]
    except ValueError:
        return ""


def _known(orders: dict[str, Order], fact: NodeFact) -> Order:
    order = orders.get(_order_of(fact))
    if order is None:
        raise UnknownFulfilment(fact.fulfilment)
    return order


def _told_by(inbound: Inbound, orders: dict[str, Order], fact: NodeFact, batch: Batch) -> Order:
    """The order of a fact whose sender may speak of it; of what was given to others it knows nothing."""
    order = _known(orders, fact)
    if order.merchant != inbound.merchant or not _concerns(inbound, order, fact, batch.directory):
        raise UnknownFulfilment(fact.fulfilment)
    return order


def _concerns(inbound: Inbound, order: Order, fact: NodeFact, directory: Directory) -> bool:
    """Whether a fulfilment order was given to the sender's account, or is between nodes that it has a part at.

    Of what is worked through the hub, and of what a connection was given that is no more, anybody of the merchant may
    speak.
    """
    fulfilment = order.fulfilments.get(split_fulfilment_id(fact.fulfilment)[1])
    if fulfilment is None or fulfilment.connection in (None, inbound.connection):
        return True
    given = directory.links.get(fulfilment.connection or "")
    if given is None or given.connection.account == inbound.account:
        return True
    nodes = (fulfilment.node, fulfilment.destination)
    parts = {one.connection for key, one in directory.bindings.items() if key[0] in nodes and key[1] == order.merchant}
    links = [directory.links[part] for part in parts if part in directory.links]
    return any(link.connection.account == inbound.account for link in links)


def _unknown(inbound: Inbound, fact: NodeFact) -> Trouble:
    return Trouble(
        kind="unknown_fulfilment",
        cause=f"{inbound.connection}: {fact.fulfilment}",
        next_step="The partner speaks of a fulfilment order that was not made here, or not for it. Ask it where the "
        "number came from; if it has a part at that node, bind it there (PUT /api/v1/nodes/{code}), then retry.",
        external_id=fact.fulfilment,
    )
