"""Orders through the API: captured, worked, held, cancelled, explained."""

from typing import Any

import pytest

from hub.flow.batch import Batch
from hub.flow.resume import resume
from hub.store.unit_of_work import PostgresUnit
from hub.store.verify import verify_stock
from hub.web.api import order_actions
from tests.integration.web.conftest import Site, new_id, now, pointers

SHIP = {
    "name": "Ann Example",
    "email": "ann@example.org",
    "lines": ["Street 1"],
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}


@pytest.fixture
async def shop(site: Site) -> Site:
    """Two nodes worked through the hub, two items and a kit."""
    await site.ok(
        "POST",
        "/items",
        {
            "items": [
                {"sku": "A"},
                {"sku": "B"},
                {"sku": "KIT", "components": [{"sku": "A", "quantity": 2}, {"sku": "B"}]},
            ]
        },
    )
    await site.ok("PUT", "/nodes/BER", {"kind": "dc", "priority": 1})
    await site.ok("PUT", "/nodes/HAM", {"kind": "store"})
    lines = [{"node": "BER", "sku": sku, "on_hand": 10} for sku in ("A", "B")]
    await site.ok("PUT", "/stock", {"kind": "snapshot", "lines": lines})
    return site


def body(*lines: tuple[str, int], external_id: str = "X1", **more: Any) -> dict[str, Any]:
    rows = [
        {"external_id": str(n), "sku": sku, "quantity": quantity, "subtotal": 1000 * quantity}
        for n, (sku, quantity) in enumerate(lines, 1)
    ]
    return {"external_id": external_id, "currency": "EUR", "lines": rows, "contacts": {"ship": SHIP}} | more


async def units(site: Site, order: str) -> dict[str, int]:
    found: dict[str, int] = (await site.ok("GET", f"/orders/{order}"))["progress"]["by_state"]
    return found


async def test_an_order_is_captured_routed_and_released(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("KIT", 2), ("A", 1), number="#1001"))
    assert (order["external_id"], order["number"], order["state"], order["account"]) == (
        "X1",
        "#1001",
        "open",
        "direct",
    )
    assert order["amounts"]["placed"]["shop"]["subtotal"] == 3000
    assert order["amounts"]["placed"]["shop"]["total"] == 3000
    assert order["amounts"]["placed"]["presentment"] == order["amounts"]["placed"]["shop"]
    assert order["amounts"]["edited"] is None
    kit, single = order["lines"]
    assert [(d["sku"], d["quantity"], d["per_unit"]) for d in kit["demands"]] == [("A", 4, 2), ("B", 2, 1)]
    assert [(d["sku"], d["quantity"]) for d in single["demands"]] == [("A", 1)]
    for demand in kit["demands"] + single["demands"]:
        assert sum(part["quantity"] for part in demand["slices"]) == demand["quantity"]
        assert {part["node"] for part in demand["slices"]} == {"BER"}
    (fulfilment,) = order["fulfilments"]
    assert (fulfilment["node"], fulfilment["status"], fulfilment["connection"]) == ("BER", "released", None)
    assert order["progress"]["status"] == "released"
    assert order["contacts"]["ship"]["name"] == "Ann Example"
    stock = {row["sku"]: row["reserved"] for row in (await shop.ok("GET", "/stock?node=BER"))["items"]}
    assert stock == {"A": 5, "B": 2}


async def test_people_are_shown_to_operators_one_at_a_time(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 1)))
    assert "Ann Example" not in (await shop.call("GET", "/orders")).text
    assert "Ann Example" in (await shop.call("GET", f"/orders/{order['id']}", role="operator")).text
    assert "Ann Example" not in (await shop.call("GET", f"/orders/{order['id']}", role="viewer")).text
    assert "Ann Example" in (await shop.call("GET", "/messages/in-1", role="operator")).text
    assert "Ann Example" not in (await shop.call("GET", "/messages/in-1", role="viewer")).text


async def test_the_same_order_again_amends_it(shop: Site) -> None:
    first = await shop.ok("POST", "/orders", body(("A", 2), version=1))
    again = await shop.ok("POST", "/orders", body(("A", 2), version=1))
    assert (again["id"], again["revision"]) == (first["id"], 1)
    more = await shop.ok("POST", "/orders", body(("A", 5), version=2))
    assert (more["id"], more["revision"], more["progress"]["units"]) == (first["id"], 2, 5)
    older = await shop.ok("POST", "/orders", body(("A", 1), version=1, tags=["late"]))
    assert older["progress"]["units"] == 5
    assert len((await shop.ok("GET", "/orders"))["items"]) == 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"currency": "XXX"}, ["/currency"]),
        ({"currency": "eur"}, ["/currency"]),
        ({"lines": []}, ["/lines"]),
        ({"lines": [{"external_id": "1", "sku": "A", "quantity": -1}]}, ["/lines/0/quantity"]),
        ({"lines": [{"external_id": "1", "quantity": 1}]}, ["/lines/0/sku"]),
        ({"lines": [{"external_id": "1", "sku": "A", "quantity": 1}] * 2}, ["/lines/1/external_id"]),
        ({"lines": [{"external_id": "1", "sku": "A", "quantity": 1, "group": "g"}]}, ["/lines/0/group"]),
        ({"contacts": {"ship": {"country": "Germany"}}}, ["/contacts/ship/country"]),
        ({"placed_at": "2026-01-01T00:00:00"}, ["/placed_at"]),
        ({"amounts": {"shop": {"currency": "USD"}}}, ["/amounts/shop/currency"]),
    ],
)
async def test_orders_that_cannot_be_read(shop: Site, change: dict[str, Any], found: list[str]) -> None:
    assert pointers(await shop.refused(422, "POST", "/orders", body(("A", 1)) | change)) == found
    assert (await shop.ok("GET", "/orders"))["items"] == []


async def test_lists_find_an_order_by_what_people_know_of_it(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("KIT", 1), external_id="EXT-7", number="#7"))
    await shop.ok("POST", "/orders", body(("A", 1), external_id="EXT-8", number="#8"))
    fulfilment = order["fulfilments"][0]["id"]
    parcels = {"parcels": [{"tracking": "1Z999", "carrier": "ups"}]}
    await shop.ok("POST", f"/fulfilment-orders/{fulfilment}/ship", parcels)
    for query in (
        "external_id=EXT-7",
        "number=%237",
        "sku=KIT",
        "sku=B",
        "q=EXT-7",
        "q=%237",
        "q=1Z999",
        f"q={fulfilment}",
        f"q={order['id'].lower()}",
        "state=closed" if (await shop.ok("GET", f"/orders/{order['id']}"))["state"] == "closed" else "q=EXT-7",
    ):
        assert [found["id"] for found in (await shop.ok("GET", f"/orders?{query}"))["items"]] == [order["id"]], query
    assert len((await shop.ok("GET", f"/orders?connection={order['connection']}"))["items"]) == 2
    assert (await shop.ok("GET", "/orders?q=nothing"))["items"] == []
    await shop.refused(422, "GET", "/orders?state=lost")
    first = await shop.ok("GET", "/orders?limit=1")
    second = await shop.ok("GET", f"/orders?limit=1&cursor={first['next']}")
    assert [first["items"][0]["external_id"], second["items"][0]["external_id"]] == ["EXT-8", "EXT-7"]
    assert second["next"] is None


async def test_a_node_is_worked_through_the_api(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("KIT", 2), ("A", 1)))
    path = f"/fulfilment-orders/{order['fulfilments'][0]['id']}"
    listed = await shop.ok("GET", "/fulfilment-orders?node=BER&state=released")
    assert [one["id"] for one in listed["items"]] == [order["fulfilments"][0]["id"]]
    assert (await shop.ok("GET", "/fulfilment-orders?node=HAM"))["items"] == []
    assert (await shop.ok("POST", f"{path}/accept"))["status"] == "accepted"
    await shop.ok("POST", f"{path}/pick", {"lines": [{"sku": "A", "quantity": 3}]})
    assert await units(shop, order["id"]) == {"accepted": 4, "picked": 3}
    await shop.ok("POST", f"{path}/pick")
    assert (await shop.ok("POST", f"{path}/pack"))["status"] == "packed"
    shipped = await shop.ok(
        "POST",
        f"{path}/ship",
        {"parcels": [{"tracking": "T1", "carrier": "dhl", "lines": [{"sku": "A", "quantity": 4}]}]},
    )
    assert shipped["shipments"][0]["parcels"][0]["lines"] == [{"line": "1", "sku": "A", "quantity": 4, "lot": None}]
    partly = await shop.ok("GET", f"/orders/{order['id']}")
    assert partly["progress"]["status"] == "partially_shipped"
    # Of a kit, as many as its slowest component allows.
    assert [line["shipped"] for line in partly["lines"]] == [0, 0]
    await shop.ok("POST", f"{path}/ship", {"parcels": [{"tracking": "T2"}]})
    done = await shop.ok("GET", f"/orders/{order['id']}")
    assert (done["state"], done["progress"]["status"]) == ("closed", "shipped")
    assert [line["shipped"] for line in done["lines"]] == [2, 1]
    stock = {row["sku"]: (row["on_hand"], row["reserved"]) for row in (await shop.ok("GET", "/stock"))["items"]}
    assert stock == {"A": (5, 0), "B": (8, 0)}
    problem = await shop.refused(409, "POST", f"{path}/ship")
    assert problem["type"] == "urn:crossdock:problem:nothing-to-do"
    async with shop.database.connection() as connection:
        assert not await verify_stock(connection)


async def test_the_same_shipment_counts_once(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 4)))
    path = f"/fulfilment-orders/{order['fulfilments'][0]['id']}/ship"
    part = {"shipment": "S1", "parcels": [{"tracking": "T1", "lines": [{"line": "1", "quantity": 1}]}]}
    await shop.ok("POST", path, part)
    await shop.refused(409, "POST", path, part)
    assert await units(shop, order["id"]) == {"shipped": 1, "released": 3}


async def test_short_and_refused_units_are_routed_anew(shop: Site) -> None:
    await shop.ok("PUT", "/stock", {"kind": "count", "lines": [{"node": "HAM", "sku": "A", "on_hand": 9}]})
    order = await shop.ok("POST", "/orders", body(("A", 3)))
    first = order["fulfilments"][0]
    await shop.ok("POST", f"/fulfilment-orders/{first['id']}/short", {"lines": [{"sku": "A", "quantity": 1}]})
    after = await shop.ok("GET", f"/orders/{order['id']}")
    assert sorted(
        (one["node"], sum(part["quantity"] for part in one["lines"])) for one in after["fulfilments"]
    ) == sorted([(first["node"], 2), ("HAM" if first["node"] == "BER" else "BER", 1)])
    await shop.ok("POST", f"/fulfilment-orders/{first['id']}/refuse", {"reason": "roof leaks"})
    after = await shop.ok("GET", f"/orders/{order['id']}")
    assert next(one for one in after["fulfilments"] if one["id"] == first["id"])["status"] == "cancelled"
    assert len((await shop.ok("GET", f"/orders/{order['id']}/decisions"))["items"]) == 3


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([{"sku": "NONE", "quantity": 1}], ["/lines/0"]),
        ([{"quantity": 1}], ["/lines/0"]),
        ([{"line": "9", "quantity": 1}], ["/lines/0"]),
        ([{"sku": "A", "quantity": 9}], ["/lines/0/quantity"]),
        ([{"sku": "A", "quantity": 2}, {"line": "1", "quantity": 2}], ["/lines/1/quantity"]),
        ([{"sku": "A", "quantity": 0}], ["/lines/0/quantity"]),
    ],
)
async def test_lines_that_were_not_asked_for(shop: Site, lines: Any, found: list[str]) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 3)))
    path = f"/fulfilment-orders/{order['fulfilments'][0]['id']}/pick"
    assert pointers(await shop.refused(422, "POST", path, {"lines": lines})) == found
    assert await units(shop, order["id"]) == {"released": 3}


async def test_a_partner_speaks_for_its_own_node(shop: Site) -> None:
    connection = await shop.connect()
    binding = {"role": "fulfil", "connection": connection["id"], "external_location": "W1"}
    await shop.ok("PUT", "/nodes/BER", {"kind": "3pl", "bindings": [binding]})
    order = await shop.ok("POST", "/orders", body(("A", 1)))
    (fulfilment,) = order["fulfilments"]
    assert fulfilment["connection"] == connection["id"]
    problem = await shop.refused(409, "POST", f"/fulfilment-orders/{fulfilment['id']}/pick")
    assert problem["type"] == "urn:crossdock:problem:partner-speaks"
    out = (await shop.ok("GET", "/messages?direction=out"))["items"]
    assert [(one["topic"], one["state"], one["order"]) for one in out] == [("SubmitFulfilment", "queued", order["id"])]


async def test_cancel_all(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 3)))
    cancelled = await shop.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "customer"})
    assert (cancelled["state"], cancelled["progress"]["by_state"]) == ("cancelled", {"cancelled": 3})
    assert (await shop.ok("GET", "/ats?sku=A"))["available"] == 10
    assert (await shop.refused(409, "POST", f"/orders/{order['id']}/cancel"))["type"].endswith("cannot-do")


async def test_cancel_some(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 3), ("B", 1)))
    after = await shop.ok("POST", f"/orders/{order['id']}/cancel", {"lines": {"1": 2}})
    assert (after["state"], after["lines"][0]["quantity"]) == ("open", 1)
    assert after["progress"]["by_state"]["cancelled"] == 2
    await shop.refused(409, "POST", f"/orders/{order['id']}/cancel", {"lines": {"1": 5}})
    await shop.refused(409, "POST", f"/orders/{order['id']}/cancel", {"lines": {"9": 1}})
    problem = await shop.refused(422, "POST", f"/orders/{order['id']}/cancel", {"lines": {"1": 0}})
    assert pointers(problem) == ["/lines/1"]


async def test_a_hold_stops_release_not_reservation(shop: Site) -> None:
    first = await shop.ok("POST", "/orders", body(("A", 3)))
    held = await shop.ok("POST", f"/orders/{first['id']}/hold", {"reason": "fraud?", "kind": "fraud"})
    assert [(hold["kind"], hold["owner"], hold["active"]) for hold in held["holds"]] == [("fraud", "admin", True)]
    grown = await shop.ok("POST", "/orders", body(("A", 5)))
    assert grown["progress"]["by_state"] == {"released": 3, "reserved": 2}
    assert grown["progress"]["held"] is True
    lifted = await shop.ok("POST", f"/orders/{first['id']}/lift", {"kind": "fraud"})
    assert lifted["progress"]["by_state"] == {"released": 5}
    assert lifted["holds"][0]["active"] is False
    await shop.refused(409, "POST", f"/orders/{first['id']}/lift", {"kind": "fraud"})
    assert pointers(await shop.refused(422, "POST", f"/orders/{first['id']}/hold", {"scope": "x"})) == [
        "/reason",
        "/scope",
    ]


async def test_reroute_asks_back_and_decides_anew(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 3)))
    after = await shop.ok("POST", f"/orders/{order['id']}/reroute")
    assert [one["status"] for one in after["fulfilments"]].count("released") == 1
    assert sum(after["progress"]["by_state"].values()) == 3
    assert len((await shop.ok("GET", f"/orders/{order['id']}/decisions"))["items"]) == 2


async def test_an_address_is_corrected_and_its_node_asked_back(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 3)))
    other = {"address": SHIP | {"city": "Bonn", "postal_code": "53111"}}
    again = await shop.ok("POST", f"/orders/{order['id']}/address", other)
    assert [one["status"] for one in again["fulfilments"]] == ["cancelled", "released"]
    waiting = await shop.ok("POST", "/orders", body(("A", 30), external_id="X2"))
    assert "released" not in waiting["progress"]["by_state"] or waiting["progress"]["by_state"]["unallocated"]
    await shop.ok("POST", f"/orders/{waiting['id']}/hold", {"reason": "wait"})
    unknown = await shop.ok("POST", "/orders", body(("NEW", 1), external_id="X3"))
    moved = await shop.ok("POST", f"/orders/{unknown['id']}/address", other)
    assert moved["contacts"]["ship"]["city"] == "Bonn"
    assert moved["groups"][0]["place"]["postal_code"] == "53111"
    problem = await shop.refused(422, "POST", f"/orders/{unknown['id']}/address", {"address": {"country": "de"}})
    assert pointers(problem) == ["/address/country"]
    problem = await shop.refused(422, "POST", f"/orders/{unknown['id']}/address", {"address": {"country": "ZZ"}})
    assert (pointers(problem), "no country has the code ZZ" in str(problem)) == (["/address"], True)


async def test_an_unknown_sku_waits_for_its_item(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 1), ("NEW", 2)))
    assert order["state"] == "open"
    assert [hold["kind"] for hold in order["holds"] if hold["active"]] == ["unresolved"]
    assert order["lines"][1]["demands"][0]["item"] is None
    (exception,) = order["exceptions"]
    assert (exception["kind"], exception["state"], exception["external_id"]) == ("unknown_sku", "open", "X1")
    (queue,) = [one for one in (await shop.ok("GET", "/queues"))["items"] if one["name"] == "unresolved"]
    assert (queue["count"], queue["waiting"][0]["order"], queue["waiting"][0]["quantity"]) == (1, order["id"], 2)
    shop.rung.clear()
    await shop.ok("PUT", "/items/NEW", {})
    assert "waiting" in shop.rung
    assert (await shop.ok("GET", "/exceptions?state=open&kind=unknown_sku"))["items"] == []
    await shop.ok("PUT", "/stock", {"kind": "count", "lines": [{"node": "BER", "sku": "NEW", "on_hand": 5}]})
    async with shop.database.transaction() as connection:
        batch = Batch(await shop.services.directory(), now(), new_id)
        assert await resume(PostgresUnit(connection), batch) == 1
    after = await shop.ok("GET", f"/orders/{order['id']}")
    assert after["progress"]["by_state"] == {"released": 3}
    assert not any(hold["active"] for hold in after["holds"])


async def test_a_mapped_variant_wakes_its_line(shop: Site) -> None:
    lines = [{"external_id": "1", "variant": "V9", "quantity": 1}]
    order = await shop.ok("POST", "/orders", body() | {"lines": lines})
    await shop.ok("PUT", "/sku-maps", {"account": order["connection"], "external_variant": "V9", "item": "A"})
    assert (await shop.ok("GET", "/exceptions?state=open"))["items"] == []
    (row,) = await shop.sql("SELECT due_at <= now() AS due FROM waiting")
    assert row["due"]


async def test_the_timeline_holds_everything_by_time(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 1)))
    await shop.ok("POST", f"/fulfilment-orders/{order['fulfilments'][0]['id']}/ship", {"parcels": [{"tracking": "T"}]})
    entries = (await shop.ok("GET", f"/orders/{order['id']}/timeline"))["items"]
    assert entries[0]["entry"] == "message_in"
    assert entries[0]["message"]["id"] == "in-1"
    kinds = [entry["kind"] for entry in entries if entry["entry"] == "moment"]
    assert kinds[0] == "captured"
    assert kinds.index("routed") < kinds.index("shipped")
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert "Ann Example" not in str(entries)
    await shop.refused(404, "GET", "/orders/none/timeline")


async def test_a_decision_explains_every_node(shop: Site) -> None:
    order = await shop.ok("POST", "/orders", body(("A", 4), ("B", 20)))
    (decision,) = (await shop.ok("GET", f"/orders/{order['id']}/decisions"))["items"]
    assert decision["proven"] is True
    assert decision["gap"] == 0
    assert {row["node"]: row["reason"] for row in decision["candidates"]} == {"BER": "chosen", "HAM": "no_stock"}
    assert decision["plan"]["assignments"][0] == {"demand": 1, "sku": "A", "node": "BER", "quantity": 4}
    assert sum(row["quantity"] for row in decision["plan"]["unfilled"]) in (10, 20)
    assert "BER" in decision["sentence"]
    chosen = next(row for row in decision["candidates"] if row["node"] == "BER")
    assert chosen["available"] == {"1": 10, "2": 10}
    assert sum(term["cost"] for term in chosen["terms"]) == chosen["cost"]
    assert "Ann Example" not in str(decision)


async def test_unknown_orders(shop: Site) -> None:
    for verb in ("cancel", "reroute", "lift"):
        await shop.refused(404, "POST", f"/orders/none/{verb}")
    await shop.refused(404, "GET", "/orders/none")
    await shop.refused(404, "GET", "/fulfilment-orders/none-1")
    await shop.refused(404, "POST", "/fulfilment-orders/none/pick")


async def test_an_order_is_stored_though_no_worker_runs(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_actions, "CAPTURE_SECONDS", 0.05)
    shop.worker.working = False
    answer = await shop.call("POST", "/orders", body(("A", 1)), idempotency_key="k")
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["state"]) == ("in-1", "queued")
    assert (await shop.ok("GET", "/orders"))["items"] == []
    shop.worker.working = True
    shop.worker.ring("orders")
    await shop.worker.rest()
    again = await shop.call("POST", "/orders", body(("A", 1)), idempotency_key="k")
    assert (again.status_code, again.json()["external_id"]) == (201, "X1")
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await shop.ok("GET", "/messages?direction=in"))["items"]) == 1
