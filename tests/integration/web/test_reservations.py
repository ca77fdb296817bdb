"""Carts at a node, longer, elsewhere, until their order comes; and what orders hold."""

from datetime import timedelta
from typing import Any

import pytest

from hub.store.admin.reservations import displace_carts, expire_reservations
from hub.store.verify import verify_stock
from tests.integration.web.conftest import Site, now, pointers


@pytest.fixture
async def shelf(site: Site) -> Site:
    """Two nodes with five of A each."""
    await site.ok("PUT", "/items/A", {})
    for code in ("BER", "HAM"):
        await site.ok("PUT", f"/nodes/{code}", {"kind": "dc"})
        await site.ok("PUT", "/stock", {"kind": "count", "lines": [{"node": code, "sku": "A", "on_hand": 5}]})
    return site


def cart(quantity: int, node: str | None = None, **more: Any) -> dict[str, Any]:
    return {"lines": [{"sku": "A", "quantity": quantity} | ({"node": node} if node else {})], "ttl_seconds": 60} | more


async def reserved(site: Site) -> dict[str, int]:
    return {row["node"]: row["reserved"] for row in (await site.ok("GET", "/stock?sku=A"))["items"]}


async def balanced(site: Site) -> None:
    async with site.database.connection() as connection:
        assert await verify_stock(connection) == []


async def test_a_cart_pins_at_a_node_and_nowhere_beyond_what_is_free(shelf: Site) -> None:
    made = await shelf.ok("POST", "/reservations", cart(4, "HAM"))
    assert made["lines"] == [{"sku": "A", "quantity": 4, "node": "HAM"}]
    assert await reserved(shelf) == {"BER": 0, "HAM": 4}
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 6
    problem = await shelf.refused(409, "POST", "/reservations", cart(2, "HAM"))
    assert problem["available"] == [{"sku": "A", "requested": 2, "available": 6}]
    await balanced(shelf)
    await shelf.ok("DELETE", f"/reservations/{made['id']}")
    assert await reserved(shelf) == {"BER": 0, "HAM": 0}
    await balanced(shelf)


async def test_an_order_cannot_take_what_a_cart_has_pinned(shelf: Site) -> None:
    for code in ("BER", "HAM"):
        await shelf.ok("POST", "/reservations", cart(5, code))
    body = {"external_id": "1", "currency": "EUR", "lines": [{"external_id": "1", "sku": "A", "quantity": 2}]}
    order = await shelf.ok("POST", "/orders", body)
    assert {part["state"] for part in order["lines"][0]["demands"][0]["slices"]} == {"unallocated"}
    await balanced(shelf)


async def test_a_transfer_moves_all_or_nothing(shelf: Site) -> None:
    made = await shelf.ok("POST", "/reservations", cart(3, "HAM"))
    await shelf.ok("POST", "/reservations", cart(3, "BER"))
    path = f"/reservations/{made['id']}/transfer"
    problem = await shelf.refused(409, "POST", path, {"node": "BER"})
    assert problem["type"] == "urn:crossdock:problem:not-available"
    assert await reserved(shelf) == {"BER": 3, "HAM": 3}
    moved = await shelf.ok("POST", path, {"node": None})
    assert moved["lines"] == [{"sku": "A", "quantity": 3, "node": None}]
    assert await reserved(shelf) == {"BER": 3, "HAM": 0}
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 4
    assert (await shelf.ok("POST", path, {"node": "HAM", "sku": "A"}))["lines"][0]["node"] == "HAM"
    await balanced(shelf)
    assert pointers(await shelf.refused(422, "POST", path, {"node": "NONE"})) == ["/node"]
    await shelf.refused(404, "POST", path, {"node": "HAM", "sku": "NONE"})


async def test_a_cart_is_kept_longer_but_not_for_ever(shelf: Site) -> None:
    made = await shelf.ok("POST", "/reservations", cart(1))
    path = f"/reservations/{made['id']}/extend"
    longer = await shelf.ok("POST", path, {"ttl_seconds": 3600})
    assert longer["expires_at"] > made["expires_at"]
    await shelf.sql("UPDATE cart_reservation SET created_at = now() - interval '6 days 23 hours 30 minutes'")
    assert pointers(await shelf.refused(422, "POST", path, {"ttl_seconds": 3600})) == ["/ttl_seconds"]
    assert pointers(await shelf.refused(422, "POST", path, {"ttl_seconds": 8 * 86_400})) == ["/ttl_seconds"]
    await shelf.ok("DELETE", f"/reservations/{made['id']}")
    problem = await shelf.refused(409, "POST", path, {"ttl_seconds": 60})
    assert problem["type"] == "urn:crossdock:problem:reservation-ended"
    await shelf.refused(404, "POST", "/reservations/none/extend", {"ttl_seconds": 60})


async def test_a_reservation_longer_than_allowed_is_refused_and_nothing_is_held(shelf: Site) -> None:
    body = cart(1) | {"ttl_seconds": 7 * 86_400 + 1}
    assert pointers(await shelf.refused(422, "POST", "/reservations", body)) == ["/ttl_seconds"]
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 10


async def test_what_was_never_reserved_cannot_be_released(shelf: Site) -> None:
    for id in ("none", "01M81QGB1KGNYAR096GE", "01M81QGB1KGNYAR096GE.1", "x.99999999999"):
        await shelf.refused(404, "DELETE", f"/reservations/{id}")
    assert await reserved(shelf) == {"BER": 0, "HAM": 0}
    await balanced(shelf)


async def test_a_cart_ends_when_its_order_comes(shelf: Site) -> None:
    body = {"external_id": "W-1", "currency": "EUR", "lines": [{"external_id": "1", "sku": "A", "quantity": 2}]}
    await shelf.ok("POST", "/orders", body | {"external_id": "W-0"})
    (account,) = await shelf.sql("SELECT name FROM account")
    made = await shelf.ok("POST", "/reservations", cart(2, channel=account["name"], order="W-1"))
    assert made["order"] == "W-1"
    async with shelf.database.transaction() as connection:
        assert await expire_reservations(connection, now()) == 0
    await shelf.ok("POST", "/orders", body)
    async with shelf.database.transaction() as connection:
        assert await expire_reservations(connection, now()) == 1
    assert (await shelf.ok("GET", f"/reservations/{made['id']}"))["ended"] == "ordered"
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 6
    await balanced(shelf)
    assert pointers(await shelf.refused(422, "POST", "/reservations", cart(1, order="W-2"))) == ["/channel"]


async def test_a_pinned_cart_that_expires_wakes_what_waits(shelf: Site) -> None:
    for code in ("BER", "HAM"):
        await shelf.ok("POST", "/reservations", cart(5, code))
    body = {"external_id": "1", "currency": "EUR", "lines": [{"external_id": "1", "sku": "A", "quantity": 2}]}
    await shelf.ok("POST", "/orders", body)
    await shelf.sql("UPDATE waiting SET due_at = now() + interval '1 hour'")
    async with shelf.database.transaction() as connection:
        assert await expire_reservations(connection, now() + timedelta(minutes=2)) == 2
    (row,) = await shelf.sql("SELECT due_at <= now() AS due FROM waiting")
    assert row["due"]
    await balanced(shelf)


async def test_carts_give_way_before_orders_the_newest_first(shelf: Site) -> None:
    first = await shelf.ok("POST", "/reservations", cart(2, "HAM"))
    second = await shelf.ok("POST", "/reservations", cart(2, "HAM"))
    (stock,) = await shelf.sql(
        "SELECT item_id, node_id FROM stock s JOIN node n ON n.id = s.node_id WHERE code = 'HAM'"
    )
    async with shelf.database.transaction() as connection:
        freed = await displace_carts(connection, {(stock["item_id"], stock["node_id"]): 1})
    assert list(freed.values()) == [2]
    assert (await shelf.ok("GET", f"/reservations/{second['id']}"))["ended"] == "displaced"
    assert (await shelf.ok("GET", f"/reservations/{first['id']}"))["ended"] is None
    await balanced(shelf)


async def test_carts_are_listed(shelf: Site) -> None:
    made = [await shelf.ok("POST", "/reservations", cart(1)) for _ in range(3)]
    await shelf.ok("DELETE", f"/reservations/{made[1]['id']}")
    held = (await shelf.ok("GET", "/reservations?sku=A"))["items"]
    assert {row["id"] for row in held} == {made[0]["id"], made[2]["id"]}
    assert [row["id"] for row in (await shelf.ok("GET", "/reservations?ended=true"))["items"]] == [made[1]["id"]]
    first = await shelf.ok("GET", "/reservations?limit=1")
    assert len((await shelf.ok("GET", f"/reservations?cursor={first['next']}"))["items"]) == 1
    assert (await shelf.ok("GET", "/reservations?sku=NONE"))["items"] == []


async def held_order(site: Site) -> str:
    """The id of what an order holds unreleased."""
    body = {
        "external_id": "1",
        "currency": "EUR",
        "lines": [{"external_id": "1", "sku": "A", "quantity": 3}],
        "groups": [{"key": "main", "not_before": (now() + timedelta(days=3)).isoformat()}],
    }
    await site.ok("POST", "/orders", body)
    (found,) = (await site.ok("GET", "/reservations/of-orders?sku=A"))["items"]
    return str(found["id"])


async def test_what_an_order_holds_is_shown_and_moved_but_not_released(shelf: Site) -> None:
    id = await held_order(shelf)
    found = await shelf.ok("GET", f"/reservations/of-orders/{id}")
    assert (found["state"], found["quantity"]) == ("reserved", 3)
    other = {"BER": "HAM", "HAM": "BER"}[found["node"]]
    problem = await shelf.refused(409, "DELETE", f"/reservations/{id}")
    assert problem["type"] == "urn:crossdock:problem:of-an-order"
    moved = await shelf.ok("POST", f"/reservations/of-orders/{id}/transfer", {"node": other, "reason": "closer"})
    assert (moved["node"], moved["reason"]) == (other, "closer")
    assert await reserved(shelf) == {other: 3, found["node"]: 0}
    await balanced(shelf)
    await shelf.ok("POST", "/reservations", cart(4, found["node"]))
    problem = await shelf.refused(409, "POST", f"/reservations/of-orders/{id}/transfer", {"node": found["node"]})
    assert problem["type"] == "urn:crossdock:problem:cannot-move"
    assert await reserved(shelf) == {other: 3, found["node"]: 4}
    assert (await shelf.ok("GET", f"/reservations/of-orders?node={found['node']}"))["items"] == []
    await balanced(shelf)
    await shelf.refused(404, "GET", "/reservations/of-orders/none")
    await shelf.refused(404, "GET", f"/reservations/{id}")
