"""Policies with rules: which fire, in which order, what is tried next, and what has no answer."""

from datetime import UTC, datetime

import pytest

from hub.domain.contact import Place
from hub.routing.conditions import ConditionFailed
from hub.routing.decide import decide
from hub.routing.model import Policy, Reason, Snapshot
from hub.routing.policy import load_policy
from hub.routing.prepare import RoutingInputError, prepare, way_of
from hub.routing.record import encode
from tests.unit.routing.chains import BASE, BLACKOUT, DROP_STORES, FAR, HERE, NEAR, decided, policy, told
from tests.unit.routing.worlds import AT, group, left, line, network, node, used


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
