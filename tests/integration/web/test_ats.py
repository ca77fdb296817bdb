"""Available to sell, as plain arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.stock.ats import Ats, Loose, NodeStock, Part, ats, for_sink, kit_ats, uncounted


@pytest.mark.parametrize(
    ("nodes", "loose", "buffer", "available", "deficit"),
    [
        ([], Loose(), 0, 0, 0),
        ([NodeStock(1, 10, 3, 2)], Loose(), 0, 5, 0),
        ([NodeStock(1, 10, 3, 2)], Loose(1, 1, 1), 1, 1, 0),
        # A node below zero takes nothing from the other.
        ([NodeStock(1, 2, 5, 0), NodeStock(2, 4, 0, 0)], Loose(), 0, 4, 0),
        ([NodeStock(1, 4, 0, 0)], Loose(unpinned=6), 0, 0, 2),
        ([NodeStock(1, 4, 0, 0)], Loose(), 9, 0, 5),
    ],
)
def test_ats(nodes: list[NodeStock], loose: Loose, buffer: int, available: int, deficit: int) -> None:
    found = ats(nodes, loose, buffer=buffer)
    assert (found.available, found.deficit) == (available, deficit)


counts = st.integers(0, 10**6)
shelves = st.lists(st.builds(NodeStock, st.integers(1, 9), st.integers(-100, 10**6), counts, counts), max_size=6)


@given(shelves, st.builds(Loose, counts, counts, counts), counts)
def test_steps_sum_to_the_answer(nodes: list[NodeStock], loose: Loose, buffer: int) -> None:
    found = ats(nodes, loose, buffer=buffer)
    assert sum(step.quantity for step in found.steps) == found.available - found.deficit
    assert found.available == 0 or found.deficit == 0
    floored = sum(max(0, n.sellable - n.pinned - n.safety) for n in nodes)
    assert found.raw == floored - sum(loose) - buffer


def one(available: int) -> Ats:
    return ats([NodeStock(1, available, 0, 0)])


def test_a_kit_is_what_its_scarcest_component_allows() -> None:
    parts = [Part("A", 2, one(9)), Part("B", 1, one(5))]
    assert kit_ats(parts).available == 4
    assert kit_ats(parts, buffer=1).available == 3
    assert kit_ats(parts).steps[0].name == "component A / 2"


def test_a_kit_without_components_cannot_be_sold() -> None:
    assert kit_ats([]).available == 0


def test_a_kit_shows_the_deficit_of_its_component() -> None:
    short = ats([NodeStock(1, 0, 0, 0)], Loose(unpinned=3))
    assert kit_ats([Part("A", 2, short)]).deficit == 2


def test_what_nobody_counts_never_ends() -> None:
    assert uncounted().available > 10**8


def test_a_sink_gets_back_what_it_subtracts_itself() -> None:
    assert for_sink(5, 3) - 3 == 5
