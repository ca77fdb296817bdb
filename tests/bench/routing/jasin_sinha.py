"""The test bed of Jasin and Sinha (2015) in the form of Ma's public code (2023), its small network, re-implemented.

5 nodes, 10 cities, 20 items; 5 random orders of each size 1 to 5 and the empty one; 10,000 arrivals. A node carries an
item with chance 0.75 and holds what the cities nearest to it among its carriers are expected to ask for, and half a
standard deviation more. What no node has is bought outside at twice the cost. The ruler is the fluid linear programme,
which no policy beats in expectation; it knows the arrival rates, which the engine does not.
"""

import random
from collections import Counter
from itertools import accumulate
from statistics import mean, pstdev
from typing import Any, Final, NamedTuple

from hub.routing.certificate import examine
from hub.routing.decide import decide
from tests.bench.routing.baskets import DATA, GRAMS_PER_POUND, geography, nodes_of
from tests.bench.routing.instances import FREIGHT_POLICY, TERMS, Network, freight, order_of, sent_of
from tests.bench.routing.milp import ABSENT, PRESENT, quiet
from tests.bench.routing.peers import most_lines, nearest_per_line, proximity_walk
from tests.bench.routing.state import Sent, State
from tests.bench.routing.timing import Figures

ITEMS: Final = 20
SIZES: Final = 5
ORDERS_PER_SIZE: Final = 5
ARRIVALS: Final = 10_000
PEERS: Final = {"nearest per line": nearest_per_line, "proximity walk": proximity_walk, "most lines": most_lines}


class Instance(NamedTuple):
    """One draw of orders, rates and stock."""

    network: Network
    cities: list[tuple[float, float]]
    kms: list[list[int]]
    orders: list[tuple[int, ...]]
    """Items of each kind of order; the empty one is left out."""
    rates: list[list[float]]
    """Per kind of order and city: the chance of an arrival."""
    stock: list[list[int]]
    """Per node and item; the last node is the outside."""


def draw(chance: random.Random, carried: float) -> Instance:
    """An instance with its stock."""
    land, places = geography("cities_warmup.csv"), nodes_of("fulfillment_centers_warmup.csv")
    people = [b - a for a, b in zip([0, *land.cumulated], land.cumulated, strict=False)]
    network = Network(places, outside=True)
    kms = [network.kms(city) for city in land.places]
    orders, weights = [], []
    by_size = _normalised([chance.random() for _ in range(SIZES + 1)])
    for size in range(1, SIZES + 1):
        orders += [tuple(sorted(chance.sample(range(ITEMS), size))) for _ in range(ORDERS_PER_SIZE)]
        weights += [by_size[size] * w for w in _normalised([chance.random() for _ in range(ORDERS_PER_SIZE)])]
    rates = [[weight * share for share in _normalised(people)] for weight in weights]
    stock = [[0] * ITEMS for _ in places] + [[ARRIVALS] * ITEMS]
    for item in range(ITEMS):
        carriers = [k for k in range(len(places)) if chance.random() < carried] or [chance.randrange(len(places))]
        asked = [0.0] * len(places)
        for city in range(len(land.places)):
            nearest = min(carriers, key=lambda k: kms[city][k])
            asked[nearest] += sum(rate[city] for order, rate in zip(orders, rates, strict=True) if item in order)
        for k in carriers:
            stock[k][item] = round(ARRIVALS * asked[k] + 0.5 * (ARRIVALS * asked[k] * (1 - asked[k])) ** 0.5)
    return Instance(network, land.places, kms, orders, rates, stock)


def _normalised(weights: list[Any]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]


def fluid_bound(drawn: Instance) -> float:
    """Optimum of the fluid programme, in thousandths of a cent. Raises `ImportError` without `highspy`."""
    solver = quiet()
    inf = solver.inf
    used: dict[tuple[int, int], list[tuple[int, float]]] = {}
    count = 0

    def column(cost: float, most: float) -> int:
        nonlocal count
        solver.addCol(cost, 0.0, most, 0, [], [])
        count += 1
        return count - 1

    for order, rates in zip(drawn.orders, drawn.rates, strict=True):
        for city, rate in enumerate(rates):
            volume = ARRIVALS * rate
            unit = _unit_costs(drawn, city)
            opened = [column(volume * cost, 1.0) for cost in drawn.network.fixed]
            for item in order:
                parts = [column(volume * cost, inf) for cost in unit]
                for k, part in enumerate(parts):
                    solver.addRow(-inf, 0.0, 2, [part, opened[k]], [1.0, -1.0])
                    used.setdefault((k, item), []).append((part, volume))
                solver.addRow(1.0, 1.0, len(parts), parts, [1.0] * len(parts))
    for (k, item), parts in used.items():
        if k < len(drawn.stock) - 1:
            columns, volumes = zip(*parts, strict=True)
            solver.addRow(-inf, float(drawn.stock[k][item]), len(parts), list(columns), list(volumes))
    solver.run()
    return float(solver.getInfo().objective_function_value)


def _unit_costs(drawn: Instance, city: int) -> list[int]:
    unit = [freight(GRAMS_PER_POUND, km) for km in drawn.kms[city]]
    return [*unit[:-1], 2 * unit[-1]]


def run(drawn: Instance, seed: int, router: str, checked: Counter[str]) -> int:
    """Total cost of one sequence of arrivals under a router."""
    chance = random.Random(seed)
    kinds = [(order, city) for order in drawn.orders for city in range(len(drawn.cities))]
    weights = [rate for rates in drawn.rates for rate in rates]
    weights.append(max(0.0, 1.0 - sum(weights)))
    picks = chance.choices(range(len(weights)), cum_weights=list(accumulate(weights)), k=ARRIVALS)
    stock, total = [own[:] for own in drawn.stock], 0
    for pick in picks:
        if pick == len(kinds):
            continue
        order, city = kinds[pick]
        held = [[own[item] for item in order] for own in stock]
        state = drawn.network.state([1] * len(order), held, drawn.kms[city], GRAMS_PER_POUND)
        sent = _exact(drawn, state, city, held, checked) if router == "exact" else PEERS[router](_first_inside(state))
        total += state.cost(sent)
        for k, units in sent.items():
            for item, count in zip(order, units, strict=True):
                stock[k][item] -= count
    return total


def _exact(drawn: Instance, state: State, city: int, held: list[list[int]], checked: Counter[str]) -> Sent:
    group, snapshot = order_of(state.need, drawn.cities[city], GRAMS_PER_POUND), drawn.network.snapshot(held)
    decision = decide(group, snapshot, FREIGHT_POLICY, drawn.network.prepared)
    faults, proof = examine(group, snapshot, FREIGHT_POLICY, decision, TERMS)
    checked[proof.value] += 1
    checked["faults"] += len(faults)
    return sent_of(decision, len(state.need))


def _first_inside(state: State) -> State:
    """For peers the outside comes last: it is used for what nobody has."""
    outside = len(state.held) - 1
    inside = [max(own[n] for own in state.held[:-1]) for n in range(len(state.need))]
    held = (*state.held[:-1], tuple(need if not some else 0 for need, some in zip(state.need, inside, strict=True)))
    return state._replace(held=held, near=(*(k for k in state.near if k != outside), outside))


def measure(instances: int, sequences: int, carried: float = 0.75) -> Figures:
    """Mean cost over the bound, with its standard deviation over instances."""
    if not (DATA / "js_network").exists():
        return {"not run": "the test bed's cities and nodes are not beside the repository"}
    if not PRESENT:
        return {"not run": ABSENT}
    checked = Counter[str]()
    ratios: dict[str, list[float]] = {name: [] for name in ("exact", *PEERS)}
    for number in range(instances):
        drawn = draw(random.Random(number), carried)
        bound = fluid_bound(drawn)
        for name, own in ratios.items():
            own.append(mean(run(drawn, 1000 * number + n, name, checked) for n in range(sequences)) / bound)
    return {
        "setting": f"5 nodes, 10 cities, {ITEMS} items, {ARRIVALS} arrivals, carried with chance {carried}",
        "instances": instances,
        "sequences": sequences,
        "faults_found": checked.pop("faults"),
        "certificates": dict(checked),
        "cost_over_fluid_bound": {
            name: {
                "mean": round(mean(own), 4),
                "sd_over_instances": round(pstdev(own), 4),
                "smallest": round(min(own), 4),
                "largest": round(max(own), 4),
            }
            for name, own in ratios.items()
        },
    }
