"""The checker finds planted faults: one that finds nothing would accept everything."""

import random

import msgspec
import pytest

from hub.domain.order import Method
from hub.routing.certificate import check, examine
from hub.routing.decide import decide
from hub.routing.model import Assignment, Plan, Policy, Reason, RunnerUp, Solver
from hub.routing.proof import Proof
from tests.unit.routing.worlds import PLAIN, group, line, network, node

WANTED = group(line(1, item=7, quantity=2), line(2, item=8))
SEEN = network(node(1, 2, 1), node(2, 2, 1), node(3, 1, 0))


def altered(**changes):
    """Faults of the decision for the usual world, with fields of it changed."""
    return check(WANTED, SEEN, PLAIN, msgspec.structs.replace(decide(WANTED, SEEN, PLAIN), **changes))


def faults(plan, wanted=WANTED, seen=SEEN, policy=PLAIN):
    """Faults of the decision for a world with another plan in it."""
    return check(wanted, seen, policy, msgspec.structs.replace(decide(wanted, seen, policy), plan=plan))


def plan(*assignments, unfilled=(), cost=1000):
    """A plan from (demand, node, units)."""
    rows = tuple(Assignment(demand=d, node=n, quantity=q) for d, n, q in assignments)
    return Plan(assignments=rows, unfilled=unfilled, cost=cost)


def test_an_untouched_decision_has_no_faults():
    assert altered() == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (plan((1, 1, 1), (2, 1, 1)), "asks for 2, the plan accounts for 1"),
        (plan((1, 1, 3), (2, 1, 1)), "asks for 2, the plan accounts for 3"),
        (plan((1, 1, 1), (1, 1, 1), (2, 1, 1)), "to one node twice"),
        (plan((1, 9, 2), (2, 1, 1)), "is not there"),
        (plan((5, 1, 2)), "is not there"),
        (plan((1, 1, 2), (2, 1, 1), cost=999), "not the sum of its parts"),
        (plan((1, 1, 2), unfilled=((2, 1),), cost=1000), "not the sum of its parts"),
        (plan((1, 1, 2), (2, 1, 1), unfilled=((2, 0),)), "no units"),
        (plan((1, 3, 2), (2, 1, 1), cost=2000), "gives 2 of item 7 and has 1"),
        (plan((1, 1, 1), (1, 3, 1), (2, 1, 1), cost=2000), "spread though node A has all of it"),
    ],
)
def test_a_wrong_plan_is_found(changed, words):
    assert any(words in fault for fault in faults(changed))


def test_stock_is_counted_over_all_lines_of_an_item():
    wanted = group(line(1, item=7), line(2, item=7))
    seen = network(node(1, 1, 1), node(2, 1, 1))
    assert any("gives 2 of item 7 and has 1" in fault for fault in faults(plan((1, 1, 1), (2, 1, 1)), wanted, seen))


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        ({"enabled": False}, "it is disabled"),
        ({"serves": False}, "it does not serve the channel"),
        ({"capabilities": ()}, "it cannot ship"),
        ({"capacity_left": 0}, "its day is full"),
    ],
)
def test_a_fenced_node_in_the_plan_is_found(bars, words):
    seen = network(node(1, 2, 1, **bars), node(2, 2, 1))
    assert any(words in fault for fault in faults(plan((1, 1, 2), (2, 1, 1)), seen=seen))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(parcel_cost=1000, stay_in_country=True), "another country"),
        (Policy(parcel_cost=1000, max_distance_km=10), "too far"),
        (Policy(parcel_cost=1000, node_groups={"x": ("A",)}, skip_groups=("x",)), "fences it off"),
        (Policy(parcel_cost=1000, node_groups={"x": ("B",)}, use_groups=("x",)), "fences it off"),
    ],
)
def test_a_fence_of_the_policy_is_found(policy, words):
    assert any(words in fault for fault in faults(plan((1, 1, 2), (2, 1, 1)), policy=policy))


def test_the_wrong_pick_up_node_is_found():
    wanted = group(line(1), method=Method.PICK_UP, pickup_node=2)
    seen = network(node(1, 1, capabilities=("pick_up",)), node(2, 1, capabilities=("pick_up",)))
    assert any("collects elsewhere" in fault for fault in faults(plan((1, 1, 1), cost=0), wanted, seen))


def test_a_lines_own_fences_are_found():
    wanted = group(line(1, refused_by=(1,)), line(2, classes=("cold",)))
    found = faults(plan((1, 1, 1), (2, 1, 1)), wanted, network(node(1, 1, 1), node(2, 1, 1)))
    assert any("it refused this demand" in fault for fault in found)
    assert any("lacks a class" in fault for fault in found)


@pytest.mark.parametrize(
    ("rules", "changed", "words"),
    [
        ({"max_splits": 0}, plan((1, 1, 2), (2, 2, 1), cost=2000), "2 parcels"),
        ({"allow_partial": False}, plan((1, 1, 2), unfilled=((2, 1),), cost=101_000), "all or nothing"),
        ({"split_line": False}, plan((1, 1, 1), unfilled=((1, 1), (2, 1)), cost=201_000), "the policy forbids"),
    ],
)
def test_a_broken_rule_is_found(rules, changed, words):
    policy = msgspec.structs.replace(PLAIN, **rules)
    assert any(words in fault for fault in faults(changed, policy=policy))


def test_parting_what_belongs_together_is_found():
    apart = plan((1, 1, 2), (2, 2, 1), cost=2000)
    kept = group(line(1, item=7, quantity=2), line(2, item=8), keep_together=True)
    assert any("to be kept together" in fault for fault in faults(apart, kept))
    marked = group(line(1, item=7, quantity=2, together="set"), line(2, item=8, together="set"))
    assert any("do not go together" in fault for fault in faults(apart, marked))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bound": 1001}, "above the cost"),
        ({"bound": 999}, "the bound is not the cost"),
        ({"policy": "other"}, "decided under policy other"),
        ({"runner_up": None}, "no runner-up"),
        ({"runner_up_is": RunnerUp.NONE_EXISTS}, "a runner-up"),
        ({"runner_up": plan((1, 1, 2), (2, 1, 1))}, "the same nodes"),
        ({"runner_up": plan((1, 2, 2), unfilled=((2, 1),), cost=101_000)}, "place as much"),
        ({"reasons": ((1, Reason.CHOSEN), (2, Reason.COSTLIER))}, "one per node"),
        (
            {"reasons": ((1, Reason.COSTLIER), (2, Reason.COSTLIER), (3, Reason.PARTIAL_STOCK))},
            "node A is told to be costlier",
        ),
        (
            {"reasons": ((1, Reason.CHOSEN), (2, Reason.NOT_SERVED), (3, Reason.PARTIAL_STOCK))},
            "node B is told to be not_served, which its own state does not say",
        ),
        (
            {"reasons": ((1, Reason.CHOSEN), (2, Reason.CHOSEN), (3, Reason.PARTIAL_STOCK))},
            "node B is told to be chosen",
        ),
    ],
)
def test_a_claim_that_contradicts_itself_is_found(changes, words):
    assert any(words in fault for fault in altered(**changes))


def claimed(wanted, seen, dearer, policy=PLAIN, **more):
    """Faults where a plan that is allowed, but not the best, is told to be the best."""
    reasons = tuple(
        (state.id, Reason.CHOSEN if any(a.node == state.id for a in dearer.assignments) else Reason.PARTIAL_STOCK)
        for state in seen.nodes
    )
    wrong = {"plan": dearer, "bound": dearer.cost, "proven": True, "runner_up": None, "reasons": reasons}
    none = {"runner_up_is": RunnerUp.NONE_EXISTS}
    return check(wanted, seen, policy, msgspec.structs.replace(decide(wanted, seen, policy), **wrong, **none, **more))


def test_a_plan_that_is_not_the_cheapest_is_found():
    assert any("does not hold" in fault for fault in claimed(WANTED, SEEN, plan((1, 1, 2), (2, 2, 1), cost=2000)))


def test_a_plan_that_could_send_more_is_found():
    less = plan((1, 1, 2), unfilled=((2, 1),), cost=101_000)
    assert any("does not hold" in fault for fault in claimed(WANTED, SEEN, less))


@pytest.mark.parametrize(
    "rules", [{"max_splits": 1}, {"rate_steps": ((5000, 10),)}, {"min_part_value": 1}, {"max_splits": 1, "per_kg": 1}]
)
def test_a_plan_that_is_not_the_cheapest_is_found_under_other_rules(rules):
    policy = msgspec.structs.replace(PLAIN, **rules)
    wanted = group(line(1, item=7, quantity=2, value=5, weight_g=1), line(2, item=8, value=5, weight_g=1))
    step = 20 if policy.rate_steps else 0
    dearer = plan((1, 1, 2), (2, 2, 1), cost=2000 + step)
    assert any("does not hold" in fault for fault in claimed(wanted, SEEN, dearer, policy))


def test_lines_of_one_item_are_tried_together():
    wanted, seen = group(line(1, item=7), line(2, item=7)), network(node(1, 2, 2), node(2, 1, 1), node(3, 1, 1))
    apart = plan((1, 2, 1), (2, 3, 1), cost=2000)
    assert any("does not hold" in fault for fault in claimed(wanted, seen, apart))


DICE = random.Random(1)
LONG = group(*(line(n, weight_g=100 * n) for n in range(1, 31)))
WIDE = network(
    *(
        node(k, *(DICE.randint(0, 1) for _ in range(30)), code=f"N{k}", handling_cost=DICE.randint(0, 300))
        for k in range(1, 20)
    )
)


def test_prices_are_checked_and_what_they_leave_open_is_tried():
    decision = decide(LONG, WIDE, PLAIN)
    assert decision.solver is Solver.LOCATING
    faults, proof = examine(LONG, WIDE, PLAIN, decision)
    assert faults == []
    assert proof in (Proof.PRICES, Proof.TRIED)
    bare = msgspec.structs.replace(decision, prices=())
    assert examine(LONG, WIDE, PLAIN, bare) == ([], Proof.TRIED)


def test_prices_that_pay_more_than_a_parcel_are_no_proof():
    decision = decide(LONG, WIDE, PLAIN)
    dear = tuple((demand, price + 1000) for demand, price in decision.prices)
    assert any(
        "does not hold" in fault for fault in check(LONG, WIDE, PLAIN, msgspec.structs.replace(decision, prices=dear))
    )


def test_the_bound_of_a_search_cut_short_is_proven_by_its_prices():
    short = msgspec.structs.replace(PLAIN, search_budget=1)
    decision = decide(LONG, WIDE, short)
    assert not decision.proven
    assert decision.gap > 0
    assert examine(LONG, WIDE, short, decision) == ([], Proof.PRICES)
    best = decide(LONG, WIDE, PLAIN)
    assert best.proven
    higher = msgspec.structs.replace(decision, bound=best.plan.cost + 1)
    assert any("does not hold" in fault for fault in check(LONG, WIDE, short, higher))
