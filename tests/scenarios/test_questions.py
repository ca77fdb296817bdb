"""What an order leaves open: the order stands, the right thing waits, one exception per cause, mending ends it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.shopify.simulator_shop import CUSTOMER
from hub.domain.contact import Contact
from hub.store.admin.exceptions import close
from hub.store.admin.mending import wake_queue
from tests.scenarios.test_intake import deliver, edited, quiet_order
from tests.scenarios.town import Town


async def active_holds(town: Town, order: str) -> list[tuple[str, str]]:
    """(kind, scope) of what stops an order."""
    rows = await town.house.rows("SELECT kind, scope FROM hold WHERE order_id = $1 AND lifted_at IS NULL", order)
    return [(row["kind"], row["scope"]) for row in rows]


def line(**changes: Any) -> dict[str, Any]:
    return {
        "id": 91,
        "quantity": 1,
        "current_quantity": 1,
        "price": "10.00",
        "sku": "PASS",
        "requires_shipping": True,
    } | changes


def of_lines(body: bytes, *lines: dict[str, Any], **changes: Any) -> bytes:
    """An order of these lines, with totals that agree with them."""
    goods = sum((Decimal(one["price"]) * max(0, one["quantity"]) for one in lines), Decimal(0))
    money = {
        "total_price": str(goods),
        "current_total_price": str(goods),
        "subtotal_price": str(goods),
        "total_tax": "0.00",
        "total_discounts": "0.00",
        "shipping_lines": [],
        "total_shipping_price_set": None,
    }
    return edited(body, line_items=list(lines), **money, **changes)


async def test_an_unknown_sku_is_one_exception_for_many_orders_and_its_item_releases_them_all(town: Town) -> None:
    town.shop.sell("NEW", available=50)
    placed = [town.shop.place_order([("NEW", 2), ("PASS", 1)]) for _ in range(8)]
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)

    found = await town.trouble()
    assert (found["kind"], found["count"]) == ("unknown_sku", 8)
    assert found["cause"] == "acme.myshopify.com: NEW"
    assert "PUT /api/v1/items/NEW" in found["next_step"]
    assert await town.house.value("SELECT count(*) FROM exception_waiter WHERE what = 'order'") == 8
    orders = [await town.order(one) for one in placed]
    for order in orders:
        assert await active_holds(town, order["id"]) == [("unresolved", "order")]
        assert await town.slices(order["id"]) == [(2, "unallocated", None), (1, "reserved", town.east)]
    assert len(town.depot.orders) == 1, "only the passer-by's"

    item = town.items["NEW"] = await town.house.item("NEW")
    await town.house.shelf(town.east, item, 16)
    async with town.house.parts.database.connection() as connection:
        await wake_queue(connection, "unresolved", datetime.now(UTC))
    await town.settle()

    assert await town.house.open_exceptions() == []
    assert await town.house.value("SELECT closed_by FROM exception") == "cause gone"
    assert await town.waiting() == []
    for order in orders:
        assert await active_holds(town, order["id"]) == []
        assert await town.slices(order["id"]) == [(2, "accepted", town.east), (1, "accepted", town.east)]
    assert await town.stock("NEW", town.east) == (16, 16)


async def test_an_unknown_sku_that_turns_out_a_kit_waits_for_its_components(town: Town) -> None:
    town.shop.sell("BOX", available=5)
    _, order = await town.buy([("BOX", 3)])
    cup, lid = await town.goods("CUP", east=20), await town.goods("LID", east=20)
    box = await town.house.item("BOX")
    await town.house.run("INSERT INTO item_component VALUES ($1, $2, 2), ($1, $3, 1)", box, cup, lid)
    async with town.house.parts.database.connection() as connection:
        await wake_queue(connection, "unresolved", datetime.now(UTC))
    await town.settle()
    assert {(state, node) for _, state, node in await town.slices(order["id"])} == {("accepted", town.east)}
    assert await town.stock("CUP", town.east) == (20, 6)
    assert await town.stock("LID", town.east) == (20, 3)
    assert await town.house.open_exceptions() == []


async def test_a_cancelled_order_waits_for_no_unknown_sku(town: Town) -> None:
    town.shop.sell("NEW", available=50)
    placed, order = await town.buy([("NEW", 2)])
    assert (await town.trouble())["kind"] == "unknown_sku"
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert (await town.order(placed))["state"] == "cancelled"
    assert await town.waiting() == []
    assert await town.house.open_exceptions() == []
    assert len(town.depot.orders) == 0


async def test_an_order_that_arrives_cancelled_asks_for_nothing(town: Town) -> None:
    town.shop.sell("NEW", available=50)
    hub, town.shop.hub_url = town.shop.hub_url, None
    placed = town.shop.place_order([("NEW", 2), ("PASS", 1)])
    town.shop.hub_url = hub
    town.shop.cancel_order(placed.id)
    await town.settle()
    assert (await town.order(placed))["state"] == "cancelled"
    assert await town.house.open_exceptions() == []
    assert len(town.depot.orders) == 0


@pytest.mark.parametrize("quantity", [-1, 0, "three", 1.5, None])
async def test_a_quantity_that_is_none_holds_the_order(town: Town, quantity: object) -> None:
    body = of_lines(town.shop.body(quiet_order(town), "orders/create"), line(), line(id=92))
    document = msgspec.json.decode(body)
    document["line_items"][1] |= {"quantity": quantity, "current_quantity": quantity}
    assert await deliver(town, msgspec.json.encode(document)) == 200
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    sql = "SELECT * FROM customer_order WHERE external_id <> $1"
    (order,) = await town.house.rows(sql, str(passer.id))
    kinds = {row["kind"] for row in await town.house.open_exceptions()}
    assert kinds & {"bad_quantity", "missing_field"}, kinds
    held = {kind for kind, scope in await active_holds(town, order["id"]) if scope == "order"}
    assert held & {"bad_quantity", "missing_field"}
    assert await town.slices(order["id"]) == [(1, "reserved", town.east)]


async def test_a_corrected_quantity_lifts_the_hold_and_closes_its_exception(town: Town) -> None:
    placed = quiet_order(town)
    body = town.shop.body(placed, "orders/create")
    document = msgspec.json.decode(body)
    document["line_items"][0] |= {"quantity": -1, "current_quantity": -1}
    assert await deliver(town, msgspec.json.encode(document)) == 200
    await town.settle()
    order = await town.order(placed)
    assert ("bad_quantity", "order") in await active_holds(town, order["id"])
    town.shop.update_order(placed.id, note="corrected")
    await town.settle()
    assert await active_holds(town, order["id"]) == []
    assert await town.house.open_exceptions() == []
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("JPY", "1980", 1980), ("KWD", "12.345", 12345), ("USD", "19.99", 1999)]
)
async def test_money_keeps_its_currencys_own_places(town: Town, currency: str, price: str, minor: int) -> None:
    town.shop.currency = currency
    town.shop.sell("PASS", price=Decimal(price), available=90)
    _, order = await town.buy([("PASS", 2)], shipping=Decimal(0), tax_rate=Decimal(0))
    assert order["currency"] == currency
    content = msgspec.json.decode(await town.house.value("SELECT document FROM order_revision"))
    assert content["amounts"]["shop"]["subtotal"] == 2 * minor
    assert content["amounts"]["stated_total"] == 2 * minor
    assert await town.house.rows("SELECT amount, currency FROM payment") == [
        {"amount": 2 * minor, "currency": currency}
    ]
    assert await town.house.open_exceptions() == []
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]


@pytest.mark.parametrize(("currency", "price"), [("JPY", "19.50"), ("USD", "1.999"), ("XXX", "1.00")])
async def test_an_amount_that_cannot_be_booked_stops_the_books_not_the_goods(
    town: Town, currency: str, price: str
) -> None:
    body = of_lines(town.shop.body(quiet_order(town), "orders/create"), line(price=price), currency=currency)
    assert await deliver(town, body) == 200
    await town.settle()
    (order,) = await town.house.rows("SELECT * FROM customer_order")
    assert {kind for kind, scope in await active_holds(town, order["id"])} <= {"bad_money", "total_mismatch"}
    assert {scope for _, scope in await active_holds(town, order["id"])} == {"posting"}
    assert "bad_money" in {row["kind"] for row in await town.house.open_exceptions()}
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]


@pytest.mark.parametrize(
    "address",
    [None, Contact(name="Ada", country="US"), Contact(name="Ada", lines=("12 Mill Lane",), city="Portland")],
)
async def test_a_shippable_order_without_an_address_is_reserved_and_held(town: Town, address: Contact | None) -> None:
    placed = town.shop.place_order([("PASS", 1)], ship_to=address)
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    order = await town.order(placed)
    assert await active_holds(town, order["id"]) == [("missing_address", "order")]
    assert await town.slices(order["id"]) == [(1, "reserved", town.east)]
    found = await town.trouble()
    assert found["kind"] == "missing_address"
    assert found["order_id"] == order["id"]
    town.shop.update_order(placed.id, ship_to=CUSTOMER)
    await town.settle()
    assert await active_holds(town, order["id"]) == []
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]
    assert await town.house.open_exceptions() == []


async def test_an_unknown_word_holds_its_orders_and_the_table_entry_frees_them(town: Town) -> None:
    placed = [town.shop.place_order([("PASS", 1)], financial="half_paid") for _ in range(3)]
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    found = await town.trouble()
    assert (found["kind"], found["count"]) == ("unmapped_status", 3)
    assert "half_paid" in found["cause"]
    for one in placed:
        order = await town.order(one)
        assert await active_holds(town, order["id"]) == [("unmapped_status", "order")]
        assert await town.slices(order["id"]) == [(1, "reserved", town.east)]

    await town.house.run(
        "INSERT INTO code_table VALUES ('shop', 'status', 1, '{\"half_paid\": \"part_paid\"}', 'test', now())"
    )
    async with town.house.parts.database.transaction() as connection:
        await close(connection, "default", [str(found["id"])], who="test", now=datetime.now(UTC), retry=True)
    await town.settle()
    for one in placed:
        order = await town.order(one)
        assert await active_holds(town, order["id"]) == []
        assert await town.slices(order["id"]) == [(1, "accepted", town.east)]
    assert await town.house.open_exceptions() == []


async def test_a_total_that_does_not_add_up_holds_posting_and_not_shipping(town: Town) -> None:
    placed = quiet_order(town)
    wrong = edited(town.shop.body(placed, "orders/create"), total_price="99.99", current_total_price="99.99")
    assert await deliver(town, wrong) == 200
    await town.settle()
    order = await town.order(placed)
    assert await active_holds(town, order["id"]) == [("total_mismatch", "posting")]
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]
    found = await town.trouble()
    assert found["kind"] == "total_mismatch"
    assert str(9999 - 1570) in found["cause"]
    town.shop.update_order(placed.id, note="corrected")
    await town.settle()
    assert await active_holds(town, order["id"]) == []
    assert await town.house.open_exceptions() == []
