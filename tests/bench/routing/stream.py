"""A shop's orders one after the other, each routed with the stock that those before it have left.

Every 28 days the nodes are filled anew: what the 56 days before suggest for the cities that are nearest to each node
carrying the SKU (each does with chance 0.5), and half a standard deviation more. Costs are freight by weight and way,
a parcel, and 17.50 for a line that is not filled; see `instances.py`.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from hub.routing.certificate import examine
from hub.routing.decide import decide
from hub.routing.model import Decision, Policy
from hub.routing.network import Prepared
from hub.routing.prepare import prepare
from hub.routing.solve import solve
from hub.routing.survey import survey
from tests.bench.routing.baskets import Basket, Shop
from tests.bench.routing.instances import FREIGHT_POLICY, TERMS, Network, order_of, sent_of
from tests.bench.routing.peers import PEERS
from tests.bench.routing.state import Sent, State
from tests.bench.routing.timing import Figures, best_us, spread_of

CYCLE: Final = timedelta(days=28)
LOOK_BACK: Final = 2
"""Cycles of history that a forecast reads."""
CARRIED: Final = 0.5
BASELINE: Final = "proximity walk"
SIZES: Final = ((1, 8), (9, 12), (13, 20), (21, 40))
"""Lines by which times are told."""
ROUNDS: Final = 3
"""Of which the best counts, for orders of the first size."""


class Asked(NamedTuple):
    """One order as it comes to be routed."""

    basket: Basket
    skus: list[str]
    need: list[int]
    held: list[list[int]]
    """Per node and line."""
    state: State


Router = Callable[[Asked], Sent]


class Totals:
    """What a router's decisions came to."""

    def __init__(self) -> None:
        self.cost = 0
        self.orders = 0
        self.parcels = 0
        self.lines = 0
        self.unfilled = 0

    def add(self, asked: Asked, sent: Sent) -> None:
        """Count one order."""
        self.cost += asked.state.cost(sent)
        self.orders += 1
        self.parcels += sum(any(units) for units in sent.values())
        self.lines += len(asked.need)
        for n, need in enumerate(asked.need):
            self.unfilled += sum(units[n] for units in sent.values()) < need

    def told(self) -> Figures:
        """Per order."""
        return {
            "orders": self.orders,
            "usd_per_order": round(self.cost / self.orders / 1e5, 2),
            "parcels_per_order": round(self.parcels / self.orders, 3),
            "unfilled_lines": round(self.unfilled / self.lines, 4),
        }


class Stream:
    """A shop over its network. `cycles` says how many stretches of 28 days are replayed."""

    def __init__(self, shop: Shop, cycles: int, seed: int = 1) -> None:
        self.shop = shop
        self.network = Network(shop.nodes)
        self.kms = [self.network.kms(city) for city in shop.cities]
        self.near = [sorted(range(len(kms)), key=lambda k, kms=kms: (kms[k], k)) for kms in self.kms]
        chance = random.Random(seed)
        self.carried: dict[str, list[int]] = {}
        for sku in sorted({sku for basket in shop.baskets for sku in basket.units}):
            own = [k for k in range(len(shop.nodes)) if chance.random() < CARRIED]
            self.carried[sku] = own or [chance.randrange(len(shop.nodes))]
        first = min(basket.at for basket in shop.baskets).replace(hour=0, minute=0, second=0)
        last = max(basket.at for basket in shop.baskets)
        starts = (first + CYCLE * (LOOK_BACK + n) for n in range(cycles))
        self.starts = [start for start in starts if start + CYCLE <= last + timedelta(days=1)]

    def replay(self, router: Router) -> Iterator[tuple[Asked, Sent]]:
        """Route every order, taking what is sent off the stock."""
        for start in self.starts:
            stock = self._filled(start)
            for basket in self.shop.baskets:
                if start <= basket.at < start + CYCLE:
                    asked = self._asked(basket, stock)
                    sent = router(asked)
                    for node, units in sent.items():
                        for sku, count in zip(asked.skus, units, strict=True):
                            stock[sku][node] -= count
                            assert stock[sku][node] >= 0
                    yield asked, sent

    def _asked(self, basket: Basket, stock: dict[str, list[int]]) -> Asked:
        skus = sorted(basket.units)
        need = [basket.units[sku] for sku in skus]
        held = [[stock[sku][node] for sku in skus] for node in range(len(self.shop.nodes))]
        state = self.network.state(need, held, self.kms[basket.city], self.shop.grams)
        return Asked(basket, skus, need, held, state)

    def _filled(self, start: object) -> dict[str, list[int]]:
        """Stock per SKU and node at the start of a cycle."""
        units, squares = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
        for basket in self.shop.baskets:
            if start - CYCLE * LOOK_BACK <= basket.at < start:  # type: ignore[operator]
                for sku, count in basket.units.items():
                    node = next(k for k in self.near[basket.city] if k in self.carried[sku])
                    units[sku, node] += count
                    squares[sku, node] += count * count
        stock = {sku: [0] * len(self.shop.nodes) for sku in self.carried}
        for (sku, node), count in units.items():
            deviation = math.sqrt(squares[sku, node] / LOOK_BACK)
            stock[sku][node] = round(count / LOOK_BACK + 0.5 * deviation)
        return stock


class Engine:
    """The hub's router over a stream, with what is found out on the way."""

    def __init__(self, stream: Stream, policy: Policy, timed: bool) -> None:
        self.stream = stream
        self.policy = policy
        self.prepared: Prepared = prepare(stream.network.nodes, policy, TERMS)
        self.timed = timed
        self.times: dict[tuple[int, int], tuple[list[float], list[float]]] = {size: ([], []) for size in SIZES}
        self.gaps: dict[tuple[int, int], list[float]] = {size: [] for size in SIZES}
        self.worse = Counter[str]()
        self.peer_cost = Counter[str]()
        self.own_cost = 0
        self.beaten = 0
        self.proofs = Counter[str]()
        self.faults = 0

    def __call__(self, asked: Asked) -> Sent:
        """Decide and have the certificate checked; where it is timed, compare with every peer at the same state."""
        group = order_of(asked.need, self.stream.shop.cities[asked.basket.city], self.stream.shop.grams)
        snapshot = self.stream.network.snapshot(asked.held)
        rounds = ROUNDS if self.timed and len(asked.need) <= SIZES[0][1] else 1
        whole_us, decision = best_us(lambda: decide(group, snapshot, self.policy, self.prepared), rounds)
        found, proof = examine(group, snapshot, self.policy, decision, TERMS)
        self.faults += len(found)
        self.proofs[proof.value] += 1
        if self.timed:
            seen = survey(group, snapshot, self.prepared)
            search_us, _ = best_us(lambda: solve(seen), rounds)
            size = next(size for size in SIZES if len(asked.need) <= size[1])
            self.times[size][0].append(search_us)
            self.times[size][1].append(whole_us)
            self.gaps[size].append(decision.gap / max(1, decision.plan.cost))
            self._compare(asked, decision)
        return sent_of(decision, len(asked.need))

    def _compare(self, asked: Asked, decision: Decision) -> None:
        self.own_cost += decision.plan.cost
        for name, peer in PEERS.items():
            cost = asked.state.cost(peer(asked.state))
            self.peer_cost[name] += cost
            self.worse[name] += cost > decision.plan.cost
            self.beaten += cost < decision.plan.cost

    def told(self) -> Figures:
        """Times by lines, and the comparison order by order at the same state."""
        orders = sum(self.proofs.values())
        return {
            "by_lines": {
                f"{low}-{high}": {
                    "search": spread_of(self.times[low, high][0]),
                    "decide": spread_of(self.times[low, high][1]),
                    "proven_share": round(sum(not gap for gap in gaps) / len(gaps), 4),
                    "largest_gap": round(max(gaps), 4),
                }
                for (low, high), gaps in self.gaps.items()
                if gaps
            },
            "peers_at_the_same_state": {
                name: {
                    "cost_over_exact": round(cost / self.own_cost, 4),
                    "worse_on_share_of_orders": round(self.worse[name] / orders, 4),
                }
                for name, cost in self.peer_cost.items()
            },
            "orders_where_a_peer_is_cheaper": self.beaten,
            "certificates": dict(self.proofs),
            "faults_found": self.faults,
        }


def measure(shop: Shop, cycles: int, policies: Sequence[tuple[str, Policy]] = ()) -> Figures:
    """Every peer and the engine, each over its own copy of the stream."""
    stream = Stream(shop, cycles)
    routers: dict[str, Router] = {name: lambda asked, peer=peer: peer(asked.state) for name, peer in PEERS.items()}
    engine = Engine(stream, FREIGHT_POLICY, timed=True)
    routers["exact"] = engine
    others = {name: Engine(stream, policy, timed=False) for name, policy in policies}
    routers |= others
    figures: dict[str, Figures] = {}
    costs: dict[str, list[int]] = {}
    for name, router in routers.items():
        totals, per_cycle = Totals(), Counter[object]()
        for asked, sent in stream.replay(router):
            totals.add(asked, sent)
            start = max(start for start in stream.starts if start <= asked.basket.at)
            per_cycle[start] += asked.state.cost(sent)
        costs[name] = [totals.cost, *per_cycle.values()]
        figures[name] = totals.told()
    for name, figure in figures.items():
        ratios = [own / base for own, base in zip(costs[name], costs[BASELINE], strict=True)]
        figure["over_proximity_walk"] = round(ratios[0], 4)
        figure["per_cycle"] = [round(ratio, 4) for ratio in ratios[1:]]
    for name, other in others.items():
        figures[name] |= {"certificates": dict(other.proofs), "faults_found": other.faults}
    return {"made_up": shop.made_up, "cycles": len(stream.starts), "routers": figures, "engine": engine.told()}
