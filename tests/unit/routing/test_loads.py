"""Orders of many lines where terms price whole parcels: what terms ask at least, the bound, and the plan."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.contact import Place
from hub.routing.certificate import check
from hub.routing.cover import cover
from hub.routing.decide import decide
from hub.routing.hull import line_below
from hub.routing.loads import approach
from hub.routing.model import Policy, Solver
from hub.routing.prepare import prepare
from hub.routing.survey import survey
from hub.routing.terms import TERMS
from tests.unit.routing.worlds import group, left, line, network, node

HERE = Place(country="US", latitude=40.0, longitude=-75.0)
POST = {
    "name": "post",
    "zones_km": [[100, "near"], [20_000, "far"]],
    "breaks_g": [1000, 2000, 5000, 31_500],
    "rates": {"near": [4200, 4800, 5500, 12_900], "far": [5200, 6800, 9900, 29_900]},
    "fuel_percent": 8,
    "dimensional_g": 200,
    "class_surcharges": {"hazmat": 500},
}
HAUL = {"name": "haul", "zones": {"*": "all"}, "breaks_g": [20_000], "rates": {"all": [8900]}, "nodes": ["A", "C"]}
CARRIERS = {"carriers": [POST, HAUL], "unknown_cost": 25_000}
POLICIES = {
    "steps": Policy(parcel_cost=100, per_km=1, rate_steps=((1000, 4200), (5000, 6500), (31_500, 15_000))),
    "picking": Policy(parcel_cost=1000, per_km=1, terms={"picking": {"per_line": 301, "per_unit": 7}}),
    "rates": Policy(parcel_cost=0, per_km=0, terms={"carrier_rates": CARRIERS, "picking": {"per_line": 300}}),
    "weighted": Policy(parcel_cost=0, terms={"carrier_rates": CARRIERS}, weights={"carrier_rates": 33}),
}


def world(chance, lines, nodes, stock=(0, 1, 3)):
    """A random order over a random network."""
    wanted = group(
        *(
            line(
                n,
                quantity=chance.randint(1, 3),
                weight_g=chance.choice([None, 90, 700, 4000]),
                volume_cm3=chance.choice([None, 500, 9000]),
                classes=chance.choice([(), (), ("hazmat",)]),
            )
            for n in range(1, lines + 1)
        ),
        place=HERE,
    )
    states = [
        node(
            k,
            *(chance.choice(stock) for _ in range(lines)),
            latitude=40.0 + chance.random() * 3,
            longitude=-75.0,
            capabilities=("ship", "hazmat"),
            handling_cost=chance.randint(0, 900),
        )
        for k in range(1, nodes + 1)
    ]
    return wanted, network(*states)


def seen_under(policy, wanted, snapshot):
    """The survey under a policy."""
    return survey(wanted, snapshot, prepare(snapshot.nodes, policy))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 99)), min_size=1, max_size=5, unique_by=lambda step: step[0]),
    st.integers(0, 120),
)
def test_the_line_is_nowhere_above_the_steps(steps, near):
    limits, costs = sorted(limit for limit, _ in steps), sorted(cost for _, cost in steps)
    table = list(zip(limits, costs, strict=True))
    line = line_below(table, near)
    assert min(line) >= 0
    for grams in range(1, 3 * limits[-1]):
        full, rest = divmod(grams, limits[-1])
        cost = full * costs[-1] + (next(c for limit, c in table if rest <= limit) if rest or not full else 0)
        assert line.base + line.at(grams) <= cost


def test_the_line_comes_close_where_it_is_asked_to():
    steps = [(1000, 400), (2000, 420), (10_000, 900)]
    assert line_below(steps, 500) == (400, 0, 1)
    light, heavy = line_below(steps, 1500), line_below(steps, 9000)
    assert light.base + light.at(2000) == 420
    assert heavy.base + heavy.at(10_000) == 900
    assert line_below([], 10) == (0, 0, 1)
    assert line_below([(0, 70)], 10) == (70, 0, 1)


@pytest.mark.parametrize("name", POLICIES)
def test_no_term_asks_less_than_it_says(name):
    chance, compared = random.Random(3), 0
    for _ in range(40):
        wanted, snapshot = world(chance, 4, 3)
        seen = seen_under(POLICIES[name], wanted, snapshot)
        for term in seen.loads:
            least = term.least_of(seen.trip, chance.choice([1, 900, 5000, 40_000]))
            for k in range(3):
                units = [chance.randint(0, one.quantity) for one in wanted.lines]
                parts = least.parcel[k] if any(units) else 0
                for n, (count, one) in enumerate(zip(units, wanted.lines, strict=True)):
                    parts += least.line[n][k] if count == one.quantity else count * least.unit[n][k]
                if any(units):
                    assert parts <= term.per_load(seen.trip, k, units)
                    compared += 1
    assert compared > 80


def test_every_term_that_prices_whole_parcels_says_what_it_asks_at_least():
    """Without it an order of many lines has no bound worth the name."""
    assert [t.name for t in TERMS if (t.per_load or t.loads_of) and not t.least_of] == []


@pytest.mark.parametrize("name", POLICIES)
def test_the_bound_holds_and_the_plan_is_close(name):
    chance, excess = random.Random(4), []
    for _ in range(12):
        wanted, snapshot = world(chance, 7, 6, stock=(0, 3))
        seen = seen_under(POLICIES[name], wanted, snapshot)
        rows = [row for row in range(7) if any(mask >> row & 1 for mask in seen.masks)]
        exact, near = cover(seen, rows, 10), approach(seen, rows, [], None)
        assert near.bound <= exact.cost <= near.cost
        excess.append(near.cost / exact.cost - 1)
    assert sum(excess) / len(excess) < 0.05
    assert name != "picking" or max(excess) == 0


@pytest.mark.parametrize("name", POLICIES)
def test_forty_lines_are_decided_with_a_bound(name):
    policy = POLICIES[name]
    wanted, snapshot = world(random.Random(5), 40, 12)
    decision = decide(wanted, snapshot, policy)
    assert decision.solver is Solver.LOCATING
    assert decision.gap < decision.plan.cost // 2
    assert check(wanted, snapshot, policy, decision) == []
    assert decide(wanted, snapshot, policy) == decision


def test_a_limit_of_splits_holds_for_many_lines():
    policy = Policy(parcel_cost=0, per_km=0, max_splits=2, terms={"picking": {"per_line": 300}})
    wanted, snapshot = world(random.Random(6), 24, 10, stock=(1, 3, 3))
    decision = decide(wanted, snapshot, policy)
    assert len({a.node for a in decision.plan.assignments}) <= 3
    assert left(decision.plan) == 0
    assert check(wanted, snapshot, policy, decision) == []
