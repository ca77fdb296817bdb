"""Goods that come back without having been asked for, and parcels that turn round."""

from datetime import UTC, datetime

from hub.domain.facts import GoodsReturned, ReturnedLine
from hub.domain.returns import Disposition
from hub.domain.shipping import TrackingStatus
from tests.scenarios.counter import Counter
from tests.scenarios.sold import scanned, shelf, sold, states
from tests.scenarios.town import EAST, Town


async def test_goods_that_come_without_a_request_are_taken_in(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    made = await counter.ok(
        "POST",
        "/returns",
        {"order": order["number"], "blind": True, "node": "WEST", "lines": [{"line": line, "quantity": 1}]},
    )
    assert (made["state"], made["blind"], made["node"]) == ("received", True, "WEST")
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    assert await town.stock("PASS", town.west) == (1, 0), "restocked where it was received"


async def test_goods_of_nobody_are_set_aside_until_their_order_is_found(town: Town, counter: Counter) -> None:
    _, order, _ = await sold(town, 3)
    made = await counter.ok(
        "POST", "/returns", {"blind": True, "node": "EAST", "lines": [{"sku": "PASS", "quantity": 1}]}
    )
    assert (made["order"], made["state"]) == (None, "received")
    assert await shelf(town) == (97, 0, 0, 1)
    assert (await town.trouble())["kind"] == "return_without_order"
    found = await counter.ok("POST", f"/returns/{made['id']}/match", {"order": order["id"]})
    assert found["order"] == order["id"]
    assert await states(town, order["id"]) == {"shipped": 2, "returned": 1}
    assert await shelf(town) == (97, 0, 0, 1), "they were on the books already"
    assert await town.house.open_exceptions() == []
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    assert await shelf(town) == (98, 0, 0, 0)


async def test_goods_of_nobody_may_be_graded_as_they_are(town: Town, counter: Counter) -> None:
    made = await counter.ok(
        "POST", "/returns", {"blind": True, "node": "EAST", "lines": [{"sku": "PASS", "quantity": 2}]}
    )
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    assert await shelf(town) == (102, 0, 0, 0)
    assert await town.house.open_exceptions() == []


async def test_a_node_tells_of_a_return_once_however_often_it_says_so(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 2}]})
    told = GoodsReturned(
        at=datetime.now(UTC),
        receipt="r-1",
        location=EAST,
        return_id=made["id"],
        lines=(ReturnedLine(quantity=2, sku="PASS", disposition=Disposition.RESTOCK),),
    )
    await town.house.hear("depot", told)
    await town.house.hear("depot", told)
    assert await shelf(town) == (99, 0, 0, 0)
    assert (await counter.ok("GET", f"/returns/{made['id']}"))["state"] == "graded"
    assert await town.house.open_exceptions() == []


async def test_a_node_tells_of_more_than_anybody_expects(town: Town, counter: Counter) -> None:
    _, order, line = await sold(town, 3)
    await counter.ok("POST", "/returns", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    told = GoodsReturned(
        at=datetime.now(UTC),
        receipt="r-2",
        location=EAST,
        order=f"{order['id']}-1",
        lines=(ReturnedLine(quantity=4, sku="PASS"),),
    )
    await town.house.hear("depot", told)
    assert await states(town, order["id"]) == {"returned": 3}
    assert await shelf(town) == (97, 0, 0, 3)
    assert (await town.trouble())["kind"] == "returned_unasked"
    both = (await counter.ok("GET", f"/returns?order={order['id']}"))["items"]
    assert sorted(one["blind"] for one in both) == [False, True]


async def test_a_parcel_that_turns_round_opens_a_return_once(town: Town, counter: Counter) -> None:
    placed, order, _ = await sold(town, 3)
    tracking = await town.house.value("SELECT tracking FROM parcel")
    await town.house.hear("depot", scanned(tracking, TrackingStatus.RETURN_TO_SENDER))
    await town.house.hear("depot", scanned(tracking, TrackingStatus.RETURN_TO_SENDER))
    (made,) = (await counter.ok("GET", "/returns"))["items"]
    assert (made["state"], made["order"], made["node"]) == ("in_transit", order["id"], "EAST")
    assert made["lines"][0]["reason"] == "return_to_sender"
    assert (await town.trouble())["kind"] == "returned_to_sender"
    await town.house.hear("depot", scanned(tracking, TrackingStatus.DELIVERED))
    assert await states(town, order["id"]) == {"shipped": 3}, "delivered to the sender is not delivered"
    await counter.ok("POST", f"/returns/{made['id']}/receive")
    assert await town.house.open_exceptions() == [], "it is here: nobody has to look for it"
    await counter.ok("POST", f"/returns/{made['id']}/grade", {"disposition": "restock"})
    assert await shelf(town) == (100, 0, 0, 0)
    assert (await town.order(placed))["state"] == "closed"
