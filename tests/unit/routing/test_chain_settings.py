"""What rules set: weights, preferences, limits, priority, and what happens to the remainder."""

from datetime import timedelta

from hub.domain.contact import Place
from hub.routing.decide import decide
from hub.routing.model import Reason
from hub.routing.rules import Remainder
from tests.unit.routing.chains import FAR, HERE, NEAR, decided, policy, told
from tests.unit.routing.worlds import AT, group, line, network, node, used


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
