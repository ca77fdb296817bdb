"""What a source may report through the API, and what is refused with the ledger untouched."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.web.conftest import Site, now, pointers


@pytest.fixture
async def shelf(site: Site) -> Site:
    """A node with ten of A, whose cases hold twelve, and a kit of it."""
    items = [
        {"sku": "A", "conversions": {"case": 12}},
        {"sku": "B"},
        {"sku": "KIT", "components": [{"sku": "A", "quantity": 2}]},
    ]
    await site.ok("POST", "/items", {"items": items})
    await site.ok("PUT", "/nodes/BER", {"kind": "dc"})
    await site.ok("PUT", "/nodes/HAM", {"kind": "dc"})
    await site.ok("PUT", "/stock", {"kind": "snapshot", "lines": [line("A", on_hand=10), line("B", on_hand=4)]})
    return site


def line(sku: str, node: str = "BER", **figures: Any) -> dict[str, Any]:
    return {"node": node, "sku": sku} | figures


async def on_hand(site: Site) -> dict[str, int]:
    return {row["sku"]: row["on_hand"] for row in (await site.ok("GET", "/stock?node=BER"))["items"]}


async def test_cases(shelf: Site) -> None:
    body = {"kind": "count", "lines": [line("A", on_hand=3, unit="case")]}
    assert (await shelf.ok("PUT", "/stock", body))["items"][0]["on_hand"] == 36
    body = {"kind": "delta", "lines": [line("A", delta=-1, unit="case")]}
    assert (await shelf.ok("PUT", "/stock", body))["items"][0]["on_hand"] == 24


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"lines": [line("A", on_hand=1, unit="pallet")]}, ["/lines/0/unit"]),
        ({"lines": [line("KIT", on_hand=1)]}, ["/lines/0/sku"]),
        ({"lines": [line("A", on_hand=-1)]}, ["/lines/0/on_hand"]),
        ({"lines": [line("A", on_hand=1, supply="PO")]}, ["/lines/0/supply"]),
        ({"lines": [line("A", on_hand=1, lot="1"), line("A", on_hand=1, lot="1")]}, ["/lines/1"]),
        ({"as_of": "2099-01-01T00:00:00Z"}, ["/as_of"]),
        ({"lines": [line("NONE", "NONE", on_hand=1)]}, ["/lines/0/node", "/lines/0/sku"]),
        ({"source": "till"}, ["/kind"]),
    ],
)
async def test_a_report_with_a_fault_leaves_the_ledger_alone(
    shelf: Site, change: dict[str, Any], found: list[str]
) -> None:
    await shelf.ok("PUT", "/stock-sources", {"source": "till", "kinds": ["delta"]})
    before = await shelf.sql("SELECT count(*) AS entries FROM stock_ledger")
    body = {"kind": "snapshot", "lines": [line("A", on_hand=99)]} | change
    assert pointers(await shelf.refused(422, "PUT", "/stock", body)) == found
    assert await shelf.sql("SELECT count(*) AS entries FROM stock_ledger") == before
    assert await on_hand(shelf) == {"A": 10, "B": 4}


async def test_a_report_under_the_same_reference_counts_once(shelf: Site) -> None:
    body = {"source": "till", "reference": "Z-17", "kind": "delta", "lines": [line("A", delta=-3)]}
    assert (await shelf.ok("PUT", "/stock", body))["items"][0]["on_hand"] == 7
    problem = await shelf.refused(409, "PUT", "/stock", body)
    assert problem["type"] == "urn:crossdock:problem:already-counted"
    assert await on_hand(shelf) == {"A": 7, "B": 4}
    await shelf.ok("PUT", "/stock", body | {"source": "other"})
    assert await on_hand(shelf) == {"A": 4, "B": 4}


async def test_a_reference_of_a_refused_report_may_be_used_again(shelf: Site) -> None:
    body = {"source": "till", "reference": "Z-17", "kind": "delta", "lines": [line("NONE", delta=-3)]}
    await shelf.refused(422, "PUT", "/stock", body)
    await shelf.ok("PUT", "/stock", body | {"lines": [line("A", delta=-3)]})
    assert (await on_hand(shelf))["A"] == 7


async def test_what_a_complete_snapshot_does_not_list_is_not_there(shelf: Site) -> None:
    await shelf.ok("PUT", "/stock", {"kind": "count", "lines": [line("B", "HAM", on_hand=9)]})
    body = {"kind": "snapshot", "complete": True, "lines": [line("A", on_hand=8)]}
    await shelf.ok("PUT", "/stock", body)
    assert await on_hand(shelf) == {"A": 8, "B": 0}
    assert (await shelf.ok("GET", "/stock?node=HAM"))["items"][0]["on_hand"] == 9


async def test_sources_are_declared_and_listed(shelf: Site) -> None:
    rows = [
        {"source": "wms", "kinds": ["snapshot", "count"], "subtracts": "own_open_orders", "largest_drop": 80},
        {"source": "till", "kinds": ["delta"]},
    ]
    await shelf.ok("PUT", "/stock-sources", {"items": rows})
    listed = (await shelf.ok("GET", "/stock-sources"))["items"]
    assert listed == [
        {"source": "till", "kinds": ["delta"], "subtracts": "nothing", "largest_drop": 50},
        {"source": "wms", "kinds": ["count", "snapshot"], "subtracts": "own_open_orders", "largest_drop": 80},
    ]
    first = await shelf.ok("GET", "/stock-sources?limit=1")
    assert (await shelf.ok("GET", f"/stock-sources?cursor={first['next']}"))["items"] == listed[1:]
    assert pointers(await shelf.refused(422, "PUT", "/stock-sources", {"source": "x", "kinds": []})) == ["/kinds"]


async def test_goods_that_come_in_are_expected_no_longer(shelf: Site) -> None:
    row = {"reference": "PO-1", "node": "BER", "sku": "A", "quantity": 30, "due": "2027-01-01"}
    await shelf.ok("PUT", "/supply", row)
    body = {"kind": "delta", "lines": [line("A", delta=1, unit="case", supply="PO-1")]}
    await shelf.ok("PUT", "/stock", body)
    assert (await shelf.ok("GET", "/supply"))["items"][0]["quantity"] == 18
    await shelf.ok("PUT", "/stock", {"kind": "delta", "lines": [line("A", delta=99, supply="PO-1")]})
    assert (await shelf.ok("GET", "/supply"))["items"] == []


async def test_the_waterfall_with_terms_nodes_and_dates(shelf: Site) -> None:
    await shelf.connect(shop="acme")
    point = {
        "account": "acme",
        "external_location": "L1",
        "nodes": ["BER", "HAM"],
        "buffer": 1,
        "buffer_percent": 25,
        "supply_days": 10,
    }
    (made,) = (await shelf.ok("PUT", "/stock-points", point))["items"]
    assert (made["buffer_percent"], made["oversell_ppm"], made["supply_days"]) == (25, None, 10)
    await shelf.ok("PUT", "/stock", {"kind": "count", "lines": [line("A", "HAM", on_hand=3, safety=1)]})
    today = now().date()
    soon, late = (today + timedelta(days=5)).isoformat(), (today + timedelta(days=20)).isoformat()
    for reference, due in (("PO-1", soon), ("PO-2", late)):
        await shelf.ok("PUT", "/supply", {"reference": reference, "node": "BER", "sku": "A", "quantity": 7, "due": due})
    allowance = {"sku": "A", "kind": "backorder", "units": 2, "ships_on": late}
    await shelf.ok(
        "PUT", "/allowances", {"items": [allowance, allowance | {"kind": "preorder", "until": "2020-01-01"}]}
    )
    found = await shelf.ok("GET", "/ats?sku=A&channel=acme")
    assert {step["name"]: step["quantity"] for step in found["steps"] if step["quantity"]} == {
        "on_hand": 13,
        "safety": -1,
        "buffer": -3,
        "supply": 7,
        "backorder_allowance": 2,
    }
    assert found["available"] == 18
    assert [(row["node"], row["on_hand"], row["safety"], row["available"]) for row in found["nodes"]] == [
        ("BER", 10, 0, 10),
        ("HAM", 3, 1, 2),
    ]
    assert found["dates"] == [
        {"quantity": 9, "on": None, "source": "stock"},
        {"quantity": 7, "on": soon, "source": "supply"},
        {"quantity": 2, "on": late, "source": "backorder"},
    ]
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 14
    kit = await shelf.ok("GET", "/ats?sku=KIT&channel=acme")
    assert (kit["available"], kit["nodes"]) == (19 // 2 - 3, [])


async def test_a_channels_own_allowance_goes_before_everybodys(shelf: Site) -> None:
    await shelf.connect(shop="acme")
    await shelf.ok("PUT", "/allowances", {"sku": "A", "kind": "preorder", "units": 5})
    await shelf.ok("PUT", "/allowances", {"sku": "A", "kind": "preorder", "units": 1, "channel": "acme"})
    assert (await shelf.ok("GET", "/ats?sku=A"))["available"] == 15
    assert (await shelf.ok("GET", "/ats?sku=A&channel=acme"))["available"] == 11
    assert [row["channel"] for row in (await shelf.ok("GET", "/allowances?sku=A"))["items"]] == [None, "acme"]
    await shelf.ok("PUT", "/allowances", {"sku": "A", "kind": "preorder", "units": 0, "channel": "acme"})
    assert (await shelf.ok("GET", "/ats?sku=A&channel=acme"))["available"] == 15
    bad = {"sku": "NONE", "kind": "preorder", "units": 1, "since": "2027-01-02", "until": "2027-01-01"}
    assert pointers(await shelf.refused(422, "PUT", "/allowances", bad)) == ["/sku", "/until"]


async def test_a_computed_buffer_follows_delay_and_demand(shelf: Site) -> None:
    link = await shelf.connect(shop="acme")
    point = {"account": "acme", "external_location": "L1", "nodes": ["BER"], "oversell_ppm": 10_000}
    await shelf.ok("PUT", "/stock-points", point)
    assert (await shelf.ok("GET", "/ats?sku=A&channel=acme"))["available"] == 10
    await shelf.sql("INSERT INTO demand_rate VALUES (1, 1440, now())")
    await shelf.sql("INSERT INTO publishing_delay VALUES ($1, 60000, now())", link["id"])
    # One unit a minute, a minute's delay: with one unit expected, four are exceeded in 0.4 % of all cases.
    assert (await shelf.ok("GET", "/ats?sku=A&channel=acme"))["available"] == 6
    await shelf.sql("UPDATE publishing_delay SET delay_ms = 1000")
    assert (await shelf.ok("GET", "/ats?sku=A&channel=acme"))["available"] == 9


async def test_a_resync_of_nobody_is_no_work_and_bad_names_are_told(shelf: Site) -> None:
    await shelf.connect(shop="acme")
    assert await shelf.ok("POST", "/ats/resync", {}) == {"levels": 0}
    body = {"channel": "none"}
    assert pointers(await shelf.refused(422, "POST", "/ats/resync", body)) == ["/channel"]
    assert pointers(await shelf.refused(422, "POST", "/ats/resync", {"skus": ["A", "NONE"]})) == ["/skus/1"]
    await shelf.refused(403, "POST", "/ats/resync", {}, role="viewer")
