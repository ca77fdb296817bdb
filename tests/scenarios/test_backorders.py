"""What no node has is promised what is expected, served when it comes, and told when it comes later."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.scenarios.counter import Counter, open_counter
from tests.scenarios.town import Town

_versions = count(1)

TODAY = datetime.now(UTC).date()
SOON, LATER, LATEST = (TODAY + timedelta(days=days) for days in (10, 20, 30))


@pytest.fixture
async def counter(town: Town) -> AsyncIterator[Counter]:
    """The API of the town's hub, under a policy that backorders."""
    made = await open_counter(town.house)
    await activate(made, 'remainder = "backorder"')
    yield made
    await made.client.aclose()


async def activate(counter: Counter, text: str) -> None:
    """Keep and activate a policy."""
    kept = await counter.ok("POST", "/policies", {"text": f'version = "backorders-{next(_versions)}"\n{text}'})
    await counter.ok("POST", f"/policies/{kept['id']}/activate")


async def expect(counter: Counter, reference: str, quantity: int, due: date, **more: Any) -> None:
    """State what is expected at EAST."""
    body = {"reference": reference, "node": "EAST", "sku": "LAMP", "quantity": quantity, "due": due.isoformat(), **more}
    await counter.ok("PUT", "/supply", body)


async def receive(counter: Counter, units: int, reference: str | None = None, sku: str = "LAMP") -> None:
    """Goods come in at EAST. No worker runs: what happens happens in the transaction that receives."""
    line = {"node": "EAST", "sku": sku, "delta": units} | ({"supply": reference} if reference else {})
    await counter.ok("PUT", "/stock", {"kind": "delta", "source": "dock", "lines": [line]})


async def order_of(town: Town, units: int, sku: str = "LAMP", **how: Any) -> str:
    """The id of a new order."""
    _, order = await town.buy([(sku, units)], **how)
    return str(order["id"])


async def promises(town: Town, order: str) -> list[tuple[int, str | None, date | None]]:
    """(units, supply, day) of what is backordered, by day."""
    rows = await town.house.rows(
        "SELECT s.quantity, u.reference, s.promised_at FROM slice s LEFT JOIN supply u ON u.id = s.supply "
        "WHERE s.order_id = $1 AND s.state = 'backordered' ORDER BY s.promised_at, s.no",
        order,
    )
    return [(r["quantity"], r["reference"], r["promised_at"] and r["promised_at"].date()) for r in rows]


async def promised(town: Town) -> dict[str, tuple[int, int]]:
    """(expected, promised) by reference."""
    rows = await town.house.rows("SELECT reference, quantity, promised FROM supply")
    return {row["reference"]: (row["quantity"], row["promised"]) for row in rows}


async def said(town: Town, order: str, kind: str) -> list[str]:
    """Details of an order's moments of a kind."""
    sql = "SELECT detail FROM timeline WHERE order_id = $1 AND kind = $2 ORDER BY id"
    return [row["detail"] for row in await town.house.rows(sql, order, kind)]


async def states(town: Town, order: str) -> dict[str, int]:
    """Units by state."""
    found: dict[str, int] = {}
    for units, state, _ in await town.slices(order):
        found[state] = found.get(state, 0) + units
    return found


async def test_what_no_node_has_is_promised_the_earliest_supply_and_nobody_has_to_help(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP", east=1)
    await expect(counter, "PO-2", 9, LATER)
    await expect(counter, "PO-1", 3, SOON)
    order = await order_of(town, 6)
    assert await states(town, order) == {"accepted": 1, "backordered": 5}
    assert await promises(town, order) == [(3, "PO-1", SOON), (2, "PO-2", LATER)]
    assert await promised(town) == {"PO-1": (3, 3), "PO-2": (9, 2)}
    assert await town.waiting() == [("backordered", f"item:{town.items['LAMP']}")]
    assert await town.house.open_exceptions() == []
    (first, second) = await said(town, order, "promised")
    assert "3 units" in first
    assert "supply PO-1" in first
    assert "2 units" in second
    assert "supply PO-2" in second


async def test_a_supply_is_promised_to_its_trusted_part_and_the_rest_is_a_shortage(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 10, SOON, confidence=50)
    first, second = await order_of(town, 4), await order_of(town, 3)
    assert await promises(town, first) == [(4, "PO-1", SOON)]
    assert await promises(town, second) == [(1, "PO-1", SOON), (2, None, None)]
    assert await promised(town) == {"PO-1": (10, 5)}
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["shortage"]
    await expect(counter, "PO-2", 2, LATER)
    assert await promises(town, second) == [(1, "PO-1", SOON), (2, "PO-2", LATER)]
    assert await town.house.open_exceptions() == []


async def test_goods_are_served_by_priority_then_promise_in_the_transaction_that_receives_them(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 2, SOON)
    early = await order_of(town, 2)
    await expect(counter, "PO-2", 9, LATER)
    late = await order_of(town, 2)
    urgent = await order_of(town, 2, tags=("priority:0",))
    assert await promises(town, late) == [(2, "PO-2", LATER)]
    await receive(counter, 3, "PO-2")
    assert await states(town, urgent) == {"released": 2}
    assert await states(town, early) == {"released": 1, "backordered": 1}
    assert await states(town, late) == {"backordered": 2}
    assert await town.stock("LAMP", town.east) == (3, 3)
    # What PO-1 no longer owes to the order that came first is free for whoever waits longest.
    assert await promised(town) == {"PO-1": (2, 1), "PO-2": (6, 2)}


async def test_goods_that_come_under_another_name_than_promised_leave_no_promise_without_cover(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 2, SOON)
    first = await order_of(town, 2)
    urgent = await order_of(town, 2, tags=("priority:0",))
    await expect(counter, "PO-2", 5, LATEST)
    assert await promises(town, urgent) == [(2, "PO-2", LATEST)]
    await receive(counter, 2, "PO-1")
    assert await states(town, urgent) == {"released": 2}
    assert await promises(town, first) == [(2, "PO-2", LATEST)]
    assert await promised(town) == {"PO-2": (5, 2)}
    (moved,) = await said(town, first, "promise_moved")
    assert SOON.isoformat() in moved
    assert LATEST.isoformat() in moved
    assert "not expected any more" in moved


async def test_supply_that_comes_later_is_promised_anew_and_told_with_both_days_and_the_cause(
    town: Town, counter: Counter
) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 5, SOON)
    order = await order_of(town, 2)
    await expect(counter, "PO-1", 5, LATER)
    assert await promises(town, order) == [(2, "PO-1", LATER)]
    (moved,) = await said(town, order, "promise_moved")
    assert SOON.isoformat() in moved
    assert f"PO-1 is due on {LATER.isoformat()} now" in moved
    await expect(counter, "PO-1", 5, LATER)
    assert len(await said(town, order, "promise_moved")) == 1


async def test_a_supply_that_shrinks_is_given_up_by_the_least_urgent(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 6, SOON)
    ordinary = await order_of(town, 3)
    urgent = await order_of(town, 3, tags=("priority:1",))
    await expect(counter, "PO-1", 4, SOON)
    assert await promises(town, urgent) == [(3, "PO-1", SOON)]
    assert await promises(town, ordinary) == [(1, "PO-1", SOON), (2, None, None)]
    assert await promised(town) == {"PO-1": (4, 4)}
    (moved,) = await said(town, ordinary, "promise_moved")
    assert "no day known" in moved
    assert "PO-1 does not cover it any more" in moved
    assert [row["kind"] for row in await town.house.open_exceptions()] == ["shortage"]


async def test_a_supply_that_is_called_off_leaves_no_day_and_a_shortage(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 6, SOON)
    order = await order_of(town, 3)
    await expect(counter, "PO-1", 0, SOON)
    assert await promises(town, order) == [(3, None, None)]
    assert await town.waiting() == [("shortage", f"item:{town.items['LAMP']}")]
    (found,) = await town.house.open_exceptions()
    assert found["kind"] == "shortage"


async def test_overdue_supply_is_no_promise_any_more(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 6, SOON)
    order = await order_of(town, 3)
    await town.house.run("UPDATE supply SET due = $1", TODAY - timedelta(days=1))
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert await promises(town, order) == [(3, None, None)]
    (moved,) = await said(town, order, "promise_moved")
    assert "PO-1 is overdue" in moved
    assert await promised(town) == {"PO-1": (6, 0)}


async def test_who_cancels_lets_go_of_supply_for_the_next(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    await expect(counter, "PO-1", 2, SOON)
    first, second = await order_of(town, 2), await order_of(town, 2)
    assert await promises(town, second) == [(2, None, None)]
    await counter.ok("POST", f"/orders/{first}/cancel", {"reason": "changed his mind"})
    await town.settle()
    assert await promises(town, second) == [(2, "PO-1", SOON)]
    assert await promised(town) == {"PO-1": (2, 2)}


async def test_what_nothing_covers_is_cancelled_when_its_days_are_over_and_what_is_promised_is_not(
    town: Town, counter: Counter
) -> None:
    await activate(counter, 'remainder = "backorder"\ncancel_after_days = 5')
    await town.goods("LAMP")
    await expect(counter, "PO-1", 2, SOON)
    kept, waited = await order_of(town, 2), await order_of(town, 2)
    await town.house.run("UPDATE customer_order SET placed_at = now() - interval '6 days'")
    await town.house.run("UPDATE waiting SET due_at = now()")
    await town.settle()
    assert await promises(town, kept) == [(2, "PO-1", SOON)]
    assert await states(town, waited) == {}


async def test_a_day_of_an_allowance_is_the_promise_where_no_supply_is_known(town: Town, counter: Counter) -> None:
    await town.goods("LAMP")
    ships = {"sku": "LAMP", "kind": "backorder", "units": 50, "ships_on": LATER.isoformat()}
    await counter.ok("PUT", "/allowances", ships)
    order = await order_of(town, 2)
    assert await promises(town, order) == [(2, None, LATER)]
    assert await town.house.open_exceptions() == []
    await counter.ok("PUT", "/allowances", ships | {"ships_on": LATEST.isoformat()})
    await town.settle()
    assert await promises(town, order) == [(2, None, LATEST)]
    (moved,) = await said(town, order, "promise_moved")
    assert LATER.isoformat() in moved
    await expect(counter, "PO-1", 2, SOON)
    assert await promises(town, order) == [(2, "PO-1", SOON)]
