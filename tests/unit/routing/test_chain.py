"""Policies with rules: which fire, what they set, whom they keep out, and what is tried next."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.contact import Place
from hub.routing.certificate import check
from hub.routing.conditions import ConditionFailed
from hub.routing.decide import decide
from hub.routing.model import Policy, Reason, Snapshot
from hub.routing.policy import load_policy
from hub.routing.prepare import RoutingInputError, prepare, way_of
from hub.routing.record import encode
from hub.routing.rules import Remainder
from tests.unit.routing.worlds import AT, group, left, line, network, node, used

HERE = Place(country="DE", latitude=50.0, longitude=10.0)
NEAR = {"latitude": 50.0, "longitude": 11.0, "country": "DE"}
FAR = {"latitude": 40.0, "longitude": -4.0, "country": "ES"}

BASE = """
version = "chain-1"
parcel_cost = 1000
per_km = 1
per_kg = 0
late_cost = 0
"""


def policy(text):
    """A policy of these rules over flat costs."""
    return load_policy(BASE + text)


def told(decision):
    """Reasons by node."""
    return dict(decision.reasons)


def decided(text, wanted, *nodes, at=AT):
    """A decision that the independent checker accepts on the input that the rules made of it."""
    rules, seen = policy(text), Snapshot(at=at, nodes=nodes)
    decision = decide(wanted, seen, rules)
    way = way_of(wanted, seen, prepare(nodes, rules), decision.attempt)
    assert check(way.group, way.snapshot, way.prepared.policy, decision) == []
    return decision


DROP_STORES = """
[[rule]]
name = "dear orders not from stores"
when = 'order.value >= 5000 && order.country == "DE"'
fence = [{ drop = 'node.kind == "store"' }]
"""


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


def test_later_rules_override_and_a_rule_that_stops_ends_the_chain():
    rules = """
    max_splits = 5
    [[rule]]
    name = "all"
    set = { max_splits = 1, priority = 70 }
    [[rule]]
    name = "vip"
    when = '"vip" in order.tags'
    stop = true
    set = { max_splits = 0 }
    [[rule]]
    name = "never for vips"
    set = { max_splits = 3, allow_partial = false }
    """
    nodes = (node(1, 1, 0, 0), node(2, 0, 1, 0), node(3, 0, 0, 1))
    lines = (line(1), line(2), line(3))
    plain = decided(rules, group(*lines), *nodes)
    assert plain.rules == ("all", "never for vips")
    assert len(used(plain.plan)) == 3
    vip = decided(rules, group(*lines, tags=("vip",)), *nodes)
    assert vip.rules == ("all", "vip")
    assert left(vip.plan) == 2
    chain = prepare(nodes, policy(rules)).chain
    assert chain is not None
    assert chain.settings(group(*lines, tags=("vip",)), AT).priority == 70


def test_weights_and_terms_are_laid_over_one_another_key_by_key():
    rules = """
    weights = { distance = 50 }
    [terms.split]
    cost = 7
    [[rule]]
    name = "more"
    set = { weights = { parcel = 200 }, terms = { picking = { per_line = 3 } } }
    """
    wanted = group(line(1), place=Place(latitude=0.0, longitude=0.0))
    decision = decided(rules, wanted, node(1, 1, latitude=0.0, longitude=1.0))
    assert decision.plan.cost == 2 * 1000 + 56 + 7 + 3  # 111 km at half weight, rounded up


FIRST_NEAR = """
[[rule]]
name = "near first"
[[rule.fence]]
name = "near"
keep = "node.distance_km <= 500"
[[rule.fence]]
keep = 'node.kind == "dc"'
[[rule.fallback]]
set = { max_splits = 0 }
lift = ["near"]
[[rule.fallback]]
set = { max_splits = 9 }
"""


def test_a_fallback_is_tried_where_something_is_left_over():
    lines = (line(1), line(2))
    near, far, store = node(1, 1, 0, **NEAR), node(2, 1, 1, **FAR), node(3, 0, 1, kind="store", **NEAR)
    whole = decided(FIRST_NEAR, group(line(1), place=HERE), node(1, 1, **NEAR), node(2, 1, **FAR))
    assert (used(whole.plan), whole.attempt) == ({1}, 0)
    lifted = decided(FIRST_NEAR, group(*lines, place=HERE), near, far, store)
    assert (used(lifted.plan), lifted.attempt) == ({2}, 1)
    assert told(lifted)[3] is Reason.OUTSIDE_FENCE
    second = decided(FIRST_NEAR, group(*lines, place=HERE), near, node(2, 0, 1, **FAR), store)
    assert (used(second.plan), second.attempt) == ({1, 2}, 2)


def test_where_no_fallback_fills_more_the_first_way_stands():
    decision = decided(FIRST_NEAR, group(line(1), line(2), place=HERE), node(1, 1, 0, **NEAR), node(2, 1, 0, **FAR))
    assert (used(decision.plan), left(decision.plan), decision.attempt) == ({1}, 1, 0)


def test_preferences_go_word_by_word():
    """Fewest parcels, then the better priority, then the shorter way: whatever it costs."""
    rules = 'prefer = ["parcels", "priority", "distance"]'
    wanted = group(line(1), line(2), place=HERE)
    dear = node(1, 1, 1, handling_cost=10**9, priority=5, **FAR)
    nodes = (
        dear,
        node(2, 1, 1, priority=10, **NEAR),
        node(3, 1, 0, priority=1, **NEAR),
        node(4, 0, 1, priority=1, **NEAR),
    )
    assert used(decide(wanted, network(*nodes), policy(rules)).plan) == {1}
    closer = node(5, 1, 1, priority=5, **NEAR)
    assert used(decide(wanted, network(*nodes, closer), policy(rules)).plan) == {5}
    by_priority = 'prefer = ["priority", "parcels"]'
    assert used(decide(wanted, network(*nodes), policy(by_priority)).plan) == {3, 4}


def test_preference_by_load_and_lateness():
    wanted = group(line(1), deliver_by=AT + timedelta(hours=2))
    late = node(1, 1, capacity=10, capacity_left=9)
    busy = node(2, 1, capacity=10, capacity_left=1, timezone="Asia/Dubai")  # 14:00 there: 16:00 is in two hours
    assert used(decide(wanted, network(late, busy), policy('prefer = ["on_time", "load"]')).plan) == {2}
    assert used(decide(wanted, network(late, busy), policy('prefer = ["load"]')).plan) == {1}


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


BLACKOUT = """
[[blackout]]
name = "stocktaking"
nodes = ["A"]
from = 2026-03-29T01:30:00
until = 2026-03-29T03:30:00
"""


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


def test_rush_orders_pass_a_full_day():
    rules = """
    [[rule]]
    name = "rush"
    when = '"rush" in order.tags'
    set = { ignore_capacity = true, priority = 1 }
    """
    full = node(1, 1, capacity=5, capacity_left=0)
    assert told(decided(rules, group(line(1)), full))[1] is Reason.NO_CAPACITY
    assert used(decided(rules, group(line(1), tags=("rush",)), full).plan) == {1}


def test_a_full_node_may_be_spared_by_its_load():
    rules = """
    [[rule]]
    name = "spare"
    fence = [{ drop = "node.load >= 80" }]
    """
    busy, free = node(1, 1, capacity=10, capacity_left=2), node(2, 1, handling_cost=500)
    assert used(decided(rules, group(line(1)), busy, free).plan) == {2}


def test_keeping_together_and_parts_of_some_worth():
    nodes = (node(1, 1, 0), node(2, 0, 1))
    lines = (line(1, value=900), line(2, value=100))
    b2b = """
    [[rule]]
    name = "b2b goes whole"
    when = "order.b2b"
    set = { keep_together = true }
    [[rule]]
    name = "no cheap parts"
    set = { min_part_value = 500 }
    """
    assert decided(b2b, group(*lines, customer_group="b2b"), *nodes).plan.assignments == ()
    dear = (line(1, value=900), line(2, value=800))
    assert used(decided(b2b, group(*dear), *nodes).plan) == {1, 2}


def test_the_remainder_is_part_of_the_decision():
    rules = """
    [[rule]]
    name = "marketplace"
    when = 'order.account == "market"'
    set = { remainder = "cancel", cancel_after_days = 3 }
    [[rule]]
    name = "backorders"
    when = "order.b2b"
    set = { remainder = "backorder" }
    """
    seen = node(1, 0)
    made = [
        decided(rules, group(line(1), **more), seen) for more in ({}, {"account": "market"}, {"customer_group": "b2b"})
    ]
    assert [(d.remainder, d.cancel_after_days) for d in made] == [
        (Remainder.QUEUE, None),
        (Remainder.CANCEL, 3),
        (Remainder.BACKORDER, None),
    ]


def test_a_condition_without_an_answer_names_rule_and_reason():
    rules = """
    [[rule]]
    name = "dense"
    when = "order.value / order.weight_g > 10"
    set = { max_splits = 0 }
    """
    wanted = group(line(1, value=50, weight_g=0))
    with pytest.raises(ConditionFailed, match=r"rule 'dense': .*divide by zero") as caught:
        decide(wanted, network(node(1, 1)), policy(rules))
    assert (caught.value.where, caught.value.reason) == ("rule 'dense'", "divide by zero")
    assert decide(group(line(1, weight_g=5)), network(node(1, 1)), policy(rules)).plan.unfilled == ()


def test_a_fence_without_an_answer_names_its_node():
    rules = """
    [[rule]]
    name = "room"
    fence = [{ name = "roomy", keep = "node.capacity_left > 2" }]
    """
    with pytest.raises(ConditionFailed, match=r"rule 'room', fence roomy: .* at node B"):
        decide(group(line(1)), network(node(1, 1, capacity_left=5), node(2, 1)), policy(rules))


def test_a_rule_that_is_not_reached_is_not_asked():
    rules = """
    [[rule]]
    name = "first"
    stop = true
    set = { max_splits = 0 }
    [[rule]]
    name = "broken"
    when = "order.value / order.weight_g > 10"
    """
    assert decide(group(line(1, weight_g=0)), network(node(1, 1)), policy(rules)).rules == ("first",)


def test_a_prepared_network_decides_as_a_fresh_one():
    """What is remembered of one order never answers for another."""
    rules = policy(DROP_STORES + FIRST_NEAR + BLACKOUT)
    nodes = (node(1, 1, kind="store", **NEAR), node(2, 1, **FAR), node(3, 1, kind="3pl", **NEAR))
    ready = prepare(nodes, rules)
    for value in (100, 9000, 100, 5000):
        for country in ("DE", "FR", None):
            for at in (AT, datetime(2026, 3, 29, 1, 45, tzinfo=UTC)):
                wanted = group(line(1, value=value), place=Place(country=country, latitude=50.0, longitude=10.0))
                seen = Snapshot(at=at, nodes=nodes)
                assert encode(decide(wanted, seen, rules, ready)) == encode(decide(wanted, seen, rules))


def test_other_nodes_than_were_prepared_are_refused():
    ready = prepare((node(1, 1),), policy(DROP_STORES))
    with pytest.raises(RoutingInputError, match="prepare again"):
        decide(group(line(1)), network(node(1, 1), node(2, 1)), ready.policy, ready)
    with pytest.raises(RoutingInputError, match="no attempt 3"):
        way_of(group(line(1)), network(node(1, 1)), ready, 3)


def test_rules_that_do_nothing_decide_as_none():
    wanted, seen = group(line(1, quantity=3), line(2), place=HERE), network(node(1, 2, 1, **NEAR), node(2, 3, 0, **FAR))
    idle = policy('[[rule]]\nname = "idle"\nwhen = "order.b2b"\nset = { max_splits = 0 }')
    plain = decide(wanted, seen, load_policy(BASE))
    assert decide(wanted, seen, idle) == plain
    assert isinstance(idle, Policy)
