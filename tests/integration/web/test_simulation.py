"""Policies tried on recorded history, and decisions explained."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from hub.registry import rule_text
from hub.web.api import simulation
from tests.integration.web.conftest import Site, pointers
from tests.integration.web.test_policies import version

TEXT = rule_text("routing", "default")
GERMANY = {"BER": (52.5, 13.4), "MUC": (48.1, 11.6)}
BERLIN = {"country": "DE", "latitude": 52.5, "longitude": 13.4}


@pytest.fixture
async def shop(site: Site) -> Site:
    """Two nodes with two units each of a mug; a lamp in Munich only."""
    await site.ok("POST", "/items", {"items": [{"sku": "MUG"}, {"sku": "LAMP"}]})
    for code, (latitude, longitude) in GERMANY.items():
        await site.ok("PUT", f"/nodes/{code}", {"kind": "dc", "latitude": latitude, "longitude": longitude})
    lines = [("BER", "MUG", 2), ("MUC", "MUG", 2), ("MUC", "LAMP", 9)]
    rows = [{"node": node, "sku": sku, "on_hand": units} for node, sku, units in lines]
    await site.ok("PUT", "/stock", {"kind": "count", "lines": rows})
    return site


async def buy(shop: Site, name: str, *lines: tuple[str, int]) -> dict[str, Any]:
    """An order to Berlin."""
    rows = [{"external_id": str(n), "sku": sku, "quantity": units} for n, (sku, units) in enumerate(lines)]
    contact = {"name": "Ann Example", "lines": ["Street 1"], "city": "Berlin", **BERLIN}
    body = {"external_id": name, "currency": "EUR", "lines": rows, "contacts": {"ship": contact}}
    order: dict[str, Any] = await shop.ok("POST", "/orders", body)
    return order


NEAREST = version("nearest", parcel_cost="0")
FROM_MUNICH = version("munich", per_km="0") + '\nnode_groups = { south = ["MUC"] }\nuse_groups = ["south"]\n'


async def test_a_replay_reproduces_every_stored_decision_byte_for_byte(shop: Site) -> None:
    for number in range(5):
        await buy(shop, f"o{number}", ("MUG", 1), ("LAMP", 1))
    report = await shop.ok("POST", "/policies/simulate", {"replay": True})
    assert report["complete"] is True
    assert (report["decisions"], report["orders"], report["changed"]) == (5, 5, 0)
    assert report["replayed"] == {"identical": 5}
    assert report["before"] == report["after"]
    assert (report["odd"], report["failed"], report["draft"]) == ([], [], None)


async def test_a_replay_uses_the_version_that_was_live(shop: Site) -> None:
    await buy(shop, "o1", ("MUG", 1))
    kept = await shop.ok("POST", "/policies", {"text": FROM_MUNICH})
    await shop.ok("POST", f"/policies/{kept['id']}/activate")
    await buy(shop, "o2", ("MUG", 1))
    report = await shop.ok("POST", "/policies/simulate", {"replay": True})
    assert report["replayed"] == {"identical": 2}
    assert {load["node"]: load["parcels_after"] for load in report["nodes"]} == {"BER": 1, "MUC": 1}


async def test_a_tampered_decision_and_a_lost_policy_are_named(shop: Site) -> None:
    first = await buy(shop, "o1", ("MUG", 1))
    kept = await shop.ok("POST", "/policies", {"text": FROM_MUNICH})
    await shop.ok("POST", f"/policies/{kept['id']}/activate")
    second = await buy(shop, "o2", ("MUG", 1))
    await shop.sql(
        "UPDATE decision SET document = convert_to(replace(convert_from(document, 'UTF8'), "
        "'\"proven\":true', '\"proven\":false'), 'UTF8') WHERE order_id = $1",
        first["id"],
    )
    await shop.sql("DELETE FROM policy")
    report = await shop.ok("POST", "/policies/simulate", {"replay": True})
    assert report["replayed"] == {"different": 1, "no_policy": 1}
    named = {odd["order"]: odd["parity"] for odd in report["odd"]}
    assert named == {first["id"]: "different", second["id"]: "no_policy"}


async def test_before_and_after_order_by_order_without_effect(shop: Site) -> None:
    orders = [await buy(shop, f"o{number}", ("MUG", 1)) for number in range(2)]
    before = await shop.ok("GET", "/orders")
    stock = await shop.ok("GET", "/stock")
    kept = await shop.ok("POST", "/policies", {"text": FROM_MUNICH})
    report = await shop.ok("POST", "/policies/simulate", {"policy": kept["id"]})
    assert (report["draft"], report["mode"], report["changed"]) == ("munich", "as_recorded", 2)
    assert [moved["order"] for moved in report["moved"]] == [order["id"] for order in orders]
    assert (report["moved"][0]["before"], report["moved"][0]["after"]) == ({"BER": 1}, {"MUC": 1})
    assert report["before"]["parcels_per_order"] == report["after"]["parcels_per_order"] == 1
    assert report["before"]["measure"]["km"] == 0
    assert report["after"]["measure"]["km"] > 900
    assert report["after"]["measure"]["cost"] > report["before"]["measure"]["cost"]
    assert report["after"]["measure"]["cost_by_draft"] == report["before"]["measure"]["cost_by_draft"]
    assert await shop.ok("GET", "/orders") == before
    assert await shop.ok("GET", "/stock") == stock


async def test_carried_a_policy_lives_with_what_it_took(shop: Site) -> None:
    """Munich has two mugs: the third order cannot come from there when the first two did."""
    for number in range(3):
        await buy(shop, f"o{number}", ("MUG", 1))
    recorded = await shop.ok("POST", "/policies/simulate", {"text": FROM_MUNICH})
    carried = await shop.ok("POST", "/policies/simulate", {"text": FROM_MUNICH, "mode": "carried"})
    assert (recorded["after"]["unfilled"], carried["after"]["unfilled"]) == (0, 1)


async def test_cancelled_units_come_back_in_the_world_that_is_carried(shop: Site) -> None:
    first = await buy(shop, "o0", ("MUG", 2))
    await shop.ok("POST", f"/orders/{first['id']}/cancel")
    await buy(shop, "o1", ("MUG", 2))
    carried = await shop.ok("POST", "/policies/simulate", {"text": FROM_MUNICH, "mode": "carried"})
    assert carried["after"]["unfilled"] == 0
    assert [moved["after"] for moved in carried["moved"]] == [{"MUC": 2}, {"MUC": 2}]


async def test_a_stretch_by_time_connection_and_number(shop: Site) -> None:
    for number in range(3):
        await buy(shop, f"o{number}", ("LAMP", 1))
    moments = [row["at"] for row in await shop.sql("SELECT at FROM decision ORDER BY at")]
    body: dict[str, Any] = {"replay": True, "since": moments[1].isoformat(), "until": moments[2].isoformat()}
    assert (await shop.ok("POST", "/policies/simulate", body))["decisions"] == 1
    del body["until"]
    assert (await shop.ok("POST", "/policies/simulate", body))["decisions"] == 2
    newest = await shop.ok("POST", "/policies/simulate", {"replay": True, "limit": 1})
    assert newest["since"] == newest["until"]
    assert newest["decisions"] == 1
    assert (await shop.ok("POST", "/policies/simulate", {"replay": True, "connection": "x"}))["decisions"] == 0


async def test_where_returns_went_is_no_routing(shop: Site) -> None:
    order = await buy(shop, "o1", ("MUG", 1))
    await shop.sql(
        "INSERT INTO decision SELECT order_id, no + 1, 'return 1', at, 'returns:default', engine, cost, gap, proven, "
        "input, document FROM decision WHERE order_id = $1",
        order["id"],
    )
    for body in ({"replay": True}, {"replay": True, "since": "2020-01-01T00:00:00Z"}):
        assert (await shop.ok("POST", "/policies/simulate", body))["replayed"] == {"identical": 1}


async def test_input_that_names_no_policy_or_no_time(shop: Site) -> None:
    path = "/policies/simulate"
    assert pointers(await shop.refused(422, "POST", path, {})) == [""]
    assert pointers(await shop.refused(422, "POST", path, {"text": TEXT, "replay": True})) == [""]
    assert pointers(await shop.refused(422, "POST", path, {"text": "x"})) == ["/text"]
    await shop.refused(404, "POST", path, {"policy": "99"})
    times = {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    assert pointers(await shop.refused(422, "POST", path, {"replay": True} | times)) == ["/until"]
    assert pointers(await shop.refused(422, "POST", path, {"replay": True, "limit": 100_000})) == ["/limit"]
    await shop.refused(403, "POST", path, {"replay": True}, role="viewer")


async def multiply(shop: Site, times: int) -> None:
    """Repeat the only decision under other order ids."""
    await shop.sql(
        "INSERT INTO customer_order SELECT id || '-' || n, merchant, account_id, connection_id, "
        "external_id || '-' || n, number, state, currency, placed_at, version, revision, acting, test, created_at "
        "FROM customer_order, generate_series(2, $1) n",
        times,
    )
    await shop.sql(
        "INSERT INTO decision SELECT order_id || '-' || n, no, group_key, at, policy, engine, cost, gap, proven, "
        "input, document FROM decision, generate_series(2, $1) n",
        times,
    )


async def test_the_loop_goes_on_while_a_simulation_runs(shop: Site) -> None:
    await buy(shop, "o0", ("MUG", 1), ("LAMP", 1))
    await multiply(shop, 600)
    lags: list[float] = []
    running = asyncio.create_task(shop.ok("POST", "/policies/simulate", {"text": FROM_MUNICH, "limit": 5000}))
    while not running.done():
        began = time.perf_counter()
        await asyncio.sleep(0.002)
        lags.append(time.perf_counter() - began - 0.002)
    assert (await running)["decisions"] == 600
    assert len(lags) > 20
    assert sorted(lags)[int(len(lags) * 0.95)] < 0.05


async def test_one_simulation_at_a_time_and_only_for_so_long(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await buy(shop, "o0", ("MUG", 1))
    await multiply(shop, 60)
    async with shop.services.simulating:
        problem = await shop.refused(409, "POST", "/policies/simulate", {"replay": True})
    assert problem["type"].endswith("simulation-running")
    monkeypatch.setattr(simulation, "SLICE", 25)
    monkeypatch.setattr(simulation, "PATIENCE", timedelta(0))
    report = await shop.ok("POST", "/policies/simulate", {"replay": True})
    assert (report["complete"], report["decisions"]) == (False, 25)


async def test_a_decision_tells_fences_costs_and_what_would_have_changed_it(shop: Site) -> None:
    order = await buy(shop, "o1", ("MUG", 2))
    await shop.sql("UPDATE node SET enabled = false WHERE code = 'BER'")
    other = await buy(shop, "o2", ("MUG", 1))
    (decision,) = (await shop.ok("GET", f"/orders/{order['id']}/decisions"))["items"]
    assert decision["note"] is None
    (parcel,) = decision["plan"]["parcels"]
    assert (parcel["node"], parcel["km"], parcel["cost"]) == ("BER", 0, decision["plan"]["cost"])
    assert sum(term["cost"] for term in parcel["terms"]) == parcel["cost"]
    munich = next(row for row in decision["candidates"] if row["node"] == "MUC")
    assert munich["more"] == decision["runner_up"]["cost"] - decision["plan"]["cost"] > 0
    assert all(fence["passed"] for fence in munich["fences"])
    flips = {flip["change"]: flip for flip in decision["flips"]}
    assert flips["less_stock"]["units"] == {"1": 1}
    assert flips["less_stock"]["text"] == "If BER held 1 fewer of MUG, MUC would send."
    assert (flips["dearer"]["node"], flips["dearer"]["nodes"]) == ("BER", ["MUC"])
    assert munich["more"] <= flips["dearer"]["amount"] <= munich["more"] + 1
    (second,) = (await shop.ok("GET", f"/orders/{other['id']}/decisions"))["items"]
    shut = next(row for row in second["candidates"] if row["node"] == "BER")
    assert [fence for fence in shut["fences"] if not fence["passed"]] == [
        {"fence": "enabled", "passed": False, "seen": "off", "wanted": "on", "demand": None}
    ]


async def test_a_decision_whose_policy_is_gone_is_shown_without_its_costs(shop: Site) -> None:
    kept = await shop.ok("POST", "/policies", {"text": FROM_MUNICH})
    await shop.ok("POST", f"/policies/{kept['id']}/activate")
    order = await buy(shop, "o1", ("MUG", 1))
    await shop.sql("DELETE FROM policy")
    (decision,) = (await shop.ok("GET", f"/orders/{order['id']}/decisions"))["items"]
    assert "munich" in decision["note"]
    assert decision["sentence"] is None
    assert decision["plan"]["assignments"][0]["node"] == "MUC"
    assert {row["node"]: row["reason"] for row in decision["candidates"]} == {"BER": "outside_fence", "MUC": "chosen"}
