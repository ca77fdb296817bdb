"""A warehouse that speaks X12 in files: an order goes out as a 940, and what it answers comes back to the channel."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.shopify.simulator_books import ShopOrder
from adapters.x12.simulator import LOCATION, THEM, US, X12Partner
from hub.store.numbers import StoredNumbers
from tests.scenarios.counter import Counter
from tests.scenarios.town import Town


@pytest.fixture
async def partner(town: Town) -> AsyncIterator[X12Partner]:
    """A third warehouse of the town, the only one that has VASE and JAR."""
    async with X12Partner(password="x12-password") as made:
        await town.house.connect(
            "wms",
            "x12",
            {
                "partner": "warehouse",
                "base_url": made.base_url,
                "username": made.username,
                "password": made.password,
                "host_keys": [made.host_key],
                "settle_seconds": 0,
                "profile": {"us": {"id": THEM}, "partner": {"id": US}},
            },
        )
        node = await town.house.node("SOUTH", latitude=29.7, longitude=-95.4)
        await town.house.bind(node, "wms", LOCATION)
        await town.house.bind(node, "wms", LOCATION, role="stock_master")
        for sku in ("VASE", "JAR"):
            await town.house.shelf(node, await town.goods(sku), 10)
        yield made
        assert made.violations == []


async def heard(town: Town, partner: X12Partner) -> None:
    """The warehouse reads its files, and the hub the warehouse's."""
    partner.work()
    await town.house.pull("wms", "status")
    await town.settle()
    partner.work()


async def bought(town: Town, *lines: tuple[str, int]) -> tuple[ShopOrder, str, str]:
    """(the shop's order, ours, its fulfilment order's number)."""
    placed, order = await town.buy(lines)
    (asked,) = await town.fulfilments(order["id"])
    return placed, order["id"], f"{order['id']}-{asked['no']}"


async def where(town: Town, order: str) -> list[tuple[int, str]]:
    return sorted((units, state) for units, state, _ in await town.slices(order))


async def kinds(town: Town) -> dict[str, dict[str, Any]]:
    return {row["kind"]: row for row in await town.house.open_exceptions()}


async def test_an_order_goes_out_as_a_940_and_its_945_is_told_to_the_shop(town: Town, partner: X12Partner) -> None:
    placed, order, asked = await bought(town, ("VASE", 2), ("JAR", 1))
    assert await where(town, order) == [(1, "released"), (2, "released")]
    await heard(town, partner)
    assert [(line.sku, line.quantity) for line in partner.orders[asked].lines] == [("VASE", 2), ("JAR", 1)]
    assert await where(town, order) == [(1, "accepted"), (2, "accepted")]
    partner.ship(asked)
    await heard(town, partner)
    assert await where(town, order) == [(1, "shipped"), (2, "shipped")]
    (told,) = town.shop.fulfilments[placed.id]
    assert sum(told.lines.values()) == 3
    assert (told.numbers, told.company) == (("1Z999AA10123456784",), "UPS")
    assert [answer[4][:2] for answer in partner.answers] == [["AK2", "945"]]
    assert partner.answers[0][-4][:2] == ["AK9", "A"]
    assert await town.house.open_exceptions() == []
    await town.house.verify()


async def test_part_of_an_order_leaves_and_every_file_comes_twice(town: Town, partner: X12Partner) -> None:
    partner.knobs.repeat_files = True
    placed, order, asked = await bought(town, ("VASE", 3))
    await heard(town, partner)
    partner.ship(asked, {"VASE": 1})
    await heard(town, partner)
    assert await where(town, order) == [(1, "shipped"), (2, "accepted")]
    partner.ship(asked, {"VASE": 1}, tracking="1Z999AA10123456785", status="CP")
    await heard(town, partner)
    assert [part for part in await where(town, order) if part[1] == "shipped"] == [(1, "shipped"), (1, "shipped")]
    assert "short" in await town.timeline(order)
    assert [fulfilled.numbers for fulfilled in town.shop.fulfilments[placed.id]] == [
        ("1Z999AA10123456784",),
        ("1Z999AA10123456785",),
    ]
    assert len(partner.within("from_partner/archive")) == 6


async def test_a_rejected_940_is_refused_and_told(town: Town, partner: X12Partner) -> None:
    partner.knobs.reject = 1
    _, order, _ = await bought(town, ("VASE", 1))
    await heard(town, partner)
    assert "refused" in await town.timeline(order)
    found = (await kinds(town))["malformed"]
    assert "997 rejects our file 1: N4 (segment 6): error 8" in found["cause"]
    assert await where(town, order) != [(1, "released")]


async def test_more_left_than_was_asked_for(town: Town, partner: X12Partner) -> None:
    _, order, asked = await bought(town, ("VASE", 2))
    await heard(town, partner)
    partner.ship(asked, {"VASE": 5})
    await heard(town, partner)
    assert await where(town, order) == [(2, "shipped")]
    assert "3 units more than were open" in (await kinds(town))["shipped_unasked"]["next_step"]


async def test_what_cannot_be_read_is_told_and_holds_up_nothing(town: Town, partner: X12Partner) -> None:
    _, order, asked = await bought(town, ("VASE", 1))
    await heard(town, partner)
    partner.drop("from_partner/1.edi", b"<html><body>502 Bad Gateway</body></html>")
    good = partner.file("945", [("W06", "F", asked)])
    partner.drop("from_partner/2.edi", good.replace(US.encode(), b"SOMEBODY11"))
    partner.drop("from_partner/3.edi", good[: len(good) // 2])
    partner.send("945", [("W06", "F", "PO-1", "", "B-9"), ("W12", "CC", "1", "1", "", "EA", "", "VN", "VASE")])
    partner.ship(asked)
    await heard(town, partner)
    assert await where(town, order) == [(1, "shipped")]
    causes = [row["cause"] for row in await town.house.open_exceptions()]
    assert len(causes) == 4
    for word in ("1.edi: html", "wrong_sender", "no_iea: ", "wms: PO-1"):
        assert sum(word in cause for cause in causes) == 1
    assert [name.partition("-")[2] for name in partner.within("from_partner/error")] == ["1.edi.error.txt", "1.edi"]


async def test_a_cancel_stays_open_until_somebody_says_what_became_of_it(town: Town, partner: X12Partner) -> None:
    placed, order, asked = await bought(town, ("VASE", 1))
    await heard(town, partner)
    town.shop.cancel_order(placed.id)
    await town.settle()
    await heard(town, partner)
    assert partner.orders[asked].cancelled
    assert await town.house.value("SELECT state FROM cancel_request WHERE order_id = $1", order) == "asked"
    partner.ship(asked)
    await heard(town, partner)
    assert await town.house.value("SELECT state FROM cancel_request WHERE order_id = $1", order) == "overtaken"


async def test_a_count_and_a_correction_reach_the_shelf(town: Town, partner: X12Partner) -> None:
    await town.house.run("UPDATE stock_ledger SET true_at = true_at - interval '1 day'")
    now = partner.now()
    partner.now = lambda: now - timedelta(minutes=10)
    partner.count({"VASE": 25, "JAR": 4})
    partner.now = lambda: now - timedelta(minutes=5)
    partner.adjust("VASE", -3)
    partner.now = lambda: now
    await heard(town, partner)
    south = await town.house.value("SELECT id FROM node WHERE code = 'SOUTH'")
    assert (await town.stock("VASE", south))[0] == 22
    assert (await town.stock("JAR", south))[0] == 4


async def test_numbers_are_given_once_and_kept(town: Town, partner: X12Partner) -> None:
    numbers = StoredNumbers(town.house.parts.database, 77)
    taken = await asyncio.gather(*(numbers.take("x12", f"key {n % 5}") for n in range(20)))
    assert sorted({one.number for one in taken}) == [1, 2, 3, 4, 5]
    assert all(one == taken[n % 5] for n, one in enumerate(taken))
    assert await numbers.holder("x12", taken[2].number) == "key 2"
    assert await numbers.holder("x12", 6) is None
    assert (await numbers.take("other", "key 2")).number == 1


async def test_a_transfer_is_advised_by_a_943_and_closed_by_its_944(
    town: Town, counter: Counter, partner: X12Partner
) -> None:
    order = await town.transfer(counter, "SOUTH", 6)
    partner.work()
    (reference,) = partner.advices
    assert reference == f"{order}-1"
    assert [(line.sku, line.quantity) for line in partner.advices[reference].lines] == [("PASS", 6)]
    south = await town.house.value("SELECT id FROM node WHERE code = 'SOUTH'")
    stock = "SELECT sellable, in_transit FROM stock WHERE item_id = $1 AND node_id = $2"
    assert [tuple(row.values()) for row in await town.house.rows(stock, town.items["PASS"], south)] == [(0, 6)]
    partner.receive(reference, damaged={"PASS": 1})
    await heard(town, partner)
    assert [tuple(row.values()) for row in await town.house.rows(stock, town.items["PASS"], south)] == [(5, 0)]
    assert await town.house.value("SELECT state FROM customer_order WHERE id = $1", order) == "closed"
    assert list(await kinds(town)) == ["transfer_lost"]


async def test_lots_that_the_warehouse_names_are_kept_with_the_parcel_and_shown(
    town: Town, counter: Counter, partner: X12Partner
) -> None:
    _, order, asked = await bought(town, ("VASE", 3))
    await heard(town, partner)
    lines = [
        ("LX", "1"),
        ("MAN", "CP", "1Z999AA10123456784"),
        *(("W12", "CC", str(n), str(n), "", "EA", "", "VN", "VASE", lot) for n, lot in ((1, "L-7"), (2, "L-8"))),
    ]
    partner.send("945", [("W06", "F", asked, "20260116", "BOL-1"), *lines, ("W03", "3", "3", "LB")])
    await heard(town, partner)
    assert await where(town, order) == [(3, "shipped")]
    found = await counter.ok("GET", f"/orders/{order}")
    (parcel,) = found["fulfilments"][0]["shipments"][0]["parcels"]
    assert [(line["sku"], line["quantity"], line["lot"]) for line in parcel["lines"]] == [
        ("VASE", 1, "L-7"),
        ("VASE", 2, "L-8"),
    ]
