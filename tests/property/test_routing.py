"""Routing on small worlds of every kind, against trying every plan, with the independent checker looking on."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.contact import Place
from hub.domain.order import Method
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Decision, Group, GroupLine, NodeState, Policy, RunnerUp, Snapshot
from hub.routing.prepare import prepare
from hub.routing.record import decode, encode, encode_input, replay
from tests.unit.routing.worlds import AT, Answer, best_of_all, group, network, node, summary

HERE = Place(country="US", latitude=40.0, longitude=-75.0)
FEW = settings(max_examples=150, deadline=None)


@st.composite
def lines(draw: st.DrawFn, most: int = 3) -> tuple[GroupLine, ...]:
    """Up to `most` lines, sometimes of one item, sometimes marked to go together."""
    count = draw(st.integers(1, most))
    marked = draw(st.booleans())
    items = st.sampled_from([1, 2]) if draw(st.booleans()) else st.integers(100, 10_000)
    return tuple(
        GroupLine(
            demand=demand,
            item=draw(items),
            quantity=draw(st.integers(1, 3)),
            weight_g=draw(st.sampled_from([None, 100, 2500])),
            together=draw(st.sampled_from([None, "set"])) if marked else None,
            value=draw(st.sampled_from([0, 500, 2000])),
            margin=draw(st.sampled_from([None, 0, 300])),
        )
        for demand in draw(st.permutations(range(1, count + 1)))
    )


@st.composite
def worlds(draw: st.DrawFn, fences: bool = False) -> tuple[Group, Snapshot, Policy]:
    """A group, a network and a policy. Fences are left out where every plan is tried, as that knows none."""
    wanted = group(
        *(msgspec.structs.replace(one, **draw(_line_fences())) if fences else one for one in draw(lines())),
        place=HERE,
        keep_together=draw(st.sampled_from([False, False, False, True])),
        method=draw(st.sampled_from([Method.SHIP, Method.PICK_UP])) if fences else Method.SHIP,
        pickup_node=1 if fences else None,
        deliver_by=draw(st.sampled_from([None, AT.replace(hour=20), AT.replace(day=4)])),
    )
    states = tuple(draw(_node(number, wanted, fences)) for number in range(1, draw(st.integers(1, 3)) + 1))
    policy = Policy(
        version="drawn",
        parcel_cost=draw(st.sampled_from([0, 1000, 5000])),
        per_km=draw(st.sampled_from([0, 1, 10])),
        per_kg=draw(st.sampled_from([0, 777])),
        late_cost=draw(st.sampled_from([0, 700])),
        max_splits=draw(st.sampled_from([None, None, 0, 1])),
        allow_partial=draw(st.sampled_from([True, True, False])),
        split_line=draw(st.sampled_from([True, True, False])),
        unfilled_cost=draw(st.sampled_from([0, 100, 50_000])),
        rate_steps=draw(st.sampled_from([(), (), ((1000, 500), (5000, 9000))])),
        stay_in_country=fences and draw(st.booleans()),
        min_part_value=draw(st.sampled_from([0, 0, 0, 500, 1500])),
        min_part_margin=draw(st.sampled_from([0, 0, 0, 200])),
        max_distance_km=draw(st.sampled_from([None, 200])) if fences else None,
    )
    return wanted, network(*draw(st.permutations(states))), policy


def _line_fences() -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(
        {"classes": st.sampled_from([(), ("hazmat",)]), "refused_by": st.sampled_from([(), (1,), (2, 3)])}
    )


@st.composite
def _node(draw: st.DrawFn, number: int, wanted: Group, fences: bool) -> NodeState:
    shelf = {one.item: draw(st.sampled_from([0, 1, 2, 3, 5])) for one in wanted.lines}
    inside = {"country": "US", "capabilities": ("ship", "pick_up")}
    fenced = {
        "country": draw(st.sampled_from(["US", "US", None])),
        "capabilities": draw(st.sampled_from([("ship",), ("ship", "pick_up", "hazmat"), ()])),
        "capacity_left": draw(st.sampled_from([None, 1, 0])),
        "enabled": draw(st.sampled_from([True, True, False])),
        "serves": draw(st.sampled_from([True, True, False])),
    }
    return node(
        number,
        *(shelf[one.item] for one in wanted.lines),
        priority=draw(st.sampled_from([100, 50])),
        handling_cost=draw(st.sampled_from([0, 300, 2000])),
        latitude=draw(st.sampled_from([None, 40.0, 41.5])),
        longitude=-74.0,
        transit_days=draw(st.sampled_from([None, 0, 3])),
        **(fenced if fences else inside),
    )


def whole(decision: Decision) -> bool:
    """Whether every line goes whole: then the tie-break leaves no second answer."""
    plan = decision.plan
    return not plan.unfilled and len({a.demand for a in plan.assignments}) == len(plan.assignments)


@FEW
@given(worlds())
def test_the_plan_and_the_runner_up_are_the_best_there_are(world):
    wanted, seen, policy = world
    decision = decide(wanted, seen, policy)
    answers = best_of_all(wanted, seen, policy)
    found = summary(wanted, seen, decision)
    assert decision.proven
    assert found[:3] == answers[0][:3]
    assert not whole(decision) or found == answers[0]
    if policy.min_part_value or policy.min_part_margin:
        return  # which lines a runner-up may spread is then not laid down
    others: list[Answer | None] = [answer for answer in answers if answer.nodes != found.nodes]
    best_other = [*others, None][0]
    assert decision.runner_up_is is (RunnerUp.EXACT if best_other else RunnerUp.NONE_EXISTS)
    assert (decision.runner_up.cost if decision.runner_up else None) == (best_other.cost if best_other else None)


@FEW
@given(worlds(fences=True))
def test_the_checker_accepts_every_decision(world):
    wanted, seen, policy = world
    assert check(wanted, seen, policy, decide(wanted, seen, policy)) == []


@FEW
@given(worlds(fences=True))
def test_the_checker_accepts_every_decision_of_a_search_cut_short(world):
    wanted, seen, policy = world
    short = msgspec.structs.replace(policy, search_budget=1)
    decision = decide(wanted, seen, short)
    assert check(wanted, seen, short, decision) == []
    best = decide(wanted, seen, policy)
    missing = [sum(units for _, units in found.plan.unfilled) for found in (best, decision)]
    assert missing[0] <= missing[1]
    assert missing[0] != missing[1] or decision.bound <= best.plan.cost <= decision.plan.cost


@FEW
@given(worlds(fences=True), st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_bytes_in_any_order(world, chance):
    wanted, seen, policy = world
    told = encode(decide(wanted, seen, policy))
    assert encode(decide(wanted, seen, policy, prepare(seen.nodes, policy))) == told
    places = list(range(len(wanted.lines)))
    chance.shuffle(places)
    nodes = [
        msgspec.structs.replace(state, available=tuple(state.available[place] for place in places))
        for state in chance.sample(seen.nodes, len(seen.nodes))
    ]
    turned = msgspec.structs.replace(wanted, lines=tuple(wanted.lines[place] for place in places))
    assert encode(decide(turned, Snapshot(at=seen.at, nodes=tuple(nodes)), policy)) == told


@FEW
@given(worlds(fences=True))
def test_stored_bytes_decide_to_the_same_bytes(world):
    wanted, seen, policy = world
    decision = decide(wanted, seen, policy)
    again = replay(encode_input(wanted, seen, policy.version), {policy.version: policy})
    assert encode(again) == encode(decision)
    assert decode(encode(decision)) == decision
