"""Conditions: how they are cut, what they answer, and how they fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cel import Engine, EvaluationFailed
from hub.domain.contact import Place
from hub.routing.conditions import Compiler, ConditionFailed, ConditionFault
from hub.routing.facts import NODE_FACTS, ORDER_FACTS, Kind, NodeFacts, NodesView, OrderFacts, OrderView
from hub.routing.model import Policy
from hub.routing.native import answers, native_test
from hub.routing.tokens import conjuncts, tokens_of
from tests.unit.routing.worlds import AT, group, line, node

TEXT = st.sampled_from(["DE", "FR", "", "é", "a b"])
NUMBER = st.integers(-3, 3) | st.sampled_from([10**17, -(10**17)])
VALUES = {
    Kind.TEXT: TEXT,
    Kind.TEXT_OR_NULL: st.none() | TEXT,
    Kind.NUMBER: NUMBER,
    Kind.NUMBER_OR_NULL: st.none() | NUMBER,
    Kind.FLAG: st.booleans(),
    Kind.TEXTS: st.lists(TEXT, max_size=3).map(tuple),
}
LITERAL = {
    Kind.TEXT: TEXT.map(lambda word: f'"{word}"'),
    Kind.NUMBER: st.integers(0, 3).map(str) | st.just(str(10**17)),
}
ENGINE = Engine("order", "node")


@st.composite
def conditions(draw):
    """A condition of plain forms, joined, and the facts that it reads."""
    parts = draw(st.lists(plain_conditions(), min_size=1, max_size=3))
    joined = draw(st.sampled_from([" && ", " || "])).join(source for source, _ in parts)
    if draw(st.booleans()):
        last, read = draw(plain_conditions())
        joined, parts = f"({joined}) {draw(st.sampled_from(['&&', '||']))} {last}", [*parts, (last, read)]
    facts = {}
    for _, read in parts:
        facts |= read
    return joined, facts


@st.composite
def plain_conditions(draw):
    """A condition of a plain form over the order, and the facts that it reads."""
    name = draw(st.sampled_from(sorted(ORDER_FACTS)))
    kind = ORDER_FACTS[name].kind
    fact, other = f"order.{name}", draw(st.sampled_from(sorted(ORDER_FACTS)))
    text = kind in (Kind.TEXT, Kind.TEXT_OR_NULL)
    forms = [st.just(f"{fact} == order.{other}"), st.just(f"order.{other} != {fact}")]
    if kind is Kind.FLAG:
        forms += [st.just(fact), st.just(f"!{fact}"), st.just(f"({fact})")]
    if kind is Kind.TEXTS:
        forms.append(LITERAL[Kind.TEXT].map(lambda word: f"{word} in {fact}"))
    if text:
        forms.append(
            st.tuples(st.sampled_from(["==", "!="]), LITERAL[Kind.TEXT]).map(lambda p: f"{fact} {p[0]} {p[1]}")
        )
        looks = st.sampled_from(["startsWith", "endsWith", "contains"])
        forms.append(st.tuples(looks, LITERAL[Kind.TEXT]).map(lambda p: f"{fact}.{p[0]}({p[1]})"))
        forms.append(st.lists(LITERAL[Kind.TEXT], max_size=3).map(lambda words: f"{fact} in [{', '.join(words)}]"))
    if kind in (Kind.NUMBER, Kind.NUMBER_OR_NULL):
        signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
        forms.append(st.tuples(signs, LITERAL[Kind.NUMBER]).map(lambda p: f"{fact} {p[0]} {p[1]}"))
    forms.append(st.sampled_from([f"{fact} == null", f"{fact} != null"]))
    source = draw(st.one_of(forms))
    read = {each: draw(VALUES[ORDER_FACTS[each].kind]) for each in (name, other)}
    return source, read


@settings(max_examples=600, deadline=None)
@given(conditions())
def test_the_quick_answer_is_the_engines(drawn):
    source, facts = drawn
    try:
        made = Compiler().compile("", source, nodes=False)
    except ConditionFault:
        assert "== null" in source or "!= null" in source, "some kinds the engine never compares with null"
        return
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
    try:
        answer = ENGINE.compile(source).evaluate(ENGINE.values({"order": values}))
    except EvaluationFailed:
        assert isinstance(made.order_answer(facts), str)
    else:
        assert made.order_answer(facts) is answer


NODES = (
    node(1, 1, kind="dc", country="DE", capacity_left=2, capacity=10),
    node(2, 0, kind="store", country="FR", priority=3),
    node(3, 4, kind="store", latitude=50.0, longitude=8.0, capacity_left=0, capacity=10),
)


@pytest.mark.parametrize(
    "source",
    [
        'node.kind == "store" || node.distance_km <= 5',
        'order.b2b || (node.country == "DE" && order.value >= 0)',
        "node.capacity_left > 1 || node.capacity_left == null",
        "node.capacity_left > 1 && node.located",
        "node.country == order.country",
        'order.country != null && (node.country != order.country || node.kind.startsWith("d"))',
        'node.country.endsWith("E") || node.load >= 80',
        "node.priority < node.distance_km || !node.holds_all",
    ],
)
def test_the_quick_answers_for_nodes_are_the_engines(source):
    wanted = group(line(1), place=Place(country="DE"))
    order, facts = (
        OrderFacts(OrderView(wanted, AT, Policy())),
        NodeFacts(NodesView(NODES, Policy(), wanted, [3, 7, 90])),
    )
    (part,) = Compiler().compile("", f"({source}) == true", nodes=True).of_both
    (quick,) = [native_test(tokens_of(source))]
    assert quick is not None
    assert part.test is None
    slow = part.of_nodes(order, facts)
    assert [one if isinstance(one, bool) else "failed" for one in answers(quick, order, facts)] == [
        one if isinstance(one, bool) else "failed" for one in slow
    ]


@pytest.mark.parametrize(
    "source",
    [
        "order.b2b",
        "!order.b2b",
        'order.country == "DE"',
        'order.country in ["DE", "FR"]',
        '"vip" in order.tags',
        "order.value >= 10000",
        "node.country == order.country",
        "node.distance_km <= 50",
    ],
)
def test_the_plainest_forms_never_load_the_engine(source):
    assert native_test(conjuncts(tokens_of(source))[0]) is not None


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("order.b2b && order.value > 3", ["order.b2b", "order.value > 3"]),
        ("((order.b2b) && (order.value > 3 && order.lines < 2))", ["order.b2b", "order.value > 3", "order.lines < 2"]),
        ("order.b2b && order.lines < 2 || order.value > 3", ["order.b2b && order.lines < 2 || order.value > 3"]),
        (
            "order.b2b ? order.value > 1 : order.value > 3 && true",
            ["order.b2b ? order.value > 1 : order.value > 3 && true"],
        ),
        ("order.b2b && (order.lines < 2 || order.value > 3)", ["order.b2b", "order.lines < 2 || order.value > 3"]),
        ('"a && b" in order.tags && order.b2b // x && y', ['"a && b" in order.tags', "order.b2b"]),
        (r"""order.source == r"a\b" && order.b2b""", [r'''order.source == r"a\b"''', "order.b2b"]),
    ],
)
def test_a_condition_is_cut_where_all_parts_must_hold(source, parts):
    made = Compiler().compile("", source, nodes=False)
    assert [part.source.strip("()") for part in made.of_order] == [part.strip("()") for part in parts]


def test_parts_are_sorted_by_what_they_read():
    made = Compiler().compile(
        "", 'order.b2b && node.kind == "dc" && node.distance_km < 9 && node.country == order.country', nodes=True
    )
    assert [part.source for part in made.of_order] == ["order.b2b"]
    assert [part.source for part in made.of_node] == ['node.kind == "dc"']
    assert [part.source for part in made.of_both] == ["node.distance_km < 9", "node.country == order.country"]


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("order.countri == 'DE'", 1, 7, "did you mean 'country'"),
        ("order.b2b &&\n  order.nothing", 2, 9, "no fact 'nothing'"),
        ("order['b2b']", 1, 1, "order.<fact>"),
        ("[order].exists(o, o.b2b)", 1, 2, "order.<fact>"),
        ("order.value", 1, 1, "neither true nor false"),
        ("order.b2b && order.value", 1, 14, "neither true nor false"),
        ("1 + 1", 1, 1, "neither true nor false"),
        ("order.value >", 1, 14, "Syntax error"),
        ("", 1, 1, "Syntax error"),
        ("orders.b2b", 1, 7, "undeclared reference"),
        ("node.kind == 'dc'", 1, 6, "no node to read here"),
        ('order.country == "' + "x" * 5000 + '"', 1, 1, "longer than"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(source, line, column, words):
    with pytest.raises(ConditionFault, match=words) as caught:
        Compiler().compile("", source, nodes=False)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("order.value / order.weight_g > 10", "divide by zero"),
        ('order.service.startsWith("x")', "not known (null)"),
        ("order.hours_left < 5", "not known (null)"),
        ("order.hours_left + 1 < 5", "No matching overloads"),
        ("order.tags[50] == 'x'", "Index error"),
        ("order.tags.all(a, order.tags.all(b, order.tags.all(c, a + b + c != 'x')))", "budget"),
    ],
)
def test_what_has_no_answer_says_why(source, words):
    facts = {"value": 1, "weight_g": 0, "service": None, "hours_left": None, "tags": tuple(map(str, range(40)))}
    answer = Compiler().compile("", source, nodes=False).order_answer(facts)
    assert isinstance(answer, str)
    assert words in answer


@pytest.mark.parametrize("source", ["order.b2b && 1 / order.weight_g > 0", "1 / order.weight_g > 0 && order.b2b"])
def test_a_part_that_does_not_hold_settles_the_whole(source):
    made = Compiler().compile("", source, nodes=False)
    assert made.order_answer({"b2b": False, "weight_g": 0}) is False
    assert isinstance(made.order_answer({"b2b": True, "weight_g": 0}), str)


def test_a_failure_at_a_node_names_it_and_only_where_nothing_else_settles_it():
    nodes = (node(1, 1, kind="dc"), node(2, 1, kind="store", capacity_left=3), node(3, 1, kind="store"))
    facts = NodeFacts(NodesView(nodes, Policy(), group(line(1)), [0, 0, 0]))
    made = Compiler().compile("rule 'x'", 'node.kind == "store" && node.capacity_left > 2', nodes=True)
    stores = made.nodes_where(made.of_node, {}, facts, frozenset(range(3)))
    assert stores == {1, 2}
    assert made.nodes_where(made.of_both, {}, facts, frozenset({1})) == {1}
    with pytest.raises(ConditionFailed, match=r"rule 'x': .* at node C") as caught:
        made.nodes_where(made.of_both, {}, facts, stores)
    assert caught.value.node == "C"


def test_every_fact_is_of_the_kind_that_it_says():
    kinds = {
        Kind.TEXT: str,
        Kind.TEXT_OR_NULL: str | None,
        Kind.NUMBER: int,
        Kind.NUMBER_OR_NULL: int | None,
        Kind.FLAG: bool,
        Kind.TEXTS: tuple,
    }
    nodes = (node(1, 1, country="DE", capacity_left=3, capacity=10), node(2, 0))
    facts = NodeFacts(NodesView(nodes, Policy(markets={"eu": ("DE",)}), group(line(1)), [5, 6]))
    for name, fact in NODE_FACTS.items():
        values = facts[name]
        assert len(values) == 2, name
        assert all(isinstance(value, kinds[fact.kind]) for value in values), name
        assert all(isinstance(value, bool) == (fact.kind is Kind.FLAG) for value in values), name
