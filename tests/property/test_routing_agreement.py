"""On random orders every search, a general solver and every peer are asked for the same state.

The searches and the solver must find the same cost, the peers none that is lower. `make bench-routing` asks for 1,000.
"""

import random

import pytest

from tests.bench.routing import agreement, baskets, stream
from tests.bench.routing.milp import ABSENT, PRESENT, milp


def test_all_searches_agree_and_no_peer_is_cheaper():
    told = agreement.measure(120, seed=20, solver=False)
    assert told["disagreements"] == {}
    assert told["faults_found"] == 0
    assert told["certificates"].keys() <= {"tried", "prices"}
    assert min(told["compared"][name] for name in ("subsets", "branching", "prices", "plan")) > 50


@pytest.mark.skipif(not PRESENT, reason=ABSENT)
def test_a_general_solver_agrees():
    chance = random.Random(21)
    for _ in range(60):
        trial = agreement.Trial(chance)
        assert trial.state.cost(milp(trial.state)) == trial.decide().plan.cost


def test_over_a_stream_no_peer_is_cheaper_on_any_order():
    """A made-up shop, each order with the stock that those before it have left."""
    told = stream.measure(baskets.made_up(orders_per_day=4, days=85), cycles=1)
    engine, exact = told["engine"], told["routers"]["exact"]
    assert engine["orders_where_a_peer_is_cheaper"] == 0
    assert engine["faults_found"] == 0
    assert sum(engine["certificates"].values()) == exact["orders"] == 112
    assert exact["over_proximity_walk"] < 1
