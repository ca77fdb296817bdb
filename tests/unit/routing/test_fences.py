"""What keeps a node out, and the one reason that is told of it."""

import pytest

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.decide import decide
from hub.routing.model import Policy, Reason
from hub.routing.prepare import RoutingInputError, prepare
from tests.unit.routing.worlds import group, line, network, node, used

HERE = Place(country="DE", latitude=50.0, longitude=10.0)


def told(of, wanted=None, policy=None):
    """The reason told of a node that stands beside a dear one which could do everything."""
    sure = node(26, 9, handling_cost=10**9, country="DE", capabilities=("ship", "hazmat"), latitude=50, longitude=10)
    decision = decide(wanted or group(line(1), place=HERE), network(of, sure), policy or Policy())
    assert used(decision.plan) == ({of.id} if dict(decision.reasons)[of.id] is Reason.CHOSEN else {26})
    return dict(decision.reasons)[of.id]


def test_without_a_fence_the_cheaper_node_is_chosen():
    assert told(node(1, 1)) is Reason.CHOSEN


def test_a_disabled_node_is_out():
    assert told(node(1, 1, enabled=False)) is Reason.DISABLED


def test_a_node_that_does_not_serve_the_channel_is_out_and_one_that_is_off_besides_is_told_to_be_off():
    assert told(node(1, 1, serves=False)) is Reason.NOT_SERVED
    assert told(node(1, 1, serves=False, enabled=False)) is Reason.DISABLED


def test_a_node_that_cannot_ship_is_out():
    assert told(node(1, 1, capabilities=("pick_up",))) is Reason.NOT_CAPABLE


def test_local_delivery_needs_a_node_that_delivers():
    wanted = group(line(1), method=Method.DELIVER)
    decision = decide(wanted, network(node(1, 1), node(2, 1, capabilities=("deliver",))), Policy())
    assert used(decision.plan) == {2}
    assert dict(decision.reasons)[1] is Reason.NOT_CAPABLE


def test_an_item_of_a_class_needs_a_node_capable_of_it():
    wanted = group(line(1, classes=("hazmat",)), place=HERE)
    assert told(node(1, 1), wanted) is Reason.NOT_CAPABLE
    assert told(node(1, 1, capabilities=("ship", "hazmat")), wanted) is Reason.CHOSEN


def test_a_node_that_refused_the_demand_is_out_for_it_alone():
    assert told(node(1, 1), group(line(1, refused_by=(1,)), place=HERE)) is Reason.REFUSED_BEFORE
    two = group(line(1, refused_by=(1,)), line(2))
    decision = decide(two, network(node(1, 1, 1), node(2, 1, 0)), Policy())
    assert {(a.demand, a.node) for a in decision.plan.assignments} == {(1, 2), (2, 1)}


@pytest.mark.parametrize(("left", "reason"), [(0, Reason.NO_CAPACITY), (1, Reason.CHOSEN), (None, Reason.CHOSEN)])
def test_a_node_without_capacity_is_out(left, reason):
    assert told(node(1, 1, capacity_left=left)) is reason


@pytest.mark.parametrize(
    ("country", "reason"), [("DE", Reason.CHOSEN), ("FR", Reason.OUTSIDE_FENCE), (None, Reason.OUTSIDE_FENCE)]
)
def test_goods_stay_in_a_known_country(country, reason):
    assert told(node(1, 1, country=country), policy=Policy(stay_in_country=True)) is reason


def test_an_unknown_country_of_the_place_is_no_country():
    decision = decide(group(line(1)), network(node(1, 1, country=None)), Policy(stay_in_country=True))
    assert decision.plan.assignments == ()
    assert dict(decision.reasons)[1] is Reason.OUTSIDE_FENCE


@pytest.mark.parametrize(
    ("latitude", "reason"), [(50.5, Reason.CHOSEN), (52.0, Reason.OUTSIDE_FENCE), (None, Reason.OUTSIDE_FENCE)]
)
def test_a_radius_holds_and_unknown_coordinates_are_outside_it(latitude, reason):
    of = node(1, 1, latitude=latitude, longitude=10.0)
    assert told(of, policy=Policy(max_distance_km=100)) is reason


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(node_groups={"east": ("A", "Z")}, use_groups=("east",)), Reason.CHOSEN),
        (Policy(node_groups={"east": ("Z",)}, use_groups=("east",)), Reason.OUTSIDE_FENCE),
        (Policy(node_groups={"west": ("A",)}, skip_groups=("west",)), Reason.OUTSIDE_FENCE),
    ],
)
def test_node_groups_fence(policy, reason):
    assert told(node(1, 1), policy=policy) is reason


def test_a_group_that_the_policy_lacks_is_refused():
    with pytest.raises(RoutingInputError, match="'north'"):
        prepare((node(1),), Policy(use_groups=("north",)))


@pytest.mark.parametrize(("held", "reason"), [(0, Reason.NO_STOCK), (1, Reason.PARTIAL_STOCK), (2, Reason.CHOSEN)])
def test_stock_is_looked_at_last(held, reason):
    assert told(node(1, held), group(line(1, quantity=2), place=HERE)) is reason
    assert told(node(1, held, enabled=False), group(line(1, quantity=2), place=HERE)) is Reason.DISABLED
