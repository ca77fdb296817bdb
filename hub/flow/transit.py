"""How long parcels are under way: what the promise rules say of the service that an order goes by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from hub.domain.order import Method
from hub.flow.directory import Network
from hub.promise.calendar import CalendarError
from hub.promise.offer import Offer, Service
from hub.promise.reach import Origin, Reach, travel
from hub.routing.compiled import reads_of_nodes
from hub.routing.fences import asked, distance
from hub.routing.model import Group, NodeState, Policy
from hub.routing.prepare import Prepared

FACT: Final = "transit_days"


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
    return [_sent(node, service, network.offer, group, at, km[node.id]) for node in nodes]


def _reads(policy: Policy) -> bool:
    return FACT in reads_of_nodes(policy)


def _sent(node: NodeState, service: Service, offer: Offer, group: Group, at: datetime, km: int | None) -> NodeState:
    country = group.place.country if group.place else None
    start = max(at, group.no_earlier_than or at)
    try:
        found = travel(service, origin_of(node), start, country=country, km=km, timezone=offer.timezone(country))
    except CalendarError:
        return node  # routing takes a node that never works for late, and the promises say what to mend
    return node if found is None else arriving(node, found)


def arriving(node: NodeState, found: Reach) -> NodeState:
    """A node from which a parcel arrives so."""
    return replace(node, transit_days=found.days, arrives_by=found.deliver_by)


def origin_of(node: NodeState) -> Origin:
    """What promises ask of a node."""
    return Origin(node.calendar, node.timezone, node.country)


def known_km(group: Group, prepared: Prepared) -> dict[int, int | None]:
    """Kilometres to the place by node; None where either end is unknown."""
    want = asked(group, prepared.policy)
    return {
        site.id: None if want.here is None or site.point is None else distance(want, site) for site in prepared.sites
    }
