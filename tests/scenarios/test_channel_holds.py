"""What a shop, or an app beside us, holds back: nothing of it is released here until it lets go."""

from adapters.shopify.simulator_holds import hold, release
from tests.scenarios.counter import Counter
from tests.scenarios.town import EAST, TILL, Town


async def test_a_hold_of_another_app_stops_the_release_and_its_end_lets_go(town: Town, counter: Counter) -> None:
    lamp = await town.goods("LAMP")
    town.shop.inventory[town.shop.variants["LAMP"].item, TILL] = 2
    placed, order = await town.buy([("LAMP", 2)])
    hold(town.shop, placed.id, "HIGH_RISK_OF_FRAUD")
    await town.settle()
    (stands,) = await town.house.rows("SELECT * FROM hold WHERE order_id = $1 AND lifted_at IS NULL", order["id"])
    assert (stands["kind"], stands["owner"]) == ("channel_hold", "channel")
    assert stands["reason"] == "held at the channel: high_risk_of_fraud"
    town.depot.stock(EAST, "LAMP", 5)
    line = {"node": "EAST", "sku": "LAMP", "delta": 5}
    await counter.ok("PUT", "/stock", {"source": "api", "kind": "delta", "lines": [line]})
    await town.settle()
    assert await town.house.value("SELECT pinned FROM stock WHERE item_id = $1", lamp) == 2
    town.shop.update_order(placed.id, note="ring twice")
    await town.settle()
    assert await town.slices(order["id"]) == [(2, "reserved", town.east)], "a webhook says nothing of the hold"
    release(town.shop, placed.id)
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM hold WHERE lifted_at IS NULL") == 0
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]


async def test_a_read_that_finds_no_hold_is_no_news(town: Town) -> None:
    placed, order = await town.buy([("PASS", 1)])
    release(town.shop, placed.id)
    await town.settle()
    assert (await town.order(placed))["revision"] == order["revision"] == 1
