"""The simulator keeps Square's rules, and counts whoever breaks its limits."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.square.harness import simulator, two_lines
from adapters.square.simulator import SquareSimulator


@pytest.fixture
async def seller() -> AsyncIterator[SquareSimulator]:
    async with simulator() as running:
        yield running


@pytest.fixture
async def client(seller: SquareSimulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=seller.base_url, headers={"square-version": "2025-08-20"}) as made:
        grant = {
            "grant_type": "refresh_token",
            "client_id": seller.application_id,
            "client_secret": seller.application_secret,
            "refresh_token": seller.refresh_token,
        }
        token = (await made.post("/oauth2/token", json=grant)).json()["access_token"]
        made.headers["authorization"] = f"Bearer {token}"
        yield made


def code(answer: httpx.Response) -> tuple[int, str]:
    (fault,) = answer.json()["errors"]
    return answer.status_code, fault["code"]


def search(*locations: str, limit: int = 10, **more: Any) -> dict[str, Any]:
    since = {"date_time_filter": {"updated_at": {"start_at": "2026-01-01T00:00:00Z"}}}
    query = {"filter": since, "sort": {"sort_field": "UPDATED_AT"}}
    return {"location_ids": list(locations), "query": query, "limit": limit, **more}


async def test_limits_are_counted(seller: SquareSimulator, client: httpx.AsyncClient) -> None:
    many = search(*(f"L{number}" for number in range(11)))
    assert code(await client.post("/v2/orders/search", json=many)) == (400, "ARRAY_LENGTH_TOO_LONG")
    assert code(await client.post("/v2/orders/search", json=search("L1", limit=1001))) == (400, "VALUE_TOO_HIGH")
    del client.headers["square-version"]
    assert (await client.get("/v2/locations")).status_code == 200
    assert seller.violations == [
        "location_ids: 11 of at most 10",
        "limit 1001",
        "GET /v2/locations without Square-Version",
    ]


async def test_too_many_calls_in_a_second_are_refused_and_counted(
    seller: SquareSimulator, client: httpx.AsyncClient
) -> None:
    seller.calls_per_second = 2
    at = seller.now()
    seller.now = lambda: at
    answers = [await client.get("/v2/locations") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert code(answers[-1]) == (429, "RATE_LIMITED")
    assert "retry-after" not in answers[-1].headers
    assert seller.violations == ["3 calls in one second"]


async def test_a_key_answers_once_and_takes_no_other_body(seller: SquareSimulator, client: httpx.AsyncClient) -> None:
    sale = seller.ring_up([("MUG-RED", 1)])
    body = {
        "idempotency_key": "k1",
        "payment_id": sale["tenders"][0]["id"],
        "amount_money": {"amount": 100, "currency": "USD"},
    }
    first, again = [(await client.post("/v2/refunds", json=body)).json()["refund"]["id"] for _ in range(2)]
    assert first == again
    assert len(seller.refunds) == 1
    other = {**body, "amount_money": {"amount": 200, "currency": "USD"}}
    assert code(await client.post("/v2/refunds", json=other)) == (400, "IDEMPOTENCY_KEY_REUSED")


async def test_updates_want_the_newest_version_and_a_key(seller: SquareSimulator, client: httpx.AsyncClient) -> None:
    order = two_lines(seller)
    path, way = f"/v2/orders/{order['id']}", {"uid": order["fulfillments"][0]["uid"], "state": "PREPARED"}
    keyless = {"order": {"version": 1, "fulfillments": [way]}}
    assert (await client.put(path, json=keyless)).json()["order"]["version"] == 1
    misspelt = {"idempotency_key": "k1", "order": {"version": 1, "fulfilments": [way]}}
    assert (await client.put(path, json=misspelt)).json()["order"]["fulfillments"][0]["state"] == "PROPOSED"
    stale = {"idempotency_key": "k2", **keyless}
    assert code(await client.put(path, json=stale)) == (409, "VERSION_MISMATCH")
    fresh = {"idempotency_key": "k3", "order": {"version": 2, "fulfillments": [way]}}
    assert (await client.put(path, json=fresh)).json()["order"]["fulfillments"][0]["state"] == "PREPARED"


async def test_pages_belong_to_their_query(seller: SquareSimulator, client: httpx.AsyncClient) -> None:
    for _ in range(3):
        two_lines(seller)
    page = (await client.post("/v2/orders/search", json=search("L1", limit=2))).json()
    assert len(page["orders"]) == 2
    rest = (await client.post("/v2/orders/search", json=search("L1", limit=2, cursor=page["cursor"]))).json()
    assert [len(rest["orders"]), rest.get("cursor")] == [1, None]
    other = search("L1", "L2", limit=2, cursor=page["cursor"])
    assert code(await client.post("/v2/orders/search", json=other)) == (400, "INVALID_CURSOR")


async def test_counts_are_no_older_than_a_day_and_all_or_none(
    seller: SquareSimulator, client: httpx.AsyncClient
) -> None:
    mug, tee = seller.variations

    def count(item: str, at: str) -> dict[str, Any]:
        one = {"catalog_object_id": item, "location_id": "L1", "state": "IN_STOCK", "quantity": "3", "occurred_at": at}
        return {"type": "PHYSICAL_COUNT", "physical_count": one}

    changes = [count(mug, seller.stamp()), count(tee, "2026-01-01T00:00:00Z")]
    body = {"idempotency_key": "k1", "changes": changes}
    answer = await client.post("/v2/inventory/changes/batch-create", json=body)
    assert code(answer) == (400, "INVALID_TIME")
    assert answer.json()["errors"][0]["field"] == "changes[1].physical_count.occurred_at"
    assert (seller.counts[mug, "L1"], seller.counts[tee, "L1"]) == (40, 20)


async def test_only_a_granted_token_may_ask(seller: SquareSimulator, client: httpx.AsyncClient) -> None:
    assert code(await client.post("/oauth2/token", json={"grant_type": "refresh_token"})) == (401, "UNAUTHORIZED")
    client.headers["authorization"] = "Bearer guessed"
    assert code(await client.get("/v2/merchants/me")) == (401, "UNAUTHORIZED")
