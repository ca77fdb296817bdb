"""Money that is taken: when goods leave, as much as left, once; let go when nothing will; told when it runs out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.direct.simulator import PaymentService
from adapters.shopify.simulator_books import ShopMoved, ShopOrder
from adapters.shopify.simulator_books import placed as whole
from hub.store import dispatch, outbox
from hub.store.payments import watch_authorisations
from hub.worker.deliver import perform_call
from hub.worker.requests import build
from tests.scenarios.counter import Counter
from tests.scenarios.test_facts import shipped
from tests.scenarios.town import Town

pytestmark = pytest.mark.usefixtures("unfollowed")

# Three passes at 10.00 with 8 % tax on top and 4.90 of shipping.
WHOLE, GOODS, CHARGES = 3730, 1080, 490


@pytest.fixture
async def hub_captures(town: Town) -> None:
    await town.house.run("UPDATE account SET captured_by = 'hub' WHERE adapter = 'shopify'")


async def authorised(town: Town, units: int = 3) -> tuple[Any, dict[str, Any]]:
    return await town.buy([("PASS", units)], financial="authorized")


def moved(town: Town, placed: Any) -> list[tuple[str, int]]:
    """Captures and voids in the shop's own books, in cents."""
    return [(one.kind, int(one.amount * 100)) for one in town.shop.orders[placed.id].moved]


async def requests(town: Town, order: str) -> list[tuple[str, str]]:
    rows = await town.house.rows("SELECT kind, state FROM payment_request WHERE order_id = $1 ORDER BY no", order)
    return [(row["kind"], row["state"]) for row in rows]


@pytest.mark.usefixtures("hub_captures")
async def test_money_is_taken_when_goods_leave_and_as_much_as_left(town: Town) -> None:
    placed, order = await authorised(town)
    assert moved(town, placed) == [], "nothing left yet"
    await town.house.hear("depot", shipped(order, 1, name="s-1"))
    assert moved(town, placed) == [("CAPTURE", GOODS + CHARGES)]
    await town.house.hear("depot", shipped(order, 1, name="s-1"))
    assert len(moved(town, placed)) == 1, "told twice, taken once"
    await town.house.hear("depot", shipped(order, 2, name="s-2"))
    await town.settle()
    assert moved(town, placed) == [("CAPTURE", GOODS + CHARGES), ("CAPTURE", 2 * GOODS)]
    assert sum(amount for _, amount in moved(town, placed)) == WHOLE
    assert await requests(town, order["id"]) == [("capture", "done")] * 2
    assert town.shop.orders[placed.id].financial == "paid"
    assert await town.house.open_exceptions() == []


@pytest.mark.usefixtures("hub_captures")
@pytest.mark.parametrize("fault", ["lost_reply", "server_error", "throttle"])
async def test_money_is_taken_once_whatever_befalls_the_call(town: Town, fault: Any) -> None:
    placed, order = await authorised(town)
    await town.house.hear("depot", shipped(order, 3), deliver=False)
    await town.house.path()
    # The confirmation and the capture are sent side by side: any of the next calls may be hit.
    town.shop.script.extend([None, None, None, fault, fault, None])
    await town.settle()
    assert moved(town, placed) == [("CAPTURE", WHOLE)]
    assert await requests(town, order["id"]) == [("capture", "done")]
    assert await town.house.value("SELECT count(*) FROM payment WHERE kind = 'capture'") == 1


@pytest.mark.usefixtures("hub_captures")
async def test_a_worker_that_dies_after_taking_money_does_not_take_it_again(town: Town) -> None:
    placed, order = await authorised(town)
    await town.house.hear("depot", shipped(order, 3), deliver=False)
    await town.house.path()
    directory = await town.house.parts.configuration.directory()
    link = directory.links["shop"]
    # A sender acts, and dies before it writes down that it did.
    async with town.house.parts.database.connection() as connection:
        claimed = await outbox.claim(connection, "shop", 16, 0.05)
        loaded = await dispatch.load(connection, link.connection.account, claimed)
    (capture,) = [one for one in claimed if one.key.endswith("-pay-capture-1")]
    context = await town.house.parts.clients.context(link, directory)
    await perform_call(link, context, build(capture, loaded, directory), [])
    assert moved(town, placed) == [("CAPTURE", WHOLE)]
    await town.house.run("UPDATE outbox SET lease_until = now() - interval '1 second'")
    await town.settle()
    assert moved(town, placed) == [("CAPTURE", WHOLE)]
    assert town.shop.operations["CrossdockCapture"] == 1
    assert await requests(town, order["id"]) == [("capture", "done")]


@pytest.mark.usefixtures("hub_captures")
async def test_what_is_cancelled_before_it_left_is_not_taken(town: Town) -> None:
    placed, order = await authorised(town)
    town.shop.edit_order(placed.id, {"PASS": 1})
    await town.settle()
    town.depot.ship(town.asked(order["id"], 2))
    await town.settle()
    assert moved(town, placed) == [("CAPTURE", GOODS + CHARGES)]


@pytest.mark.usefixtures("hub_captures")
async def test_an_order_that_is_cancelled_lets_the_money_go_once(town: Town, counter: Counter) -> None:
    placed, order = await authorised(town)
    await town.house.run("UPDATE connection SET modes = '{\"cancel_order\": \"off\"}' WHERE id = 'shop'")
    town.shop.script.extend([None, "lost_reply"])
    await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "customer"})
    await town.settle()
    assert moved(town, placed) == [("VOID", WHOLE)]
    assert await requests(town, order["id"]) == [("void", "done")]
    town.shop.update_order(placed.id, note="still here")
    await town.settle()
    assert moved(town, placed) == [("VOID", WHOLE)]


async def test_the_channel_that_captures_by_itself_is_asked_for_nothing(town: Town) -> None:
    placed, order = await authorised(town)
    await town.house.hear("depot", shipped(order, 3))
    assert moved(town, placed) == []
    assert await requests(town, order["id"]) == []


@pytest.mark.usefixtures("hub_captures")
async def test_what_the_channel_took_already_is_not_taken_again(town: Town) -> None:
    placed, order = await town.buy([("PASS", 3)])
    await town.house.hear("depot", shipped(order, 3))
    assert moved(town, placed) == []
    assert await requests(town, order["id"]) == []
    assert await town.house.open_exceptions() == []


@pytest.mark.usefixtures("hub_captures")
async def test_a_capture_that_is_refused_is_told_and_not_tried_without_end(town: Town) -> None:
    placed, order = await authorised(town)
    shop_order = town.shop.orders[placed.id]
    shop_order.moved.append(_void(town, shop_order))
    await town.house.hear("depot", shipped(order, 3))
    await town.settle()
    assert [kind for kind, _ in moved(town, placed)] == ["VOID"]
    assert await requests(town, order["id"]) == [("capture", "refused")]
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["delivery_refused"]


def _void(town: Town, order: ShopOrder) -> ShopMoved:
    amount = whole(order).total
    return ShopMoved(
        id=town.shop.next_id(), kind="VOID", amount=amount, created_at=town.shop.now(), parent=order.id + 21
    )


@pytest.mark.usefixtures("hub_captures")
async def test_captured_money_can_be_refunded_and_no_more_than_it(town: Town, counter: Counter) -> None:
    placed, order = await authorised(town)
    problem = await counter.refused("POST", "/refunds", {"order": order["id"], "amount": 100})
    assert (problem["captured"], problem["refundable"]) == (0, 0), "authorised is not taken"
    await town.house.hear("depot", shipped(order, 1))
    problem = await counter.refused("POST", "/refunds", {"order": order["id"], "amount": GOODS + CHARGES + 1})
    assert problem["captured"] == GOODS + CHARGES
    await counter.ok("POST", "/refunds", {"order": order["id"], "amount": GOODS})
    await town.settle()
    assert [int(one.moved(town.shop.orders[placed.id]) * 100) for one in town.shop.orders[placed.id].refunds] == [GOODS]


# --- the direct channel's payment service ----------------------------------------------------------------------------


@pytest.fixture
async def service(town: Town, counter: Counter) -> AsyncIterator[PaymentService]:
    async with PaymentService(token="pay-token-123") as running:
        await counter.ok(
            "POST",
            "/connections",
            {
                "adapter": "direct",
                "captured_by": "hub",
                "config": {"base_url": running.base_url, "payment_token": running.token},
            },
        )
        yield running


async def ordered(town: Town, counter: Counter, service: PaymentService, **authorisation: Any) -> str:
    """A direct order of two passes, authorised at the payment service."""
    held = service.authorise("D-1", 2500, "USD")
    body = {
        "external_id": "D-1",
        "currency": "USD",
        "lines": [{"external_id": "1", "sku": "PASS", "quantity": 2, "subtotal": 2500}],
        "contacts": {
            "ship": {
                "name": "A",
                "lines": ["1 Road"],
                "city": "Portland",
                "postal_code": "97204",
                "country": "US",
            }
        },
        "payments": [
            {
                "external_id": held,
                "kind": "authorise",
                "method": "card",
                "amount": 2500,
                "currency": "USD",
                "status": "done",
                **authorisation,
            }
        ],
    }
    answer = await counter.ask("POST", "/orders", body)
    assert answer.status_code in (201, 202), answer.text
    await town.settle()
    order: str = await town.house.value("SELECT id FROM customer_order WHERE external_id = 'D-1'")
    return order


async def test_a_direct_order_is_captured_and_refunded_through_the_payment_service(
    town: Town, counter: Counter, service: PaymentService
) -> None:
    order = await ordered(town, counter, service)
    service.script.append("lost_reply")
    await town.house.hear("depot", shipped({"id": order}, 2))
    await town.settle()
    assert service.taken("D-1") == 2500
    assert [len(made) for made in service.moved.values()] == [1], "the reply was lost: it looked first"
    service.script.append("lost_reply")
    await counter.ok("POST", "/refunds", {"order": order, "lines": [{"line": "1", "quantity": 1}]})
    await town.settle()
    assert service.taken("D-1") == 1250
    view = await counter.ok("GET", f"/orders/{order}")
    assert sorted((p["kind"], p["amount"]) for p in view["payments"]) == [
        ("authorise", 2500),
        ("capture", 2500),
        ("refund", 1250),
    ]
    assert await town.house.open_exceptions() == []


async def test_an_authorisation_that_ends_before_the_goods_leave_is_told_and_untold(
    town: Town, counter: Counter, service: PaymentService
) -> None:
    ends = datetime.now(UTC) + timedelta(hours=2)
    order = await ordered(town, counter, service, expires_at=ends.isoformat())
    found = await town.trouble()
    assert (found["kind"], found["order_id"]) == ("authorisation_expires", order)
    await town.house.hear("depot", shipped({"id": order}, 2))
    await town.settle()
    assert await town.house.open_exceptions() == []


async def test_the_clock_tells_of_an_authorisation_that_runs_out_once(
    town: Town, counter: Counter, service: PaymentService
) -> None:
    order = await ordered(town, counter, service, expires_at=(datetime.now(UTC) + timedelta(days=60)).isoformat())
    assert await town.house.open_exceptions() == []
    later = datetime.now(UTC) + timedelta(days=59, hours=12)
    for _ in range(2):
        async with town.house.parts.database.transaction() as connection:
            await watch_authorisations(connection, later)
    found = await town.trouble()
    assert (found["kind"], found["order_id"], found["count"]) == ("authorisation_expires", order, 1)
