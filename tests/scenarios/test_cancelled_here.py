"""What the hub cancelled stays cancelled, whenever its channel hears of it; what the channel adds is still wanted."""

from typing import Any

from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.test_changes import cancels, undelivered, units
from tests.scenarios.test_intake import deliver, edited
from tests.scenarios.town import Town


async def without(town: Town, capability: str) -> None:
    await town.house.run("UPDATE connection SET modes = $1 WHERE id = 'shop'", f'{{"{capability}": "off"}}')


def says(town: Town, placed: ShopOrder, at: str, **units: int) -> bytes:
    """A body of the shop as of `at`, with these quantities by SKU."""
    body = town.shop.body(placed, "orders/updated")
    lines: list[dict[str, Any]] = [
        {"id": line.id, "quantity": line.quantity, "price": "10.00", "sku": line.variant.sku,
         "current_quantity": units.get(line.variant.sku, line.current)}
        for line in placed.lines
    ]  # fmt: skip
    return edited(body, updated_at=at, line_items=lines, refunds=[])


async def cut(counter: Counter, order: str, placed: ShopOrder, units: int) -> None:
    line = str(placed.lines[0].id)
    await counter.ok("POST", f"/orders/{order}/cancel", {"reason": "one less", "lines": {line: units}})


async def test_units_cancelled_here_are_taken_off_at_the_channel(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 5)])
    await cut(counter, order["id"], placed, 2)
    await town.settle()
    assert placed.lines[0].current == 3
    assert [int(100 * one.moved(placed)) for one in placed.refunds] == [0, 2160], "the money goes by itself"
    assert await units(town, order["id"]) == {"accepted": 3}
    assert await town.house.value("SELECT count(*) FROM effect WHERE kind = 'CancelLinesAtChannel'") == 1
    assert await town.house.open_exceptions() == []


async def test_an_older_word_of_the_channel_does_not_bring_units_back(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 5)])
    await cut(counter, order["id"], placed, 2)
    await town.house.path()
    for number in range(2):
        town.shop.update_order(placed.id, note=f"has not heard {number}")
        await undelivered(town)
    early = town.shop.body(placed, "orders/updated")
    assert sum((await units(town, order["id"])).values()) == 5, "the node has not let go yet"
    await town.settle()
    assert await units(town, order["id"]) == {"accepted": 3}
    assert placed.lines[0].current == 3
    assert await deliver(town, early, topic="orders/updated", event="late") == 200
    town.shop.update_order(placed.id, note="has heard")
    await town.settle()
    assert await units(town, order["id"]) == {"accepted": 3}


async def test_a_word_between_the_cancel_and_what_the_channel_makes_of_it(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 5)])
    town.shop.script.extend(["lost_reply"] * 2)
    await cut(counter, order["id"], placed, 2)
    hub, town.shop.hub_url = town.shop.hub_url, None
    await town.settle()
    town.shop.hub_url = hub
    assert placed.lines[0].current == 3, "taken off once, although no answer came"
    early = edited(says(town, placed, "2026-11-01T00:00:00Z", PASS=5), updated_at=placed.created_at.isoformat())
    assert await deliver(town, early, topic="orders/updated", event="late") == 200
    await town.settle()
    assert await units(town, order["id"]) == {"accepted": 3}
    town.shop.edit_order(placed.id, {"PASS": 3}, add=[("PASS", 1)])
    await town.settle()
    assert await units(town, order["id"]) == {"accepted": 4}, "the channel's first word since is both"


async def test_a_real_increase_is_wanted_whether_the_channel_has_heard_or_not(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 5)])
    await without(town, "cancel_lines")
    await cut(counter, order["id"], placed, 2)
    await town.settle()
    assert (await town.trouble())["kind"] == "cancelled_here"
    grown = says(town, placed, "2031-01-01T00:00:00Z", PASS=7)
    assert await deliver(town, grown, topic="orders/updated", event="grown") == 200
    await town.settle()
    assert sum((await units(town, order["id"])).values()) == 5, "two more than the three that were left"
    heard = says(town, placed, "2031-01-02T00:00:00Z", PASS=5)
    assert await deliver(town, heard, topic="orders/updated", event="by hand") == 200
    await town.settle()
    assert sum((await units(town, order["id"])).values()) == 5
    assert await town.house.open_exceptions() == [], "the channel agrees by now"
    again = says(town, placed, "2031-01-03T00:00:00Z", PASS=6)
    assert await deliver(town, again, topic="orders/updated", event="more") == 200
    await town.settle()
    assert sum((await units(town, order["id"])).values()) == 6


async def test_what_the_node_ships_in_spite_of_it_stays_on_the_channels_order(town: Town, counter: Counter) -> None:
    town.depot.refuse_cancel = 1.0
    placed, order = await town.buy([("PASS", 5)])
    await cut(counter, order["id"], placed, 2)
    await town.settle()
    assert await cancels(town, order["id"]) == [(1, "refused")]
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert placed.lines[0].current == 5, "nothing was taken off that left"
    assert [sum(one.lines.values()) for one in town.shop.fulfilments[placed.id]] == [5]


async def test_units_taken_off_by_a_refund_are_not_taken_off_again(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 5)])
    line = str(placed.lines[0].id)
    await cut(counter, order["id"], placed, 2)
    await town.house.path()
    town.shop.refund_order(placed.id, {placed.lines[0].id: 2})
    await town.settle()
    assert placed.lines[0].current == 3
    assert await units(town, order["id"]) == {"accepted": 3}
    await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "again", "lines": {line: 1}})
    await town.settle()
    assert placed.lines[0].current == 2
    assert await units(town, order["id"]) == {"accepted": 2}


async def test_all_lines_are_the_whole_order_and_the_channel_cancels_it(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 2)])
    await cut(counter, order["id"], placed, 2)
    await town.house.path()
    open_still = says(town, placed, "2026-11-30T00:00:00Z", PASS=2)
    assert await deliver(town, open_still, topic="orders/updated", event="open") == 200
    await town.settle()
    assert placed.cancelled_at is not None
    assert (await town.order(placed))["state"] == "cancelled"
    assert await town.slices(order["id"]) == []
    assert await town.house.open_exceptions() == []


async def test_a_whole_order_that_a_person_must_cancel_there_too(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 2)])
    await without(town, "cancel_order")
    await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "fraud"})
    await town.settle()
    assert "whole order" in (await town.trouble())["next_step"]
    town.shop.update_order(placed.id, note="a word that has not heard")
    await town.settle()
    assert await town.slices(order["id"]) == []
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert await town.house.open_exceptions() == []
