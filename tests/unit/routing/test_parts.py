"""The least worth of the parts of a parted group: a split that makes an unsellable remainder is no split."""

from decimal import Decimal

import pytest

from hub.domain.item import margin
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Policy
from tests.unit.routing.worlds import group, left, line, network, node, sent, used


def policy(**more):
    """Only parcels cost."""
    return Policy(version="parts", parcel_cost=1000, per_km=0, per_kg=0, unfilled_cost=100_000, **more)


def decided(wanted, seen, **more):
    """The decision, which the checker accepts."""
    decision = decide(wanted, seen, policy(**more))
    assert check(wanted, seen, policy(**more), decision) == []
    assert decision.proven
    return decision


TWO = (line(1, value=3000, margin=900), line(2, value=400, margin=100))
APART = network(node(1, 1, 0), node(2, 0, 1))


def test_both_parcels_are_worth_enough():
    assert used(decided(group(*TWO), APART, min_part_value=400).plan) == {1, 2}


@pytest.mark.parametrize("least", [{"min_part_value": 401}, {"min_part_margin": 101}])
def test_a_parcel_worth_too_little_does_not_go(least):
    """Nor may it wait alone, as it is worth too little to be left over too."""
    assert decided(group(*TWO), APART, **least).plan.assignments == ()


def test_a_remainder_worth_too_little_holds_the_rest_back():
    """A threshold on the part that goes would send the first line and leave a remainder that is not worth a parcel."""
    short = network(node(1, 1, 0))
    assert used(decided(group(*TWO), short, min_part_value=400).plan) == {1}
    assert decided(group(*TWO), short, min_part_value=401).plan.assignments == ()


def test_the_whole_goes_from_one_node_whatever_it_is_worth():
    both = network(node(1, 1, 0), node(2, 0, 1), node(3, 1, 1, handling_cost=50_000))
    assert used(decided(group(*TWO), both, min_part_value=10_000).plan) == {3}


def test_a_line_goes_along_to_make_a_part_worth_sending():
    """The dear line alone would be the cheapest split; the third line must go with the second to be worth enough."""
    lines = (*TWO, line(3, value=400, margin=None))
    seen = network(node(1, 1, 0, 1), node(2, 0, 1, 1, handling_cost=10))
    assert sent(decided(group(*lines), seen).plan) == {(1, 1): 1, (2, 2): 1, (3, 1): 1}
    assert sent(decided(group(*lines), seen, min_part_value=800).plan) == {(1, 1): 1, (2, 2): 1, (3, 2): 1}


def test_an_unknown_margin_earns_nothing():
    lines = (line(1, value=3000, margin=900), line(2, value=3000, margin=None))
    assert decided(group(*lines), APART, min_part_margin=1).plan.assignments == ()


def test_part_of_a_line_is_worth_its_share():
    wanted, seen = group(line(1, quantity=4, value=1000)), network(node(1, 3), node(2, 1))
    assert left(decided(wanted, seen, min_part_value=250).plan) == 0
    assert sent(decided(wanted, network(node(1, 3), node(2, 2)), min_part_value=500).plan) == {(1, 1): 2, (1, 2): 2}
    half = decided(wanted, seen, min_part_value=251).plan
    assert (sent(half), half.unfilled) == ({(1, 1): 2}, ((1, 2),))
    assert decided(wanted, seen, min_part_value=501).plan.assignments == ()


def test_many_lines_whose_cheapest_split_is_too_small_are_still_sent():
    """Above what can be counted: the plan keeps the rule, and says that it is not proven the best."""
    lines = [line(n, value=100) for n in range(1, 41)]
    nodes = [node(k, *[1] * (40 - k), *[0] * k, code=f"N{k}", handling_cost=k) for k in range(1, 9)]
    nodes += [node(9, *[0] * 39, 1, code="N9"), node(10, *[1] * 40, code="Z", handling_cost=9_000)]
    wanted, seen = group(*lines), network(*nodes)
    small = policy(min_part_value=200, search_budget=1000)
    decision = decide(wanted, seen, small)
    assert check(wanted, seen, small, decision) == []
    assert used(decide(wanted, seen, policy(search_budget=1000)).plan) == {1, 9}
    assert (used(decision.plan), left(decision.plan)) == ({10}, 0)


@pytest.mark.parametrize(
    ("value", "units", "costs", "currency", "earned"),
    [
        (1000, 2, {"EUR": "3.20"}, "EUR", 360),
        (1000, 3, {"EUR": "0.0035"}, "EUR", 998),  # 1.05 cents of cost are two
        (1000, 2, {"JPY": "320"}, "JPY", 360),
        (100, 1, {"EUR": "3.20"}, "EUR", -220),
        (1000, 2, {"USD": "3.20"}, "EUR", None),
        (1000, 2, {}, "EUR", None),
        (1000, 2, {"XXX": "1"}, "XXX", None),
    ],
)
def test_a_margin_is_known_only_where_the_cost_is(value, units, costs, currency, earned):
    """Unknown is never zero: an item without a cost earns nobody knows what."""
    assert margin(value, units, {name: Decimal(cost) for name, cost in costs.items()}, currency) == earned
