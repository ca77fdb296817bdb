"""An order that our own code stumbles over holds up no other, whatever wakes it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.flow import deadlines, resume
from hub.flow.aggregate import Order
from hub.flow.batch import Batch
from hub.flow.ports import Unit
from hub.worker.stumbles import PAUSE
from tests.scenarios.high_street import HighStreet, open_high_street
from tests.scenarios.house import House
from tests.scenarios.town import Town


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.goods("MUG", MITTE=5)
    yield made
    await made.counter.client.aclose()


async def test_a_deadline_that_cannot_be_met_is_told_and_the_others_are(
    street: HighStreet, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for _ in range(3):
        order = await street.order(("MUG", 1), at="MITTE")
        await street.work(order["fulfilments"][0]["id"], "ready")
        ids.append(order["id"])
    expire = deadlines.expire

    def stumble(order: Order, no: int, batch: Batch) -> None:
        if order.id == ids[1]:
            raise ValueError("what nobody thought of")
        expire(order, no, batch)

    with monkeypatch.context() as broken:
        broken.setattr(deadlines, "expire", stumble)
        assert await street.later(days=9) == 3
        assert [(await street.look(id))["state"] for id in ids] == ["cancelled", "open", "cancelled"]
        (found,) = [one for one in await street.house.open_exceptions() if one["kind"] == "order_stuck"]
        assert found["cause"] == f"order {ids[1]}, deadlines: ValueError: what nobody thought of"
        assert f"/api/v1/orders/{ids[1]}" in found["next_step"]
        assert await street.later(minutes=1) == 0, "left alone"

    performer = street.house.worker.performer
    later = performer._clock() + PAUSE + timedelta(seconds=1)
    monkeypatch.setattr(performer._stumbles, "_clock", lambda: later)
    assert await street.later(minutes=11) == 1
    assert (await street.look(ids[1]))["state"] == "cancelled"


async def test_an_order_that_waits_and_cannot_be_gone_on_with_is_told_and_the_others_go(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp = await town.goods("LAMP")
    ids = [(await town.buy([("LAMP", 1)]))[1]["id"] for _ in range(3)]
    resolve = resume._resolve

    async def stumble(unit: Unit, order: Order, batch: Batch) -> None:
        if order.id == ids[0]:
            raise LookupError("what nobody thought of")
        await resolve(unit, order, batch)

    monkeypatch.setattr(resume, "_resolve", stumble)
    await town.house.shelf(town.east, lamp, 9)
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert [(await town.slices(id))[0][1] for id in ids] == ["unallocated", "accepted", "accepted"]
    kinds = {row["kind"]: row["cause"] for row in await town.house.open_exceptions()}
    assert kinds["order_stuck"] == f"order {ids[0]}, waiting: LookupError: what nobody thought of"
