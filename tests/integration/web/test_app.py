"""Health, reference, tokens, problems: what holds for every resource."""

from tests.integration.web.conftest import Site


async def test_health(site: Site) -> None:
    assert (await site.client.get("/livez")).json()["status"] == "ok"
    assert (await site.client.get("/readyz")).status_code == 200
    assert "crossdock_database_up 1" in (await site.client.get("/metrics")).text


async def test_adapters(site: Site) -> None:
    found = await site.ok("GET", "/adapters")
    print(found)
    assert found["items"][0]["name"] == "corner"


async def test_scratch(site: Site) -> None:
    print(await site.ok("PUT", "/items/A-1", {"class": "hazmat", "barcodes": ["123"]}))
    print(await site.ok("PUT", "/items/B%2F2", {"safety": 1}))
    print(await site.ok("PUT", "/items/KIT", {"components": [{"sku": "A-1", "quantity": 2}]}))
    print((await site.call("PUT", "/items/KIT2", {"components": [{"sku": "KIT"}, {"sku": "?"}]})).text)
    print(await site.ok("GET", "/items?limit=2"))
    print(await site.ok("GET", "/items/B%2F2"))
    print(await site.ok("PUT", "/nodes/BER", {"kind": "dc", "timezone": "Europe/Berlin", "calendar": {"cut_off": "14:30"}}))
    print((await site.call("PUT", "/nodes/BER", {"kind": "x", "timezone": "Mars", "calendar": {"cut_off": "24:30"}, "capacity_per_day": -1})).text)
    print(await site.ok("GET", "/nodes"))
    print(await site.ok("PUT", "/stock", {"kind": "snapshot", "lines": [{"node": "BER", "sku": "A-1", "on_hand": 10}]}))
    print(await site.ok("PUT", "/stock", {"kind": "delta", "lines": [{"node": "BER", "sku": "A-1", "delta": -1}]}))
    print(await site.ok("PUT", "/stock", {"kind": "delta", "lines": [{"node": "BER", "sku": "A-1", "delta": -1, "safety": 2}]}))
    print((await site.call("PUT", "/stock", {"kind": "delta", "as_of": "2099-01-01T00:00:00Z", "lines": [{"node": "BER", "sku": "A-1", "on_hand": 1}, {"node": "x", "sku": "y", "delta": 1}]})).text)
    print(await site.ok("GET", "/stock"))
    print(await site.ok("GET", "/ats?sku=A-1"))
    print(await site.ok("GET", "/ats?sku=KIT"))
    r = await site.ok("POST", "/reservations", {"lines": [{"sku": "A-1", "quantity": 1}, {"sku": "KIT", "quantity": 1}], "ttl_seconds": 60})
    print(r)
    print((await site.call("POST", "/reservations", {"lines": [{"sku": "A-1", "quantity": 2}, {"sku": "KIT", "quantity": 1}], "ttl_seconds": 60})).text)
    print(await site.ok("GET", "/ats?sku=A-1"))
    await site.ok("DELETE", "/reservations/" + r["id"])
    print(await site.ok("GET", "/ats?sku=A-1"))
    await site.ok("POST", "/connections", {"adapter": "corner", "config": {"shop": "A", "access_token": "hush"}})
    print(await site.ok("PUT", "/sku-maps", {"account": "a", "external_variant": "77", "item": "A-1"}))
    print((await site.call("PUT", "/sku-maps", {"items": [{"account": "b", "external_variant": "77", "item": "A-1"}]})).text)
    print(await site.ok("GET", "/sku-maps?account=a"))
    print(await site.ok("PUT", "/stock-points", {"account": "a", "external_location": "L1", "purpose": "sell", "nodes": ["BER"], "buffer": 3}))
    print(await site.ok("GET", "/ats?sku=A-1&stock_point=L1"))
    print(await site.ok("GET", "/ats?sku=KIT&channel=a"))
    print(await site.ok("PUT", "/supply", {"reference": "PO1", "node": "BER", "sku": "A-1", "quantity": 5, "due": "2027-01-01"}))
    print(await site.ok("GET", "/supply"))
    assert 0
