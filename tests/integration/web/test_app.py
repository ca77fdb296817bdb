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
    made = await site.ok("POST", "/connections", {"adapter": "corner", "config": {"shop": "A", "access_token": "hush"}})
    print(made)
    r = await site.call("POST", "/connections", {"adapter": "corner", "config": {"shop": "", "x": 1}, "modes": {"fly": "live"}, "q": 2})
    print(r.text)
    r = await site.call("POST", "/connections", {"adapter": "corner", "config": {"shop": "a", "access_token": "x"}})
    print(r.text)
    id = made["id"]
    print(await site.ok("POST", f"/connections/{id}/test"))
    print(await site.ok("POST", f"/connections/{id}/pull"))
    print(await site.ok("PATCH", f"/connections/{id}", {"config": {"page_size": 10}}))
    print((await site.call("DELETE", f"/connections/{id}")).status_code)
    print((await site.call("GET", "/connections?limit=0")).text)
    print((await site.call("GET", "/connections?cursor=abc")).text)
    print((await site.call("POST", "/connections", b"{")).text)
    print((await site.call("POST", "/connections")).text)
    print((await site.call("PUT", "/connections", {})).text)
    print((await site.call("GET", "/connectionz")).text)
    print((await site.client.get("/api/v1/connections")).text)
    print((await site.call("POST", "/connections", {"adapter": "a\0", "config": {}})).text)
    print((await site.call("GET", "/connections?adapter=a%00")).text)
    print((await site.call("GET", "/connections/a%00")).text)
    print((await site.call("GET", "/connections/%ff%fe")).text)
    print((await site.call("GET", "/connections?adapter=%ff")).text)
    d = (await site.client.get("/openapi.json")).json()
    import json
    print(json.dumps(d["paths"]["/api/v1/connections"], indent=1)[:3500])
    assert 0
