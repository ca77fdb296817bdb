"""The table of docs/changes.md: each kind of change, at each stage of the goods, with a node that may refuse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.facts import UnitsPacked, UnitsPicked
from tests.scenarios.direct import AWAY, HOME, line, newest_street, told
from tests.scenarios.test_changes import cancels
from tests.scenarios.town import Town

TOMORROW = datetime.now(UTC) + timedelta(days=2)

REDIRECTED: dict[str, dict[str, Any]] = {
    "address": {"ship": AWAY},
    "service": {"group": {"service": "express"}},
    "date": {"group": {"not_before": TOMORROW}},
}


async def staged(town: Town, stage: str) -> dict[str, Any]:
    """Three units of an order of its own, taken to a stage."""
    order = await told(town, "D-1", line("1", 3))
    if stage == "unsent":
        return order
    await town.settle()
    fulfilment, now = f"{order['id']}-1", datetime.now(UTC)
    if stage == "picked":
        await town.house.hear("depot", UnitsPicked(at=now, fulfilment=fulfilment))
    elif stage == "packed":
        await town.house.hear("depot", UnitsPacked(at=now, fulfilment=fulfilment))
    elif stage == "shipped":
        town.depot.ship(town.asked(order["id"]))
        await town.settle()
    return order


async def states(town: Town, order: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for units, state, _ in await town.slices(order["id"]):
        found[state] = found.get(state, 0) + units
    return found


async def troubles(town: Town) -> list[str]:
    return [row["kind"] for row in await town.house.open_exceptions()]


@pytest.mark.parametrize("kind", REDIRECTED)
@pytest.mark.parametrize(
    ("stage", "asked"),
    [("unsent", "void"), ("accepted", "confirmed"), ("picked", "confirmed"), ("packed", None), ("shipped", None)],
)
async def test_the_same_goods_another_way(town: Town, kind: str, stage: str, asked: str | None) -> None:
    order = await staged(town, stage)
    await told(town, "D-1", line("1", 3), version=2, **REDIRECTED[kind])
    await town.settle()
    assert await cancels(town, order["id"]) == ([(1, asked)] if asked else [])
    if asked:
        going = {"reserved": 3} if kind == "date" else {"accepted": 3}
        assert await states(town, order) == going
        assert await troubles(town) == []
        assert len(town.depot.found(f"{order['id']}-2")) == (kind != "date")
    else:
        assert await states(town, order) == {stage: 3}
        late = ["change_too_late"] if stage == "packed" or kind == "address" else []
        assert await troubles(town) == late
    assert await town.stock("PASS", town.east) == ((97, 0) if stage == "shipped" else (100, 3))


async def test_what_was_asked_back_goes_out_again_with_the_new_address(town: Town) -> None:
    order = await staged(town, "accepted")
    await told(town, "D-1", line("1", 3), version=2, ship=AWAY)
    await town.settle()
    assert town.asked(order["id"], 1).status == "canceled"
    assert await newest_street(town, order) == ["99 New Road"]
    assert town.asked(order["id"], 2).status == "pending"
    await told(town, "D-1", line("1", 3), version=3, ship=AWAY)
    await town.settle()
    assert len(await cancels(town, order["id"])) == 1, "an echo asks nobody"


async def test_a_node_that_will_not_let_go_leaves_the_choice_to_a_person(town: Town) -> None:
    town.depot.refuse_cancel = 1.0
    order = await staged(town, "accepted")
    await told(town, "D-1", line("1", 3), version=2, ship=AWAY)
    await town.settle()
    found = await town.trouble()
    assert found["kind"] == "cancel_refused"
    assert "redirect the parcel" in found["next_step"]
    assert await states(town, order) == {"accepted": 3}
    await told(town, "D-1", line("1", 3), version=3, ship=HOME)
    await town.settle()
    assert await cancels(town, order["id"]) == [(1, "refused")], "who refused is not asked again"
    assert sorted(await troubles(town)) == ["cancel_refused", "change_too_late"]


@pytest.mark.parametrize("stage", ["unsent", "accepted", "picked", "packed", "shipped"])
async def test_more_units_and_a_new_line_leave_what_is_under_way_alone(town: Town, stage: str) -> None:
    order = await staged(town, stage)
    await told(town, "D-1", line("1", 4), line("2", 2), version=2)
    await town.settle()
    assert await cancels(town, order["id"]) == []
    assert [one.quantity for one in town.asked(order["id"], 2).lines] in ([1, 2], [3])
    assert sum((await states(town, order)).values()) == 6
    assert await troubles(town) == []


@pytest.mark.parametrize("lines", [(line("1", 1),), ()], ids=["fewer", "removed"])
@pytest.mark.parametrize(
    ("stage", "asked"),
    [
        ("unsent", "void"),
        ("accepted", "confirmed"),
        ("picked", "confirmed"),
        ("packed", "confirmed"),
        ("shipped", None),
    ],
)
async def test_fewer_units_are_asked_back_while_they_are_in_the_house(
    town: Town, stage: str, asked: str | None, lines: tuple[Any, ...]
) -> None:
    order = await staged(town, stage)
    await told(town, "D-1", *lines, version=2)
    await town.settle()
    assert await cancels(town, order["id"]) == ([(1, asked)] if asked else [])
    left = sum(one.quantity for one in lines)
    if asked:
        assert await states(town, order) == ({"accepted": left} if left else {})
        assert await town.stock("PASS", town.east) == (100, left)
        assert await troubles(town) == []
    else:
        assert await states(town, order) == {"shipped": 3}
        assert await troubles(town) == ["cancel_after_ship"]


@pytest.mark.parametrize("stage", ["unsent", "accepted", "picked", "packed", "shipped"])
async def test_a_price_moves_no_goods(town: Town, stage: str) -> None:
    order = await staged(town, stage)
    before = await states(town, order)
    await told(town, "D-1", line("1", 3, each=900), version=2)
    assert await states(town, order) == before
    assert await cancels(town, order["id"]) == []
    assert await troubles(town) == []
    told_of = await town.house.value(
        "SELECT detail FROM timeline WHERE order_id = $1 AND kind = 'amended'", order["id"]
    )
    assert told_of == "revision 2: price of line 1"


async def test_reserved_goods_are_decided_anew_where_another_node_may_be_better(town: Town) -> None:
    order = await told(town, "D-1", line("1", 3), group={"not_before": TOMORROW})
    assert await states(town, order) == {"reserved": 3}
    before = await town.house.value("SELECT count(*) FROM decision WHERE order_id = $1", order["id"])
    await told(town, "D-1", line("1", 3), version=2, ship=AWAY, group={"not_before": TOMORROW})
    assert await town.house.value("SELECT count(*) FROM decision WHERE order_id = $1", order["id"]) == before
    express = {"not_before": TOMORROW, "service": "express"}
    await told(town, "D-1", line("1", 3), version=3, ship=AWAY, group=express)
    assert await town.house.value("SELECT count(*) FROM decision WHERE order_id = $1", order["id"]) == before + 1
    assert await states(town, order) == {"reserved": 3}
    assert await cancels(town, order["id"]) == []
