"""A person wants to be forgotten, or to know what is known: what the channel passes on has an effect here."""

import msgspec

from adapters.shopify.simulator_books import ShopOrder
from hub.domain.shipping import BoxLabel, Label
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


async def test_the_pictures_of_labels_are_forgotten_with_the_people(town: Town) -> None:
    old, order = await shipped(town)
    label = Label(
        external_id="L1",
        tracking="1Z1",
        carrier="ups",
        service="ground",
        url="data:application/pdf;base64,QW5u",
        more=(BoxLabel(tracking="1Z2", url="data:application/pdf;base64,QW5u"),),
    )
    document = msgspec.json.encode(label).decode()
    await town.house.run("INSERT INTO label VALUES ($1, 1, 'L1', '1Z1', $2, now())", order, document)
    plain = msgspec.json.encode(msgspec.structs.replace(label, more=())).decode()
    await town.house.run("INSERT INTO return_label VALUES ('r1', $1, 'L2', '1Z3', $2, now())", order, plain)
    await redact(town, old)
    sent = msgspec.json.decode(await town.house.value("SELECT document FROM label"), type=Label)
    back = msgspec.json.decode(await town.house.value("SELECT document FROM return_label"), type=Label)
    assert (sent.tracking, sent.url, sent.more) == ("1Z1", None, (BoxLabel(tracking="1Z2"),))
    assert (back.tracking, back.url, back.more) == ("1Z1", None, ())


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
