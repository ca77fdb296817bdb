"""The words for a decision, and the rows about nodes."""

import pytest

from hub.domain.contact import Place
from hub.routing.decide import decide
from hub.routing.explain import WORDS, node_rows, sentence
from hub.routing.model import Policy, Reason
from tests.unit.routing.worlds import group, line, network, node

POLICY = Policy(parcel_cost=500_000, per_km=100, per_kg=40_000)
HERE = Place(latitude=0.0, longitude=0.0)


def test_the_sentence_names_the_plan_and_the_runner_up():
    wanted = group(line(1, quantity=3, weight_g=0), place=HERE)
    seen = network(
        node(1, 3, code="NEAR", latitude=0.0, longitude=1.0), node(2, 3, code="FAR", latitude=0.0, longitude=9.0)
    )
    decision = decide(wanted, seen, POLICY)
    assert sentence(wanted, seen, POLICY, decision) == (
        "Order ORDER, group main: 3 units from NEAR for 5.11 USD. The next best, FAR, costs 0.89 USD more."
    )


def test_the_sentence_tells_what_waits():
    wanted = group(line(1, weight_g=0), line(2, quantity=2))
    seen = network(node(1, 1, 1, latitude=0.0, longitude=0.0))
    decision = decide(wanted, seen, Policy(per_km=0))
    assert sentence(wanted, seen, Policy(per_km=0), decision) == (
        "Order ORDER, group main: 2 units from A for 55.40 USD, 1 unit left over. "
        "No other choice of nodes sends as much."
    )


def test_the_sentence_names_every_parcel():
    wanted = group(line(1, weight_g=0), line(2, weight_g=0))
    seen = network(node(1, 1, 0), node(2, 0, 1))
    policy = Policy(per_km=0, currency="JPY")
    assert sentence(wanted, seen, policy, decide(wanted, seen, policy)).startswith(
        "Order ORDER, group main: 2 units from A (1) and B (1) for 1000 JPY."
    )


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ((node(1, 0),), "nothing goes, 1 unit left over; no node holds any of it"),
        ((), "there are no nodes"),
        ((node(1, 1, enabled=False),), "every node is switched off"),
        ((node(1, 1, serves=False),), "every node does not serve this channel"),
    ],
)
def test_the_sentence_says_why_nothing_goes(nodes, words):
    wanted, seen = group(line(1)), network(*nodes)
    assert words in sentence(wanted, seen, POLICY, decide(wanted, seen, POLICY))


def test_the_sentence_says_what_is_not_proven():
    wanted = group(*(line(n, quantity=40) for n in range(1, 4)))
    seen = network(*(node(k, *((7 * k + 5 * n) % 13 for n in range(3))) for k in range(1, 13)))
    policy = Policy(search_budget=1, parcel_cost=500_000, per_km=0, rate_steps=((1_000, 10_000), (90_000, 700_000)))
    decision = decide(wanted, seen, policy)
    assert not decision.proven
    assert "Not proven the best: at most" in sentence(wanted, seen, policy, decision)


def test_rows_sum_to_the_plan_and_cover_every_node():
    wanted = group(line(1, quantity=2, weight_g=500), line(2, weight_g=1000), place=HERE)
    seen = network(
        node(1, 2, 0, latitude=0.0, longitude=1.0, handling_cost=7),
        node(2, 0, 1, latitude=0.0, longitude=-1.0),
        node(3, 2, 1, latitude=45.0, longitude=90.0),
        node(4, 9, 9, enabled=False),
    )
    decision = decide(wanted, seen, POLICY)
    rows = {row.code: row for row in node_rows(wanted, seen, POLICY, decision)}
    assert sum(row.cost for row in rows.values() if row.reason is Reason.CHOSEN) == decision.plan.cost
    terms = {"parcel": 500_000, "distance": 11_100, "weight": 40_000, "handling": 7, "lateness": 0}
    assert dict(rows["A"].terms) == terms
    assert rows["A"].units == ((1, 2),)
    assert rows["C"].units == ((1, 2), (2, 1))
    assert rows["C"].reason is Reason.COSTLIER
    assert rows["C"].text == "C has everything, but another way costs less"
    assert (rows["D"].terms, rows["D"].units, rows["D"].cost) == ((), (), 0)
    assert list(rows) == ["A", "B", "C", "D"]


def test_there_are_words_for_every_reason():
    assert set(WORDS) == set(Reason)
