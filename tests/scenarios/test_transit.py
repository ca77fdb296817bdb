"""Parcels that arrive are counted by lane and service, and move what is promised where the rules say so."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.domain.facts import GoodsShipped
from hub.domain.shipping import Parcel, TrackingStatus
from tests.scenarios.counter import Counter
from tests.scenarios.test_facts import fulfilment, scanned
from tests.scenarios.test_promises import PORTLAND, ask
from tests.scenarios.town import Town

RULES = """
version = "with-history-{moves}"
unnamed = "standard"
[history]
moves = "{moves}"
parcels = 3
[[service]]
name = "standard"
also_called = ["Standard"]
carrier = {{ weekdays = [0, 1, 2, 3, 4, 5, 6] }}
band = [{{ days = 5 }}]
[timezones]
US = "America/Los_Angeles"
"""


async def arrive(town: Town, number: int, days: int) -> None:
    """A parcel from the west that took so many days, told twice by its carrier."""
    _, order = await town.buy([("MUG", 1)], ship_to=PORTLAND)
    left = datetime.now(UTC).replace(hour=20) - timedelta(days=20 + number)
    box = Parcel(tracking=f"T-{number}", carrier="ups", service="Ground")
    await town.house.hear(
        "depot", GoodsShipped(at=left, fulfilment=fulfilment(order), shipment=f"s-{number}", parcels=(box,))
    )
    for _ in range(2):
        await town.house.hear("depot", scanned(f"T-{number}", TrackingStatus.DELIVERED, left + timedelta(days=days)))


@pytest.mark.parametrize(("moves", "days"), [("never", 5), ("later", 8), ("both", 8)])
async def test_slow_parcels_make_the_next_promise_later(town: Town, counter: Counter, moves: str, days: int) -> None:
    await town.goods("MUG", west=20)
    made = await counter.ok("POST", "/policies", {"kind": "promise", "text": RULES.format(moves=moves)})
    await counter.ok("POST", f"/policies/{made['id']}/activate")
    for number in range(3):
        await arrive(town, number, 8)
    rows = await town.house.rows("SELECT * FROM transit ORDER BY shipped_on")
    assert [(row["node_id"], row["country"], row["service"], row["parcels"]) for row in rows] == [
        (town.west, "US", "standard", 1)
    ] * 3
    assert {(row["carrier"], row["carrier_service"]) for row in rows} == {("ups", "Ground")}
    assert {(row["delivered_on"] - row["shipped_on"]).days for row in rows} == {8}
    assert await _days(town) == 5, "what arrived today counts from tomorrow on"
    town.house.parts.configuration._learned_on = None if moves == "never" else date(2020, 1, 1)
    assert await _days(town) == days


async def _days(town: Town) -> int:
    """Days from leaving to arriving that are promised."""
    promised: dict[str, Any] = await ask(town, ("MUG", 1))
    (option,) = promised["options"]
    there = ZoneInfo("America/Los_Angeles")
    leaves, arrives = (datetime.fromisoformat(option[name]).astimezone(there) for name in ("ship_by", "deliver_by"))
    return (arrives.date() - leaves.date()).days
