"""Cancels and addresses that people ask for: done, asked of a node, or refused with nothing done and a way out."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hub.domain.contact import Contact
from hub.domain.facts import GoodsShipped, UnitsPacked
from tests.scenarios.counter import Counter
from tests.scenarios.direct import AWAY, line, newest_street, told
from tests.scenarios.test_changes import cancels
from tests.scenarios.test_facts import shipped
from tests.scenarios.town import Town

ROAD = {"address": {"name": "A", "lines": ["99 New Road"], "city": "York", "postal_code": "62704", "country": "US"}}


async def unchanged(town: Town, counter: Counter, path: str, body: Any, *told_of: str) -> None:
    """Refused, and no row of the order is another."""
    before = await town.house.rows("SELECT * FROM customer_order ORDER BY id")
    effects = await town.house.value("SELECT count(*) FROM effect")
    problem = await counter.refused("POST", path, body)
    assert (problem["status"], problem["type"]) == (409, "urn:crossdock:problem:cannot-do")
    for word in told_of:
        assert word in problem["detail"]
    assert await town.house.rows("SELECT * FROM customer_order ORDER BY id") == before
    assert await town.house.value("SELECT count(*) FROM effect") == effects


async def test_what_has_shipped_cannot_be_cancelled_and_the_rest_is_named(town: Town, counter: Counter) -> None:
    order = await told(town, "D-1", line("1", 3), line("2", 2))
    await town.settle()
    await town.house.hear("depot", shipped(order, 2))
    await unchanged(
        town, counter, f"/orders/{order['id']}/cancel", None, "2 units have left", "{'1': 1, '2': 2}", "return"
    )
    await unchanged(town, counter, f"/orders/{order['id']}/cancel", {"lines": {"1": 2}}, "2 units have left")
    await counter.ok("POST", f"/orders/{order['id']}/cancel", {"lines": {"1": 1, "2": 2}})
    await town.settle()
    assert sorted(state for _, state, _ in await town.slices(order["id"])) == ["shipped"]
    assert await cancels(town, order["id"]) == [(1, "confirmed")]
    await unchanged(town, counter, f"/orders/{order['id']}/cancel", None, "closed already")


async def test_windows_are_those_of_the_merchant(town: Town, counter: Counter) -> None:
    order = await told(town, "D-1", line("1", 3))
    text = 'version = "strict"\n[[windows]]\nby = ["person"]\nchannels = ["direct"]\nuntil = "reserved"'
    made = await counter.ok("POST", "/policies", {"kind": "changes", "text": text})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    await unchanged(town, counter, f"/orders/{order['id']}/cancel", None, "released already")
    await unchanged(town, counter, f"/orders/{order['id']}/address", ROAD, "released already")
    problem = await counter.refused("POST", "/policies", {"kind": "changes", "text": 'version = "x"\n[[windows]]'})
    assert problem["errors"][0]["pointer"] == "/text"


async def test_an_address_is_asked_for_until_it_is_packed(town: Town, counter: Counter) -> None:
    order = await told(town, "D-1", line("1", 3))
    await town.settle()
    await counter.ok("POST", f"/orders/{order['id']}/address", ROAD)
    await town.settle()
    assert await cancels(town, order["id"]) == [(1, "confirmed")]
    assert await newest_street(town, order) == ["99 New Road"]
    assert town.asked(order["id"], 2).status == "pending"
    await town.house.hear("depot", UnitsPacked(at=datetime.now(UTC), fulfilment=f"{order['id']}-2"))
    await unchanged(town, counter, f"/orders/{order['id']}/address", ROAD, "packed already")
    await town.house.hear("depot", GoodsShipped(at=datetime.now(UTC), fulfilment=f"{order['id']}-2", shipment="s-2"))
    await unchanged(town, counter, f"/orders/{order['id']}/address", ROAD, "closed already")


async def test_a_place_that_no_node_serves_changes_nothing(town: Town, counter: Counter) -> None:
    order = await told(town, "D-1", line("1", 3))
    keep = 'order.country == "US" || node.code == "FAR"'
    text = f"version = 'home'\ncurrency = 'USD'\n[[rule]]\nname = 'home only'\n[[rule.fence]]\nkeep = '{keep}'\n"
    made = await counter.ok("POST", "/policies", {"kind": "routing", "text": text})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    far = {"address": ROAD["address"] | {"country": "AU"}}
    await unchanged(town, counter, f"/orders/{order['id']}/address", far, "no node serves AU")
    assert "address_changed" not in await town.timeline(order["id"])
    await counter.ok("POST", f"/orders/{order['id']}/address", ROAD)
    await unchanged(town, counter, f"/orders/{order['id']}/address", far | {"contact": "nobody"}, "'nobody'")


async def test_a_fact_of_the_channel_is_never_refused(town: Town, counter: Counter) -> None:
    order = await told(town, "D-1", line("1", 3))
    text = 'version = "never"\n[[windows]]\nuntil = "never"'
    made = await counter.ok("POST", "/policies", {"kind": "changes", "text": text})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    await town.settle()
    await told(town, "D-1", line("1", 3), version=2, ship=AWAY)
    await town.settle()
    assert await cancels(town, order["id"]) == [], "nobody is asked past the window"
    assert (await town.trouble())["kind"] == "change_too_late"
    assert await town.house.value("SELECT revision FROM customer_order") == 2


@pytest.mark.parametrize("whole", [True, False])
async def test_a_channels_cancel_past_its_window_is_a_choice_and_never_forgotten(
    town: Town, counter: Counter, whole: bool
) -> None:
    text = 'version = "v"\n[[windows]]\nby = ["channel"]\nchanges = ["cancel", "quantity"]\nuntil = "released"'
    made = await counter.ok("POST", "/policies", {"kind": "changes", "text": text})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    placed, order = await town.buy([("PASS", 4)])
    if whole:
        town.shop.cancel_order(placed.id)
    else:
        town.shop.edit_order(placed.id, {"PASS": 1})
    await town.settle()
    assert await cancels(town, order["id"]) == [], "nobody is asked"
    assert await town.slices(order["id"]) == [(4, "accepted", town.east)]
    found = await town.trouble()
    assert (found["kind"], found["order_id"]) == ("change_too_late", order["id"])
    assert "reroute" in found["next_step"]
    await counter.ok("POST", f"/orders/{order['id']}/reroute")
    await town.settle()
    assert await cancels(town, order["id"]) == [(1, "confirmed")]
    assert [units for units, _, _ in await town.slices(order["id"])] == ([] if whole else [1])


async def test_the_channels_old_address_said_again_does_not_bring_it_back(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 1)])
    await counter.ok("POST", f"/orders/{order['id']}/address", ROAD)
    await town.settle()
    town.shop.update_order(placed.id, note="leave it at the door")
    await town.settle()
    assert await newest_street(town, order) == ["99 New Road"]
    assert set((await counter.ok("GET", f"/orders/{order['id']}"))["contacts"]) <= {"ship", "bill", "customer"}
    assert await cancels(town, order["id"]) == [(1, "confirmed")], "asked back once: for the change made here"
    assert town.asked(order["id"], 2).status == "pending"


async def test_another_address_of_the_channel_counts_again(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 1)])
    await counter.ok("POST", f"/orders/{order['id']}/address", ROAD)
    await town.settle()
    elsewhere = msgspec.structs.replace(placed.ship_to or Contact(), lines=("1 Third Street",))
    town.shop.update_order(placed.id, ship_to=elsewhere)
    await town.settle()
    assert await newest_street(town, order) == ["1 Third Street"]
