"""A customer's wish to cancel, passed on by the channel: granted there once nothing is on its way here."""

from datetime import UTC, datetime

import pytest

from hub.domain.demand import Slice
from hub.domain.effects import CancelAtChannel
from hub.domain.money import Amounts, AmountSet
from hub.domain.network import Connection
from hub.domain.order import OrderContent
from hub.domain.states import SliceState
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.cancel import answer_wish
from hub.flow.directory import Directory, Link
from hub.sdk.adapter import Adapter, Kind
from hub.sdk.capabilities import ChannelCancel, Context
from hub.sdk.outcomes import Done, Outcome
from hub.sdk.redaction import Masked
from hub.sdk.wire import Transport

NOON = datetime(2026, 1, 16, 12, tzinfo=UTC)


class Nothing(Masked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    base_url: str | None = None


async def cancel_order(context: Context[Nothing], request: ChannelCancel, /) -> Outcome:
    return Done()


def batch() -> Batch:
    adapter = Adapter(
        name="acme",
        title="Acme",
        kind=Kind.CHANNEL,
        settings=Nothing,
        account=lambda _: "acme",
        transport=lambda _: Transport(base_url="http://127.0.0.1:9"),
        cancel_order=cancel_order,
    )
    connection = Connection(id="c1", merchant="default", account=1, account_name="acme", adapter="acme", name="acme")
    link = Link(connection=connection, adapter=adapter, read=lambda topic, body: ())
    directory = Directory(epoch=1, links={"c1": link})
    return Batch(directory=directory, now=NOON, new_id=lambda: "id")


def order(*states: SliceState, asked: bool = True, cancelled: bool = False) -> Order:
    made = Order(
        id="01KF0X5B3GCDEFGHJKMN",
        merchant="default",
        account=1,
        connection="c1",
        external_id="1",
        number="1",
        currency="USD",
        placed_at=NOON,
        version=1,
        revision=1,
        acting=True,
    )
    made.content = OrderContent(
        external_id="1",
        version=1,
        number="1",
        placed_at=NOON,
        currency="USD",
        amounts=AmountSet(shop=Amounts(currency="USD")),
        lines=(),
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
