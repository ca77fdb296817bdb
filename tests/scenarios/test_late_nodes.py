"""Nodes by the clock: what should have left and has not is told once, and no longer when it is gone."""

from datetime import UTC, datetime, timedelta

from hub.domain.facts import FulfilmentAccepted
from hub.store.late_nodes import watch_nodes
from tests.scenarios.test_facts import shipped
from tests.scenarios.town import Town

WAITING = (
    "SELECT e.cause, e.kind, count(*) AS orders FROM exception e JOIN exception_waiter w ON w.exception_id = e.id "
    "WHERE e.closed_at IS NULL GROUP BY 1, 2"
)


async def watch(town: Town, later: timedelta) -> list[str]:
    """Look at the nodes so long after the last ship-by time, twice; nodes that are late then, with their orders."""
    due = await town.house.value("SELECT max(ship_by) FROM fulfilment_order")
    for _ in range(2):
        async with town.house.parts.database.transaction() as connection:
            await watch_nodes(connection, due + later)
    found = await town.house.rows(WAITING)
    assert {row["kind"] for row in found} <= {"node_late"}
    return [f"{row['cause'].split(':')[0]} {row['orders']}" for row in found]


async def test_what_a_node_has_not_sent_in_time_is_told_until_it_has_left(town: Town) -> None:
    _, first = await town.buy([("PASS", 1)])
    _, second = await town.buy([("PASS", 1)])
    await town.house.hear("depot", FulfilmentAccepted(fulfilment=f"{first['id']}-1", at=datetime.now(UTC)))
    assert await watch(town, timedelta(hours=11)) == [], "the night's report may bring it"
    assert await watch(town, timedelta(hours=13)) == ["EAST 2"]
    await town.house.hear("depot", shipped(first, name="s-1"))
    assert await watch(town, timedelta(hours=13)) == ["EAST 1"]
    await town.house.hear("depot", shipped(second, name="s-2"))
    assert await watch(town, timedelta(days=3)) == []


async def test_what_a_person_has_closed_is_not_told_again(town: Town) -> None:
    await town.buy([("PASS", 1)])
    assert await watch(town, timedelta(days=1)) == ["EAST 1"]
    await town.house.run("UPDATE exception SET closed_at = now(), closed_by = 'ann'")
    assert await watch(town, timedelta(days=2)) == []
