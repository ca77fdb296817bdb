"""A message that is taken again does what it could not do before, and nothing twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.facts import (
    FactLine,
    GoodsArrived,
    GoodsCollected,
    GoodsLost,
    GoodsShipped,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine
from hub.flow.normalise import encode_facts
from hub.sdk.adapter import Lane
from hub.store.admin.edits import edit_message
from hub.store.admin.messages import find_inbound
from hub.store.inbox import unpark
from hub.store.replay import replay
from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House
from tests.scenarios.town import Town

ONE = (FactLine(quantity=1, line="1"),)


def now() -> datetime:
    return datetime.now(UTC)


async def again(house: House) -> None:
    """Somebody replays what a partner said last."""
    message = await house.value("SELECT max(id) FROM message WHERE topic = 'hub:facts'")
    async with house.parts.database.transaction() as connection:
        assert await replay(connection, message, Lane.FACTS.value)
    await house.path()
    await house.verify()


async def standing(town: Town, order: str) -> tuple[list[tuple[int, str]], tuple[int, int]]:
    parts: dict[str, int] = {}
    for units, state, _ in await town.slices(order):
        parts[state] = parts.get(state, 0) + units
    return sorted((units, state) for state, units in parts.items()), await town.stock("PASS", town.east)


async def test_a_945_with_a_short_takes_back_and_takes_off_once(town: Town) -> None:
    _, order = await town.buy([("PASS", 5)])
    work = f"{order['id']}-1"
    box = Parcel(tracking="T-1", lines=(ParcelLine(line="1", quantity=2),))
    shipped = GoodsShipped(at=now(), fulfilment=work, shipment="s-1", parcels=(box,))
    await town.house.hear("depot", shipped, UnitsShort(at=now(), fulfilment=work, lines=ONE), deliver=False)
    await town.house.path()
    before = await standing(town, order["id"])
    assert before == ([(1, "unallocated"), (2, "accepted"), (2, "shipped")], (97, 2))
    for _ in range(2):
        await again(town.house)
        assert await standing(town, order["id"]) == before


async def test_two_shorts_of_one_line_are_two_and_stay_two(town: Town) -> None:
    _, order = await town.buy([("PASS", 5)])
    short = UnitsShort(at=now(), fulfilment=f"{order['id']}-1", lines=ONE)
    await town.house.hear("depot", short, short, deliver=False)
    await town.house.path()
    before = await standing(town, order["id"])
    assert before == ([(2, "unallocated"), (3, "accepted")], (98, 3))
    await again(town.house)
    assert await standing(town, order["id"]) == before
    await town.house.hear("depot", short, deliver=False)
    await town.house.path()
    assert await standing(town, order["id"]) == ([(2, "accepted"), (3, "unallocated")], (97, 2)), "of its own"


async def test_part_of_the_goods_is_collected_once(town: Town) -> None:
    _, order = await town.buy([("PASS", 5)])
    told = GoodsCollected(at=now(), fulfilment=f"{order['id']}-1", lines=(FactLine(quantity=2, sku="PASS"),))
    await town.house.hear("depot", told, deliver=False)
    await town.house.path()
    await again(town.house)
    assert await standing(town, order["id"]) == ([(2, "collected"), (3, "accepted")], (98, 3))
    assert await town.house.value("SELECT count(*) FROM shipment") == 1


async def test_a_message_parked_for_one_fact_does_the_others_once(town: Town) -> None:
    _, order = await town.buy([("PASS", 5)])
    short = UnitsShort(at=now(), fulfilment=f"{order['id']}-1", lines=ONE)
    nobody = UnitsShort(at=now(), fulfilment=f"{order['id']}-9", lines=ONE)
    await town.house.hear("depot", short, nobody, deliver=False)
    await town.house.path()
    before = await standing(town, order["id"])
    (parked,) = await town.house.rows("SELECT id FROM inbox WHERE parked")
    async with town.house.parts.database.transaction() as connection:
        assert await unpark(connection, [parked["id"]]) == 1
    await town.house.path()
    assert await town.house.value("SELECT parked FROM inbox")
    assert await standing(town, order["id"]) == before


async def test_what_a_person_corrects_counts_for_the_difference(town: Town) -> None:
    _, order = await town.buy([("PASS", 5)])
    work = f"{order['id']}-1"
    await town.house.hear("depot", UnitsShort(at=now(), fulfilment=work, lines=ONE), deliver=False)
    await town.house.path()
    three = UnitsShort(at=now(), fulfilment=work, lines=(FactLine(quantity=3, sku="PASS"),))
    for body in (encode_facts([three]), encode_facts([three, three])[:-1] + b" ]"):
        async with town.house.parts.database.transaction() as connection:
            number = await connection.fetchval("SELECT max(id) FROM message")
            stored = await find_inbound(connection, "default", number)
            await edit_message(
                connection, stored, body=body, lane=Lane.FACTS.value, author="ann", reason="misread", now=now()
            )
        await town.house.path()
        if b" ]" not in body:
            assert await standing(town, order["id"]) == ([(2, "accepted"), (3, "unallocated")], (97, 2))
    assert await standing(town, order["id"]) == ([(5, "unallocated")], (95, 0)), "three more, of which two were open"


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.goods("MUG", MITTE=5, DEPOT=50)
    config = {"account": "x", "username": "u", "password": "p", "webhook_secret": "s"}
    await house.connect("scanner", "shiphero", config)
    yield made
    await made.counter.client.aclose()


async def transfer(street: HighStreet) -> dict[str, Any]:
    lines = [{"sku": "MUG", "quantity": 4}]
    return await street.told("/transfers", {"from": "DEPOT", "to": "MITTE", "lines": lines, "reference": "T-1"})


async def test_what_arrives_and_what_is_broken_arrives_and_breaks_once(street: HighStreet) -> None:
    order = await transfer(street)
    work = order["fulfilments"][0]["id"]
    await street.work(work, "ship")
    arrived, lost = (kind(at=now(), fulfilment=work, lines=ONE) for kind in (GoodsArrived, GoodsLost))
    await street.house.hear("scanner", arrived, lost, deliver=False)
    await street.house.path()
    assert await street.stock("MUG", "MITTE") == (6, 0, 2)
    await again(street.house)
    assert await street.stock("MUG", "MITTE") == (6, 0, 2)


async def test_what_came_to_nothing_is_done_when_it_is_taken_again(street: HighStreet) -> None:
    order = await transfer(street)
    work = order["fulfilments"][0]["id"]
    await street.house.hear("scanner", GoodsArrived(at=now(), fulfilment=work), deliver=False)
    await street.house.path()
    assert await street.stock("MUG", "MITTE") == (5, 0, 0), "nothing is under way yet"
    await street.work(work, "ship")
    for _ in range(2):
        await again(street.house)
        assert await street.stock("MUG", "MITTE") == (9, 0, 0)
        assert slices(await street.look(order["id"])) == [(4, "delivered", None)]
