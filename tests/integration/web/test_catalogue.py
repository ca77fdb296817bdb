"""Items, variants, nodes, stock points."""

from typing import Any

import pytest

from tests.integration.web.conftest import Site, pointers


async def test_an_item_comes_back_as_it_was_put(site: Site) -> None:
    body = {
        "title": "Lamp oil",
        "barcodes": ["4006381333931"],
        "base_unit": "bottle",
        "conversions": {"case": 12},
        "weight_g": 950,
        "dimensions": {"length_mm": 1, "width_mm": 2, "height_mm": 3},
        "class": ["hazmat"],
        "customs": {"hs_code": "2710", "origin_country": "DE", "description": None, "value": {"EUR": "3.50"}},
        "unit_cost": {"EUR": "3.20"},
        "price": {"EUR": "9.90", "JPY": "1600"},
        "ships": True,
        "stock_mode": "tracked",
        "lot_policy": "fefo",
        "safety": 2,
    }
    made = await site.ok("PUT", "/items/OIL", body)
    assert {name: made[name] for name in body} == body
    assert (made["sku"], made["components"], made["kit_version"]) == ("OIL", [], 1)
    assert await site.ok("GET", "/items/OIL") == made
    again = await site.ok("PUT", "/items/OIL", {"class": "cold"})
    assert again["item"] == made["item"]
    assert (again["class"], again["weight_g"], again["barcodes"]) == (["cold"], None, [])


async def test_what_is_counted_keeps_its_base_unit(site: Site) -> None:
    await site.ok("PUT", "/items/OIL", {"base_unit": "bottle", "safety": 2})
    await site.ok("PUT", "/items/OIL", {"base_unit": "can", "safety": 2})
    await site.ok("PUT", "/nodes/EAST", {"name": "East", "kind": "dc"})
    lines = [{"node": "EAST", "sku": "OIL", "on_hand": 24}]
    await site.ok("PUT", "/stock", {"kind": "snapshot", "as_of": "2026-01-01T00:00:00Z", "lines": lines})
    refused = await site.refused(422, "PUT", "/items/OIL", {"title": "Oil"})
    assert pointers(refused) == ["/base_unit"]
    assert "OIL has stock, orders or supply in 'can'" in refused["errors"][0]["detail"]
    kept = await site.ok("PUT", "/items/OIL", {"title": "Oil", "base_unit": "can", "conversions": {"case": 12}})
    assert (kept["title"], kept["base_unit"], kept["safety"]) == ("Oil", "can", 0)


async def test_a_sku_may_hold_what_a_path_cannot(site: Site) -> None:
    for sku, path in (("A/1", "A%2F1"), ("Ä 1", "%C3%84%201"), ("A+1", "A+1"), ("bulk-1", "bulk-1")):
        assert (await site.ok("PUT", f"/items/{path}", {}))["sku"] == sku
        assert (await site.ok("GET", f"/items/{path}"))["sku"] == sku


async def test_search(site: Site) -> None:
    await site.ok(
        "POST", "/items", {"items": [{"sku": "RED-1", "title": "Hat"}, {"sku": "BLUE-1", "barcodes": ["42"]}]}
    )
    for query, found in (("red", ["RED-1"]), ("hat", ["RED-1"]), ("42", ["BLUE-1"]), ("-1", ["BLUE-1", "RED-1"])):
        assert [item["sku"] for item in (await site.ok("GET", f"/items?q={query}"))["items"]] == found


async def test_a_rename_keeps_the_item(site: Site) -> None:
    old = await site.ok("PUT", "/items/OLD", {})
    await site.ok("PUT", "/items/TAKEN", {})
    await site.refused(409, "PUT", "/items/OLD", {"sku": "TAKEN"})
    new = await site.ok("PUT", "/items/OLD", {"sku": "NEW"})
    assert (new["item"], new["sku"]) == (old["item"], "NEW")
    await site.refused(404, "GET", "/items/OLD")
    await site.refused(404, "PUT", "/items/NONE", {"sku": "OTHER"})


async def test_kits(site: Site) -> None:
    await site.ok(
        "POST", "/items", {"items": [{"sku": "KIT", "components": [{"sku": "A", "quantity": 2}]}, {"sku": "A"}]}
    )
    kit = await site.ok("GET", "/items/KIT")
    assert [(part["sku"], part["quantity"]) for part in kit["components"]] == [("A", 2)]
    changed = await site.ok("PUT", "/items/KIT", {"components": [{"sku": "A", "quantity": 3}]})
    assert changed["kit_version"] == 2
    same = await site.ok("PUT", "/items/KIT", {"components": [{"sku": "A", "quantity": 3}], "title": "Kit"})
    assert same["kit_version"] == 2


@pytest.mark.parametrize(
    ("sku", "components", "found"),
    [
        ("KIT2", [{"sku": "NONE"}], ["/components/0/sku"]),
        ("KIT2", [{"sku": "KIT2"}], ["/components/0/sku"]),
        ("KIT2", [{"sku": "A"}, {"sku": "A"}], ["/components/1/sku"]),
        ("KIT2", [{"sku": "KIT"}], ["/components"]),
        ("A", [{"sku": "B"}], ["/components"]),
    ],
)
async def test_kits_that_cannot_be(site: Site, sku: str, components: Any, found: list[str]) -> None:
    await site.ok(
        "POST", "/items", {"items": [{"sku": "A"}, {"sku": "B"}, {"sku": "KIT", "components": [{"sku": "A"}]}]}
    )
    before = await site.ok("GET", "/items")
    assert pointers(await site.refused(422, "PUT", f"/items/{sku}", {"components": components})) == found
    assert await site.ok("GET", "/items") == before


async def test_bulk_is_all_or_nothing(site: Site) -> None:
    rows: list[dict[str, Any]] = [{"sku": "A"}, {"sku": "B", "weight_g": -1}, {"title": "no sku"}, {"sku": "A"}]
    assert pointers(await site.refused(422, "POST", "/items", {"items": rows})) == ["/items/1/weight_g"]
    rows[1] = {"sku": "B"}
    assert pointers(await site.refused(422, "POST", "/items/bulk", {"items": rows})) == ["/items/2/sku"]
    rows[2] = {"sku": "C"}
    assert pointers(await site.refused(422, "POST", "/items", {"items": rows})) == ["/items/3/sku"]
    assert (await site.ok("GET", "/items"))["items"] == []
    made = await site.ok("POST", "/items/bulk", {"items": rows[:3]})
    assert [item["sku"] for item in made["items"]] == ["A", "B", "C"]


async def test_sku_maps(site: Site) -> None:
    await site.connect(shop="acme")
    connection = await site.connect(shop="bazaar")
    item = await site.ok("PUT", "/items/A", {})
    one = await site.ok("PUT", "/sku-maps", {"account": "acme", "external_variant": "77", "item": "A"})
    assert one["items"] == [
        {"account": "acme", "adapter": "corner", "external_variant": "77", "item": item["item"], "sku": "A"}
    ]
    rows = [
        {"account": connection["id"], "external_variant": "8", "item": item["item"]},
        {"account": "corner:bazaar", "external_variant": "9", "item": "A"},
    ]
    await site.ok("PUT", "/sku-maps", {"items": rows})
    assert [row["external_variant"] for row in (await site.ok("GET", "/sku-maps?account=bazaar"))["items"]] == [
        "8",
        "9",
    ]
    await site.ok("PUT", "/sku-maps", {"account": "bazaar", "external_variant": "8", "item": None})
    assert [row["external_variant"] for row in (await site.ok("GET", "/sku-maps"))["items"]] == ["77", "9"]
    problem = await site.refused(
        422, "PUT", "/sku-maps", {"items": [rows[0] | {"account": "nobody"}, rows[1], rows[1] | {"account": ""}]}
    )
    assert pointers(problem) == ["/items/2/account"]
    assert pointers(await site.refused(422, "PUT", "/sku-maps", rows[1] | {"item": "NONE"})) == ["/item"]
    assert (await site.refused(422, "GET", "/sku-maps?account=nobody"))["errors"][0]["parameter"] == "account"


async def test_a_node_comes_back_as_it_was_put(site: Site) -> None:
    connection = await site.connect()
    body = {
        "name": "Berlin",
        "kind": "dc",
        "address": {"lines": ["Hafen 1"], "city": "Berlin", "country": "DE"},
        "latitude": 52.52,
        "longitude": 13.4,
        "timezone": "Europe/Berlin",
        "calendar": {"weekdays": [0, 1, 5], "cut_off": "14:30", "holidays": ["2026-12-25"], "processing_days": 1},
        "capacity_per_day": 0,
        "capabilities": ["ship", "hazmat"],
        "handling_cost": 1500,
        "priority": 3,
        "bindings": [{"role": "fulfil", "connection": connection["id"], "external_location": "L1"}],
    }
    made = await site.ok("PUT", "/nodes/BER", body)
    assert made.pop("enabled") is True
    assert made.pop("code") == "BER"
    assert made["address"]["city"] == "Berlin"
    assert {name: made[name] for name in body if name != "address"} == {k: v for k, v in body.items() if k != "address"}
    kept = await site.ok("PUT", "/nodes/BER", {"kind": "store"})
    assert kept["bindings"] == body["bindings"]
    assert kept["calendar"]["cut_off"] == "16:00"
    assert (await site.ok("PUT", "/nodes/BER", {"kind": "store", "bindings": []}))["bindings"] == []
    directory = await site.services.directory()
    assert [node.code for node in directory.nodes.values()] == ["BER"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"kind": "castle"}, ["/kind"]),
        ({"timezone": "Mars/Olympus"}, ["/timezone"]),
        ({"timezone": "../../etc/passwd"}, ["/timezone"]),
        ({"calendar": {"weekdays": [7], "cut_off": "25:00", "holidays": ["soon"]}}, None),
        ({"calendar": {"weekdays": []}}, ["/calendar/weekdays"]),
        ({"capacity_per_day": -1}, ["/capacity_per_day"]),
        ({"latitude": 91, "longitude": 0}, ["/latitude"]),
        ({"latitude": 1}, ["/latitude"]),
        ({"address": {"country": "Germany"}}, ["/address/country"]),
        ({"code": "OTHER"}, ["/code"]),
        ({"bindings": [{"role": "fulfil", "connection": "none"}]}, ["/bindings/0/connection"]),
        ({"bindings": [{"role": "king", "connection": "none"}]}, ["/bindings/0/role"]),
        (
            {"bindings": [{"role": "fulfil", "connection": "a"}, {"role": "fulfil", "connection": "b"}]},
            ["/bindings/1/role"],
        ),
    ],
)
async def test_nodes_that_cannot_be(site: Site, change: dict[str, Any], found: list[str] | None) -> None:
    problem = await site.refused(422, "PUT", "/nodes/BER", {"kind": "dc"} | change)
    wanted = found or ["/calendar/cut_off", "/calendar/holidays/0", "/calendar/weekdays/0"]
    assert pointers(problem) == wanted
    assert (await site.ok("GET", "/nodes"))["items"] == []


async def test_delete_disables_a_node(site: Site) -> None:
    await site.ok("PUT", "/nodes/BER", {"kind": "dc"})
    await site.ok("DELETE", "/nodes/BER")
    assert (await site.ok("GET", "/nodes/BER"))["enabled"] is False
    assert (await site.ok("GET", "/nodes?enabled=true"))["items"] == []
    await site.refused(404, "DELETE", "/nodes/NONE")


async def test_bindings_belong_to_the_merchant(site: Site) -> None:
    connection = await site.connect()
    binding = {"role": "fulfil", "connection": connection["id"]}
    await site.ok("PUT", "/nodes/BER", {"kind": "dc", "bindings": [binding]})
    seen = (await site.call("GET", "/nodes/BER", role="other")).json()
    assert seen["bindings"] == []
    await site.refused(422, "PUT", "/nodes/BER", {"kind": "dc", "bindings": [binding]}, role="other")


async def test_stock_points(site: Site) -> None:
    await site.connect(shop="acme")
    for code in ("BER", "HAM"):
        await site.ok("PUT", "/nodes/" + code, {"kind": "dc"})
    point = {"account": "acme", "external_location": "L1", "purpose": "sell", "nodes": ["HAM", "BER"], "buffer": 2}
    made = (await site.ok("PUT", "/stock-points", point))["items"][0]
    assert {name: made[name] for name in point} == point | {"nodes": ["BER", "HAM"]}
    again = (await site.ok("PUT", "/stock-points", {"items": [point | {"nodes": ["BER"]}]}))["items"][0]
    assert (again["id"], again["nodes"]) == (made["id"], ["BER"])
    problem = await site.refused(422, "PUT", "/stock-points", {"items": [point, point | {"nodes": ["BER", "X"]}]})
    assert pointers(problem) == ["/items/1/nodes/1"]
    await site.ok("PUT", "/stock-points", point | {"nodes": []})
    assert (await site.ok("GET", "/stock-points"))["items"] == []
