"""Promises before purchase: options with dates, or the reason why there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.integration.web.conftest import Site, pointers

HAMBURG = {"country": "DE", "postal_code": "20095", "latitude": 53.55, "longitude": 10.0, "timezone": "Europe/Berlin"}


def asked(*lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    """A basket to Hamburg."""
    return {"lines": [{"sku": sku, "quantity": units} for sku, units in lines], "address": HAMBURG} | more


@pytest.fixture
async def stocked(site: Site) -> Site:
    """Two German nodes: mugs in both, lamps in Munich only."""
    await site.ok("POST", "/items", {"items": [{"sku": "MUG", "weight_g": 300}, {"sku": "LAMP", "weight_g": 900}]})
    for code, latitude, longitude in (("BER", 52.5, 13.4), ("MUC", 48.1, 11.6)):
        place = {"latitude": latitude, "longitude": longitude, "timezone": "Europe/Berlin"}
        await site.ok("PUT", f"/nodes/{code}", {"kind": "dc", "address": {"country": "DE"}, **place})
    lines = [("BER", "MUG", 5), ("MUC", "MUG", 9), ("MUC", "LAMP", 4)]
    rows = [{"node": node, "sku": sku, "on_hand": units} for node, sku, units in lines]
    await site.ok("PUT", "/stock", {"kind": "count", "lines": rows})
    return site


async def test_options_by_service_with_date_cost_and_node(stocked: Site) -> None:
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    assert answer["declined"] == []
    assert [option["service"] for option in answer["options"]] == ["express", "standard"]
    for option in answer["options"]:
        assert option["nodes"] == ["BER"]
        assert option["confidence"] is None
        assert option["currency"] == "USD"
        assert option["cost"] == 500 + 26 + 12  # a parcel, 256 km rounded up with 300 g
        leaves, arrives = (datetime.fromisoformat(option[key]) for key in ("ship_by", "deliver_by"))
        assert leaves.astimezone(ZoneInfo("Europe/Berlin")).hour == 16
        assert leaves < arrives
        assert option["parcels"][0]["lines"] == [{"sku": "MUG", "quantity": 1}]


async def test_a_basket_of_two_nodes_arrives_with_its_last_parcel(stocked: Site) -> None:
    await stocked.sql(
        "UPDATE stock SET sellable = 0 WHERE item_id = (SELECT id FROM item WHERE sku = 'MUG') AND "
        "node_id = (SELECT id FROM node WHERE code = 'MUC')"
    )
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1), ("LAMP", 1)))
    for option in answer["options"]:
        assert sorted(option["nodes"]) == ["BER", "MUC"]
        assert option["deliver_by"] == max(parcel["deliver_by"] for parcel in option["parcels"])


async def test_nothing_is_held_or_written(stocked: Site) -> None:
    tables = ("stock", "item_promise", "decision", "customer_order", "dirty", "stock_ledger")
    before = [await stocked.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables if table != "dirty"]
    await stocked.ok("POST", "/promises", asked(("MUG", 5)))
    assert [await stocked.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables if table != "dirty"] == before


async def test_it_waits_for_no_lock(stocked: Site) -> None:
    async with stocked.database.transaction() as other:
        await other.fetch("SELECT * FROM stock FOR UPDATE")
        answer = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    assert answer["options"]


async def test_a_line_that_nobody_stocks_is_named(stocked: Site) -> None:
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1), ("LAMP", 6)))
    assert answer["options"] == []
    (declined,) = answer["declined"]
    assert (declined["service"], declined["reason"]) == (None, "not_stocked")
    assert declined["missing"] == [{"sku": "LAMP", "quantity": 2}]


async def test_what_carts_hold_is_promised_already_but_not_to_ones_own(stocked: Site) -> None:
    cart = {"lines": [{"sku": "LAMP", "quantity": 3}], "ttl_seconds": 600}
    held = await stocked.ok("POST", "/reservations", cart)
    other = await stocked.ok("POST", "/promises", asked(("LAMP", 2)))
    assert other["declined"][0]["missing"] == [{"sku": "LAMP", "quantity": 1}]
    own = await stocked.ok("POST", "/promises", asked(("LAMP", 3), reservation=held["id"]))
    assert own["options"]


async def test_a_promise_that_nobody_can_keep_says_so(stocked: Site) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1), deliver_by=soon))
    assert answer["options"] == []
    assert {one["reason"] for one in answer["declined"]} == {"not_in_time"}
    late = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    assert len((await stocked.ok("POST", "/promises", asked(("MUG", 1), deliver_by=late)))["options"]) == 2


async def test_only_nodes_that_can_keep_it_are_used(stocked: Site) -> None:
    holidays = [(datetime.now(UTC) + timedelta(days=day)).date().isoformat() for day in range(-1, 20)]
    ber = await stocked.ok("GET", "/nodes/BER")
    calendar = ber["calendar"] | {"holidays": holidays}
    body = {key: ber[key] for key in ("kind", "address", "latitude", "longitude", "timezone")}
    await stocked.ok("PUT", "/nodes/BER", body | {"calendar": calendar})
    wanted = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1), deliver_by=wanted))
    assert [option["nodes"] for option in answer["options"]] == [["MUC"], ["MUC"]]


async def test_a_calendar_that_never_works_is_told(stocked: Site) -> None:
    await stocked.sql("UPDATE node SET calendar = '{\"weekdays\": []}'")
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    assert answer["options"] == []
    assert {one["reason"] for one in answer["declined"]} == {"no_node"}
    assert "node BER: no working day" in answer["declined"][0]["detail"]


async def test_input_that_makes_no_promise_possible(stocked: Site) -> None:
    no_country = asked(("MUG", 1), address={"postal_code": "20095"})
    assert pointers(await stocked.refused(422, "POST", "/promises", no_country)) == ["/address/country"]
    for address in ({"country": "Germany"}, {"country": ""}):
        problem = await stocked.refused(422, "POST", "/promises", asked(("MUG", 1), address=address))
        assert pointers(problem) == ["/address/country"]
    half = asked(("MUG", 1), address={"country": "DE", "latitude": 3})
    assert pointers(await stocked.refused(422, "POST", "/promises", half)) == ["/address"]
    zone = asked(("MUG", 1), address={"country": "DE", "timezone": "Mars/Olympus"})
    assert pointers(await stocked.refused(422, "POST", "/promises", zone)) == ["/address/timezone"]
    unknown = await stocked.refused(422, "POST", "/promises", asked(("MUG", 1), ("CUP", 1)))
    assert pointers(unknown) == ["/lines/1/sku"]
    assert pointers(await stocked.refused(422, "POST", "/promises", asked(("MUG", 0)))) == ["/lines/0/quantity"]
    past = asked(("MUG", 1), deliver_by="2020-01-01T00:00:00Z")
    assert pointers(await stocked.refused(422, "POST", "/promises", past)) == ["/deliver_by"]
    assert pointers(await stocked.refused(422, "POST", "/promises", asked(("MUG", 1), channel="x"))) == ["/channel"]


async def test_a_place_without_coordinates_is_far_not_near(stocked: Site) -> None:
    near = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    far = await stocked.ok("POST", "/promises", asked(("MUG", 1), address={"country": "DE", "timezone": "UTC"}))
    dates = [{one["service"]: one["deliver_by"] for one in answer["options"]} for answer in (near, far)]
    assert dates[1]["standard"] > dates[0]["standard"]


async def test_kits_are_taken_apart(stocked: Site) -> None:
    await stocked.ok(
        "PUT",
        "/items/SET",
        {"components": [{"sku": "MUG", "quantity": 2}, {"sku": "LAMP", "quantity": 1}]},
    )
    (option, _) = (await stocked.ok("POST", "/promises", asked(("SET", 2))))["options"]
    assert option["parcels"][0]["lines"] == [{"sku": "LAMP", "quantity": 2}, {"sku": "MUG", "quantity": 4}]
    short = await stocked.ok("POST", "/promises", asked(("SET", 5)))
    assert short["declined"][0]["missing"] == [{"sku": "LAMP", "quantity": 1}]


async def test_confidence_comes_with_history(stocked: Site) -> None:
    await stocked.sql(
        "INSERT INTO fulfilment_order (order_id, no, group_key, node_id, handoff, created_at, ship_by) "
        "SELECT 'o' || n, 1, 'main', (SELECT id FROM node WHERE code = 'BER'), 'accepted', now(), "
        "now() - interval '5 days' FROM generate_series(1, 80) n"
    )
    await stocked.sql(
        "INSERT INTO shipment (order_id, no, fulfilment_no, external_id, shipped_at, document) "
        "SELECT 'o' || n, 1, 1, 's', now() - interval '5 days', '{}' FROM generate_series(1, 80) n"
    )
    await stocked.sql(
        "INSERT INTO parcel (order_id, shipment_no, no, status, status_at) SELECT 'o' || n, 1, 1, 'delivered', "
        "now() - CASE WHEN n <= 60 THEN interval '4 days 12 hours' ELSE interval '0' END FROM generate_series(1, 80) n"
    )
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    assert [option["confidence"] for option in answer["options"]] == [75, 75]
    assert (await stocked.ok("POST", "/promises", asked(("LAMP", 1))))["options"][0]["confidence"] is None


async def test_a_merchants_own_rules_are_versions_like_any_policy(stocked: Site) -> None:
    text = 'version = "own-1"\n[[service]]\nname = "bike"\nband = [{domestic = true, max_km = 400, days = 0}]\n'
    kept = await stocked.ok("POST", "/policies", {"kind": "promise", "text": text})
    assert (kept["kind"], kept["version"], kept["state"]) == ("promise", "own-1", "draft")
    assert len((await stocked.ok("POST", "/promises", asked(("MUG", 1))))["options"]) == 2
    await stocked.ok("POST", f"/policies/{kept['id']}/activate")
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    assert [(one["service"], one["nodes"]) for one in answer["options"]] == [("bike", ["BER"])]
    far = await stocked.ok("POST", "/promises", asked(("LAMP", 1)))
    assert (far["options"], far["declined"][0]["reason"]) == ([], "no_node")
    broken = {"kind": "promise", "text": 'version = "x"\nservice = []'}
    assert pointers(await stocked.refused(422, "POST", "/policies", broken)) == ["/text"]


async def test_rules_of_the_routing_policy_see_the_basket(stocked: Site) -> None:
    """Baskets worth 100.00 and more go from Munich."""
    rule = '[[rule]]\nname = "dear"\nwhen = "order.value >= 10000"\n[[rule.fence]]\nkeep = "node.code == \'MUC\'"\n'
    kept = await stocked.ok("POST", "/policies", {"text": f'version = "dear"\n{rule}'})
    await stocked.ok("POST", f"/policies/{kept['id']}/activate")
    for value, node in ((9_999, "BER"), (10_000, "MUC")):
        body = asked(("MUG", 1)) | {"lines": [{"sku": "MUG", "quantity": 1, "value": value}], "currency": "EUR"}
        answer = await stocked.ok("POST", "/promises", body)
        assert [one["nodes"] for one in answer["options"]] == [[node], [node]]


async def test_a_condition_without_an_answer_is_told(stocked: Site) -> None:
    rule = '[[rule]]\nname = "halves"\nwhen = "order.units / (order.lines - 1) > 0"\n'
    kept = await stocked.ok("POST", "/policies", {"text": f'version = "halves"\n{rule}'})
    await stocked.ok("POST", f"/policies/{kept['id']}/activate")
    answer = await stocked.ok("POST", "/promises", asked(("MUG", 1)))
    assert answer["options"] == []
    assert {one["reason"] for one in answer["declined"]} == {"no_answer"}
    assert "halves" in answer["declined"][0]["detail"]
