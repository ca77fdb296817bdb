"""Accounts outlive their connections; what was placed before, elsewhere or for a test is recorded, never acted on."""

from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from hub.domain.effects import ConfirmShipment
from hub.domain.network import Mode
from hub.store.flush import EFFECTS, write
from tests.scenarios.test_intake import deliver, quiet_order
from tests.scenarios.town import Town


async def reinstall(town: Town) -> None:
    """The app is removed and installed again: other credentials, the same shop."""
    await town.house.run("UPDATE connection SET enabled = false WHERE id = 'shop'")
    town.shop.client_secret, town.shop.access_token = "second", "tok-2"
    await town.house.connect("again", "shopify", town.shop_config())
    town.shop.hub_url = f"{town.house.url}/webhooks/again"


async def test_a_reinstalled_app_is_a_new_connection_to_the_same_orders(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    old_body = town.shop.body(placed, "orders/create")
    await reinstall(town)
    assert town.house.connections["again"] == town.house.connections["shop"]
    assert await deliver(town, old_body, event="from-the-new-subscription") == 200
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM customer_order") == 1
    assert len(town.depot.orders) == 1

    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert sum(town.shop.fulfilments[placed.id][0].lines.values()) == 2
    confirm = await town.house.rows("SELECT connection_id FROM effect WHERE kind = 'ConfirmShipment'")
    assert [row["connection_id"] for row in confirm] == ["again"]
    assert (await town.order(placed))["state"] == "closed"


async def test_what_waits_for_an_app_that_was_removed_is_sent_by_its_successor(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    await town.house.run("UPDATE connection SET enabled = false WHERE id = 'shop'")
    town.depot.ship(town.asked(order["id"]))
    await town.depot.delivered()
    await town.house.path()
    assert town.shop.fulfilments[placed.id] == []
    await reinstall(town)
    await town.settle()
    assert sum(sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]) == 2
    assert await town.house.value("SELECT count(*) FROM outbox") == 0


async def test_two_live_connections_to_one_account_are_refused(town: Town) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await town.house.connect("twin", "shopify", town.shop_config())


async def test_orders_from_before_live_from_are_recorded_and_never_acted_on(town: Town) -> None:
    await town.house.run("UPDATE connection SET live_from = $1 WHERE id = 'shop'", datetime.now(UTC))
    now = town.shop.now
    town.shop.now = lambda: now() - timedelta(days=3)
    old = [town.shop.place_order([("PASS", 2)]) for _ in range(3)]
    await town.shop.delivered()
    town.shop.now = lambda: now() + timedelta(seconds=2)
    fresh = town.passer_by()
    await town.settle()
    await town.passed(fresh)
    for placed in old:
        order = await town.order(placed)
        assert (order["acting"], order["state"]) == (False, "captured")
        assert await town.house.value("SELECT count(*) FROM demand WHERE order_id = $1", order["id"]) == 0
        assert "recorded" in await town.timeline(order["id"])
    assert len(town.depot.orders) == 1
    assert await town.stock("PASS", town.east) == (100, 1)

    town.shop.update_order(old[0].id, note="still from before")
    town.shop.cancel_order(old[1].id)
    await town.settle()
    order = await town.order(old[0])
    assert (order["acting"], order["revision"]) == (False, 2)
    assert len(town.depot.orders) == 1
    assert await town.house.open_exceptions() == []


async def test_a_test_order_has_no_demand(town: Town) -> None:
    placed = town.shop.place_order([("PASS", 9)], test=True)
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    order = await town.order(placed)
    assert (order["test"], order["acting"]) == (True, False)
    assert await town.stock("PASS", town.east) == (100, 1)
    assert await town.house.value("SELECT count(*) FROM demand WHERE order_id = $1", order["id"]) == 0


async def test_an_observing_connection_records_and_does_nothing(town: Town) -> None:
    await town.house.run("UPDATE connection SET modes = '{\"receive\": \"observe\"}' WHERE id = 'shop'")
    _, order = await town.buy([("PASS", 9)])
    assert not order["acting"]
    assert await town.stock("PASS", town.east) == (100, 0)
    assert len(town.depot.orders) == 0


async def test_a_connection_that_receives_nothing_keeps_what_it_was_sent(town: Town) -> None:
    await town.house.run("UPDATE connection SET modes = '{\"receive\": \"off\"}' WHERE id = 'shop'")
    town.shop.place_order([("PASS", 9)])
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM message WHERE connection_id = 'shop'") == 1
    assert await town.house.value("SELECT count(*) FROM customer_order") == 0


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.OFF])
async def test_a_node_that_is_not_live_is_worked_through_the_hub(town: Town, mode: Mode) -> None:
    await town.house.run(f"UPDATE connection SET modes = '{{\"submit_fulfilment\": \"{mode}\"}}' WHERE id = 'depot'")
    _, order = await town.buy([("PASS", 2)])
    (made,) = await town.fulfilments(order["id"])
    assert (made["connection_id"], made["handoff"]) == (None, "unsent")
    assert len(town.depot.orders) == 0


async def test_a_paused_connection_is_told_later(town: Town) -> None:
    await town.house.run("UPDATE connection SET paused = true WHERE id = 'depot'")
    placed = town.shop.place_order([("PASS", 2)])
    await town.shop.delivered()
    await town.house.path()
    await town.house.send()
    assert len(town.depot.orders) == 0
    await town.house.run("UPDATE connection SET paused = false WHERE id = 'depot'")
    await town.settle()
    assert town.asked((await town.order(placed))["id"]).status == "pending"


async def test_refused_credentials_hold_everything_back_and_lose_nothing(town: Town) -> None:
    town.depot.password = "changed"
    placed = [town.shop.place_order([("PASS", 1)]) for _ in range(3)]
    await town.shop.delivered()
    await town.house.path()
    await town.house.send()
    found = await town.trouble()
    assert found["kind"] == "unauthorised"
    assert await town.house.value("SELECT count(*) FROM outbox WHERE NOT parked") == 3
    town.depot.password = "p"
    await town.house.send()
    await town.settle()
    assert await town.house.open_exceptions() == [], "what waited is sent, nobody has to do anything"
    assert [town.asked((await town.order(one))["id"]).status for one in placed] == ["pending"] * 3


async def test_a_message_of_a_removed_app_is_still_taken(town: Town) -> None:
    placed = quiet_order(town)
    assert await deliver(town, town.shop.body(placed, "orders/create")) == 200
    await reinstall(town)
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    assert await town.slices((await town.order(placed))["id"]) == [(1, "accepted", town.east)]
    assert await town.house.open_exceptions() == []


async def test_a_partner_connected_anew_is_told_and_heard_under_its_old_bindings(town: Town) -> None:
    _, before = await town.buy([("PASS", 2)])
    await town.house.run("UPDATE connection SET enabled = false WHERE id = 'depot'")
    config = {
        "account": "depot",
        "username": "u",
        "password": "p",
        "webhook_secret": "whs",
        "base_url": town.depot.base_url,
    }
    await town.house.connect("depot-2", "shiphero", config)
    town.depot.hub_url = f"{town.house.url}/webhooks/depot-2"
    placed, after = await town.buy([("PASS", 3)])
    (made,) = await town.fulfilments(after["id"])
    assert (made["connection_id"], made["handoff"]) == ("depot-2", "accepted")
    town.depot.ship(town.asked(before["id"]))
    await town.settle()
    assert await town.slices(before["id"]) == [(2, "shipped", town.east)]
    assert await town.stock("PASS", town.east) == (98, 3)
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert town.asked(after["id"]).status == "canceled"
    assert await town.house.open_exceptions() == []


async def test_a_ledger_connected_anew_is_not_told_twice(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    await reinstall(town)
    key = await town.house.value("SELECT key FROM effect WHERE kind = 'ConfirmShipment'")
    await town.house.run("UPDATE customer_order SET connection_id = 'again'")
    again = msgspec.json.encode(ConfirmShipment(order=order["id"], shipment=1)).decode()
    row = ("default", "again", order["id"], key, "ConfirmShipment", order["id"], again)
    async with town.house.parts.database.transaction() as connection:
        await write(connection, EFFECTS, [row])
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM effect WHERE kind = 'ConfirmShipment'") == 1
    assert len(town.shop.fulfilments[placed.id]) == 1
