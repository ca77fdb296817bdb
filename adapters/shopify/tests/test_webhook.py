"""Checking deliveries: the published vector, rotation, closed doors, keys and objects."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapters.shopify.settings import Settings, account
from adapters.shopify.simulator import signature
from adapters.shopify.webhook import check
from hub.sdk.webhook import Delivery, Refuse, Store

CONTRACTS = Path(__file__).resolve().parents[3].parent / "shared" / "contracts" / "shopify"
VECTOR = CONTRACTS / "samples" / "webhooks" / "hmac-vector.json"
SETTINGS = Settings(shop="Dune.myshopify.com", client_secret="shpss_today", access_token="shpat_token")
ORDER = b'{"id": 6100000000001, "name": "#1001"}'


def delivery(
    body: bytes = ORDER, *, topic: str = "orders/create", secret: str = "shpss_today", prefix: str = "x-", **more: str
) -> Delivery:
    headers = {"topic": topic, "hmac-sha256": signature(secret, body), **more}
    return Delivery(
        method="POST",
        url="https://hub.example.com/webhooks/c1",
        headers={f"{prefix}shopify-{name.replace('_', '-')}": value for name, value in headers.items()},
        query={},
        body=body,
        received_at=datetime(2026, 1, 16, 12, tzinfo=UTC),
    )


def stored(given: Delivery, settings: Settings = SETTINGS) -> Store:
    verdict = check(given, settings)
    assert isinstance(verdict, Store)
    return verdict


@pytest.mark.skipif(not VECTOR.exists(), reason="published vectors are not beside the repository")
def test_check_published_vector() -> None:
    (vector,) = json.loads(VECTOR.read_text("utf-8"))
    settings = msgspec.structs.replace(SETTINGS, client_secret=vector["secret"])
    given = delivery(vector["body"].encode())
    genuine = msgspec.structs.replace(given, headers={**given.headers, "x-shopify-hmac-sha256": vector["hmac_base64"]})
    assert isinstance(check(genuine, settings), Store)
    assert isinstance(check(msgspec.structs.replace(genuine, body=genuine.body + b" "), settings), Refuse)


def test_check_known_signature() -> None:
    """Made with `printf '{}' | openssl dgst -sha256 -hmac hush -binary | base64`."""
    settings = msgspec.structs.replace(SETTINGS, client_secret="hush")
    given = delivery(b"{}")
    headers = {**given.headers, "x-shopify-hmac-sha256": "UFwgrGBPZilFtmKh8TqcovA78LGYb1BdWu9I4Q2oyRg="}
    known = msgspec.structs.replace(given, headers=headers)
    assert isinstance(check(known, settings), Store)


def test_check_second_secret_during_rotation() -> None:
    rotating = msgspec.structs.replace(SETTINGS, previous_client_secret="shpss_yesterday")
    assert isinstance(check(delivery(secret="shpss_yesterday"), rotating), Store)
    assert isinstance(check(delivery(secret="shpss_today"), rotating), Store)
    assert isinstance(check(delivery(secret="shpss_yesterday"), SETTINGS), Refuse)


@pytest.mark.parametrize("previous", [None, ""])
def test_check_empty_secret_never_opens(previous: str | None) -> None:
    closed = msgspec.structs.replace(SETTINGS, client_secret="", previous_client_secret=previous)
    assert check(delivery(secret=""), closed) == Refuse(
        status=401, reason="X-Shopify-Hmac-Sha256 does not match the body under the connection's secret"
    )


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_check_flipped_bit(place: int) -> None:
    good = delivery()
    body = bytearray(good.body)
    body[place] ^= 1
    assert isinstance(check(msgspec.structs.replace(good, body=bytes(body)), SETTINGS), Refuse)


def test_check_without_signature() -> None:
    bare = msgspec.structs.replace(delivery(), headers={"x-shopify-topic": "orders/create"})
    assert isinstance(check(bare, SETTINGS), Refuse)


def test_check_another_shop() -> None:
    other = check(delivery(shop_domain="elsewhere.myshopify.com"), SETTINGS)
    assert isinstance(other, Refuse)
    assert other.status == 401
    assert stored(delivery(shop_domain="dune.MYSHOPIFY.com")).topic == "orders/create"


def test_key_is_event_topic_and_subscription() -> None:
    first = stored(delivery(event_id="e1", webhook_id="w1", name="a"))
    assert first.key == "event:e1:orders/create:a"
    retried = stored(delivery(event_id="e1", webhook_id="w2", name="a"))
    other_topic = stored(delivery(event_id="e1", topic="orders/updated", name="a"))
    other_subscription = stored(delivery(event_id="e1", name="b"))
    assert retried.key == first.key
    assert len({first.key, other_topic.key, other_subscription.key}) == 3


def test_key_does_not_depend_on_the_body_where_the_vendor_names_the_event() -> None:
    changed = delivery(b'{"id": 6100000000001, "name": "#1001", "note": "x"}', event_id="e1")
    assert stored(changed).key == stored(delivery(event_id="e1")).key


def test_key_without_event_id() -> None:
    assert stored(delivery(webhook_id="w1")).key == "webhook:w1:orders/create"
    bare, again, other = delivery(), delivery(), delivery(topic="orders/updated")
    assert stored(bare).key == stored(again).key
    assert stored(bare).key.startswith("sha256:")
    assert stored(bare).key != stored(other).key


def test_headers_of_the_events_generation() -> None:
    given = stored(delivery(prefix="", event_id="e9"))
    assert (given.key, given.topic, given.object) == ("event:e9:orders/create:", "orders/create", "order:6100000000001")


@pytest.mark.parametrize(
    ("topic", "body", "about"),
    [
        ("orders/create", b'{"id": 7, "name": "#1"}', "order:7"),
        ("orders/cancelled", b'{"id": 9007199254740993}', "order:9007199254740993"),
        ("orders/edited", b'{"order_edit": {"id": 1, "order_id": 7}}', "order:7"),
        ("refunds/create", b'{"id": 1, "order_id": 7}', "order:7"),
        ("fulfillments/create", b'{"id": 1, "order_id": 7}', "order:7"),
        ("products/update", b'{"id": 1}', None),
        ("orders/create", b"not json", None),
        ("orders/edited", b"[]", None),
    ],
)
def test_object_is_the_order(topic: str, body: bytes, about: str | None) -> None:
    assert stored(delivery(body, topic=topic)).object == about


def test_account_is_the_shop_in_lower_case() -> None:
    assert account(SETTINGS) == "dune.myshopify.com"
    assert account(msgspec.structs.replace(SETTINGS, shop="https://Dune.myshopify.com/")) == "dune.myshopify.com"


def test_settings_are_strict() -> None:
    with pytest.raises(msgspec.ValidationError, match="client_secret"):
        msgspec.convert({"shop": "a.myshopify.com", "access_token": "t"}, Settings)
    with pytest.raises(msgspec.ValidationError, match="typo"):
        msgspec.convert({"shop": "a", "client_secret": "s", "access_token": "t", "typo": 1}, Settings)
    with pytest.raises(msgspec.ValidationError, match="api_version"):
        msgspec.convert({"shop": "a", "client_secret": "s", "access_token": "t", "api_version": "../x"}, Settings)
