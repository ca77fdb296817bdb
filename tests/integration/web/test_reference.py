"""Health, gauges, the OpenAPI document and its page."""

import re

from tests.integration.web.conftest import Site

PATHS = {
    "/adapters": {"get"},
    "/adapters/{name}": {"get"},
    "/connections": {"get", "post"},
    "/connections/{id}": {"get", "patch", "delete"},
    "/connections/{id}/test": {"post"},
    "/connections/{id}/pause": {"post"},
    "/connections/{id}/resume": {"post"},
    "/connections/{id}/pull": {"post"},
    "/connections/{id}/oauth/start": {"get"},
    "/connections/{id}/mapping": {"get", "put"},
    "/connections/{id}/mapping/preview": {"post"},
    "/connections/{id}/tables/{name}": {"get", "put"},
    "/items": {"get", "post"},
    "/items/{sku}": {"get", "put"},
    "/sku-maps": {"get", "put"},
    "/nodes": {"get"},
    "/nodes/{code}": {"get", "put", "delete"},
    "/stock-points": {"get", "put"},
    "/stock": {"get", "put"},
    "/supply": {"get", "put"},
    "/ats": {"get"},
    "/reservations": {"post"},
    "/promises": {"post"},
    "/reservations/{id}": {"get", "delete"},
    "/orders": {"get", "post"},
    "/orders/{id}": {"get"},
    "/orders/{id}/cancel": {"post"},
    "/orders/{id}/hold": {"post"},
    "/orders/{id}/lift": {"post"},
    "/orders/{id}/reroute": {"post"},
    "/orders/{id}/address": {"post"},
    "/orders/{id}/timeline": {"get"},
    "/orders/{id}/decisions": {"get"},
    "/fulfilment-orders": {"get"},
    "/messages": {"get"},
    "/messages/{id}": {"get"},
    "/messages/{id}/replay": {"post"},
    "/exceptions": {"get"},
    "/exceptions/{id}/retry": {"post"},
    "/exceptions/{id}/resolve": {"post"},
    "/queues": {"get"},
    "/policies": {"get", "post"},
    "/policies/{id}/activate": {"post"},
    "/policies/lint": {"post"},
    "/policies/simulate": {"post"},
} | {
    f"/fulfilment-orders/{{id}}/{verb}": {"post"}
    for verb in ("accept", "refuse", "pick", "short", "pack", "ready", "collect", "ship")
}


async def test_the_document_holds_every_promised_call(site: Site) -> None:
    document = (await site.client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, methods in PATHS.items():
        assert methods <= set(document["paths"][f"/api/v1{path}"]), path


async def test_every_call_declares_its_problems_and_its_token(site: Site) -> None:
    document = (await site.client.get("/openapi.json")).json()
    for path, item in document["paths"].items():
        if not path.startswith("/api/v1"):
            continue
        for method, operation in item.items():
            assert operation["security"] == [{"bearer": []}], path
            assert operation["responses"]["422"] == {"$ref": "#/components/responses/Problem422"}, (path, method)
            keyed = {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", [])
            unkeyed = ("/test", "/preview", "/lint", "/simulate", "/promises", "/oauth/exchange")
            changes = method != "get" and not path.endswith(unkeyed)
            assert keyed is changes, (path, method)
    problem = document["components"]["responses"]["Problem422"]["content"]
    assert list(problem) == ["application/problem+json"]
    assert "status_code" not in str(document)


async def test_secret_fields_are_marked(site: Site) -> None:
    schema = (await site.ok("GET", "/adapters/corner"))["config_schema"]
    assert schema["required"] == ["shop", "access_token"]
    marked = {name for name, field in schema["properties"].items() if field.get("x-secret")}
    assert marked == {"access_token", "webhook_secret"}
    assert schema["properties"]["access_token"]["writeOnly"] is True


async def test_adapters_are_listed(site: Site) -> None:
    found = await site.ok("GET", "/adapters")
    corner = next(one for one in found["items"] if one["name"] == "corner")
    assert (corner["kind"], corner["pulls"]) == ("channel", {"orders": 300})
    assert corner["capabilities"] == ["submit_fulfilment", "pull_orders"]
    await site.refused(404, "GET", "/adapters/none")


async def test_the_page_takes_nothing_from_another_host(site: Site) -> None:
    page = await site.client.get("/docs")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    linked = re.findall(r"""(?:src|href)="([^"]+)\"""", page.text)
    assert linked == ["/docs/page.css", "/openapi.json", "/docs/page.js"]
    for path in linked:
        answer = await site.client.get(path)
        assert answer.status_code == 200
        assert "//" not in re.sub(r"urn:|https?://json-schema.org\S*", "", answer.text) or path == "/openapi.json"


async def test_health(site: Site) -> None:
    assert (await site.client.get("/livez")).json()["status"] == "ok"
    assert (await site.client.get("/readyz")).json()["status"] == "ok"


async def test_an_old_schema_is_not_ready(site: Site) -> None:
    await site.sql("UPDATE alembic_version SET version_num = '0000'")
    answer = await site.client.get("/readyz")
    assert answer.status_code == 503
    assert "db upgrade" in answer.json()["detail"]


async def test_gauges(site: Site) -> None:
    await site.sql(
        "INSERT INTO inbox (id, received_on, lane, account_id, due_at, parked) VALUES "
        "(1, now(), 'orders', 1, now(), false), (2, now(), 'orders', 1, now(), true)"
    )
    await site.sql(
        "INSERT INTO exception (merchant, kind, cause, next_step, opened_at, last_at) "
        "VALUES ('default', 'unmapped', 'c', 'n', now(), now())"
    )
    text = (await site.client.get("/metrics")).text
    assert 'crossdock_inbox_depth{lane="orders"} 1\n' in text
    assert 'crossdock_inbox_parked{lane="orders"} 1\n' in text
    assert 'crossdock_exceptions_open{kind="unmapped"} 1\n' in text
    assert text.count("# TYPE crossdock_inbox_depth gauge") == 1


async def test_the_bare_address_leads_to_the_page(site: Site) -> None:
    answer = await site.client.get("/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/docs")


async def test_a_refused_parameter_is_named_as_it_was_sent_with_the_words_there_are(site: Site) -> None:
    for query, name, says in (
        ("/kpis/fill_rate?from=2026-11-01", "from", "RFC3339"),
        ("/kpis/fill_rate?by=colour", "by", "'colour'; one of channel, node, "),
        ("/policies?state=activ", "state", "'activ'; one of draft, active, retired"),
        ("/returns?state=opne", "state", "'opne'; one of requested, "),
        ("/orders?limit=0", "limit", ">= 1"),
    ):
        problem = await site.refused(422, "GET", query)
        (fault,) = problem["errors"]
        assert fault["parameter"] == name
        assert says in fault["detail"]
        assert problem["detail"] == f"{name} {fault['detail']}"


async def test_a_new_adapter_is_said_to_need_a_start(site: Site) -> None:
    problem = await site.refused(422, "POST", "/connections", {"adapter": "acme", "config": {}})
    assert "no adapter 'acme'; there are: corner, direct. A new adapter is found when" in problem["detail"]
