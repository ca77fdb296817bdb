"""What cannot be decided or filled waits in a named place, and goes on by the event that can help, within seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hub.registry import rule_text
from hub.routing.policy import load_shipped
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town

SECONDS = 5.0
"""Within this an order goes on that an event can help."""

_versions = count(1)

EAST_NEVER = """
[[rule]]
name = "east is being rebuilt"
fence = [{ drop = 'node.code == "EAST"' }]
"""

DENSE = """
[[rule]]
name = "dense goods"
when = "order.value / order.weight_g > 10"
set = { max_splits = 0 }
"""


async def activate(counter: Counter, text: str) -> str:
    """Keep and activate a policy; returns its version."""
    version = f"waiting-{next(_versions)}"
    kept = await counter.ok("POST", "/policies", {"text": f'version = "{version}"\n{text}'})
    await counter.ok("POST", f"/policies/{kept['id']}/activate")
    return version


@asynccontextmanager
async def at_work(town: Town) -> AsyncIterator[None]:
    """The hub's worker runs by itself, as it does in production; what waits now is not looked at but for an event."""
    await town.house.run("UPDATE waiting SET due_at = now() + interval '1 hour'")
    stop = asyncio.Event()
    running = asyncio.create_task(town.house.worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def soon(look: Callable[[], Awaitable[bool]]) -> None:
    """Something becomes true within the time that is promised."""
    async with asyncio.timeout(SECONDS):
        while not await look():
            await asyncio.sleep(0.05)


async def served(town: Town, order: str) -> bool:
    """Whether every unit of an order is with a node."""
    return all(state in ("released", "accepted") for _, state, _ in await town.slices(order))


async def queues(counter: Counter) -> dict[str, int]:
    """Orders by waiting place."""
    items = (await counter.ok("GET", "/queues"))["items"]
    return {item["name"]: item["count"] for item in items if item["kind"] == "orders"}


async def test_goods_that_the_policy_fences_off_wait_until_another_policy_is_activated(
    town: Town, counter: Counter
) -> None:
    await activate(counter, EAST_NEVER)
    item = await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 2)])
    assert await town.slices(order["id"]) == [(2, "unallocated", None)]
    assert await town.waiting() == [("unroutable", f"item:{item}")]
    assert await queues(counter) == {"unroutable": 1}
    found = await town.trouble()
    assert (found["kind"], found["cause"]) == ("unroutable", "default: LAMP")
    assert "EAST is told outside fence" in found["next_step"]
    async with at_work(town):
        await activate(counter, "")
        await soon(lambda: served(town, order["id"]))
    assert await town.waiting() == []
    assert await town.house.open_exceptions() == []


async def test_goods_that_are_nowhere_wait_until_stock_arrives(town: Town, counter: Counter) -> None:
    """Pipe17: failed routing was tried again every 3 hours. fulfillmenttools: when the next order came."""
    await town.goods("LAMP")
    _, order = await town.buy([("LAMP", 2)])
    assert await queues(counter) == {"shortage": 1}
    async with at_work(town):
        lines = [{"node": "WEST", "sku": "LAMP", "on_hand": 5}]
        await counter.ok("PUT", "/stock", {"kind": "snapshot", "source": "count", "lines": lines})
        await soon(lambda: served(town, order["id"]))
    assert await town.house.open_exceptions() == []


async def test_goods_at_a_node_that_is_off_wait_until_it_is_enabled(town: Town, counter: Counter) -> None:
    await counter.ask("DELETE", "/nodes/EAST")
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("LAMP", 2)])
    assert await queues(counter) == {"shortage": 1}
    async with at_work(town):
        await counter.ok("PUT", "/nodes/EAST", {"kind": "dc", "enabled": True, "latitude": 40.7, "longitude": -74.0})
        await soon(lambda: served(town, order["id"]))


async def test_units_that_another_order_lets_go_of_are_taken_by_who_waits(town: Town, counter: Counter) -> None:
    await town.goods("LAMP", east=2)
    first, holder = await town.buy([("LAMP", 2)])
    _, waiter = await town.buy([("LAMP", 2)])
    assert await town.slices(waiter["id"]) == [(2, "unallocated", None)]
    async with at_work(town):
        await counter.ok("POST", f"/orders/{holder['id']}/cancel", {"reason": "changed his mind"})
        await soon(lambda: served(town, waiter["id"]))
    assert (await town.order(first))["state"] == "cancelled"
    assert await town.stock("LAMP", town.east) == (2, 2)


async def test_a_condition_without_an_answer_holds_up_its_own_orders_alone(town: Town, counter: Counter) -> None:
    version = await activate(counter, DENSE)
    await town.goods("FEATHER", east=9, weight_g=0)
    await town.goods("LAMP", east=9)
    feathers = [town.shop.place_order([("FEATHER", 1)]) for _ in range(2)]
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    found = await town.trouble()
    assert (found["kind"], found["count"]) == ("undecided", 2)
    assert found["cause"] == f"default: policy {version}, rule 'dense goods'"
    assert "divide by zero" in found["next_step"]
    assert "Mend the condition" in found["next_step"]
    assert await queues(counter) == {"undecided": 2}
    orders = [await town.order(placed) for placed in feathers]
    assert [await town.slices(order["id"]) for order in orders] == [[(1, "unallocated", None)]] * 2
    assert await town.house.value("SELECT count(*) FROM decision WHERE order_id = $1", orders[0]["id"]) == 0
    async with at_work(town):
        await activate(counter, DENSE.replace('"order.value', '"order.weight_g > 0 && order.value'))
        await soon(lambda: served(town, orders[0]["id"]))
        await soon(lambda: served(town, orders[1]["id"]))
    assert await town.house.open_exceptions() == []


async def test_a_condition_that_fails_at_one_node_names_it(town: Town, counter: Counter) -> None:
    await activate(counter, '[[rule]]\nname = "room"\nfence = [{ keep = "node.capacity_left > 2" }]\n')
    _, order = await town.buy([("PASS", 1)])
    found = await town.trouble()
    assert "rule 'room', fence 1" in found["cause"]
    assert "at node EAST" in found["next_step"]
    await town.house.run("UPDATE node SET capacity_per_day = 5")
    async with at_work(town):
        await counter.ok("PUT", "/nodes/WEST", {"kind": "dc", "capacity_per_day": 5})
        await soon(lambda: served(town, order["id"]))


async def test_a_network_that_contradicts_itself_lets_orders_wait(town: Town, counter: Counter) -> None:
    await town.house.run("UPDATE node SET handling_cost = -5 WHERE code = 'WEST'")
    _, order = await town.buy([("PASS", 1)])
    found = await town.trouble()
    shipped = load_shipped(rule_text("routing", "default")).version
    assert (found["kind"], found["cause"]) == ("undecided", f"default: policy {shipped}, input")
    assert "node WEST has a negative handling cost" in found["next_step"]
    async with at_work(town):
        await counter.ok("PUT", "/nodes/WEST", {"kind": "dc", "handling_cost": 5})
        await soon(lambda: served(town, order["id"]))
    assert await town.house.open_exceptions() == []


async def test_what_is_backordered_is_served_when_it_comes(town: Town, counter: Counter) -> None:
    await activate(counter, 'remainder = "backorder"')
    await town.goods("LAMP", east=1)
    _, order = await town.buy([("LAMP", 3)])
    assert sorted(await town.slices(order["id"])) == [(1, "accepted", town.east), (2, "backordered", None)]
    assert "backordered" in await town.timeline(order["id"])
    async with at_work(town):
        lines = [{"node": "WEST", "sku": "LAMP", "on_hand": 5}]
        await counter.ok("PUT", "/stock", {"kind": "snapshot", "source": "count", "lines": lines})
        await soon(lambda: served(town, order["id"]))
    assert await town.stock("LAMP", town.west) == (5, 2)


async def test_what_is_not_to_be_had_is_cancelled_when_its_time_is_up(town: Town, counter: Counter) -> None:
    await activate(counter, 'remainder = "cancel"\ncancel_after_days = 3')
    await town.goods("LAMP", east=1)
    placed, order = await town.buy([("LAMP", 3), ("PASS", 1)])
    waits = (2, "unallocated", None)
    assert waits in await town.slices(order["id"])
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert waits in await town.slices(order["id"]), "three days are not over"
    past = datetime.now(UTC) - timedelta(days=3, minutes=1)
    await town.house.run("UPDATE customer_order SET placed_at = $1", past)
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert sorted(await town.slices(order["id"])) == [(1, "accepted", town.east), (1, "accepted", town.east)]
    assert await town.waiting() == []
    assert await town.house.open_exceptions() == []
    assert (await town.order(placed))["state"] == "open"


async def test_an_order_of_which_nothing_is_to_be_had_is_cancelled_whole(town: Town, counter: Counter) -> None:
    await activate(counter, 'remainder = "cancel"')
    await town.goods("LAMP")
    placed, _ = await town.buy([("LAMP", 3)])
    assert (await town.order(placed))["state"] == "cancelled"
    assert await town.waiting() == []
    assert await town.house.open_exceptions() == []


async def test_the_order_of_better_priority_is_served_first(town: Town, counter: Counter) -> None:
    await activate(counter, '[[rule]]\nname = "rush"\nwhen = \'"rush" in order.tags\'\nset = { priority = 1 }\n')
    await town.goods("LAMP", east=1)
    ordinary = town.shop.place_order([("LAMP", 1)])
    rush = town.shop.place_order([("LAMP", 1)], tags=["rush"])
    await town.shop.delivered()
    await town.settle()
    states: dict[int, Any] = {}
    for placed in (ordinary, rush):
        states[placed.id] = await town.slices((await town.order(placed))["id"])
    assert states[rush.id] == [(1, "accepted", town.east)]
    assert states[ordinary.id] == [(1, "unallocated", None)]


async def test_a_node_that_serves_another_channel_is_told_apart_from_one_that_is_off(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP", west=5)
    point = {"account": "acme.myshopify.com", "external_location": "501", "purpose": "sell", "nodes": ["EAST"]}
    await counter.ok("PUT", "/stock-points", point)
    _, order = await town.buy([("LAMP", 1)])
    (decision,) = (await counter.ok("GET", f"/orders/{order['id']}/decisions"))["items"]
    west = next(row for row in decision["candidates"] if row["node"] == "WEST")
    assert west["reason"] == "not_served"
    assert [fence["fence"] for fence in west["fences"] if not fence["passed"]] == ["serves"]
    assert "If WEST served this channel, WEST would send." in [flip["text"] for flip in decision["flips"]]
    assert "does not serve this channel" in decision["sentence"]
    await counter.ok("PUT", "/stock-points", point | {"nodes": ["EAST", "WEST"]})
    await town.settle()
    assert await town.slices(order["id"]) == [(1, "accepted", town.west)]
