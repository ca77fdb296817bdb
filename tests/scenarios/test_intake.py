"""The door: what is not genuine stays outside, what is genuine is stored whatever it holds, and twice is once."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.shopify.simulator import signature
from adapters.shopify.simulator_books import ShopOrder
from hub.sdk.testkit.simulator import Sent
from tests.scenarios.town import Town


def edited(shop_body: bytes, **changes: Any) -> bytes:
    """The body of an order with some of its fields replaced."""
    return msgspec.json.encode(msgspec.json.decode(shop_body) | changes)


async def deliver(town: Town, body: bytes, topic: str = "orders/create", event: str = "e-1", **headers: str) -> int:
    """Send a webhook; the status it was answered with."""
    sent = town.shop.signed(topic, body, event)
    changed = {name.lower(): value for name, value in sent.headers.items()} | {
        f"x-shopify-{name.replace('_', '-')}": value for name, value in headers.items()
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(sent.url, content=body, headers=changed)
    return answer.status_code


def quiet_order(town: Town) -> ShopOrder:
    """An order that the shop tells nobody of."""
    url, town.shop.hub_url = town.shop.hub_url, None
    placed = town.shop.place_order([("PASS", 1)])
    town.shop.hub_url = url
    return placed


async def stored(town: Town) -> int:
    return int(await town.house.value("SELECT count(*) FROM message WHERE connection_id <> 'depot'"))


@pytest.mark.parametrize("given", ["", "bm9uc2Vuc2U=", "\u00e9", signature("other secret", b"{}")])
async def test_a_wrong_signature_is_refused_and_nothing_is_stored(town: Town, given: str) -> None:
    body = town.shop.body(quiet_order(town), "orders/create")
    headers = town.shop.signed("orders/create", body, "e-1").headers | {
        "X-Shopify-Hmac-Sha256": given.encode("latin-1")
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(town.shop.hub_url or "", content=body, headers=headers)
    assert answer.status_code == 401
    assert await stored(town) == 0


async def test_a_missing_signature_is_refused(town: Town) -> None:
    body = town.shop.body(quiet_order(town), "orders/create")
    headers = town.shop.signed("orders/create", body, "e-1").headers
    del headers["X-Shopify-Hmac-Sha256"]
    async with httpx.AsyncClient() as client:
        answer = await client.post(town.shop.hub_url or "", content=body, headers=headers)
    assert answer.status_code == 401
    assert await stored(town) == 0


async def test_one_changed_byte_is_refused(town: Town) -> None:
    body = town.shop.body(quiet_order(town), "orders/create")
    headers = town.shop.signed("orders/create", body, "e-1").headers
    async with httpx.AsyncClient() as client:
        answer = await client.post(town.shop.hub_url or "", content=body + b" ", headers=headers)
    assert answer.status_code == 401
    assert await stored(town) == 0


async def test_an_empty_secret_is_a_closed_door(town: Town) -> None:
    await town.house.run("UPDATE connection SET enabled = false WHERE id = 'shop'")
    await town.house.connect("open", "shopify", town.shop_config(client_secret=""))
    town.shop.client_secret, town.shop.hub_url = "", f"{town.house.url}/webhooks/open"
    body = town.shop.body(quiet_order(town), "orders/create")
    assert await deliver(town, body) == 401
    assert await stored(town) == 0


async def test_both_secrets_are_valid_during_a_rotation(town: Town) -> None:
    await town.house.run("UPDATE connection SET enabled = false WHERE id = 'shop'")
    config = town.shop_config(client_secret="new", previous_client_secret="hush")
    await town.house.connect("turned", "shopify", config)
    town.shop.hub_url = f"{town.house.url}/webhooks/turned"
    assert await deliver(town, town.shop.body(quiet_order(town), "orders/create"), event="e-1") == 200
    town.shop.client_secret = "new"
    assert await deliver(town, town.shop.body(quiet_order(town), "orders/create"), event="e-2") == 200
    town.shop.client_secret = "older"
    assert await deliver(town, town.shop.body(quiet_order(town), "orders/create"), event="e-3") == 401
    assert await stored(town) == 2


@pytest.mark.parametrize("stated", [True, False])
async def test_an_oversized_body_is_refused_before_it_is_kept(town: Town, stated: bool) -> None:
    limit = town.house.parts.settings.max_body_bytes
    body = b'{"id": 1, "note": "' + b"x" * limit + b'"}'

    async def in_pieces() -> Any:
        for start in range(0, len(body), 1 << 18):
            yield body[start : start + (1 << 18)]

    headers = town.shop.signed("orders/create", body, "e-1").headers
    async with httpx.AsyncClient() as client:
        answer = await client.post(town.shop.hub_url or "", content=body if stated else in_pieces(), headers=headers)
    assert answer.status_code == 413
    assert await stored(town) == 0


async def test_an_unknown_connection_is_404_and_a_disabled_one_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.webhooks.FRESH_SECONDS", 0.0)
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"{town.house.url}/webhooks/nobody", content=b"{}")).status_code == 404
        await town.house.run("UPDATE connection SET enabled = false WHERE id = 'shop'")
        assert (await client.post(f"{town.house.url}/webhooks/shop", content=b"{}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b"null",
        b'"text"',
        b'{"no": "id"}',
        b'{"id": null}',
        b'{"id": "a\\u0000b", "currency": "USD"}',
        b'{"id": "\\ud800", "currency": "USD"}',
        b"\xff\xfe{}",
    ],
)
async def test_a_body_without_an_identity_is_kept_and_parked_with_a_reason(town: Town, body: bytes) -> None:
    assert await deliver(town, body) == 200
    passer = town.passer_by()
    await town.settle()
    (parked,) = await town.house.rows("SELECT * FROM inbox")
    assert parked["parked"]
    assert await town.house.value("SELECT body FROM message WHERE id = $1", parked["id"]) == body
    found = await town.trouble()
    assert found["kind"] in ("malformed", "message_failed")
    assert found["connection_id"] == "shop"
    assert await town.house.value("SELECT ref FROM exception_waiter") == str(parked["id"])
    await town.passed(passer)


@pytest.mark.parametrize(
    "changes",
    [
        {"note": "a\x00b", "tags": "x\x00y"},
        {"name": "\x00"},
        {"total_price": "9" * 400},
        {"order_number": 2**63},
        {"processed_at": "0001-01-01T00:00:00+14:00"},
        {"line_items": [{"id": 1, "quantity": 2**63, "price": "1", "sku": "PASS"}]},
        {"line_items": [{"id": 2**63, "quantity": 2**31 - 1, "price": "1", "sku": "RARE"}]},
        {"line_items": None},
        {"shipping_address": "none", "line_items": "what"},
    ],
)
async def test_strange_values_never_stop_the_others(town: Town, changes: dict[str, Any]) -> None:
    await town.goods("RARE", east=1)
    body = edited(town.shop.body(quiet_order(town), "orders/create"), **changes)
    assert await deliver(town, body) == 200
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    orders = await town.house.value("SELECT count(*) FROM customer_order")
    parked = await town.house.value("SELECT count(*) FROM inbox WHERE parked")
    assert orders + parked == 2, "it became an order, or it is parked with a reason"
    assert await town.house.open_exceptions() or orders == 2


async def test_a_number_beyond_any_integer_is_still_an_identity(town: Town) -> None:
    assert await deliver(town, b'{"id": 9223372036854775808123456789, "currency": "USD"}') == 200
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    kept = await town.house.rows("SELECT external_id FROM customer_order")
    assert "9223372036854775808123456789" in {row["external_id"] for row in kept}
    assert {row["kind"] for row in await town.house.open_exceptions()} == {"missing_field"}


async def test_names_too_long_for_an_index_are_cut_and_told_apart(town: Town) -> None:
    bodies = [b'{"id": "' + b"7" * 5000 + end + b'"}' for end in (b"a", b"b")]
    for number, body in enumerate(bodies):
        assert await deliver(town, body, event=f"{number}" + "e" * 5000) == 200
    passer = town.passer_by()
    await town.settle()
    objects = await town.house.rows(
        "SELECT DISTINCT object, key FROM message WHERE connection_id = 'shop' AND topic = 'orders/create'"
    )
    assert len(objects) == 3
    await town.passed(passer)


async def test_a_document_nested_beyond_reason_is_refused(town: Town) -> None:
    assert await deliver(town, b'{"id": 7, "line_items": ' + b"[" * 5000 + b"]" * 5000 + b"}") == 400
    assert await stored(town) == 0


async def test_a_lone_surrogate_in_the_text_is_kept(town: Town) -> None:
    body = town.shop.body(quiet_order(town), "orders/create").replace(b'"note":null', b'"note":"\\ud83d"')
    assert b"ud83d" in body
    assert await deliver(town, body) == 200
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    orders = await town.house.value("SELECT count(*) FROM customer_order")
    parked = await town.house.value("SELECT count(*) FROM inbox WHERE parked")
    assert orders + parked == 2


async def test_the_same_delivery_twice_is_one_order_and_one_instruction(town: Town) -> None:
    town.shop.faults.duplicate = 1.0
    placed, order = await town.buy([("PASS", 2)])
    assert await stored(town) == 1
    assert await town.slices(order["id"]) == [(2, "accepted", town.east)]
    assert len(town.depot.orders) == 1
    assert await town.stock("PASS", town.east) == (100, 2)


async def test_the_same_order_under_other_keys_is_one_order(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    body = town.shop.body(placed, "orders/create")
    assert await deliver(town, body, event="e-8") == 200
    assert await deliver(town, body, topic="orders/updated", event="e-9") == 200
    await town.settle()
    assert await stored(town) == 3
    assert (await town.order(placed))["revision"] == 1
    assert (await town.timeline(order["id"])).count("skipped") == 2
    assert len(town.depot.orders) == 1


async def test_a_delivery_key_with_another_body_is_an_exception_and_the_first_stands(town: Town) -> None:
    placed = quiet_order(town)
    first = town.shop.body(placed, "orders/create")
    other = edited(first, note="changed", updated_at="2031-01-01T00:00:00Z")
    assert await deliver(town, first, event="same") == 200
    assert await deliver(town, other, event="same") == 200
    assert await deliver(town, other, event="same") == 200
    passer = town.passer_by()
    await town.settle()
    assert await town.house.value("SELECT body FROM message WHERE key LIKE 'event:same%'") == first
    found = await town.trouble()
    assert (found["kind"], found["count"]) == ("delivery_changed", 2)
    assert (await town.order(placed))["revision"] == 1
    await town.passed(passer)


async def test_a_key_twice_in_one_commit_is_stored_once(town: Town) -> None:
    body = town.shop.body(quiet_order(town), "orders/create")
    sent = town.shop.signed("orders/create", body, "e-1")
    for _ in range(20):
        town.shop.deliver(Sent(url=sent.url, headers=sent.headers, body=sent.body))
    await town.settle()
    assert await stored(town) == 1
    assert await town.house.value("SELECT count(*) FROM customer_order") == 1


async def test_a_topic_nobody_declared_is_kept_and_told(town: Town) -> None:
    assert await deliver(town, b'{"id": 5}', topic="moons/eclipsed") == 200
    passer = town.passer_by()
    await town.settle()
    found = await town.trouble()
    assert found["kind"] == "unmapped"
    assert "moons/eclipsed" in found["cause"]
    await town.passed(passer)


async def test_a_cancellation_does_not_wait_behind_news_that_cannot_be_looked_up(town: Town) -> None:
    placed, order = await town.buy([("PASS", 2)])
    await town.house.run(
        "INSERT INTO inbox (id, received_on, account_id, object, lane, due_at) "
        "SELECT -1, current_date, m.account_id, m.object, 'fetch', now() + interval '4 hours' "
        "FROM message m JOIN order_revision r ON r.message_id = m.id WHERE r.order_id = $1",
        order["id"],
    )
    town.shop.cancel_order(placed.id)
    await town.shop.delivered()
    await town.house.path()
    assert [state for _, state, _ in await town.slices(order["id"])] == ["accepted"]
    asked = await town.house.rows("SELECT state FROM cancel_request WHERE order_id = $1", order["id"])
    assert [row["state"] for row in asked] == ["asked"]
