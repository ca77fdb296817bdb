"""Orders of companies: approved by who may, on account, whole or not at all, to several places at several times."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.domain.contact import Contact, Place
from hub.domain.effects import SubmitFulfilment
from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderLine
from hub.flow.fulfil import fulfilment_request
from hub.store.admin.tokens import Role, create_token
from hub.store.unit_of_work import PostgresUnit
from tests.scenarios.counter import Counter, open_counter
from tests.scenarios.direct import direct
from tests.scenarios.town import Town

WHOLESALE = (Path(__file__).parents[2] / "rules" / "holds" / "examples" / "wholesale.toml").read_text("utf-8")
COMPANY: dict[str, Any] = {"company": "c-7", "purchase_order": "PO 4711", "terms": "Net 30", "terms_days": 30}


def worth(total: int) -> AmountSet:
    return AmountSet(shop=Amounts(currency="USD", subtotal=total))


async def wholesale(counter: Counter) -> None:
    """The merchant takes up the rules of the example."""
    made = await counter.ok("POST", "/policies", {"kind": "holds", "text": WHOLESALE})
    await counter.ok("POST", f"/policies/{made['id']}/activate")


async def held(town: Town, order: dict[str, Any]) -> list[str]:
    rows = await town.house.rows("SELECT kind FROM hold WHERE order_id = $1 AND lifted_at IS NULL", order["id"])
    return sorted(row["kind"] for row in rows)


async def operator(town: Town) -> dict[str, str]:
    """The header of somebody who may do most things."""
    async with town.house.parts.database.transaction() as connection:
        token = await create_token(
            connection, name="desk", role=Role.OPERATOR, merchant="default", new_id=town.house.parts.new_id
        )
    return {"authorization": f"Bearer {token.token}"}


async def test_above_the_first_limit_the_desk_approves(town: Town, counter: Counter) -> None:
    await wholesale(counter)
    small = await direct(town, "small", ("PASS", 1), amounts=worth(99_999), **COMPANY)
    assert await town.slices(small["id"]) == [(1, "accepted", town.east)]
    order = await direct(town, "large", ("PASS", 2), amounts=worth(100_000), **COMPANY)
    assert await held(town, order) == ["approval"]
    assert await town.slices(order["id"]) == [(2, "reserved", town.east)], "a hold never stops the reservation"

    shown = await counter.ok("POST", f"/orders/{order['id']}/approve")
    assert [hold["kind"] for hold in shown["holds"] if hold["lifted_at"] is None] == []
    await town.settle()
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]
    assert await town.house.value("SELECT lifted_by FROM hold") == await town.house.value(
        "SELECT 'token:' || name FROM api_token"
    )
    again = await counter.refused("POST", f"/orders/{order['id']}/approve")
    assert "it was approved by token:" in again["detail"]


async def test_who_may_not_approve_approves_nothing_of_it(town: Town, counter: Counter) -> None:
    await wholesale(counter)
    order = await direct(town, "huge", ("PASS", 2), amounts=worth(1_000_000), **COMPANY)
    assert await held(town, order) == ["approval", "approval_large"]
    path = f"{town.house.url}/api/v1/orders/{order['id']}/approve"
    async with httpx.AsyncClient(headers=await operator(town)) as desk:
        refused = await desk.post(path)
    assert (refused.status_code, "approval_large" in refused.json()["detail"]) == (403, True)
    assert await held(town, order) == ["approval", "approval_large"], "nothing half done"
    await counter.ok("POST", f"/orders/{order['id']}/approve")
    await town.settle()
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]


async def test_a_revision_with_another_total_asks_anew(town: Town, counter: Counter) -> None:
    await wholesale(counter)
    order = await direct(town, "grows", ("PASS", 2), amounts=worth(200_000), **COMPANY)
    await counter.ok("POST", f"/orders/{order['id']}/approve")
    assert await held(town, order) == []
    await direct(town, "grows", ("PASS", 3), amounts=worth(300_000), version=2, **COMPANY)
    assert await held(town, order) == ["approval"]


async def test_declined_is_cancelled_and_frees_its_goods(town: Town, counter: Counter) -> None:
    await wholesale(counter)
    order = await direct(town, "declined", ("PASS", 4), amounts=worth(100_000), **COMPANY)
    assert await town.stock("PASS", town.east) == (100, 4)
    await counter.ok("POST", f"/orders/{order['id']}/decline", {"reason": "over their limit"})
    await town.settle()
    assert await town.house.value("SELECT state FROM customer_order WHERE id = $1", order["id"]) == "cancelled"
    assert await town.stock("PASS", town.east) == (100, 0)
    assert len(town.depot.orders) == 0
    fine = await direct(town, "fine", ("PASS", 1))
    problem = await counter.refused("POST", f"/orders/{fine['id']}/decline", {"reason": "by mistake"})
    assert "waits for no approval" in problem["detail"]


async def test_whoever_sends_it_may_ask_for_approval_under_the_shipped_rules(town: Town, counter: Counter) -> None:
    order = await direct(town, "asked", ("PASS", 1), approval_asked=True)
    assert await held(town, order) == ["approval"]
    await counter.ok("POST", f"/orders/{order['id']}/approve")
    await town.settle()
    assert await town.slices(order["id"]) == [(1, "accepted", town.east)]


@pytest.mark.parametrize(("business", "expected"), [(COMPANY, []), ({}, ["unpaid"])])
async def test_on_account_waits_for_no_payment(
    town: Town, counter: Counter, business: dict[str, Any], expected: list[str]
) -> None:
    order = await direct(town, "pending", ("PASS", 1), amounts=worth(900), financial_status="pending", **business)
    assert await held(town, order) == expected
    shown = (await counter.ok("GET", f"/orders/{order['id']}"))["business"]
    if business:
        assert shown == {**COMPANY, "on_account": True, "tax_exempt": False, "ship_complete": False,
                         "approval_asked": False}  # fmt: skip
    assert (shown is None) is (not business)


async def test_on_account_nothing_is_captured_and_nobody_is_told_to(town: Town) -> None:
    await direct(town, "opens the channel", ("PASS", 1))
    await town.house.run("UPDATE account SET captured_by = 'hub' WHERE adapter = 'direct'")
    order = await direct(town, "invoice", ("PASS", 2), amounts=worth(5000), **COMPANY)
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert {state for _, state, _ in await town.slices(order["id"])} == {"shipped"}
    assert await town.house.rows("SELECT * FROM payment_request") == []
    assert await town.house.open_exceptions() == []


async def test_whole_or_not_at_all(town: Town) -> None:
    item = await town.goods("RARE", east=1)
    order = await direct(town, "whole", ("PASS", 2), ("RARE", 3), ship_complete=True)
    assert await held(town, order) == ["ship_complete"]
    assert len(town.depot.orders) == 0, "two of five units are not sent ahead"
    assert (await town.stock("PASS", town.east))[1] == 2

    await town.house.run("UPDATE stock SET sellable = 9 WHERE item_id = $1", item)
    await town.house.run(
        "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
        "VALUES ('default', $1, $2, 8, 'count', 'test', 'more', now(), now())",
        town.east,
        item,
    )
    town.depot.stock("76733", "RARE", 9)
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert await held(town, order) == []
    assert {state for _, state, _ in await town.slices(order["id"])} == {"accepted"}
    assert (await town.timeline(order["id"])).count("hold_placed") == 1


async def test_a_person_sends_what_there_is(town: Town, counter: Counter) -> None:
    await town.goods("RARE", east=1)
    order = await direct(town, "part", ("PASS", 2), ("RARE", 3), ship_complete=True)
    await counter.ok("POST", f"/orders/{order['id']}/lift", {"kind": "ship_complete"})
    await town.settle()
    assert "accepted" in {state for _, state, _ in await town.slices(order["id"])}
    assert await held(town, order) == [], "it is not placed anew"


async def test_a_whole_order_is_told_of_no_hold(town: Town) -> None:
    order = await direct(town, "there", ("PASS", 2), ship_complete=True)
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]
    assert "hold_placed" not in await town.timeline(order["id"])


async def test_several_places_at_several_times_are_parcels_of_their_own(town: Town) -> None:
    later = datetime.now(UTC) + timedelta(days=10)
    branch = Contact(name="Bo", company="Branch", lines=("9 Side St",), city="Boise", postal_code="83702", country="US")
    places = {
        "branch-1": Contact(name="Al", lines=("1 Main St",), city="Austin", postal_code="73301", country="US"),
        "branch-2": branch,
        "branch-3": branch,
    }
    groups = tuple(
        DeliveryGroup(
            key=key,
            contact=key,
            place=Place(country="US", postal_code=who.postal_code),
            not_before=later if key == "branch-3" else None,
        )
        for key, who in places.items()
    )
    lines = tuple(
        OrderLine(external_id=f"line {no}", sku="PASS", quantity=no, group=f"branch-{no}") for no in (1, 2, 3)
    )
    order = await direct(town, "several", *lines, groups=groups, contacts=places, **COMPANY)
    assert sorted(await town.slices(order["id"])) == [
        (1, "accepted", town.east),
        (2, "accepted", town.east),
        (3, "reserved", town.east),
    ], "the third waits for its day"
    assert sorted(await asked(town, order)) == [("Austin", "PO 4711"), ("Boise", "PO 4711")]


async def test_the_interface_takes_an_order_with_a_contact_for_each_group(town: Town, counter: Counter) -> None:
    ship = {"lines": ["1 Main St"], "city": "Austin", "postal_code": "73301", "country": "US"}
    body: dict[str, Any] = {
        "external_id": "api",
        "currency": "USD",
        "lines": [
            {"external_id": "1", "sku": "PASS", "quantity": 1, "group": "north"},
            {"external_id": "2", "sku": "PASS", "quantity": 2, "group": "south"},
        ],
        "groups": [{"key": "north", "contact": "north"}, {"key": "south", "contact": "south"}],
        "contacts": {"north": ship, "south": {**ship, "city": "Dallas", "postal_code": "75201"}},
        "ship_complete": True,
        "tax_exempt": True,
        **COMPANY,
    }
    answer = await counter.ask("POST", "/orders", body)
    assert answer.status_code in (201, 202), answer.text
    await town.settle()
    (found,) = (await counter.ok("GET", "/orders?external_id=api"))["items"]
    assert [(group["key"], group["place"]["postal_code"]) for group in found["groups"]] == [
        ("north", "73301"),
        ("south", "75201"),
    ]
    assert found["business"]["purchase_order"] == "PO 4711"
    assert len(found["fulfilments"]) == 2
    del body["contacts"]["south"]
    problem = await counter.refused("POST", "/orders", body)
    assert problem["errors"][0]["pointer"] == "/groups/1/contact"


async def asked(town: Town, order: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    """(city, purchase order) of every request to a node, as it is built when it is sent."""
    async with town.house.parts.database.transaction() as connection:
        unit = PostgresUnit(connection)
        loaded = (await unit.by_id([order["id"]]))[order["id"]]
        people = (await unit.contacts([order["id"]]))[order["id"]]
        requests = [
            fulfilment_request(
                loaded,
                SubmitFulfilment(order=loaded.id, fulfilment=no),
                contacts=people,
                items={},
                location=None,
                key="k",
                look_first=False,
                references={},
            )
            for no in sorted(loaded.fulfilments)
        ]
    return [(request.ship_to.city, request.purchase_order) for request in requests]


async def test_nobody_approves_the_order_that_he_entered_where_the_rule_says_so(town: Town, counter: Counter) -> None:
    await wholesale(counter)
    other = await open_counter(town.house)
    body = {
        "external_id": "mine",
        "currency": "USD",
        "lines": [{"external_id": "1", "sku": "PASS", "quantity": 2, "subtotal": 1_000_000}],
        "contacts": {"ship": {"name": "Ann", "lines": ["1 Main St"], "city": "Austin", "postal_code": "73301",
                              "country": "US"}},
        **COMPANY,
    }  # fmt: skip
    order = (await counter.capture("/orders", body)).json()
    for path, wish in (
        (f"/orders/{order['id']}/approve", None),
        (f"/orders/{order['id']}/lift", {"kind": "approval_large"}),
        ("/holds/lift", {"holds": [f"{order['id']}:{hold['no']}" for hold in order["holds"]]}),
    ):
        refused = await counter.refused("POST", path, wish)
        assert (refused["status"], "another person than who entered it" in refused["detail"]) == (403, True)
        assert await held(town, order) == ["approval", "approval_large"], "nothing half done"
    await other.ok("POST", f"/orders/{order['id']}/approve")
    await other.client.aclose()
    assert await held(town, order) == []
