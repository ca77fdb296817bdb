"""Goods that come back: asked for, blind, in parts, turned round; on the shelf and for sale in one commit."""

import pytest

from adapters.easypost.harness import settings as easypost_settings
from adapters.easypost.harness import simulator as easypost_simulator
from hub.domain.shipping import TrackingStatus
from tests.scenarios.counter import Counter
from tests.scenarios.sold import scanned, shelf, sold, states
from tests.scenarios.town import Town


async def test_a_return_is_received_graded_and_for_sale_again(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    assert await shelf(town) == (97, 0, 0, 0)
    await town.settle()
    made = await counter.ok(
        "POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2, "reason": "changed_mind"}]}
    )
    assert (made["order"], made["state"], made["disposition"]) == (order["id"], "approved", None)
    assert made["node"] in ("EAST", "WEST")
    assert await shelf(town) == (97, 0, 0, 0), "nothing moves before it is here"

    here = await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    assert (here["state"], here["node"], here["lines"][0]["received"]) == ("received", "EAST", 2)
    assert await shelf(town) == (97, 0, 0, 2), "set aside, not for sale"
    assert await states(town, order["id"]) == {"shipped": 1, "returned": 2}

    lines = [{"line": line, "disposition": "restock", "quantity": 1}, {"line": line, "disposition": "refurbish"}]
    done = await counter.ok("POST", f"/returns/{made['id']}/grade", {"lines": lines})
    assert (done["state"], done["disposition"]) == ("graded", None)
    assert [(part["disposition"], part["quantity"]) for part in done["lines"][0]["graded"]] == [
        ("restock", 1),
        ("refurbish", 1),
    ]
    assert await shelf(town) == (98, 0, 1, 0)
    marks = await town.house.rows("SELECT item_id FROM dirty")
    assert {row["item_id"] for row in marks} == {town.items["PASS"]}, "availability is marked in the same commit"
    found = await counter.ok("GET", "/ats?sku=PASS")
    assert found["available"] == 98
    closed = await counter.ok("POST", f"/returns/{made['id']}/close")
    assert closed["state"] == "closed"
    assert (await counter.refused("POST", f"/returns/{made['id']}/close"))["status"] == 409


@pytest.mark.parametrize(
    ("disposition", "after"),
    [("restock", (98, 0, 0, 0)), ("refurbish", (97, 0, 1, 0)), ("scrap", (97, 0, 0, 0)), ("to_vendor", (97, 0, 0, 0))],
)
async def test_each_disposition_has_its_place(
    town: Town, counter: Counter, disposition: str, after: tuple[int, int, int, int]
) -> None:
    _, order, _ = await sold(town, 3)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"sku": "PASS", "quantity": 1}]})
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    done = await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": disposition})
    assert done["disposition"] == disposition
    assert await shelf(town) == after


async def test_more_than_was_bought_is_refused_and_nothing_is_half_done(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    problem = await counter.refused(
        "POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 4}]}
    )
    assert problem["status"] == 422
    assert problem["errors"][0]["pointer"] == "/lines/0/quantity"
    assert "3 can" in problem["errors"][0]["detail"]
    await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    problem = await counter.refused(
        "POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]}
    )
    assert problem["status"] == 422, "what is on its way back is not returned twice"
    assert await town.house.value("SELECT count(*) FROM return_order") == 1


async def test_what_has_not_left_cannot_come_back(town: Town, counter: Counter) -> None:
    placed, order = await town.buy([("PASS", 2)])
    line = str(placed.lines[0].id)
    problem = await counter.refused(
        "POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]}
    )
    assert problem["status"] == 422
    without = await counter.refused("POST", "/returns", {"order": order["id"]})
    assert (without["status"], "nothing of it is with the customer" in without["detail"]) == (409, True)


async def test_more_cannot_arrive_or_be_graded_than_there_is(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    path = f"/returns/{made['id']}"
    arrived = {"node": "EAST", "lines": [{"line": line, "quantity": 3}]}
    assert (await counter.refused("POST", f"{path}/receive", arrived))["status"] == 422
    assert (await counter.refused("POST", f"{path}/grade", {"disposition": "restock"}))["status"] == 409
    await counter.ok("POST", f"{path}/receive", {"node": "EAST", "lines": [{"line": line, "quantity": 1}]})
    graded = {"lines": [{"line": line, "disposition": "restock", "quantity": 2}]}
    assert (await counter.refused("POST", f"{path}/grade", graded))["status"] == 422
    assert await shelf(town) == (97, 0, 0, 1)
    assert (await counter.refused("POST", f"{path}/close"))["status"] == 409, "one waits to be graded"
    await counter.ok("POST", f"{path}/grade", {"disposition": "scrap"})
    await counter.ok("POST", f"{path}/receive")
    assert await shelf(town) == (97, 0, 0, 1), "the second parcel of the same return"


async def test_the_window_and_the_class_are_rules_and_a_person_may_override(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    await town.house.run("UPDATE item SET classes = '{hygiene}' WHERE sku = 'PASS'")
    wish = {"order": order["id"], "lines": [{"line": line, "quantity": 1}]}
    problem = await counter.refused("POST", "/returns", wish)
    assert problem["type"].endswith("not-returnable")
    assert "hygiene" in problem["reasons"][0]
    await town.house.run("UPDATE item SET classes = '{}' WHERE sku = 'PASS'")
    await town.house.run(
        "UPDATE shipment SET shipped_at = now() - interval '40 days', "
        "document = jsonb_set(document::jsonb, '{shipped_at}', to_jsonb((now() - interval '40 days')))::text"
    )
    problem = await counter.refused("POST", "/returns", wish)
    assert "30 days" in problem["reasons"][0]
    made = await counter.ok("POST", "/returns", wish | {"override": True})
    assert made["state"] == "approved"


async def test_an_update_of_the_order_does_not_ship_again_what_came_back(town: Town, counter: Counter) -> None:
    placed, order, line = await sold(town, 3)
    made = await counter.ok(
        "POST", "/returns", {"order": order["id"], "refund": "never", "lines": [{"line": line, "quantity": 2}]}
    )
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    town.shop.update_order(placed.id, note="called about the return")
    await town.settle()
    assert await states(town, order["id"]) == {"shipped": 1, "returned": 2}
    assert (await town.order(placed))["state"] == "closed"


async def test_goods_that_are_good_serve_who_waits_for_them(town: Town, counter: Counter) -> None:
    await town.goods("RARE", east=2)
    _, order, line = await sold(town, 2, "RARE")
    waiting, later = await town.buy([("RARE", 1)])
    assert await town.waiting() == [("shortage", f"item:{town.items['RARE']}")]
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    await town.settle()
    assert await town.waiting() != []
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    await town.settle()
    assert await town.waiting() == []
    assert await town.slices(later["id"]) == [(1, "accepted", town.east)]
    assert waiting.id != order["external_id"]


async def test_a_person_decides_where_the_rules_say_so(town: Town, counter: Counter) -> None:
    text = 'version = "strict"\napprove = "person"'
    await town.house.run(
        "INSERT INTO policy (merchant, kind, version, text, state, author) "
        "VALUES ('default', 'returns', 'strict', $1, 'active', 'test')",
        text,
    )
    _, order, line = await sold(town, 3)
    wish = {"order": order["id"], "lines": [{"line": line, "quantity": 1}]}
    first, second = [await counter.ok("POST", "/returns", wish) for _ in range(2)]
    assert (first["state"], first["policy"]) == ("requested", "strict")
    refused = await counter.ok("POST", f"/returns/{first['id']}/refuse", {"reason": "worn"})
    assert (refused["state"], refused["refused_because"]) == ("refused", "worn")
    assert (await counter.refused("POST", f"/returns/{first['id']}/receive", {"node": "EAST"}))["status"] == 409
    assert (await counter.ok("POST", f"/returns/{second['id']}/approve"))["state"] == "approved"
    assert (await counter.ok("POST", f"/returns/{second['id']}/cancel"))["state"] == "cancelled"


async def test_the_router_chooses_where_a_return_goes_by_its_own_terms(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    wish = {"order": order["id"], "lines": [{"line": line, "quantity": 1}]}
    first = await counter.ok("POST", "/returns", wish)
    await town.house.run("UPDATE node SET capabilities = '{ship,returns}' WHERE id = $1", town.west)
    second = await counter.ok("POST", "/returns", wish)
    assert second["node"] == "WEST", "the only one that says it takes returns"
    decisions = (await counter.ok("GET", f"/orders/{order['id']}/decisions"))["items"]
    kept = [one for one in decisions if one["group"].startswith("return ")]
    assert [one["group"] for one in kept] == [f"return {first['id']}", f"return {second['id']}"]
    assert {c["node"]: c["reason"] for c in kept[1]["candidates"]}["EAST"] == "not_capable"


async def test_a_label_is_bought_for_the_way_back_and_its_first_scan_pays(town: Town, counter: Counter) -> None:
    address = '{"name": "Dock", "lines": ["1 Harbor Way"], "city": "Newark", "region": "NJ", "postal_code": "07102", '
    address += '"country": "US"}'
    await town.house.run("UPDATE node SET address = $1", address)
    placed, order, line = await sold(town, 3)
    async with easypost_simulator() as carrier:
        given = easypost_settings(carrier)
        config = {name: getattr(given, name) for name in given.__struct_fields__ if getattr(given, name)}
        await town.house.connect("carrier", "easypost", config)
        carrier.script.extend([None, "lost_reply"])
        made = await counter.ok(
            "POST", "/returns", {"order": order["id"], "refund": "on_scan", "lines": [{"line": line, "quantity": 2}]}
        )
        await town.settle()
        found = await counter.ok("GET", f"/returns/{made['id']}")
        label = found["label"]
        assert label["tracking"]
        assert dict(carrier.labels_bought) == {f"{made['id']}-label-1": 1}, "bought once, although the reply was lost"
        await town.house.hear("carrier", scanned(label["tracking"], TrackingStatus.PRE_TRANSIT))
        assert (await counter.ok("GET", f"/returns/{made['id']}"))["state"] == "approved", "printed is not sent"
        await town.house.hear("carrier", scanned(label["tracking"], TrackingStatus.IN_TRANSIT))
        await town.house.hear("carrier", scanned(label["tracking"], TrackingStatus.DELIVERED))
    assert (await counter.ok("GET", f"/returns/{made['id']}"))["state"] == "in_transit"
    assert len(town.shop.orders[placed.id].refunds) == 1
    assert await states(town, order["id"]) == {"shipped": 3}, "a label's scan says nothing of what was shipped"


async def test_what_was_cancelled_too_late_is_settled_by_its_return(town: Town, counter: Counter) -> None:
    placed, order, line = await sold(town, 3)
    town.shop.fulfilments[placed.id].clear()
    town.shop.edit_order(placed.id, {"PASS": 1})
    await town.settle()
    assert (await town.trouble())["kind"] == "cancel_after_ship"
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    assert await town.house.open_exceptions() == []
    await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    town.shop.update_order(placed.id, note="thanks")
    await town.settle()
    assert await states(town, order["id"]) == {"shipped": 1, "returned": 2}
    assert await town.house.open_exceptions() == []
