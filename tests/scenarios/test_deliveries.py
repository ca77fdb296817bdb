"""Telling others: lost replies, refusals, outages, people. One effect each, and nobody waits for a neighbour."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from adapters.shopify.simulator_shop import CUSTOMER
from hub.store import outbox
from tests.scenarios.town import EAST, Town


async def attempts(town: Town, kind: str) -> list[str]:
    """Outcomes of the tries of one kind of effect, in order."""
    rows = await town.house.rows(
        "SELECT a.outcome FROM attempt a JOIN effect e ON e.id = a.effect_id WHERE e.kind = $1 ORDER BY e.id, a.no",
        kind,
    )
    return [row["outcome"] for row in rows]


async def test_a_lost_reply_is_looked_up_first_and_has_one_effect(town: Town) -> None:
    town.depot.script.extend([None, "lost_reply"])
    _, order = await town.buy([("PASS", 2)])
    assert town.depot.orders_created == {f"{order['id']}-1": 1}
    assert await attempts(town, "SubmitFulfilment") == ["uncertain", "done"]
    (made,) = await town.fulfilments(order["id"])
    assert (made["handoff"], made["partner_reference"]) == ("accepted", town.asked(order["id"]).id)


async def test_a_try_that_never_arrived_is_repeated_under_the_same_key(town: Town) -> None:
    town.depot.script.extend([None, "server_error"])
    _, order = await town.buy([("PASS", 2)])
    assert town.depot.orders_created == {f"{order['id']}-1": 1}
    assert (await attempts(town, "SubmitFulfilment"))[-1] == "done"
    assert await town.house.value("SELECT count(*) FROM effect WHERE kind = 'SubmitFulfilment'") == 1


async def test_a_confirmation_whose_reply_is_lost_reaches_the_channel_once(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.depot.delivered()
    await town.house.path()
    town.shop.script.extend([None, "lost_reply"])
    await town.settle()
    assert [sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]] == [2]
    assert (await attempts(town, "ConfirmShipment"))[-1] == "done"


async def test_an_outage_of_one_partner_holds_up_no_other(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.depot.delivered()
    town.depot.faults.outage = True
    waiting = town.shop.place_order([("PASS", 1)])
    await town.shop.delivered()
    await town.house.path()
    for _ in range(3):
        await town.house.send()
    assert sum(town.shop.fulfilments[placed.id][0].lines.values()) == 2
    assert await town.slices((await town.order(waiting))["id"]) == [(1, "released", town.east)]
    town.depot.faults.outage = False
    await town.house.send()
    await town.settle()
    assert town.asked((await town.order(waiting))["id"]).status == "pending"


@contextmanager
def warehouse_gone(town: Town) -> Iterator[None]:
    """The partner no longer knows the eastern warehouse: an answer that only a person can mend."""
    name = town.depot.warehouses.pop(EAST)
    yield
    town.depot.warehouses[EAST] = name


async def test_a_delivery_that_needs_a_person_parks_and_blocks_nobody(town: Town) -> None:
    await town.goods("LAMP", west=9)
    with warehouse_gone(town):
        stuck = town.shop.place_order([("PASS", 1)])
        free = town.shop.place_order([("LAMP", 1)])
        await town.settle()
    order = await town.order(stuck)
    assert sorted(await attempts(town, "SubmitFulfilment")) == ["done", "needs_person"]
    assert town.asked((await town.order(free))["id"]).status == "pending"
    found = await town.trouble()
    assert found["kind"] == "delivery_needs_person"
    assert "Warehouse not found" in found["cause"]
    assert found["order_id"] == order["id"]
    (parked,) = await town.house.rows("SELECT * FROM outbox")
    assert parked["parked"]
    assert await town.house.rows("SELECT what, ref FROM exception_waiter") == [
        {"what": "effect", "ref": str(parked["id"])}
    ]
    assert await town.slices(order["id"]) == [(1, "released", town.east)]

    async with town.house.parts.database.connection() as connection:
        assert await outbox.unpark(connection, [parked["id"]]) == 1
    await town.settle()
    assert town.asked(order["id"]).status == "pending"
    assert await town.house.open_exceptions() == [], "it is done: nobody has to look any more"


async def test_a_partner_that_hangs_keeps_no_other_from_being_told(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.depot.delivered()
    for _ in range(12):
        town.shop.place_order([("PASS", 1)])
    await town.shop.delivered()
    await town.house.path()
    town.depot.faults.delay_ms = 60_000
    deliverer = town.house.worker.deliverer
    await deliverer.run()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if town.shop.fulfilments[placed.id]:
            break
    assert sum(town.shop.fulfilments[placed.id][0].lines.values()) == 2
    for task in list(deliverer._busy.values()):
        task.cancel()
    await deliverer.drain()


async def test_many_that_need_the_same_person_are_one_exception(town: Town) -> None:
    with warehouse_gone(town):
        for _ in range(4):
            town.shop.place_order([("PASS", 1)])
        await town.settle()
    found = await town.trouble()
    assert found["count"] == 4
    assert await town.house.value("SELECT count(*) FROM exception_waiter") == 4


async def test_a_cancel_of_what_is_parked_frees_the_units(town: Town) -> None:
    with warehouse_gone(town):
        placed = town.shop.place_order([("PASS", 3)])
        await town.settle()
        town.shop.cancel_order(placed.id)
        await town.settle()
    order = await town.order(placed)
    requests = await town.house.rows("SELECT state FROM cancel_request WHERE order_id = $1", order["id"])
    assert order["state"] == "cancelled", requests
    assert await town.stock("PASS", town.east) == (100, 0)
    assert await town.house.value("SELECT count(*) FROM outbox") == 0
    assert await town.house.open_exceptions() == []


async def test_what_fails_too_often_is_parked_with_its_last_reason(town: Town) -> None:
    town.depot.faults.outage = True
    placed = town.shop.place_order([("PASS", 3)])
    await town.shop.delivered()
    await town.house.path()
    for _ in range(12):
        assert await town.house.open_exceptions() == []
        await town.house.send()
    assert await attempts(town, "SubmitFulfilment") == ["retry_later"] * 12
    found = await town.trouble()
    assert found["kind"] == "dead_letter"
    assert (await town.order(placed))["id"] in found["cause"]
    town.depot.faults.outage = False
    passer = town.passer_by()
    await town.shop.delivered()
    await town.house.path()
    await town.house.send()
    await town.settle()
    await town.passed(passer)


async def test_effects_of_one_order_reach_the_channel_in_their_order(town: Town) -> None:
    await town.goods("LAMP", west=9)
    placed, order = await town.buy([("PASS", 2), ("LAMP", 1)])
    town.shop.script.extend(["server_error"] * 3)
    for no in (1, 2):
        town.depot.ship(town.asked(order["id"], no))
    await town.settle()
    sent = await town.house.rows(
        "SELECT e.key, min(a.finished_at) FILTER (WHERE a.outcome = 'done') AS done FROM effect e "
        "JOIN attempt a ON a.effect_id = e.id WHERE e.kind = 'ConfirmShipment' GROUP BY e.id, e.key ORDER BY done"
    )
    assert [row["key"] for row in sent] == [f"{order['id']}-confirm-1", f"{order['id']}-confirm-2"]
    assert len(town.shop.fulfilments[placed.id]) == 2


async def test_an_address_that_changed_before_the_second_try_is_the_one_that_is_sent(town: Town) -> None:
    seen: list[Any] = []
    take = town.depot.take_order

    def looked_at(data: Any) -> Any:
        seen.append(data["shipping_address"])
        return take(data)

    town.depot.take_order = looked_at  # type: ignore[method-assign]
    town.depot.faults.outage = True
    placed = town.shop.place_order([("PASS", 1)])
    await town.shop.delivered()
    await town.house.path()
    await town.house.send()
    town.shop.update_order(placed.id, ship_to=msgspec.structs.replace(CUSTOMER, lines=("99 New Road",)))
    town.depot.faults.outage = False
    await town.shop.delivered()
    await town.house.path()
    await town.house.send()
    assert [address["address1"] for address in seen] == ["99 New Road"]


@pytest.mark.parametrize("secret", ["hush", "tok", "Ada Quill", "12 Mill Lane", "ada.quill@example.com"])
async def test_no_person_and_no_secret_stands_in_what_is_kept_of_an_effect(town: Town, secret: str) -> None:
    placed, order = await town.buy([("PASS", 1)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    kept = await town.house.value(
        "SELECT concat((SELECT string_agg(document, '') FROM effect), "
        "(SELECT string_agg(document, '') FROM order_revision), "
        "(SELECT string_agg(convert_from(input, 'UTF8') || convert_from(document, 'UTF8'), '') FROM decision), "
        "(SELECT string_agg(detail, '') FROM timeline), (SELECT string_agg(headers, '') FROM message), "
        "(SELECT string_agg(reason, '') FROM attempt), (SELECT string_agg(cause || next_step, '') FROM exception))"
    )
    assert len(kept) > 500
    assert secret not in kept
