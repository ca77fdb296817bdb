"""Whose word counts: a merchant's own partners', and of a fulfilment order only those who have to do with it."""

import hashlib
from datetime import UTC, datetime
from itertools import count

import pytest

from hub.domain.facts import AnyFact, FulfilmentRefused, GoodsShipped, ParcelScanned
from hub.domain.shipping import Parcel, ScanEvent, TrackingStatus
from hub.flow.normalise import FACTS_TOPIC, encode_facts
from hub.sdk.adapter import Lane
from hub.store.inbox import Arrival, store_arrivals
from tests.scenarios.town import Town

_numbers = count(1)


def left(order: str) -> GoodsShipped:
    """All of an order's first fulfilment order left in one parcel."""
    box = Parcel(tracking="T-1", carrier="ups")
    return GoodsShipped(at=datetime.now(UTC), fulfilment=f"{order}-1", shipment="s-1", parcels=(box,))


def delivered() -> ParcelScanned:
    """A carrier delivered a parcel of that number."""
    at = datetime.now(UTC)
    event = ScanEvent(at=at, status=TrackingStatus.DELIVERED, raw="delivered")
    return ParcelScanned(at=at, tracking="T-1", carrier="ups", event=event)


async def other_merchant_hears(town: Town, fact: AnyFact) -> None:
    """A partner of somebody else in this install says something."""
    await town.house.run("INSERT INTO merchant (id, name) VALUES ('other', 'Other') ON CONFLICT DO NOTHING")
    account = await town.house.value(
        "INSERT INTO account (merchant, adapter, name) VALUES ('other', 'shiphero', 'theirs') "
        "ON CONFLICT (merchant, adapter, name) DO UPDATE SET name = EXCLUDED.name RETURNING id"
    )
    body, now = encode_facts([fact]), datetime.now(UTC)
    arrival = Arrival(
        account=account,
        key=f"theirs:{next(_numbers)}",
        hash=hashlib.blake2b(body, digest_size=16).digest(),
        merchant="other",
        connection="theirs",
        topic=FACTS_TOPIC,
        object=None,
        lane=Lane.FACTS.value,
        received_at=now,
        headers=None,
        body=body,
    )
    async with town.house.parts.database.transaction() as link:
        await store_arrivals(link, [arrival], now)
    await town.house.path()


async def second_depot(town: Town) -> None:
    """Another partner of the same merchant."""
    await town.house.connect(
        "barn",
        "shiphero",
        {"account": "barn", "username": "u", "password": "p", "webhook_secret": "whs", "base_url": town.depot.base_url},
    )


@pytest.mark.parametrize("known", [True, False])
async def test_a_scan_is_of_its_merchants_parcels_only(town: Town, known: bool) -> None:
    _, order = await town.buy([("PASS", 2)])
    await town.house.hear("depot", left(order["id"]))
    await other_merchant_hears(town, delivered())
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]
    assert await town.house.value("SELECT count(*) FROM scan") == 0
    assert await town.house.value("SELECT tries FROM inbox") == 1, "as of a parcel that nobody knows: it waits for it"
    if known:
        await town.house.hear("depot", delivered(), deliver=False)
        await town.house.path()
        assert await town.slices(order["id"]) == [(2, "delivered", town.east)]


@pytest.mark.parametrize("what", ["shipped", "refused"])
async def test_a_fact_of_another_merchants_partner_is_about_nothing(town: Town, what: str) -> None:
    _, order = await town.buy([("PASS", 2)])
    refused = FulfilmentRefused(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", reason="no")
    await other_merchant_hears(town, left(order["id"]) if what == "shipped" else refused)
    found = await town.trouble()
    assert (found["merchant"], found["kind"]) == ("other", "unknown_fulfilment")
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]
    assert await town.house.value("SELECT parked FROM inbox")


async def test_a_partner_speaks_of_its_own_fulfilment_orders_only(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    await second_depot(town)
    await town.house.hear("barn", left(order["id"]), deliver=False)
    await town.house.path()
    assert (await town.trouble())["kind"] == "unknown_fulfilment"
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]


async def test_a_partner_with_another_part_at_the_node_may_speak(town: Town) -> None:
    """Its figures come from one system, its shipments from another."""
    _, order = await town.buy([("PASS", 2)])
    await second_depot(town)
    await town.house.bind(town.east, "barn", "E", role="stock_master")
    await town.house.hear("barn", left(order["id"]), deliver=False)
    await town.house.path()
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]


async def test_a_successor_speaks_for_its_predecessor(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    await town.house.run("UPDATE connection SET enabled = false WHERE id = 'depot'")
    config = {"username": "u", "password": "p", "webhook_secret": "whs", "base_url": town.depot.base_url}
    await town.house.connect("again", "shiphero", {"account": "depot", **config})
    await town.house.hear("again", left(order["id"]), deliver=False)
    await town.house.path()
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]
