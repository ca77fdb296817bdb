"""Orders that several stores are offered: the first that takes one has it."""

import asyncio
from collections import Counter as Tally
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House
from tests.scenarios.listeners import Receiver

RULES = "[claim]\nstores = 3\nminutes = 30\n[accept]\nexcluded_hours = 5"


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.goods("MUG", MITTE=5, NORD=5)
    await made.rules(RULES)
    yield made
    await made.counter.client.aclose()


async def offers(street: HighStreet, state: str = "open") -> dict[str, str]:
    """Ids of offers by node."""
    found = await street.counter.ok("GET", f"/offers?state={state}")
    return {one["node"]: one["id"] for one in found["items"]}


async def test_stores_are_offered_an_order_and_the_one_that_takes_it_sends_it(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    assert slices(order) == [(2, "reserved", "MITTE")]
    assert order["fulfilments"] == []
    open_ones = await offers(street)
    assert set(open_ones) == {"MITTE", "NORD"}
    (mine,) = (await street.counter.ok("GET", "/offers?node=NORD"))["items"]
    assert (mine["order"], mine["lines"]) == (order["id"], [{"sku": "MUG", "quantity": 2}])
    found = await street.counter.ok("POST", f"/offers/{open_ones['NORD']}/claim")
    assert slices(found) == [(2, "accepted", "NORD")]
    assert (await street.stock("MUG", "MITTE"), await street.stock("MUG", "NORD")) == ((5, 0, 0), (5, 2, 0))
    told = await street.counter.refused("POST", f"/offers/{open_ones['MITTE']}/claim")
    assert told["type"].endswith("offer-over")
    assert set(await offers(street, "withdrawn")) == {"MITTE"}
    await street.work(found["fulfilments"][0]["id"], "ship")
    assert (await street.look(order["id"]))["state"] == "closed"


async def test_of_sixty_four_claims_at_once_one_wins(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    ids = list((await offers(street)).values())
    answers = await asyncio.gather(*(street.counter.ask("POST", f"/offers/{ids[n % 2]}/claim") for n in range(64)))
    assert Tally(answer.status_code for answer in answers) == {200: 1, 409: 63}
    found = await street.look(order["id"])
    (work,) = found["fulfilments"]
    assert slices(found) == [(2, "accepted", work["node"])]
    assert (await street.kinds(order["id"])).count("claimed") == 1
    pinned = [(await street.stock("MUG", code))[1] for code in ("MITTE", "NORD")]
    assert sorted(pinned) == [0, 2]


async def test_when_nobody_takes_it_the_chosen_store_is_told(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    assert await street.later(minutes=29) == 0
    assert await street.later(minutes=2) == 1
    assert slices(await street.look(order["id"])) == [(2, "released", "MITTE")]
    assert "offers_ended" in await street.kinds(order["id"])
    assert await offers(street) == {}
    (over, *_) = (await offers(street, "withdrawn")).values()
    assert (await street.counter.refused("POST", f"/offers/{over}/claim"))["type"].endswith("offer-over")


async def test_a_store_that_refuses_is_left_out_even_where_routing_had_chosen_it(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    open_ones = await offers(street)
    await street.counter.ok("POST", f"/offers/{open_ones['MITTE']}/refuse")
    assert set(await offers(street)) == {"NORD"}
    assert await street.later(minutes=31) == 1
    assert slices(await street.look(order["id"])) == [(2, "released", "NORD")]


async def test_a_store_that_sold_it_meanwhile_cannot_take_it(street: HighStreet) -> None:
    await street.order(("MUG", 2))
    open_ones = await offers(street)
    await street.order(("MUG", 4), at="NORD")
    told = await street.counter.refused("POST", f"/offers/{open_ones['NORD']}/claim")
    assert "not all of it free" in told["detail"]
    await street.counter.ok("POST", f"/offers/{open_ones['MITTE']}/claim")


async def test_an_order_that_is_cancelled_cannot_be_taken(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    open_ones = await offers(street)
    await street.counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "changed my mind"})
    for id in open_ones.values():
        assert (await street.counter.ask("POST", f"/offers/{id}/claim")).status_code == 409
    assert (await street.look(order["id"]))["state"] == "cancelled"


async def test_one_store_alone_is_simply_told(street: HighStreet) -> None:
    await street.goods("CUP", MITTE=5)
    order = await street.order(("CUP", 1))
    assert slices(order) == [(1, "released", "MITTE")]
    assert await offers(street) == {}


@pytest.mark.parametrize("id", ["nonsense", "X-C1", "01ARZ3NDEKTSV4RRFFQ6-C99"])
async def test_an_offer_that_nobody_made_is_not_found(street: HighStreet, id: str) -> None:
    assert (await street.counter.ask("POST", f"/offers/{id}/claim")).status_code == 404


async def test_a_store_whose_day_is_full_cannot_take_another(street: HighStreet) -> None:
    await street.house.run("UPDATE node SET capacity_per_day = 1 WHERE code = 'NORD'")
    first, second = await street.order(("MUG", 2)), await street.order(("MUG", 2))
    mine = {one["order"]: one["id"] for one in (await street.counter.ok("GET", "/offers?node=NORD"))["items"]}
    ids = [mine[first["id"]], mine[second["id"]]]
    answers = await asyncio.gather(*(street.counter.ask("POST", f"/offers/{id}/claim") for id in ids))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (late,) = [answer.json() for answer in answers if answer.status_code == 409]
    assert (late["type"].endswith("offer-over"), "its day full (1 of 1)" in late["detail"]) == (True, True)
    assert await street.house.value("SELECT orders FROM node_load") == 1
    (left,) = [id for id, answer in zip((first["id"], second["id"]), answers, strict=True) if answer.status_code == 409]
    assert slices(await street.look(left)) == [(2, "reserved", "MITTE")], "and others may take it still"
    (other,) = [one["id"] for one in (await street.counter.ok("GET", "/offers?state=open"))["items"]
                if (one["order"], one["node"]) == (left, "MITTE")]  # fmt: skip
    await street.counter.ok("POST", f"/offers/{other}/claim")


@pytest.fixture
def settings() -> dict[str, Any]:
    """A hub that may tell stores on this machine."""
    return {"allow_private_subscribers": True}


@pytest.fixture
async def till(street: HighStreet) -> AsyncIterator[Receiver]:
    """A store's own system, which asks for nothing by itself."""
    made = Receiver()
    await made.start()
    await street.counter.ok("POST", "/subscriptions", {"name": "till", "url": made.url, "types": ["crossdock.offer.*"]})
    yield made
    await made.stop()


def heard(till: Receiver) -> list[tuple[str, str, str]]:
    """(type, node, state) of what a store was told, and forget it."""
    found = [(one["type"].rpartition(".")[2], one["data"]["node"], one["data"]["offer_state"]) for one in till.heard]
    till.heard.clear()
    return sorted(found)


async def in_the_books(street: HighStreet) -> Tally[str]:
    """States of offers as they were committed, before anything else runs."""
    return Tally(row["state"] for row in await street.house.rows("SELECT state FROM offer"))


async def test_a_store_is_told_of_its_offer_and_of_its_end(street: HighStreet, till: Receiver) -> None:
    order = await street.order(("MUG", 2))
    mine = next(one["data"] for one in till.heard if one["data"]["node"] == "NORD")
    assert (mine["order"], mine["lines"]) == (order["id"], [{"sku": "MUG", "quantity": 2}])
    assert heard(till) == [("made", "MITTE", "open"), ("made", "NORD", "open")]
    await street.counter.ok("POST", f"/offers/{mine['offer']}/claim")
    await street.house.everything()
    assert heard(till) == [("ended", "MITTE", "withdrawn"), ("ended", "NORD", "taken")]


async def test_offers_of_an_order_that_is_cancelled_are_withdrawn_with_it(street: HighStreet, till: Receiver) -> None:
    order = await street.order(("MUG", 2))
    heard(till)
    await street.counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "changed my mind"})
    assert await in_the_books(street) == {"withdrawn": 2}
    assert (await street.look(order["id"]))["state"] == "cancelled"
    assert heard(till) == [("ended", "MITTE", "withdrawn"), ("ended", "NORD", "withdrawn")]
    assert await street.kinds(order["id"]) == [
        "captured", "routed", "hold_placed", "offered", "cancel_requested", "hold_lifted", "offers_ended",
    ]  # fmt: skip


async def test_offers_of_units_that_are_decided_anew_are_withdrawn_for_new_ones(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    before = await offers(street)
    await street.counter.ok("POST", f"/orders/{order['id']}/reroute")
    assert (await in_the_books(street))["withdrawn"] == 2
    found = await street.look(order["id"])
    after = await offers(street)
    assert set(after.values()) & set(before.values()) == set()
    assert (slices(found), set(after)) == ([(2, "reserved", "MITTE")], {"MITTE", "NORD"})
    for id in before.values():
        assert (await street.counter.refused("POST", f"/offers/{id}/claim"))["type"].endswith("offer-over")


async def test_offers_of_a_hold_that_a_person_lifted_are_withdrawn(street: HighStreet) -> None:
    order = await street.order(("MUG", 2))
    (hold,) = [one for one in order["holds"] if one["kind"] == "claim"]
    await street.counter.ok("POST", f"/orders/{order['id']}/lift", {"kind": hold["kind"]})
    assert await in_the_books(street) == {"withdrawn": 2}
    assert slices(await street.look(order["id"])) == [(2, "released", "MITTE")]
