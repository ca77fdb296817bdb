"""How long parcels are under way: what the promise rules say of a service, and how long those that arrived took."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from hub.domain.order import Method
from hub.domain.shipping import TrackingStatus
from hub.flow.aggregate import Order, Parcelled
from hub.flow.batch import Batch
from hub.flow.directory import Network
from hub.flow.fulfil import delivery
from hub.promise.calendar import CalendarError, local_day, zone_of
from hub.promise.lanes import Delivered, Went
from hub.promise.offer import DAY_ENDS_LAST, Service
from hub.promise.reach import Origin, Reach, travel
from hub.routing.compiled import reads_of_nodes
from hub.routing.fences import asked, distance
from hub.routing.model import Group, NodeState, Policy
from hub.routing.prepare import Prepared

FACT: Final = "transit_days"
DELIVERED: Final = TrackingStatus.DELIVERED.value


def under_way(nodes: Sequence[NodeState], network: Network, group: Group, at: datetime) -> Sequence[NodeState]:
    """Nodes with the days from each to the group's place, and when a parcel has arrived there if anybody waits for it.

    As they are where nobody asks: no condition of the policy reads it, and the group need not arrive by any time. What
    cannot be told stays unknown: a service that the rules do not name, one that does not go there, a broken calendar.
    """
    if group.method is not Method.SHIP or network.offer is None:
        return nodes
    if group.deliver_by is None and not _reads(network.policy):
        return nodes
    service = network.offer.service(group.service)
    if service is None:
        return nodes
    km = known_km(group, network.prepared)
    return [_sent(node, service, network, group, at, km[node.id]) for node in nodes]


def _reads(policy: Policy) -> bool:
    return FACT in reads_of_nodes(policy)


def _sent(node: NodeState, service: Service, network: Network, group: Group, at: datetime, km: int | None) -> NodeState:
    country, offer = group.place.country if group.place else None, network.offer
    assert offer is not None
    start = max(at, group.no_earlier_than or at)
    try:
        zone = offer.timezone(country)
        found = travel(service, origin_of(node), start, country=country, km=km, timezone=zone, lanes=network.lanes)
    except CalendarError:
        return node  # routing takes a node that never works for late, and the promises say what to mend
    return node if found is None else arriving(node, found)


def arriving(node: NodeState, found: Reach) -> NodeState:
    """A node from which a parcel arrives so."""
    return replace(node, transit_days=found.days, arrives_by=found.deliver_by)


def origin_of(node: NodeState) -> Origin:
    """What promises ask of a node."""
    return Origin(node.calendar, node.timezone, node.country, node.id)


def known_km(group: Group, prepared: Prepared) -> dict[int, int | None]:
    """Kilometres to the place by node; None where either end is unknown."""
    want = asked(group, prepared.policy)
    return {
        site.id: None if want.here is None or site.point is None else distance(want, site) for site in prepared.sites
    }


def arrivals(orders: Iterable[Order], batch: Batch) -> list[Delivered]:
    """Parcels that a carrier delivered in this batch, each once: the next ones are promised by them.

    Days are counted in the time that a promise to the place is counted in.
    """
    found = []
    for order in orders:
        for place, parcel in order.parcels.items():
            before = order.before.parcels.get(place)
            if parcel.status == DELIVERED and order.acting and (before is None or before.status != DELIVERED):
                found.append(_delivered(order, parcel, batch))
    return found


def _delivered(order: Order, parcel: Parcelled, batch: Batch) -> Delivered:
    shipment = order.shipments[parcel.shipment]
    fulfilment = order.fulfilments[shipment.fulfilment]
    group = delivery(order, fulfilment.group)
    country = (group.place.country if group.place else None) or ""
    offer = batch.directory.offer(order.merchant)
    service = offer.service(group.service) if offer else None
    zone = zone_of(offer.timezone(country) if offer else DAY_ENDS_LAST)
    went = Went(
        fulfilment.node,
        country,
        service.name if service else group.service or "",
        local_day(shipment.shipped_at, zone),
        local_day(max(parcel.at, shipment.shipped_at), zone),
        1,
    )
    box = shipment.parcels[parcel.no - 1]
    return Delivered(order.merchant, went, parcel.carrier or "", box.service or "")
