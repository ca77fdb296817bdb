"""Parcels by the clock: never scanned, standing still, not delivered, turned round. Told once, closed by a scan."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.shipping import TrackingStatus
from hub.store.parcels import watch_parcels
from tests.scenarios.test_facts import scanned, shipped
from tests.scenarios.town import Town

FOLLOWED = (
    "INSERT INTO effect (id, made_on, merchant, connection_id, subject, key, kind, order_id, document, created_at) "
    "VALUES (-1, now(), 'default', 'depot', $1, 'k', 'TrackParcels', $1, '{}', now())"
)


async def watch(town: Town, days: float) -> list[str]:
    """Look at the parcels so many days from now, twice; kinds of what is open then."""
    for _ in range(2):
        async with town.house.parts.database.transaction() as connection:
            await watch_parcels(connection, datetime.now(UTC) + timedelta(days=days))
    found = await town.house.open_exceptions()
    assert all(row["count"] == 1 for row in found), "told once"
    return [row["kind"] for row in found]


async def test_a_parcel_that_no_carrier_has_seen_is_told_after_three_days(town: Town) -> None:
    _, order = await town.buy([("PASS", 1)])
    await town.house.hear("depot", shipped(order))
    assert await watch(town, 4) == [], "nobody was asked to follow it"
    await town.house.run(FOLLOWED, order["id"])
    assert await watch(town, 2) == []
    assert await watch(town, 4) == ["parcel_unscanned"]
    assert (await town.trouble())["cause"].startswith("ups from EAST, left on 20")
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.IN_TRANSIT))
    assert await watch(town, 4) == []


async def test_a_parcel_that_stands_still_is_told_after_a_week(town: Town) -> None:
    _, order = await town.buy([("PASS", 1)])
    await town.house.hear("depot", shipped(order))
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.IN_TRANSIT))
    assert await watch(town, 6) == []
    assert await watch(town, 8) == ["parcel_stuck"]
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.IN_TRANSIT, datetime.now(UTC) + timedelta(days=7)))
    assert await watch(town, 8) == [], "the same word again is news"
    await town.house.hear("depot", scanned("T-s-1", TrackingStatus.DELIVERED))
    assert await watch(town, 30) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(TrackingStatus.FAILED, "parcel_failed"), (TrackingStatus.RETURN_TO_SENDER, "parcel_returned")],
)
async def test_a_parcel_that_was_not_delivered_is_told_until_a_person_has_seen_to_it(
    town: Town, status: TrackingStatus, kind: str
) -> None:
    _, order = await town.buy([("PASS", 1)])
    await town.house.hear("depot", shipped(order))
    await town.house.hear("depot", scanned("T-s-1", status))
    assert kind in await watch(town, 0)
    await town.house.run("UPDATE exception SET closed_at = now(), closed_by = 'ann'")
    assert kind not in await watch(town, 1)
    assert kind not in await watch(town, 90)
