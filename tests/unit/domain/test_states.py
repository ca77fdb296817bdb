"""Every legal move is in its table, every other one raises, and every state can be reached and left as it should."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product

import pytest

from hub.domain.states import (
    AT_REST,
    CANCEL_MOVES,
    GONE,
    HANDOFF_MOVES,
    HOLDING,
    ORDER_MOVES,
    REFUND_MOVES,
    REQUEST_MOVES,
    RETURN_MOVES,
    SLICE_CORRECTIONS,
    SLICE_MOVES,
    WITH_NODE,
    CancelState,
    Handoff,
    IllegalMove,
    OrderState,
    RefundState,
    RequestState,
    ReturnState,
    SliceState,
    correct,
    move,
)

Table = Mapping[StrEnum, frozenset[StrEnum]]

TABLES: list[tuple[type[StrEnum], Table, StrEnum]] = [
    (OrderState, ORDER_MOVES, OrderState.CAPTURED),  # type: ignore[list-item]
    (SliceState, SLICE_MOVES, SliceState.UNALLOCATED),  # type: ignore[list-item]
    (Handoff, HANDOFF_MOVES, Handoff.UNSENT),  # type: ignore[list-item]
    (CancelState, CANCEL_MOVES, CancelState.ASKED),  # type: ignore[list-item]
    (ReturnState, RETURN_MOVES, ReturnState.REQUESTED),  # type: ignore[list-item]
    (RefundState, REFUND_MOVES, RefundState.ASKED),  # type: ignore[list-item]
    (RequestState, REQUEST_MOVES, RequestState.ASKED),  # type: ignore[list-item]
]
NAMES = [states.__name__ for states, _, _ in TABLES]


@pytest.mark.parametrize(("states", "table", "start"), TABLES, ids=NAMES)
def test_each_state_has_its_row_and_no_row_names_itself(states: type[StrEnum], table: Table, start: StrEnum) -> None:
    assert set(table) == set(states)
    assert all(state not in targets for state, targets in table.items())


@pytest.mark.parametrize(("states", "table", "start"), TABLES, ids=NAMES)
def test_a_move_is_made_when_its_table_has_it_and_raises_otherwise(
    states: type[StrEnum], table: Table, start: StrEnum
) -> None:
    legal = illegal = 0
    for current, target in product(states, states):
        if target in table[current]:
            assert move(table, current, target) is target
            legal += 1
        else:
            with pytest.raises(IllegalMove, match=f"{states.__name__}: {current.value} -> {target.value}"):
                move(table, current, target)
            illegal += 1
    assert legal
    assert illegal


@pytest.mark.parametrize(("states", "table", "start"), TABLES, ids=NAMES)
def test_every_state_can_be_reached(states: type[StrEnum], table: Table, start: StrEnum) -> None:
    back = {target for _, target in SLICE_CORRECTIONS.values()} if states is SliceState else set()
    # Back-orders are promised by the flow, not moved to by a fact.
    entered = {SliceState.BACKORDERED} if states is SliceState else set()
    reached, found = {start}, [start]
    while found:
        following = table[found.pop()] - reached
        reached |= following
        found.extend(following)
    assert reached | back | entered == set(states)


def test_nothing_moves_on_from_where_goods_or_orders_end() -> None:
    assert not SLICE_MOVES[SliceState.CANCELLED]
    assert not SLICE_MOVES[SliceState.RETURNED]
    assert not ORDER_MOVES[OrderState.CANCELLED]
    assert not HANDOFF_MOVES[Handoff.REFUSED]


def test_goods_that_left_come_back_only_as_a_return() -> None:
    for state in GONE - {SliceState.RETURNED}:
        assert SLICE_MOVES[state] <= GONE


def test_a_slice_goes_backward_only_by_a_named_correction() -> None:
    order = list(SliceState)
    forward = [SliceState.RESERVED, *[state for state in order if state in WITH_NODE], SliceState.SHIPPED]
    for position, state in enumerate(forward):
        assert not SLICE_MOVES[state] & set(forward[:position]), f"{state} moves back"


@pytest.mark.parametrize("correction", sorted(SLICE_CORRECTIONS))
def test_a_correction_applies_to_its_origins_only(correction: str) -> None:
    origins, target = SLICE_CORRECTIONS[correction]
    for state in SliceState:
        if state in origins:
            assert correct(correction, state) is target
        else:
            with pytest.raises(IllegalMove, match=correction):
                correct(correction, state)
    assert origins <= HOLDING | GONE


def test_an_unknown_correction_is_a_bug() -> None:
    with pytest.raises(KeyError):
        correct("vanished", SliceState.SHIPPED)


def test_what_is_with_a_node_holds_its_stock_and_what_is_at_rest_holds_none() -> None:
    assert WITH_NODE.issubset(HOLDING)
    assert not HOLDING & AT_REST
    assert GONE | {SliceState.CANCELLED} == AT_REST
    elsewhere = {SliceState.UNALLOCATED, SliceState.BACKORDERED, SliceState.IN_TRANSIT}
    assert elsewhere | HOLDING | AT_REST == set(SliceState)
