"""A customer's wish to cancel, passed on by the channel: granted there once nothing is on its way here."""

import pytest

from hub.domain.demand import Slice
from hub.domain.effects import CancelAtChannel
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.cancel import answer_wish
from hub.flow.directory import Directory
from hub.sdk.capabilities import ChannelCancel, Context
from hub.sdk.outcomes import Done, Outcome
from tests.unit.acme import Nothing, acme
from tests.unit.flow.bare import NOON, bare_content, bare_order


async def cancel_order(context: Context[Nothing], request: ChannelCancel, /) -> Outcome:
    return Done()


def batch() -> Batch:
    directory = Directory(epoch=1, links={"c1": acme(cancel_order)})
    return Batch(directory=directory, now=NOON, new_id=lambda: "id")


def order(*states: SliceState, asked: bool = True, cancelled: bool = False) -> Order:
    made = bare_order()
    made.content = bare_content(
        cancel_asked=asked,
        cancelled_at=NOON if cancelled else None,
    )
    made.slices = {no: Slice(no=no, demand=1, quantity=1, state=state) for no, state in enumerate(states, 1)}
    return made


def test_it_is_granted_once_every_unit_is_cancelled() -> None:
    wished = order(SliceState.CANCELLED, SliceState.CANCELLED)
    answer_wish(wished, batch())
    (planned,) = wished.effects
    assert isinstance(planned.effect, CancelAtChannel)


@pytest.mark.parametrize(
    "wished",
    [
        order(SliceState.CANCELLED, SliceState.PICKED),
        order(SliceState.CANCELLED, SliceState.SHIPPED),
        order(),
        order(SliceState.CANCELLED, asked=False),
        order(SliceState.CANCELLED, cancelled=True),
    ],
)
def test_otherwise_nothing_is_said(wished: Order) -> None:
    answer_wish(wished, batch())
    assert wished.effects == []
