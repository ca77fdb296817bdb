"""Faults found in other systems' routers, each as the test that it fails here."""

from datetime import UTC, datetime

import pytest

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.routing.decide import decide
from hub.routing.model import Policy, Reason, Snapshot
from hub.routing.prepare import RoutingInputError
from tests.unit.routing.worlds import PLAIN, group, left, line, network, node, sent, used

HERE = Place(country="US", latitude=40.0, longitude=-100.0)


def test_missing_coordinates_are_never_distance_zero():
    """An unlocated store was the closest of all."""
    unlocated, far = node(1, 1), node(2, 1, latitude=-33.0, longitude=151.0)
    assert used(decide(group(line(1), place=HERE), network(unlocated, far), Policy()).plan) == {2}
    half = node(1, 1, latitude=40.0, longitude=None)
    assert used(decide(group(line(1), place=HERE), network(half, far), Policy()).plan) == {2}


def test_missing_coordinates_do_not_pass_a_radius():
    """An unlocated store passed every radius."""
    decision = decide(group(line(1), place=HERE), network(node(1, 1)), Policy(max_distance_km=500))
    assert dict(decision.reasons)[1] is Reason.OUTSIDE_FENCE


def test_a_place_without_coordinates_is_far_from_every_node_alike():
    nodes = (node(1, 1, latitude=0.0, longitude=0.0), node(2, 1, latitude=40.0, longitude=-100.0, priority=1))
    decision = decide(group(line(1), place=Place(country="US")), network(*nodes), Policy())
    assert used(decision.plan) == {2}
    assert decision.plan.cost == decision.runner_up.cost


def test_a_capacity_of_ten_admits_ten():
    """`count + 1 < limit` admitted nine."""
    limit, taken, overflow = 10, 0, 0
    for _ in range(12):
        seen = network(node(1, 99, capacity_left=limit - taken), node(2, 99, handling_cost=9))
        chosen = used(decide(group(line(1)), seen, PLAIN).plan)
        taken, overflow = taken + (chosen == {1}), overflow + (chosen == {2})
    assert (taken, overflow) == (10, 2)


def test_the_day_that_is_over_is_the_nodes_own():
    """Capacity and cut-off days followed the server's offset. 23:30 UTC on Monday is already Tuesday in Tokyo."""
    tokyo = node(1, 1, timezone="Asia/Tokyo", calendar=OpeningHours(weekdays=(0,)))
    chicago = node(2, 1, timezone="America/Chicago", calendar=OpeningHours(weekdays=(0,)), handling_cost=10)
    monday = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
    wanted = group(line(1), deliver_by=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    decision = decide(wanted, Snapshot(at=monday, nodes=(tokyo, chicago)), Policy())
    assert used(decision.plan) == {2}


def test_a_fault_in_the_input_is_not_an_empty_shelf():
    """A failing query became "no inventory" and moved the order to the unfillable ones."""
    with pytest.raises(RoutingInputError, match="ORDER"):
        decide(group(line(1)), network(node(1, 1, 1)), PLAIN)


def test_the_routed_quantity_is_what_is_assigned():
    """The ordered quantity of a line was allocated where a part of it had been routed."""
    decision = decide(group(line(1, quantity=5)), network(node(1, 2), node(2, 2)), PLAIN)
    assert sent(decision.plan) == {(1, 1): 2, (1, 2): 2}
    assert decision.plan.unfilled == ((1, 1),)


def test_a_line_may_come_from_two_warehouses():
    """One warehouse per order, no split of a line."""
    assert left(decide(group(line(1, quantity=4)), network(node(1, 2), node(2, 2)), PLAIN).plan) == 0


def test_the_first_location_is_not_the_answer_because_it_is_first():
    """Stock was reserved at `location_ids[0]`, wherever that was and whatever it held."""
    seen = network(node(1, 34), node(2, 66), node(3, 100))
    assert sent(decide(group(line(1, quantity=100)), seen, PLAIN).plan) == {(1, 3): 100}


def test_what_is_displayed_is_what_is_decided():
    """A test drive routed for real and was then taken back: here deciding touches nothing and can be asked again."""
    wanted, seen = group(line(1)), network(node(1, 1))
    assert decide(wanted, seen, PLAIN) == decide(wanted, seen, PLAIN)
    assert seen == network(node(1, 1))
