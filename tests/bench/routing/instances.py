"""Orders and networks made from a seed, and the values of `hub.routing` for them."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.geography import kilometres, point
from hub.routing.model import Decision, Group, GroupLine, NodeState, Policy, Snapshot
from hub.routing.network import Prepared
from hub.routing.prepare import prepare
from hub.routing.terms.handling import TERM as HANDLING
from hub.routing.terms.parcel import TERM as PARCEL
from hub.routing.terms.stock_out import TERM as STOCK_OUT
from hub.routing.terms.term import Term, Trip
from tests.bench.routing.state import Sent, State

AT: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
OUTSIDE: Final = "outside"
"""Kind of a node that stands for buying elsewhere: everything twice as dear as from the farthest node."""

PER_KG: Final = 93_256
"""Thousandths of a cent: 0.423 USD per pound, from Jasin and Sinha (2015), as are the next two."""
PER_1000_KG_KM: Final = 74_106
"""0.000541 USD per pound and mile."""
PER_PARCEL: Final = 875_900
"""8.759 USD."""
PER_UNFILLED: Final = 1_750_000
"""17.50 USD per line that is not filled: ours."""

FREIGHT_POLICY: Final = Policy(
    version="bench", parcel_cost=PER_PARCEL, per_km=0, per_kg=0, unfilled_cost=PER_UNFILLED, late_cost=0
)

SPARING_POLICY: Final = replace(
    FREIGHT_POLICY, version="sparing", terms={"stock_out": {"cost": 50_000, "keep_units": 20}}
)
"""The same with up to 0.50 USD a unit on the last 20 of a shelf. The figures were tried out on one stream only."""


def freight(grams: int, km: int) -> int:
    """Cost of carrying one unit, in thousandths of a cent."""
    return grams * (1000 * PER_KG + PER_1000_KG_KM * km) // 1_000_000


def _per_unit_at(trip: Trip, line: GroupLine) -> Sequence[int]:
    grams = line.weight_g or 0
    farthest = max((km for km, node in zip(trip.km, trip.nodes, strict=True) if node.kind != OUTSIDE), default=0)
    return [
        2 * freight(grams, farthest) if node.kind == OUTSIDE else freight(grams, km)
        for km, node in zip(trip.km, trip.nodes, strict=True)
    ]


TERMS: Final = (PARCEL, HANDLING, Term(name="freight", applies=lambda _: True, per_unit_at=_per_unit_at), STOCK_OUT)
"""What the streams cost: per parcel, and per unit by weight and way; and a price on the last units of a shelf, where a
policy sets one. Nobody pays that price: it only changes what is chosen, and no total here counts it."""


class Network:
    """Nodes that stay, and what orders to places cost from them."""

    def __init__(self, places: Sequence[tuple[float, float]], outside: bool = False) -> None:
        kinds = ["dc"] * len(places) + [OUTSIDE] * outside
        self.points = [point(*place) for place in places]
        self.fixed = [PER_PARCEL * (1 + (kind == OUTSIDE)) for kind in kinds]
        spots = [*places, (None, None)] if outside else list(places)
        self.nodes = tuple(
            NodeState(
                id=k + 1,
                code=f"N{k:03}",
                kind=kind,
                available=(),
                latitude=spot[0],
                longitude=spot[1],
                handling_cost=PER_PARCEL * (kind == OUTSIDE),
            )
            for k, (kind, spot) in enumerate(zip(kinds, spots, strict=True))
        )
        self.outside = outside
        self.prepared: Prepared = prepare(self.nodes, FREIGHT_POLICY, TERMS)
        self._templates = [
            {name: getattr(node, name) for name in node.__struct_fields__ if name != "available"} for node in self.nodes
        ]

    def kms(self, place: tuple[float, float]) -> list[int]:
        """Kilometres to each node; as far as the farthest for buying elsewhere."""
        here = point(*place)
        assert here is not None
        kms = [kilometres(here, there) for there in self.points if there is not None]
        return kms + [max(kms)] * self.outside

    def snapshot(self, held: Sequence[Sequence[int]]) -> Snapshot:
        """The network with so many units per node and line."""
        return Snapshot(
            at=AT,
            nodes=tuple(
                NodeState(available=tuple(own), **fields) for own, fields in zip(held, self._templates, strict=True)
            ),
        )

    def state(self, need: Sequence[int], held: Sequence[Sequence[int]], kms: Sequence[int], grams: int) -> State:
        """The same as peers see it."""
        unit = [freight(grams, km) for km in kms]
        if self.outside:
            unit[-1] = 2 * unit[-1]
        return State(
            need=tuple(need),
            held=tuple(tuple(min(units, most) for units, most in zip(own, need, strict=True)) for own in held),
            fixed=tuple(self.fixed),
            unit=tuple((cost,) * len(need) for cost in unit),
            near=tuple(sorted(range(len(kms)), key=lambda k: (kms[k], k))),
            unfilled=PER_UNFILLED,
        )


def order_of(need: Sequence[int], place: tuple[float, float], grams: int, name: str = "bench") -> Group:
    """An order for so many units of each line."""
    return Group(
        order=name,
        group="main",
        method=Method.SHIP,
        channel="bench",
        currency="USD",
        placed_at=AT,
        lines=tuple(GroupLine(demand=n, item=n, quantity=units, weight_g=grams) for n, units in enumerate(need, 1)),
        place=Place(country="US", latitude=place[0], longitude=place[1]),
    )


def sent_of(decision: Decision, lines: int) -> Sent:
    """A decision's plan as peers write theirs: for orders of this file, whose nodes and demands count from 1."""
    sent: Sent = {}
    for a in decision.plan.assignments:
        sent.setdefault(a.node - 1, [0] * lines)[a.demand - 1] += a.quantity
    return sent


class Drawn(NamedTuple):
    """An order over a network across a continent, under the default policy."""

    group: Group
    snapshot: Snapshot


def drawn(chance: random.Random, lines: int, nodes: int, held: float = 0.5) -> Drawn:
    """A group of single units; each (line, node) pair is in stock with chance `held`."""
    wanted = tuple(
        GroupLine(demand=n, item=n, quantity=1, weight_g=chance.randint(100, 3000)) for n in range(1, lines + 1)
    )
    states = tuple(
        NodeState(
            id=k,
            code=f"N{k:03}",
            kind="dc",
            available=tuple(int(chance.random() < held) for _ in wanted),
            country="US",
            latitude=chance.uniform(25, 48),
            longitude=chance.uniform(-120, -70),
        )
        for k in range(1, nodes + 1)
    )
    place = Place(
        country="US", latitude=round(chance.uniform(25, 48), 2), longitude=round(chance.uniform(-120, -70), 2)
    )
    group = Group(
        order="bench",
        group="main",
        method=Method.SHIP,
        channel="bench",
        currency="USD",
        placed_at=AT,
        lines=wanted,
        place=place,
    )
    return Drawn(group, Snapshot(at=AT, nodes=states))
