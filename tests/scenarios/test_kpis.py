"""Key figures, each against a small world whose figure was computed by hand, and the rows that it is made of."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.domain.facts import FulfilmentRefused, GoodsShipped
from hub.domain.money import Amounts, AmountSet
from hub.domain.shipping import Label, Parcel, TrackingStatus
from hub.store.kpis import COLUMNS, KPIS
from tests.scenarios.counter import Counter
from tests.scenarios.direct import direct
from tests.scenarios.sold import scanned
from tests.scenarios.test_backorders import activate
from tests.scenarios.town import Town


def ago(**how_long: float) -> datetime:
    return datetime.now(UTC) - timedelta(**how_long)


async def leave(town: Town, order: dict[str, Any], no: int = 1, at: datetime | None = None) -> str:
    """All of a fulfilment order leaves; the tracking number."""
    name = f"{order['id']}-{no}"
    box = Parcel(tracking=f"T-{name}", carrier="ups")
    told = GoodsShipped(at=at or datetime.now(UTC), fulfilment=name, shipment=f"s-{name}", parcels=(box,))
    await town.house.hear("depot", told)
    return f"T-{name}"


async def arrive(town: Town, tracking: str) -> None:
    await town.house.hear("depot", scanned(tracking, TrackingStatus.DELIVERED), subject=f"parcel:{tracking}")


async def figure(counter: Counter, name: str, query: str = "") -> tuple[str | None, int, int]:
    """(value, numerator, denominator)."""
    found = await counter.ok("GET", f"/kpis/{name}{query}")
    value = found["value"]
    return (None if value is None else f"{float(value):.4f}", found["numerator"], found["denominator"])


async def parts(counter: Counter, name: str, by: str) -> dict[str, tuple[int, int]]:
    found = await counter.ok("GET", f"/kpis/{name}?by={by}")
    return {part["key"]: (part["numerator"], part["denominator"]) for part in found["parts"]}


async def orders(counter: Counter, name: str, query: str = "") -> list[str]:
    return [row["order"] for row in (await counter.ok("GET", f"/kpis/{name}/rows{query}"))["items"]]


async def test_fill_rate_counts_what_left_against_what_there_was_no_stock_for(town: Town, counter: Counter) -> None:
    full = await direct(town, "full", ("PASS", 6))
    await leave(town, full)
    missing = await direct(town, "missing", ("PASS", 2))
    await counter.ok("POST", f"/orders/{missing['id']}/cancel", {"reason": "out_of_stock"})
    changed = await direct(town, "changed", ("PASS", 5))
    await counter.ok("POST", f"/orders/{changed['id']}/cancel", {"reason": "changed mind"})
    await direct(town, "open", ("PASS", 1))
    await town.settle()
    # 6 left; 2 had no stock; 5 nobody wanted and 1 is under way: 6 / 8.
    assert await figure(counter, "fill_rate") == ("0.7500", 6, 8)
    assert await parts(counter, "fill_rate", "item") == {"PASS": (6, 8)}
    assert sorted(await orders(counter, "fill_rate")) == sorted([full["id"], missing["id"]])
    assert await orders(counter, "fill_rate", "?counted=true") == [full["id"]]


async def test_cancelled_units_by_reason_add_up(town: Town, counter: Counter) -> None:
    await leave(town, await direct(town, "kept", ("PASS", 5)))
    for name, units, reason in (("one", 2, "Customer"), ("two", 1, "customer"), ("three", 2, "fraud")):
        order = await direct(town, name, ("PASS", units))
        await counter.ok("POST", f"/orders/{order['id']}/cancel", {"reason": reason})
    await town.settle()
    # 5 of 10 units: 3 by the customer, 2 for fraud, each of all 10.
    assert await figure(counter, "cancel_rate") == ("0.5000", 5, 10)
    found = await parts(counter, "cancel_rate", "reason")
    assert (found["customer"], found["fraud"], found[""]) == ((3, 10), (2, 10), (0, 10))
    assert len(await orders(counter, "cancel_rate", "?by=reason&key=customer")) == 2


async def test_oversold_are_units_that_wait_for_stock_or_never_got_it(town: Town, counter: Counter) -> None:
    await town.goods("RARE", east=1)
    waits = await direct(town, "waits", ("RARE", 3))
    gone = await direct(town, "gone", ("PASS", 2))
    await counter.ok("POST", f"/orders/{gone['id']}/cancel", {"reason": "inventory"})
    await direct(town, "fine", ("PASS", 5))
    held = await town.slices(waits["id"])
    short = sum(units for units, state, _ in held if state == "unallocated")
    assert short in (2, 3), "as the policy splits or not"
    assert await figure(counter, "oversell") == (f"{(short + 2) / 10:.4f}", short + 2, 10)
    assert sorted(await orders(counter, "oversell", "?counted=true")) == sorted([waits["id"], gone["id"]])


async def test_a_split_group_left_from_two_nodes(town: Town, counter: Counter) -> None:
    await town.goods("HERE", east=5)
    await town.goods("THERE", west=5)
    split = await direct(town, "split", ("HERE", 1), ("THERE", 1))
    assert len(await town.fulfilments(split["id"])) == 2
    await leave(town, split, 1)
    assert await figure(counter, "split_rate") == ("0.0000", 0, 1), "one parcel so far"
    await leave(town, split, 2)
    for name in ("a", "b", "c"):
        await leave(town, await direct(town, name, ("PASS", 2)))
    assert await figure(counter, "split_rate") == ("0.2500", 1, 4)
    assert await orders(counter, "split_rate", "?counted=true") == [split["id"]]


async def test_refusals_are_counted_at_the_node_that_refused(town: Town, counter: Counter) -> None:
    await town.goods("BOTH", east=9, west=9)
    order = await direct(town, "refused", ("BOTH", 1))
    (first,) = await town.fulfilments(order["id"])
    told = FulfilmentRefused(at=datetime.now(UTC), fulfilment=f"{order['id']}-1", reason="too busy")
    await town.house.hear("depot", told)
    both = await town.fulfilments(order["id"])
    assert [row["handoff"] for row in both] == ["refused", "accepted"]
    names = {town.east: "EAST", town.west: "WEST"}
    assert await figure(counter, "refusal_rate") == ("0.5000", 1, 2)
    assert await parts(counter, "refusal_rate", "node") == {
        names[first["node_id"]]: (1, 1),
        names[both[1]["node_id"]]: (0, 1),
    }


async def test_returns_by_item_are_shares_of_the_item_and_by_reason_of_all(town: Town, counter: Counter) -> None:
    await town.goods("SHOE", east=20)
    shoes, hats = await direct(town, "shoes", ("SHOE", 4)), await direct(town, "hats", ("PASS", 6))
    for order in (shoes, hats):
        await leave(town, order)
    for order, sku, units, reason in ((shoes, "SHOE", 2, "size"), (hats, "PASS", 1, "damaged")):
        lines = [{"sku": sku, "quantity": units, "reason": reason}]
        made = await counter.ok("POST", "/returns", {"order": order["id"], "lines": lines})
        assert (await figure(counter, "return_rate", "?by=item"))[1] == (0 if order is shoes else 2), "announced only"
        await counter.ok("POST", f"/returns/{made['id']}/receive", {"node": "EAST"})
    # 3 of 10 sold units: 2 of 4 shoes, 1 of 6 of the other; by reason of all 10.
    assert await figure(counter, "return_rate") == ("0.3000", 3, 10)
    assert await parts(counter, "return_rate", "item") == {"SHOE": (2, 4), "PASS": (1, 6)}
    found = await parts(counter, "return_rate", "reason")
    assert (found["size"], found["damaged"]) == ((2, 10), (1, 10))
    assert await orders(counter, "return_rate", "?by=reason&key=size") == [shoes["id"]]


async def test_on_time_is_what_the_customer_had_by_the_promised_date(town: Town, counter: Counter) -> None:
    soon, past = datetime.now(UTC) + timedelta(days=1), ago(hours=1)
    early = await direct(town, "early", ("PASS", 1), deliver_by=soon)
    await arrive(town, await leave(town, early))
    late = await direct(town, "late", ("PASS", 1), deliver_by=past)
    await arrive(town, await leave(town, late))
    lost = await direct(town, "lost", ("PASS", 1), deliver_by=past)
    await leave(town, lost)
    under_way = await direct(town, "under way", ("PASS", 1), deliver_by=soon)
    await leave(town, under_way)
    await leave(town, await direct(town, "no promise", ("PASS", 1)))
    # Early was, late and lost were not; the fourth may still be, the fifth was promised nothing.
    assert await figure(counter, "on_time") == ("0.3333", 1, 3)
    found = await parts(counter, "on_time", "reason")
    assert (found["late"], found["not delivered"]) == ((0, 3), (0, 3))
    assert await orders(counter, "on_time", "?by=reason&key=late") == [late["id"]]


async def test_dispatch_is_measured_against_the_nodes_ship_by(town: Town, counter: Counter) -> None:
    good = await direct(town, "good", ("PASS", 1))
    await leave(town, good)
    bad = await direct(town, "bad", ("PASS", 1))
    await leave(town, bad)
    await direct(town, "waits", ("PASS", 1))
    await town.house.run("UPDATE fulfilment_order SET ship_by = now() + interval '1 day'")
    await town.house.run("UPDATE fulfilment_order SET ship_by = $2 WHERE order_id = $1", bad["id"], ago(hours=2))
    # One left in time, one late; the third has a day yet.
    assert await figure(counter, "on_time_dispatch") == ("0.5000", 1, 2)
    assert await parts(counter, "on_time_dispatch", "node") == {"EAST": (1, 2)}


async def test_a_perfect_order_is_complete_in_time_and_right(town: Town, counter: Counter) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    perfect = await direct(town, "perfect", ("PASS", 1), deliver_by=soon)
    await arrive(town, await leave(town, perfect))
    late = await direct(town, "late", ("PASS", 1), deliver_by=ago(hours=1))
    await arrive(town, await leave(town, late))
    broken = await direct(town, "broken", ("PASS", 1), deliver_by=soon)
    await arrive(town, await leave(town, broken))
    lines = [{"sku": "PASS", "quantity": 1, "reason": "damaged"}]
    await counter.ok("POST", "/returns", {"order": broken["id"], "lines": lines})
    part = await direct(town, "part", ("PASS", 3))
    await counter.ok("POST", f"/orders/{part['id']}/cancel", {"reason": "shortage", "lines": {"PASS": 1}})
    await town.settle()
    for row in await town.fulfilments(part["id"]):
        if row["handoff"] == "accepted":
            await leave(town, part, row["no"])
    assert await figure(counter, "perfect_order") == ("0.2500", 1, 4)
    found = await parts(counter, "perfect_order", "reason")
    assert found == {"": (1, 4), "late": (0, 4), "not right": (0, 4), "incomplete": (0, 4)}
    assert await orders(counter, "perfect_order", "?counted=true") == [perfect["id"]]


async def test_times_run_from_the_placing_of_the_order(town: Town, counter: Counter) -> None:
    placed = ago(hours=10)
    one = await direct(town, "one", ("PASS", 1), placed_at=placed)
    two = await direct(town, "two", ("PASS", 1), placed_at=placed)
    await leave(town, one, at=placed + timedelta(hours=2))
    await leave(town, two, at=placed + timedelta(hours=5))
    # (2 h + 5 h) / 2 shipments.
    assert await figure(counter, "order_to_ship") == ("12600.0000", 25200, 2)
    await town.house.run("UPDATE fulfilment_order SET created_at = $2 WHERE order_id = $1", one["id"], placed)
    seconds = timedelta(seconds=90)
    await town.house.run("UPDATE fulfilment_order SET created_at = $2 WHERE order_id = $1", two["id"], placed + seconds)
    assert await figure(counter, "order_to_node") == ("45.0000", 90, 2)


async def test_cost_is_that_of_the_last_decision_and_postage_is_weighed_against_revenue(
    town: Town, counter: Counter
) -> None:
    money = AmountSet(shop=Amounts(currency="USD", subtotal=9000, discount=500, shipping=500, tax=1000))
    one = await direct(town, "one", ("PASS", 1), amounts=money)
    await direct(town, "two", ("PASS", 1), amounts=money)
    await town.house.run("UPDATE decision SET cost = 700000, policy = 'p' WHERE order_id = $1", one["id"])
    await town.house.run("UPDATE decision SET cost = 100000, policy = 'p' WHERE order_id <> $1", one["id"])
    # 7.00 and 1.00 of two orders: 400 minor units each.
    assert await figure(counter, "cost_per_order") == ("400.0000", 800000, 2)

    label = Label(external_id="l", tracking="T", carrier="ups", service="ground", amount=850)
    sql = "INSERT INTO label VALUES ($1, $2, $3, 'T', $4, now(), $5)"
    document = msgspec.json.encode(label).decode()
    await town.house.run(sql, one["id"], 1, "l-1", document, None)
    await town.house.run(sql, one["id"], 2, "l-2", document, ago(hours=1))
    # 8.50 of postage, the other label is void, of 100.00.
    assert await figure(counter, "shipping_share") == ("0.0850", 850, 10000)
    assert await orders(counter, "shipping_share") == [one["id"]]


async def test_a_period_takes_in_its_first_moment_and_not_its_last(town: Town, counter: Counter) -> None:
    for name, day in (("a", 1), ("b", 2), ("c", 3)):
        placed = datetime(2026, 3, day, tzinfo=UTC)
        await leave(town, await direct(town, name, ("PASS", day), placed_at=placed))
    period = "?from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z"
    assert await figure(counter, "fill_rate", period) == ("1.0000", 3, 3)
    assert await parts(counter, "fill_rate", "day") == {
        "2026-03-01": (1, 1),
        "2026-03-02": (2, 2),
        "2026-03-03": (3, 3),
    }
    first = await counter.ok("GET", f"/kpis/fill_rate/rows{period}&limit=1")
    second = await counter.ok("GET", f"/kpis/fill_rate/rows{period}&limit=1&cursor={first['next']}")
    assert [row["numerator"] for row in first["items"] + second["items"]] == [2, 1]
    assert second["next"] is None
    assert await figure(counter, "fill_rate", "?from=2027-01-01T00:00:00Z") == (None, 0, 0)


async def test_test_orders_and_other_merchants_are_not_counted(town: Town, counter: Counter) -> None:
    await leave(town, await direct(town, "real", ("PASS", 1)))
    await direct(town, "test", ("PASS", 9), test=True)
    assert await figure(counter, "cancel_rate") == ("0.0000", 0, 1)
    await town.house.run("INSERT INTO merchant VALUES ('other', 'Other')")
    await town.house.run("UPDATE customer_order SET merchant = 'other'")
    assert await figure(counter, "cancel_rate") == (None, 0, 0)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/kpis/luck", None),
        ("/kpis/fill_rate?by=node", "by"),
        ("/kpis/fill_rate?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"),
        ("/kpis/fill_rate?from=2026-03-02T00:00:00", "from"),
        ("/kpis/fill_rate/rows?by=item", "by"),
        ("/kpis/fill_rate/rows?cursor=x", "cursor"),
    ],
)
async def test_what_cannot_be_asked_is_said_so(counter: Counter, path: str, told: str | None) -> None:
    problem = await counter.refused("GET", path)
    assert problem["status"] == (404 if told is None else 422)
    assert told is None or problem["errors"][0]["parameter"] == told


async def test_every_figure_has_a_definition_and_a_view_of_the_same_columns(town: Town, counter: Counter) -> None:
    listed = (await counter.ok("GET", "/kpis"))["items"]
    assert [one["name"] for one in listed] == list(KPIS)
    assert all(len(one["definition"]) > 60 for one in listed)
    for kpi in KPIS.values():
        columns = await town.house.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
            kpi.view,
        )
        assert tuple(row["column_name"] for row in columns) == COLUMNS, kpi.name
        for by in kpi.by:
            await counter.ok("GET", f"/kpis/{kpi.name}?by={by}")


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ('remainder = "backorder"\ncancel_after_days = 5', "backorder_expired"),
        ('remainder = "cancel"\ncancel_after_days = 5', "backorder_expired"),
        ('remainder = "cancel"\ncancel_after_days = 0', "out_of_stock"),
    ],
)
async def test_what_the_hub_itself_cancels_was_wanting(town: Town, counter: Counter, rule: str, word: str) -> None:
    await activate(counter, rule)
    await town.goods("LAMP")
    await direct(town, "waits", ("LAMP", 3), placed_at=ago(days=6))
    await town.settle()
    assert await parts(counter, "cancel_rate", "reason") == {word: (3, 3)}
    assert await figure(counter, "fill_rate") == ("0.0000", 0, 3)
    assert await figure(counter, "oversell") == ("1.0000", 3, 3)
