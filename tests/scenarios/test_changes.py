"""Orders that change: late, early, out of order, cancelled, grown, shrunk, before and after a node was told."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hub.domain.facts import CancelConfirmed, CancelRefused
from hub.worker.deliver import Deliverer
from tests.scenarios.test_intake import deliver, edited, quiet_order
from tests.scenarios.town import Town


async def cancels(town: Town, order: str) -> list[tuple[int, str]]:
    """(fulfilment, state) of an order's cancel requests."""
    rows = await town.house.rows(
        "SELECT fulfilment_no, state FROM cancel_request WHERE order_id = $1 ORDER BY no", order
    )
    return [(row["fulfilment_no"], row["state"]) for row in rows]


async def effects(town: Town, kind: str) -> int:
    return int(await town.house.value("SELECT count(*) FROM effect WHERE kind = $1", kind))


async def undelivered(town: Town) -> None:
    """Take the webhooks in and decide, but send nothing."""
    await town.shop.delivered()
    await town.house.path()


# --- order of arrival ------------------------------------------------------------------------------------------------


async def test_an_update_before_its_create_is_the_create(town: Town) -> None:
    placed = quiet_order(town)
    created = town.shop.body(placed, "orders/create")
    hub, town.shop.hub_url = town.shop.hub_url, None
    town.shop.edit_order(placed.id, {"PASS": 1}, add=[("PASS", 2)])
    town.shop.hub_url = hub
    assert await deliver(town, town.shop.body(placed, "orders/updated"), topic="orders/updated", event="e-2") == 200
    await town.settle()
    assert await deliver(town, created, event="e-1") == 200
    await town.settle()
    order = await town.order(placed)
    assert order["revision"] == 1
    assert sum(units for units, _, _ in await town.slices(order["id"])) == 3
    assert "skipped" in await town.timeline(order["id"])
    assert await town.stock("PASS", town.east) == (100, 3)


async def test_of_two_changes_in_one_second_the_later_content_stands(town: Town) -> None:
    town.shop.ties = True
    instant = datetime(2026, 1, 16, 12, tzinfo=UTC)
    town.shop.now = lambda: instant
    placed, order = await town.buy([("PASS", 5)])
    town.shop.edit_order(placed.id, {"PASS": 3})
    await town.settle()
    town.shop.edit_order(placed.id, {"PASS": 1})
    await town.settle()
    assert sum(units for units, _, _ in await town.slices(order["id"])) == 1


async def test_a_senders_clock_in_the_future_takes_the_order_and_its_later_changes(town: Town) -> None:
    town.shop.now = lambda: datetime.now(UTC) + timedelta(hours=9)
    placed, order = await town.buy([("PASS", 5)])
    assert await town.slices(order["id"]) == [(5, "accepted", town.east)]
    early = town.shop.body(placed, "orders/updated")
    town.shop.edit_order(placed.id, {"PASS": 3})
    await town.settle()
    assert await deliver(town, early, topic="orders/updated", event="e-late") == 200
    await town.settle()
    assert sum(units for units, _, _ in await town.slices(order["id"])) == 3, "still the newest of that clock wins"


async def test_a_corrected_clock_is_believed_again(town: Town) -> None:
    placed = quiet_order(town)
    body = edited(town.shop.body(placed, "orders/create"), updated_at="2099-01-01T00:00:00Z")
    assert await deliver(town, body) == 200
    await town.settle()
    order = await town.order(placed)
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert (await town.order(placed))["state"] == "cancelled", "a cancel is not outlived by a wrong clock"


# --- cancel ----------------------------------------------------------------------------------------------------------


async def test_a_cancel_before_anything_was_sent_leaves_nothing(town: Town) -> None:
    placed = town.shop.place_order([("PASS", 4)])
    await undelivered(town)
    assert await town.stock("PASS", town.east) == (100, 4)
    town.shop.cancel_order(placed.id)
    await town.settle()
    order = await town.order(placed)
    assert order["state"] == "cancelled"
    assert await cancels(town, order["id"]) == [(1, "void")]
    assert await town.stock("PASS", town.east) == (100, 0)
    assert len(town.depot.orders) == 0
    assert await effects(town, "CancelFulfilment") == 0
    assert await town.house.value("SELECT count(*) FROM outbox") == 0


async def test_a_cancel_after_the_node_was_told_is_asked_and_confirmed(town: Town) -> None:
    placed, order = await town.buy([("PASS", 4)])
    passer = town.passer_by()
    town.shop.cancel_order(placed.id)
    await undelivered(town)
    assert await town.stock("PASS", town.east) == (100, 5), "reserved until the node has answered"
    assert await cancels(town, order["id"]) == [(1, "asked")]
    await town.settle()
    assert town.asked(order["id"]).status == "canceled"
    assert await cancels(town, order["id"]) == [(1, "confirmed")]
    assert (await town.order(placed))["state"] == "cancelled"
    assert await town.stock("PASS", town.east) == (100, 1)
    assert len(town.depot.orders) == 2, "what was cancelled was not given to anybody else"
    await town.passed(passer)
    assert await town.house.open_exceptions() == []


async def test_a_cancel_that_the_node_refuses_is_an_exception_and_the_goods_leave(town: Town) -> None:
    town.depot.refuse_cancel = 1.0
    placed, order = await town.buy([("PASS", 4)])
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert await cancels(town, order["id"]) == [(1, "refused")]
    found = await town.trouble()
    assert found["kind"] == "cancel_refused"
    assert await town.slices(order["id"]) == [(4, "accepted", town.east)]
    town.shop.update_order(placed.id, note="still cancelled")
    await town.settle()
    assert await effects(town, "CancelFulfilment") == 1, "a node that refused is not asked again"
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert await cancels(town, order["id"]) == [(1, "overtaken")]
    assert await town.stock("PASS", town.east) == (96, 0)
    assert (await town.order(placed))["state"] == "closed"


async def test_a_cancel_after_the_goods_left_is_an_exception(town: Town) -> None:
    placed, order = await town.buy([("PASS", 4)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    passer = town.passer_by()
    town.shop.fulfilments[placed.id].clear()
    town.shop.cancel_order(placed.id)
    await town.settle()
    await town.passed(passer)
    found = await town.trouble()
    assert found["kind"] == "cancel_after_ship"
    assert "4 units" in found["next_step"]
    assert found["order_id"] == order["id"]
    assert await effects(town, "CancelFulfilment") == 0
    assert await town.slices(order["id"]) == [(4, "shipped", town.east)]


async def test_goods_that_leave_while_the_cancel_is_on_its_way_win(town: Town) -> None:
    placed, order = await town.buy([("PASS", 4)])
    town.shop.cancel_order(placed.id)
    await town.shop.delivered()
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert await town.slices(order["id"]) == [(4, "shipped", town.east)]
    assert await town.stock("PASS", town.east) == (96, 0)
    (ended,) = await cancels(town, order["id"])
    assert ended[1] in ("overtaken", "refused")
    assert (await town.order(placed))["state"] == "closed"


async def test_what_was_cancelled_is_not_given_to_another_node_when_its_node_lets_it_go(town: Town) -> None:
    await town.goods("LAMP", east=5, west=5)
    placed, order = await town.buy([("LAMP", 3)])
    (told,) = await town.fulfilments(order["id"])
    town.shop.cancel_order(placed.id)
    await undelivered(town)
    town.depot.cancel(town.asked(order["id"]))
    await town.depot.delivered()
    await town.settle()
    assert (await town.order(placed))["state"] == "cancelled"
    assert len(town.depot.orders) == 1
    assert await town.stock("LAMP", told["node_id"]) == (5, 0)


async def test_the_rest_of_a_part_shipment_is_not_sent_on_when_its_cancel_is_confirmed(town: Town) -> None:
    await town.goods("LAMP", east=9, west=9)
    placed, order = await town.buy([("LAMP", 4)])
    asked = town.asked(order["id"])
    town.shop.cancel_order(placed.id)
    await undelivered(town)
    fulfilment = f"{order['id']}-1"
    town.depot.ship(asked, part=True)
    await town.depot.delivered()
    await town.house.path()
    await town.house.hear("depot", CancelConfirmed(at=datetime.now(UTC), fulfilment=fulfilment))
    await town.settle()
    states = sorted((units, state) for units, state, _ in await town.slices(order["id"]))
    assert states == [(2, "shipped")]
    assert len(town.depot.orders) == 1
    assert await town.waiting() == []


async def test_a_refusal_of_a_cancel_that_was_never_asked_changes_no_units(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    refusal = CancelRefused(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", reason="packed")
    await town.house.hear("depot", refusal)
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]


async def test_a_cancel_whose_submit_is_uncertain_follows_it(town: Town) -> None:
    placed = town.shop.place_order([("PASS", 4)])
    await undelivered(town)
    town.depot.script.extend([None, "lost_reply"])
    deliverer: Deliverer = town.house.worker.deliverer
    await deliverer.run()
    await deliverer.drain()
    town.shop.cancel_order(placed.id)
    await town.settle()
    order = await town.order(placed)
    assert town.asked(order["id"]).status == "canceled"
    assert order["state"] == "cancelled"
    assert await town.stock("PASS", town.east) == (100, 0)


async def test_a_cancelled_order_is_not_revived_by_a_snapshot_that_had_not_heard(town: Town) -> None:
    placed, order = await town.buy([("PASS", 4)])
    town.shop.cancel_order(placed.id)
    await town.settle()
    revived = edited(
        town.shop.body(placed, "orders/updated"),
        cancelled_at=None,
        updated_at="2031-01-01T00:00:00Z",
        line_items=[{"id": placed.lines[0].id, "quantity": 4, "current_quantity": 4, "price": "10.00", "sku": "PASS"}],
    )
    assert await deliver(town, revived, topic="orders/updated", event="e-9") == 200
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    assert (await town.order(placed))["state"] == "cancelled"
    assert await town.slices(order["id"]) == []
    assert await town.house.value("SELECT coalesce(sum(unpinned), 0)::int FROM item_promise") == 0
    found = await town.trouble()
    assert found["kind"] == "cancelled_here"


# --- amend -----------------------------------------------------------------------------------------------------------


async def units(town: Town, order: str) -> dict[str, int]:
    """Live units by state."""
    counted: dict[str, int] = {}
    for quantity, state, _ in await town.slices(order):
        counted[state] = counted.get(state, 0) + quantity
    return counted


@pytest.mark.parametrize("wanted", [1, 3, 9])
async def test_a_quantity_changed_before_release_needs_no_word_to_a_node(town: Town, wanted: int) -> None:
    placed = town.shop.place_order([("PASS", 5)], ship_to=None)
    await undelivered(town)
    town.shop.edit_order(placed.id, {"PASS": 0}, add=[("PASS", wanted)])
    await town.settle()
    order = await town.order(placed)
    assert await units(town, order["id"]) == {"reserved": wanted}
    assert await town.stock("PASS", town.east) == (100, wanted)
    assert len(town.depot.orders) == 0


async def test_a_line_added_and_one_removed_before_release(town: Town) -> None:
    await town.goods("LAMP", east=9)
    await town.goods("SHADE", east=9)
    placed = town.shop.place_order([("PASS", 2), ("LAMP", 1)], ship_to=None)
    await undelivered(town)
    town.shop.edit_order(placed.id, {"LAMP": 0, "PASS": 1}, add=[("SHADE", 3)])
    await town.settle()
    assert await town.stock("PASS", town.east) == (100, 1)
    assert await town.stock("LAMP", town.east) == (9, 0)
    assert await town.stock("SHADE", town.east) == (9, 3)


async def test_fewer_units_after_release_are_asked_back_and_the_rest_goes_anew(town: Town) -> None:
    placed, order = await town.buy([("PASS", 5)])
    town.shop.edit_order(placed.id, {"PASS": 2})
    await town.settle()
    assert town.asked(order["id"], 1).status == "canceled"
    second = town.asked(order["id"], 2)
    assert [(line.sku, line.quantity) for line in second.lines] == [("PASS", 2)]
    assert await units(town, order["id"]) == {"accepted": 2}
    assert await town.stock("PASS", town.east) == (100, 2)
    assert await cancels(town, order["id"]) == [(1, "confirmed")]


async def test_more_units_after_release_go_in_a_fulfilment_order_of_their_own(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    grown = edited(
        town.shop.body(placed, "orders/updated"),
        updated_at="2031-01-01T00:00:00Z",
        line_items=[{"id": placed.lines[0].id, "quantity": 5, "current_quantity": 5, "price": "10.00", "sku": "PASS"}],
    )
    assert await deliver(town, grown, topic="orders/updated", event="e-9") == 200
    await town.settle()
    assert town.asked(order["id"], 1).status == "pending"
    assert [line.quantity for line in town.asked(order["id"], 2).lines] == [3]
    assert await town.stock("PASS", town.east) == (100, 5)


async def test_a_line_added_after_everything_shipped_opens_the_order_again(town: Town) -> None:
    await town.goods("LAMP", east=9)
    placed, order = await town.buy([("PASS", 2)])
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    town.shop.edit_order(placed.id, {}, add=[("LAMP", 1)])
    await town.settle()
    assert (await town.order(placed))["state"] == "open"
    town.depot.ship(town.asked(order["id"], 2))
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    assert await town.stock("LAMP", town.east) == (8, 0)
    assert sum(sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]) == 3


async def test_an_order_edited_down_to_nothing_may_grow_again(town: Town) -> None:
    await town.goods("LAMP", east=9)
    placed, order = await town.buy([("PASS", 2)])
    town.shop.edit_order(placed.id, {"PASS": 0})
    await town.settle()
    assert (await town.order(placed))["state"] == "closed"
    assert await town.stock("PASS", town.east) == (100, 0)
    town.shop.edit_order(placed.id, {}, add=[("LAMP", 1)])
    await town.settle()
    assert (await town.order(placed))["state"] == "open"
    assert await units(town, order["id"]) == {"accepted": 1}


async def test_a_line_removed_after_it_shipped_is_told_and_the_others_go_on(town: Town) -> None:
    await town.goods("LAMP", west=9)
    placed, order = await town.buy([("PASS", 2), ("LAMP", 1)])
    rows = {row["node_id"]: row["no"] for row in await town.fulfilments(order["id"])}
    town.depot.ship(town.asked(order["id"], rows[town.east]))
    await town.settle()
    town.shop.fulfilments[placed.id].clear()
    town.shop.edit_order(placed.id, {"PASS": 0})
    await town.settle()
    assert (await town.trouble())["kind"] == "cancel_after_ship"
    assert town.asked(order["id"], rows[town.west]).status == "pending"
    town.depot.ship(town.asked(order["id"], rows[town.west]))
    await town.settle()
    assert await units(town, order["id"]) == {"shipped": 3}


async def test_a_refund_of_unshipped_units_takes_them_back(town: Town) -> None:
    placed, order = await town.buy([("PASS", 5)])
    town.shop.refund_order(placed.id, {placed.lines[0].id: 4})
    await town.settle()
    assert await units(town, order["id"]) == {"accepted": 1}
    assert await town.stock("PASS", town.east) == (100, 1)


async def test_changes_faster_than_the_node_answers_end_in_the_last_one(town: Town) -> None:
    placed, order = await town.buy([("PASS", 9)])
    for wanted in (7, 5, 3):
        town.shop.edit_order(placed.id, {"PASS": wanted})
        await undelivered(town)
    await town.settle()
    assert await units(town, order["id"]) == {"accepted": 3}
    assert await town.stock("PASS", town.east) == (100, 3)
    open_at_depot = [one for one in town.depot.orders.values() if one.status != "canceled"]
    assert [[line.quantity for line in one.lines] for one in open_at_depot] == [[3]]


async def test_an_address_changed_before_the_node_is_told_is_the_one_it_is_told(town: Town) -> None:
    placed = town.shop.place_order([("PASS", 1)])
    await undelivered(town)
    moved = placed.ship_to
    assert moved is not None
    town.shop.update_order(placed.id, ship_to=msgspec.structs.replace(moved, lines=("99 New Road",)))
    await town.settle()
    order = await town.order(placed)
    contact = await town.house.value(
        "SELECT document FROM contact WHERE order_id = $1 AND key = 'ship' ORDER BY revision DESC LIMIT 1", order["id"]
    )
    assert "99 New Road" in contact
    # Nobody could know whether the first was being sent just then: it was taken back, and a new one went out.
    assert town.depot.found(f"{order['id']}-1") == []
    assert town.asked(order["id"], 2).status == "pending"
