"""Units that somebody else sent: which of them are taken over, from which shelf, and which have to be asked back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.demand import Demand, Slice
from hub.domain.fulfilment import FulfilmentOrder
from hub.domain.order import OrderLine
from hub.domain.shipping import Parcel, ParcelLine, Shipment
from hub.domain.states import GONE, HOLDING, SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.directory import Directory
from hub.flow.elsewhere import ELSEWHERE, take_over
from tests.unit.flow.bare import NOON, bare_content, bare_order

STORE, PARTNER = 1, 2
"""Fulfilment orders: one is worked through the hub, one by a partner's system."""

WITHOUT_NODE = frozenset({SliceState.UNALLOCATED, SliceState.BACKORDERED, SliceState.CANCELLED})
WORKED = frozenset({SliceState.RELEASED, SliceState.ACCEPTED, SliceState.PICKED, SliceState.PACKED, SliceState.READY})


def batch() -> Batch:
    return Batch(directory=Directory(epoch=1, links={}), now=NOON, new_id=lambda: "id")


def part(no: int, state: SliceState, quantity: int = 1, fulfilment: int = STORE) -> Slice:
    node = None if state in WITHOUT_NODE else 7
    return Slice(
        no=no,
        demand=1,
        quantity=quantity,
        state=state,
        node=node,
        fulfilment=fulfilment if state in WORKED | GONE else None,
    )


def order(*slices: Slice, told: int, per_unit: int = 1) -> Order:
    made = bare_order()
    total = sum(one.quantity for one in slices)
    made.content = bare_content(
        lines=(OrderLine(external_id="L", quantity=total // per_unit, fulfilled_elsewhere=told),),
    )
    made.demands = {
        1: Demand(no=1, line="L", group="main", sku="MUG", item=5, quantity=total, per_unit=per_unit),
    }
    made.slices = {one.no: one for one in slices}
    for no, connection in ((STORE, None), (PARTNER, "wms")):
        made.fulfilments[no] = FulfilmentOrder(
            order=made.id, no=no, group="main", node=7, connection=connection, created_at=NOON
        )
    return made


def taken(found: Order) -> dict[int, int]:
    assert found.content is not None
    return take_over(found, found.content, batch())


def look(found: Order) -> list[tuple[int, str, int | None]]:
    return sorted((one.quantity, one.state.value, one.node) for one in found.slices.values())


@pytest.mark.parametrize(
    ("state", "ended", "node"),
    [
        (SliceState.UNALLOCATED, "shipped", None),
        (SliceState.BACKORDERED, "shipped", None),
        (SliceState.RESERVED, "shipped", 7),
        (SliceState.EXPIRED, "shipped", 7),
        (SliceState.RELEASED, "shipped", 7),
        (SliceState.PACKED, "shipped", 7),
        (SliceState.READY, "collected", 7),
    ],
)
def test_what_nobody_has_to_be_asked_for_is_taken_over_where_it_was_kept(
    state: SliceState, ended: str, node: int | None
) -> None:
    found = order(part(1, state, 3), told=2)
    assert taken(found) == {}
    assert look(found) == [(1, state.value, part(1, state).node), (2, ended, node)]
    assert [moment.kind for moment in found.moments] == ["sent_elsewhere"]
    assert taken(found) == {}, "once"


@pytest.mark.parametrize("state", [SliceState.RELEASED, SliceState.ACCEPTED, SliceState.PICKED, SliceState.PACKED])
def test_what_a_partner_works_on_is_left_to_be_asked_back(state: SliceState) -> None:
    found = order(part(1, state, 3, PARTNER), told=2)
    assert taken(found) == {1: 2}
    assert look(found) == [(3, state.value, 7)]
    assert found.moments == []


def test_what_left_us_is_counted_by_the_channel_too() -> None:
    found = order(part(1, SliceState.SHIPPED, 2, PARTNER), part(2, SliceState.ACCEPTED, 1, PARTNER), told=2)
    assert taken(found) == {}


def test_what_a_node_took_back_after_we_told_the_channel_is_ours_still() -> None:
    """Loaded, told, and unloaded again: the channel counts units that are on the packing table."""
    found = order(part(1, SliceState.PACKED, 2, PARTNER), told=2)
    box = Parcel(lines=(ParcelLine(line="1", quantity=2),))
    found.shipments[1] = Shipment(
        order=found.id, no=1, fulfilment=PARTNER, external_id="s", shipped_at=NOON, parcels=(box,)
    )
    assert taken(found) == {}
    assert look(found) == [(2, "packed", 7)]


def test_a_sold_unit_is_all_its_components() -> None:
    found = order(part(1, SliceState.RESERVED, 6), told=2, per_unit=3)
    assert taken(found) == {}
    assert look(found) == [(6, "shipped", 7)]


def test_more_than_was_ever_ordered_is_taken_as_far_as_it_goes() -> None:
    found = order(part(1, SliceState.UNALLOCATED, 2), part(2, SliceState.CANCELLED, 1), told=9)
    assert taken(found) == {1: 7}
    assert look(found) == [(1, "cancelled", None), (2, "shipped", None)]


@given(
    st.lists(
        st.tuples(st.sampled_from(SliceState), st.integers(1, 4), st.sampled_from((STORE, PARTNER))),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 12),
)
def test_units_are_conserved_and_no_partner_is_passed_over(
    slices: list[tuple[SliceState, int, int]], told: int
) -> None:
    moving = [s for s in slices if s[0] is not SliceState.IN_TRANSIT]
    found = order(*(part(no, *one) for no, one in enumerate(moving, 1)), told=told)
    before = dict(found.slices)
    total = sum(one.quantity for one in before.values())
    gone = sum(one.quantity for one in before.values() if one.state in GONE)
    rest = taken(found).get(1, 0)
    mine = [one for one in found.slices.values() if one.reason == ELSEWHERE]
    assert sum(one.quantity for one in found.slices.values()) == total
    assert sum(one.quantity for one in mine) + rest == max(0, told - gone)
    for one in before.values():
        if one.fulfilment == PARTNER and one.state is not SliceState.READY:
            assert found.slices[one.no] == one
    if rest:
        free = {s.no for s in found.slices.values() if s.state in HOLDING | {SliceState.UNALLOCATED}}
        assert all(found.slices[no].fulfilment == PARTNER for no in free)
    assert msgspec.structs.asdict(found.demands[1])["quantity"] == total
