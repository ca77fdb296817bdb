"""Policies with rules on small random worlds, with the independent checker looking on."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.contact import Place
from hub.routing.certificate import check
from hub.routing.decide import decide
from hub.routing.model import Policy, Snapshot
from hub.routing.prepare import prepare, way_of
from hub.routing.record import decode, encode, encode_input, replay
from hub.routing.rules import Fallback, Fence, Reservation, Rule
from tests.unit.routing.worlds import AT, group, line, node

FEW = settings(max_examples=120, deadline=None)

WHENS = st.sampled_from(
    ["true", 'order.country == "DE"', "order.value >= 50", "order.b2b", "order.lines < 3 || order.units > 4"]
)
CONDITIONS = st.sampled_from(
    [
        'node.kind == "store"',
        "node.distance_km <= 300",
        "node.same_country",
        "node.load < 50 && node.priority < 90",
        'order.country == "DE" && node.code in ["A", "B"]',
        "node.lines_held >= 2 || order.b2b",
    ]
)
SETS = st.sampled_from(
    [{}, {"max_splits": 0}, {"max_splits": 1, "per_km": 7}, {"allow_partial": False}, {"keep_together": True}]
)


@st.composite
def fences(draw):
    """A fence that keeps or drops, sometimes only for a class."""
    name, classes = draw(st.sampled_from(["", "soft"])), draw(st.sampled_from([(), (), ("hazmat",)]))
    side = draw(st.sampled_from(["keep", "drop"]))
    return Fence(name=name, classes=classes, **{side: draw(CONDITIONS)})


@st.composite
def policies(draw):
    """A policy of a few rules."""
    rules = tuple(
        Rule(
            name=f"r{n}",
            when=draw(WHENS),
            stop=draw(st.booleans()),
            set=draw(SETS),
            fences=tuple(draw(st.lists(fences(), max_size=2))),
            fallbacks=tuple(Fallback(lift=("soft",), set=change) for change in draw(st.lists(SETS, max_size=2))),
        )
        for n in range(draw(st.integers(1, 4)))
    )
    kept = Reservation(
        name="kept", kept_for="order.b2b", units=draw(st.integers(0, 2)), percent=draw(st.integers(0, 50))
    )
    return Policy(version="drawn", per_kg=0, rules=rules, reservations=(kept,), stay_in_market=draw(st.booleans()))


@st.composite
def worlds(draw):
    """A group and a network, with everything that the conditions read."""
    lines = tuple(
        line(
            n,
            quantity=draw(st.integers(1, 3)),
            value=draw(st.integers(0, 60)),
            classes=draw(st.sampled_from([(), ("hazmat",)])),
        )
        for n in range(1, draw(st.integers(1, 3)) + 1)
    )
    wanted = group(
        *lines,
        place=Place(
            country=draw(st.sampled_from(["DE", "FR", None])),
            latitude=draw(st.sampled_from([None, 50.0])),
            longitude=10.0,
        ),
        customer_group=draw(st.sampled_from([None, "b2b"])),
    )
    nodes = tuple(
        node(
            n,
            *(draw(st.integers(0, 4)) for _ in lines),
            kind=draw(st.sampled_from(["dc", "store"])),
            country=draw(st.sampled_from(["DE", "FR", None])),
            latitude=draw(st.sampled_from([None, 49.0, 53.0])),
            longitude=10.0,
            capacity=10,
            capacity_left=draw(st.sampled_from([None, 2, 8, 0])),
            priority=draw(st.sampled_from([50, 100])),
            capabilities=draw(st.sampled_from([("ship",), ("ship", "hazmat")])),
        )
        for n in range(1, draw(st.integers(1, 4)) + 1)
    )
    return wanted, Snapshot(at=AT, nodes=nodes)


@FEW
@given(worlds(), policies())
def test_the_checker_accepts_what_the_rules_made_of_the_input(world, policy):
    wanted, seen = world
    decision = decide(wanted, seen, policy)
    way = way_of(wanted, seen, prepare(seen.nodes, policy), decision.attempt)
    assert check(way.group, way.snapshot, way.prepared.policy, decision) == []
    assert way.prepared.policy.plain
    assert encode(replay(encode_input(wanted, seen, "drawn"), {"drawn": policy})) == encode(decision)
    assert decode(encode(decision)) == decision


@FEW
@given(worlds(), policies())
def test_an_earlier_way_never_fills_more_than_the_one_that_is_taken(world, policy):
    wanted, seen = world
    decision = decide(wanted, seen, policy)
    taken = sum(units for _, units in decision.plan.unfilled)
    for way in prepare(seen.nodes, policy).chain.ways(wanted, seen):
        alone = decide(way.group, way.snapshot, way.prepared.policy)
        over = sum(units for _, units in alone.plan.unfilled)
        assert over >= taken if way.attempt < decision.attempt or taken else over >= 0
        assert way.attempt != decision.attempt or alone.plan == decision.plan


@FEW
@given(worlds(), policies())
def test_no_more_leaves_a_node_than_is_not_kept_for_others(world, policy):
    wanted, seen = world
    (kept,) = policy.reservations
    b2b = wanted.customer_group == "b2b"
    place = {one.demand: n for n, one in enumerate(wanted.lines)}
    states = {state.id: state for state in seen.nodes}
    for sent in decide(wanted, seen, policy).plan.assignments:
        held = states[sent.node].available[place[sent.demand]]
        keep = 0 if b2b else max(kept.units, -(-held * kept.percent // 100))
        assert sent.quantity <= held - keep


@FEW
@given(policies())
def test_a_policy_survives_its_values(policy):
    assert msgspec.convert(msgspec.to_builtins(policy), Policy) == policy
