"""The smallest change that flips a decision: applied, it changes the winner; a little less of it does not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.domain.contact import Place
from hub.routing.decide import decide
from hub.routing.explain import explain, node_rows
from hub.routing.flip import Change, Flip, apply, flips
from hub.routing.model import Group, Policy, Snapshot
from hub.routing.policy import load_policy
from hub.routing.prepare import prepare, way_of
from hub.routing.survey import survey
from tests.unit.routing.worlds import PLAIN, group, line, network, node, used

HERE = Place(country="US", latitude=0.0, longitude=0.0)
PRICED = replace(PLAIN, per_km=10)


def test_every_fence_tells_the_value_that_it_saw():
    wanted = group(line(1, classes=("hazmat",), refused_by=(2,)), place=HERE)
    seen = network(
        node(1, 5, latitude=0.0, longitude=1.0, country="US", capacity_left=0),
        node(2, 5, latitude=0.0, longitude=9.0, country="CA", capabilities=("ship", "hazmat")),
        node(3, 5, country="US", capabilities=("pick_up",)),
    )
    policy = replace(
        PRICED, max_distance_km=500, stay_in_country=True, node_groups={"west": ("A", "C")}, skip_groups=("west",)
    )
    rows = {row.code: row for row in node_rows(wanted, seen, policy, decide(wanted, seen, policy))}
    told = {
        code: [(one.fence, one.seen, one.wanted) for one in row.fences if not one.passed] for code, row in rows.items()
    }
    assert told == {
        "A": [
            ("skip_groups", "west", "not west"),
            ("capacity", "0 left", "at least 1 left"),
            ("classes", "ship", "hazmat"),
        ],
        "B": [
            ("stay_in_country", "CA", "US"),
            ("max_distance_km", "1001 km", "at most 500 km"),
            ("refused", "refused before", "not refused"),
        ],
        "C": [
            ("skip_groups", "west", "not west"),
            ("max_distance_km", "unknown, counted as 20000 km", "at most 500 km"),
            ("capability", "pick_up", "ship"),
            ("classes", "pick_up", "hazmat"),
        ],
    }


def flip_of(change: Change, wanted: Group, seen: Snapshot, policy: Policy) -> Flip:
    """The one flip of its sort."""
    (found,) = (one for one in flips(wanted, seen, policy, decide(wanted, seen, policy)) if one.change is change)
    return found


def two_nodes(**far: object) -> Snapshot:
    """A near node, and a far one that costs 8,010 more."""
    return network(node(1, 5, latitude=0.0, longitude=1.0), node(2, 5, **{"latitude": 0.0, "longitude": 8.2, **far}))


def test_the_dearer_node_wins_when_its_handling_falls_by_just_more_than_the_difference():
    wanted, seen = group(line(1), place=HERE), two_nodes(handling_cost=50_000)
    decision = decide(wanted, seen, PRICED)
    assert decision.runner_up is not None
    behind = decision.runner_up.cost - decision.plan.cost
    assert behind == 8_010 + 50_000
    flip = flip_of(Change.DEARER, wanted, seen, PRICED)
    assert (flip.node, flip.amount, flip.senders) == (1, behind + 1, (2,))


def test_handling_that_can_fall_far_enough_is_told_first():
    wanted = group(line(1), place=HERE)
    seen = network(
        node(1, 5, latitude=0.0, longitude=1.0, handling_cost=200),
        node(2, 5, latitude=0.0, longitude=1.0, handling_cost=900),
    )
    flip = flip_of(Change.CHEAPER, wanted, seen, PRICED)
    assert (flip.node, flip.amount, flip.senders) == (2, 701, (2,))


def test_a_node_behind_by_stock_is_told_how_many_units_and_of_what():
    wanted = group(line(1, quantity=3), line(2), place=HERE)
    seen = network(
        node(1, 1, 1, latitude=0.0, longitude=1.0), node(2, 3, 1, latitude=0.0, longitude=9.0, handling_cost=10)
    )
    decision = decide(wanted, seen, PRICED)
    assert used(decision.plan) == {2}
    told = explain(wanted, seen, PRICED, decision, {1: "MUG", 2: "LAMP"})
    assert "If A held 2 more of MUG, A would send." in told.flip_texts
    assert "If B held 1 fewer of MUG, A and B would send." in told.flip_texts


def test_lines_of_one_item_share_what_is_missing():
    wanted = group(line(1, item=7, quantity=2), line(2, item=7, quantity=2), place=HERE)
    seen = network(
        node(1, 1, 1, latitude=0.0, longitude=1.0), node(2, 4, 4, latitude=0.0, longitude=9.0, handling_cost=10)
    )
    flip = flip_of(Change.MORE_STOCK, wanted, seen, PRICED)
    assert (flip.node, flip.units) == (1, ((1, 3), (2, 3)))  # three units, told for both lines
    assert used(decide(*apply(flip, wanted, seen), PRICED).plan) == {1}


@pytest.mark.parametrize(
    ("shut", "change"),
    [
        ({"enabled": False}, Change.ENABLED),
        ({"serves": False}, Change.SERVED),
        ({"capacity_left": 0}, Change.CAPACITY),
        ({"capabilities": ("pick_up",)}, Change.CAPABLE),
    ],
)
def test_what_keeps_the_best_node_out_is_told(shut, change):
    wanted = group(line(1), place=HERE)
    seen = network(node(1, 5, latitude=0.0, longitude=1.0, **shut), node(2, 5, latitude=0.0, longitude=9.0))
    flip = flip_of(change, wanted, seen, PRICED)
    assert (flip.node, flip.senders) == (1, (1,))


def test_a_refusal_that_keeps_the_best_node_out_is_told():
    wanted = group(line(1, refused_by=(1,)), place=HERE)
    seen = network(node(1, 5, latitude=0.0, longitude=1.0), node(2, 5, latitude=0.0, longitude=9.0))
    flip = flip_of(Change.NOT_REFUSED, wanted, seen, PRICED)
    assert (flip.node, flip.senders) == (1, (1,))


def test_a_shut_node_that_would_not_win_anyway_is_not_told():
    wanted = group(line(1), place=HERE)
    seen = network(
        node(1, 5, latitude=0.0, longitude=1.0), node(2, 5, latitude=0.0, longitude=9.0, enabled=False), node(3, 0)
    )
    found = flips(wanted, seen, PRICED, decide(wanted, seen, PRICED))
    assert Change.ENABLED not in {flip.change for flip in found}


def test_stock_that_nobody_counts_is_no_change_that_anybody_could_make():
    wanted = group(line(1), place=HERE)
    seen = network(node(1, 1_000_000_000), node(2, 1_000_000_000))
    found = flips(wanted, seen, PRICED, decide(wanted, seen, PRICED))
    assert {flip.change for flip in found} == {Change.DEARER}


RULED = load_policy("""
version = "ruled"
parcel_cost = 1000
per_km = 10
per_kg = 0
unfilled_cost = 100000
node_groups = { stores = ["B", "D"] }
class_needs = { hazmat = ["adr"] }

[weights]
handling = 50

[[rule]]
name = "vip"
when = "'vip' in order.tags"
set = { parcel_cost = 1 }

[[rule.fence]]
name = "no-stores"
drop = "'stores' in node.groups"

[[rule.fallback]]
lift = ["no-stores"]

[[reservation]]
name = "kept"
kept_for = "order.b2b"
units = 1
""")


def test_a_decision_by_rules_is_explained_by_what_the_rules_made_of_it():
    wanted = group(line(1), line(2, quantity=2), place=HERE, tags=("vip",))
    seen = network(
        node(1, 3, 1, latitude=0.0, longitude=1.0),
        node(2, 3, 4, latitude=0.0, longitude=2.0),
        node(3, 9, 9, latitude=0.0, longitude=8.0),
    )
    told = explain(wanted, seen, RULED, decide(wanted, seen, RULED), {2: "LAMP"})
    assert "3 units from C" in told.sentence
    assert told.sentence.endswith("Rules: vip.")
    store = next(row for row in told.nodes if row.code == "B")
    (shut,) = (one for one in store.fences if not one.passed)
    assert (shut.fence, "no-stores" in shut.seen) == ("rules", True)
    # One of A's lamps is kept for others: it lacks two, not one.
    assert "If A held 2 more of LAMP, A would send." in told.flip_texts


def test_a_policy_of_preferences_speaks_of_no_money():
    wanted = group(line(1), place=HERE)
    seen = two_nodes(handling_cost=50_000)
    policy = replace(PRICED, prefer=("parcels", "distance"))
    told = explain(wanted, seen, policy, decide(wanted, seen, policy))
    assert told.sentence == (
        "Order ORDER, group main: 1 unit from A. The next best, B, comes after it by parcels, then distance."
    )
    assert {flip.change for flip in told.flips} == {Change.LESS_STOCK}


NODES = st.integers(2, 5)
HELD = st.integers(0, 4)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Group, Snapshot, Policy]:
    """Up to four lines over up to five nodes, some of them shut, some fenced off for a line."""
    count = draw(st.integers(1, 4))
    items = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    lines = [
        line(
            n + 1,
            item=items[n],
            quantity=draw(st.integers(1, 3)),
            weight_g=draw(st.sampled_from([None, 400])),
            refused_by=draw(st.sampled_from([(), (1,)])),
            classes=draw(st.sampled_from([(), (), ("hazmat",)])),
        )
        for n in range(count)
    ]
    nodes = [
        node(
            k,
            *(draw(HELD) for _ in range(count)),
            latitude=draw(st.sampled_from([None, 1.0, 5.0])),
            longitude=float(k),
            handling_cost=draw(st.sampled_from([0, 900, 40_000])),
            enabled=draw(st.sampled_from([True, True, False])),
            serves=draw(st.sampled_from([True, True, False])),
            capacity_left=draw(st.sampled_from([None, 0, 3])),
            capabilities=draw(st.sampled_from([("ship",), ("ship", "hazmat"), ()])),
        )
        for k in range(1, draw(NODES) + 1)
    ]
    policy = replace(
        PRICED,
        per_kg=draw(st.sampled_from([0, 1_000])),
        max_splits=draw(st.sampled_from([None, None, 0, 1])),
        allow_partial=draw(st.booleans()),
        rate_steps=draw(st.sampled_from([(), ((500, 700), (2_000, 900))])),
    )
    policy = draw(st.sampled_from([policy, policy, RULED, replace(policy, prefer=("parcels", "distance"))]))
    tags = draw(st.sampled_from([(), ("vip",)]))
    return group(*lines, place=HERE, tags=tags), network(*nodes), policy


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_a_flip_changes_the_winner(world):
    wanted, seen, policy = world
    decision = decide(wanted, seen, policy)
    for flip in flips(wanted, seen, policy, decision):
        plan = decide(*apply(flip, wanted, seen), policy).plan
        assert plan.assignments != decision.plan.assignments
        assert tuple(sorted(used(plan))) == flip.senders


def test_the_smallest_change_of_a_price_knows_that_its_share_is_rounded_up():
    """At half weight 3 counts as 2 and 2 as 1: a fall by one is enough where two would be too much said."""
    policy = Policy(parcel_cost=1000, per_km=0, per_kg=0, late_cost=0, weights={"handling": 50})
    wanted, seen = group(line(1)), network(node(1, 1, handling_cost=2), node(2, 1, handling_cost=3, priority=1))
    decision = decide(wanted, seen, policy)
    assert used(decision.plan) == {1}
    flip, *_ = flips(wanted, seen, policy, decision)
    assert (flip.change, flip.node, flip.amount) == (Change.CHEAPER, 2, 1)


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_a_little_less_of_a_price_does_not_flip(world):
    wanted, seen, policy = world
    decision = decide(wanted, seen, policy)
    for flip in flips(wanted, seen, policy, decision):
        if flip.change in (Change.CHEAPER, Change.DEARER) and flip.amount > 1:
            less = replace(flip, amount=flip.amount - 1)
            assert decide(*apply(less, wanted, seen), policy).plan.assignments == decision.plan.assignments


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_a_unit_less_lost_does_not_flip_and_every_plan_can_be_lost(world):
    wanted, seen, policy = world
    decision = decide(wanted, seen, policy)
    losses = [one for one in flips(wanted, seen, policy, decision) if one.change is Change.LESS_STOCK]
    assert len(losses) == bool(decision.plan.assignments)
    for flip in losses:
        kept = replace(flip, units=tuple((demand, units - 1) for demand, units in flip.units))
        found = decide(*apply(kept, wanted, seen), policy).plan
        assert found.cost == decision.plan.cost


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_an_explanation_agrees_with_its_decision(world):
    wanted, seen, policy = world
    decision = decide(wanted, seen, policy)
    told = explain(wanted, seen, policy, decision)
    for plan, parcels in ((decision.plan, told.parcels), (decision.runner_up, told.runner_up)):
        if plan is not None:
            unfilled = len(plan.unfilled) * policy.unfilled_cost
            assert sum(parcel.cost for parcel in parcels) + unfilled == plan.cost
    assert len(told.flip_texts) == len(told.flips)
    way = way_of(wanted, seen, prepare(seen.nodes, policy), decision.attempt)
    fenced = survey(way.group, way.snapshot, way.prepared).fenced
    for row in told.nodes:
        assert any(not one.passed for one in row.fences if one.demand is None) == (row.node in fenced)
