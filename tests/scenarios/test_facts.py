"""What nodes and carriers say: twice, late, too early, too much, of nothing we know. Each fact counts once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.shiphero.simulator_documents import shipment_update
from hub.domain.facts import (
    FactLine,
    FulfilmentAccepted,
    GoodsCollected,
    GoodsShipped,
    ParcelScanned,
    UnitsPacked,
    UnitsPicked,
)
from hub.domain.shipping import Parcel, ParcelLine, ScanEvent, TrackingStatus
from tests.scenarios.town import Town

NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)


def fulfilment(order: dict[str, Any], no: int = 1) -> str:
    return f"{order['id']}-{no}"


def shipped(order: dict[str, Any], units: int | None = None, *, name: str = "s-1", **parcel: Any) -> GoodsShipped:
    """A shipment of units of the first demand, or of all that is left."""
    lines = () if units is None else (ParcelLine(line="1", quantity=units),)
    box = Parcel(tracking=parcel.pop("tracking", f"T-{name}"), carrier="ups", lines=lines, **parcel)
    return GoodsShipped(at=datetime.now(UTC), fulfilment=fulfilment(order), shipment=name, parcels=(box,))


def scanned(tracking: str, status: TrackingStatus, at: datetime | None = None) -> ParcelScanned:
    """A carrier saw a parcel."""
    at = at or datetime.now(UTC)
    return ParcelScanned(
        at=at, tracking=tracking, carrier="ups", event=ScanEvent(at=at, status=status, raw=status.value)
    )


async def parcels(town: Town, order: str) -> list[tuple[str | None, str]]:
    rows = await town.house.rows(
        "SELECT tracking, status FROM parcel WHERE order_id = $1 ORDER BY shipment_no, no", order
    )
    return [(row["tracking"], row["status"]) for row in rows]


async def test_a_shipment_told_twice_counts_once(town: Town) -> None:
    placed, order = await town.buy([("PASS", 4)])
    await town.house.hear("depot", shipped(order, 2, name="s-1"))
    await town.house.hear("depot", shipped(order, 2, name="s-1"))
    assert sorted(await town.slices(order["id"])) == [(2, "accepted", town.east), (2, "shipped", town.east)]
    assert await town.stock("PASS", town.east) == (98, 2)
    assert len(town.shop.fulfilments[placed.id]) == 1
    await town.house.hear("depot", shipped(order, 2, name="s-2"))
    assert (await town.order(placed))["state"] == "closed"
    assert await town.stock("PASS", town.east) == (96, 0)
    assert [sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]] == [2, 2]


async def test_facts_out_of_order_end_where_they_should(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    at = datetime.now(UTC)
    await town.house.hear("depot", shipped(order, 2))
    await town.house.hear("depot", UnitsPacked(at=at, fulfilment=fulfilment(order)))
    await town.house.hear("depot", UnitsPicked(at=at, fulfilment=fulfilment(order)))
    await town.house.hear("depot", FulfilmentAccepted(at=at, fulfilment=fulfilment(order), partner_reference="late"))
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]
    assert (await town.order(placed))["state"] == "closed"
    assert await town.house.open_exceptions() == []


async def test_a_shipment_before_the_node_accepted_is_taken(town: Town) -> None:
    placed = town.shop.place_order([("PASS", 2)])
    await town.shop.delivered()
    await town.house.path()
    order = await town.order(placed)
    assert await town.slices(order["id"]) == [(2, "released", town.east)]
    await town.house.hear("depot", shipped(order, 2), deliver=False)
    await town.house.path()
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]


async def test_picking_and_packing_move_the_units_they_name(town: Town) -> None:
    _, order = await town.buy([("PASS", 5)])
    at = datetime.now(UTC)
    picked = UnitsPicked(at=at, fulfilment=fulfilment(order), lines=(FactLine(quantity=3, line="1"),))
    await town.house.hear("depot", picked)
    assert sorted(await town.slices(order["id"])) == [(2, "accepted", town.east), (3, "picked", town.east)]
    packed = UnitsPacked(at=at, fulfilment=fulfilment(order), lines=(FactLine(quantity=1, sku="PASS"),))
    await town.house.hear("depot", packed)
    assert sum(units for units, state, _ in await town.slices(order["id"]) if state == "packed") == 1
    assert await town.stock("PASS", town.east) == (100, 5)


async def test_more_shipped_than_asked_is_recorded_and_told(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    passer = town.passer_by()
    await town.house.hear("depot", shipped(order, 5))
    await town.settle()
    await town.passed(passer)
    assert await town.slices(order["id"]) == [(2, "shipped", town.east)]
    found = await town.trouble()
    assert found["kind"] == "shipped_unasked"
    assert "3 units" in found["next_step"]
    assert await town.stock("PASS", town.east) == (95, 1), "all five left the shelf, the passer-by's is reserved"


async def test_goods_that_leave_after_everything_left_are_told(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    await town.house.hear("depot", shipped(order, 2, name="s-1"))
    await town.house.hear("depot", shipped(order, 1, name="s-2"))
    assert (await town.trouble())["kind"] == "shipped_unasked"
    assert await town.stock("PASS", town.east) == (97, 0)
    await town.house.hear("depot", shipped(order, 1, name="s-2"))
    assert (await town.stock("PASS", town.east))[0] == 97, "and counted once"


async def test_a_fact_about_nothing_we_made_is_parked_and_told(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    passer = town.passer_by()
    for name in ("01ARZ3NDEKTSV4RRFFQ6-1", f"{order['id']}-9", "what?"):
        told = GoodsShipped(at=NOW, fulfilment=name, shipment="s-1")
        await town.house.hear("depot", told, deliver=False)
    await town.settle()
    await town.passed(passer)
    found = await town.house.open_exceptions()
    assert [row["kind"] for row in found] == ["unknown_fulfilment"] * 3
    assert await town.house.value("SELECT count(*) FROM inbox WHERE parked") == 3
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]


async def test_a_scan_before_its_shipment_waits_for_it(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.IN_TRANSIT), subject="parcel:T-s-1", deliver=False)
    await town.house.path()
    assert await town.house.value("SELECT tries FROM inbox WHERE object = 'parcel:T-s-1'") == 1
    await town.house.hear("depot", shipped(order, 2), deliver=False)
    await town.house.path()
    assert await parcels(town, order["id"]) == [("T-s-1", "pre_transit")]
    await town.house.run("UPDATE inbox SET due_at = now()")
    await town.settle()
    assert await parcels(town, order["id"]) == [("T-s-1", "in_transit")]
    assert await town.house.open_exceptions() == []


async def test_a_scan_that_no_shipment_follows_is_told_in_the_end(town: Town) -> None:
    await town.house.hear("depot", scanned("T-nobody", TrackingStatus.IN_TRANSIT), deliver=False)
    await town.house.path()
    await town.house.run("UPDATE inbox SET due_at = now(), tries = 12")
    await town.settle()
    assert (await town.trouble())["kind"] == "unknown_parcel"
    assert await town.house.value("SELECT parked FROM inbox")


async def test_scans_in_any_order_end_with_the_most_advanced(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    await town.house.hear("depot", shipped(order, 2))
    now = datetime.now(UTC)
    for status, minutes in (
        (TrackingStatus.DELIVERED, 9),
        (TrackingStatus.OUT_FOR_DELIVERY, 5),
        (TrackingStatus.IN_TRANSIT, 1),
        (TrackingStatus.DELIVERED, 9),
    ):
        await town.house.hear("depot", scanned("T-s-1", status, now + timedelta(minutes=minutes)))
    assert await parcels(town, order["id"]) == [("T-s-1", "delivered")]
    assert await town.slices(order["id"]) == [(2, "delivered", town.east)]
    assert await town.house.value("SELECT count(*) FROM scan") == 3, "the same scan is kept once"
    assert (await town.order(placed))["state"] == "closed"


async def test_a_parcel_of_several_delivers_its_own_units(town: Town) -> None:
    _, order = await town.buy([("PASS", 3)])
    await town.house.hear("depot", shipped(order, 1, name="s-1"))
    await town.house.hear("depot", shipped(order, 2, name="s-2"))
    await town.house.hear("depot", scanned("T-s-2", TrackingStatus.DELIVERED))
    states = {state: units for units, state, _ in await town.slices(order["id"])}
    assert states == {"shipped": 1, "delivered": 2}


async def test_goods_without_parcels_leave_all_the_same(town: Town) -> None:
    placed, order = await town.buy([("PASS", 3)])
    await town.house.hear("depot", GoodsShipped(at=datetime.now(UTC), fulfilment=fulfilment(order), shipment="s-1"))
    assert await town.slices(order["id"]) == [(3, "shipped", town.east)]
    assert await parcels(town, order["id"]) == [(None, "pre_transit")]
    assert sum(town.shop.fulfilments[placed.id][0].lines.values()) == 3


async def test_a_shipment_dated_in_the_future_leaves_now(town: Town) -> None:
    _, order = await town.buy([("PASS", 3)])
    ahead = GoodsShipped(at=datetime.now(UTC) + timedelta(days=3), fulfilment=fulfilment(order), shipment="s-1")
    await town.house.hear("depot", ahead)
    assert await town.stock("PASS", town.east) == (97, 0)
    assert await town.house.value("SELECT true_at <= now() FROM stock_ledger WHERE reason = 'dispatch'")


async def test_goods_collected_leave_the_shelf(town: Town) -> None:
    placed, order = await town.buy([("PASS", 3)])
    await town.house.hear("depot", GoodsCollected(at=datetime.now(UTC), fulfilment=fulfilment(order)))
    assert await town.slices(order["id"]) == [(3, "collected", town.east)]
    assert await town.stock("PASS", town.east) == (97, 0)
    assert (await town.order(placed))["state"] == "closed"


@pytest.mark.parametrize("word", ["Pigeon Post", "\x00"])
async def test_an_unknown_carrier_parks_its_shipment_only(town: Town, word: str) -> None:
    _, order = await town.buy([("PASS", 2)])
    _, second = await town.buy([("PASS", 1)])
    depot_order = town.asked(order["id"])
    url, town.depot.hub_url = town.depot.hub_url, None
    made = town.depot.ship(depot_order)
    assert made is not None
    made.carrier = word
    town.depot.hub_url = url
    town.depot.tell(shipment_update(made, "East"))
    town.depot.ship(town.asked(second["id"]))
    await town.settle()
    assert await town.slices(second["id"]) == [(1, "shipped", town.east)]
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]
    found = await town.trouble()
    assert found["kind"] in ("unmapped", "message_failed")
