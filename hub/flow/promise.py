"""Before purchase: which services could bring a basket to a place, by when, from where. Decides, reserves nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec.structs import replace

from hub.domain.contact import Place
from hub.domain.item import margin
from hub.domain.order import Method
from hub.flow.aggregate import Order
from hub.flow.scene import Network, Scene
from hub.flow.stock_ports import ItemFacts
from hub.flow.transit import arriving, known_km, origin_of
from hub.promise.calendar import CalendarError
from hub.promise.confidence import Travelled, confidence
from hub.promise.offer import Offer, Service
from hub.promise.reach import Reach, travel
from hub.routing.conditions import ConditionFailed
from hub.routing.decide import decide
from hub.routing.model import Decision, Group, GroupLine, NodeState, Policy, Snapshot
from hub.routing.prepare import prepare

ORDER: Final = "promise"
"""What a basket is called in decisions: it is no order yet."""


class Wanted(NamedTuple):
    """Units of an item, kits taken apart already."""

    item: int
    units: int
    value: int = 0
    """What is paid for them, in minor units; conditions of a policy may ask."""


class Basket(NamedTuple):
    """What somebody thinks of buying."""

    merchant: str
    account: int
    channel: str
    lines: Sequence[Wanted]
    place: Place
    shop: str | None = None
    """The vendor's own name of the account."""
    currency: str | None = None
    """Of the values; None is the policy's."""
    timezone: str | None = None
    """Of the place; None takes the offer's for its country."""
    deliver_by: datetime | None = None
    """Only promises that are kept by then; None takes all."""
    customer_group: str | None = None
    tags: tuple[str, ...] = ()


class Why(StrEnum):
    """Why there is no promise."""

    NOTHING_SHIPS = "nothing_ships"
    NOT_STOCKED = "not_stocked"
    """No node that serves this holds as many units as are asked for and not promised to others."""
    NO_NODE = "no_node"
    """The goods are there, but no node that has them may, can or knows when to send them to the place."""
    NOT_IN_TIME = "not_in_time"
    """It could be sent, but not arrive by the time that is asked for."""
    NO_ANSWER = "no_answer"
    """A condition of the routing policy has no answer for this basket."""


class Sent(NamedTuple):
    """One parcel of an option."""

    node: str
    ship_by: datetime
    deliver_by: datetime
    units: tuple[tuple[int, int], ...]
    """(item, units)."""


class Option(NamedTuple):
    """A promise that can be kept as of now. The cost is in thousandths of a minor unit of the policy's currency."""

    service: str
    parcels: tuple[Sent, ...]
    cost: int
    confidence: int | None
    """Percent; None while there is too little history."""

    @property
    def deliver_by(self) -> datetime:
        """When the last parcel has arrived."""
        return max(parcel.deliver_by for parcel in self.parcels)

    @property
    def ship_by(self) -> datetime:
        """When the last parcel has left."""
        return max(parcel.ship_by for parcel in self.parcels)


class Declined(NamedTuple):
    """A service that is not offered, or all of them, and why."""

    service: str | None
    why: Why
    missing: tuple[tuple[int, int], ...] = ()
    """(item, units) that nobody has."""
    notes: tuple[str, ...] = ()
    """What to mend, such as a node's calendar."""


class Promised(NamedTuple):
    """What may be promised: the earliest first, then the cheapest."""

    options: tuple[Option, ...]
    declined: tuple[Declined, ...]
    policy: Policy
    timezone: str


def promise(
    basket: Basket,
    scene: Scene,
    offer: Offer,
    at: datetime,
    loose: Mapping[int, int],
    history: Iterable[Travelled] = (),
) -> Promised:
    """What may be promised for a basket, as the network is at `at`.

    `loose` are units by item that are promised to others without a node yet: captured orders, back-orders, carts. They
    come first, wherever they will be taken from. A promise is made by the same `decide` that routes orders; it holds
    nothing, so what is promised may be gone by the time it is bought.
    """
    order = _order(basket, at)
    network = scene.network(order)
    zone = basket.timezone or offer.timezone(basket.place.country)
    shipping = [line for line in basket.lines if scene.items[line.item].ships]
    if not shipping:
        return Promised((), (Declined(None, Why.NOTHING_SHIPS),), network.policy, zone)
    group = _group(basket, shipping, scene.items, network.policy, at)
    snapshot = scene.snapshot(network, group, at)
    missing = _missing(group, snapshot, loose)
    if missing:
        return Promised((), (Declined(None, Why.NOT_STOCKED, missing),), network.policy, zone)
    seller = _Seller(group, snapshot, network, zone, tuple(history))
    found = [seller.option(service) for service in offer.services]
    options = sorted((one for one in found if isinstance(one, Option)), key=lambda o: (o.deliver_by, o.cost, o.service))
    declined = tuple(one for one in found if isinstance(one, Declined))
    return Promised(tuple(options), declined, network.policy, zone)


def _order(basket: Basket, at: datetime) -> Order:
    """As much of an order as the scene asks for."""
    return Order(
        id=ORDER,
        merchant=basket.merchant,
        account=basket.account,
        connection=basket.channel,
        external_id=ORDER,
        number=ORDER,
        currency="",
        placed_at=at,
        version=0,
        revision=0,
        acting=False,
    )


def group_lines(lines: Iterable[Wanted], items: Mapping[int, ItemFacts], currency: str) -> tuple[GroupLine, ...]:
    """Lines as routing sees them, numbered from 1 as they come; their values are in `currency`."""
    return tuple(
        GroupLine(
            demand=no,
            item=line.item,
            quantity=line.units,
            weight_g=items[line.item].weight_g,
            value=line.value,
            classes=items[line.item].classes,
            volume_cm3=items[line.item].volume_cm3,
            margin=margin(line.value, line.units, items[line.item].unit_cost, currency) if line.value else None,
        )
        for no, line in enumerate(lines, 1)
    )


def _group(
    basket: Basket, lines: Iterable[Wanted], items: Mapping[int, ItemFacts], policy: Policy, at: datetime
) -> Group:
    currency = basket.currency or policy.currency
    return Group(
        order=ORDER,
        group="main",
        method=Method.SHIP,
        channel=basket.channel,
        account=basket.shop,
        currency=currency,
        placed_at=at,
        lines=group_lines(lines, items, currency),
        place=basket.place,
        customer_group=basket.customer_group,
        tags=basket.tags,
        deliver_by=basket.deliver_by,
    )


def _missing(group: Group, snapshot: Snapshot, loose: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """(item, units) beyond what serving nodes hold and nobody else was promised."""
    wanted: dict[int, int] = {}
    held: dict[int, int] = {}
    for position, line in enumerate(group.lines):
        wanted[line.item] = wanted.get(line.item, 0) + line.quantity
        held[line.item] = sum(max(0, node.available[position]) for node in snapshot.nodes if node.usable)
    short = ((item, units - max(0, held[item] - loose.get(item, 0))) for item, units in wanted.items())
    return tuple((item, units) for item, units in short if units > 0)


class _Seller:
    """One basket, looked at service by service."""

    def __init__(
        self, group: Group, snapshot: Snapshot, network: Network, zone: str, history: tuple[Travelled, ...]
    ) -> None:
        self.group, self.snapshot, self.policy = group, snapshot, network.policy
        self.zone, self.history, self.lanes = zone, history, network.lanes
        self.km = known_km(group, prepare(snapshot.nodes, network.policy))

    def option(self, service: Service) -> Option | Declined:
        """The best way to serve the basket with a service, or why there is none."""
        wanted = self.group.deliver_by
        reach: dict[int, Reach] = {}
        notes: list[str] = []
        for node in self.snapshot.nodes:
            try:
                found = self._reach(service, node)
            except CalendarError as error:
                notes.append(f"node {node.code}: {error}")
                continue
            if found is not None:
                reach[node.id] = found
        on_time = {node for node, one in reach.items() if wanted is None or one.deliver_by <= wanted}
        try:
            decision = self._decide(service, reach, on_time)
            if not decision.plan.unfilled:
                return self._option(service, decision, reach)
            late = wanted is not None and not self._decide(service, reach, set(reach)).plan.unfilled
        except ConditionFailed as error:
            return Declined(service.name, Why.NO_ANSWER, notes=(str(error),))
        return Declined(service.name, Why.NOT_IN_TIME if late else Why.NO_NODE, notes=tuple(notes))

    def _reach(self, service: Service, node: NodeState) -> Reach | None:
        """When a parcel from a node arrives; None where the service does not go. Raises `CalendarError`."""
        country = self.group.place.country if self.group.place else None
        km = self.km[node.id]
        start, zone = self.snapshot.at, self.zone
        return travel(service, origin_of(node), start, country=country, km=km, timezone=zone, lanes=self.lanes)

    def _decide(self, service: Service, reach: Mapping[int, Reach], usable: set[int]) -> Decision:
        """The path's own decision, over the nodes from which the service keeps the promise."""
        nodes = tuple(
            replace(
                arriving(node, reach[node.id]) if node.id in reach else node, enabled=node.enabled and node.id in usable
            )
            for node in self.snapshot.nodes
        )
        group = replace(self.group, service=service.name)
        return decide(group, replace(self.snapshot, nodes=nodes), self.policy)

    def _option(self, service: Service, decision: Decision, reach: Mapping[int, Reach]) -> Option:
        codes = {node.id: node.code for node in self.snapshot.nodes}
        items = {line.demand: line.item for line in self.group.lines}
        sent: dict[int, dict[int, int]] = {}
        for a in decision.plan.assignments:
            units = sent.setdefault(a.node, {})
            units[items[a.demand]] = units.get(items[a.demand], 0) + a.quantity
        parcels = tuple(
            Sent(codes[node], reach[node].ship_by, reach[node].deliver_by, tuple(sorted(units.items())))
            for node, units in sent.items()
        )
        promised = {node: reach[node].deliver_by - reach[node].ship_by for node in sent}
        return Option(service.name, parcels, decision.plan.cost, confidence(self.history, promised))
