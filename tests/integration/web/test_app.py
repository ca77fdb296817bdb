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
    await site.ok("PUT", "/items/A-1", {})
    await site.ok("PUT", "/items/C-1", {})
    await site.ok("PUT", "/items/KIT", {"components": [{"sku": "A-1", "quantity": 2}, {"sku": "C-1"}]})
    await site.ok("PUT", "/nodes/BER", {"kind": "dc"})
    await site.ok("PUT", "/nodes/HAM", {"kind": "store"})
    await site.ok(
        "PUT",
        "/stock",
        {
            "kind": "snapshot",
            "lines": [
                {"node": "BER", "sku": "A-1", "on_hand": 10},
                {"node": "HAM", "sku": "A-1", "on_hand": 10},
                {"node": "BER", "sku": "C-1", "on_hand": 10},
            ],
        },
    )
    o = await site.ok(
        "POST",
        "/orders",
        {
            "external_id": "X1",
            "currency": "EUR",
            "lines": [
                {"external_id": "1", "quantity": 2, "sku": "KIT", "subtotal": 1000},
                {"external_id": "2", "quantity": 1, "sku": "NEW"},
            ],
            "contacts": {"ship": {"name": "Ann", "lines": ["Street 1"], "city": "Berlin", "country": "DE"}},
        },
    )
    import json

    print(json.dumps(o, indent=1))
    id = o["id"]
    print(json.dumps(await site.ok("GET", f"/orders/{id}/timeline"), indent=1))
    print(json.dumps(await site.ok("GET", f"/orders/{id}/decisions"), indent=1))
    print(json.dumps(await site.ok("GET", "/exceptions"), indent=1))
    print(json.dumps(await site.ok("GET", "/queues"), indent=1))
    await site.ok("PUT", "/items/NEW", {})
    print(json.dumps(await site.ok("GET", "/exceptions?state=open"), indent=1))
    print(json.dumps(await site.ok("GET", "/messages"), indent=1))
    print(json.dumps(await site.ok("GET", "/messages/1"), indent=1))
    print(json.dumps(await site.ok("GET", "/fulfilment-orders"), indent=1))
    print(json.dumps(await site.ok("GET", "/orders?q=X1&sku=KIT"), indent=1)[:300])
    assert 0
