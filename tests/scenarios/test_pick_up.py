"""What customers collect: reserved at the store, made ready, handed over for a code, or put back on the shelf."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.domain.facts import GoodsCollected
from hub.store.admin.tokens import Role, create_token
from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.goods("MUG", MITTE=5, NORD=5, DEPOT=50)
    yield made
    await made.counter.client.aclose()


async def ready(street: HighStreet, units: int = 2) -> tuple[str, str]:
    """An order that waits for its customer: (order, fulfilment order)."""
    order = await street.order(("MUG", units), at="MITTE")
    (work,) = order["fulfilments"]
    await street.work(work["id"], "accept", "pick", "ready")
    return order["id"], work["id"]


async def test_an_order_is_reserved_at_the_store_made_ready_and_collected_for_its_code(street: HighStreet) -> None:
    order = await street.order(("MUG", 2), at="MITTE")
    assert slices(order) == [(2, "released", "MITTE")]
    assert await street.stock("MUG", "MITTE") == (5, 2, 0)
    (work,) = order["fulfilments"]
    assert work["destination"] is None
    await street.work(work["id"], "accept", "pick", "pack")
    waiting = await street.work(work["id"], "ready")
    assert (waiting["status"], waiting["collect_by"] is not None) == ("ready", True)
    code = await street.code(order["id"])
    assert len(code) == 6
    assert code.isdigit()
    done = await street.work(work["id"], "collect", code=code)
    assert (done["status"], done["collect_by"]) == ("collected", None)
    assert await street.stock("MUG", "MITTE") == (3, 0, 0)
    after = await street.look(order["id"])
    assert after["state"] == "closed"
    assert [parcel["status"] for parcel in after["fulfilments"][0]["shipments"][0]["parcels"]] == ["delivered"]
    kinds = await street.kinds(order["id"])
    assert [kind for kind in kinds if kind in ("accepted", "ready", "pick_up_code_issued", "collected")] == [
        "accepted",
        "ready",
        "pick_up_code_issued",
        "collected",
    ]


async def test_a_code_is_shown_once_and_kept_only_as_a_digest(street: HighStreet) -> None:
    order, work = await ready(street)
    answer = await street.counter.ask("POST", f"/orders/{order}/pick-up-code", None, **{"Idempotency-Key": "k"})
    code = answer.json()["code"]
    again = await street.counter.ask("POST", f"/orders/{order}/pick-up-code", None, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["code"]) == (201, None)
    told = await street.counter.refused("POST", f"/orders/{order}/pick-up-code")
    assert told["type"].endswith("code-shown")
    digest = await street.house.value("SELECT digest FROM pick_up_code")
    assert code.encode() not in digest
    new = await street.code(order, renew=True)
    if new != code:
        refused = await street.counter.refused("POST", f"/fulfilment-orders/{work}/collect", {"code": code})
        assert refused["type"].endswith("wrong-code")
    await street.work(work, "collect", code=new)


async def test_five_wrong_codes_lock_it_and_a_person_is_told(street: HighStreet) -> None:
    order, work = await ready(street)
    code = await street.code(order)
    wrong = "000000" if code != "000000" else "111111"
    for left in (4, 3, 2, 1, 0):
        told = await street.counter.refused("POST", f"/fulfilment-orders/{work}/collect", {"code": wrong})
        assert (told["type"].rsplit(":", 1)[-1], told["tries_left"]) == ("wrong-code", left)
    told = await street.counter.refused("POST", f"/fulfilment-orders/{work}/collect", {"code": code})
    assert told["type"].endswith("code-locked")
    assert slices(await street.look(order)) == [(2, "ready", "MITTE")]
    (trouble,) = await street.house.open_exceptions()
    assert trouble["kind"] == "pick_up_code_locked"
    new = await street.code(order, renew=True)
    assert await street.house.open_exceptions() == []
    await street.work(work, "collect", code=new)


async def test_nothing_is_handed_over_without_a_code_but_by_an_admin_with_a_reason(street: HighStreet) -> None:
    order, work = await ready(street)
    assert (await street.counter.ask("POST", f"/fulfilment-orders/{work}/collect")).status_code == 422
    told = await street.counter.refused("POST", f"/fulfilment-orders/{work}/collect", {"code": "123456"})
    assert told["type"].endswith("no-code")
    async with street.house.parts.database.transaction() as connection:
        clerk = await create_token(
            connection, name="clerk", role=Role.OPERATOR, merchant="default", new_id=street.house.parts.new_id
        )
    body = {"override_reason": "passport seen"}
    header = {"authorization": f"Bearer {clerk.token}"}
    path = f"/api/v1/fulfilment-orders/{work}/collect"
    assert (await street.counter.client.post(path, json=body, headers=header)).status_code == 403
    await street.work(work, "collect", **body)
    moments = await street.house.rows("SELECT detail FROM timeline WHERE kind = 'collected_without_code'")
    assert len(moments) == 1
    assert "passport seen" in moments[0]["detail"]
    assert slices(await street.look(order)) == [(2, "collected", "MITTE")]


async def test_part_of_it_is_collected_and_the_rest_waits_on(street: HighStreet) -> None:
    order, work = await ready(street, units=3)
    code = await street.code(order)
    view = await street.work(work, "collect", code=code, lines=[{"sku": "MUG", "quantity": 1}])
    assert (view["status"], view["collect_by"] is not None) == ("ready", True)
    assert await street.stock("MUG", "MITTE") == (4, 2, 0)
    await street.work(work, "collect", code=code)
    found = await street.look(order)
    assert (found["state"], len(found["fulfilments"][0]["shipments"])) == ("closed", 2)
    assert await street.stock("MUG", "MITTE") == (2, 0, 0)


async def test_what_is_not_collected_is_put_back_cancelled_and_paid_back(street: HighStreet) -> None:
    paid = {"financial_status": "paid"}
    order = await street.order(("MUG", 2), at="MITTE", **paid)
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ready")
    assert await street.later(days=3) == 0
    assert await street.later(days=8) == 1
    found = await street.look(order["id"])
    assert (found["state"], found["progress"]["status"]) == ("cancelled", "cancelled")
    assert await street.stock("MUG", "MITTE") == (5, 0, 0)
    kinds = await street.kinds(order["id"])
    assert kinds.index("ready") < kinds.index("pick_up_expired") < kinds.index("put_back")
    assert "refund_asked" in kinds
    told = await street.counter.refused("POST", f"/fulfilment-orders/{work['id']}/put-back")
    assert told["type"].endswith("nothing-to-do")
    assert await street.later(days=30) == 0


async def test_a_kit_of_which_a_part_was_collected_is_not_cancelled_whole(street: HighStreet) -> None:
    await street.goods("CUP", MITTE=5)
    await street.goods("POT", MITTE=5)
    kit = await street.house.item("SET")
    for part in ("CUP", "POT"):
        await street.house.run("INSERT INTO item_component VALUES ($1, $2, 1)", kit, street.items[part])
    paid = {"external_id": "p", "kind": "sale", "method": "card", "amount": 1000, "currency": "EUR", "status": "done"}
    order = await street.order(("SET", 1), at="MITTE", payments=[paid])
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ready")
    code = await street.code(order["id"])
    await street.work(work["id"], "collect", code=code, lines=[{"sku": "CUP", "quantity": 1}])
    assert await street.later(days=9) == 1
    found = await street.look(order["id"])
    assert slices(found) == [(1, "collected", "MITTE")]
    assert found["state"] == "closed"
    assert found["cancelled_at"] is None, "the channel is not asked to cancel what was handed over in part"
    (refund,) = (await street.counter.ok("GET", f"/refunds?order={order['id']}"))["items"]
    assert (refund["amount"], refund["reason"]) == (1000, "not_collected")


async def test_what_was_paid_back_before_nobody_came_is_not_paid_back_again(street: HighStreet) -> None:
    paid = {"external_id": "p", "kind": "sale", "method": "card", "amount": 9000, "currency": "EUR", "status": "done"}
    order = await street.order(("MUG", 2), at="MITTE", payments=[paid])
    await street.work(order["fulfilments"][0]["id"], "ready")
    body = {"order": order["id"], "lines": [{"line": order["lines"][0]["id"], "quantity": 2}], "reason": "goodwill"}
    await street.counter.ok("POST", "/refunds", body)
    assert await street.later(days=9) == 1
    found = await street.look(order["id"])
    assert (found["state"], await street.stock("MUG", "MITTE")) == ("cancelled", (5, 0, 0))
    (refund,) = (await street.counter.ok("GET", f"/refunds?order={order['id']}"))["items"]
    assert refund["reason"] == "goodwill"


async def test_expired_goods_stay_pinned_until_the_store_says_they_are_back(street: HighStreet) -> None:
    await street.rules('[collect]\nput_back = "by_hand"\nexpired = "person"')
    order, work = await ready(street)
    assert await street.later(days=9) == 1
    assert slices(await street.look(order)) == [(2, "expired", "MITTE")]
    assert await street.stock("MUG", "MITTE") == (5, 2, 0)
    await street.work(work, "put-back")
    found = await street.look(order)
    assert slices(found) == [(2, "unallocated", None)]
    assert [wait["queue"] for wait in found["waiting"]] == ["pick_up"]
    assert await street.stock("MUG", "MITTE") == (5, 0, 0)
    assert {one["kind"] for one in await street.house.open_exceptions()} == {"not_collected", "pick_up_refused"}
    body = {"node": "MITTE", "reason": "will come tomorrow"}
    await street.counter.ok("POST", f"/orders/{order}/pick-up", body)
    assert slices(await street.look(order)) == [(2, "released", "MITTE")]
    assert await street.house.open_exceptions() == []


async def test_a_refused_pick_up_waits_for_a_person_and_is_never_shipped_by_itself(street: HighStreet) -> None:
    order = await street.order(("MUG", 2), at="MITTE")
    (work,) = order["fulfilments"]
    await street.work(work["id"], "refuse", reason="not found", stock="all")
    found = await street.look(order["id"])
    assert slices(found) == [(2, "unallocated", None)]
    assert [wait["queue"] for wait in found["waiting"]] == ["pick_up"]
    assert await street.stock("MUG", "MITTE") == (0, 0, 0)
    assert "/pick-up" in (await street.house.open_exceptions())[0]["next_step"]
    await street.counter.ok("POST", f"/orders/{order['id']}/pick-up", {"node": "NORD", "reason": "customer agreed"})
    found = await street.look(order["id"])
    assert slices(found) == [(2, "released", "NORD")]
    assert await street.house.open_exceptions() == []
    told = await street.counter.refused("POST", f"/orders/{order['id']}/pick-up", {"ship": True, "reason": "no"})
    assert "released" in told["detail"]
    await street.work(found["fulfilments"][-1]["id"], "refuse")
    await street.counter.ok("POST", f"/orders/{order['id']}/pick-up", {"ship": True, "reason": "customer agreed"})
    found = await street.look(order["id"])
    assert slices(found) == [(2, "released", "DEPOT")]
    assert found["groups"][0]["method"] == "ship"


@pytest.mark.parametrize("body", [{"reason": "x"}, {"reason": "x", "node": "NORD", "ship": True},
                                  {"reason": "x", "node": "NOWHERE"}, {"node": "NORD"}])  # fmt: skip
async def test_a_wish_that_names_no_place_or_two_is_refused(street: HighStreet, body: dict[str, object]) -> None:
    order = await street.order(("MUG", 99), at="MITTE")
    answer = await street.counter.ask("POST", f"/orders/{order['id']}/pick-up", body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_place_that_nobody_knows_is_asked_for(street: HighStreet) -> None:
    order = await street.order(("MUG", 1), at="MOON")
    assert slices(order) == [(1, "unallocated", None)]
    assert [wait["queue"] for wait in order["waiting"]] == ["pick_up"]


async def test_a_store_that_does_not_answer_in_time_loses_a_shipment_and_is_left_out(street: HighStreet) -> None:
    await street.rules("[accept]\nexcluded_hours = 5\n[accept.minutes]\nstore = 30")
    order = await street.order(("MUG", 2))
    (work,) = order["fulfilments"]
    assert (work["node"], work["accept_by"] is not None) == ("MITTE", True)
    assert await street.later(minutes=29) == 0
    assert await street.later(minutes=2) == 1
    found = await street.look(order["id"])
    assert slices(found) == [(2, "released", "NORD")]
    assert "accept_timed_out" in await street.kinds(order["id"])
    assert await street.house.value("SELECT reason FROM cancel_request") == "not accepted in time"
    hours = await street.house.value("SELECT extract(epoch FROM until - now()) / 3600 FROM exclusion")
    assert 4.9 < float(hours) <= 5
    await street.work(found["fulfilments"][-1]["id"], "accept")
    assert await street.later(days=2) == 0
    assert await street.stock("MUG", "MITTE") == (5, 0, 0)


async def test_a_pick_up_that_the_store_never_accepts_goes_to_its_own_queue(street: HighStreet) -> None:
    await street.rules("[accept.minutes]\nstore = 30")
    order = await street.order(("MUG", 2), at="MITTE")
    assert await street.later(minutes=31) == 1
    found = await street.look(order["id"])
    assert slices(found) == [(2, "unallocated", None)]
    assert [wait["queue"] for wait in found["waiting"]] == ["pick_up"]
    queues = (await street.counter.ok("GET", "/queues"))["items"]
    assert "pick_up" in {queue["name"] for queue in queues}


async def test_a_partner_that_hands_over_is_believed_and_part_of_it_counts_once(street: HighStreet) -> None:
    order, work = await ready(street, units=3)
    await street.order(("MUG", 1))
    street.house.connections.setdefault("direct", str(await street.house.value(
        "SELECT account_id FROM connection WHERE adapter = 'direct' LIMIT 1")))  # fmt: skip
    link = await street.house.value("SELECT id FROM connection WHERE adapter = 'direct' LIMIT 1")
    street.house.connections[link] = street.house.connections["direct"]
    at = street.house.parts.clock()
    fact = GoodsCollected(at=at, fulfilment=work)
    await street.house.hear(link, fact)
    await street.house.hear(link, fact)
    assert slices(await street.look(order)) == [(3, "collected", "MITTE")]
    assert await street.house.value("SELECT count(*) FROM shipment WHERE order_id = $1", order) == 1


async def told_again(street: HighStreet, order: dict[str, Any], **group: Any) -> dict[str, Any]:
    """The channel's next revision of an order of one mug, with its group as given."""
    place = {"country": "DE", "latitude": 52.4, "longitude": 13.3}
    body = {
        "external_id": order["external_id"],
        "currency": "EUR",
        "lines": [{"external_id": "MUG", "sku": "MUG", "quantity": 2, "subtotal": 1000}],
        "groups": [{"method": "pick_up", "pickup_location": "MITTE", "place": place} | group],
        "tags": [f"revision {order['revision']}"],
    }
    return await street.told("/orders", body)


@pytest.mark.parametrize("wish", [{"node": "NORD"}, {"ship": True}])
async def test_a_redirected_pick_up_stands_until_the_channel_changes_the_way_itself(
    street: HighStreet, wish: dict[str, Any]
) -> None:
    order = await street.order(("MUG", 2), at="MITTE")
    await street.work(order["fulfilments"][0]["id"], "refuse")
    await street.counter.ok("POST", f"/orders/{order['id']}/pick-up", {**wish, "reason": "customer agreed"})
    order = await street.look(order["id"])
    moved = order["groups"][0]["method"], order["groups"][0].get("pickup_location")
    assert slices(order) == [(2, "released", "NORD")]
    for _ in range(2):
        order = await told_again(street, order)
        assert (order["groups"][0]["method"], order["groups"][0].get("pickup_location")) == moved
        assert slices(order) == [(2, "released", "NORD")]
    other = {"country": "DE", "postal_code": "10115", "latitude": 52.5, "longitude": 13.3}
    order = await told_again(street, order, place=other)
    assert order["groups"][0]["method"] == moved[0], "another address is no other way"
    order = await told_again(street, order, pickup_location="DEPOT", place=other)
    assert (order["groups"][0]["method"], order["groups"][0]["pickup_location"]) == ("pick_up", "DEPOT")
    order = await told_again(street, order, place=other)
    assert order["groups"][0]["pickup_location"] == "MITTE", "and then the channel is believed again"


async def test_units_cancelled_here_leave_the_price_of_a_unit_as_it_was(street: HighStreet) -> None:
    order = await street.order(("MUG", 4), financial_status="paid")
    cancel = {"reason": "one less", "lines": {"MUG": 2}}
    order = await street.counter.ok("POST", f"/orders/{order['id']}/cancel", cancel)
    (work,) = [one for one in (await street.look(order["id"]))["fulfilments"] if one["status"] == "released"]
    await street.work(work["id"], "ship")
    wish = {"order": order["id"], "lines": [{"line": "MUG", "quantity": 1}]}
    made = await street.counter.ok("POST", "/refunds", wish)
    assert made["lines"] == [{"line": "MUG", "quantity": 1, "amount": 250, "tax": 0}]


async def test_curbside_is_collected_at_the_car_by_code(street: HighStreet) -> None:
    order = await street.order(("MUG", 2), at="MITTE", service="curbside")
    (work,) = order["fulfilments"]
    assert (order["groups"][0]["method"], order["groups"][0]["service"]) == ("pick_up", "curbside")
    view = await street.work(work["id"], "accept", "pick", "pack", "ready")
    assert (view["status"], view["destination"], view["collect_by"] is not None) == ("ready", None, True)
    view = await street.work(work["id"], "collect", code=await street.code(order["id"]))
    assert [shipment["parcels"][0]["tracking"] for shipment in view["shipments"]] == [None]
    seen = [kind for kind in await street.kinds(order["id"]) if kind not in ("pick_up_code_issued", "closed")]
    assert seen[-6:] == ["released", "accepted", "picked", "packed", "ready", "collected"]
    assert await street.stock("MUG", "MITTE") == (3, 0, 0)


async def test_ship_from_store_goes_from_the_shelf_to_the_customer(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    (work,) = order["fulfilments"]
    assert (work["node"], work["destination"], work["connection"]) == ("MITTE", None, None)
    assert await street.stock("MUG", "MITTE") == (5, 2, 0)
    await street.work(work["id"], "accept", "pick", "pack")
    parcel = {"tracking": "JJD1", "carrier": "dhl"}
    view = await street.work(work["id"], "ship", parcels=[parcel])
    assert (view["status"], view["collect_by"]) == ("shipped", None)
    found = await street.look(order["id"])
    assert (found["state"], slices(found)) == ("closed", [(2, "shipped", "MITTE")])
    assert await street.stock("MUG", "MITTE") == (3, 0, 0)
