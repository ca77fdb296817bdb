"""Faults and limits found by reading other systems' routers, each as a test."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest

from hub.domain.contact import Place
from hub.domain.network import OpeningHours
from hub.routing.decide import decide
from hub.routing.model import Policy, Reason, Snapshot
from hub.routing.policy import load_policy
from hub.routing.prepare import RoutingInputError, prepare
from hub.routing.record import decode_input, encode, encode_input, replay
from hub.routing.simulate import shadow
from tests.unit.routing.worlds import PLAIN, group, left, line, network, node, sent, used

HERE = Place(country="US", latitude=40.0, longitude=-100.0)


def test_missing_coordinates_are_never_distance_zero():
    """HotWax: an unlocated store was the closest of all."""
    unlocated, far = node(1, 1), node(2, 1, latitude=-33.0, longitude=151.0)
    assert used(decide(group(line(1), place=HERE), network(unlocated, far), Policy()).plan) == {2}
    half = node(1, 1, latitude=40.0, longitude=None)
    assert used(decide(group(line(1), place=HERE), network(half, far), Policy()).plan) == {2}


def test_missing_coordinates_do_not_pass_a_radius():
    """HotWax: an unlocated store passed every radius."""
    decision = decide(group(line(1), place=HERE), network(node(1, 1)), Policy(max_distance_km=500))
    assert dict(decision.reasons)[1] is Reason.OUTSIDE_FENCE


def test_a_place_without_coordinates_is_far_from_every_node_alike():
    nodes = (node(1, 1, latitude=0.0, longitude=0.0), node(2, 1, latitude=40.0, longitude=-100.0, priority=1))
    decision = decide(group(line(1), place=Place(country="US")), network(*nodes), Policy())
    assert used(decision.plan) == {2}
    assert decision.plan.cost == decision.runner_up.cost


def test_a_capacity_of_ten_admits_ten():
    """HotWax: `count + 1 < limit` admitted nine."""
    limit, taken, overflow = 10, 0, 0
    for _ in range(12):
        seen = network(node(1, 99, capacity_left=limit - taken), node(2, 99, handling_cost=9))
        chosen = used(decide(group(line(1)), seen, PLAIN).plan)
        taken, overflow = taken + (chosen == {1}), overflow + (chosen == {2})
    assert (taken, overflow) == (10, 2)


def test_the_day_that_is_over_is_the_nodes_own():
    """HotWax: capacity and cut-off days followed the server's offset. Late on Monday UTC is Tuesday in Tokyo."""
    tokyo = node(1, 1, timezone="Asia/Tokyo", calendar=OpeningHours(weekdays=(0,)))
    chicago = node(2, 1, timezone="America/Chicago", calendar=OpeningHours(weekdays=(0,)), handling_cost=10)
    monday = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
    wanted = group(line(1), deliver_by=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    decision = decide(wanted, Snapshot(at=monday, nodes=(tokyo, chicago)), Policy())
    assert used(decision.plan) == {2}


def test_a_fault_in_the_input_is_not_an_empty_shelf():
    """HotWax: a failing query became "no inventory" and moved the order to the unfillable ones."""
    with pytest.raises(RoutingInputError, match="ORDER"):
        decide(group(line(1)), network(node(1, 1, 1)), PLAIN)


def test_the_routed_quantity_is_what_is_assigned():
    """HotWax: the ordered quantity of a line was allocated where a part of it had been routed."""
    decision = decide(group(line(1, quantity=5)), network(node(1, 2), node(2, 2)), PLAIN)
    assert sent(decision.plan) == {(1, 1): 2, (1, 2): 2}
    assert decision.plan.unfilled == ((1, 1),)


def test_a_line_may_come_from_two_warehouses():
    """Brightpearl: one warehouse per order, no split of a line."""
    assert left(decide(group(line(1, quantity=4)), network(node(1, 2), node(2, 2)), PLAIN).plan) == 0


def test_the_first_location_is_not_the_answer_because_it_is_first():
    """Medusa: stock was reserved at `location_ids[0]`, wherever that was and whatever it held."""
    seen = network(node(1, 34), node(2, 66), node(3, 100))
    assert sent(decide(group(line(1, quantity=100)), seen, PLAIN).plan) == {(1, 3): 100}


def test_what_is_displayed_is_what_is_decided():
    """HotWax: a test drive routed for real and was taken back. Here deciding touches nothing and can be asked again."""
    wanted, seen = group(line(1)), network(node(1, 1))
    assert decide(wanted, seen, PLAIN) == decide(wanted, seen, PLAIN)
    assert seen == network(node(1, 1))


def test_a_switch_that_lifts_the_limit_lifts_all_of_it():
    """HotWax: with "override limit" on, a second copy of the capacity test still held."""
    full = network(node(1, 1, capacity_left=0), node(2, 1, handling_cost=9))
    assert used(decide(group(line(1)), full, PLAIN).plan) == {2}
    assert used(decide(group(line(1)), full, msgspec.structs.replace(PLAIN, ignore_capacity=True)).plan) == {1}


def test_decisions_need_no_turn():
    """HotWax: one run at a time for a store, behind a semaphore. Decisions share what is prepared, wait for none."""
    seen = network(node(1, 1, 0), node(2, 0, 1), node(3, 1, 1, handling_cost=900))
    prepared = prepare(seen.nodes, PLAIN)
    orders = [group(line(1), line(2), order=f"ORDER-{n}") for n in range(40)]
    alone = [decide(order, seen, PLAIN) for order in orders]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda order: decide(order, seen, PLAIN, prepared), orders)) == alone


def test_costs_are_not_drawn_by_lot():
    """KubeRiva: the carrier was a mock with random costs."""
    wanted, seen = group(line(1), line(2), place=HERE), network(node(1, 1, 1), node(2, 1, 1))
    assert len({encode(decide(wanted, seen, Policy())) for _ in range(20)}) == 1


def test_what_was_decided_on_can_be_read_back():
    """KubeRiva: the log of a decision was written elsewhere, later, if at all. Here the bytes decide again."""
    wanted, seen = group(line(1), place=HERE), network(node(1, 1))
    stored = encode_input(wanted, seen, PLAIN.version)
    assert encode(replay(stored, {PLAIN.version: PLAIN})) == encode(decide(wanted, seen, PLAIN))


def test_a_shelf_that_is_promised_away_holds_nothing():
    """Spree: routing read what was on hand, reservations left out. A negative rest is no stock either."""
    decision = decide(group(line(1)), network(node(1, 0), node(2, -3)), PLAIN)
    assert decision.plan.assignments == ()
    assert dict(decision.reasons) == {1: Reason.NO_STOCK, 2: Reason.NO_STOCK}


RULES = """
version = "rules"
parcel_cost = 1000
per_km = 0
per_kg = 0

[[rule]]
name = "not from C"
[[rule.fence]]
drop = "node.code == 'C'"

[[rule]]
name = "not from B"
[[rule.fence]]
drop = "node.code == 'B'"

[[rule]]
name = "chosen by hand"
when = "'from-D' in order.tags"
[[rule.fence]]
keep = "node.code == 'D'"
"""
FOUR = network(node(1, 1, handling_cost=9), node(2, 1), node(3, 1), node(4, 1, handling_cost=99))


def test_two_rules_of_one_kind_both_hold():
    """Spree: one rule of a kind for a channel."""
    assert used(decide(group(line(1)), FOUR, load_policy(RULES)).plan) == {1}


def test_a_choice_for_one_order_goes_before_what_is_cheapest():
    """ShipHero: the warehouse rule always won, over automation and over manual choice; no override for one order."""
    assert used(decide(group(line(1), tags=("from-D",)), FOUR, load_policy(RULES)).plan) == {4}


def test_a_changed_policy_counts_from_the_next_decision():
    """Kibo: a change took up to 15 minutes. What was prepared for the old policy is not used for the new one."""
    old, wanted, seen = PLAIN, group(line(1)), network(node(1, 1), node(2, 1, handling_cost=9))
    new = msgspec.structs.replace(PLAIN, version="new", node_groups={"out": ("A",)}, skip_groups=("out",))
    prepared = prepare(seen.nodes, old)
    assert used(decide(wanted, seen, old, prepared).plan) == {1}
    assert used(decide(wanted, seen, new).plan) == {2}
    with pytest.raises(RoutingInputError, match="prepared for policy"):
        decide(wanted, seen, new, prepared)


def test_two_policies_live_side_by_side():
    """Kibo: one active strategy for a site."""
    seen = network(node(1, 1), node(2, 1, handling_cost=9))
    dear = msgspec.structs.replace(PLAIN, version="other", node_groups={"out": ("A",)}, skip_groups=("out",))
    both = {policy.version: prepare(seen.nodes, policy) for policy in (PLAIN, dear)}
    chosen = [used(decide(group(line(1)), seen, ready.policy, ready).plan) for ready in both.values()]
    assert chosen == [{1}, {2}]


def test_an_order_older_than_the_rule_is_decided_by_it():
    """Brightpearl, Extensiv: rules acted only on orders created, or downloaded, after them."""
    old = group(line(1), placed_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert used(decide(old, FOUR, load_policy(RULES)).plan) == {1}


def test_an_order_that_changed_is_decided_anew():
    """ShipStation, Brightpearl: rules acted once and did not run again on a change."""
    rules = load_policy(RULES)
    first = decide(group(line(1)), FOUR, rules)
    assert used(decide(group(line(1), tags=("from-D",)), FOUR, rules).plan) != used(first.plan)


@pytest.mark.parametrize(("country", "here"), [("JP", (35.7, 139.7)), ("BR", (-23.5, -46.6)), ("NZ", (-36.8, 174.8))])
def test_it_routes_anywhere(country, here):
    """ShipStation: order routing in the United States and Canada only. Across the date line is the short way."""
    place = Place(country=country, latitude=here[0], longitude=here[1])
    near = node(1, 1, latitude=here[0] + 1, longitude=(here[1] + 10 + 180) % 360 - 180)
    far = node(2, 1, latitude=here[0], longitude=here[1] - 40)
    assert used(decide(group(line(1), place=place), network(far, near), Policy()).plan) == {1}


def test_goods_that_one_node_was_asked_for_can_be_asked_of_another():
    """Linnworks: an order that was given to a fulfilment centre could not be moved."""
    seen = network(node(1, 1), node(2, 1, handling_cost=9))
    assert used(decide(group(line(1)), seen, PLAIN).plan) == {1}
    assert used(decide(group(line(1, refused_by=(1,))), seen, PLAIN).plan) == {2}


def test_any_version_can_be_tried_beside_the_active_one():
    """fulfillmenttools: a simulation used the active strategy and no other."""
    active, draft = load_policy(RULES), load_policy(RULES.replace("node.code == 'C'", "node.code == 'A'"))
    given = decode_input(encode_input(group(line(1)), FOUR, active.version))
    live = decide(given.group, given.snapshot, active)
    both = shadow(given.group, given.snapshot, live, msgspec.structs.replace(draft, version="draft"))
    assert (used(both.live.plan), used(both.draft.plan)) == ({1}, {3})


def test_the_rules_that_are_named_are_the_rules_that_decided():
    """fabric: rules were inferred from history and might not match the live ones. Here a decision names them."""
    rules = load_policy(RULES)
    decision = decide(group(line(1), tags=("from-D",)), FOUR, rules)
    assert decision.rules == tuple(rule.name for rule in rules.rules)
    kept = msgspec.structs.replace(rules, rules=tuple(rule for rule in rules.rules if rule.name in decision.rules))
    assert encode(decide(group(line(1), tags=("from-D",)), FOUR, kept)) == encode(decision)
