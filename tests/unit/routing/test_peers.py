"""The routers that ours is compared with do what their names say, and the ruler that measures them all is right."""

import random

import pytest

from tests.bench.routing.agreement import Trial
from tests.bench.routing.peers import PEERS, fewest_splits, fixed_priority, most_lines, nearest_per_line, proximity_walk
from tests.bench.routing.state import State


def state(need, held, *, fixed=None, near=None):
    """A state where a parcel costs 100 and a unit as much as its node's number."""
    count = len(held)
    return State(
        need=tuple(need),
        held=tuple(map(tuple, held)),
        fixed=tuple(fixed or [100] * count),
        unit=tuple((node,) * len(need) for node in range(count)),
        near=tuple(near or range(count)),
        unfilled=1000,
    )


APART = state((1, 1, 1), [(1, 0, 0), (0, 1, 1), (1, 1, 0), (0, 0, 1)])


def test_nearest_per_line_opens_a_node_for_every_line():
    assert nearest_per_line(state((1, 1), [(1, 0), (0, 1), (1, 1)])) == {0: [1, 0], 1: [0, 1]}


def test_fixed_priority_does_not_ask_how_far_it_is():
    assert fixed_priority(state((1,), [(1,), (1,)], near=(1, 0))) == {0: [1]}
    assert nearest_per_line(state((1,), [(1,), (1,)], near=(1, 0))) == {1: [1]}


def test_the_walk_takes_the_nearest_node_that_has_everything():
    assert proximity_walk(state((1, 1), [(1, 0), (0, 1), (1, 1), (1, 1)])) == {2: [1, 1]}


def test_the_walk_goes_from_near_to_far_where_no_node_has_everything():
    assert proximity_walk(APART) == {0: [1, 0, 0], 1: [0, 1, 1]}


def test_most_lines_goes_to_the_node_that_has_most():
    assert most_lines(state((1, 1, 1), [(1, 0, 0), (0, 1, 1), (1, 1, 0)], near=(0, 2, 1))) == {
        2: [1, 1, 0],
        1: [0, 0, 1],
    }


def test_fewest_splits_takes_the_cheapest_of_the_smallest_size():
    pairs = state((1, 1), [(1, 0), (0, 1), (0, 1)], fixed=[100, 300, 100])
    assert fewest_splits(pairs) == {0: [1, 0], 2: [0, 1]}
    assert fewest_splits(state((1, 1), [(1, 0), (0, 1), (1, 1)], fixed=[1, 1, 900])) == {2: [1, 1]}


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_spreads_a_line_only_where_no_node_has_it_whole(peer):
    spread = peer(state((5,), [(3,), (1,), (2,)]))
    assert sum(units[0] for units in spread.values()) == 5
    assert peer(state((5,), [(3,), (5,), (2,)])) == {1: [5]}


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_sends_all_that_can_be_sent_and_no_more(peer):
    chance = random.Random(11)
    for _ in range(30):
        found = Trial(chance).state
        sent = peer(found)
        assert [sum(units[n] for units in sent.values()) for n in range(len(found.need))] == found.fill()
        assert found.cost(sent) >= 0


def test_the_ruler_counts_parcels_units_and_lines_left_over():
    assert APART.cost({1: [0, 1, 1]}) == 100 + 1 + 1 + 1000
    assert APART.cost({}) == 3000


@pytest.mark.parametrize("sent", [{1: [1, 0, 0]}, {0: [1, 0, 0], 2: [1, 0, 0]}])
def test_the_ruler_refuses_what_is_not_there_or_not_wanted(sent):
    with pytest.raises(ValueError, match="sends 1 of line 0"):
        APART.cost(sent)
