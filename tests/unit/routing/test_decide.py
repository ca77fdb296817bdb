"""What a decision promises, one situation at a time."""

from datetime import timedelta

import pytest

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Assignment, Policy, Reason, RunnerUp, Solver
from hub.routing.prepare import RoutingInputError, prepare
from tests.unit.routing.worlds import AT, PLAIN, group, left, line, network, node, sent, used

BERLIN = Place(country="DE", latitude=52.52, longitude=13.40)


def reason_of(decision, number):
    """The reason told of a node."""
    return dict(decision.reasons)[number]


def test_one_line_goes_from_the_nearest_node_that_has_it():
    near = node(1, 1, latitude=52.40, longitude=13.06)
    far = node(2, 1, latitude=48.14, longitude=11.58)
    empty = node(3, 0, latitude=52.52, longitude=13.40)
    decision = decide(group(line(1), place=BERLIN), network(near, far, empty), Policy())
    assert sent(decision.plan) == {(1, 1): 1}
    assert [reason_of(decision, n) for n in (1, 2, 3)] == [Reason.CHOSEN, Reason.COSTLIER, Reason.NO_STOCK]
    assert decision.runner_up is not None
    assert used(decision.runner_up) == {2}
    assert decision.runner_up_is is RunnerUp.EXACT
    assert decision.proven
    assert decision.gap == 0


def test_lines_are_not_parted_while_one_node_has_them_all():
    decision = decide(group(line(1), line(2)), network(node(1, 1, 0), node(2, 0, 1), node(3, 1, 1)), PLAIN)
    assert sent(decision.plan) == {(1, 3): 1, (2, 3): 1}
    assert decision.plan.cost == 1000


def test_two_cheap_parcels_beat_a_dear_one():
    dear = (node(1, 1, 1, handling_cost=9_000), node(2, 1, 1, handling_cost=10_000))
    decision = decide(group(line(1), line(2)), network(*dear, node(3, 1, 0), node(4, 0, 1)), PLAIN)
    assert used(decision.plan) == {3, 4}
    assert decision.runner_up is not None
    assert used(decision.runner_up) == {1}


def test_the_runner_up_may_have_more_parcels_than_the_plan():
    whole = (node(1, 1, 1, handling_cost=1_500), node(2, 1, 1, handling_cost=8_000))
    apart = (node(3, 1, 0, handling_cost=1_000), node(4, 0, 1, handling_cost=1_000))
    decision = decide(group(line(1), line(2)), network(*whole, *apart), PLAIN)
    assert used(decision.plan) == {1}
    assert decision.runner_up is not None
    assert (used(decision.runner_up), decision.runner_up.cost) == ({3, 4}, 4_000)


def test_the_runner_up_may_be_a_part_of_the_plans_nodes():
    """By weight two light parcels are cheaper than one heavy one, which is the only other way."""
    policy = Policy(parcel_cost=1000, per_km=0, per_kg=0, rate_steps=((1_000, 0), (5_000, 9_000)))
    lines = (line(1, weight_g=800), line(2, weight_g=800))
    decision = decide(group(*lines), network(node(1, 1, 1, handling_cost=100), node(2, 0, 1)), policy)
    assert used(decision.plan) == {1, 2}
    assert decision.runner_up is not None
    assert (used(decision.runner_up), decision.runner_up.cost) == ({1}, 10_100)
    assert decision.runner_up_is is RunnerUp.EXACT


def test_ties_go_by_priority_then_code_and_the_first_demand_decides_first():
    equal = network(node(1, 1, 1, code="B"), node(2, 1, 1, code="A"), node(3, 1, 1, code="C", priority=50))
    assert used(decide(group(line(1), line(2)), equal, PLAIN).plan) == {3}
    parted = network(node(1, 1, 0, code="B"), node(2, 1, 0, code="A"), node(3, 0, 1, code="C"))
    assert sent(decide(group(line(1), line(2)), parted, PLAIN).plan) == {(1, 2): 1, (2, 3): 1}


def test_the_order_of_nodes_and_lines_in_the_input_changes_nothing():
    nodes = [node(1, 2, 0), node(2, 1, 1), node(3, 0, 5)]
    lines = [line(1, quantity=2), line(2)]
    forward = decide(group(*lines), network(*nodes), PLAIN)
    turned = [node(n.id, *reversed(n.available)) for n in reversed(nodes)]
    assert decide(group(*reversed(lines)), network(*turned), PLAIN) == forward


def test_what_no_node_holds_waits_while_the_rest_goes():
    decision = decide(group(line(1), line(2, quantity=3)), network(node(1, 1, 0)), PLAIN)
    assert sent(decision.plan) == {(1, 1): 1}
    assert decision.plan.unfilled == ((2, 3),)
    assert decision.plan.cost == 1000 + 100_000
    assert decision.proven


def test_a_servable_line_is_never_left_because_sending_it_is_dear():
    dear = Policy(parcel_cost=1000, per_km=0, per_kg=1_000_000, unfilled_cost=1)
    decision = decide(group(line(1, weight_g=900_000)), network(node(1, 1)), dear)
    assert decision.plan.unfilled == ()


def test_all_or_nothing_leaves_everything():
    decision = decide(group(line(1), line(2)), network(node(1, 1, 0)), Policy(allow_partial=False, unfilled_cost=7))
    assert decision.plan.assignments == ()
    assert decision.plan.unfilled == ((1, 1), (2, 1))
    assert decision.plan.cost == 14
    assert decision.solver is Solver.NOTHING
    assert decision.proven
    assert reason_of(decision, 1) is Reason.PARTIAL_STOCK


def test_a_group_kept_together_goes_from_one_node_or_not_at_all():
    lines = (line(1), line(2))
    apart = network(node(1, 1, 0), node(2, 0, 1))
    assert left(decide(group(*lines, keep_together=True), apart, PLAIN).plan) == 2
    whole = network(node(1, 1, 0), node(2, 0, 1), node(3, 1, 1, handling_cost=90_000))
    assert used(decide(group(*lines, keep_together=True), whole, PLAIN).plan) == {3}


def test_a_group_kept_together_does_not_share_one_unit_between_two_lines():
    lines = (line(1, item=7), line(2, item=7))
    decision = decide(group(*lines, keep_together=True), network(node(1, 1, 1), node(2, 2, 2)), PLAIN)
    assert used(decision.plan) == {2}


def test_marked_lines_go_together_and_the_others_as_they_like():
    lines = (line(1, together="set"), line(2), line(3, together="set"))
    decision = decide(group(*lines), network(node(1, 1, 1, 0), node(2, 1, 0, 1)), PLAIN)
    assert sent(decision.plan) == {(1, 2): 1, (3, 2): 1, (2, 1): 1}


def test_a_marked_line_is_not_spread():
    lines = (line(1, quantity=2, together="set"), line(2, together="set"))
    decision = decide(group(*lines), network(node(1, 1, 1), node(2, 1, 1)), PLAIN)
    assert decision.plan.assignments == ()


def test_a_line_is_spread_only_when_no_node_has_it_whole():
    spread = decide(group(line(1, quantity=5)), network(node(1, 3), node(2, 2), node(3, 4)), PLAIN)
    assert left(spread.plan) == 0
    assert len(used(spread.plan)) == 2
    whole = decide(group(line(1, quantity=5)), network(node(1, 3), node(2, 2), node(3, 5, handling_cost=9_999)), PLAIN)
    assert sent(whole.plan) == {(1, 3): 5}
    assert not check(group(line(1, quantity=5)), network(node(1, 3), node(2, 2), node(3, 4)), PLAIN, spread)


def test_a_line_is_not_spread_where_the_policy_forbids_it():
    policy = Policy(split_line=False, parcel_cost=1000, per_km=0)
    decision = decide(group(line(1, quantity=5)), network(node(1, 3), node(2, 2)), policy)
    assert decision.plan.unfilled == ((1, 5),)
    assert reason_of(decision, 1) is Reason.PARTIAL_STOCK


def test_a_large_quantity_is_spread_exactly():
    held = network(node(1, 60), node(2, 50, handling_cost=5), node(3, 30), node(4, 20))
    decision = decide(group(line(1, quantity=100)), held, PLAIN)
    assert used(decision.plan) == {1, 2}
    assert left(decision.plan) == 0
    assert decision.proven


def test_two_lines_of_one_item_share_its_stock():
    lines = (line(1, item=7, quantity=2), line(2, item=7, quantity=2))
    decision = decide(group(*lines), network(node(1, 3, 3), node(2, 2, 2)), PLAIN)
    assert left(decision.plan) == 0
    assert used(decision.plan) == {1, 2}
    one = decide(group(*lines), network(node(1, 3, 3)), PLAIN)
    assert sum(one_line.quantity for one_line in one.plan.assignments) == 3
    assert left(one.plan) == 1


def test_lines_of_one_item_with_different_figures_count_the_smallest():
    lines = (line(1, item=7), line(2, item=7))
    decision = decide(group(*lines), network(node(1, 5, 1)), PLAIN)
    assert left(decision.plan) == 1


@pytest.mark.parametrize(("splits", "parcels", "over"), [(0, 1, 2), (1, 2, 1), (2, 3, 0), (None, 3, 0)])
def test_no_more_parcels_than_the_policy_allows(splits, parcels, over):
    policy = Policy(parcel_cost=1000, per_km=0, per_kg=0, max_splits=splits)
    three = network(node(1, 1, 0, 0), node(2, 0, 1, 0), node(3, 0, 0, 1))
    decision = decide(group(line(1), line(2), line(3)), three, policy)
    assert (len(used(decision.plan)), left(decision.plan)) == (parcels, over)
    assert decision.proven
    told = {Reason.CHOSEN} if over == 0 else {Reason.CHOSEN, Reason.SPLIT_LIMIT}
    assert {reason for _, reason in decision.reasons} == told


def test_pick_up_comes_from_the_pick_up_node_only():
    wanted = group(line(1, quantity=2), method=Method.PICK_UP, pickup_node=2, place=BERLIN)
    both = ("ship", "pick_up")
    decision = decide(wanted, network(node(1, 9, capabilities=both), node(2, 1, capabilities=both)), Policy())
    assert sent(decision.plan) == {(1, 2): 1}
    assert decision.plan.unfilled == ((1, 1),)
    assert reason_of(decision, 1) is Reason.NOT_THE_PICKUP_NODE
    assert decision.plan.cost == Policy().unfilled_cost


def test_a_pick_up_without_a_known_node_waits():
    wanted = group(line(1), method=Method.PICK_UP)
    decision = decide(wanted, network(node(1, 9, capabilities=("pick_up",))), Policy())
    assert decision.plan.assignments == ()
    assert reason_of(decision, 1) is Reason.NOT_THE_PICKUP_NODE


def test_a_late_parcel_costs_more_than_a_longer_way():
    wanted = group(line(1), place=BERLIN, deliver_by=AT + timedelta(days=1))
    near = node(1, 1, latitude=52.4, longitude=13.1, transit_days=2)
    far = node(2, 1, latitude=48.1, longitude=11.6, transit_days=0)
    assert used(decide(wanted, network(near, far), Policy()).plan) == {2}
    assert used(decide(group(line(1), place=BERLIN), network(near, far), Policy()).plan) == {1}


def test_an_empty_group_is_decided():
    decision = decide(group(), network(node(1)), PLAIN)
    assert decision.plan.assignments == ()
    assert decision.plan.cost == 0
    assert decision.proven


def test_no_nodes_at_all_leaves_the_group_waiting():
    decision = decide(group(line(1)), network(), PLAIN)
    assert decision.plan.unfilled == ((1, 1),)
    assert decision.reasons == ()


def test_prepared_once_gives_what_preparing_every_time_gives():
    first = network(node(1, 1, 0), node(2, 0, 1), node(3, 1, 1))
    prepared = prepare(first.nodes, PLAIN)
    later = network(node(1, 0, 0), node(2, 5, 1, capacity_left=1), node(3, 1, 1, capacity_left=0))
    wanted = group(line(1), line(2))
    assert decide(wanted, later, PLAIN, prepared) == decide(wanted, later, PLAIN)


@pytest.mark.parametrize(
    ("wanted", "seen", "words"),
    [
        (group(line(1, quantity=0)), network(node(1, 1)), "less than one unit"),
        (group(line(1), line(1)), network(node(1, 1, 1)), "two lines"),
        (group(line(1)), network(node(1, 1, 1)), "do not match"),
        (group(line(1)), network(node(1, 1), node(1, 1)), "same id"),
        (group(line(1)), network(node(1, 1, handling_cost=-1)), "negative"),
    ],
)
def test_input_that_contradicts_itself_is_refused_with_a_reason(wanted, seen, words):
    with pytest.raises(RoutingInputError, match=words):
        decide(wanted, seen, PLAIN)


def test_a_snapshot_of_other_nodes_than_prepared_is_refused():
    prepared = prepare((node(1, 1),), PLAIN)
    with pytest.raises(RoutingInputError, match="prepare again"):
        decide(group(line(1)), network(node(1, 1), node(2, 1)), PLAIN, prepared)
    with pytest.raises(RoutingInputError, match="not the one prepared"):
        decide(group(line(1)), network(node(2, 1)), PLAIN, prepared)
    with pytest.raises(RoutingInputError, match="prepared for policy"):
        decide(group(line(1)), network(node(1, 1)), Policy(), prepared)


def test_assignments_name_demands_in_order():
    decision = decide(group(line(9), line(3)), network(node(1, 1, 1)), PLAIN)
    assert decision.plan.assignments == (
        Assignment(demand=3, node=1, quantity=1),
        Assignment(demand=9, node=1, quantity=1),
    )
