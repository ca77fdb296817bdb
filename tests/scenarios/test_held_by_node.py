"""A warehouse holds an order itself: people are told, nothing moves, and it is over when it goes on or lets go."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.facts import CancelConfirmed, FulfilmentHeld, FulfilmentRefused
from tests.scenarios.counter import Counter
from tests.scenarios.test_changes_by_stage import troubles
from tests.scenarios.town import Town


async def hold(town: Town, order: str, later: int, *holds: str) -> None:
    """The depot holds an order for these alone, so many seconds from now, and is asked for its news."""
    town.depot.now = lambda: datetime.now(UTC) + timedelta(seconds=later)
    town.depot.hold(town.asked(order), *holds)
    await town.house.pull("depot", "status")
    await town.settle()


async def held(town: Town, order: str, *reasons: str, ago: int = 0, node: int = 1) -> None:
    """The depot says what it holds an order for, or did so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    await town.house.hear("depot", FulfilmentHeld(at=at, fulfilment=f"{order}-{node}", reasons=reasons))


async def moments(town: Town, order: str) -> list[str]:
    return [kind for kind in await town.timeline(order) if kind.startswith("node_hold") or kind == "node_held"]


async def closed(town: Town) -> list[dict[str, Any]]:
    rows = await town.house.rows("SELECT kind, closed_by FROM exception WHERE closed_at IS NOT NULL ORDER BY id")
    return [dict(row) for row in rows]


async def shown(counter: Counter, order: str) -> list[str] | None:
    """Reasons for which the order's only fulfilment order is held by its node, as the API shows it."""
    (asked,) = (await counter.ok("GET", f"/orders/{order}"))["fulfilments"]
    return asked["node_hold"] and sorted(asked["node_hold"]["reasons"])


async def test_a_hold_at_the_warehouse_is_told_lifted_and_forgotten_when_it_ships(town: Town, counter: Counter) -> None:
    _, order = await town.buy([("PASS", 2)])
    await hold(town, order["id"], 5, "operator_hold", "address_hold")
    found = await town.trouble()
    assert found["kind"] == "held_by_node"
    assert found["cause"] == f"depot: {order['id']}-1 at EAST, address_hold, operator_hold"
    assert f"POST /api/v1/fulfilment-orders/{order['id']}-1/take-back" in found["next_step"]
    (listed,) = (await counter.ok("GET", f"/exceptions?order={order['id']}"))["items"]
    assert (listed["severity"], listed["waiting"]) == ("high", 1)
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)], "nothing moves by it"
    assert await shown(counter, order["id"]) == ["address_hold", "operator_hold"]

    await hold(town, order["id"], 10)
    assert await shown(counter, order["id"]) is None
    assert (await troubles(town), await closed(town)) == ([], [{"kind": "held_by_node", "closed_by": "cause gone"}])
    assert await moments(town, order["id"]) == ["node_held", "node_hold_lifted"]

    await hold(town, order["id"], 15, "operator_hold", "address_hold")
    assert await troubles(town) == ["held_by_node"], "held as before, and told anew"
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    assert (await troubles(town), await town.slices(order["id"])) == ([], [(2, "shipped", town.east)])
    await held(town, order["id"], "operator_hold")
    assert (await troubles(town), len(await moments(town, order["id"]))) == ([], 3), "stale: it has left"
    await town.house.verify()


async def test_what_was_true_last_counts_in_whatever_order_it_is_told(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    await held(town, order["id"], ago=10)
    await held(town, order["id"], "fraud_hold", ago=20)
    assert (await troubles(town), await moments(town, order["id"])) == ([], [])
    await held(town, order["id"], "fraud_hold", ago=8)
    await held(town, order["id"], "fraud_hold", "payment_hold", ago=5)
    await held(town, order["id"], "payment_hold", "fraud_hold", ago=4)
    await held(town, order["id"], ago=6)
    found = await town.trouble()
    assert found["cause"].endswith(" at EAST, fraud_hold, payment_hold"), "one exception, of what it is held for now"
    assert found["count"] == 1
    assert await moments(town, order["id"]) == ["node_held", "node_held"]


@pytest.mark.parametrize("end", ["refused", "let go", "cancelled", "taken back"])
async def test_a_node_that_has_nothing_of_it_holds_nothing(town: Town, counter: Counter, end: str) -> None:
    await town.goods("MOVE", east=5, west=5)
    _, order = await town.buy([("MOVE", 2)])
    first = f"{order['id']}-1"
    (asked,) = await town.fulfilments(order["id"])
    await held(town, order["id"], "operator_hold")
    assert await troubles(town) == ["held_by_node"]
    now = datetime.now(UTC)
    if end == "refused":
        await town.house.hear("depot", FulfilmentRefused(at=now, fulfilment=first, reason="cannot"))
    elif end == "let go":
        await town.house.hear("depot", CancelConfirmed(at=now, fulfilment=first))
    elif end == "cancelled":
        await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": "customer asked"})
        await town.settle()
    else:
        await counter.ok("POST", f"/fulfilment-orders/{first}/take-back")
        await town.settle()
    assert "held_by_node" not in await troubles(town)
    assert await town.house.value("SELECT node_hold FROM fulfilment_order WHERE no = 1") is None
    live = [node for _, state, node in await town.slices(order["id"]) if state == "accepted"]
    elsewhere = town.west if asked["node_id"] == town.east else town.east
    assert live == ([] if end == "cancelled" else [elsewhere]), "another node sends it"
    await town.house.verify()
