"""What rules, blackouts, reservations, markets and classes keep nodes out of."""

from datetime import UTC, datetime

import pytest

from hub.domain.contact import Place
from hub.routing.conditions import ConditionFailed
from hub.routing.decide import decide
from hub.routing.model import Reason
from tests.unit.routing.chains import BLACKOUT, DROP_STORES, FAR, HERE, NEAR, decided, policy, told
from tests.unit.routing.worlds import group, left, line, network, node, used


@pytest.mark.parametrize(
    ("value", "country", "sender"), [(5000, "DE", 2), (4999, "DE", 1), (5000, "FR", 1), (5000, None, 1)]
)
def test_a_fence_stands_where_its_rule_fires(value, country, sender):
    wanted = group(line(1, value=value), place=Place(country=country, latitude=50.0, longitude=10.0))
    decision = decided(DROP_STORES, wanted, node(1, 1, kind="store", **NEAR), node(2, 1, **FAR))
    assert used(decision.plan) == {sender}
    assert decision.rules == (("dear orders not from stores",) if sender == 2 else ())
    assert (told(decision)[1] is Reason.OUTSIDE_FENCE) == (sender == 2)


def test_keep_shuts_out_all_others():
    rules = """
    [[rule]]
    name = "at home"
    fence = [{ keep = 'node.same_country && node.kind in ["dc", "3pl"]' }]
    """
    nodes = (
        node(1, 1, **FAR),
        node(2, 1, kind="store", **NEAR),
        node(3, 1, kind="3pl", **NEAR),
        node(4, 1, latitude=50.0, longitude=10.0),
    )
    decision = decided(rules, group(line(1), place=HERE), *nodes)
    assert used(decision.plan) == {3}
    assert [told(decision)[n] for n in (1, 2, 4)] == [Reason.OUTSIDE_FENCE] * 3


def test_an_unknown_distance_is_outside_a_radius():
    """HotWax's defect: a store without coordinates was the closest of all and passed every radius."""
    rules = """
    [[rule]]
    name = "radius"
    fence = [{ keep = "node.distance_km <= 500" }]
    """
    decision = decided(rules, group(line(1), place=HERE), node(1, 1), node(2, 1, **FAR), node(3, 1, **NEAR))
    assert used(decision.plan) == {3}
    nowhere = decided(rules, group(line(1)), node(1, 1, **NEAR))
    assert told(nowhere) == {1: Reason.OUTSIDE_FENCE}


def test_units_are_kept_for_whom_they_are_kept_for():
    rules = """
    [node_groups]
    stores = ["A"]
    [[reservation]]
    name = "counter"
    kept_for = 'order.source == "pos"'
    groups = ["stores"]
    units = 2
    [[reservation]]
    name = "a fifth of spare parts"
    kept_for = "order.b2b"
    classes = ["spare"]
    percent = 20
    """
    store = node(1, 3, capabilities=("ship", "spare"), **NEAR)
    assert left(decided(rules, group(line(1, quantity=2), source="web"), store).plan) == 1
    assert left(decided(rules, group(line(1, quantity=3), source="pos"), store).plan) == 0
    spare = (line(1, quantity=3, classes=("spare",)),)
    assert left(decided(rules, group(*spare, source="pos"), store).plan) == 1, "0.6 of a unit is one"
    assert left(decided(rules, group(*spare, source="pos", customer_group="wholesale"), store).plan) == 0
    nobody = node(1, 1, capabilities=("ship", "spare"), **NEAR)
    assert left(decided(rules, group(line(1), source="web"), nobody).plan) == 1, "never below nothing"


@pytest.mark.parametrize(
    ("zone", "hour", "minute", "out"),
    [
        ("Europe/Berlin", 0, 29, False),  # 01:29
        ("Europe/Berlin", 0, 30, True),  # 01:30, half an hour before the clocks go forward
        ("Europe/Berlin", 1, 29, True),  # 03:29
        ("Europe/Berlin", 1, 30, False),  # 03:30
        ("UTC", 1, 29, False),
        ("UTC", 3, 29, True),
        ("Mars/Olympus", 1, 30, True),  # unknown: some place on earth is in it
    ],
)
def test_a_blackout_is_in_the_nodes_own_time(zone, hour, minute, out):
    at = datetime(2026, 3, 29, hour, minute, tzinfo=UTC)
    decision = decided(BLACKOUT, group(line(1)), node(1, 1, timezone=zone), at=at)
    assert (told(decision)[1] is Reason.OUTSIDE_FENCE) == out


def test_goods_stay_in_their_market():
    rules = 'stay_in_market = true\n[markets]\neu = ["DE", "FR"]\nnordic = ["SE", "NO"]'
    nodes = tuple(node(n, 1, country=country) for n, country in enumerate(["FR", "NO", "CH", None], start=1))
    for country, senders in (("DE", {1}), ("CH", {3}), ("SE", {2}), ("PL", set()), (None, set())):
        assert used(decided(rules, group(line(1), place=Place(country=country)), *nodes).plan) == senders, country


def test_classes_ask_for_what_the_policy_says():
    rules = '[class_needs]\nalcohol = ["age_restricted"]\nbook = []'
    nodes = (node(1, 1, 1), node(2, 1, 1, capabilities=("ship", "age_restricted"), handling_cost=500))
    wanted = group(line(1, classes=("alcohol", "book")), line(2, classes=("hazmat",)))
    decision = decided(rules, wanted, *nodes)
    assert {(a.demand, a.node) for a in decision.plan.assignments} == {(1, 2)}
    assert dict(decision.plan.unfilled) == {2: 1}
    assert told(decided(rules, group(line(1, classes=("hazmat",))), node(1, 1)))[1] is Reason.NOT_CAPABLE


def test_a_fence_for_a_class_lets_the_other_lines_pass():
    rules = """
    [[rule]]
    name = "cold goods stay close"
    fence = [{ classes = ["cold"], keep = "node.distance_km <= 500" }]
    """
    able = {"capabilities": ("ship", "cold")}
    nodes = (node(1, 1, 1, **FAR, **able), node(2, 1, 0, **NEAR, **able))
    decision = decided(rules, group(line(1, classes=("cold",)), line(2), place=HERE), *nodes)
    assert {(a.demand, a.node) for a in decision.plan.assignments} == {(1, 2), (2, 1)}
    only = decided(rules, group(line(1, classes=("cold",)), place=HERE), node(1, 1, **FAR, **able))
    assert left(only.plan) == 1


def test_a_full_node_may_be_spared_by_its_load():
    rules = """
    [[rule]]
    name = "spare"
    fence = [{ drop = "node.load >= 80" }]
    """
    busy, free = node(1, 1, capacity=10, capacity_left=2), node(2, 1, handling_cost=500)
    assert used(decided(rules, group(line(1)), busy, free).plan) == {2}


def test_a_fence_without_an_answer_names_its_node():
    rules = """
    [[rule]]
    name = "room"
    fence = [{ name = "roomy", keep = "node.capacity_left > 2" }]
    """
    with pytest.raises(ConditionFailed, match=r"rule 'room', fence roomy: .* at node B"):
        decide(group(line(1)), network(node(1, 1, capacity_left=5), node(2, 1)), policy(rules))
