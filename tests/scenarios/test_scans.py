"""Carriers' scans are their merchant's: another's say nothing of a parcel of that number. And they are forgotten."""

from datetime import UTC, datetime, timedelta

from hub.domain.shipping import TrackingStatus
from tests.scenarios.test_facts import scanned, shipped
from tests.scenarios.test_parcels import watch
from tests.scenarios.test_privacy import redact
from tests.scenarios.town import Town

SCAN = (
    "INSERT INTO scan (merchant, tracking, carrier, at, status, raw, place) "
    "VALUES ($1, $2, 'ups', $3, 'in_transit', 'DEPARTED', 'Gera')"
)


async def scans(town: Town) -> list[tuple[str, str]]:
    """Whose, and of which parcel."""
    rows = await town.house.rows("SELECT merchant, tracking FROM scan ORDER BY merchant, tracking")
    return [(row["merchant"], row["tracking"]) for row in rows]


async def test_another_merchants_parcel_of_the_same_number_moves_none_of_ours(town: Town) -> None:
    _, order = await town.buy([("PASS", 1)])
    await town.house.hear("depot", shipped(order))
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.IN_TRANSIT))
    await town.house.run(SCAN, "other", "T-s-1", datetime.now(UTC) + timedelta(days=7))
    assert await scans(town) == [("default", "T-s-1"), ("other", "T-s-1")]
    assert await watch(town, 8) == ["parcel_stuck"]


async def test_scans_of_orders_that_are_over_are_forgotten_with_the_people(town: Town) -> None:
    placed, order = await town.buy([("PASS", 1)])
    await town.house.hear("depot", shipped(order))
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.DELIVERED))
    await town.house.run(SCAN, "other", "T-s-1", datetime.now(UTC))
    _, other = await town.buy([("PASS", 1)])
    await town.house.run(
        "INSERT INTO parcel (order_id, shipment_no, no, tracking, status, status_at) "
        "VALUES ($1, 9, 1, 'T-s-1', 'delivered', now())", other["id"],
    )  # fmt: skip
    await redact(town, placed)
    assert await scans(town) == [("default", "T-s-1"), ("other", "T-s-1")], "somebody else's goods are in it, too"
    await town.house.run("DELETE FROM parcel WHERE shipment_no = 9")
    await redact(town, placed)
    assert await scans(town) == [("other", "T-s-1")]


async def test_scans_are_kept_no_longer_than_messages_or_a_watched_parcel(town: Town) -> None:
    for days in (10, 80, 100):
        await town.house.run(SCAN, "default", f"T-{days}", datetime.now(UTC) - timedelta(days=days))
    await town.house.worker.sweeper.sweep()
    assert await scans(town) == [("default", "T-10"), ("default", "T-80")]
