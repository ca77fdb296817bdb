"""What a merchant ships by hand at the channel, while the hub has the order: it is taken over, and not sent again."""

from typing import Any

from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.sold import states
from tests.scenarios.town import Town


def by_hand(town: Town, placed: ShopOrder, units: int) -> None:
    """Somebody presses "fulfil" in the shop's admin."""
    (open_order,) = placed.fulfilment_orders
    (line,) = open_order.lines
    town.shop.fulfil(open_order, [(line, units)], numbers=["HAND-1"])


async def reasons(town: Town, order: str) -> list[tuple[int, str, str | None, int | None]]:
    rows = await town.house.rows(
        "SELECT quantity, state, reason, node_id FROM slice WHERE order_id = $1 ORDER BY quantity, state", order
    )
    return [(row["quantity"], row["state"], row["reason"], row["node_id"]) for row in rows]


async def held(town: Town, units: int) -> tuple[ShopOrder, dict[str, Any]]:
    """An order whose units are reserved and told to nobody: it says not where to."""
    return await town.buy([("PASS", units)], ship_to=None)


async def test_what_waits_for_goods_waits_no_more(town: Town) -> None:
    await town.goods("LAMP")
    placed, order = await town.buy([("LAMP", 2)])
    assert await town.waiting() == [("shortage", f"item:{town.items['LAMP']}")]
    by_hand(town, placed, 2)
    await town.settle()
    assert await reasons(town, order["id"]) == [(2, "shipped", "elsewhere", None)]
    assert (await town.order(placed))["state"] == "closed"
    assert await town.waiting() == []
    assert await town.house.open_exceptions() == []
    assert "sent_elsewhere" in await town.timeline(order["id"])


async def test_what_was_reserved_is_off_the_shelf_it_was_reserved_on(town: Town) -> None:
    """The next count says what is true; until then too few are for sale rather than too many."""
    placed, order = await held(town, 3)
    assert await town.stock("PASS", town.east) == (100, 3)
    by_hand(town, placed, 2)
    await town.settle()
    assert await reasons(town, order["id"]) == [
        (1, "reserved", None, town.east),
        (2, "shipped", "elsewhere", town.east),
    ]
    assert await town.stock("PASS", town.east) == (98, 1)


async def test_a_partner_is_asked_to_stop_and_what_it_lets_go_of_goes_nowhere(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    by_hand(town, placed, 2)
    await town.settle()
    assert town.asked(order["id"]).status == "canceled"
    assert await states(town, order["id"]) == {"shipped": 2}
    (asked,) = await town.house.rows("SELECT reason, state FROM cancel_request WHERE order_id = $1", order["id"])
    assert (asked["reason"], asked["state"]) == ("sent by somebody else", "confirmed")
    assert await town.stock("PASS", town.east) == (100, 0), "the partner has them still, by its own word"
    assert (await town.order(placed))["state"] == "closed"
    assert await town.house.open_exceptions() == []


async def test_of_what_was_sent_in_part_the_rest_is_sent_by_us(town: Town) -> None:
    placed, order = await town.buy([("PASS", 3)])
    by_hand(town, placed, 1)
    await town.settle()
    assert town.asked(order["id"]).status == "canceled"
    again = town.asked(order["id"], 2)
    assert [line.quantity for line in again.lines] == [2]
    town.depot.ship(again)
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    assert [sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]] == [1, 2]
    assert await town.house.open_exceptions() == []


async def test_a_partner_that_will_not_stop_is_a_persons_matter(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    by_hand(town, placed, 2)
    await town.shop.delivered()
    await town.house.path()
    await town.settle()
    kinds = {row["kind"]: row for row in await town.house.open_exceptions()}
    assert set(kinds) == {"cancel_refused", "delivery_needs_person"}
    assert "The channel says that somebody else sent them already" in kinds["cancel_refused"]["next_step"]
    assert "fulfilled by #1001-F1" in kinds["delivery_needs_person"]["cause"]
    assert await states(town, order["id"]) == {"shipped": 2}
    assert await town.stock("PASS", town.east) == (98, 0)


async def test_our_own_confirmation_is_no_news(town: Town) -> None:
    placed, order = await town.buy([("PASS", 3)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    town.shop.update_order(placed.id, note="thanks")
    await town.settle()
    assert await states(town, order["id"]) == {"shipped": 3}
    assert "sent_elsewhere" not in await town.timeline(order["id"])
    assert await town.house.open_exceptions() == []


async def test_what_somebody_sent_cannot_be_cancelled_any_more(town: Town, counter: Counter) -> None:
    placed, order = await held(town, 3)
    by_hand(town, placed, 2)
    await town.settle()
    refused = await counter.refused("POST", f"/orders/{order['id']}/cancel")
    assert "2 units have left and 1 are here, 3 cannot be cancelled" in refused["detail"]


async def test_a_channel_that_takes_its_word_back_is_told_until_it_is_sent(town: Town) -> None:
    """Somebody cancels the fulfilment in the shop's admin: nobody sends the goods."""
    placed, order = await held(town, 2)
    by_hand(town, placed, 2)
    await town.settle()
    (made,) = town.shop.fulfilments[placed.id]
    made.status = "CANCELLED"
    town.shop.update_order(placed.id, note="not sent after all")
    await town.settle()
    kinds = {row["kind"]: row for row in await town.house.open_exceptions()}
    assert set(kinds) == {"shipment_withdrawn"}, "nobody is asked for an address any more"
    assert "2 units of it, and takes that back" in kinds["shipment_withdrawn"]["next_step"]
    assert await states(town, order["id"]) == {"shipped": 2}
    made.status = "SUCCESS"
    town.shop.update_order(placed.id, note="sent now")
    await town.settle()
    assert await town.house.open_exceptions() == []
