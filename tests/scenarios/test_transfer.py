"""Goods between two nodes: for their own sake, or on the way to where a customer collects."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House

TO_STORE = "[collect]\nship_to_store = true"


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.goods("MUG", MITTE=5, NORD=5, DEPOT=50)
    yield made
    await made.counter.client.aclose()


async def moved(street: HighStreet, **body: object) -> dict[str, Any]:
    """A transfer, asked for and taken up."""
    return await street.told("/transfers", body)


async def test_a_transfer_is_an_order_whose_goods_are_under_way_until_they_are_received(street: HighStreet) -> None:
    lines = [{"sku": "MUG", "quantity": 4}]
    order = await moved(street, **{"from": "DEPOT", "to": "MITTE", "lines": lines, "reference": "T-1"})
    assert slices(order) == [(4, "released", "DEPOT")]
    (work,) = order["fulfilments"]
    assert work["destination"] == "MITTE"
    await street.work(work["id"], "accept", "pick")
    left = await street.work(work["id"], "ship", parcels=[{"tracking": "TR1", "carrier": "dhl"}])
    assert left["status"] == "in_transit"
    assert await street.stock("MUG", "DEPOT") == (46, 0, 0)
    assert await street.stock("MUG", "MITTE") == (5, 0, 4)
    await street.house.verify()
    part = await street.work(work["id"], "receive", lines=[{"sku": "MUG", "quantity": 3}])
    assert part["status"] == "in_transit"
    assert await street.stock("MUG", "MITTE") == (8, 0, 1)
    await street.work(work["id"], "lose", reason="broken")
    assert await street.stock("MUG", "MITTE") == (8, 0, 0)
    found = await street.look(order["id"])
    assert (found["state"], found["fulfilments"][0]["status"]) == ("closed", "delivered")
    (trouble,) = await street.house.open_exceptions()
    assert trouble["kind"] == "transfer_lost"
    ledger = await street.house.rows(
        "SELECT condition, reason, sum(delta)::int AS units FROM stock_ledger WHERE reason <> 'count' "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in ledger] == [
        ("in_transit", "lost", -1),
        ("in_transit", "transfer", 1),
        ("sellable", "transfer", -1),
    ]
    told = await street.counter.refused("POST", f"/fulfilment-orders/{work['id']}/receive")
    assert told["type"].endswith("nothing-to-do")


async def test_the_same_reference_is_the_same_transfer(street: HighStreet) -> None:
    body = {"from": "DEPOT", "to": "MITTE", "lines": [{"sku": "MUG", "quantity": 4}], "reference": "T-2"}
    first = await moved(street, **body)
    second = await moved(street, **body)
    assert first["id"] == second["id"]
    assert await street.stock("MUG", "DEPOT") == (50, 4, 0)


async def test_without_a_sender_routing_chooses_one_but_never_the_node_itself(street: HighStreet) -> None:
    order = await moved(street, to="MITTE", lines=[{"sku": "MUG", "quantity": 2}], reference="T-3")
    assert slices(order) == [(2, "released", "NORD")]
    assert await street.house.value("SELECT count(*) FROM decision WHERE order_id = $1", order["id"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param(
            {"from": "MITTE", "to": "MITTE", "lines": [{"sku": "MUG", "quantity": 1}]}, "/from", id="to itself"
        ),
        ({"from": "MITTE", "to": "MOON", "lines": [{"sku": "MUG", "quantity": 1}]}, "/to"),
        ({"from": "MOON", "to": "MITTE", "lines": [{"sku": "MUG", "quantity": 1}]}, "/from"),
        ({"to": "MITTE", "lines": [{"sku": "CUP", "quantity": 1}]}, "/lines/0/sku"),
        ({"to": "MITTE", "lines": []}, "/lines"),
    ],
)
async def test_what_cannot_be_moved_is_refused_with_its_place(
    street: HighStreet, body: dict[str, object], pointer: str
) -> None:
    answer = await street.counter.ask("POST", "/transfers", body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert await street.house.value("SELECT count(*) FROM message") == 0


@pytest.mark.parametrize(("rule", "state"), [("", "released"), ("transfers = true", "reserved")])
async def test_rules_of_holds_see_a_transfer_only_when_they_ask_for_it(
    street: HighStreet, rule: str, state: str
) -> None:
    text = f'version = "t-1"\n[[holds]]\nkind = "look"\nwhen = "order.units >= 1"\nreason = "all"\nowner = "x"\n{rule}'
    made = await street.counter.ok("POST", "/policies", {"kind": "holds", "text": text})
    await street.counter.ok("POST", f"/policies/{made['id']}/activate")
    lines = [{"sku": "MUG", "quantity": 4}]
    order = await moved(street, **{"from": "DEPOT", "to": "MITTE", "lines": lines, "reference": "T-9"})
    assert slices(order) == [(4, state, "DEPOT")]
    sale = await street.order(("MUG", 1), source="transfer")
    assert [hold["kind"] for hold in sale["holds"]] == ["look"], "what a sale calls itself hides it from no rule"


async def test_what_a_store_has_not_is_sent_there_received_and_collected(street: HighStreet) -> None:
    await street.rules(TO_STORE)
    order = await street.order(("MUG", 8), at="MITTE")
    assert sorted(slices(order)) == [(3, "released", "NORD"), (5, "released", "MITTE")]
    here, there = sorted(order["fulfilments"], key=lambda work: str(work["node"]))
    assert (here["destination"], there["destination"]) == (None, "MITTE")
    await street.work(there["id"], "ship")
    assert (await street.stock("MUG", "NORD"), await street.stock("MUG", "MITTE")) == ((2, 0, 0), (5, 5, 3))
    await street.house.verify()
    await street.work(here["id"], "ready")
    assert (await street.counter.ok("GET", f"/orders/{order['id']}"))["progress"]["by_state"] == {
        "ready": 5,
        "in_transit": 3,
    }
    await street.work(there["id"], "receive")
    found = await street.look(order["id"])
    assert sorted(slices(found)) == [(3, "released", "MITTE"), (5, "ready", "MITTE")]
    assert await street.stock("MUG", "MITTE") == (8, 8, 0)
    assert {one["id"]: one["status"] for one in found["fulfilments"][:2]} == {
        here["id"]: "ready",
        there["id"]: "delivered",
    }
    await street.work(found["fulfilments"][2]["id"], "ready")
    code = await street.code(order["id"])
    for work in (here["id"], found["fulfilments"][2]["id"]):
        await street.work(work, "collect", code=code)
    found = await street.look(order["id"])
    assert found["state"] == "closed"
    assert await street.stock("MUG", "MITTE") == (0, 0, 0)
    posted = await street.house.value("SELECT count(*) FROM shipment WHERE document LIKE '%quantity%'")
    assert posted == 2


async def test_goods_lost_on_the_way_to_a_customer_are_sent_again_from_elsewhere(street: HighStreet) -> None:
    await street.rules(TO_STORE)
    await street.goods("CUP", NORD=2, DEPOT=9)
    order = await street.order(("CUP", 2), at="MITTE")
    assert slices(order) == [(2, "released", "NORD")]
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ship")
    await street.work(work["id"], "lose")
    found = await street.look(order["id"])
    assert slices(found) == [(2, "released", "DEPOT")]
    assert found["fulfilments"][1]["destination"] == "MITTE"
    assert await street.stock("CUP", "MITTE") == (0, 0, 0)


async def test_without_the_rule_a_store_waits_for_its_own_stock(street: HighStreet) -> None:
    await street.goods("CUP", NORD=2)
    order = await street.order(("CUP", 2), at="MITTE")
    assert slices(order) == [(2, "unallocated", None)]


async def test_a_way_between_nodes_is_not_a_sale(street: HighStreet) -> None:
    await street.rules(TO_STORE)
    await street.goods("CUP", NORD=2)
    order = await street.order(("CUP", 2), at="MITTE")
    (work,) = order["fulfilments"]
    told = await street.counter.refused("POST", f"/fulfilment-orders/{work['id']}/ready")
    assert told["type"].endswith("nothing-to-do")
    await street.work(work["id"], "ship")
    assert await street.house.value("SELECT count(*) FROM effect WHERE kind <> 'SubmitFulfilment'") == 0
    assert (await street.look(order["id"]))["lines"][0]["shipped"] == 0


async def test_what_is_cancelled_on_the_way_stays_on_the_shelf_where_it_arrives(street: HighStreet) -> None:
    await street.rules(TO_STORE)
    await street.goods("CUP", NORD=2)
    order = await street.order(("CUP", 2), at="MITTE")
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ship")
    await street.counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "changed my mind"})
    assert await street.house.open_exceptions() == []
    await street.work(work["id"], "receive")
    assert await street.stock("CUP", "MITTE") == (2, 0, 0)
    assert (await street.look(order["id"]))["state"] == "cancelled"


async def test_a_transfer_on_its_way_is_not_cancelled_but_arrives(street: HighStreet) -> None:
    order = await moved(street, **{"from": "DEPOT", "to": "MITTE", "lines": [{"sku": "MUG", "quantity": 4}]})
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ship")
    told = await street.counter.refused("POST", f"/orders/{order['id']}/cancel")
    assert "4 units have left and 0 are here, 4 cannot be cancelled" in told["detail"]
    assert "move it back (POST /api/v1/transfers)" in told["detail"]
    await street.work(work["id"], "receive")
    assert (await street.look(order["id"]))["state"] == "closed"
    assert await street.stock("MUG", "MITTE") == (9, 0, 0)
    assert await street.house.open_exceptions() == []


async def test_of_a_transfer_that_left_in_part_the_rest_is_cancelled_by_naming_it(street: HighStreet) -> None:
    order = await moved(street, **{"from": "DEPOT", "to": "MITTE", "lines": [{"sku": "MUG", "quantity": 4}]})
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ship", parcels=[{"lines": [{"line": "1", "quantity": 3}]}])
    told = await street.counter.refused("POST", f"/orders/{order['id']}/cancel")
    assert "cancel what is here by naming lines {'1': 1}" in told["detail"]
    await street.counter.ok("POST", f"/orders/{order['id']}/cancel", {"lines": {"1": 1}})
    await street.house.everything()
    await street.work(work["id"], "receive")
    found = await street.look(order["id"])
    assert found["state"] == "closed"
    assert [(units, state) for units, state, _ in slices(found)] == [(3, "delivered")]
    assert await street.stock("MUG", "MITTE") == (8, 0, 0)
    assert await street.house.open_exceptions() == []


async def test_a_transfer_is_sent_to_no_other_address(street: HighStreet) -> None:
    order = await moved(street, **{"from": "DEPOT", "to": "MITTE", "lines": [{"sku": "MUG", "quantity": 4}]})
    address = {"name": "Ada", "lines": ["1 Weg"], "city": "Berlin", "postal_code": "10115", "country": "DE"}
    told = await street.counter.refused("POST", f"/orders/{order['id']}/address", {"address": address})
    assert "moves goods between two nodes" in told["detail"]
    found = await street.look(order["id"])
    assert [one["status"] for one in found["fulfilments"]] == ["released"], "the node is not asked to give it back"
