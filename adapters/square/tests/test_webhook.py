"""Deliveries: what is signed, whose it is, and what it is about."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.square.harness import URL, settings, simulator
from adapters.square.settings import Settings, host, transport
from adapters.square.simulator_books import event_headers
from adapters.square.webhook import addressed, check
from hub.sdk.webhook import Delivery, Refuse, Store
from hub.sdk.wire import NoAuth

AT = datetime(2026, 1, 16, 12, tzinfo=UTC)
KNOWN = settings(simulator())
COUNTS = {"inventory_counts": [{"catalog_object_id": name, "location_id": "L2"} for name in ("V2", "V1", "V2")]}


def delivery(
    inner: dict[str, Any], topic: str = "order.updated", *, url: str = URL, key: str = "", **more: Any
) -> Delivery:
    envelope = {"merchant_id": KNOWN.merchant_id, "type": topic, "event_id": "E1", "data": {"object": inner}, **more}
    return raw(msgspec.json.encode(envelope), url=url, key=key)


def raw(body: bytes, *, url: str = URL, key: str = "") -> Delivery:
    headers = event_headers(url, key or KNOWN.signature_key, body)
    return Delivery(method="POST", url="http://behind-the-proxy/", headers=headers, query={}, body=body, received_at=AT)


@pytest.mark.parametrize(
    ("topic", "inner", "stored", "about"),
    [
        ("order.created", {"order_created": {"order_id": "O1"}}, "order.created", "order:O1"),
        (
            "order.fulfillment.updated",
            {"order_fulfillment_updated": {"order_id": "O1"}},
            "order.fulfillment.updated",
            "order:O1",
        ),
        ("payment.updated", {"payment": {"id": "P1", "order_id": "O1"}}, "payment.updated", "order:O1"),
        ("payment.updated", {"payment": {"id": "P1"}}, "payment.updated.unrelated", None),
        ("refund.updated", {"refund": {"payment_id": "P1", "order_id": "R1"}}, "refund.updated", "payment:P1"),
        ("refund.created", {"refund": {"order_id": "R1"}}, "refund.created", "order:R1"),
        ("order.updated", {"order_updated": "broken"}, "order.updated.unrelated", None),
        ("inventory.count.updated", COUNTS, "inventory.count.updated", "counts:V1,V2"),
        ("inventory.count.updated", {"inventory_counts": []}, "inventory.count.updated.unrelated", None),
    ],
)
def test_what_an_event_is_about(topic: str, inner: dict[str, Any], stored: str, about: str | None) -> None:
    assert check(delivery(inner, topic), KNOWN) == Store(key="event:E1", topic=stored, object=about)


def test_the_registered_url_is_signed_and_not_the_one_called() -> None:
    assert isinstance(check(delivery({}, url=f"{URL}/"), KNOWN), Refuse)
    called = msgspec.structs.replace(delivery({}), url=URL)
    assert isinstance(check(called, msgspec.structs.replace(KNOWN, notification_url=None)), Store)


def test_the_former_key_is_valid_while_it_is_replaced() -> None:
    old = delivery({}, key="sig-of-last-year")
    assert isinstance(check(old, KNOWN), Refuse)
    both = msgspec.structs.replace(KNOWN, previous_signature_key="sig-of-last-year")
    assert isinstance(check(old, both), Store)


def test_another_seller_is_refused_and_addressed() -> None:
    other = delivery({}, merchant_id="MOTHER")
    assert isinstance(check(other, KNOWN), Refuse)
    assert addressed(other) == "MOTHER"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"type":', b"\xff\xfe", b'{"type":7}'])
def test_a_signed_body_that_is_no_event_is_kept_under_its_digest(body: bytes) -> None:
    verdict = check(raw(body), KNOWN)
    assert isinstance(verdict, Store)
    assert (verdict.topic, verdict.object, verdict.key[:7]) == ("unknown", None, "sha256:")


def test_settings_want_a_way_in() -> None:
    with pytest.raises(ValueError, match="application_id"):
        Settings(merchant_id="M", signature_key="k", refresh_token="r")
    with pytest.raises(ValueError, match="access_token"):
        Settings(merchant_id="M", signature_key="k")


def test_a_personal_token_goes_with_every_call() -> None:
    own = Settings(merchant_id="M", signature_key="k", access_token="EAAA-own", sandbox=True)
    made = transport(own)
    assert host(own) == "https://connect.squareupsandbox.com"
    assert (made.headers["authorization"], made.auth) == ("Bearer EAAA-own", NoAuth())
    assert made.headers["square-version"] == "2025-08-20"


def test_counts_are_no_news_where_none_are_believed() -> None:
    told = msgspec.structs.replace(KNOWN, stock_locations=())
    verdict = check(delivery(COUNTS, "inventory.count.updated"), told)
    assert verdict == Store(key="event:E1", topic="inventory.count.updated.unrelated", object=None)
