"""What holds for every resource: tokens, roles, merchants, problems, keys, pages, the log."""

import asyncio
from typing import Any

import pytest
import structlog

from hub.store.database import Database
from tests.integration.web.conftest import Site, pointers


async def test_no_token_is_401_with_a_challenge(site: Site) -> None:
    answer = await site.client.get("/api/v1/items")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"] == "urn:crossdock:problem:unauthenticated"


@pytest.mark.parametrize(
    "header", ["Bearer", "Basic abc", "Bearer abc", "Bearer cdk_" + "x" * 52, "cdk_x", "Bearer cdk_\xe9"]
)
async def test_a_wrong_token_is_401(site: Site, header: str) -> None:
    answer = await site.client.get("/api/v1/items", headers={"authorization": header.encode("latin-1")})
    assert answer.status_code == 401


async def test_a_revoked_token_ends_at_once(site: Site) -> None:
    made = await site.ok("POST", "/tokens", {"name": "till", "role": "viewer"})
    assert made["token"].startswith("cdk_")
    site.tokens["till"] = made["token"]
    assert (await site.call("GET", "/items", role="till")).status_code == 200
    await site.ok("DELETE", f"/tokens/{made['id']}")
    assert (await site.call("GET", "/items", role="till")).status_code == 401
    listed = await site.ok("GET", "/tokens")
    assert made["token"] not in str(listed)
    assert next(t for t in listed["items"] if t["id"] == made["id"])["revoked_at"] is not None


async def test_a_token_is_stored_as_a_hash_only(site: Site) -> None:
    made = await site.ok("POST", "/tokens", {"name": "till", "role": "viewer"}, idempotency_key="k1")
    (row,) = await site.sql("SELECT t::text AS text FROM api_token t WHERE name = 'till'")
    (kept,) = await site.sql("SELECT body FROM idempotency WHERE key = 'k1'")
    assert made["token"] not in row["text"]
    assert made["token"].encode() not in kept["body"]


@pytest.mark.parametrize(
    ("method", "path", "body", "lowest"),
    [
        ("GET", "/items", None, "viewer"),
        ("GET", "/connections", None, "viewer"),
        ("PUT", "/stock", {"kind": "count", "lines": []}, "operator"),
        ("POST", "/orders/x/cancel", {}, "operator"),
        ("POST", "/exceptions/1/retry", None, "operator"),
        ("PUT", "/items/A", {}, "integrator"),
        ("PUT", "/nodes/A", {}, "integrator"),
        ("POST", "/connections", {}, "integrator"),
        ("POST", "/connections/x/pause", None, "integrator"),
        ("PUT", "/connections/x/tables/status", {}, "integrator"),
        ("GET", "/tokens", None, "admin"),
        ("POST", "/tokens", {}, "admin"),
        ("POST", "/policies/1/activate", None, "admin"),
    ],
)
async def test_roles(site: Site, method: str, path: str, body: Any, lowest: str) -> None:
    ranks = ["viewer", "operator", "integrator", "admin"]
    for role in ranks:
        answer = await site.call(method, path, body, role=role)
        allowed = ranks.index(role) >= ranks.index(lowest)
        assert (answer.status_code == 403) is not allowed, (role, answer.text)


async def test_merchants_do_not_see_each_other(site: Site) -> None:
    connection = await site.connect()
    await site.ok("PUT", "/items/A", {})
    order = await site.ok("POST", "/orders", {"external_id": "1", "currency": "EUR", "lines": [LINE]})
    for path in ("/items/A", f"/connections/{connection['id']}", f"/orders/{order['id']}", "/messages/in-1"):
        assert (await site.call("GET", path)).status_code == 200, path
        assert (await site.call("GET", path, role="other")).status_code == 404, path
    for path in ("/items", "/connections", "/orders", "/messages", "/exceptions", "/sku-maps", "/stock", "/queues"):
        assert (await site.call("GET", path, role="other")).json()["items"] == [], path
    await site.refused(404, "POST", f"/orders/{order['id']}/cancel", {}, role="other")
    await site.refused(404, "PATCH", f"/connections/{connection['id']}", {"name": "mine"}, role="other")


LINE = {"external_id": "1", "sku": "A", "quantity": 1}


async def test_problems_of_the_framework(site: Site) -> None:
    await site.refused(404, "GET", "/nothing-here")
    await site.refused(405, "DELETE", "/items")
    await site.refused(400, "POST", "/connections", b"{")
    await site.refused(400, "POST", "/connections", b"")
    await site.refused(415, "POST", "/connections", b"a=b", content_type="application/x-www-form-urlencoded")
    await site.refused(413, "POST", "/items", b" " * (16 * 1024 * 1024 + 1))


async def test_bad_text_never_reaches_the_database(site: Site) -> None:
    assert pointers(await site.refused(422, "PUT", "/items/A", {"title": "a\0b"})) == ["/title"]
    for path in ("/items/a%00b", "/items?q=%00", "/orders?external_id=%00", "/connections/%00", "/messages?topic=%00"):
        problem = await site.refused(422, "GET", path)
        assert problem["errors"][0]["parameter"]
    for path in ("/orders?q=%ff", "/items/%ff", "/exceptions/99999999999999999999", "/policies/%F0%9F%92%A9"):
        assert (await site.call("GET", path)).status_code in (200, 404)


async def test_numbers_out_of_range(site: Site) -> None:
    assert pointers(await site.refused(422, "PUT", "/items/A", b'{"weight_g": 99999999999999999999}')) == ["/weight_g"]
    assert pointers(await site.refused(422, "PUT", "/items/A", {"weight_g": 2**40})) == ["/weight_g"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=zzz", "cursor=WzFd", "cursor=%00"])
async def test_bad_pages(site: Site, query: str) -> None:
    problem = await site.refused(422, "GET", f"/items?{query}")
    assert problem["errors"][0]["parameter"] in ("limit", "cursor")


async def test_an_empty_filter_is_none(site: Site) -> None:
    await site.ok("PUT", "/items/A", {})
    assert len((await site.ok("GET", "/items?q=&cursor=&limit="))["items"]) == 1
    assert (await site.refused(422, "GET", "/ats?sku="))["errors"][0]["parameter"] == "sku"


async def test_pages_hold_every_row_once(site: Site) -> None:
    skus = [f"S-{n:03}" for n in range(25)]
    await site.ok("POST", "/items", {"items": [{"sku": sku} for sku in skus]})
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await site.ok("GET", f"/items?limit=10{cursor and '&cursor=' + cursor}")
        found += [item["sku"] for item in page["items"]]
        cursor = page["next"]
    assert found == skus


async def test_the_same_key_gives_the_same_answer(site: Site) -> None:
    body = {"adapter": "corner", "config": {"shop": "acme", "access_token": "x"}}
    first = await site.call("POST", "/connections", body, idempotency_key="k")
    again = await site.call("POST", "/connections", body, idempotency_key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await site.sql("SELECT 1 FROM connection")) == 1
    problem = await site.refused(422, "POST", "/connections", body | {"name": "b"}, idempotency_key="k")
    assert problem["errors"][0]["parameter"] == "Idempotency-Key"


async def test_a_key_belongs_to_its_token(site: Site) -> None:
    first = await site.call("PUT", "/items/A", {}, idempotency_key="k")
    other = await site.call("PUT", "/items/B", {}, idempotency_key="k", role="integrator")
    assert (first.status_code, other.status_code) == (200, 200)


async def test_an_error_does_not_use_the_key_up(site: Site) -> None:
    body = {"kind": "count", "lines": [{"node": "BER", "sku": "A", "on_hand": 1}]}
    await site.refused(422, "PUT", "/stock", body, idempotency_key="k")
    await site.ok("PUT", "/items/A", {})
    await site.ok("PUT", "/nodes/BER", {"kind": "dc"})
    assert (await site.call("PUT", "/stock", body, idempotency_key="k")).status_code == 200


async def test_repeats_at_the_same_time_act_once(site: Site) -> None:
    await site.ok("PUT", "/items/A", {})
    await site.ok("PUT", "/nodes/BER", {"kind": "dc"})
    body = {"kind": "delta", "lines": [{"node": "BER", "sku": "A", "delta": 5}]}
    answers = await asyncio.gather(*(site.call("PUT", "/stock", body, idempotency_key="k") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await site.ok("GET", "/stock"))["items"][0]["on_hand"] == 5


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_is_short_and_printable(site: Site, key: str) -> None:
    await site.refused(422, "PUT", "/items/A", {}, idempotency_key=key)


async def test_without_a_database_it_is_503(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: Database) -> Any:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(Database, "connection", away)
    monkeypatch.setattr(Database, "transaction", away)
    answer = await site.call("GET", "/items")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    ready = await site.client.get("/readyz")
    assert ready.status_code == 503
    assert (await site.client.get("/livez")).status_code == 200
    assert "crossdock_database_up 0" in (await site.client.get("/metrics")).text


async def test_a_failure_of_ours_tells_nothing_and_is_logged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Database) -> Any:
        raise KeyError("secret=hush")

    monkeypatch.setattr(Database, "connection", fail)
    with structlog.testing.capture_logs() as lines:
        problem = await site.refused(500, "GET", "/items")
    assert "hush" not in str(problem)
    (failure,) = [line for line in lines if line["event"] == "request_failed"]
    assert failure["error"].startswith("KeyError")
    assert "hush" not in failure["error"]
    assert any("auth.py" in place for place in failure["at"])


async def test_the_log_holds_five_fields_and_no_content(site: Site) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await site.call("GET", "/items?q=query", x_request_id="abcdefgh-1")
    (line,) = lines
    assert set(line) == {"event", "log_level", "method", "path", "status", "duration_ms", "request_id"}
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/items", 200)
    assert line["request_id"] == answer.headers["x-request-id"] == "abcdefgh-1"
    assert "query" not in str(line)
    with structlog.testing.capture_logs() as lines:
        await site.ok("PUT", "/items/A", {"title": "content"})
    assert "content" not in str(lines)


async def test_a_query_parameter_that_a_call_does_not_know_is_refused_and_named(site: Site) -> None:
    """Ignored, a misspelled filter would answer with everything that there is."""
    answer = await site.call("GET", "/orders?stat=open&limit=3&colour=")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:crossdock:problem:unknown-parameter")
    assert "GET /api/v1/orders knows no stat; it takes connection, cursor, external_id, limit" in problem["detail"]
    assert [error["parameter"] for error in problem["errors"]] == ["stat"]
    document = (await site.client.get("/openapi.json")).json()
    named = [one["name"] for one in document["paths"]["/api/v1/orders"]["get"]["parameters"] if one["in"] == "query"]
    assert problem["parameters"] == sorted(named)
    nothing = await site.call("PUT", "/items/A?dry_run=true", {"title": "content"})
    assert (nothing.status_code, nothing.json()["parameters"]) == (400, [])
    assert (await site.call("GET", "/items/A")).status_code == 404
    assert (await site.call("GET", "/orders?%ff=1")).status_code == 400


async def test_a_wrong_id_is_told_with_what_goes_there(site: Site) -> None:
    for path, words in (
        ("/orders/1001", "no order has the id 1001; the hub's own id goes here: GET /api/v1/orders?q=1001"),
        ("/orders/a%20b/timeline", "/api/v1/orders?q=a%20b"),
        (
            "/fulfilment-orders/1001",
            "no fulfilment order has the id 1001; the hub's own id goes here: it reads ORDER-1",
        ),
        ("/fulfilment-orders/1001-1", "no fulfilment order has the id 1001-1"),
        ("/returns/1001", "no return has the id 1001"),
        ("/refunds/1001", "no refund has the id 1001"),
        ("/reservations/1001.1", "no reservation has the id 1001.1"),
    ):
        answer = await site.call("GET", path)
        assert (answer.status_code, words in answer.json()["detail"]) == (404, True), answer.text
    for path in (
        "/orders/1001/cancel",
        "/offers/1001~1/refuse",
        "/returns/1001/approve",
        "/fulfilment-orders/1-1/pick",
    ):
        answer = await site.call("POST", path, {})
        assert (answer.status_code, "the hub's own id goes here" in answer.json()["detail"]) == (404, True), answer.text


async def test_a_problem_names_its_request(site: Site) -> None:
    answer = await site.call("GET", "/items/none")
    assert answer.json()["instance"] == f"urn:crossdock:request:{answer.headers['x-request-id']}"


async def test_a_foreign_request_id_is_replaced(site: Site) -> None:
    answer = await site.call("GET", "/items", x_request_id="a b\x7f")
    assert answer.headers["x-request-id"] != "a b\x7f"
