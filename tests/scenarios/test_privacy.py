"""A person wants to be forgotten, or to know what is known: what the channel passes on has an effect here."""

import msgspec

from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town


async def pass_on(town: Town, topic: str, body: dict[str, object]) -> None:
    town.shop.deliver(town.shop.signed(topic, msgspec.json.encode(body), town.shop.uuid()))
    await town.settle()


async def redact(town: Town, *orders: ShopOrder) -> None:
    ids = [order.id for order in orders]
    await pass_on(town, "customers/redact", {"customer": {"id": 7}, "orders_to_redact": ids})


async def people(town: Town, order: str) -> int:
    return int(
        await town.house.value("SELECT count(*) FROM contact WHERE order_id = $1 AND document IS NOT NULL", order)
    )


async def shipped(town: Town) -> tuple[ShopOrder, str]:
    placed, order = await town.buy([("PASS", 1)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    return placed, str(order["id"])


async def test_the_people_of_orders_that_are_over_are_forgotten(town: Town, counter: Counter) -> None:
    (old, old_id), (_, other_id) = await shipped(town), await shipped(town)
    assert (await counter.ok("GET", f"/orders/{old_id}"))["contacts"] != {}
    await redact(town, old)
    assert (await people(town, old_id), await people(town, other_id) > 0) == (0, True)
    assert await town.house.value("SELECT count(*) FROM contact_mark WHERE order_id = $1", old_id) == 0
    shown = await counter.ok("GET", f"/orders/{old_id}")
    assert (shown["contacts"], shown["state"]) == ({}, "closed")
    assert await town.house.open_exceptions() == []


async def test_an_order_under_way_keeps_its_people_until_it_is_over(town: Town) -> None:
    placed, order = await town.buy([("PASS", 1)])
    await redact(town, placed)
    assert await people(town, order["id"]) > 0
    (trouble,) = await town.house.open_exceptions()
    assert (trouble["kind"], order["number"] in trouble["next_step"]) == ("erasure_waits", True)
    assert len(town.depot.orders) == 1


async def test_a_shop_that_left_is_forgotten_whole(town: Town) -> None:
    ids = [(await shipped(town))[1] for _ in range(2)]
    await pass_on(town, "shop/redact", {"shop_id": 954889, "shop_domain": town.shop.shop})
    assert [await people(town, id) for id in ids] == [0, 0]


async def test_a_question_is_a_persons_to_answer(town: Town) -> None:
    placed, _ = await shipped(town)
    await pass_on(town, "customers/data_request", {"data_request": {"id": 9999}, "orders_requested": [placed.id]})
    (trouble,) = await town.house.open_exceptions()
    assert (trouble["kind"], trouble["cause"]) == ("disclosure_asked", "shop: data request 9999")
    assert str(placed.id) in trouble["next_step"]
