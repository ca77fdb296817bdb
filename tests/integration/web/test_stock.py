"""Balances, supply, what may be sold, carts."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.store.admin.reservations import expire_reservations
from tests.integration.web.conftest import Site, now, pointers


@pytest.fixture
async def shelf(site: Site) -> Site:
    """Two nodes, two items and a kit of them, ten of each item in Berlin."""
    await site.ok("POST", "/items", {"items": [{"sku": "A"}, {"sku": "B"}, {"sku": "KIT", "components": KIT}]})
    for code in ("BER", "HAM"):
        await site.ok("PUT", f"/nodes/{code}", {"kind": "dc"})
    await site.ok("PUT", "/stock", {"kind": "snapshot", "lines": [line("A", on_hand=10), line("B", on_hand=10)]})
    return site


KIT = [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]


def line(sku: str, node: str = "BER", **figures: int) -> dict[str, Any]:
    return {"node": node, "sku": sku} | figures


async def on_hand(site: Site, sku: str, node: str = "BER") -> int:
    (row,) = (await site.ok("GET", f"/stock?sku={sku}&node={node}"))["items"]
    return int(row["on_hand"])


async def test_snapshot_delta_count(shelf: Site) -> None:
    body = {"source": "till", "kind": "delta", "lines": [line("A", delta=-3)]}
    assert (await shelf.ok("PUT", "/stock", body))["items"][0]["on_hand"] == 7
    assert (await shelf.ok("PUT", "/stock", body))["items"][0]["on_hand"] == 4
    counted = await shelf.ok("PUT", "/stock", {"kind": "count", "lines": [line("A", on_hand=5, safety=1)]})
    row = counted["items"][0]
    assert (row["node"], row["sku"], row["on_hand"], row["reserved"], row["safety"], row["available"]) == (
        "BER",
        "A",
        5,
        0,
        1,
        4,
    )
    ledger = await shelf.sql(
        "SELECT sum(delta) AS total, array_agg(DISTINCT source) AS who FROM stock_ledger WHERE item_id = 1"
    )
    assert ledger[0]["total"] == 5
    assert set(ledger[0]["who"]) == {"till", "api"}


async def test_what_moved_after_a_snapshot_is_kept(shelf: Site) -> None:
    before = now()
    await shelf.ok("PUT", "/stock", {"kind": "delta", "lines": [line("A", delta=-3)]})
    late = {"kind": "snapshot", "as_of": before.isoformat(), "lines": [line("A", on_hand=10)]}
    assert (await shelf.ok("PUT", "/stock", late))["items"][0]["on_hand"] == 7


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"lines": [line("A", "NONE", on_hand=1)]}, ["/lines/0/node"]),
        ({"lines": [line("NONE", on_hand=1), line("A", on_hand=1)]}, ["/lines/0/sku"]),
        ({"lines": [line("A", on_hand=-1)]}, ["/lines/0/on_hand"]),
        ({"lines": [{"node": "BER", "sku": "A", "on_hand": 1.5}]}, ["/lines/0/on_hand"]),
        ({"lines": [{"node": "BER", "sku": "A", "on_hand": "5"}]}, ["/lines/0/on_hand"]),
        ({"lines": [line("A", on_hand=10**12)]}, ["/lines/0/on_hand"]),
        ({"lines": [line("A", delta=1)]}, ["/lines/0/delta", "/lines/0/on_hand"]),
        ({"kind": "delta", "lines": [line("A", on_hand=1)]}, ["/lines/0/delta", "/lines/0/on_hand"]),
        ({"kind": "guess"}, ["/kind"]),
        ({"lines": []}, ["/lines"]),
        ({"lines": [line("A", on_hand=1), line("A", on_hand=2)]}, ["/lines/1"]),
        ({"as_of": "2099-01-01T00:00:00Z"}, ["/as_of"]),
        ({"as_of": "yesterday"}, ["/as_of"]),
        ({"as_of": "2026-01-01T00:00:00"}, ["/as_of"]),
    ],
)
async def test_a_report_with_a_fault_changes_nothing(shelf: Site, change: dict[str, Any], found: list[str]) -> None:
    body = {"kind": "snapshot", "lines": [line("A", on_hand=99)]} | change
    assert pointers(await shelf.refused(422, "PUT", "/stock", body)) == found
    assert await on_hand(shelf, "A") == 10


async def test_stock_serves_who_waits_and_marks_what_changed(shelf: Site) -> None:
    order = await shelf.ok("POST", "/orders", {"external_id": "1", "currency": "EUR", "lines": [wanted("A", 15)]})
    assert len(await shelf.sql("SELECT FROM waiting")) == 1, "five of the fifteen are nowhere"
    await shelf.sql("UPDATE waiting SET due_at = now() + interval '1 hour'")
    await shelf.sql("DELETE FROM dirty")
    shelf.rung.clear()
    await shelf.ok("PUT", "/stock", {"kind": "snapshot", "lines": [line("A", "HAM", on_hand=9)]})
    assert await shelf.sql("SELECT FROM waiting") == []
    served = await shelf.ok("GET", f"/orders/{order['id']}")
    assert served["progress"]["by_state"] == {"released": 15}
    assert {one["item_id"] for one in await shelf.sql("SELECT item_id FROM dirty")} == {1}
    assert "availability" in shelf.rung


def wanted(sku: str, quantity: int, id: str = "1") -> dict[str, Any]:
    return {"external_id": id, "sku": sku, "quantity": quantity}


async def test_balances_page_by_sku_and_node(shelf: Site) -> None:
    await shelf.ok("PUT", "/stock", {"kind": "count", "lines": [line("A", "HAM", on_hand=1)]})
    first = await shelf.ok("GET", "/stock?limit=2")
    second = await shelf.ok("GET", f"/stock?limit=2&cursor={first['next']}")
    assert [(row["sku"], row["node"]) for row in first["items"] + second["items"]] == [
        ("A", "BER"),
        ("A", "HAM"),
        ("B", "BER"),
    ]
    assert second["next"] is None
    assert (await shelf.ok("GET", "/stock?sku=NONE"))["items"] == []


async def test_safety_of_an_item_holds_at_every_node(shelf: Site) -> None:
    await shelf.ok("PUT", "/items/A", {"safety": 4})
    assert (await shelf.ok("GET", "/stock?sku=A"))["items"][0]["available"] == 6
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 6


async def test_supply(shelf: Site) -> None:
    row = {"reference": "PO-1", "node": "BER", "sku": "A", "quantity": 50, "due": "2026-12-24", "confidence": 80}
    await shelf.ok("PUT", "/supply", {"items": [row, row | {"sku": "B", "due": "2026-12-01"}]})
    listed = (await shelf.ok("GET", "/supply"))["items"]
    assert [found["sku"] for found in listed] == ["B", "A"]
    assert listed[1] == row
    first = await shelf.ok("GET", "/supply?limit=1")
    assert (await shelf.ok("GET", f"/supply?limit=1&cursor={first['next']}"))["items"] == [row]
    await shelf.ok("PUT", "/supply", row | {"quantity": 0})
    assert [found["sku"] for found in (await shelf.ok("GET", "/supply"))["items"]] == ["B"]
    bad = row | {"node": "X", "sku": "Y", "due": "soon", "confidence": 101, "quantity": -1}
    problem = await shelf.refused(422, "PUT", "/supply", {"items": [row, bad]})
    assert pointers(problem) == ["/items/1/confidence", "/items/1/due", "/items/1/quantity"]
    problem = await shelf.refused(422, "PUT", "/supply", {"items": [row, row | {"node": "X", "sku": "Y"}, row]})
    assert pointers(problem) == ["/items/1/node", "/items/1/sku", "/items/2"]


async def test_ats_is_a_waterfall(shelf: Site) -> None:
    await shelf.connect(shop="acme")
    point = {"account": "acme", "external_location": "L1", "nodes": ["BER"], "buffer": 3}
    await shelf.ok("PUT", "/stock-points", point)
    await shelf.ok("PUT", "/stock", {"kind": "count", "lines": [line("A", "HAM", on_hand=5)]})
    everywhere = await shelf.ok("GET", "/ats?sku=A")
    here = await shelf.ok("GET", "/ats?sku=A&stock_point=L1")
    channel = await shelf.ok("GET", "/ats?sku=A&channel=acme")
    assert (everywhere["available"], here["available"], channel["available"]) == (15, 7, 7)
    assert {step["name"]: step["quantity"] for step in here["steps"] if step["quantity"]} == {
        "on_hand": 10,
        "buffer": -3,
    }
    assert here["steps"][-1]["total"] == here["available"] - here["deficit"]
    assert (await shelf.ok("GET", "/ats?sku=KIT"))["available"] == 7
    await shelf.refused(404, "GET", "/ats?sku=NONE")
    await shelf.refused(404, "GET", "/ats?sku=A&stock_point=L9")
    assert (await shelf.refused(422, "GET", "/ats?sku=A&channel=none"))["errors"][0]["parameter"] == "channel"
    assert (await shelf.refused(422, "GET", "/ats"))["errors"][0]["parameter"] == "sku"


async def test_orders_and_disabled_nodes_lower_what_may_be_sold(shelf: Site) -> None:
    await shelf.ok("POST", "/orders", {"external_id": "1", "currency": "EUR", "lines": [wanted("A", 4)]})
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 6
    await shelf.ok("PUT", "/stock", {"kind": "count", "lines": [line("A", on_hand=1)]})
    short = await shelf.ok("GET", "/ats?sku=A")
    assert short["available"] == 0
    await shelf.ok("DELETE", "/nodes/BER")
    assert (await shelf.ok("GET", "/ats?sku=B"))["available"] == 0


async def test_what_nobody_counts_is_always_there(shelf: Site) -> None:
    await shelf.ok("PUT", "/items/GIFT", {"stock_mode": "unlimited"})
    assert (await shelf.ok("GET", "/ats?sku=GIFT"))["available"] > 10**6
    cart = {"lines": [{"sku": "GIFT", "quantity": 1000}], "ttl_seconds": 60}
    assert (await shelf.ok("POST", "/reservations", cart))["lines"] == []


async def test_a_cart_holds_and_gives_back(shelf: Site) -> None:
    cart = {"lines": [{"sku": "A", "quantity": 3}, {"sku": "KIT", "quantity": 2}], "ttl_seconds": 600}
    made = await shelf.ok("POST", "/reservations", cart)
    assert made["lines"] == [{"sku": "A", "quantity": 7, "node": None}, {"sku": "B", "quantity": 2, "node": None}]
    assert made["ended"] is None
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 3
    assert await shelf.ok("GET", f"/reservations/{made['id']}") == made
    for _ in range(2):
        await shelf.ok("DELETE", f"/reservations/{made['id']}")
        assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 10
    assert (await shelf.ok("GET", f"/reservations/{made['id']}"))["ended"] == "cancelled"


@pytest.mark.parametrize(
    "lines",
    [
        [("A", 11)],
        [("A", 6), ("A", 5)],
        [("KIT", 6)],
        # Each fits alone, not both.
        [("A", 5), ("KIT", 3)],
        [("A", 1), ("B", 11)],
    ],
)
async def test_a_cart_that_does_not_fit_is_refused_whole(shelf: Site, lines: list[tuple[str, int]]) -> None:
    body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], "ttl_seconds": 60}
    problem = await shelf.refused(409, "POST", "/reservations", body)
    assert problem["type"] == "urn:crossdock:problem:not-available"
    assert {row["sku"] for row in problem["available"]} == {sku for sku, _ in lines}
    assert await shelf.sql("SELECT 1 FROM cart_reservation") == []
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 10


async def test_carts_never_share_a_unit(shelf: Site) -> None:
    body = {"lines": [{"sku": "A", "quantity": 3}], "ttl_seconds": 60}
    answers = await asyncio.gather(*(shelf.call("POST", "/reservations", body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    (row,) = await shelf.sql("SELECT soft FROM item_promise WHERE item_id = 1")
    assert row["soft"] == 9


async def test_carts_expire(shelf: Site) -> None:
    body = {"lines": [{"sku": "A", "quantity": 3}], "ttl_seconds": 1}
    made = await shelf.ok("POST", "/reservations", body)
    async with shelf.database.transaction() as connection:
        assert await expire_reservations(connection, now()) == 0
        assert await expire_reservations(connection, now() + timedelta(seconds=2)) == 1
        assert await expire_reservations(connection, now() + timedelta(seconds=2)) == 0
    assert (await shelf.ok("GET", f"/reservations/{made['id']}"))["ended"] == "expired"
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 10


async def test_carts_that_cannot_be(shelf: Site) -> None:
    body = {"lines": [{"sku": "NONE", "quantity": 0}], "ttl_seconds": 0}
    assert pointers(await shelf.refused(422, "POST", "/reservations", body)) == ["/lines/0/quantity", "/ttl_seconds"]
    body = {"lines": [{"sku": "A", "quantity": 1}, {"sku": "NONE", "quantity": 1}], "ttl_seconds": 60}
    assert pointers(await shelf.refused(422, "POST", "/reservations", body)) == ["/lines/1/sku"]
    assert pointers(await shelf.refused(422, "POST", "/reservations", body | {"channel": "none"})) == ["/channel"]
    await shelf.refused(404, "GET", "/reservations/none")
    await shelf.refused(404, "DELETE", "/reservations/none")
